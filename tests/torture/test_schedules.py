"""Random days without end: whatever goes wrong, nothing is lost, doubled or overwritten, and in the end both sides agree.

``AIOS_SCHEDULES`` says how many days are lived (300 unless given), ``AIOS_FIRST_SEED`` where they begin. A failure names its seed;
``python -m tests.torture.schedules SEED`` tells that day's story.
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

from aios_connect.connectors import Change, Cursor, Http, Page, Receipt, Response
from aios_connect.store import Store

from . import plain_connector
from .oracle import ViolationError
from .plain_connector import Plain
from .schedules import live

SCHEDULES = int(os.environ.get("AIOS_SCHEDULES", "300"))
FIRST_SEED = int(os.environ.get("AIOS_FIRST_SEED", "0"))
BLOCK = 25
ENOUGH = 300


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torture") / "template.db"
    Store.open(f"sqlite:///{path}").close()
    return path


def live_through(seeds: Sequence[int], folder: Path, template: Path) -> None:
    for seed in seeds:
        own = folder / str(seed)
        own.mkdir()
        live(seed, own, template)
        shutil.rmtree(own)


def test_some_days_keep_every_promise(tmp_path: Path, template: Path) -> None:
    live_through(range(4), tmp_path, template)


@pytest.mark.torture
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SCHEDULES, BLOCK))
def test_every_day_keeps_every_promise(first: int, tmp_path: Path, template: Path) -> None:
    print(f"seeds {first} to {min(first + BLOCK, FIRST_SEED + SCHEDULES) - 1}")
    live_through(range(first, min(first + BLOCK, FIRST_SEED + SCHEDULES)), tmp_path, template)


def the_cursor_is_saved_before_the_data(patch: pytest.MonkeyPatch) -> None:
    """The cursor that is stored with a page is already behind the next one."""
    read = Plain.read

    def ahead(self: Plain, object: str, since: Cursor | None = None) -> Iterator[Page]:
        last = None
        for page in read(self, object, since):
            if last is not None:
                yield replace(last, cursor=page.cursor)
            last = page
        if last is not None:
            yield last

    patch.setattr(Plain, "read", ahead)


def a_create_is_sent_again_after_a_timeout(patch: pytest.MonkeyPatch) -> None:
    """Every request is taken for one that may be repeated."""
    request = Http.request
    patch.setattr(Http, "request", lambda self, method, url, **options: request(self, method, url, **{**options, "safe": True}))


def the_last_page_is_skipped(patch: pytest.MonkeyPatch) -> None:
    """What stands on the page with the end marker is not looked at."""
    read = Plain.read

    def without_last(self: Plain, object: str, since: Cursor | None = None) -> Iterator[Page]:
        for page in read(self, object, since):
            yield Page([], page.cursor, True) if page.complete else page

    patch.setattr(Plain, "read", without_last)


def no_cursor_is_taken_for_the_end(patch: pytest.MonkeyPatch) -> None:
    """As many readers do: a body without a cursor is the last page, whatever else it is."""
    body = plain_connector._body

    def lenient(response: Response, object: str) -> dict[str, Any]:
        found = response.json_or_none()
        if not isinstance(found, dict) or not found.keys() & {"next", "results", "fields", "account"}:
            return {"items": [], "gone": [], "results": [], "end": True, "next": None, "now": "2026-01-05T09:00:00Z"}
        return body(response, object)

    patch.setattr(plain_connector, "_body", lenient)
    patch.setattr(plain_connector, "_classify", lambda response: None)


def no_overlap_with_the_last_read(patch: pytest.MonkeyPatch) -> None:
    """A read begins where the last one began, to the second."""
    patch.setattr(plain_connector, "OVERLAP", timedelta(0))


def versions_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    """A write replaces whatever is there."""
    write = Plain.write

    def overwrite(self: Plain, object: str, changes: Sequence[Change]) -> list[Receipt]:
        there = {raw["id"]: raw["version"] for raw in self.lookup(object, [change.id for change in changes if change.id])}
        return write(self, object, [replace(change, version=there.get(change.id, change.version)) for change in changes])

    patch.setattr(Plain, "write", overwrite)


BUGS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    bug.__name__: bug
    for bug in (
        the_cursor_is_saved_before_the_data,
        a_create_is_sent_again_after_a_timeout,
        the_last_page_is_skipped,
        no_cursor_is_taken_for_the_end,
        no_overlap_with_the_last_read,
        versions_are_not_compared,
    )
}


@pytest.mark.torture
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[bug](monkeypatch)
    for count in range(ENOUGH):
        try:
            live_through([count], tmp_path, template)
        except ViolationError as violation:
            print(f"{bug}: found after {count + 1} seeds: {violation}")
            return
    pytest.fail(f"{bug}: not found within {ENOUGH} seeds")
