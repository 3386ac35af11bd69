"""A real BottleCRM as a world of the conformance suite: a fresh organization for every test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import httpx2
from aios_connect_bottlecrm import BottleCRM

from aios_connect.connectors import Raw
from aios_connect.testing.conformance import Sample, World
from aios_connect.testing.conformance.wire import Sent
from aios_connect.testing.servers.bottlecrm import BottleCRMCompany, BottleCRMServer

__all__ = ["BottleCRMWorld", "People"]

PATHS = {"leads": "leads", "contacts": "contacts", "accounts": "accounts", "deals": "opportunities", "tasks": "tasks"}
ONE = {"leads": "lead_obj", "contacts": "contact_obj", "accounts": "account_obj", "deals": "opportunity_obj", "tasks": "task_obj"}
NOBODY = "00000000-0000-0000-0000-000000000000"


class ShortBottleCRM(BottleCRM):
    """BottleCRM with short pages, so that a few records make several."""

    spec = replace(
        BottleCRM.spec,
        objects={name: replace(spec, page_size=2, scan_size=3, lookup_size=3) for name, spec in BottleCRM.spec.objects.items()},
    )


class People:
    """The people of one organization, who know nothing of our code.

    Args:
        company: The organization.
    """

    def __init__(self, company: BottleCRMCompany) -> None:
        self.company = company

    def make(self, object: str, values: Raw) -> str:
        """A new record; its id."""
        before = {} if object != "tasks" else {row["id"] for row in self.rows(object)}
        told = self.company.request("POST", f"/api/{PATHS[object]}/", values)
        if object != "tasks":
            return str(told["id"])
        (id,) = (row["id"] for row in self.rows(object) if row["id"] not in before)
        return str(id)

    def change(self, object: str, id: str, values: Raw) -> None:
        """Other values for a record."""
        self.company.request("PATCH", f"/api/{PATHS[object]}/{id}/", values)

    def remove(self, object: str, id: str) -> None:
        """A record is deleted."""
        self.company.request("DELETE", f"/api/{PATHS[object]}/{id}/")

    def one(self, object: str, id: str) -> Raw:
        """A record as BottleCRM shows it."""
        told: Raw = self.company.request("GET", f"/api/{PATHS[object]}/{id}/")[ONE[object]]
        return told

    def rows(self, object: str) -> list[Raw]:
        """The whole list."""
        told: Any = self.company.request("GET", f"/api/{PATHS[object]}/?limit=1000&slim=true")
        match object:
            case "leads":
                return [*told["open_leads"]["open_leads"], *told["close_leads"]["close_leads"]]
            case "accounts":
                return [*told["active_accounts"]["open_accounts"], *told["closed_accounts"]["close_accounts"]]
            case "contacts":
                return list(told["results"])
            case _:
                return list(told[PATHS[object]])


class BottleCRMWorld(World):
    """A fresh organization.

    The suite tries one object of each profile with every fault. Deals stand for accounts and tasks, of which BottleCRM's lists take
    longest; ``test_bottlecrm_live.py`` has what is special about those.

    Attributes:
        server: Where it is.
        way: The way there, the same for all tests: to make one takes longer than most requests.
    """

    server: ClassVar[BottleCRMServer]
    way: ClassVar[httpx2.BaseTransport]
    connector = ShortBottleCRM
    pages = r"GET /api/[a-z]+/\?list$"
    writes = r"(POST|PUT|PATCH|DELETE) (?!probe)"
    samples: ClassVar[Mapping[str, Sample]] = {
        "deals": Sample(
            lambda n: {
                "name": f"Deal {n}",
                "amount": f"{n}.50",
                "currency": "EUR",
                "stage": "PROPOSAL",
                "description": f"Note {n}",
            },
            text="description",
            bad={"stage": "IMAGINED"},
        ),
        "contacts": Sample(
            lambda n: {"first_name": "Ann", "last_name": f"Lee {n}", "email": f"ann{n}@example.com", "description": f"Note {n}"},
            text="description",
            bad={"country": "Atlantis"},
            link=("account", "accounts"),
        ),
        "leads": Sample(
            lambda n: {"first_name": "Wen", "last_name": f"Zhao {n}", "email": f"wen{n}@example.com", "description": f"Note {n}"},
            text="description",
            bad={"probability": 500},
        ),
        "accounts": Sample(
            lambda n: {"name": f"Company {n}", "description": f"Note {n}", "annual_revenue": f"{n}000.50", "currency": "EUR"},
            text="description",
            bad={"industry": "imagined"},
        ),
        "tasks": Sample(
            lambda n: {"title": f"Task {n}", "status": "New", "priority": "Low", "description": f"Note {n}"},
            text="description",
            bad={"status": "imagined"},
        ),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.sleep((datetime.now(UTC) - self.clock.now()).total_seconds())
        self.settings = {"url": self.server.url}

    @cached_property
    def people(self) -> People:
        return People(self.server.fresh())

    @property
    def secrets(self) -> Mapping[str, str]:  # type: ignore[override]
        return {"key": self.people.company.token}

    def transport(self) -> httpx2.BaseTransport:
        return self.way

    def label(self, sent: Sent) -> str:
        if NOBODY in sent.path:
            return f"{sent.method} probe"
        return super().label(sent) + ("?list" if "offset=" in sent.url else "")

    def wait(self, seconds: float = 0.0) -> None:
        """Nothing lags here, and the provider's clock is a real one."""

    def make(self, object: str, values: Raw) -> str:
        return self.people.make(object, values)

    def change(self, object: str, id: str, values: Raw) -> None:
        self.people.change(object, id, values)

    def remove(self, object: str, id: str) -> None:
        self.people.remove(object, id)

    def truth(self, object: str) -> dict[str, Raw]:
        rows = self.people.rows(object)
        if object == "tasks":
            rows = [self.people.one(object, row["id"]) for row in rows]
        paths = {*self.samples[object].new(0), "id", "account"}
        return {row["id"]: {path: _plain(row[path]) for path in paths & row.keys()} for row in rows}


def _plain(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) and "id" in value else value
