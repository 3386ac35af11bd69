"""People: the contacts of a fake account."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any, Final

from aios_connect.sandbox import Call, RefusedError, route

from ._account import Account
from ._changes import Changes, ForgottenError, Kept
from ._errors import invalid, refusal
from ._times import stamp

__all__ = ["PeoplePart"]

_READ: Final = ("contacts", "contacts.readonly")
_WRITE: Final = ("contacts",)
_SINGLE: Final = frozenset({"biographies", "birthdays", "genders", "names"})
_LISTS: Final = frozenset(
    {
        *("addresses", "biographies", "birthdays", "calendarUrls", "clientData", "emailAddresses", "events", "externalIds"),
        *("genders", "imClients", "interests", "locales", "locations", "memberships", "miscKeywords", "names", "nicknames"),
        *("occupations", "organizations", "phoneNumbers", "relations", "sipAddresses", "urls", "userDefined"),
    }
)
_READ_ONLY: Final = frozenset({"metadata", "ageRanges", "coverPhotos", "photos", "skills"})


class PeoplePart(Account):
    """The routes of the People API that are about contacts.

    Attributes:
        contacts: Every contact, by resource name.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.contacts = Changes(self.clock, life=self.hazards.people_tokens * 86_400, lag=self._lag)
        self._contacts_made = 0
        self._linked: dict[str, list[str]] = {}  # name -> the names before

    def make_contact(self, person: Mapping[str, Any], *, by: str = "a person", line: str = "") -> str:
        """One of the account's people makes a contact; its resource name."""
        self._contacts_made += 1
        name = f"people/c{7_000_000_000_000_000_000 + self._contacts_made}"
        given = {field: value for field, value in person.items() if field in _LISTS}
        self.contacts.put(name, given, by=by, line=line)
        return name

    def link_contact(self, name: str) -> str:
        """A contact is linked with a profile, and has another name from then on.

        Evidence: discovery document, ``PersonMetadata.previousResourceNames``.
        """
        linked = f"people/1{name.removeprefix('people/c')}"
        self.contacts.rename(name, linked)
        self._linked[linked] = [*self._linked.pop(name, []), name]
        return linked

    @route("GET", "/v1/people/me/connections")
    def list_contacts(self, call: Call) -> Any:
        """Of changes it tells late: discovery document, ``people.connections.list``."""
        self.enter(call, "people", *_READ)
        query = call.query
        mask = _mask(query.get("personFields"))
        size = int(query.get("pageSize") or 100)
        if not 1 <= size <= 1000:
            raise invalid("Invalid page size.", "pageSize")
        if call.fault == "cursor_gone" and ("syncToken" in query or "pageToken" in query):
            raise _expired()
        if call.fault == "empty_page":
            size = 0
        try:
            if "syncToken" in query:
                slice = self.contacts.since(size, query["syncToken"], query.get("pageToken", ""))
            else:
                slice = self.contacts.listed(size, query.get("pageToken", ""))
        except ForgottenError as forgotten:
            if forgotten.expired:
                raise _expired() from None
            raise invalid("Invalid token.", "pageToken") from None
        shown = [_shown(one, mask) for one in slice.items]
        for person in shown if "syncToken" in query else ():
            if before := self._linked.get(person["resourceName"]):
                person["metadata"]["previousResourceNames"] = before
        told: dict[str, Any] = {"connections": shown} if shown else {}
        told |= {"totalPeople": len(self.contacts), "totalItems": len(self.contacts)}
        if slice.page:
            return {**told, "nextPageToken": slice.page}
        return told | ({"nextSyncToken": slice.sync} if query.get("requestSyncToken") == "true" or "syncToken" in query else {})

    @route("GET", "/v1/people:batchGet")
    def get_contacts(self, call: Call) -> Any:
        self.enter(call, "people", *_READ)
        mask, names = _mask(call.query.get("personFields")), call.query.get("resourceNames", "").split(",")
        if len(names) > 200:
            raise invalid("Request cannot have more than 200 resource names.")
        return {"responses": [self._response(name, mask) for name in names]}

    @route("GET", "/v1/people/{id}")
    def one_person(self, call: Call, id: str) -> Any:
        self.enter(call, "people", *_READ)
        mask = _mask(call.query.get("personFields"))
        if id == "me":
            source = {"type": "PROFILE", "id": "117000000000000000001", "etag": "#me"}
            return {"resourceName": "people/117000000000000000001", "etag": "%me", "metadata": {"sources": [source]}}
        return _shown(self._living(f"people/{id}"), mask)

    @route("POST", "/v1/people:createContact")
    def create_contact(self, call: Call) -> Any:
        self.enter(call, "people", *_WRITE)
        person = call.json()
        _check(person)
        return _shown(self._made(person, _line(call)), _mask(call.query.get("personFields") or ",".join(sorted(_LISTS))))

    @route("PATCH", "/v1/people/{id}:updateContact")
    def update_contact(self, call: Call, id: str) -> Any:
        self.enter(call, "people", *_WRITE)
        person, update = call.json(), _mask(call.query.get("updatePersonFields"))
        one = self._living(f"people/{id}")
        _check(person)
        _check_etag(one, person)
        return _shown(self._altered(one, person, update, _line(call)), _mask(call.query.get("personFields") or ",".join(_LISTS)))

    @route("DELETE", "/v1/people/{id}:deleteContact")
    def delete_contact(self, call: Call, id: str) -> Any:
        self.enter(call, "people", *_WRITE)
        self.contacts.remove(self._living(f"people/{id}").id, line=_line(call))
        return {}

    @route("POST", "/v1/people:batchCreateContacts")
    def batch_create(self, call: Call) -> Any:
        """One that does not fit refuses them all; that some may be told of by a status of their own is in the discovery document."""
        self.enter(call, "people", *_WRITE)
        asked = call.json()
        people = [one["contactPerson"] for one in self._whole(call, asked["contacts"], 200)]
        mask = _mask(asked.get("readMask"))
        for person in people:
            _check(person)
        half = len(people) // 2 if call.fault == "half_done" else len(people)
        told = [self._person(self._made(person, _line(call)), mask) for person in people[:half]]
        told += [{"status": {"code": 14, "message": "The service is currently unavailable."}} for _ in people[half:]]
        if self.hazards.shuffled:
            self.random.shuffle(told)
        return {"createdPeople": told}

    @route("POST", "/v1/people:batchUpdateContacts")
    def batch_update(self, call: Call) -> Any:
        """One that changed meanwhile refuses them all: assumed, as the single call does so."""
        self.enter(call, "people", *_WRITE)
        asked = call.json()
        names = self._whole(call, list(asked["contacts"]), 200)
        update, mask = _mask(asked.get("updateMask")), _mask(asked.get("readMask"))
        if stray := update & _READ_ONLY:
            raise invalid(f"Invalid updateMask paths: {sorted(stray)}")
        for name in names:
            _check(asked["contacts"][name])
            _check_etag(self._living(name), asked["contacts"][name])
        done = {name: self._altered(self._living(name), asked["contacts"][name], update, _line(call)) for name in names}
        return {"updateResult": {name: {**self._person(one, mask), "requestedResourceName": name} for name, one in done.items()}}

    @route("POST", "/v1/people:batchDeleteContacts")
    def batch_delete(self, call: Call) -> Any:
        self.enter(call, "people", *_WRITE)
        names = self._whole(call, call.json()["resourceNames"], 500)
        for name in names:
            self._living(name)
        for name in dict.fromkeys(names):
            self.contacts.remove(name, line=_line(call))
        return {}

    def _lag(self) -> float:
        """Seconds until a change is told."""
        return self.random.expovariate(1 / self.hazards.lag) if self.hazards.lag else 0.0

    def _whole(self, call: Call, items: list[Any], most: int) -> list[Any]:
        if not items or len(items) > most:
            raise invalid(f"Request must have between 1 and {most} contacts.")
        if call.fault == "all_or_nothing" and len(items) > 1:
            raise invalid("Request contains an invalid argument.")
        return items

    def _living(self, name: str) -> Kept:
        one = self.contacts.get(name)
        if one is None or one.gone:
            raise refusal(404, "notFound", "Requested entity was not found.", rpc="NOT_FOUND")
        return one

    def _made(self, person: Mapping[str, Any], line: str) -> Kept:
        return self._living(self.make_contact(person, by="api", line=line))

    def _altered(self, one: Kept, person: Mapping[str, Any], update: frozenset[str], line: str) -> Kept:
        """Fields of the mask are replaced, or cleared if they are not there (discovery document, ``updateMask``)."""
        return self.contacts.change(one.id, {name: person.get(name) or None for name in update}, line=line)

    def _response(self, name: str, mask: frozenset[str]) -> dict[str, Any]:
        one = self.contacts.get(name)
        if one is None or one.gone:
            status = {"code": 5, "message": "Requested entity was not found."}
            return {"httpStatusCode": 404, "requestedResourceName": name, "status": status}
        return {**self._person(one, mask), "requestedResourceName": name}

    def _person(self, one: Kept, mask: frozenset[str]) -> dict[str, Any]:
        return {"httpStatusCode": 200, "person": _shown(one, mask), "status": {}}


def _mask(text: str | None) -> frozenset[str]:
    mask = frozenset(filter(None, (text or "").split(",")))
    if not mask:
        raise invalid("personFields mask is required. Please specify one or more valid paths.")
    if strange := mask - _LISTS - _READ_ONLY:
        raise invalid(f"Invalid personFields mask path: {sorted(strange)[0]!r}.")
    return mask


def _check(person: Mapping[str, Any]) -> None:
    """Refuse what Google refuses: unknown fields, a second name, a day that is none; the words are assumed."""
    for name, items in person.items():
        if name in ("resourceName", "etag", "metadata"):
            continue
        if name not in _LISTS or not isinstance(items, list):
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        if name in _SINGLE and len(items) > 1:
            raise invalid(f"Contact person cannot have more than one value for the field {name}.")
    for one in person.get("birthdays") or ():
        day = one.get("date") or {}
        try:
            date(day.get("year") or 2000, day["month"], day["day"])
        except (KeyError, TypeError, ValueError):
            raise invalid("Request contains an invalid argument.") from None


def _check_etag(one: Kept, person: Mapping[str, Any]) -> None:
    """https://developers.google.com/people/api/rest/v1/people/updateContact; rapidwebltd/php-google-people-api#22 for the words."""
    sources = (person.get("metadata") or {}).get("sources") or []
    etags = [source.get("etag") for source in sources if source.get("type") == "CONTACT"]
    if not etags and not person.get("etag"):
        raise invalid("Request must set person.etag or person.metadata.sources.etag for the source that is being updated.")
    known = [f"#{one.place}"] if etags else [_etag(one)]
    if (etags or [str(person["etag"]).partition(".")[0]]) != known:
        raise refusal(
            400,
            "failedPrecondition",
            "Request person.metadata.sources.etag is different than the current person.metadata.sources.etag. "
            "Clear local cache and get the latest person.",
            rpc="FAILED_PRECONDITION",
        )


def _etag(one: Kept) -> str:
    return f"%{one.place}"


def _shown(one: Kept, mask: frozenset[str]) -> dict[str, Any]:
    """A person with the fields of a mask; an etag holds for one mask only (assumed: they look it)."""
    source = {"type": "CONTACT", "id": one.id.removeprefix("people/c")}
    told: dict[str, Any] = {"resourceName": one.id, "etag": f"{_etag(one)}.{len(mask)}"}
    if "metadata" in mask or one.gone:
        full = {**source, "etag": f"#{one.place}", "updateTime": stamp(one.updated)}
        told["metadata"] = {"sources": [full], "objectType": "PERSON", **({"deleted": True} if one.gone else {})}
    if one.gone:
        return told
    for name in [name for name in one.values if name in mask]:
        items = deepcopy(one.values[name])
        for number, item in enumerate(items):
            item["metadata"] = {"primary": number == 0, "source": source}
        told[name] = items
    for name in told.get("names", ()):
        whole = " ".join(filter(None, (name.get(part) for part in ("givenName", "middleName", "familyName"))))
        name |= {"displayName": whole, "unstructuredName": whole}
    for item in (*told.get("emailAddresses", ()), *told.get("phoneNumbers", ()), *told.get("addresses", ())):
        if item.get("type"):
            item["formattedType"] = item["type"].capitalize()
    return told


def _expired() -> RefusedError:
    return refusal(
        400,
        "failedPrecondition",
        "Sync token is expired. Clear local cache and retry call without the sync token.",
        rpc="FAILED_PRECONDITION",
        info="EXPIRED_SYNC_TOKEN",
    )


def _line(call: Call) -> str:
    return call.headers.get("aios-plan-line", "")
