"""A fake organisation for people to play with: its time runs, its company is there."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from aios_connect.sandbox import Playground, RunningClock

from ._company import furnish
from ._organisation import REFRESH, Hazards
from ._vendor import SalesforceVendor

__all__ = ["playground"]

_FURNISHING = timedelta(hours=4)


def playground(*, seed: int = 0, hazards: bool = True) -> Playground:
    """An organisation with a company in it, as its people left it a moment ago. It has two currencies.

    Args:
        seed: The same seed gives the same organisation.
        hazards: Everything that is hard about Salesforce is on; calls take as long as they take.
    """
    clock = RunningClock(datetime.now(UTC) - _FURNISHING)
    held = replace(Hazards(), latency=0.0) if hazards else Hazards.none()
    vendor = furnish(SalesforceVendor(clock, hazards=held, seed=seed, currencies=("NOK", "EUR")))
    clock.catch_up(datetime.now(UTC))
    contents = {object: len(vendor.records[object]) for object in SHOWN}
    told = _told(held) if hazards else {}
    secrets = f"sandbox-client-secret\n{REFRESH}"
    return Playground("salesforce", vendor, secrets, contents, told, settings={"client_id": "sandbox"})


SHOWN = ("User", "Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "Task", "Event")
"""The objects that are counted."""


def _told(hazards: Hazards) -> dict[str, tuple[str, str]]:
    """Each hazard that is on, how hard it is, and what its documentation says of it."""
    words = dict(re.findall(r"^ +(\w+): (.+)$", (Hazards.__doc__ or "").replace("``", ""), re.MULTILINE))
    return {
        name: (f"{value:g}" if not isinstance(value, bool) else "on", words[name])
        for name, value in asdict(hazards).items()
        if value
    }
