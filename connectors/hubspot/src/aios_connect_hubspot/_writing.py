"""Writing records, a hundred at a time: compared before, mapped back after, and looked up when no answer came.

A create carries our key in a property whose values HubSpot keeps unique, so that none can be done twice, however often it is sent.
An update or an archive is one read of what is there now, a comparison with what the plan saw, and one write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from aios_connect.connectors import (
    AmbiguousWriteError,
    Change,
    ConfigError,
    ConflictError,
    ProviderError,
    Raw,
    Receipt,
    RejectedError,
    TruncatedError,
)

from ._objects import KEY, MERGED, OBJECTS, Association
from ._reading import Reader, associate, shaped
from ._wire import Wire, said

__all__ = ["Writer"]

_Receipts: TypeAlias = dict[str, Receipt]
_STAMPS: Final = frozenset({"hs_lastmodifieddate", "lastmodifieddate", KEY})


class Writer:
    """Writes one account's records.

    Args:
        wire: The way to HubSpot.
        reader: Reads what is compared and looked up.
        connection: The connection's name, for hints.
    """

    def __init__(self, wire: Wire, reader: Reader, connection: str) -> None:
        self._wire = wire
        self._reader = reader
        self._connection = connection

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; see :meth:`aios_connect.connectors.Connector.write`."""
        receipts: _Receipts = {}
        fitting = []
        for change in changes:
            if wrong := _no_place(object, change):
                receipts[change.line] = Receipt("rejected", change.id, reason=f"hubspot has no {wrong} on {object} to write")
            else:
                fitting.append(change)
        if fitting:
            verb = {"create": self._create, "update": self._update, "delete": self._archive}[changes[0].action]
            receipts |= verb(object, fitting)
        return [receipts[change.line] for change in changes]

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        """API calls that these changes take: a write, for what is there a read before it, and of each association that changes
        another read, the new ones and those they take the place of."""
        if changes[0].action == "create":
            return 1
        told = 1 + (changes[0].action == "delete" or any(change.patch.get("properties") for change in changes))
        for to in OBJECTS[object].associations:
            part = [change for change in changes if to.name in (change.patch.get("associations") or ())]
            if part:
                targets = [(change.patch["associations"][to.name], _replaced(change, to, ())) for change in part]
                told += 1 + any(new for new, _ in targets) + any(old and old != new for new, old in targets)
        return told

    # creates

    def _create(self, object: str, changes: Sequence[Change]) -> _Receipts:
        done: _Receipts = {}

        def send(part: Sequence[Change]) -> _Receipts:
            inputs = [_new(object, change) for change in part]
            told = self._results(object, "create", part, {"inputs": inputs}, _by_trace)
            if told and not done and all(_has_no_key(receipt.reason) for receipt in told.values()):
                raise self._unprovisioned(object)
            return told

        def refused(part: Sequence[Change], error: ProviderError) -> _Receipts:
            if not done and _has_no_key(error.message):
                raise self._unprovisioned(object)
            # an earlier create whose answer was lost: it is there, under our key
            return self._found(object, part) if isinstance(error, ConflictError) or "UNIQUE" in error.message else {}

        self._deliver(changes, done, send, refused, lambda part: self._found(object, part))
        return done

    def _unprovisioned(self, object: str) -> ConfigError:
        return ConfigError(
            f"HubSpot has no property {KEY} on {object} yet, which keeps creates from being done twice",
            hint=f"aios connect {self._connection}",
        )

    def _found(self, object: str, changes: Iterable[Change]) -> _Receipts:
        keyed = {change.key: change.line for change in changes if change.key}
        there = self._reader.find(object, KEY, list(keyed)) if keyed else {}
        return {
            keyed[key]: Receipt("written", raw["id"], raw["updatedAt"], raw, found=True)
            for key, raw in there.items()
            if key in keyed
        }

    # updates

    def _update(self, object: str, changes: Sequence[Change]) -> _Receipts:
        now = self._present(object, changes)
        links = self._links(object, changes)
        receipts: _Receipts = {}
        wanted: list[Change] = []
        for change in changes:
            receipt = _compared(object, change, now, links)
            if receipt is not None:
                receipts[change.line] = receipt
            else:
                wanted.append(change)
        linked: _Receipts = {}
        for to in OBJECTS[object].associations:
            part = [change for change in wanted if to.name in (change.patch.get("associations") or ())]
            self._deliver(part, linked, partial(self._link, object, to, links.get(to.name, {})), _nothing, _none)
            wanted = [change for change in wanted if change.line not in linked or linked[change.line].outcome == "written"]
        done = {line: receipt for line, receipt in linked.items() if receipt.outcome != "written"}
        plain = [change for change in wanted if not change.patch.get("properties")]
        done |= {change.line: Receipt("written", change.id, now[change.id or ""]["updatedAt"]) for change in plain}

        def send(part: Sequence[Change]) -> _Receipts:
            inputs = [{"id": change.id, "properties": _texts(change.patch["properties"])} for change in part]
            return self._results(object, "update", part, {"inputs": inputs}, _by_id)

        def lost(part: Sequence[Change]) -> _Receipts:
            after = self._present(object, part)
            return {
                change.line: Receipt("written", change.id, raw["updatedAt"])
                for change in part
                if (raw := after.get(change.id or "")) is not None and _holds(raw, change.patch.get("properties", {}))
            }

        self._deliver([change for change in wanted if change not in plain], done, send, _nothing, lost)
        return receipts | done

    def _present(self, object: str, changes: Sequence[Change]) -> dict[str, Raw]:
        """What is there now, under the ids of the changes; of a merged record nothing, and its survivor under its own id."""
        names = {MERGED: None}
        for change in changes:
            for side in (change.patch, change.expect):
                names |= dict.fromkeys(side.get("properties") or ())
        found = self._reader.batch(object, [change.id for change in changes if change.id], names)
        return {raw["id"]: raw for raw in found}

    def _links(self, object: str, changes: Sequence[Change]) -> dict[str, dict[str, list[tuple[str, bool]]]]:
        """Name of an association -> what the records that are to change there point at now."""
        links = {}
        for to in OBJECTS[object].associations:
            ids = [change.id for change in changes if change.id and to.name in (change.patch.get("associations") or ())]
            if ids:
                links[to.name] = self._reader.associations(object, ids, to)
        return links

    def _link(
        self, object: str, to: Association, held: Mapping[str, list[tuple[str, bool]]], changes: Sequence[Change]
    ) -> _Receipts:
        """Write one association of each change: the new one first, so that none is without for a moment.

        It takes the place of the one that the plan saw, and leaves the others beside it: who put them there knows why.
        """
        path = self._wire.address("associations", f"{object}/{to.to}/batch")
        lines = [change.line for change in changes]
        new, old = [], []
        for change in changes:
            target = change.patch["associations"][to.name]
            if target:
                new.append({"from": {"id": change.id}, "to": {"id": target}, "types": _types(to)})
            ids = {id for id, _ in held[change.id or ""]}
            replaced = _replaced(change, to, held[change.id or ""])
            if replaced in ids and replaced != target:
                old.append({"from": {"id": change.id}, "to": [{"id": replaced}]})
        if new:
            answer, _ = self._wire.post(f"{path}/create", object, {"inputs": new}, safe=True, lines=lines)
            for error in answer.get("errors") or ():
                raise RejectedError(
                    f"hubspot did not associate it: {said(error.get('message'))}", provider="hubspot", object=object
                )
        if old:
            self._wire.post(f"{path}/archive", object, {"inputs": old}, safe=True, lines=lines)
        return {line: Receipt("written") for line in lines}

    # archives

    def _archive(self, object: str, changes: Sequence[Change]) -> _Receipts:
        now = self._present(object, changes)
        receipts: _Receipts = {}
        for change in changes:
            raw = now.get(change.id or "")
            expected = {name: value for name, value in (change.expect.get("properties") or {}).items() if name not in _STAMPS}
            if raw is None:
                survivor = _survivor(change, now)
                receipts[change.line] = (
                    Receipt("conflict", change.id, reason=f"it was merged into {survivor}")
                    if survivor
                    else Receipt("unchanged", change.id)
                )
            elif not _holds(raw, expected):
                receipts[change.line] = Receipt("conflict", change.id, raw["updatedAt"], current=raw, reason="it changed since")

        def send(part: Sequence[Change]) -> _Receipts:
            body = {"inputs": [{"id": change.id} for change in part]}
            path = self._wire.address("objects", f"{object}/batch/archive")
            self._wire.post(path, object, body, lines=[change.line for change in part])
            return {change.line: Receipt("written", change.id) for change in part}

        def lost(part: Sequence[Change]) -> _Receipts:
            after = self._present(object, part)
            return {change.line: Receipt("written", change.id) for change in part if change.id not in after}

        done: _Receipts = {}
        self._deliver([change for change in changes if change.line not in receipts], done, send, _nothing, lost)
        return receipts | done

    # all of them

    def _deliver(
        self,
        changes: Sequence[Change],
        done: _Receipts,
        send: Callable[[Sequence[Change]], _Receipts],
        refused: Callable[[Sequence[Change], ProviderError], _Receipts],
        lost: Callable[[Sequence[Change]], _Receipts],
    ) -> None:
        """Send changes in one call; in two halves when one spoils it for the others.

        Args:
            changes: What is to be sent.
            done: Where the receipts go.
            send: Sends some; gives receipts for those whose outcome the answer tells.
            refused: Receipts of those that are there already, after a refusal.
            lost: Receipts of those that can be seen to be done, after no answer came.
        """
        if not changes:
            return
        try:
            told = send(changes)
        except (RejectedError, ConflictError) as error:
            there = refused(changes, error)
            done |= there
            left = [change for change in changes if change.line not in there]
            if len(changes) == 1 and left:
                done[left[0].line] = Receipt("rejected", left[0].id, reason=error.message)
            elif there:
                self._deliver(left, done, send, refused, lost)
            else:
                half = len(left) // 2
                self._deliver(left[:half], done, send, refused, lost)
                self._deliver(left[half:], done, send, refused, lost)
            return
        except (AmbiguousWriteError, TruncatedError) as error:
            self._look_up(changes, done, lost, error.message)
            return
        except ProviderError as error:
            if not done:
                raise  # nothing was written
            done |= {change.line: Receipt("ambiguous", change.id, reason=error.message) for change in changes}
            return
        done |= told
        untold = [change for change in changes if change.line not in told]
        if untold:
            self._look_up(untold, done, lost, "hubspot does not say what became of it")

    def _look_up(
        self, changes: Sequence[Change], done: _Receipts, lost: Callable[[Sequence[Change]], _Receipts], reason: str
    ) -> None:
        try:
            seen = lost(changes)
        except ProviderError:
            seen = {}
        for change in changes:
            done[change.line] = seen.get(change.line) or Receipt("ambiguous", change.id, reason=reason)

    def _results(
        self,
        object: str,
        action: str,
        changes: Sequence[Change],
        body: Mapping[str, Any],
        owner: Callable[[Mapping[str, Any], Sequence[Change]], Change | None],
    ) -> _Receipts:
        """Send a batch, and give every result and error back to the change it belongs to: they come in any order."""
        path = self._wire.address("objects", f"{object}/batch/{action}")
        answer, _ = self._wire.post(path, object, body, lines=[change.line for change in changes])
        results = answer.get("results")
        if not isinstance(results, list):
            raise TruncatedError("the answer to a batch has no results", provider="hubspot", object=object)
        receipts: _Receipts = {}
        for item in results:
            change = owner(item, changes)
            if change is not None:
                record = _record(object, item, change, self._reader.names(object)) if action == "create" else None
                receipts[change.line] = Receipt("written", str(item["id"]), item.get("updatedAt"), record)
        for error in answer.get("errors") or ():
            context = error.get("context") or {}
            named = {*map(str, context.get("objectWriteTraceId") or ()), *map(str, context.get("ids") or ())}
            missing = error.get("category") == "OBJECT_NOT_FOUND"
            for change in changes:
                if change.line not in receipts and named & {change.line, change.id}:
                    receipts[change.line] = Receipt(
                        "conflict" if missing else "rejected",
                        change.id,
                        reason="it is not there any more" if missing else said(error.get("message")),
                    )
        return receipts


def _has_no_key(reason: str) -> bool:
    return KEY in reason and "PROPERTY_DOESNT_EXIST" in reason


def _nothing(changes: Sequence[Change], error: ProviderError) -> _Receipts:
    return {}


def _none(changes: Sequence[Change]) -> _Receipts:
    return {}


def _no_place(object: str, change: Change) -> str:
    """What of a patch has no place at HubSpot."""
    names = {one.name for one in OBJECTS[object].associations}
    wrong = [place for place in change.patch if place not in ("properties", "associations")]
    wrong += [f"associations.{name}" for name in change.patch.get("associations") or () if name not in names]
    return ", ".join(wrong)


def _new(object: str, change: Change) -> dict[str, Any]:
    properties = _texts(
        {name: value for name, value in (change.patch.get("properties") or {}).items() if value not in (None, "")}
    )
    if change.key:
        properties[KEY] = change.key
    given: dict[str, Any] = {"properties": properties, "objectWriteTraceId": change.line}
    told = change.patch.get("associations") or {}
    links = [{"to": {"id": told[to.name]}, "types": _types(to)} for to in OBJECTS[object].associations if told.get(to.name)]
    return given | ({"associations": links} if links else {})


def _record(object: str, item: Mapping[str, Any], change: Change, names: Sequence[str]) -> Raw:
    """A record just made: what HubSpot does not tell of it is empty, and it points at what it was made with and at nothing else."""
    raw, told = shaped(item), change.patch.get("associations") or {}
    raw["properties"] = {**dict.fromkeys(names), **raw["properties"]}
    for to in OBJECTS[object].associations:
        associate(raw, to, [(told[to.name], True)] if told.get(to.name) else [])
    return raw


def _types(to: Association) -> list[dict[str, Any]]:
    return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": to.primary or to.type}]


def _texts(properties: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in properties.items()}


def _text(value: object) -> str:
    """Every value is text to HubSpot, and the empty one clears."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(raw: Raw, properties: Mapping[str, Any]) -> bool:
    return all(_text(raw["properties"].get(name)) == _text(value) for name, value in properties.items())


def _compared(
    object: str, change: Change, now: Mapping[str, Raw], links: Mapping[str, Mapping[str, list[tuple[str, bool]]]]
) -> Receipt | None:
    """The receipt of an update that must not or need not be sent."""
    raw = now.get(change.id or "")
    if raw is None:
        survivor = _survivor(change, now)
        return Receipt("conflict", change.id, reason=f"it was merged into {survivor}" if survivor else "it is not there any more")
    told = change.patch.get("associations") or {}
    held = [(to, links[to.name][raw["id"]]) for to in OBJECTS[object].associations if to.name in told]
    properties = change.patch.get("properties") or {}
    if _holds(raw, properties) and all(_points(change, to, found) for to, found in held):
        return Receipt("unchanged", change.id, raw["updatedAt"])
    if any(_moved(change, to, found) for to, found in held) or not _holds(raw, change.expect.get("properties") or {}):
        return Receipt("conflict", change.id, raw["updatedAt"], current=raw, reason="it changed since the plan was made")
    return None


def _pointed_at(found: Sequence[tuple[str, bool]]) -> str | None:
    """What a record may be said to point at: the primary one, the only one, or nothing in particular when there are several."""
    ids = list(dict.fromkeys(id for id, _ in found))
    primary = [id for id, is_primary in found if is_primary]
    return primary[0] if primary else ids[0] if len(ids) == 1 else None


def _replaced(change: Change, to: Association, found: Sequence[tuple[str, bool]]) -> str | None:
    """What an association takes the place of: what the plan saw. Without a plan a primary one takes nobody's, any other whose it clearly is."""
    expected = change.expect.get("associations") or {}
    if to.name in expected:
        return expected[to.name] or None
    return None if to.primary and change.patch["associations"][to.name] else _pointed_at(found)


def _points(change: Change, to: Association, found: Sequence[tuple[str, bool]]) -> bool:
    """True if an association is as it is to be: at its target, and no more at what that replaces."""
    target, old, ids = change.patch["associations"][to.name] or None, _replaced(change, to, found), {id for id, _ in found}
    at_target = target in ids if target and not to.primary else _pointed_at(found) == target
    return at_target and (old in (None, target) or old not in ids)


def _moved(change: Change, to: Association, found: Sequence[tuple[str, bool]]) -> bool:
    """True if somebody else pointed an association elsewhere since the plan saw it; one that was cut off half-way is none of that."""
    expected, target = change.expect.get("associations") or {}, change.patch["associations"][to.name] or None
    if to.name not in expected or (target and _pointed_at(found) == target):
        return False
    old = expected[to.name] or None
    if _has_primary(found) or old is None:
        return _pointed_at(found) != old
    return old not in {id for id, _ in found}


def _has_primary(found: Sequence[tuple[str, bool]]) -> bool:
    return any(is_primary for _, is_primary in found)


def _survivor(change: Change, now: Mapping[str, Raw]) -> str | None:
    return next((id for id, raw in now.items() if change.id in str(raw["properties"].get(MERGED) or "").split(";")), None)


def _by_id(item: Mapping[str, Any], changes: Sequence[Change]) -> Change | None:
    return next((change for change in changes if change.id == str(item.get("id"))), None)


def _by_trace(item: Mapping[str, Any], changes: Sequence[Change]) -> Change | None:
    trace, key = item.get("objectWriteTraceId"), (item.get("properties") or {}).get(KEY)
    for change in changes:
        if change.line == trace or (change.key and change.key == key):
            return change
    return None
