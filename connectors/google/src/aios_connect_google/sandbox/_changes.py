"""A collection that tells what changed: every change has a place in one order, and a sync token is such a place.

So equal instants mean nothing, and what changes while somebody pages is told the next time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aios_connect.sandbox import Edit, SimClock

__all__ = ["Changes", "ForgottenError", "Kept", "Slice"]


class ForgottenError(Exception):
    """A token is not good (any more).

    Attributes:
        expired: It was good once.
    """

    def __init__(self, expired: bool) -> None:
        super().__init__("expired" if expired else "unknown")
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Kept:
    """One record as it was from one change on.

    Attributes:
        id: Its id.
        values: What it holds.
        born: Its place in the order of making.
        place: The place of its last change.
        created: When it was made.
        updated: When it was last changed.
        gone: It was deleted; what it held is kept.
    """

    id: str
    values: Mapping[str, Any]
    born: int
    place: int
    created: datetime
    updated: datetime
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a listing.

    Attributes:
        items: Records, those that are gone among them where changes were asked for.
        page: Token of the next page, if there is one.
        sync: Token for the next time, on the last page.
    """

    items: list[Kept]
    page: str
    sync: str


class Changes:
    """The records of one collection.

    Args:
        clock: The vendor's time.
        life: Seconds for which a sync token is good.
        lag: Seconds until a change shows to who asks for changes; :meth:`get` and whole listings show it at once.

    Attributes:
        history: What was done, by whom: for who checks.
        tell: Called after every change, with the id.
    """

    def __init__(self, clock: SimClock, *, life: float, lag: Callable[[], float] = lambda: 0.0) -> None:
        self.history: list[Edit] = []
        self.tell: Callable[[str], None] = lambda id: None
        self._clock = clock
        self._life = timedelta(seconds=life)
        self._lag = lag
        self._place = 0
        self._kept: dict[str, Kept] = {}
        self._shown: list[tuple[datetime, int]] = []  # when a change shows, and its place

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Kept]:
        """The living records."""
        return (one for one in self._kept.values() if not one.gone)

    def get(self, id: str) -> Kept | None:
        """A record, living or not."""
        return self._kept.get(id)

    def put(self, id: str, values: Mapping[str, Any], *, by: str = "api", line: str = "") -> Kept:
        """Make a record, or replace what one holds; one that was gone is back."""
        old, now = self._kept.get(id), self._clock.now()
        made = Kept(id, deepcopy(dict(values)), 0, 0, now, now) if old is None else replace(old, values=deepcopy(dict(values)))
        return self._keep(replace(made, gone=False), by, line, values)

    def change(self, id: str, values: Mapping[str, Any], *, by: str = "api", line: str = "") -> Kept:
        """Change some values of a record; ``None`` clears one."""
        merged = {**self._kept[id].values, **values}
        return self.put(id, {name: value for name, value in merged.items() if value is not None}, by=by, line=line)

    def remove(self, id: str, *, by: str = "api", line: str = "") -> Kept:
        """Delete a record; it is known as gone."""
        return self._keep(replace(self._kept[id], gone=True), by, line, None)

    def rename(self, id: str, new: str) -> Kept:
        """A record has another id from now on; that is a change, and nothing tells that the old id is gone."""
        return self._keep(replace(self._kept.pop(id), id=new), "a person", "", {})

    def listed(self, size: int, page: str, *, gone: bool = False, keep: Callable[[Kept], bool] = lambda one: True) -> Slice:
        """A page of everything, in the order of making.

        Args:
            size: Records on it; with 0 it is empty, and the next one begins where this one did.
            page: Token of the page; empty for the first.
            gone: With those that are gone.
            keep: Which records are listed; those left out still take their place, so that pages may be short or empty.

        Raises:
            ForgottenError: The token is none.
        """
        told = _read(page) if page else {"from": self._seen(), "after": 0, "at": self._clock.now().timestamp()}
        if "from" not in told or "after" not in told:
            raise ForgottenError(False)
        rest = sorted((one for one in self._kept.values() if one.born > told["after"]), key=lambda one: one.born)
        part = rest[:size]
        items = [one for one in part if (gone or not one.gone) and keep(one)]
        if not part and rest:
            return Slice([], _blank(told), "")
        if len(rest) > size:
            return Slice(items, _write({**told, "after": part[-1].born}), "")
        return Slice(items, "", _write({"since": told["from"], "at": told["at"]}))

    def since(self, size: int, sync: str, page: str) -> Slice:
        """A page of what changed, in the order of the changes; each record as it is now.

        Raises:
            ForgottenError: A token is none, or too old.
        """
        start = _read(sync)
        if "since" not in start:
            raise ForgottenError(False)
        if self._clock.now().timestamp() - start["at"] > self._life.total_seconds():
            raise ForgottenError(True)
        now = self._clock.now().timestamp()
        told = _read(page) if page else {"to": self._seen(), "past": start["since"], "now": now}
        if "to" not in told or "past" not in told:
            raise ForgottenError(False)
        rest = sorted((one for one in self._kept.values() if told["past"] < one.place <= told["to"]), key=lambda one: one.place)
        part = rest[:size]
        if not part and rest:
            return Slice([], _blank(told), "")
        if len(rest) > size:
            return Slice(part, _write({**told, "past": part[-1].place}), "")
        return Slice(part, "", _write({"since": told["to"], "at": told["now"]}))

    @staticmethod
    def spot(page: str) -> str:
        """Where a page begins, the same in every listing; empty for the first.

        Raises:
            ForgottenError: The token is none.
        """
        told = _read(page) if page else {}
        return "/".join(str(told[name]) for name in ("after", "past", "blank") if name in told)

    def _seen(self) -> int:
        """The place up to which every change shows."""
        now = self._clock.now()
        hidden = min((place for at, place in self._shown if at > now), default=self._place + 1)
        self._shown = [(at, place) for at, place in self._shown if at > now]
        return hidden - 1

    def _keep(self, one: Kept, by: str, line: str, values: Mapping[str, Any] | None) -> Kept:
        self._place += 1
        now = self._clock.now()
        kept = replace(one, born=one.born or self._place, place=self._place, updated=now)
        self._kept[one.id] = kept
        if lag := self._lag():
            self._shown.append((now + timedelta(seconds=lag), self._place))
        self.history.append(Edit(now, by, one.id, None if values is None else deepcopy(dict(values)), line))
        self.tell(one.id)
        return kept


def _blank(told: Mapping[str, Any]) -> str:
    """The same place, spelled anew."""
    return _write({**told, "blank": told.get("blank", 0) + 1})


def _write(told: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _read(token: str) -> dict[str, Any]:
    try:
        told = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        raise ForgottenError(False) from None
    if not isinstance(told, dict):
        raise ForgottenError(False)
    return told
