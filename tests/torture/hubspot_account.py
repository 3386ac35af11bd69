"""A fake HubSpot account that people and the oracle see as they see a plain server: the same objects, fields and words.

What a record points at has a history too, and counts as a change of it: HubSpot's own properties count what a record is associated
with (``num_associated_contacts``, ``associatedcompanyid``), and a property that changes moves the instant of the last change.
That a change of an association alone always does so is an assumption; of notes and calls it is known that it does not
(airbytehq/airbyte#27199).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aios_connect_hubspot.sandbox import Hazards, HubSpotVendor, Record
from aios_connect_hubspot.sandbox._associations import Associations

from aios_connect.sandbox import Call, Edit, Item, SimClock, route

from .plain_vendor import FIELDS, Merges

__all__ = ["OBJECTS", "HubSpotAccount", "View"]

OBJECTS: Mapping[str, str] = {"companies": "companies", "people": "contacts", "deals": "deals"}
"""Object of a plain server -> HubSpot's."""

_PLAIN = {theirs: ours for ours, theirs in OBJECTS.items()}
_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "companies": {"name": "name", "domain": "domain", "phone": "phone"},
    "people": {"first": "firstname", "last": "lastname", "email": "email", "mobile": "mobilephone", "title": "jobtitle"},
    "deals": {"name": "dealname", "value": "amount", "stage": "dealstage"},
}
_LINKS: Mapping[str, Mapping[str, str]] = {
    "companies": {},
    "people": {"company": "companies"},
    "deals": {"company": "companies", "person": "contacts"},
}
_STAGES: Mapping[str, str] = {
    "new": "appointmentscheduled",
    "talking": "qualifiedtobuy",
    "offered": "presentationscheduled",
    "won": "closedwon",
    "lost": "closedlost",
}
_PHONES = ("phone", "mobile")


class HubSpotAccount(HubSpotVendor):
    """A fake HubSpot account with the face of a plain server.

    Args:
        clock: Its time.
        hazards: What is hard about it.
        seed: The same seed gives the same lags and orders.
        page_size: Records per page at most, so that a few make several pages.

    Attributes:
        shelves: Object of a plain server -> its records, as people there see them.
        acting: Who changes associations at the moment: ``"api"``, or a person.
        merges: What was merged, in order.
    """

    def __init__(
        self, clock: SimClock | None = None, *, hazards: Hazards = Hazards(), seed: int = 0, page_size: int = 200
    ) -> None:
        super().__init__(clock, hazards=hazards, seed=seed)
        self._page_size = page_size
        self.acting = "api"
        self._merging = False
        self.merges: Merges = []
        self.associations = _Watched(self)
        self.shelves = {object: View(self, object) for object in FIELDS}

    @route("GET", "/crm/v3/objects/{object}")
    def list(self, call: Call, object: str) -> Any:
        limit = min(self._page_size, int(call.query.get("limit") or 10))
        return super().list(replace(call, query={**call.query, "limit": str(limit)}), object)

    @route("POST", "/crm/v3/objects/{object}/search")
    def search(self, call: Call, object: str) -> Any:
        asked = call.json()
        asked["limit"] = min(self._page_size, int(asked.get("limit", 10)))
        return super().search(replace(call, body=json.dumps(asked).encode()), object)

    @contextmanager
    def by(self, who: str) -> Iterator[None]:
        """Somebody works at the screen."""
        before, self.acting = self.acting, who
        try:
            yield
        finally:
            self.acting = before

    def drop(self, object: str, id: str, *, survivor: str | None = None, by: str = "ann") -> None:
        """Archive a record, or merge it into another; what pointed at it points at the survivor then, or at nothing."""
        theirs = OBJECTS[object]
        with self.by(by):
            if survivor is None:
                self.records[theirs].archive(id, by=by)
            else:
                self.merges.append((object, id, survivor))
                self.merged(theirs, int(survivor), int(id), by=by)

    def merged(self, object: str, primary: int, other: int, *, by: str = "a person") -> Record:
        lost = self.records[object].get(other)
        address = lost.values.get("email", "") if lost is not None else ""
        self._merging = True  # what pointed at one of the two points at nothing for a moment, which nobody sees
        try:
            record = super().merged(object, primary, other, by=by)
        finally:
            self._merging = False
        if address:  # HubSpot keeps it as a second address; here somebody takes that off, so that a contact may have it again
            self.records[object]._owner.pop(("email", address.casefold()), None)
        self.look_around(object)
        return record

    def look_around(self, object: str) -> None:
        """Records of an object came or went: what pointed at them may point at something else now."""
        for name, links in _LINKS.items():
            for record in list(self.records[OBJECTS[name]]) if object in links.values() else ():
                self.moved(OBJECTS[name], record.id, object)
        for to in set(_LINKS[_PLAIN[object]].values()):
            for record in list(self.records[object]):
                self.moved(object, record.id, to)

    def emptied(self, object: str, id: int, to: str) -> None:
        """A record points at nothing of what it pointed at."""
        if object in _PLAIN:
            self.shelves[_PLAIN[object]].hear_of_link(id, to, None)

    def moved(self, object: str, id: int, to: str) -> None:
        """A record may point at something else now."""
        if object in _PLAIN and not self._merging:
            self.shelves[_PLAIN[object]].look_again(id, to)


class View:
    """The records of one object, in the words of a plain server.

    Attributes:
        history: Every change of a value or an association, in order.
    """

    def __init__(self, account: HubSpotAccount, object: str) -> None:
        self.history: list[Edit] = []
        self._account = account
        self._object = object
        self._records = account.records[OBJECTS[object]]
        self._records.history = _Heard(self)
        self._links: dict[tuple[int, str], str | None] = {}

    def __iter__(self) -> Iterator[Item]:
        return (self._item(record) for record in self._records)

    def __len__(self) -> int:
        return len(self._records)

    def get(self, id: str) -> Item | None:
        """One living record."""
        record = self._records.get(id)
        return None if record is None or str(record.id) != id else self._item(record)

    def create(self, values: Mapping[str, Any], *, by: str = "ann") -> Item:
        """Make a record as a person does."""
        with self._account.by(by):
            record = self._records.create(self._texts(values), by=by)
            self._point(record.id, {name: values.get(name) for name in _LINKS[self._object]})
        return self._item(record)

    def change(self, id: str, values: Mapping[str, Any], *, by: str = "ann") -> Item:
        """Change a record as a person does."""
        with self._account.by(by):
            record = self._records.change(id, self._texts(values), by=by)
            self._point(record.id, {name: values[name] for name in _LINKS[self._object] if name in values})
        return self._item(record)

    def hear(self, edit: Edit) -> None:
        """Something was written to a record."""
        if edit.values is None:
            self.history.append(edit)
            with self._account.by("the server"):
                self._account.look_around(OBJECTS[self._object])
            return
        values = {
            name: _plain(name, edit.values[property])
            for name, property in _PROPERTIES[self._object].items()
            if property in edit.values
        }
        if values:
            self.history.append(Edit(edit.at, edit.by, edit.id, values, edit.line))

    def look_again(self, id: int, to: str) -> None:
        """An association of a record came or went: what the record points at is history as soon as it is clear."""
        record = self._records.get(id)
        if record is None or record.id != id:
            return
        for name, other in _LINKS[self._object].items():
            known = self._pointed_at(id, other)
            if other == to and not isinstance(known, frozenset) and known != self._links.get((id, name), ...):
                self.hear_of_link(id, to, known)

    def hear_of_link(self, id: int, to: str, known: str | None) -> None:
        """A record points at something else now."""
        for name in (name for name, other in _LINKS[self._object].items() if other == to):
            self._links[id, name] = known
            edit = Edit(self._account.clock.now(), self._account.acting, str(id), {name: known})
            self.history[:] = [past for past in self.history if not _within_one_call(past, edit)]
            self.history.append(edit)
            self._records.change(id, {}, by=self._account.acting)

    def _item(self, record: Record) -> Item:
        values: dict[str, Any] = {
            name: _plain(name, record.values.get(property, "")) for name, property in _PROPERTIES[self._object].items()
        }
        for name, to in _LINKS[self._object].items():
            values[name] = self._pointed_at(record.id, to)
        return Item(str(record.id), 1, record.created, record.modified, values)

    def _pointed_at(self, id: int, to: str) -> Any:
        """The id, ``None`` for nothing, several if nobody knows which is meant."""
        held = self._account.associations.of(OBJECTS[self._object], id, to)
        chosen = [other for other, primary in held.items() if primary] or list(held)
        return str(chosen[0]) if len(chosen) == 1 else frozenset(map(str, chosen)) if chosen else None

    def _point(self, id: int, links: Mapping[str, str | None]) -> None:
        ours = OBJECTS[self._object]
        for name, target in links.items():
            to = _LINKS[self._object][name]
            for other in list(self._account.associations.of(ours, id, to)):
                if str(other) != target:
                    self._account.associations.remove(ours, id, to, other)
            if target is not None:
                self._account.associations.add(ours, id, to, int(target), primary=to == "companies")
            else:
                self.look_again(id, to)

    def _texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        known = _PROPERTIES[self._object]
        return {
            known[name]: _STAGES[value] if name == "stage" else value or "" for name, value in values.items() if name in known
        }


def _within_one_call(past: Edit, edit: Edit) -> bool:
    """The same hand changed the same association a moment ago: of a list of associations that come or go with one call nobody sees half."""
    same = (past.at, past.by, past.id) == (edit.at, edit.by, edit.id)
    return same and past.values is not None and edit.values is not None and past.values.keys() == edit.values.keys()


class _Heard(list[Edit]):
    """The history of an object's records, listened to."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def append(self, edit: Edit) -> None:
        super().append(edit)
        self._view.hear(edit)


class _Watched(Associations):
    """Associations that tell when one came or went."""

    def __init__(self, account: HubSpotAccount) -> None:
        super().__init__(account._lives)
        self._account = account
        self._made: set[tuple[str, int, str, int]] = set()  # those that the API made last

    def add(self, object: str, id: int, to: str, other: int, *, primary: bool = False) -> None:
        mark = self._made.add if self._account.acting == "api" else self._made.discard
        mark((object, id, to, other))
        super().add(object, id, to, other, primary=primary)
        self._tell(object, id, to, other)

    def remove(self, object: str, id: int, to: str, other: int) -> None:
        held = other in self.of(object, id, to)
        super().remove(object, id, to, other)
        left = self.of(object, id, to)
        forward = [one for one, primary in left.items() if primary] or list(left)
        unasked = len(forward) == 1 and (object, id, to, forward[0]) not in self._made
        if held and unasked and self._account.acting == "api":  # it took away what it was to, and what stood beside comes forward
            self._account.emptied(object, id, to)
            with self._account.by("the server"):
                self._tell(object, id, to, other)
        elif held:
            self._tell(object, id, to, other)

    def _tell(self, object: str, id: int, to: str, other: int) -> None:
        self._account.moved(object, id, to)
        self._account.moved(to, other, object)


def _plain(name: str, text: str) -> str | None:
    """A property's text in the words of a plain server."""
    if name in _PHONES and text:
        return f"+{''.join(filter(str.isdigit, text))}"
    if name == "stage":
        return next((word for word, id in _STAGES.items() if id == text), None)
    return text or None
