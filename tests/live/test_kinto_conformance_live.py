"""The conformance suite on a real Kinto."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest
from aios_connect_kinto import Kinto

from aios_connect.connectors import Raw
from aios_connect.testing.conformance import Conformance, Sample, World
from aios_connect.testing.conformance.wire import Sent
from aios_connect.testing.servers.kinto import KintoServer, kinto

pytestmark = pytest.mark.live


class ShortKinto(Kinto):
    """Kinto with short pages, so that a few records make several."""

    spec = replace(
        Kinto.spec,
        objects={name: replace(spec, page_size=5, scan_size=5, lookup_size=20) for name, spec in Kinto.spec.objects.items()},
    )


def laid(raw: Raw, values: Raw) -> Raw:
    """The record with these values, objects merged."""
    return {
        **raw,
        **{name: laid(raw.get(name) or {}, value) if isinstance(value, dict) else value for name, value in values.items()},
    }


class KintoWorld(World):
    """A fresh bucket."""

    server: ClassVar[KintoServer]
    connector = ShortKinto
    pages = r"GET /v1/buckets/\w+/collections/\w+/records$"
    writes = r"POST /v1/batch"
    samples: ClassVar[Mapping[str, Sample]] = {
        "companies": Sample(lambda n: {"name": f"Company {n}", "employees": n}, text="name", bad={"employees": "many"}),
        "people": Sample(
            lambda n: {"name": {"given": f"Ann {n}", "family": "Lee"}, "email": {"work": f"ann{n}@example.com"}},
            text="name.given",
            bad={"tags": "none"},
            link=("company", "companies"),
        ),
        "deals": Sample(
            lambda n: {"name": f"Deal {n}", "amount": {"value": f"{n}.5", "currency": "EUR"}},
            text="name",
            bad={"tags": "none"},
            link=("company", "companies"),
        ),
        "tasks": Sample(
            lambda n: {"subject": f"Task {n}", "status": "open"},
            text="subject",
            bad={"status": "imagined"},
            link=("deal", "deals"),
        ),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.sleep((datetime.now(UTC) - self.clock.now()).total_seconds())
        self.bucket = self.server.fresh()
        self.settings = {"url": self.bucket.url, "user": self.bucket.user, "bucket": self.bucket.name}
        self.secrets = {"password": self.bucket.password}
        self.bucket.request("PUT", "", {})
        for object in self.samples:
            self.bucket.request("PUT", f"collections/{object}", {"schema": _schema(object)})
        self._through = httpx2.HTTPTransport()

    def transport(self) -> httpx2.BaseTransport:
        return self._through

    def close(self) -> None:
        super().close()
        self._through.close()

    def label(self, sent: Sent) -> str:
        return super().label(sent) + ("?in_id" if "in_id" in sent.url else "")

    def wait(self, seconds: float = 0.0) -> None:
        """Nothing lags here, and the provider's clock is a real one."""

    def make(self, object: str, values: Raw) -> str:
        made: str = self.bucket.request("POST", f"collections/{object}/records", values)["data"]["id"]
        return made

    def change(self, object: str, id: str, values: Raw) -> None:
        place = f"collections/{object}/records/{id}"
        before = self.bucket.request("GET", place)["data"]
        whole = laid({name: value for name, value in before.items() if name not in ("last_modified", "schema")}, values)
        self.bucket.request("PUT", place, whole)

    def remove(self, object: str, id: str) -> None:
        self.bucket.request("DELETE", f"collections/{object}/records/{id}")

    def truth(self, object: str) -> dict[str, Raw]:
        told: list[Raw] = self.bucket.request("GET", f"collections/{object}/records")["data"]
        return {raw["id"]: raw for raw in told}


def _schema(object: str) -> Any:
    from aios_connect_kinto.layout import LAYOUT

    return LAYOUT[object]


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    try:
        running = kinto(tmp_path_factory.mktemp("kinto"))
        KintoWorld.server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no Kinto here: {error}")
    yield
    running.__exit__(None, None, None)


class TestKinto(Conformance):
    world = KintoWorld
    test_the_suite_itself_is_offline_and_never_waits = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _offline(self) -> None:
        """Loopback is what this is about; that no test goes further is seen to for all tests."""
