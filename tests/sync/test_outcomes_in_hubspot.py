"""What becomes of records that are merged, archived, restored or deleted on one side: the declared outcome, or a question to a
person with what both sides say. Nothing is ever deleted in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aios_connect_hubspot.sandbox import Hazards

from aios_connect.sandbox import SimClock, transport
from aios_connect.store import Store
from aios_connect.sync import ApplyReport, ExceptionItem, apply_plan, make_plan, open_exceptions, read_job, settle
from tests.torture.hubspot_account import HubSpotAccount
from tests.torture.plain_office import open_plain, plain_job
from tests.torture.plain_vendor import PlainVendor
from tests.torture.two_crms import open_hubspot


class Pair:
    """A HubSpot account and another system that are kept in step."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.clock = SimClock()
        self.folder = folder
        self.left = HubSpotAccount(self.clock, hazards=Hazards(latency=0.01))
        self.right = PlainVendor(self.clock)
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}")
        self.connections = {
            "left": open_hubspot("left", now=self.now, sleep=self.clock.sleep, transport=transport(self.left)),
            "right": open_plain("right", now=self.now, sleep=self.clock.sleep, transport=transport(self.right)),
        }
        self.connections["left"].connector.provision()
        self.job = plain_job(**{"authority": {"default": "ask"}, "deletes": "ask", **rules})

    def now(self) -> datetime:
        self.clock.sleep(0.001)
        return self.clock.now()

    def run(self) -> ApplyReport:
        self.clock.sleep(600)
        at = self.now()
        plan = self.folder / f"plan{at:%H%M%S%f}.jsonl"
        read_job(self.job, self.connections, self.store, run=f"run_{at:%H%M%S%f}", now=self.now)
        make_plan(self.job, self.connections, self.store, plan, now=self.now)
        return apply_plan(plan, self.job, self.connections, self.store, now=self.now)

    def asked(self) -> list[ExceptionItem]:
        """What waits for a person."""
        return open_exceptions(self.store)

    def decide(self, take: str) -> None:
        """A person decides the only question."""
        (question,) = self.asked()
        settle(self.store, question.id, by="ann", now=self.now(), take=take)
        assert self.run().clean

    def deals(self) -> dict[str, dict[str, str | None]]:
        """Side -> name -> value, of all deals there are."""
        found: dict[str, dict[str, str | None]] = {}
        for side, vendor in (("left", self.left), ("right", self.right)):
            found[side] = {item.values["name"]: item.values.get("value") for item in vendor.shelves["deals"]}
            assert len(found[side]) == len(vendor.shelves["deals"]), "none is there twice"
        return found

    def left_id(self, name: str) -> str:
        """HubSpot's id of a deal."""
        return next(item.id for item in self.left.shelves["deals"] if item.values["name"] == name)

    def right_id(self, name: str) -> str:
        """The other one's id of a deal."""
        return next(item.id for item in self.right.shelves["deals"] if item.values["name"] == name)


ROOF, STAIRS = {"name": "Roof", "value": "100", "stage": "new"}, {"name": "Stairs", "value": "200", "stage": "won"}
BOTH = {"Roof": "100", "Stairs": "200"}


def pair_in_step(folder: Path, **rules: Any) -> Pair:
    """Two deals on both sides: *Roof* was made in HubSpot, *Stairs* in the other system."""
    pair = Pair(folder, **rules)
    pair.left.shelves["deals"].create(ROOF)
    pair.right.shelves["deals"].create(STAIRS, by="ann")
    assert pair.run().clean
    assert pair.deals() == {"left": BOTH, "right": BOTH}
    return pair


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Pair]:
    pair = pair_in_step(tmp_path)
    yield pair
    pair.store.close()


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Pair]:
    pair = pair_in_step(tmp_path, deletes="follow")
    yield pair
    pair.store.close()


@pytest.mark.parametrize(("kept", "lost"), [("Roof", "Stairs"), ("Stairs", "Roof")])
def test_a_merge_in_hubspot_goes_on_as_the_record_that_was_kept_and_asks_about_the_other(
    following: Pair, kept: str, lost: str
) -> None:
    following.left.drop("deals", following.left_id(lost), survivor=following.left_id(kept))
    assert following.run().clean
    assert following.deals() == {"left": {kept: BOTH[kept]}, "right": BOTH}
    (question,) = following.asked()
    assert question.code == "deleted_elsewhere"
    assert f"{lost}: merged in left into " in question.summary
    following.left.shelves["deals"].change(following.left_id(kept), {"value": "150"})
    following.run()
    assert following.deals()["right"] == {**BOTH, kept: "150"}, "the merged record is still that one"
    following.decide("delete")
    assert following.deals() == {"left": {kept: "150"}, "right": {kept: "150"}}


def test_a_record_that_was_merged_away_may_stay_on_the_other_side(following: Pair) -> None:
    following.left.drop("deals", following.left_id("Stairs"), survivor=following.left_id("Roof"))
    following.run()
    following.decide("keep")
    assert following.deals() == {"left": {"Roof": "100"}, "right": BOTH}
    assert following.run().written == 0


def test_what_the_kept_record_lacked_comes_from_the_merged_one_and_is_carried_over(asking: Pair) -> None:
    asking.left.shelves["deals"].change(asking.left_id("Roof"), {"value": None})
    assert asking.run().clean
    assert asking.deals()["right"]["Roof"] is None
    asking.left.drop("deals", asking.left_id("Stairs"), survivor=asking.left_id("Roof"))
    asking.run()
    assert asking.deals() == {"left": {"Roof": "200"}, "right": {"Roof": "200", "Stairs": "200"}}


def test_a_merge_of_two_records_that_say_the_same_is_a_question(asking: Pair) -> None:
    for number in range(2):
        asking.left.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "new"})
        asking.clock.sleep(number)
    asking.run()
    first, second = (item.id for item in asking.left.shelves["deals"] if item.values["name"] == "Windows")
    asking.left.drop("deals", second, survivor=first)
    asking.run()
    assert {question.code for question in asking.asked()} >= {"duplicate_review"}
    assert sum(item.values["name"] == "Windows" for item in asking.right.shelves["deals"]) == 2, "nobody made or deleted one"


@pytest.mark.parametrize("rule", ["ask", "follow", "ignore"])
def test_a_record_archived_in_hubspot_comes_to_the_declared_outcome(tmp_path: Path, rule: str) -> None:
    pair = pair_in_step(tmp_path, deletes=rule)
    pair.left.drop("deals", pair.left_id("Roof"))
    assert pair.run().clean
    assert pair.deals()["right"] == ({"Stairs": "200"} if rule == "follow" else BOTH)
    assert [question.code for question in pair.asked()] == (["deleted_elsewhere"] if rule == "ask" else [])
    pair.store.close()


def test_a_record_archived_in_hubspot_and_edited_elsewhere_is_not_deleted_whatever_is_declared(following: Pair) -> None:
    following.left.drop("deals", following.left_id("Roof"))
    following.right.shelves["deals"].change(following.right_id("Roof"), {"value": "120"}, by="ann")
    assert following.run().clean
    assert following.deals()["right"] == {"Roof": "120", "Stairs": "200"}
    (question,) = following.asked()
    assert question.summary == "Roof: archived in left, still in right (edited in right since)"
    following.decide("recreate")
    assert following.deals() == {"left": {"Roof": "120", "Stairs": "200"}, "right": {"Roof": "120", "Stairs": "200"}}


def test_a_record_deleted_elsewhere_and_edited_in_hubspot_is_not_archived(following: Pair) -> None:
    following.right.drop("deals", following.right_id("Roof"), by="ann")
    following.left.shelves["deals"].change(following.left_id("Roof"), {"value": "120"})
    assert following.run().clean
    assert following.deals()["left"] == {"Roof": "120", "Stairs": "200"}
    (question,) = following.asked()
    assert question.summary == "Roof: deleted in right, still in left (edited in left since)"
    following.decide("recreate")
    assert following.deals() == {"left": {"Roof": "120", "Stairs": "200"}, "right": {"Roof": "120", "Stairs": "200"}}


def test_a_record_deleted_elsewhere_is_archived_in_hubspot_if_that_is_declared(following: Pair) -> None:
    following.right.drop("deals", following.right_id("Roof"), by="ann")
    assert following.run().clean
    assert following.deals() == {"left": {"Stairs": "200"}, "right": {"Stairs": "200"}}


def test_an_archive_that_somebody_forestalled_with_an_edit_is_refused(following: Pair) -> None:
    following.right.drop("deals", following.right_id("Roof"), by="ann")
    following.clock.sleep(600)
    plan = following.folder / "late.jsonl"
    read_job(following.job, following.connections, following.store, run="run_late", now=following.now)
    make_plan(following.job, following.connections, following.store, plan, now=following.now)
    following.left.shelves["deals"].change(following.left_id("Roof"), {"value": "120"})
    report = apply_plan(plan, following.job, following.connections, following.store, now=following.now)
    assert (report.written, report.conflict) == (0, 1)
    assert following.deals()["left"]["Roof"] == "120"
    following.run()
    assert [question.code for question in following.asked()] == ["deleted_elsewhere"]


def test_a_record_restored_before_anybody_decided_is_as_if_nothing_had_been(asking: Pair) -> None:
    id = asking.left_id("Roof")
    asking.left.drop("deals", id)
    asking.run()
    assert len(asking.asked()) == 1
    asking.left.records["deals"].restore(id)
    assert asking.run().clean
    assert asking.asked() == []
    assert asking.deals() == {"left": BOTH, "right": BOTH}


def test_a_record_restored_after_its_delete_was_carried_over_is_made_again(following: Pair) -> None:
    id = following.left_id("Roof")
    following.left.drop("deals", id)
    following.run()
    assert following.deals()["right"] == {"Stairs": "200"}
    following.left.records["deals"].restore(id)
    following.run()
    if following.asked():
        following.decide("recreate")
    assert following.deals() == {"left": BOTH, "right": BOTH}


def test_two_records_merged_and_the_result_archived_are_both_asked_about(asking: Pair) -> None:
    asking.left.drop("deals", asking.left_id("Stairs"), survivor=asking.left_id("Roof"))
    asking.left.drop("deals", asking.left_id("Roof"))
    asking.run()
    assert asking.deals() == {"left": {}, "right": BOTH}
    assert {question.code for question in asking.asked()} == {"deleted_elsewhere"}
    assert len(asking.asked()) == 2


def test_a_merge_in_the_other_system_is_a_question_and_hubspot_keeps_both(following: Pair) -> None:
    following.right.drop("deals", following.right_id("Stairs"), survivor=following.right_id("Roof"), by="ann")
    assert following.run().clean
    assert following.deals() == {"left": BOTH, "right": {"Roof": "100"}}
    (question,) = following.asked()
    assert "Stairs: merged in right into " in question.summary


def test_a_field_that_both_changed_is_a_question_with_both_values(asking: Pair) -> None:
    asking.left.shelves["deals"].change(asking.left_id("Roof"), {"value": "120"})
    asking.right.shelves["deals"].change(asking.right_id("Roof"), {"value": "130"}, by="ann")
    assert asking.run().clean
    assert asking.deals() == {"left": {**BOTH, "Roof": "120"}, "right": {**BOTH, "Roof": "130"}}
    (question,) = asking.asked()
    assert (question.code, question.leaf) == ("conflict", "amount")
    assert question.choices == {
        "left": {"amount": "120", "currency": "EUR"},
        "right": {"amount": "130", "currency": "EUR"},
    }
    asking.decide("right")
    assert asking.deals() == {"left": {**BOTH, "Roof": "130"}, "right": {**BOTH, "Roof": "130"}}


def test_a_deal_that_points_at_somebody_who_is_gone_everywhere_is_made_without(
    asking: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = asking.left.shelves["people"].create({"first": "Ada", "last": "King", "email": "ada@mail.example"})
    assert asking.run().clean
    (copy,) = asking.right.shelves["people"]
    asking.right.drop("people", copy.id, by="ann")
    asking.left.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "new", "person": person.id})
    assert [trouble.reason for trouble in asking.run().troubles] == ["the person it points at was not made"]
    monkeypatch.setattr(asking.left, "look_around", lambda object: None)  # the deal itself does not change
    (question,) = asking.asked()
    settle(asking.store, question.id, by="ann", now=asking.now(), take="delete")
    asking.run()
    assert asking.run().clean
    assert asking.deals()["right"] == {**BOTH, "Windows": "5"}


def test_a_deal_of_somebody_who_is_never_made_elsewhere_is_made_without_and_gets_its_person_later(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    kinds = {**pair.job.kinds, "person": pair.job.kinds["person"].model_copy(update={"create": ()})}
    pair.job = pair.job.model_copy(update={"kinds": kinds})
    ada = {"first": "Ada", "last": "King", "email": "ada@mail.example"}
    person = pair.left.shelves["people"].create(ada)
    pair.left.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "new", "person": person.id})
    assert pair.run().clean
    assert pair.deals()["right"] == {**BOTH, "Windows": "5"}
    for _ in range(2):
        assert [question.summary for question in pair.asked()] == [
            "Windows in right: its person Ada King is not there, and the job makes none there"
        ]
        assert pair.run().written == 0
    there = pair.right.shelves["people"].create(ada, by="ann")
    assert pair.run().clean
    assert pair.right.shelves["deals"].find("name", "Windows").values["person"] == there.id  # type: ignore[union-attr]
    assert pair.asked() == []
    pair.store.close()


@pytest.fixture
def ada(asking: Pair) -> tuple[Pair, dict[str, str]]:
    """The deal *Roof* is Ada's on both sides; Bob and Eve are there too, by HubSpot's ids."""
    people = {name: asking.left.shelves["people"].create({"first": name, "email": f"{name}@mail.example"}).id for name in PEOPLE}
    asking.left.shelves["deals"].change(asking.left_id("Roof"), {"person": people["Ada"]})
    assert asking.run().clean
    return asking, people


PEOPLE = ("Ada", "Bob", "Eve")


def _right_person(pair: Pair, name: str) -> str:
    return next(person.id for person in pair.right.shelves["people"] if person.values["first"] == name)


def _right_roof(pair: Pair) -> dict[str, Any]:
    roof = pair.right.shelves["deals"].get(pair.right_id("Roof"))
    assert roof is not None
    return dict(roof.values)


def _people_of_roof(pair: Pair) -> set[str]:
    return {str(id) for id in pair.left.associations.of("deals", int(pair.left_id("Roof")), "contacts")}


def test_who_stands_beside_the_person_of_a_deal_stays_there(ada: tuple[Pair, dict[str, str]]) -> None:
    pair, people = ada
    roof = int(pair.left_id("Roof"))
    pair.left.associations.add("deals", roof, "contacts", int(people["Bob"]), primary=False)
    pair.left.shelves["deals"].change(str(roof), {"value": "150"})
    assert pair.run().clean
    assert (_right_roof(pair)["value"], _right_roof(pair)["person"]) == ("150", _right_person(pair, "Ada"))
    assert pair.run().written == 0
    assert _people_of_roof(pair) == {people["Ada"], people["Bob"]}
    pair.right.shelves["deals"].change(pair.right_id("Roof"), {"person": _right_person(pair, "Eve")}, by="ann")
    assert pair.run().clean
    assert _people_of_roof(pair) >= {people["Bob"], people["Eve"]}
    assert pair.run().written == 0
    assert pair.asked() == []


def test_who_was_replaced_by_several_in_hubspot_is_not_put_back(ada: tuple[Pair, dict[str, str]]) -> None:
    pair, people = ada
    roof = int(pair.left_id("Roof"))
    for name in ("Bob", "Eve"):
        pair.left.associations.add("deals", roof, "contacts", int(people[name]), primary=False)
    pair.left.associations.remove("deals", roof, "contacts", int(people["Ada"]))
    pair.left.shelves["deals"].change(str(roof), {"value": "150"})  # now it is read
    assert [pair.run().written for _ in range(2)] == [1, 0], "only the value: which of them is meant nobody can tell"
    assert _people_of_roof(pair) == {people["Bob"], people["Eve"]}
    assert (_right_roof(pair)["value"], _right_roof(pair)["person"]) == ("150", _right_person(pair, "Ada"))


def test_who_was_put_in_anothers_place_in_hubspot_and_elsewhere_is_asked_about(
    ada: tuple[Pair, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, people = ada
    monkeypatch.setattr(pair.left, "moved", lambda *_: None)  # an association moves no instant of the deal
    roof = int(pair.left_id("Roof"))
    pair.left.associations.add("deals", roof, "contacts", int(people["Bob"]), primary=False)
    pair.left.associations.remove("deals", roof, "contacts", int(people["Ada"]))
    pair.right.shelves["deals"].change(pair.right_id("Roof"), {"person": _right_person(pair, "Eve")}, by="ann")
    assert pair.run().conflict == 1
    assert _people_of_roof(pair) == {people["Bob"]}
    pair.run()
    (question,) = pair.asked()
    assert (question.code, question.leaf) == ("conflict", "person")
    pair.decide("left")
    assert _right_roof(pair)["person"] == _right_person(pair, "Bob")


@pytest.mark.parametrize("take", ["delete", "recreate"])
def test_what_pointed_at_a_deleted_record_points_at_it_elsewhere_until_somebody_decides(
    ada: tuple[Pair, dict[str, str]], take: str
) -> None:
    pair, people = ada
    pair.left.drop("people", people["Ada"])
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"value": "150"})  # now it is read, and points at nobody
    there = _right_person(pair, "Ada")
    for _ in range(2):
        assert pair.run().clean
        assert (_right_roof(pair)["value"], _right_roof(pair)["person"]) == ("150", there)
        assert [question.code for question in pair.asked()] == ["deleted_elsewhere"]
    pair.decide(take)
    assert pair.run().clean
    if take == "recreate":
        (made,) = _people_of_roof(pair)
        assert made not in people.values()
        assert _right_roof(pair)["person"] == there
    else:
        assert _people_of_roof(pair) == set()
        assert _right_roof(pair)["person"] is None
    assert pair.run().written == 0
    assert pair.asked() == []


def test_who_was_taken_off_a_deal_before_being_deleted_is_still_asked_about(ada: tuple[Pair, dict[str, str]]) -> None:
    pair, people = ada
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"person": None})
    pair.right.shelves["deals"].change(pair.right_id("Roof"), {"person": _right_person(pair, "Eve")}, by="ann")
    pair.run()
    pair.left.drop("people", people["Ada"])
    pair.run()
    assert {(question.code, question.leaf) for question in pair.asked()} == {("conflict", "person"), ("deleted_elsewhere", None)}
    assert _people_of_roof(pair) == set()
    assert _right_roof(pair)["person"] == _right_person(pair, "Eve")


def test_a_merge_is_no_word_about_what_points_at_the_merged_record(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path, authority={"default": "left"})
    kept, lost = (
        pair.left.shelves["companies"].create({"name": name, "domain": f"{name}.example"}).id for name in ("kept", "lost")
    )
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"company": kept})
    assert pair.run().clean
    pair.right.shelves["deals"].change(pair.right_id("Roof"), {"company": None}, by="ann")
    pair.left.drop("companies", lost, survivor=kept)
    companies = pair.left.records["companies"]
    companies._pending, later = [], companies._pending  # the index knows the deal, and not what its company has become
    pair.run()
    companies._pending = later
    (survivor,) = pair.left.shelves["companies"]
    pair.left.shelves["companies"].change(survivor.id, {"phone": "+13125550100"})
    pair.run()
    roof = pair.left.shelves["deals"].get(pair.left_id("Roof"))
    assert roof is not None
    assert (roof.values["company"], _right_roof(pair)["company"]) == (None, None), "left only says the same by another id"
    pair.store.close()
