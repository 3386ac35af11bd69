"""The connector that the tutorial writes keeps every promise on a real Kinto, too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest

from aios_connect.connectors import Connector, Raw
from aios_connect.testing.conformance import Conformance, Sample, World
from aios_connect.testing.servers.kinto import KintoServer, kinto
from tests.page_reader import blocks
from tests.test_docs import CONNECTOR

pytestmark = pytest.mark.live


def written() -> type[Connector]:
    """The connector as it stands on the page."""
    (text,) = (block.text for block in blocks("", CONNECTOR.read_text("utf-8")) if block.value.endswith("/connector.py"))
    names: dict[str, Any] = {"__name__": "notebook"}
    exec(compile(text, CONNECTOR.name, "exec"), names)
    connector: type[Connector] = names["Notebook"]
    return connector


class InBucket(httpx2.HTTPTransport):
    """Goes to another bucket than ``notebook``."""

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.raw_path.replace(b"/buckets/notebook/", f"/buckets/{self._bucket}/".encode(), 1)
        request.url = request.url.copy_with(raw_path=path)
        return super().handle_request(request)


class NotebookWorld(World):
    """A fresh bucket whose contacts are made of texts."""

    server: ClassVar[KintoServer]
    connector = written()
    offline = False
    samples: ClassVar[Mapping[str, Sample]] = {
        "contacts": Sample(lambda n: {"first": f"Ann {n}", "last": "Lee"}, text="first", bad={"email": 7})
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.sleep((datetime.now(UTC) - self.clock.now()).total_seconds())
        self.bucket = self.server.fresh()
        self.settings = {"url": self.bucket.url, "user": self.bucket.user}
        self.secrets = {"password": self.bucket.password}
        texts = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
        self.bucket.request("PUT", "", {})
        self.bucket.request("PUT", "collections/contacts", {"schema": texts})
        self._through = InBucket(self.bucket.name)

    def transport(self) -> httpx2.BaseTransport:
        return self._through

    def close(self) -> None:
        super().close()
        self._through.close()

    def wait(self, seconds: float = 0.0) -> None:
        """Nothing lags here, and the provider's clock is a real one."""

    def make(self, object: str, values: Raw) -> str:
        made: str = self.bucket.request("POST", f"collections/{object}/records", values)["data"]["id"]
        return made

    def change(self, object: str, id: str, values: Raw) -> None:
        self.bucket.request("PATCH", f"collections/{object}/records/{id}", values)

    def remove(self, object: str, id: str) -> None:
        self.bucket.request("DELETE", f"collections/{object}/records/{id}")

    def truth(self, object: str) -> dict[str, Raw]:
        told: list[Raw] = self.bucket.request("GET", f"collections/{object}/records")["data"]
        return {raw["id"]: raw for raw in told}


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    try:
        running = kinto(tmp_path_factory.mktemp("kinto"))
        NotebookWorld.server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no Kinto here: {error}")
    yield
    running.__exit__(None, None, None)


class TestNotebook(Conformance):
    world = NotebookWorld
    test_the_suite_itself_is_offline_and_never_waits = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _offline(self) -> None:
        """Loopback is what this is about; that no test goes further is seen to for all tests."""
