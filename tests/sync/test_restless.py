"""Two automations that disagree do not keep a job writing for ever, and what cannot be written is not forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aios_connect.sync import settle
from aios_connect.sync.restless import TIMES
from tests.sync.test_outcomes_in_hubspot import Pair, pair_in_step

HOUR = 3600.0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = pair_in_step(tmp_path)
    yield pair
    pair.store.close()


def value(pair: Pair, side: str) -> str | None:
    return pair.deals()[side]["Roof"]


def automations(pair: Pair) -> None:
    """Each tool has one that knows better."""
    if value(pair, "left") != "111":
        pair.left.shelves["deals"].change(pair.left_id("Roof"), {"value": "111"}, by="left's automation")
    elif value(pair, "right") != "222":
        pair.right.shelves["deals"].change(pair.right_id("Roof"), {"value": "222"}, by="right's automation")


def test_a_value_that_never_stays_is_left_alone_and_a_person_is_told(pair: Pair) -> None:
    written = 0
    for _ in range(40):
        automations(pair)
        written += pair.run().written
    assert written <= 2 * TIMES + 1, "at most so often on each side"
    (told,) = pair.asked()
    assert (told.code, told.leaf) == ("echo_loop", "amount")
    assert "Roof in " in told.summary
    assert f"written {TIMES} times within a day as " in told.summary


def test_the_rest_of_such_a_record_goes_on(pair: Pair) -> None:
    for _ in range(40):
        automations(pair)
        pair.run()
    pair.left.shelves["deals"].change(pair.left_id("Roof"), {"stage": "won"})
    pair.right.shelves["deals"].change(pair.right_id("Stairs"), {"value": "201"}, by="ann")
    pair.run()
    stages = {item.values["name"]: item.values["stage"] for item in pair.right.shelves["deals"]}
    assert stages["Roof"] == "won"
    assert pair.deals()["left"]["Stairs"] == "201"
    assert [told.code for told in pair.asked()] == ["echo_loop"]


def test_it_is_tried_again_when_a_day_has_passed_and_the_automation_is_gone(pair: Pair) -> None:
    for _ in range(40):
        automations(pair)
        pair.run()
    assert value(pair, "left") != value(pair, "right")
    pair.clock.sleep(25 * HOUR)
    assert pair.run().clean
    assert value(pair, "left") == value(pair, "right")
    assert pair.asked() == []


def test_what_one_side_changes_to_and_fro_is_followed(pair: Pair) -> None:
    for number in range(4 * TIMES):
        pair.left.shelves["deals"].change(pair.left_id("Roof"), {"value": "100" if number % 2 else "150"})
        assert pair.run().written == 1
    assert pair.asked() == []


def test_what_cannot_be_said_there_waits_for_a_person_though_the_rest_was_written(pair: Pair) -> None:
    right = pair.right.shelves["deals"]
    right.change(pair.right_id("Roof"), {"stage": "parked", "value": "101"}, by="ann")
    for _ in range(3):
        pair.run()
        assert value(pair, "left") == "101"
        assert [told.code for told in pair.asked()] == ["unwritable"]
    right.change(pair.right_id("Roof"), {"stage": "won"}, by="ann")
    pair.run()
    assert pair.asked() == []


def test_a_side_that_has_nothing_to_say_and_says_it_all_day_is_not_forgotten(tmp_path: Path) -> None:
    pair = pair_in_step(tmp_path, authority={"default": "only left"})
    written = 0
    for _ in range(3 * TIMES):
        if value(pair, "right") != "222":
            pair.right.shelves["deals"].change(pair.right_id("Roof"), {"value": "222"}, by="right's automation")
        written += pair.run().written
    assert written == TIMES
    assert [told.code for told in pair.asked()] == ["echo_loop"], "for as long as it is so"
    pair.clock.sleep(25 * HOUR)
    pair.run()
    assert value(pair, "right") == "100"
    assert pair.asked() == []
    pair.store.close()


def test_a_loop_that_was_dismissed_is_told_again_when_it_comes_again(pair: Pair) -> None:
    for _ in range(2):
        for _ in range(40):
            automations(pair)
            pair.run()
        (told,) = pair.asked()
        settle(pair.store, told.id, by="ann", now=pair.now(), dismiss=True)
        pair.run()
        assert pair.asked() == [], "a person knows"
        pair.clock.sleep(25 * HOUR)
        assert pair.run().clean
