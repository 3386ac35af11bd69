"""The engine between real servers: a Kinto and an address book, and a calendar on each of two servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from aios_connect.connection import Connection
from aios_connect.connectors import Connector
from aios_connect.mappings import load
from aios_connect.store import Store
from aios_connect.sync import apply_plan, load_plan, make_plan, read_job
from aios_connect.sync.jobs import Job, KindRule
from aios_connect.testing.servers.dav import DavPlace, radicale, xandikos
from aios_connect.testing.servers.kinto import kinto
from tests.connectors import caldav_story, kinto_story

from .caldav_office import calendar, card

pytestmark = pytest.mark.live

MAPPINGS = Path(__file__).parents[2] / "mappings"


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


class InStep:
    """Two connections and the job between them."""

    def __init__(self, kind: str, folder: Path, store: Store, **connectors: Connector) -> None:
        names = tuple(connectors)
        self.job = Job(job="step", connections=names, kinds={kind: KindRule(between=names, create=names)})
        self.connections = {
            name: Connection(
                name,
                connector,
                [
                    mapping
                    for file in sorted((MAPPINGS / connector.spec.provider).glob("*.yaml"))
                    if (mapping := load(file)).kind == kind
                ],
            )
            for name, connector in connectors.items()
        }
        self._folder = folder
        self._store = store

    def run(self) -> int:
        """Read, plan, apply; how many lines were written to a vendor."""
        read_job(self.job, self.connections, self._store, run="run_read", now=_now)
        path = self._folder / "plan.jsonl"
        make_plan(self.job, self.connections, self._store, path, now=_now)
        written = sum(1 for line in load_plan(path).lines() if not line.local)
        assert apply_plan(path, self.job, self.connections, self._store, now=_now).clean
        return written


def _now() -> datetime:
    return datetime.now(UTC)


def _way(stack: ExitStack) -> httpx2.HTTPTransport:
    transport = httpx2.HTTPTransport()
    stack.callback(transport.close)
    return transport


def _dav(stack: ExitStack, there: DavPlace) -> Connector:
    settings = {"calendars": there.calendar, "addressbooks": there.book}
    return caldav_story.connector(_way(stack), there.url, there.user, there.password, settings=settings)


def _started(stack: ExitStack, start: object, folder: Path) -> object:
    try:
        return stack.enter_context(start(folder))  # type: ignore[operator]
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no server here: {error}")


def test_a_person_of_the_address_book_is_a_person_of_kinto(servers: ExitStack, store: Store, tmp_path: Path) -> None:
    bucket = _started(servers, kinto, tmp_path / "kinto").fresh()  # type: ignore[attr-defined]
    book: DavPlace = _started(servers, radicale, tmp_path / "radicale").fresh()  # type: ignore[attr-defined]
    crm = kinto_story.connector(_way(servers), bucket.url, bucket.user, bucket.password, bucket.name)
    crm.provision()
    step = InStep("person", tmp_path, store, crm=crm, phone=_dav(servers, book))
    lines = ("N:Lee;Sam;;;", "FN:Sam Lee", "TEL;TYPE=CELL:+15035550142", "EMAIL;TYPE=WORK:sam@example.com", "X-MINE:stays")
    book.request("PUT", f"{book.book}sam.vcf", card("sam@x", *lines), type="text/vcard")
    bucket.request("PUT", "collections/people/records/zoe", {"name": {"given": "Zoë", "family": "King"}, "notes": "Ours"})
    assert step.run() == 2
    assert step.run() == 0
    people = {raw["name"]["family"]: raw for raw in bucket.request("GET", "collections/people/records")["data"]}
    assert (people["Lee"]["phone"]["mobile"], people["Lee"]["email"]["work"]) == ("+15035550142", "sam@example.com")
    bucket.request("PATCH", f"collections/people/records/{people['Lee']['id']}", {"phone": {"mobile": "+15035550199"}})
    assert step.run() == 1
    told = book.request("GET", f"{book.book}sam.vcf").replace("\r\n", "\n")
    assert "TEL;TYPE=CELL:+15035550199\n" in told
    assert "X-MINE:stays\n" in told
    assert step.run() == 0


def test_an_event_on_one_server_is_an_event_on_the_other(servers: ExitStack, store: Store, tmp_path: Path) -> None:
    one: DavPlace = _started(servers, radicale, tmp_path / "radicale").fresh()  # type: ignore[attr-defined]
    other: DavPlace = _started(servers, xandikos, tmp_path / "xandikos").fresh()  # type: ignore[attr-defined]
    step = InStep("event", tmp_path, store, office=_dav(servers, one), home=_dav(servers, other))
    times = ("DTSTART;TZID=Europe/Paris:20261124T090000", "DTEND;TZID=Europe/Paris:20261124T103000")
    one.request("PUT", f"{one.calendar}walk.ics", calendar("walk", *times, "SUMMARY:Site walk"), type="text/calendar")
    closed = calendar("closed", "DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "SUMMARY:Closed")
    other.request("PUT", f"{other.calendar}closed.ics", closed, type="text/calendar")
    assert step.run() == 2
    assert step.run() == 0
    (copied,) = [
        raw for page in step.connections["home"].connector.read("events") for raw in page.records if raw["summary"] == "Site walk"
    ]
    assert (copied["start"], copied["timezone"]) == ("2026-11-24T08:00:00Z", "Europe/Paris")
    moved = calendar("walk", *(line.replace("T09", "T14").replace("T10", "T15") for line in times), "SUMMARY:Site walk")
    one.request("PUT", f"{one.calendar}walk.ics", moved, type="text/calendar")
    assert step.run() == 1
    (copied,) = step.connections["home"].connector.lookup("events", [copied["id"]])
    assert (copied["start"], copied["end"]) == ("2026-11-24T13:00:00Z", "2026-11-24T14:30:00Z")
    assert step.run() == 0
