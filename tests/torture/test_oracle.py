"""The judge of the random days is judged: it lets nothing pass for a reason that came later."""

from __future__ import annotations

import pytest

from aios_connect.sandbox import Shelf, SimClock

from .oracle import Oracle, ViolationError
from .plain_vendor import PlainVendor


class Sides:
    """Two servers with two people each, and a deal that both say is ann's."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.vendors = {"left": PlainVendor(self.clock), "right": PlainVendor(self.clock)}
        self.oracle = Oracle(self.vendors, "")
        self.people = {
            side: {
                name: self.shelf(side, "people").create({"email": f"{name}@mail.example"}, by="ann").id for name in ("ann", "bob")
            }
            for side in self.vendors
        }
        self.deals: dict[str, str] = {}

    def shelf(self, side: str, object: str) -> Shelf:
        self.clock.sleep(1)
        return self.vendors[side].shelves[object]

    def make(self, side: str, person: str, by: str) -> None:
        values = {"name": "Roof", "person": self.people[side][person]}
        self.deals[side] = self.shelf(side, "deals").create(values, by=by).id

    def point(self, side: str, person: str, by: str) -> None:
        self.shelf(side, "deals").change(self.deals[side], {"person": self.people[side][person]}, by=by)

    def merge(self, side: str, lost: str, kept: str) -> None:
        self.clock.sleep(1)
        self.vendors[side].drop("people", self.people[side][lost], survivor=self.people[side][kept], by="ann")


def test_what_somebody_wrote_before_it_was_merged_away_may_be_brought_over() -> None:
    sides = Sides()
    sides.make("right", "ann", "ann")
    sides.point("right", "bob", "ann")
    sides.make("left", "ann", "api")  # as the plan saw it
    sides.point("left", "bob", "api")
    sides.merge("left", "bob", "ann")
    sides.oracle.nothing_a_person_wrote_is_overwritten()


def test_a_merge_does_not_excuse_what_was_written_before_it() -> None:
    sides = Sides()
    sides.make("right", "ann", "ann")
    sides.make("left", "ann", "api")
    sides.point("left", "bob", "api")  # nobody said so
    sides.merge("right", "ann", "bob")
    with pytest.raises(ViolationError, match="nobody in right wrote that"):
        sides.oracle.nothing_a_person_wrote_is_overwritten()


def test_what_points_at_a_merged_record_follows() -> None:
    sides = Sides()
    sides.make("right", "ann", "ann")
    sides.make("left", "ann", "api")
    sides.merge("right", "ann", "bob")
    sides.point("left", "bob", "api")
    sides.oracle.nothing_a_person_wrote_is_overwritten()
