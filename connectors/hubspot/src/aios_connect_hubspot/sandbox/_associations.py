"""Which record points at which, from both ends, with the numbers of the types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["TYPES", "Associations"]

TYPES: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "contacts"): (3, 0),
    ("contacts", "deals"): (4, 0),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("contacts", "tickets"): (15, 0),
    ("tickets", "contacts"): (16, 0),
    ("companies", "tickets"): (340, 25),
    ("tickets", "companies"): (339, 26),
    ("companies", "calls"): (181, 0),
    ("calls", "companies"): (182, 0),
    ("companies", "emails"): (185, 0),
    ("emails", "companies"): (186, 0),
    ("companies", "meetings"): (187, 0),
    ("meetings", "companies"): (188, 0),
    ("companies", "notes"): (189, 0),
    ("notes", "companies"): (190, 0),
    ("companies", "tasks"): (191, 0),
    ("tasks", "companies"): (192, 0),
    ("contacts", "calls"): (193, 0),
    ("calls", "contacts"): (194, 0),
    ("contacts", "emails"): (197, 0),
    ("emails", "contacts"): (198, 0),
    ("contacts", "meetings"): (199, 0),
    ("meetings", "contacts"): (200, 0),
    ("contacts", "notes"): (201, 0),
    ("notes", "contacts"): (202, 0),
    ("contacts", "tasks"): (203, 0),
    ("tasks", "contacts"): (204, 0),
    ("deals", "calls"): (205, 0),
    ("calls", "deals"): (206, 0),
    ("deals", "emails"): (209, 0),
    ("emails", "deals"): (210, 0),
    ("deals", "meetings"): (211, 0),
    ("meetings", "deals"): (212, 0),
    ("deals", "notes"): (213, 0),
    ("notes", "deals"): (214, 0),
    ("deals", "tasks"): (215, 0),
    ("tasks", "deals"): (216, 0),
}
"""From, to -> number of the type, and of the type that marks the primary one (0: there is none).

https://developers.hubspot.com/docs/guides/api/crm/associations/associations-v4#association-type-id-values
"""


class Associations:
    """All associations of an account.

    Args:
        lives: Whether a record is there: one in the bin is not shown, and is again once it is restored.

    Attributes:
        tell: Hears of each that is made or undone: object, id, other object, its id, and whether it is undone.
    """

    def __init__(self, lives: Callable[[str, int], bool] = lambda object, id: True) -> None:
        self.tell: Callable[[str, int, str, int, bool], None] = lambda object, id, to, other, removed: None
        self._held: dict[tuple[str, str], dict[int, dict[int, bool]]] = {}
        self._lives = lives

    def of(self, object: str, id: int, to: str) -> dict[int, bool]:
        """What a record points at, and whether that is marked as the primary one."""
        held = self._held.get((object, to), {}).get(id, {})
        return {other: primary for other, primary in held.items() if self._lives(to, other)}

    def add(self, object: str, id: int, to: str, other: int, *, primary: bool = False) -> None:
        """Associate two records. The first one is primary by itself, where there is such a mark; a new primary one takes it over."""
        marked = bool(TYPES[object, to][1])
        for left, one, right, two in ((object, id, to, other), (to, other, object, id)):
            there = self._held.setdefault((left, right), {}).setdefault(one, {})
            first = marked and not self.of(left, one, right)
            if primary and (left, one) == (object, id):
                there.update(dict.fromkeys(there, False))
            there[two] = there.get(two, False) or first or (primary and (left, one) == (object, id))
        self.tell(object, id, to, other, False)

    def remove(self, object: str, id: int, to: str, other: int) -> None:
        """Undo an association, if it is there."""
        for left, one, right, two in ((object, id, to, other), (to, other, object, id)):
            self._held.get((left, right), {}).get(one, {}).pop(two, None)
        self.tell(object, id, to, other, True)

    def move(self, object: str, id: int, heir: int) -> None:
        """Give all that a merged record points at, and all that points at it, to its survivor; who is primary stays so."""
        for (left, right), table in list(self._held.items()):
            if left == object:
                for other, primary in list(table.get(id, {}).items()):
                    pointing = self.of(right, other, left).get(id, False)
                    self.remove(left, id, right, other)
                    self.add(left, heir, right, other, primary=primary and not any(self.of(left, heir, right).values()))
                    there = self._held[right, left][other]
                    there[heir] = there[heir] or (pointing and not any(there.values()))

    def inline(self, object: str, id: int, to: str) -> list[dict[str, str]]:
        """As a list or a single read of v3 shows them: one entry per type."""
        one = {"companies": "company"}.get
        name = f"{one(object, object[:-1])}_to_{one(to, to[:-1])}"
        marked = bool(TYPES[object, to][1])
        entries = []
        for other, primary in sorted(self.of(object, id, to).items()):
            if primary:
                entries.append({"id": str(other), "type": name})
            entries.append({"id": str(other), "type": f"{name}_unlabeled" if marked else name})
        return entries

    def typed(self, object: str, id: int, to: str) -> list[dict[str, Any]]:
        """As v4 shows them: one entry per record, with its types."""
        plain, marked = TYPES[object, to]
        return [
            {
                "toObjectId": str(other),
                "associationTypes": [
                    *([{"category": "HUBSPOT_DEFINED", "typeId": marked, "label": "Primary"}] if primary else []),
                    {"category": "HUBSPOT_DEFINED", "typeId": plain},
                ],
            }
            for other, primary in sorted(self.of(object, id, to).items())
        ]
