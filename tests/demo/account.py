"""The third side as its people see it: what is truly in the HubSpot sandbox, asked of the fake itself and not of its API."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aios_connect_hubspot.sandbox import TOKEN, HubSpotVendor

from aios_connect.sandbox import Call, RunningClock

__all__ = ["TOKEN", "Account"]

_STAGES: Final = {"appointmentscheduled": "Lead", "presentationscheduled": "Quote sent"}
_LAG: Final = timedelta(minutes=5)
"""Longer than any index lags."""


class Account:
    """A HubSpot account with its owners and nothing else, and everything on that is hard about HubSpot."""

    def __init__(self) -> None:
        self.vendor = HubSpotVendor(RunningClock(datetime.now(UTC) - timedelta(hours=8)), seed=7)
        for id, first, email in (("501", "Nora", "nora@example.com"), ("502", "Ines", "ines@example.com")):
            named = {"id": id, "email": email, "firstName": first, "lastName": "", "userId": int(id) + 7000, "type": "PERSON"}
            made = "2025-11-03T09:00:00.000Z"
            self.vendor.owners.append({**named, "createdAt": made, "updatedAt": made, "archived": False})

    def wait(self) -> None:
        """Until its index has caught up."""
        self.vendor.clock.sleep(_LAG.total_seconds())

    def change(self, email: str, **values: str) -> None:
        """Somebody changes a contact."""
        record = self.vendor.records["contacts"].by("email", email)
        assert record is not None, email
        self.vendor.records["contacts"].change(record.id, values, by="ann")

    def kill_after(self, writes: int, victim: Future[int]) -> None:
        """Kill a process when so many batches were written, before the answer to the last one is on its way.

        Args:
            writes: How many.
            victim: Its process id, as soon as it has one.
        """
        seen = 0

        def strike(call: Call) -> None:
            nonlocal seen
            seen += call.path.endswith("/batch/create")
            if seen == writes:
                self.vendor.after = lambda call: None
                os.kill(victim.result(60), signal.SIGKILL)

        self.vendor.after = strike

    def truth(self) -> dict[str, dict[str, Any]]:
        """What it says about people, companies and deals, in the words of no side."""
        records = {
            name: {record.id: record.values for record in self.vendor.records[name]}
            for name in ("contacts", "companies", "deals")
        }
        owners = {owner["id"]: owner["email"] for owner in self.vendor.owners}
        people = {
            f"{of['firstname']} {of['lastname']}": {
                "email": of.get("email", ""), "mobile": _digits(of.get("mobilephone", "")), "phone": _digits(of.get("phone", "")),
            }
            for of in records["contacts"].values()
        }  # fmt: skip
        companies = {
            of["name"]: {"phone": _digits(of.get("phone", "")), "website": of.get("website", ""), "city": of.get("city", "")}
            for of in records["companies"].values()
        }
        deals = {
            of["dealname"]: {
                "company": self._pointed_at(id, "companies", records["companies"], "name"),
                "contact": self._pointed_at(id, "contacts", records["contacts"], "email"),
                "stage": _STAGES.get(of["dealstage"], of["dealstage"]),
                "amount": f"{float(of['amount']):.2f}" if of.get("amount") else "",
                "closes": _day(of.get("closedate", "")),
                "owner": owners.get(of.get("hubspot_owner_id", ""), ""),
            }
            for id, of in records["deals"].items()
        }
        return {"people": people, "companies": companies, "deals": deals}

    def counts(self) -> dict[str, int]:
        """How many there are; two of one name are two."""
        names = {"companies": "companies", "people": "contacts", "deals": "deals"}
        return {name: len(self.vendor.records[object]) for name, object in names.items()}

    def _pointed_at(self, deal: int, to: str, records: dict[int, dict[str, str]], name: str) -> str:
        (*_, first) = ["", *(records[id].get(name, "") for id in self.vendor.associations.of("deals", deal, to))]
        return first


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)[-10:]


def _day(text: str) -> str:
    if text.isdigit():
        return f"{datetime.fromtimestamp(int(text) / 1000, UTC):%Y-%m-%d}"
    return text[:10]
