"""What random days between HubSpot and another system once found, told short. More such stories: tests/sync/test_outcomes_in_hubspot.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update

from aios_connect.connectors import Change, Receipt
from aios_connect.errors import AiosError
from aios_connect.sandbox import Call, NoAnswerError
from aios_connect.store.tables import record
from aios_connect.sync import apply_plan, make_plan, open_exceptions, read_job, settle
from tests.sync.test_outcomes_in_hubspot import BOTH, Pair, pair_in_step


def test_a_run_that_goes_on_with_an_interrupted_read_knows_what_came_since(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"value": "110"})

    def down(call: Call) -> None:
        if call.query.get("archived") and call.path.endswith("deals"):
            raise NoAnswerError("refused")

    pair.left.before = down  # when the changed deals have been read already
    with pytest.raises(AiosError):
        pair.run()
    pair.left.before = lambda call: None
    pair.left.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "new"})
    assert pair.run().clean
    assert pair.deals()["right"] == {**BOTH, "Roof": "110", "Windows": "5"}
    pair.store.close()


def test_a_record_made_of_two_others_before_anybody_knew_them_is_one_record(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    first = pair.left.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "new"})
    second = pair.left.shelves["deals"].create({"name": "Doors", "value": "6", "stage": "new"})
    pair.left.drop("deals", second.id, survivor=first.id)
    assert pair.run().clean
    assert pair.deals()["right"] == {**BOTH, "Windows": "5"}
    assert open_exceptions(pair.store) == []
    pair.store.close()


def test_a_known_record_merged_with_one_that_nobody_knew_stays_itself(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    new = pair.left.shelves["deals"].create({"name": "Roof, second half", "value": "6", "stage": "lost"})
    pair.left.drop("deals", new.id, survivor=pair.left_id("Stairs"))
    assert pair.run().clean
    assert pair.deals() == {"left": BOTH, "right": BOTH}
    assert open_exceptions(pair.store) == []
    pair.store.close()


def test_a_deal_that_points_at_somebody_nobody_knows_yet_goes_on_pointing_there(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    ada = pair.left.shelves["people"].create({"first": "Ada", "last": "King", "email": "ada@mail.example"})
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"person": ada.id})
    assert pair.run().clean
    bob = pair.left.shelves["people"].create({"first": "Bob", "last": "Ray", "email": "bob@mail.example"})
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"person": bob.id})
    contacts = pair.left.records["contacts"]
    contacts._pending, later = [], contacts._pending  # the index knows the deal, and not Bob
    pair.run()
    roof = pair.left.shelves["deals"].get(pair.left_id("Roof"))
    assert roof is not None
    assert roof.values["person"] == bob.id
    contacts._pending = later
    pair.left.shelves["people"].change(bob.id, {"title": "Owner"})
    assert pair.run().clean
    assert pair.right.shelves["deals"].find("name", "Roof").values["person"] == next(  # type: ignore[union-attr]
        item.id for item in pair.right.shelves["people"] if item.values["first"] == "Bob"
    )
    pair.store.close()


def _write_and_die(pair: Pair) -> Callable[[str, Sequence[Change]], list[Receipt]]:
    write = pair.connections["left"].connector.write

    def write_and_die(object: str, changes: Sequence[Change]) -> list[Receipt]:
        write(object, changes)
        raise KeyboardInterrupt

    return write_and_die


@pytest.mark.parametrize("keyed", [True, False], ids=["into one of ours", "into one of theirs"])
@pytest.mark.parametrize("resumed", [True, False], ids=["the plan goes on", "a new plan"])
def test_a_record_of_ours_that_was_merged_before_we_knew_of_it_is_not_the_one_it_was_merged_into(
    tmp_path: Path, resumed: bool, keyed: bool
) -> None:
    pair = pair_in_step(tmp_path, deletes="follow")
    if keyed:
        pair.left.records["deals"].change(pair.left_id("Roof"), {"aios_key": "deal_ours"})
    pair.right.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "lost"}, by="ann")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pair.connections["left"].connector, "write", _write_and_die(pair))
        pair.run()
    pair.left.drop("deals", pair.left_id("Windows"), survivor=pair.left_id("Roof"))
    if resumed:
        pair.clock.sleep(600)
        (plan,) = sorted(tmp_path.glob("plan*.jsonl"))[-1:]
        apply_plan(plan, pair.job, pair.connections, pair.store, now=pair.now)
    pair.run()
    pair.run()
    assert pair.deals() == {"left": {"Roof": "100", "Stairs": "200"}, "right": {**BOTH, "Windows": "5"}}
    (question,) = pair.asked()
    assert "Windows: merged in left into " in question.summary
    pair.decide("delete")
    assert pair.deals() == {"left": BOTH, "right": BOTH}
    pair.store.close()


@pytest.mark.parametrize(
    ("keyed", "somebody"),
    [(True, False), (False, False), (True, True)],
    ids=["into one of ours", "into one of theirs", "after somebody took it for another"],
)
def test_a_record_of_ours_that_was_read_and_merged_before_we_knew_it_for_ours_is_not_the_survivor(
    tmp_path: Path, keyed: bool, somebody: bool
) -> None:
    pair = pair_in_step(tmp_path, deletes="follow")
    if keyed:
        pair.left.records["deals"].change(pair.left_id("Roof"), {"aios_key": "deal_ours"})
    pair.run()
    pair.right.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "lost"}, by="ann")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pair.connections["left"].connector, "write", _write_and_die(pair))
        pair.run()
    pair.clock.sleep(600)
    read_job(pair.job, pair.connections, pair.store, run="run_read", now=pair.now)
    if somebody:
        with pair.store.begin() as tx:
            stairs = select(record.c.entity).where(record.c.id == pair.left_id("Stairs")).scalar_subquery()
            tx.execute(update(record).where(record.c.id == pair.left_id("Windows")).values(entity=stairs, linked=True))
    pair.left.drop("deals", pair.left_id("Windows"), survivor=pair.left_id("Roof"))
    (plan,) = sorted(tmp_path.glob("plan*.jsonl"))[-1:]
    report = apply_plan(plan, pair.job, pair.connections, pair.store, now=pair.now)
    assert (report.written, report.rejected) == ((0, 1) if somebody else (1, 0))
    assert [question.code for question in pair.asked()] == (["rejected"] if somebody else [])
    assert pair.deals() == {"left": {"Roof": "100", "Stairs": "200"}, "right": {**BOTH, "Windows": "5"}}
    if not somebody:
        pair.run()
        assert ["Windows: merged in left into " in question.summary for question in pair.asked()] == [True]
        pair.decide("delete")
        assert pair.deals() == {"left": BOTH, "right": BOTH}
    pair.store.close()


def test_who_points_at_somebody_nobody_knows_yet_has_not_heard_what_the_other_side_says(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path, authority={"default": "right"})
    people = {
        name: pair.right.shelves["people"].create({"first": name, "email": f"{name}@mail.example"}) for name in ("ada", "eve")
    }
    pair.right.shelves["deals"].change(pair.right_id("Roof"), {"person": people["ada"].id}, by="ann")
    assert pair.run().clean
    bob = pair.left.shelves["people"].create({"first": "Bob", "last": "Ray", "email": "bob@mail.example"})
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"person": bob.id})
    pair.right.shelves["deals"].change(pair.right_id("Roof"), {"person": people["eve"].id}, by="ann")
    contacts = pair.left.records["contacts"]
    contacts._pending, later = [], contacts._pending  # the index knows the deal, and not Bob
    pair.run()
    contacts._pending = later
    pair.left.shelves["people"].change(bob.id, {"title": "Owner"})
    pair.run()
    pair.run()
    roof = pair.right.shelves["deals"].get(pair.right_id("Roof"))
    assert roof is not None
    assert roof.values["person"] == people["eve"].id, "it decides, and said so"
    pair.store.close()


def test_a_record_is_not_moved_to_a_company_that_is_new_over_what_a_person_said_meanwhile(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    left, right = pair.left.shelves, pair.right.shelves
    old, said = (left["companies"].create({"name": name, "domain": f"{name}.example"}) for name in ("old", "said"))
    ada = left["people"].create({"first": "Ada", "email": "ada@mail.example", "company": old.id})
    assert pair.run().clean
    new = right["companies"].create({"name": "new", "domain": "new.example"}, by="ann")
    (theirs,) = (person.id for person in right["people"])
    right["people"].change(theirs, {"company": new.id}, by="ann")
    pair.clock.sleep(600)
    plan = tmp_path / "plan.jsonl"
    read_job(pair.job, pair.connections, pair.store, run="run_read", now=pair.now)
    make_plan(pair.job, pair.connections, pair.store, plan, now=pair.now)
    left["people"].change(ada.id, {"company": said.id})
    report = apply_plan(plan, pair.job, pair.connections, pair.store, now=pair.now)
    assert (report.written, report.conflict) == (1, 1), "the company is made, nobody is moved to it"
    now = left["people"].get(ada.id)
    assert now is not None
    assert now.values["company"] == said.id
    pair.run()
    (question,) = pair.asked()
    assert question.code == "conflict"
    pair.store.close()


def test_who_is_none_of_those_offered_may_be_somebody_who_came_to_light_since(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"value": "5", "stage": "lost"})
    assert pair.run().clean
    pair.right.shelves["deals"].create({"name": "Windows", "value": "5", "stage": "lost"}, by="ann")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pair.connections["left"].connector, "write", _write_and_die(pair))
        pair.run()
    pair.left.drop("deals", pair.left_id("Roof"), survivor=pair.left_id("Windows"))
    pair.run()
    (question,) = [question for question in pair.asked() if question.code == "duplicate_review"]
    assert "it may be Roof" in question.summary
    settle(pair.store, question.id, by="ann", now=pair.now(), take="different")  # it is not Roof
    pair.run()
    pair.run()
    assert pair.deals() == {"left": {"Windows": "5", "Stairs": "200"}, "right": {**BOTH, "Roof": "5", "Windows": "5"}}
    pair.store.close()


def test_what_a_delete_emptied_is_not_filled_with_what_an_unanswered_write_was_to_replace(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path)
    people = pair.left.shelves["people"]
    ada, bob = (people.create({"first": name, "email": f"{name}@mail.example"}).id for name in ("ada", "bob"))
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"person": ada})
    assert pair.run().clean
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"person": bob})

    def down(call: Call) -> None:
        if call.path.endswith("/batch"):
            raise NoAnswerError("timeout")

    pair.right.before = down
    assert pair.run().ambiguous == 1
    pair.right.before = lambda call: None
    pair.right.shelves["deals"].change(
        pair.right_id("Roof"), {"stage": "won"}, by="ann"
    )  # nobody can tell now whether it arrived
    pair.left.drop("people", bob)
    pair.run()
    roof = pair.left.shelves["deals"].get(pair.left_id("Roof"))
    assert roof is not None
    assert not roof.values.get("person")
    assert ("conflict", "person") in [(question.code, question.leaf) for question in pair.asked()]
    pair.store.close()


def test_what_was_merged_the_other_way_round_on_each_side_takes_no_reference_along(tmp_path: Path) -> None:
    """The one that the right side kept is deleted there in the end, which empties what pointed at it: that is no person's word."""
    pair = pair_in_step(tmp_path)
    companies, deals = pair.left.shelves["companies"], pair.left.shelves["deals"]
    old, new = (companies.create({"name": name, "domain": f"{name}.example"}).id for name in ("old", "new"))
    deals.change(pair.left_id("Roof"), {"company": old})
    assert pair.run().clean
    theirs = {item.values["name"]: item.id for item in pair.right.shelves["companies"]}
    pair.right.drop("companies", theirs["new"], survivor=theirs["old"], by="ann")
    pair.left.drop("companies", old, survivor=new)
    pair.run()
    (kept,) = companies
    companies.change(kept.id, {"name": "Renamed"})
    (question,) = [question for question in pair.asked() if question.summary.startswith("old: merged in left into ")]
    settle(pair.store, question.id, by="ann", now=pair.now(), take="delete")
    pair.run()
    (question,) = [question for question in pair.asked() if question.code == "duplicate_review"]
    settle(pair.store, question.id, by="ann", now=pair.now(), take=next(take for take in question.choices if take != "different"))
    for _ in range(3):
        pair.run()
        roof = deals.get(pair.left_id("Roof"))
        assert roof is not None
        assert roof.values["company"] == kept.id
    pair.store.close()
