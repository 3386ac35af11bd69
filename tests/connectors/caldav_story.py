"""A short story that a connector tells: once with real servers, to be recorded, and offline ever after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aios_connect_caldav import CalDav

from aios_connect.connectors import Change, Context, CursorGoneError, Http, Receipt
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore

__all__ = ["ADDRESS", "CASSETTES", "connector", "outcomes", "tell"]

ADDRESS = "https://dav.example.com"
CASSETTES = Path(__file__).parents[2] / "cassettes" / "caldav"
MONDAY, SATURDAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)


def connector(
    transport: httpx2.BaseTransport, url: str, user: str, password: str, *, attempts: int = 6, settings: Mapping[str, str] = {}
) -> CalDav:
    """A connector whose clock stands still."""

    def now() -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    tokens = MemoryTokenStore(now=now)
    tokens.put("calendar", {"password": password})
    told = {"url": url, "user": user, "timezone": "UTC", **settings}
    credentials = Credentials("calendar", CalDav.spec.auth[0], tokens, settings=told, now=now, sleep=lambda _: None)
    http = Http(
        provider="caldav",
        base_url=url,
        credentials=credentials,
        transport=transport,
        now=now,
        sleep=lambda _: None,
        attempts=attempts,
    )
    return CalDav(Context("calendar", told, credentials, http, now, lambda _: None, Path()))


def tell(caldav: CalDav) -> dict[str, Any]:
    """A contact and two events are made, one is moved, an outdated change is refused, one goes. What came of it."""
    identity = caldav.check()
    patch = {"name": {"given": "Zoë", "family": "O'Hara"}, "email": {"work": "zoe@harbor.example.com"}, "org": "Harbor Lane"}
    (person,) = caldav.write("contacts", [Change("create", "plan.1", patch=patch, key="person_1")])
    walk = {
        "summary": "Site walk",
        "location": "9 Pier Lane; back door",
        "start": "2026-11-24T09:00:00Z",
        "end": "2026-11-24T10:30:00Z",
        "timezone": "Europe/Paris",
    }
    closed = {
        "summary": "Closed",
        "start": "2026-11-26T00:00:00Z",
        "end": "2026-11-27T00:00:00Z",
        "all_day": True,
        "show_as": "FREE",
    }
    first, other = caldav.write(
        "events",
        [Change("create", "plan.2", patch=walk, key="event_1"), Change("create", "plan.3", patch=closed, key="event_2")],
    )
    (twice,) = caldav.write("events", [Change("create", "plan.2", patch=walk, key="event_1")])
    (read,) = caldav.read("events")
    later = {"start": "2026-11-24T13:00:00Z", "end": "2026-11-24T14:30:00Z"}
    (moved,) = caldav.write("events", [Change("update", "plan.4", first.id, later, version=first.version)])
    (stale,) = caldav.write("events", [Change("update", "plan.5", first.id, {"summary": "Lost"}, version=first.version)])
    busy = caldav.busy(MONDAY, SATURDAY)
    takes_place = caldav.occurrences(MONDAY, SATURDAY)
    (gone,) = caldav.write("events", [Change("delete", "plan.6", other.id, version=other.version)])
    (changed,) = caldav.read("events", read.cursor)
    try:
        list(caldav.read("events", {"tokens": dict.fromkeys(read.cursor["tokens"], "urn:forgotten")}))
        forgotten = False
    except CursorGoneError:
        forgotten = True
    return {
        "identity": identity,
        "receipts": {
            "person": person,
            "first": first,
            "other": other,
            "twice": twice,
            "moved": moved,
            "stale": stale,
            "gone": gone,
        },
        "read": read,
        "changed": changed,
        "contacts": [raw for page in caldav.read("contacts") for raw in page.records],
        "busy": busy,
        "occurrences": takes_place,
        "forgotten": forgotten,
        "scan": [item for page in caldav.scan("events") for item in page.items],
        "found": caldav.find("events", ["event_1", "event_2"]),
    }


def outcomes(told: dict[str, Receipt]) -> dict[str, str]:
    """What became of each change."""
    return {name: receipt.outcome for name, receipt in told.items()}
