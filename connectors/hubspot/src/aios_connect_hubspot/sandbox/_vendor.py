"""The routes to the records of a fake account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aios_connect.sandbox import Answer, Call, RefusedError, route

from ._account import OBJECTS, Account, stamp_of, text_of
from ._associations import TYPES
from ._properties import DEFAULTS, absent, error, problems_of, refuse
from ._records import Indexed, Record, Records
from ._search import search

__all__ = ["HubSpotVendor"]

MERGED = "hs_merged_object_ids"


class HubSpotVendor(Account):
    """One fake HubSpot account. Deterministic: the same seed, clock and requests give the same answers. Nothing is recorded."""

    @route("GET", "/crm/v3/objects/{object}")
    def list(self, call: Call, object: str) -> Any:
        records = self._records(call, object)
        archived = call.query.get("archived", "").lower() == "true"
        limit, after = int(call.query.get("limit") or 10), call.query.get("after") or "0"
        if limit > 100:
            raise RefusedError(400, error("The limit of a page is 100", "VALIDATION_ERROR"))
        page, more = records.page(int(after), limit, archived=archived)
        following = str(page[-1].id) if page else after
        if call.fault == "same_cursor" and after != "0":
            more, following = True, after
        if call.fault == "empty_page" and more:
            page, following = [], f"0{after}"  # the same place, spelled anew
        wanted = _names(call.query.get("properties"))
        kinds = _names(call.query.get("associations"))
        shown = [self._shown(object, record, wanted, kinds) for record in page]
        if archived and self.hazards.twice_in_bin:
            shown += shown[:1]
        link = f"https://api.hubapi.com/crm/v3/objects/{object}?after={following}"
        return {"results": shown, **({"paging": {"next": {"after": following, "link": link}}} if more else {})}

    @route("GET", "/crm/v3/objects/{object}/{id}")
    def one(self, call: Call, object: str, id: str) -> Any:
        records = self._records(call, object)
        by = call.query.get("idProperty")
        record = records.by(by, id) if by else records.get(id)
        if record is None:
            return self.missing()
        return self._shown(object, record, _names(call.query.get("properties")), _names(call.query.get("associations")))

    @route("POST", "/crm/v3/objects/{object}")
    def create(self, call: Call, object: str) -> Any:
        records, asked = self._records(call, object, write=True), call.json()
        record = self._make(object, records, asked, _texts(asked), call)
        return Answer.json(self._shown(object, record, [*asked["properties"]]), 201)

    @route("PATCH", "/crm/v3/objects/{object}/{id}")
    def update(self, call: Call, object: str, id: str) -> Any:
        records, asked = self._records(call, object, write=True), call.json()
        by = call.query.get("idProperty")
        record = records.by(by, id) if by else records.get(id)
        if record is None:
            return self.missing()
        record = self._alter(object, records, record, _texts(asked), call)
        return self._shown(object, record, [*asked["properties"]])

    @route("DELETE", "/crm/v3/objects/{object}/{id}")
    def archive(self, call: Call, object: str, id: str) -> Any:
        records = self._records(call, object, write=True)
        if records.get(id) is not None:
            records.archive(id, line=_line(call))
        return Answer(204)

    @route("POST", "/crm/v3/objects/contacts/gdpr-delete")
    def erase(self, call: Call) -> Any:
        """Delete a contact for good. Nothing tells of it later: no list, no bin, no search."""
        records, asked = self._records(call, "contacts", write=True), call.json()
        by = asked.get("idProperty")
        record = records.by(by, asked["objectId"]) if by else records.get(asked["objectId"])
        if record is not None:
            self.erased("contacts", record.id, by="api")
        return Answer(204)

    def erased(self, object: str, id: int, *, by: str = "a person") -> None:
        """Delete a record for good.

        Evidence: https://developers.hubspot.com/changelog/now-live-webhooks-now-support-privacy-compliant-contact-deletions
        """
        self.records[object].erase(id, by=by)
        self._announcer.tell(object, "privacyDeletion", id)

    @route("POST", "/crm/v3/objects/{object}/merge")
    def merge(self, call: Call, object: str) -> Any:
        records, asked = self._records(call, object, write=True), call.json()
        kept, lost = records.get(asked["primaryObjectId"]), records.get(asked["objectIdToMerge"])
        if kept is None or lost is None or kept is lost:
            raise RefusedError(400, error("These records cannot be merged", "VALIDATION_ERROR"))
        return self._shown(object, self.merged(object, kept.id, lost.id, by="api"), [MERGED])

    def merged(self, object: str, primary: int, other: int, *, by: str = "a person") -> Record:
        """Merge two records into a new one.

        Evidence: https://developers.hubspot.com/changelog/updated-merge-functionality-for-contacts-and-companies
        """
        new = self.records[object].merge(primary, other, property=MERGED, by=by)
        for old in (primary, other):
            self.associations.move(object, old, new.id)
        self._announcer.tell(*(object, "merge", new.id), primaryObjectId=primary, mergedObjectIds=[other], newObjectId=new.id)
        return new

    @route("POST", "/crm/v3/objects/{object}/search")
    def search(self, call: Call, object: str) -> Any:
        records, asked = self._records(call, object), call.json()
        types = {name: item["type"] for name, item in self.properties[object].items()}
        page, total, after = search(records.known(), asked, types, stamp_of(object))
        shown = [self._shown(object, one, asked.get("properties") or []) for one in page]
        return {"total": total, "results": shown, **({"paging": {"next": {"after": after}}} if after else {})}

    @route("POST", "/crm/v3/objects/{object}/batch/read")
    def batch_read(self, call: Call, object: str) -> Any:
        records, asked = self._records(call, object), call.json()
        by, found, lost = asked.get("idProperty"), {}, []
        for given in _inputs(asked):
            record = records.by(by, given["id"]) if by else records.get(given["id"])
            if record is None:
                lost.append(given["id"])
            else:
                found[record.id] = record
        errors = [_not_found(object, lost)] if lost else []
        return self._batch([self._shown(object, record, asked["properties"]) for record in found.values()], errors)

    @route("POST", "/crm/v3/objects/{object}/batch/create")
    def batch_create(self, call: Call, object: str) -> Any:
        """With trace ids, values that do not fit are told one by one; a value that must be unique and is not refuses the batch.

        Evidence: https://developers.hubspot.com/docs/guides/api/error-handling (multi-status); HubSpot/hubspot-api-python#51.
        """
        records, asked = self._records(call, object, write=True), call.json()
        inputs = self._whole(call, _inputs(asked))
        traced = all("objectWriteTraceId" in given for given in inputs)
        values, errors = [_texts(given) for given in inputs], []
        taken: set[tuple[str, str]] = set()
        for given in values:
            self._refuse_taken(object, records, given, None, taken)
        fitting = []
        for given, texts in zip(inputs, values, strict=True):
            problems = problems_of(self.properties[object], texts) + absent(object, texts)
            if problems and not traced:
                raise refuse(problems)
            if problems:
                errors.append(_traced(refuse(problems), given))
            else:
                fitting.append((given, texts))
        done = fitting[: len(fitting) // 2] if call.fault == "half_done" and traced else fitting
        stopped = RefusedError(500, error("internal error", "INTERNAL_ERROR"))
        errors += [_traced(stopped, given) for given, _ in fitting[len(done) :]]
        made = []
        for given, texts in done:
            record = self._make(object, records, given, texts, call)
            trace = {"objectWriteTraceId": given["objectWriteTraceId"]} if traced else {}
            made.append(self._shown(object, record, [*texts]) | trace)
        return self._batch(made, errors, 201)

    @route("POST", "/crm/v3/objects/{object}/batch/update")
    def batch_update(self, call: Call, object: str) -> Any:
        records, asked = self._records(call, object, write=True), call.json()
        inputs = self._whole(call, _inputs(asked))
        pairs, lost, taken = [], [], set[tuple[str, str]]()
        for given in inputs:
            by = given.get("idProperty")
            record = records.by(by, given["id"]) if by else records.get(given["id"])
            if record is None:
                lost.append(given["id"])
                continue
            texts = _texts(given)
            if problems := problems_of(self.properties[object], texts):
                raise refuse(problems)
            self._refuse_taken(object, records, texts, record, taken)
            pairs.append((record, texts))
        done = [self._alter(object, records, record, texts, call) for record, texts in pairs]
        shown = [self._shown(object, record, [*texts]) for record, (_, texts) in zip(done, pairs, strict=True)]
        return self._batch(shown, [_not_found(object, lost)] if lost else [])

    @route("POST", "/crm/v3/objects/{object}/batch/upsert")
    def batch_upsert(self, call: Call, object: str) -> Any:
        """One record in conflict refuses the whole batch with 409. Evidence: airbytehq/airbyte#76340."""
        records, asked = self._records(call, object, write=True), call.json()
        planned, taken = [], set[tuple[str, str]]()
        for given in self._whole(call, _inputs(asked)):
            by = given.get("idProperty")
            if by not in records.unique:
                message = f"Unable to perform update/upsert by non-unique property {by}"
                raise RefusedError(400, error(message, "VALIDATION_ERROR"))
            texts = {by: given["id"], **_texts(given)}
            record = records.by(by, given["id"])
            if problems := problems_of(self.properties[object], texts):
                raise refuse(problems)
            self._refuse_taken(object, records, texts, record, taken)
            planned.append((record, texts))
        shown = []
        for record, texts in planned:
            done = (
                records.create(texts, line=_line(call)) if record is None else records.change(record.id, texts, line=_line(call))
            )
            shown.append(self._shown(object, done, [*texts]) | {"new": record is None})
        return self._batch(shown, [])

    @route("POST", "/crm/v3/objects/{object}/batch/archive")
    def batch_archive(self, call: Call, object: str) -> Any:
        records, asked = self._records(call, object, write=True), call.json()
        for given in self._whole(call, _inputs(asked)):
            record = records.get(given["id"])
            if record is not None:
                records.archive(record.id, line=_line(call))
        return Answer(204)

    @route("POST", "/crm/v4/associations/{object}/{to}/batch/read")
    def read_associations(self, call: Call, object: str, to: str) -> Any:
        """Records that point at nothing are told as errors; assumed, and harmless to a reader where they are not."""
        records = self._records(call, object)
        inputs = call.json()["inputs"]
        if len(inputs) > 1000:
            raise RefusedError(400, error("The maximum number of inputs is 1000", "VALIDATION_ERROR"))
        results, errors = [], []
        for given in inputs:
            record = records.get(given["id"])
            found = self.associations.typed(object, record.id, to) if record is not None else []
            if found:
                results.append({"from": {"id": given["id"]}, "to": found})
            else:
                message = f"No {to} is associated with {object} {given['id']}."
                errors.append(
                    {
                        **error(message, "OBJECT_NOT_FOUND", context={"fromObjectId": [given["id"]]}, errors=[], links={}),
                        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                    }
                )
        return self._batch(results, errors)

    @route("POST", "/crm/v4/associations/{object}/{to}/batch/create")
    def make_associations(self, call: Call, object: str, to: str) -> Any:
        records, others = self._records(call, object, write=True), self.records[to]
        results, errors = [], []
        for given in call.json()["inputs"]:
            left, right = records.get(given["from"]["id"]), others.get(given["to"]["id"])
            if left is None or right is None:
                errors.append(_not_found(object, [given["from"]["id"], given["to"]["id"]]))
                continue
            marked = TYPES[object, to][1]
            primary = any(type["associationTypeId"] == marked for type in given["types"])
            self.associations.add(object, left.id, to, right.id, primary=bool(marked and primary))
            ends = {"fromObjectTypeId": "0-0", "toObjectTypeId": "0-0"}
            results.append({**ends, "fromObjectId": str(left.id), "toObjectId": str(right.id), "labels": []})
        return self._batch(results, errors, 201)

    @route("POST", "/crm/v4/associations/{object}/{to}/batch/associate/default")
    def associate_plainly(self, call: Call, object: str, to: str) -> Any:
        records, others = self._records(call, object, write=True), self.records[to]
        results, errors = [], []
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TYPES[object, to][0]}
        for given in call.json()["inputs"]:
            left, right = records.get(given["from"]["id"]), others.get(given["to"]["id"])
            if left is None or right is None:
                errors.append(_not_found(object, [given["from"]["id"], given["to"]["id"]]))
            else:
                self.associations.add(object, left.id, to, right.id)
                results.append({"from": given["from"], "to": given["to"], "associationSpec": spec})
        return self._batch(results, errors)

    @route("POST", "/crm/v4/associations/{object}/{to}/batch/archive")
    def drop_associations(self, call: Call, object: str, to: str) -> Any:
        self._records(call, object, write=True)
        for given in call.json()["inputs"]:
            for other in given["to"]:
                self.associations.remove(object, int(given["from"]["id"]), to, int(other["id"]))
        return Answer(204)

    def _records(self, call: Call, object: str, *, write: bool = False) -> Records:
        verb = "write" if write else "read"
        # https://developers.hubspot.com/docs/api-reference/latest/crm/activities/emails/guide
        special = {"tickets": "tickets", "emails": "crm.objects.contacts.write" if write else "sales-email-read"}
        scope = special.get(object, f"crm.objects.{object if object in OBJECTS[:3] else 'contacts'}.{verb}")
        self.enter(call, scope)
        if object not in self.records:
            raise RefusedError(400, error(f"Unable to infer object type from: {object}", "VALIDATION_ERROR"))
        return self.records[object]

    def _whole(self, call: Call, inputs: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        if call.fault == "all_or_nothing" and len(inputs) > 1:
            raise RefusedError(409, error("One of the records is in conflict", "CONFLICT"))
        return inputs

    def _make(self, object: str, records: Records, given: Mapping[str, Any], texts: Mapping[str, str], call: Call) -> Record:
        if problems := problems_of(self.properties[object], texts) + absent(object, texts):
            raise refuse(problems)
        self._refuse_taken(object, records, texts, None, set())
        links = []
        for link in given.get("associations") or ():
            type = link["types"][0]["associationTypeId"]
            to = _other_end(object, type)
            other = self.records[to].get(link["to"]["id"]) if to else None
            if to is None or other is None:
                raise RefusedError(400, error(f"No record {link['to']['id']} to associate with", "VALIDATION_ERROR"))
            links.append((to, other.id, type == TYPES[object, to][1]))
        record = records.create(texts, line=_line(call))
        for to, id, primary in links:
            self.associations.add(object, record.id, to, id, primary=primary)
        return record

    def _alter(self, object: str, records: Records, record: Record, texts: Mapping[str, str], call: Call) -> Record:
        if problems := problems_of(self.properties[object], texts):
            raise refuse(problems)
        self._refuse_taken(object, records, texts, record, set())
        return records.change(record.id, texts, line=_line(call))

    def _refuse_taken(
        self, object: str, records: Records, texts: Mapping[str, str], own: Record | None, taken: set[tuple[str, str]]
    ) -> None:
        """Unique values are unique: in the account, and within a batch. Of what is no e-mail, the words of the refusal are assumed."""
        for name in records.unique & texts.keys():
            value = texts[name].casefold()
            other = records.by(name, value) if value else None
            twice = bool(value) and (name, value) in taken
            taken.add((name, value))
            if (other is None or other is own) and not twice:
                continue
            if name == "email":
                id = other.id if other else "unknown"
                raise RefusedError(409, error(f"Contact already exists. Existing ID: {id}", "CONFLICT"))
            problem = {
                "isValid": False,
                "message": f"{value} is already taken",
                "error": "CONFLICTING_UNIQUE_VALUE",
                "name": name,
            }
            raise refuse([problem], 409, "CONFLICT")

    def _shown(self, object: str, record: Record | Indexed, wanted: Sequence[str], kinds: Sequence[str] = ()) -> dict[str, Any]:
        stamp = stamp_of(object)
        own = {"createdate": text_of(record.created), stamp: text_of(record.modified), "hs_object_id": str(record.id)}
        known = self.properties[object]
        names = [name for name in wanted if name in known] or DEFAULTS.get(object, ())
        shown: dict[str, Any] = {
            "id": str(record.id),
            "properties": {**{name: record.values.get(name) for name in names}, **own},
            "createdAt": own["createdate"],
            "updatedAt": own[stamp],
            "archived": False,
        }
        if isinstance(record, Record) and record.archived is not None:
            stale = self.hazards.stale_archived_at and object == "contacts"
            shown |= {"archived": True, "archivedAt": text_of(record.modified if stale else record.archived)}
        links = {to: {"results": found} for to in kinds if (found := self.associations.inline(object, record.id, to))}
        return shown | ({"associations": links} if links else {})

    def _batch(self, results: Sequence[Mapping[str, Any]], errors: Sequence[Mapping[str, Any]], status: int = 200) -> Answer:
        shown = [*results]
        if self.hazards.shuffled:
            self.random.shuffle(shown)
        now = text_of(self.clock.now())
        body = {"status": "COMPLETE", "results": shown, "startedAt": now, "completedAt": now}
        return Answer.json(body | ({"numErrors": len(errors), "errors": [*errors]} if errors else {}), 207 if errors else status)


def _names(text: str | None) -> Sequence[str]:
    return [name for name in (text or "").split(",") if name]


def _inputs(asked: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    inputs = asked.get("inputs")
    if not isinstance(inputs, Sequence) or len(inputs) > 100:
        raise RefusedError(400, error("A batch takes 1 to 100 inputs", "VALIDATION_ERROR"))
    return inputs


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in given["properties"].items()}


def _line(call: Call) -> str:
    return call.headers.get("aios-plan-line", "")


def _other_end(object: str, type: int) -> str | None:
    return next((to for (left, to), types in TYPES.items() if left == object and type in types and type), None)


def _not_found(object: str, ids: Sequence[str]) -> dict[str, Any]:
    message = f"Could not get some {object} objects, they may be deleted or not exist. Check that ids are valid."
    return error(message, "OBJECT_NOT_FOUND", context={"ids": [*ids]}, errors=[], links={})


def _traced(refused: RefusedError, given: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = refused.args[1]
    return body | {"context": {"objectWriteTraceId": [given["objectWriteTraceId"]]}, "errors": [], "links": {}}
