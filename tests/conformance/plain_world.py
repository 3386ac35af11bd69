"""The world of plain: the reference vendor of the torture rig, as the conformance suite sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aios_connect.connectors import Limit, Raw
from aios_connect.sandbox import Call, route
from aios_connect.testing.conformance import Sample, VendorWorld
from tests.torture import plain_connector
from tests.torture.plain_vendor import KEY, PlainVendor

__all__ = ["PlainWorld"]


class Spoilt(PlainVendor):
    """A plain server some of whose records are damaged."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.spoilt: set[str] = set()
        self.more: dict[str, str] = {}

    @route("GET", "/api/{object}/fields")
    def fields(self, call: Call, object: str) -> Any:
        told = super().fields(call, object)
        return {**told, "fields": {**told["fields"], **self.more}}

    @route("GET", "/api/{object}")
    def list(self, call: Call, object: str) -> Any:
        page = super().list(call, object)
        page["items"] = [{"id": item["id"], "rest": None} if item["id"] in self.spoilt else item for item in page["items"]]
        return page


class PlainByDay(plain_connector.Plain):
    """Plain with a limit of the day, which the suite lets run out."""

    spec = replace(
        plain_connector.Plain.spec,
        limits=(
            *plain_connector.Plain.spec.limits,
            Limit(100_000, 86_400.0, source="tests/conformance/plain_world.py", left="X-Plain-Left-Today"),
        ),
    )


class PlainWorld(VendorWorld):
    """One plain server, with small pages."""

    connector = PlainByDay
    settings = {"url": "http://plain.example"}
    secrets = {"key": KEY}
    page_size = 4
    writes = r"POST /api/\w+/batch"
    pages = r"GET /api/\w+(/ids)?$(?<!/me)"
    mappings = Path(__file__).parents[1] / "torture" / "mappings"
    lag = 60.0
    samples = {
        "companies": Sample(
            lambda n: {"name": f"Company {n}", "domain": f"c{n}.example.com", "phone": f"+44207946{n % 10000:04}"},
            text="name",
            bad={"domain": "x" * 100},
        ),
        "people": Sample(
            lambda n: {"first": f"Ann {n}", "last": "Lee", "email": f"ann{n}@example.com", "title": "Owner"},
            text="first",
            bad={"last": "x" * 100},
            link=("company", "companies"),
        ),
        "deals": Sample(
            lambda n: {"name": f"Deal {n}", "value": f"{n}.5", "stage": "offered"},
            text="name",
            bad={"stage": "imagined"},
            link=("company", "companies"),
        ),
    }

    def vendor(self) -> Spoilt:
        return Spoilt(clock=self.clock, page_size=self.page_size, grain=timedelta(microseconds=1))

    def make(self, object: str, values: Raw) -> str:
        return str(self.provider.shelves[object].create(values, by="a person").id)

    def change(self, object: str, id: str, values: Raw) -> None:
        self.provider.shelves[object].change(id, values, by="a person")

    def remove(self, object: str, id: str) -> None:
        self.provider.drop(object, id, by="a person")

    def merge(self, object: str, id: str, survivor: str) -> str:
        self.provider.drop(object, id, survivor=survivor, by="a person")
        return survivor

    def spoil(self, object: str, id: str) -> None:
        self.provider.spoilt.add(id)

    def add_field(self, object: str, path: str) -> None:
        self.provider.more[path] = "text"

    def slow_index(self, seconds: float) -> None:
        for shelf in self.provider.shelves.values():
            shelf.slow(seconds)

    def truth(self, object: str) -> dict[str, Raw]:
        return {item.id: {"id": item.id, "version": str(item.version), **item.values} for item in self.provider.shelves[object]}
