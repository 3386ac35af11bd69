"""kill -9 at every request of a whole run between HubSpot and another system, before and after the server does what was asked.

Then the same run again: nothing is lost, nothing is written twice, and at most one page is read again.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from aios_connect_hubspot.sandbox import Hazards

from aios_connect.sandbox import Call, SimClock, serve, transport

from .hubspot_account import HubSpotAccount
from .oracle import Oracle
from .plain_vendor import PlainVendor
from .test_kills import copied
from .two_crms import open_hubspot
from .two_crms_client import work

pytestmark = pytest.mark.torture

PAGE_SIZE = 8
HOUR = 3600.0
CLIENTS = multiprocessing.get_context("forkserver")
CLIENTS.set_forkserver_preload([work.__module__])
HAZARDS = Hazards(latency=0.01)
STATE = ("_all", "_owner", "_living", "_bin", "_pending", "_changes", "_index", "_newest", "_index_order", "_next", "unique")


@dataclass
class Scene:
    """Two servers on ports, and a folder with store and plans."""

    left: HubSpotAccount
    right: PlainVendor
    folder: Path
    urls: dict[str, str]

    @property
    def sides(self) -> dict[str, PlainVendor]:
        return {"left": cast(PlainVendor, self.left), "right": self.right}

    def run(self, *, kill_at: int | None = None, when: str = "before") -> bool:
        """Let a client do a whole run in a process of its own; returns whether it lived to the end."""
        process = CLIENTS.Process(target=work, args=(self.folder, self.urls, self.left.clock.now()))
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
        self.left.clock.sleep(HOUR)  # until a lease of the dead has run out
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        return process.exitcode == 0

    def requests(self) -> int:
        return sum(len(vendor.log) for vendor in self.sides.values())

    def repeated(self) -> int:
        """How many pages were asked for again. The bin, which cannot be asked for what is new in it, is read whole by every read."""
        pages = Counter(
            (side, entry.call.path, str(entry.call.query), entry.call.body)
            for side, vendor in self.sides.items()
            for entry in vendor.log
            if (entry.call.method == "GET" and "archived" not in entry.call.query and "properties/" not in entry.call.path)
            or entry.call.path.endswith("/search")
        )
        return sum(count - 1 for count in pages.values())

    def writes(self) -> Counter[tuple[str, str, str, str]]:
        """How often the client wrote each record and value; ids differ from run to run, names do not."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        oracle = Oracle(self.sides, "left")
        for at, side, object, name, by, values in oracle._timeline():
            if by == "api":
                for leaf, value in (values or {"gone": at is not None}).items():
                    if leaf != "key" and value is not None:
                        found[side, object, name, f"{leaf}={value}"] += 1
        return found


@contextmanager
def scene(left: HubSpotAccount, right: PlainVendor, folder: Path, files: Path | None = None) -> Iterator[Scene]:
    """A scene of its own, from copies of what is given."""
    if files is None:
        folder.mkdir()
    else:
        shutil.copytree(files, folder)
    account, server = again(left, right)
    with serve(account) as one, serve(server) as two:
        yield Scene(account, server, folder, {"left": one.url, "right": two.url})


def again(left: HubSpotAccount, right: PlainVendor) -> tuple[HubSpotAccount, PlainVendor]:
    """The same servers once more."""
    server = copied({"left": right})["left"]
    account = HubSpotAccount(server.clock, hazards=HAZARDS)
    for object, records in left.records.items():
        for name, value in deepcopy({name: getattr(records, name) for name in STATE}).items():
            setattr(account.records[object], name, value)
    account.associations._held = deepcopy(left.associations._held)
    account.properties = deepcopy(left.properties)
    for name, view in left.shelves.items():
        account.shelves[name].history = list(view.history)
        account.shelves[name]._links = dict(view._links)
    return account, server


def stocked() -> tuple[HubSpotAccount, PlainVendor]:
    """Two servers in the same time, with records that are on one side only, and some that are on both."""
    clock = SimClock()
    left, right = HubSpotAccount(clock, hazards=HAZARDS), PlainVendor(clock, page_size=PAGE_SIZE)
    open_hubspot("left", now=clock.now, sleep=clock.sleep, transport=transport(left)).connector.provision()
    companies = [
        left.shelves["companies"].create({"name": f"Company {n}", "domain": f"c{n}.example", "phone": None}).id for n in range(40)
    ]
    for n in range(110):
        person = {"first": f"First{n}", "last": f"Last{n}", "email": f"p{n}@mail.example", "company": companies[n % 40]}
        left.shelves["people"].create(person)
    for n in range(20):
        left.shelves["deals"].create({"name": f"Deal {n}", "value": f"{n}.5", "stage": "new", "company": companies[n]})
    there = [
        right.shelves["companies"].create({"name": f"Company {n}", "domain": f"c{n}.example", "phone": None}, by="ann").id
        for n in range(35, 50)
    ]
    for n in range(110, 125):
        person = {"first": f"First{n}", "last": f"Last{n}", "email": f"p{n}@mail.example", "company": there[n % 15]}
        right.shelves["people"].create(person, by="ann")
    for n in range(20, 35):
        right.shelves["deals"].create({"name": f"Deal {n}", "value": f"{n}.5", "stage": "talking"}, by="ann")
    clock.sleep(HOUR)
    return left, right


def edited(left: HubSpotAccount, right: PlainVendor) -> None:
    """What people did after both were in step: changes, new ones and deletes on both sides."""
    for n, item in enumerate(list(left.shelves["people"])[:40]):  # the first that were made
        left.shelves["people"].change(item.id, {"title": f"Title {n}"})
    for n, item in enumerate(list(right.shelves["companies"])[:45]):
        right.shelves["companies"].change(item.id, {"phone": f"+1312555{n:04}"}, by="ann")
    for item in list(left.shelves["deals"])[:8]:
        left.drop("deals", item.id)
    leaving = {f"p{n}@mail.example" for n in range(60, 68)}  # none of those who were edited elsewhere
    for item in [item for item in right.shelves["people"] if item.values["email"] in leaving]:
        right.drop("people", item.id, by="ann")
    for n in range(12):
        left.shelves["companies"].create({"name": f"Late {n}", "domain": f"late{n}.example", "phone": None})
        right.shelves["deals"].create({"name": f"Late deal {n}", "value": "1", "stage": "won"}, by="ann")
    left.clock.sleep(HOUR)


@pytest.fixture(scope="module")
def first_run() -> tuple[HubSpotAccount, PlainVendor, None]:
    """Servers that have never been in step."""
    return *stocked(), None


@pytest.fixture(scope="module")
def later_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[HubSpotAccount, PlainVendor, Path]:
    """Servers that were in step and were edited since, with the store that knows it."""
    with scene(*stocked(), tmp_path_factory.mktemp("two-crms") / "step") as first:
        assert first.run()
        edited(first.left, first.right)
        return first.left, first.right, first.folder


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("which", ["first_run", "later_run"])
def test_a_run_killed_at_any_request_goes_on_and_writes_everything_once(
    which: str, when: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    left, right, files = request.getfixturevalue(which)
    with scene(left, right, tmp_path / "quiet", files) as quiet:
        assert quiet.run()
        calls, wanted = quiet.requests(), quiet.writes()
        Oracle(quiet.sides, "left").both_sides_agree()
    print(f"{which}: {calls} requests, {sum(wanted.values())} values written")
    assert 30 <= calls <= 60
    for index in range(calls):
        with scene(left, right, tmp_path / f"at{index}", files) as killed:
            assert not killed.run(kill_at=index, when=when)
            again = killed.requests()
            assert killed.run()
            oracle = Oracle(killed.sides, "left")
            oracle.nothing_is_doubled()
            oracle.both_sides_agree()
            assert killed.writes() == wanted, f"request {index} of {again}: not everything was written once"
            assert killed.repeated() <= 1, f"request {index}: more than one page was read again"
        shutil.rmtree(tmp_path / f"at{index}")
