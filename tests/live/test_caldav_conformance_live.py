"""The conformance suite on a real Radicale and a real Xandikos."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx2
import pytest
from aios_connect_caldav import CalDav
from aios_connect_caldav.cards import Cards
from aios_connect_caldav.dav import path_of
from aios_connect_caldav.events import Events
from aios_connect_caldav.formats import Format

from aios_connect.connectors import Raw
from aios_connect.testing.conformance import Conformance, Sample, World
from aios_connect.testing.conformance.wire import Sent
from aios_connect.testing.servers.dav import DavServer, radicale, xandikos

pytestmark = pytest.mark.live

FIRST = datetime(2026, 11, 2, 9, tzinfo=UTC)
FORMATS: Mapping[str, Format] = {"events": Events(), "contacts": Cards()}
KINDS = {b"<sync-collection": "sync", b"multiget": "get", b"-query": "find"}


class ShortCalDav(CalDav):
    """CalDAV with short pages, so that a few resources make several."""

    spec = replace(
        CalDav.spec,
        objects={name: replace(spec, page_size=5, scan_size=5, lookup_size=20) for name, spec in CalDav.spec.objects.items()},
    )


def day(n: int) -> str:
    return (FIRST + timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


class DavWorld(World):
    """A fresh calendar and a fresh address book; a page is a question for what changed, and one for each so many resources."""

    server: ClassVar[DavServer]
    connector = ShortCalDav
    pages = r"(sync|get)"
    writes = r"(PUT|DELETE) "
    calls_to_read = 6
    samples: ClassVar[Mapping[str, Sample]] = {
        "events": Sample(
            lambda n: {"summary": f"Event {n}", "start": day(n), "end": day(n), "location": "Oslo", "timezone": "Europe/Oslo"},
            text="summary",
            bad={"show_as": "imagined"},
        ),
        "contacts": Sample(
            lambda n: {
                "name": {"given": f"Ann {n}", "family": "Lee"},
                "email": {"work": f"ann{n}@example.com"},
                "title": f"No {n}",
            },
            text="title",
            bad={"tel": {"imagined": "1"}},
        ),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.sleep((datetime.now(UTC) - self.clock.now()).total_seconds())
        self.place = self.server.fresh()
        self.settings = {
            "url": self.place.url,
            "user": self.place.user,
            "calendars": self.place.calendar,
            "addressbooks": self.place.book,
            "timezone": "UTC",
        }
        self.secrets = {"password": self.place.password}
        self._through = httpx2.HTTPTransport()
        self._count = 0

    def transport(self) -> httpx2.BaseTransport:
        return self._through

    def close(self) -> None:
        super().close()
        self._through.close()

    def wait(self, seconds: float = 0.0) -> None:
        """Nothing lags here, and the provider's clock is a real one."""

    def label(self, sent: Sent) -> str:
        kind = next((kind for word, kind in KINDS.items() if word in sent.body), "") if sent.method == "REPORT" else ""
        return kind or super().label(sent)

    def make(self, object: str, values: Raw) -> str:
        self._count += 1
        uid = f"theirs-{self._count:04}"
        place = self.place.calendar if object == "events" else self.place.book
        path = path_of(f"{place}{uid}{FORMATS[object].suffix}")
        self.place.request("PUT", path, FORMATS[object].made(uid, values, self.clock.now()), type=FORMATS[object].type)
        return path

    def change(self, object: str, id: str, values: Raw) -> None:
        text = FORMATS[object].changed(self.place.request("GET", id), values, self.clock.now())
        self.place.request("PUT", id, text, type=FORMATS[object].type)

    def remove(self, object: str, id: str) -> None:
        self.place.request("DELETE", id)

    def truth(self, object: str) -> dict[str, Raw]:
        place = self.place.calendar if object == "events" else self.place.book
        listed = self.place.request("PROPFIND", place, Depth="1")
        paths = {path_of(part.partition("</")[0]) for part in listed.split("href>")[1:]}
        mine = [path for path in paths if path.endswith(FORMATS[object].suffix)]
        return {path: {"id": path, **FORMATS[object].read(self.place.request("GET", path))} for path in sorted(mine)}


def _started(start: Callable[[Path], AbstractContextManager[DavServer]], folder: Path) -> Iterator[None]:
    try:
        running = start(folder)
        DavWorld.server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no server here: {error}")
    yield
    running.__exit__(None, None, None)


class Live(Conformance):
    """The suite, with loopback permitted; that no test goes further is seen to for all tests."""

    world = DavWorld
    test_the_suite_itself_is_offline_and_never_waits = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _offline(self) -> None:
        """Loopback is what this is about."""


class TestRadicale(Live):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        yield from _started(radicale, tmp_path_factory.mktemp("radicale"))


class TestXandikos(Live):
    # On plain HTTP it asks nobody for a password.
    test_bad_credentials_fail_the_check_and_say_how_to_go_on = None  # type: ignore[assignment]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        yield from _started(xandikos, tmp_path_factory.mktemp("xandikos"))
