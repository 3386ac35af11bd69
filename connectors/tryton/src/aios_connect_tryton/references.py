"""What Tryton wants by its own id and people call by a code or a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .rpc import Rpc

__all__ = ["CATEGORY", "RELATION", "References"]

CATEGORY: Final = "party.category"
RELATION: Final = "party.relation.type"
_CODES: Final = {
    "currency.currency": ("code", "currency"),
    "country.country": ("code", "country"),
    "country.subdivision": ("code", "subdivision of a country"),
    "ir.lang": ("code", "language"),
    CATEGORY: ("name", "party category"),
    RELATION: ("name", "type of relation"),
}


class References:
    """Ids by code, asked for once and remembered while the connector is open.

    Args:
        rpc: The way to Tryton.
    """

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._ids: dict[str, dict[str, int]] = {}
        self._contacts: dict[int, int | None] = {}

    def id(self, model: str, code: str | None) -> int | None:
        """The id behind a code; ``None`` for no code.

        Raises:
            ValueError: Tryton has no such record.
        """
        if code is None:
            return None
        if code not in self._ids.get(model, {}):
            self._ids[model] = self._load(model)
        if code not in self._ids[model]:
            raise ValueError(f"Tryton has no {_CODES[model][1]} {code!r}; somebody has to add it there")
        return self._ids[model][code]

    def load_contacts(self, people: Iterable[int]) -> None:
        """Find the first contact mechanism of each of these parties, with one call for all."""
        wanted = sorted(set(people) - self._contacts.keys())
        if not wanted:
            return
        first: dict[int, int | None] = dict.fromkeys(wanted)
        order = [["sequence", "ASC NULLS FIRST"], ["id", "ASC"]]
        for row in self._rpc.call(
            "model.party.contact_mechanism.search_read", [["party", "in", wanted]], 0, None, order, ["party"], object="people"
        ):
            if first[row["party"]] is None:
                first[row["party"]] = row["id"]
        self._contacts |= first

    def contact_of(self, person: int) -> int | None:
        """The first contact mechanism of a party, as :meth:`load_contacts` found it."""
        return self._contacts.get(person)

    def forget_contacts(self) -> None:
        """People get new mechanisms all the time: what was found counts for one write."""
        self._contacts.clear()

    def forget(self, model: str) -> None:
        """Ask again next time."""
        self._ids.pop(model, None)

    def _load(self, model: str) -> dict[str, int]:
        name, _ = _CODES[model]
        rows = self._rpc.call(f"model.{model}.search_read", [], 0, None, [["id", "DESC"]], [name])
        return {row[name]: row["id"] for row in rows if row[name]}
