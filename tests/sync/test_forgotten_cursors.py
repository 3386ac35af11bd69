"""A vendor forgets where a read had got to, and tells no more of what was deleted meanwhile. It is found all the same, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aios_connect.connectors import Page
from aios_connect.errors import CursorGoneError, SyncError, UnavailableError
from tests.sync.test_outcomes_in_hubspot import BOTH, Pair, pair_in_step


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = pair_in_step(tmp_path, deletes="follow")
    yield pair
    pair.store.close()


def _forget(pair: Pair, monkeypatch: pytest.MonkeyPatch, *, hide: str = "", cut: bool = False) -> None:
    """Let the cursor of the right side's deals be gone once; what is told from then on has no deletes of before.

    Args:
        pair: Both sides.
        monkeypatch: Takes it back.
        hide: A record that the read from the beginning does not show, though it is there.
        cut: The read from the beginning breaks off, once.
    """
    connector = pair.connections["right"].connector
    read, state = connector.read, {"gone": True, "cut": cut}

    def without_memory(object: str, position: Any) -> Iterator[Page]:
        if object != "deals":
            yield from read(object, position)
            return
        if state["gone"]:
            state["gone"] = False
            raise CursorGoneError("the cursor is too old", provider="plain", object=object)
        for page in read(object, position):
            shown = [raw for raw in page.records if raw["id"] != hide]
            if state["cut"]:
                state["cut"] = False
                yield replace(page, records=shown, tombstones=(), complete=False)
                raise UnavailableError("the connection broke", provider="plain", object=object)
            yield replace(page, records=shown, tombstones=())

    monkeypatch.setattr(connector, "read", without_memory)


def test_what_was_deleted_while_nobody_could_tell_is_gone(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.right.drop("deals", pair.right_id("Stairs"), by="ann")
    _forget(pair, monkeypatch)
    assert pair.run().clean
    assert pair.deals() == {"left": {"Roof": "100"}, "right": {"Roof": "100"}}


def test_what_the_read_from_the_beginning_leaves_out_is_asked_for_before_it_is_believed(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forget(pair, monkeypatch, hide=pair.right_id("Stairs"))
    asked: list[list[str]] = []
    lookup = pair.connections["right"].connector.lookup

    def counted(object: str, ids: Any) -> Any:
        asked.append(list(ids))
        return lookup(object, ids)

    monkeypatch.setattr(pair.connections["right"].connector, "lookup", counted)
    for _ in range(2):
        assert pair.run().clean
    assert pair.deals() == {"left": BOTH, "right": BOTH}
    assert asked == [[pair.right_id("Stairs")]], "once"


def test_a_read_from_the_beginning_that_breaks_off_takes_nothing_for_deleted_until_it_is_whole(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.right.drop("deals", pair.right_id("Stairs"), by="ann")
    _forget(pair, monkeypatch, cut=True)
    with pytest.raises((SyncError, UnavailableError)):
        pair.run()
    assert pair.deals()["left"] == BOTH
    assert pair.run().clean
    assert pair.deals() == {"left": {"Roof": "100"}, "right": {"Roof": "100"}}


def test_a_read_from_the_beginning_that_lacks_suspiciously_much_deletes_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        pair.left.shelves["deals"].create({"name": f"Deal {number}", "value": "1", "stage": "new"})
    assert pair.run().clean
    before = pair.deals()["left"]
    for name in before:
        if name.startswith("Deal"):
            pair.right.drop("deals", pair.right_id(name), by="ann")
    _forget(pair, monkeypatch)
    pair.run()
    assert pair.deals()["left"] == before
    assert [question.code for question in pair.asked()] == ["suspicious_listing"]
