"""A fake account for people to play with: its time runs, its company is there."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from aios_connect.sandbox import Outbox, Playground, RunningClock, Target

from ._account import TOKEN, Hazards
from ._company import furnish
from ._vendor import HubSpotVendor

__all__ = ["playground"]

_FURNISHING = timedelta(hours=4)


def playground(*, seed: int = 0, hazards: bool = True) -> Playground:
    """An account with a company in it, as its people left it a moment ago.

    Args:
        seed: The same seed gives the same lags and orders.
        hazards: Everything that is hard about HubSpot is on; calls take as long as they take.
    """
    clock = RunningClock(datetime.now(UTC) - _FURNISHING)
    held = replace(Hazards(), latency=0.0) if hazards else Hazards.none()
    vendor = furnish(HubSpotVendor(clock, hazards=held, seed=seed))
    clock.catch_up(datetime.now(UTC))

    def subscribe(target: Target, url: str) -> Outbox:
        return vendor.subscribe(target, url=url, seed=seed)

    contents = {"owners": len(vendor.owners), **{object: len(records) for object, records in vendor.records.items()}}
    return Playground("hubspot", vendor, TOKEN, contents, _told(held) if hazards else {}, subscribe)


def _told(hazards: Hazards) -> dict[str, tuple[str, str]]:
    """Each hazard that is on, how hard it is, and what its documentation says of it."""
    words = dict(re.findall(r"^ +(\w+): (.+)$", (Hazards.__doc__ or "").replace("``", ""), re.MULTILINE))
    return {
        name: (f"{value:g}" if not isinstance(value, bool) else "on", words[name])
        for name, value in asdict(hazards).items()
        if value
    }
