"""kill -9 at every request of a read and of an apply, before and after the server does what was asked; then the same again.

Nothing is lost, nothing is written twice, and at most one page is read again.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aios_connect.sandbox import Call, SimClock, serve
from aios_connect.store import Store
from aios_connect.store.tables import record

from .oracle import Oracle
from .plain_client import work
from .plain_vendor import FIELDS, PlainVendor

pytestmark = pytest.mark.torture

PAGE_SIZE = 8
CLIENTS = multiprocessing.get_context("forkserver")
CLIENTS.set_forkserver_preload([work.__module__])


def stocked() -> dict[str, PlainVendor]:
    """Two servers in the same time, with records that are on one side only."""
    clock = SimClock()
    sides = {side: PlainVendor(clock, page_size=PAGE_SIZE) for side in ("left", "right")}
    left, right = sides["left"].shelves, sides["right"].shelves
    for n in range(60):
        left["companies"].create({"name": f"Company {n}", "domain": f"c{n}.example", "phone": None}, by="ann")
    for n in range(60):
        left["people"].create(
            {"first": f"First{n}", "last": f"Last{n}", "email": f"p{n}@mail.example", "company": f"c{n + 1}"}, by="ann"
        )
    for n in range(45):
        right["deals"].create({"name": f"Deal {n}", "value": f"{n}.5", "stage": "new"}, by="ann")
    clock.sleep(3600)
    return sides


def edited(sides: dict[str, PlainVendor]) -> None:
    """What people did after both sides were in step: changes on one side, new ones, deletes."""
    left, right = sides["left"].shelves, sides["right"].shelves
    for n, item in enumerate(list(left["companies"])):
        left["companies"].change(item.id, {"phone": f"+1312555{n:04}"}, by="ann")
    for n, item in enumerate(list(right["people"])[:50]):
        right["people"].change(item.id, {"title": f"Title {n}"}, by="ann")
    for item in list(left["deals"])[:25]:
        sides["left"].drop("deals", item.id, by="ann")
    for n in range(25):
        right["companies"].create({"name": f"Late {n}", "domain": f"late{n}.example", "phone": None}, by="ann")
        left["deals"].create({"name": f"Late deal {n}", "value": "1", "stage": "won", "company": "c3"}, by="ann")
    sides["left"].clock.sleep(3600)


def copied(sides: dict[str, PlainVendor]) -> dict[str, PlainVendor]:
    """The same servers once more: their whole history played again."""
    clock = SimClock()
    again = {side: PlainVendor(clock, page_size=PAGE_SIZE) for side in sides}
    edits = [
        (edit.at, number, side, object, edit)
        for side, vendor in sides.items()
        for object, shelf in vendor.shelves.items()
        for number, edit in enumerate(shelf.history)
    ]
    for at, _, side, object, edit in sorted(edits, key=lambda entry: entry[:2]):
        clock.sleep((at - clock.now()).total_seconds())
        shelf = again[side].shelves[object]
        if edit.values is None:
            shelf.remove(edit.id, by=edit.by, line=edit.line)
        elif shelf.get(edit.id) is None:
            shelf.create(edit.values, by=edit.by, line=edit.line)
        else:
            shelf.change(edit.id, edit.values, by=edit.by, line=edit.line)
    clock.sleep((sides["left"].clock.now() - clock.now()).total_seconds())
    return again


@dataclass
class Scene:
    """Servers on ports, and a folder with store and plan."""

    sides: dict[str, PlainVendor]
    folder: Path
    urls: dict[str, str]

    def do(self, task: str, *, kill_at: int | None = None, when: str = "before") -> bool:
        """Let a client work in a process of its own; returns whether it lived to the end."""
        process = CLIENTS.Process(target=work, args=(task, self.folder, self.urls, self.sides["left"].clock.now()))
        count, ended = 0, threading.Event()

        def watch(stage: str) -> Callable[[Call], None]:
            def kill(call: Call) -> None:
                nonlocal count
                if stage == "before":
                    count += 1
                if stage == when and count - 1 == kill_at and process.pid is not None:
                    os.kill(process.pid, signal.SIGKILL)
                    ended.wait(30)

            return kill

        for vendor in self.sides.values():
            vendor.before, vendor.after = watch("before"), watch("after")
        process.start()
        process.join(60)
        ended.set()
        self.sides["left"].clock.sleep(timedelta(hours=1).total_seconds())  # until a lease of the dead has run out
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        return process.exitcode == 0

    def repeated(self) -> int:
        """How many pages were asked for again."""
        pages = Counter(
            (side, entry.call.path, str(entry.call.query))
            for side, vendor in self.sides.items()
            for entry in vendor.log
            if entry.call.method == "GET"
        )
        return sum(count - 1 for count in pages.values())

    def truth(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Side and object -> id -> values."""
        return {
            (side, object): {item.id: dict(item.values) for item in shelf}
            for side, vendor in self.sides.items()
            for object, shelf in vendor.shelves.items()
        }

    def known(self) -> dict[tuple[str, str], list[str]]:
        """Side and object -> the ids of the living records that the store knows."""
        store = Store.open(f"sqlite:///{self.folder / 'store.db'}")
        with store.read() as tx:
            rows = tx.execute(select(record.c.connection, record.c.object, record.c.id).where(record.c.gone.is_(None))).all()
        store.close()
        return {
            (side, object): sorted(row.id for row in rows if row[:2] == (side, object))
            for side in self.sides
            for object in FIELDS
        }


@contextmanager
def scene(sides: dict[str, PlainVendor], folder: Path, files: Path | None = None) -> Iterator[Scene]:
    """A scene of its own, from a copy of what is given."""
    shutil.copytree(files, folder) if files else folder.mkdir()
    with ExitStack() as stack:
        again = copied(sides)
        yield Scene(again, folder, {side: stack.enter_context(serve(vendor)).url for side, vendor in again.items()})


@pytest.fixture(scope="module")
def in_step(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, PlainVendor], Path]:
    """Servers that were in step and were edited since, with the store that knows all that and the plan to bring them in step again."""
    with scene(stocked(), tmp_path_factory.mktemp("kills") / "step") as first:
        for task in ("read", "plan", "apply"):
            assert first.do(task)
        edited(first.sides)
        for task in ("read", "plan"):
            assert first.do(task)
        return first.sides, first.folder


def calls_of(task: str, sides: dict[str, PlainVendor], folder: Path, files: Path | None) -> tuple[int, Scene]:
    """How many requests a task takes when nobody is killed, and the scene afterwards."""
    with scene(sides, folder, files) as quiet:
        assert quiet.do(task)
        return sum(len(vendor.log) for vendor in quiet.sides.values()), quiet


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_read_killed_at_any_request_goes_on_without_loss(when: str, tmp_path: Path) -> None:
    sides = stocked()
    calls, _ = calls_of("read", sides, tmp_path / "quiet", None)
    assert 20 <= calls <= 60
    for index in range(calls):
        with scene(sides, tmp_path / f"at{index}") as killed:
            assert not killed.do("read", kill_at=index, when=when)
            assert killed.do("read")
            assert killed.known() == {place: sorted(records) for place, records in killed.truth().items()}, f"request {index}"
            assert killed.repeated() <= 1, f"request {index}: more than one page was read again"


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_apply_killed_at_any_request_goes_on_and_writes_everything_once(
    when: str, in_step: tuple[dict[str, PlainVendor], Path], tmp_path: Path
) -> None:
    sides, files = in_step
    calls, quiet = calls_of("apply", sides, tmp_path / "quiet", files)
    assert 20 <= calls <= 60
    for index in range(calls):
        with scene(sides, tmp_path / f"at{index}", files) as killed:
            assert not killed.do("apply", kill_at=index, when=when)
            assert killed.do("apply")
            oracle = Oracle(killed.sides, "left")
            oracle.nothing_is_doubled()
            oracle.both_sides_agree()
            assert writes(killed) == writes(quiet), f"request {index}: not everything was written once"


def writes(scene: Scene) -> Counter[tuple[str, str, str]]:
    """How often the client wrote each record and value."""
    return Counter(
        (side, object, repr(sorted((edit.values or {}).items())))
        for side, vendor in scene.sides.items()
        for object, shelf in vendor.shelves.items()
        for edit in shelf.history
        if edit.by == "api"
    )
