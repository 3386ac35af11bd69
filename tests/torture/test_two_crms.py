"""Random days of HubSpot and another system kept in step both ways: nothing is lost, doubled, overwritten or brought back.

``AIOS_SCHEDULES`` says how many days are lived (300 unless given), ``AIOS_FIRST_SEED`` where they begin. A failure names its seed;
``python -m tests.torture.two_crms SEED`` tells that day's story.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aios_connect_hubspot import HubSpot, _reading, _writing
from sqlalchemy.exc import IntegrityError

from aios_connect.connectors import Change, Cursor, Page, Receipt
from aios_connect.store import Store

from .oracle import ViolationError
from .schedules import live
from .two_crms import HubSpotDay

SCHEDULES = int(os.environ.get("AIOS_SCHEDULES", "300"))
FIRST_SEED = int(os.environ.get("AIOS_FIRST_SEED", "0"))
BLOCK = 25
ENOUGH = 300


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two-crms") / "template.db"
    Store.open(f"sqlite:///{path}").close()
    return path


def live_through(seeds: Sequence[int], folder: Path, template: Path) -> None:
    for seed in seeds:
        own = folder / str(seed)
        own.mkdir()
        live(seed, own, template, day=HubSpotDay)
        shutil.rmtree(own)


def test_some_days_between_two_crms_keep_every_promise(tmp_path: Path, template: Path) -> None:
    live_through(range(3), tmp_path, template)


@pytest.mark.torture
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SCHEDULES, BLOCK))
def test_every_day_between_two_crms_keeps_every_promise(first: int, tmp_path: Path, template: Path) -> None:
    print(f"seeds {first} to {min(first + BLOCK, FIRST_SEED + SCHEDULES) - 1}")
    live_through(range(first, min(first + BLOCK, FIRST_SEED + SCHEDULES)), tmp_path, template)


def the_cursor_is_saved_before_the_data(patch: pytest.MonkeyPatch) -> None:
    """The cursor that is stored with a page is already behind the next one."""
    read = HubSpot.read

    def ahead(self: HubSpot, object: str, since: Cursor | None = None) -> Iterator[Page]:
        last = None
        for page in read(self, object, since):
            if last is not None:
                yield replace(last, cursor=page.cursor)
            last = page
        if last is not None:
            yield last

    patch.setattr(HubSpot, "read", ahead)


def creates_carry_no_key(patch: pytest.MonkeyPatch) -> None:
    """What was made without an answer cannot be found again."""
    write = HubSpot.write

    def without_key(self: HubSpot, object: str, changes: Sequence[Change]) -> list[Receipt]:
        return write(self, object, [replace(change, key=None) for change in changes])

    patch.setattr(HubSpot, "write", without_key)


def the_bin_is_not_looked_into(patch: pytest.MonkeyPatch) -> None:
    """What was archived is only missing from the search."""
    patch.setattr(_reading.Reader, "_tombstones", lambda self, object, gone: [])


def merges_are_not_noticed(patch: pytest.MonkeyPatch) -> None:
    """The ids of what was merged into a record are not read."""
    patch.setattr(_reading, "_merged", lambda raw: [])


def the_index_is_taken_for_the_truth(patch: pytest.MonkeyPatch) -> None:
    """A read begins where the last one began, to the second."""
    patch.setattr(_reading, "OVERLAP", timedelta(0))


def what_is_cleared_is_left_as_it_was(patch: pytest.MonkeyPatch) -> None:
    """A value that is nothing is not sent."""
    texts = _writing._texts
    patch.setattr(_writing, "_texts", lambda properties: {name: text for name, text in texts(properties).items() if text})


def results_are_taken_in_the_order_asked(patch: pytest.MonkeyPatch) -> None:
    """The first result of a batch is held to be the first record."""
    results = _writing.Writer._results

    def in_order(self: Any, object: str, action: str, changes: Sequence[Change], body: Any, owner: Any) -> Any:
        left = list(changes)
        return results(self, object, action, changes, body, lambda item, asked: left.pop(0) if left else None)

    patch.setattr(_writing.Writer, "_results", in_order)


BUGS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    bug.__name__: bug
    for bug in (
        the_cursor_is_saved_before_the_data,
        creates_carry_no_key,
        the_bin_is_not_looked_into,
        merges_are_not_noticed,
        the_index_is_taken_for_the_truth,
        what_is_cleared_is_left_as_it_was,
        results_are_taken_in_the_order_asked,
    )
}


@pytest.mark.torture
@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_planted_in_the_connector_is_found(
    bug: str, tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BUGS[bug](monkeypatch)
    for count in range(ENOUGH):
        try:
            live_through([count], tmp_path, template)
        except (ViolationError, IntegrityError) as violation:  # or the store refuses what cannot be
            print(f"{bug}: found after {count + 1} seeds: {str(violation)[:200]}")
            return
    pytest.fail(f"{bug}: not found within {ENOUGH} seeds")
