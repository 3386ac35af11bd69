"""Four processes on one HubSpot account use nearly all that it allows, and are never refused; counted by the fake account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aios_connect_hubspot.sandbox import Hazards, HubSpotVendor

from aios_connect.sandbox import SimClock, serve
from aios_connect.store import Store

pytestmark = pytest.mark.torture

ROOT = Path(__file__).parents[2]
PROCESSES = 4
WARM = 12.0
"""Seconds until the first burst, which finds the window empty, has left it."""
STEADY = 34.0
MEASURED = 20.0
"""Seconds from a call to the first call this much later: calls come in bursts of a window, so only whole windows say a rate."""


class WallClock(SimClock):
    """Real time: processes have no other in common."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.mark.parametrize(("what", "allowed"), [("list", 19.0), ("search", 5.0)])
def test_four_processes_use_nearly_all_that_an_account_allows_and_are_never_refused(
    what: str, allowed: float, tmp_path: Path
) -> None:
    Store.open(f"sqlite:///{tmp_path / 'store.db'}").close()
    vendor = HubSpotVendor(WallClock(), hazards=Hazards(latency=0.0, lag=0.0))
    with serve(vendor) as server:
        told = json.dumps([str(tmp_path), server.url, what, WARM + STEADY])
        command = [sys.executable, "-m", "tests.torture.hubspot_caller", told]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        callers = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(PROCESSES)]
        try:
            assert [caller.wait(120) for caller in callers] == [0] * PROCESSES
        finally:
            for caller in callers:
                caller.kill()
    calls = sorted(entry.at.timestamp() for entry in vendor.log)
    first = next(at for at in calls if at >= calls[0] + WARM)
    last = next(at for at in calls if at >= first + MEASURED)
    rate = sum(first <= at < last for at in calls) / (last - first)
    print(f"{what}: {rate:.2f} of {allowed:g} calls a second, {100 * rate / allowed:.0f} %, {vendor.refused} refused")
    assert vendor.refused == 0
    assert rate >= 0.8 * allowed
