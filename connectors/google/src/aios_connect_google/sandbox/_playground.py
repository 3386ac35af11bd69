"""A fake account for people to play with: its time runs, its people's things are there."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime

from aios_connect.sandbox import Outbox, Playground, RunningClock, Target

from ._account import REFRESH, Hazards
from ._company import furnish
from ._vendor import GoogleVendor

__all__ = ["playground"]


def playground(*, seed: int = 0, hazards: bool = True) -> Playground:
    """An account as its owner left it a moment ago.

    Args:
        seed: The same seed gives the same lags and orders.
        hazards: Everything that is hard about Google is on; calls take as long as they take.
    """
    held = replace(Hazards(), latency=0.0) if hazards else Hazards.none()
    vendor = furnish(GoogleVendor(RunningClock(datetime.now(UTC)), hazards=held, seed=seed))

    def subscribe(target: Target, url: str) -> Outbox:
        return vendor.notices.subscribe(target, seed=seed)

    return Playground(
        "google",
        vendor,
        f"sandbox-client-secret\n{REFRESH}",
        vendor.contents(),
        _told(held) if hazards else {},
        subscribe,
        settings={"client_id": "sandbox", "oauth_url": "{url}"},
        kind="event",
    )


def _told(hazards: Hazards) -> dict[str, tuple[str, str]]:
    """Each hazard that is on, how hard it is, and what its documentation says of it."""
    words = dict(re.findall(r"^ +(\w+): (.+)$", (Hazards.__doc__ or "").replace("``", ""), re.MULTILINE))
    return {
        name: (f"{value:g}" if not isinstance(value, bool) else "on", words[name])
        for name, value in asdict(hazards).items()
        if value
    }
