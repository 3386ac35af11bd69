"""Four processes on one account use nearly all that it allows, and are never refused; counted by the fake account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aios_connect_google.sandbox import ADDRESS, GoogleVendor
from aios_connect_google.sandbox import Hazards as GoogleHazards
from aios_connect_hubspot.sandbox import Hazards, HubSpotVendor

from aios_connect.sandbox import SimClock, serve
from aios_connect.store import Store

from .shared_clock import SharedClock, shown

pytestmark = pytest.mark.torture

ROOT = Path(__file__).parents[2]
PROCESSES = 4
WARM = 12.0
"""Seconds until the first burst, which finds the window empty, has left it."""
STEADY = 34.0
MEASURED = 20.0
"""Seconds from a call to the first call this much later: calls come in bursts of a window, so only whole windows say a rate."""
MINUTE = 60.0


class WallClock(SimClock):
    """Real time: processes have no other in common."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def run(module: str, told: list[Any]) -> None:
    """Let four processes call, to their end."""
    command = [sys.executable, "-m", f"tests.torture.{module}", json.dumps(told)]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    callers = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(PROCESSES)]
    try:
        assert [caller.wait(120) for caller in callers] == [0] * PROCESSES
    finally:
        for caller in callers:
            caller.kill()


def rate(spent: Sequence[tuple[float, int]], warm: float, measured: float) -> float:
    """What was spent in a second, of instants and costs in order."""
    first = next(at for at, _ in spent if at >= spent[0][0] + warm)
    last = next(at for at, _ in spent if at >= first + measured)
    return sum(cost for at, cost in spent if first <= at < last) / (last - first)


@pytest.mark.parametrize(("what", "allowed"), [("list", 19.0), ("search", 5.0)])
def test_four_processes_use_nearly_all_that_an_account_allows_and_are_never_refused(
    what: str, allowed: float, tmp_path: Path
) -> None:
    Store.open(f"sqlite:///{tmp_path / 'store.db'}").close()
    vendor = HubSpotVendor(WallClock(), hazards=Hazards(latency=0.0, lag=0.0))
    with serve(vendor) as server:
        run("hubspot_caller", [str(tmp_path), server.url, what, WARM + STEADY])
    used = rate([(at, 1) for at in sorted(entry.at.timestamp() for entry in vendor.log)], WARM, MEASURED)
    print(f"{what}: {used:.2f} of {allowed:g} calls a second, {100 * used / allowed:.0f} %, {vendor.refused} refused")
    assert vendor.refused == 0
    assert used >= 0.8 * allowed


class Mailroom(GoogleVendor):
    """A fake Google account that notes what each call costs, those of a batch each by itself."""

    def __init__(self, clock: SharedClock) -> None:
        super().__init__(clock, hazards=GoogleHazards(latency=0.0, lag=0.0))
        self.spent: dict[str, list[tuple[float, int]]] = {"calendar": [], "people": [], "gmail": []}

    def _count(self, api: str, cost: int) -> None:
        super()._count(api, cost)
        self.spent[api].append((self.clock.now().timestamp(), cost))


def test_four_processes_use_nearly_all_that_each_api_of_google_allows_and_are_never_refused(tmp_path: Path) -> None:
    """Each of them works with events, contacts and mail at once, by simulated time."""
    Store.open(f"sqlite:///{tmp_path / 'store.db'}").close()
    clock = SharedClock(PROCESSES * 3)
    vendor = Mailroom(clock)
    day = {"start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}}
    letter = b"From: ada@northgate.example.com\r\nSubject: Offer\r\n\r\nHello.\r\n"
    records = {
        "events": [f"{ADDRESS}/{vendor.make_event(day)}" for _ in range(20)],
        "contacts": [str(vendor.make_contact({"names": [{"givenName": "Ada"}]}))],
        "messages": [str(vendor.receive_mail(letter)) for _ in range(10)],
    }
    with serve(vendor) as server, shown(clock) as place:
        run("google_caller", [str(tmp_path), server.url, place, 6 * MINUTE, records])
    for api, allowed in (("calendar", 600 / 60), ("people", 90 / 60), ("gmail", 6000 / 60)):
        used = rate(vendor.spent[api], 1.2 * MINUTE, 3 * MINUTE)
        print(f"{api}: {used:.2f} of {allowed:g} a second, {100 * used / allowed:.0f} %, {vendor.refused} refused")
        assert used >= 0.8 * allowed
    assert vendor.refused == 0
