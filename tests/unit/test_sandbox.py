"""A fake vendor does the same every time, in process and on a port, and its faults are what they say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest

from aios_connect.connectors import Request
from aios_connect.errors import ConfigError
from aios_connect.sandbox import (
    FAULTS,
    Answer,
    Call,
    Delivery,
    Fault,
    NoAnswerError,
    Outbox,
    RefusedError,
    RunningClock,
    Schedule,
    Server,
    Shelf,
    SimClock,
    Vendor,
    load_playground,
    route,
    serve,
    transport,
)


class Notes(Vendor):
    """Keeps short texts."""

    def __init__(self, clock: SimClock | None = None, schedule: Schedule | None = None) -> None:
        super().__init__(clock, schedule)
        self.notes = Shelf(self.clock, "n{}".format)

    @route("GET", "/notes/{id}")
    def one(self, call: Call, id: str) -> Any:
        item = self.notes.get(id)
        if item is None:
            raise RefusedError(404, {"message": f"no {id}"})
        return {"id": item.id, **item.values, "fault": call.fault}

    @route("GET", "/notes/all")
    def all(self, call: Call) -> Any:
        return {"notes": [item.id for item in self.notes], "q": dict(call.query)}

    @route("POST", "/notes")
    def make(self, call: Call) -> Answer:
        return Answer.json({"id": self.notes.create(call.json()).id}, 201, location="/notes/1")


def asking(vendor: Vendor, **options: Any) -> httpx2.Client:
    return httpx2.Client(transport=transport(vendor), base_url="https://notes.example", **options)


@pytest.fixture
def server() -> Iterator[tuple[Notes, Server]]:
    vendor = Notes()
    with serve(vendor) as server:
        yield vendor, server


def test_a_route_is_found_by_method_and_path_and_fixed_words_go_first() -> None:
    with asking(Notes()) as client:
        made = client.post("/notes", json={"text": "größe"})
        assert (made.status_code, made.json(), made.headers["location"]) == (201, {"id": "n1"}, "/notes/1")
        assert client.get("/notes/n1").json() == {"id": "n1", "text": "größe", "fault": ""}
        assert client.get("/notes/all?a=1&b=%C3%B6").json() == {"notes": ["n1"], "q": {"a": "1", "b": "ö"}}
        assert client.get("/notes/n2").json() == {"message": "no n2"}
        assert client.delete("/notes/n1").status_code == 404
        assert client.post("/notes", content=b"{").status_code == 400


def test_the_log_says_who_asked_what_and_what_came_of_it() -> None:
    vendor = Notes(schedule=Schedule(only={1: FAULTS["too_many"], 2: FAULTS["reset_after"]}))
    with asking(vendor) as client:
        client.post("/notes", json={}, headers={"X-Line": "7"})
        client.post("/notes", json={})
        with pytest.raises(httpx2.ReadError):
            client.post("/notes", json={})
    seen = [(entry.call.index, entry.fault, entry.status, entry.processed) for entry in vendor.log]
    assert seen == [(0, "", 201, True), (1, "too_many", 429, False), (2, "reset_after", 0, True)]
    assert vendor.log[0].call.headers["x-line"] == "7"
    assert len(vendor.notes) == 2


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_a_fault_strikes_before_or_after_the_request_is_processed(fault: Fault) -> None:
    vendor = Notes(schedule=Schedule(only={0: fault}))
    with ExitStack() as stack:
        if fault.broken:
            stack.enter_context(pytest.raises(NoAnswerError, match=fault.broken))
        vendor.exchange("POST", "/notes", {}, b"{}")
    assert len(vendor.notes) == (0 if fault.stage == "instead" else 1)
    assert vendor.log[0].processed is (fault.stage != "instead")
    assert fault.evidence


@pytest.mark.parametrize(
    ("name", "status", "start"),
    [
        ("too_many", 429, b"{"),
        ("unavailable", 503, b"{"),
        ("bad_gateway", 502, b""),
        ("error_in_200", 200, b'{"status": "error"'),
        ("web_page", 200, b"<!DOCTYPE html"),
        ("expired", 401, b"{"),
    ],
)
def test_a_fault_answers_as_it_is_called(name: str, status: int, start: bytes) -> None:
    answer = Notes(schedule=Schedule(only={0: FAULTS[name]})).exchange("POST", "/notes", {}, b"{}")
    assert answer.status == status
    assert answer.body.startswith(start)


def test_a_body_that_is_cut_off_is_no_json_any_more() -> None:
    answer = Notes(schedule=Schedule(only={0: FAULTS["cut_off"]})).exchange("POST", "/notes", {}, b"{}")
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_a_vendor_is_told_of_the_fault_it_must_play_itself() -> None:
    vendor = Notes(schedule=Schedule(only={1: FAULTS["empty_page"]}))
    with asking(vendor) as client:
        client.post("/notes", json={})
        assert client.get("/notes/n1").json()["fault"] == "empty_page"


def test_both_forms_of_retry_after_are_in_the_vendors_time() -> None:
    clock = SimClock()
    vendor = Notes(clock, Schedule(only={0: FAULTS["too_many"], 1: FAULTS["too_many_until"]}))
    with asking(vendor) as client:
        assert client.get("/notes/all").headers["retry-after"] == "2"
        until = parsedate_to_datetime(client.get("/notes/all").headers["retry-after"])
    assert until == clock.now() + timedelta(seconds=4)


def test_a_timeout_takes_as_long_as_the_clients_patience() -> None:
    clock = SimClock()
    vendor = Notes(clock, Schedule(only={0: FAULTS["timeout_after"]}))
    start = clock.now()
    with asking(vendor, timeout=7.5) as client, pytest.raises(httpx2.ReadTimeout):
        client.post("/notes", json={})
    assert clock.now() - start == timedelta(seconds=7.5)
    assert len(vendor.notes) == 1


def test_a_schedule_is_a_function_of_its_seed() -> None:
    def day(seed: int) -> list[str]:
        schedule = Schedule(seed, rate=0.2, outages=1)
        return [fault.name if (fault := schedule.fault(index)) else "" for index in range(300)]

    assert day(7) == day(7)
    assert day(7) != day(8)
    assert 30 < sum(bool(name) for name in day(7)) < 140
    assert not any(Schedule(7).fault(index) for index in range(300))


def test_a_schedule_can_be_asked_in_any_order() -> None:
    schedule = Schedule(3, rate=0.5)
    forward = [schedule.fault(index) for index in range(50)]
    assert [schedule.fault(index) for index in reversed(range(50))] == forward[::-1]


def test_a_vendor_on_a_port_answers_like_one_in_process(server: tuple[Notes, Server]) -> None:
    vendor, at = server
    with httpx2.Client(base_url=at.url, trust_env=False) as client:
        assert client.post("/notes", json={"text": "a"}).json() == {"id": "n1"}
        assert client.get("/notes/n1").json() == {"id": "n1", "text": "a", "fault": ""}
    assert [entry.status for entry in vendor.log] == [201, 200]


def test_the_time_told_on_a_port_is_the_vendors_own(server: tuple[Notes, Server]) -> None:
    """A watermark taken from the machine's clock would lie hours ahead of a simulated vendor."""
    _, at = server
    with httpx2.Client(base_url=at.url, trust_env=False) as client:
        assert "date" not in client.get("/notes/n1").headers


@pytest.mark.parametrize(
    ("name", "error", "patience"), [("reset_after", httpx2.TransportError, 30.0), ("timeout_after", httpx2.ReadTimeout, 2.0)]
)
def test_connections_really_break_on_a_port(
    server: tuple[Notes, Server], name: str, error: type[Exception], patience: float
) -> None:
    vendor, at = server
    vendor.schedule = Schedule(only={0: FAULTS[name]})
    with httpx2.Client(base_url=at.url, trust_env=False, timeout=patience) as client, pytest.raises(error):
        client.post("/notes", json={})
    until = time.monotonic() + 30
    while not vendor.log and time.monotonic() < until:
        time.sleep(0.01)  # the server may get to it only when the client is gone
    assert len(vendor.notes) == 1


def test_somebody_may_watch_every_request_before_and_after_it_is_processed() -> None:
    vendor, seen = Notes(), []
    vendor.before = lambda call: seen.append((call.index, "before", len(vendor.notes)))
    vendor.after = lambda call: seen.append((call.index, "after", len(vendor.notes)))
    with asking(vendor) as client:
        client.post("/notes", json={})
    assert seen == [(0, "before", 0), (0, "after", 1)]


def test_a_shelf_counts_versions_and_keeps_the_instant_of_every_change() -> None:
    clock = SimClock()
    shelf = Shelf(clock)
    made = shelf.create({"a": 1, "b": [1]})
    clock.sleep(5)
    changed = shelf.change(made.id, {"a": 2})
    assert (changed.version, changed.created, changed.modified) == (2, made.created, made.created + timedelta(seconds=5))
    assert changed.values == {"a": 2, "b": [1]}
    assert made.values == {"a": 1, "b": [1]}
    assert [(edit.by, edit.id, edit.values) for edit in shelf.history] == [
        ("api", "1", {"a": 1, "b": [1]}),
        ("api", "1", {"a": 2}),
    ]


def test_what_goes_leaves_a_tombstone_in_the_listing_only() -> None:
    shelf = Shelf(SimClock())
    for _ in range(3):
        shelf.create({})
    shelf.remove("1")
    shelf.remove("2", "merged", survivor="3")
    assert shelf.get("1") is None
    assert len(shelf) == 1
    assert [(item.id, item.gone, item.survivor) for item in shelf.listing()] == [
        ("1", "deleted", ""),
        ("2", "merged", "3"),
        ("3", "", ""),
    ]
    with pytest.raises(KeyError):
        shelf.change("1", {})


def test_instants_of_a_coarse_clock_are_equal_and_ids_break_the_tie() -> None:
    clock = SimClock(datetime(2026, 1, 5, 9, 0, 0, 250_000, tzinfo=UTC))
    shelf = Shelf(clock, grain=timedelta(seconds=1))
    for _ in range(3):
        shelf.create({})
        clock.sleep(0.1)
    listed = shelf.listing(limit=2)
    assert {item.modified for item in listed} == {datetime(2026, 1, 5, 9, tzinfo=UTC)}
    assert [item.id for item in shelf.listing(listed[-1].mark)] == ["3"]


def test_a_record_changed_while_it_is_paged_over_moves_behind_the_cursor() -> None:
    clock = SimClock()
    shelf = Shelf(clock)
    for _ in range(4):
        shelf.create({})
    first = shelf.listing(limit=2)
    clock.sleep(1)
    shelf.change("3", {"a": 1})
    assert [item.id for item in shelf.listing(first[-1].mark)] == ["4", "3"]


def test_an_index_that_lags_shows_the_past_and_a_lookup_does_not() -> None:
    clock = SimClock()
    shelf = Shelf(clock, lag=10)
    shelf.create({"a": 1})
    assert shelf.listing() == []
    clock.sleep(10)
    shelf.change("1", {"a": 2})
    assert [item.values for item in shelf.listing()] == [{"a": 1}]
    assert shelf.get("1").values == {"a": 2}  # type: ignore[union-attr]
    clock.sleep(10)
    assert [item.values for item in shelf.listing()] == [{"a": 2}]


def test_a_clock_moves_only_when_somebody_waits() -> None:
    clock = SimClock()
    start = clock.now()
    clock.sleep(1.5)
    assert clock.now() - start == timedelta(seconds=1.5)
    with pytest.raises(ValueError, match="backwards"):
        clock.sleep(-1)


def test_a_route_that_meets_no_known_form_raises_unless_the_vendor_is_patient() -> None:
    vendor = Notes()
    with pytest.raises(TypeError):
        vendor.exchange("POST", "/notes", {}, b"3")
    vendor.patient = True
    answer = vendor.exchange("POST", "/notes", {}, b"3")
    assert (answer.status, json.loads(answer.body)["status"]) == (400, "error")


def test_half_a_character_is_answered_as_an_escape() -> None:
    assert Answer.json({"a": "ü\ud800"}).body == b'{"a": "\\u00fc\\ud800"}'
    assert Answer.json({"a": "ü"}).body == '{"a": "ü"}'.encode()


def test_a_running_clock_runs_by_itself_and_moves_ahead_for_who_waits() -> None:
    clock = RunningClock(datetime(2026, 1, 5, tzinfo=UTC))
    before = clock.now()
    clock.sleep(60)
    assert clock.now() - before >= timedelta(seconds=60)
    clock.catch_up(datetime(2026, 1, 6, tzinfo=UTC))
    ahead = clock.now()
    assert ahead >= datetime(2026, 1, 6, tzinfo=UTC)
    clock.catch_up(before)
    assert clock.now() >= ahead


def test_what_is_posted_while_webhooks_are_sent_is_not_lost() -> None:
    clock = SimClock()
    sent: list[int] = []

    def take(request: Request) -> int:
        numbers = json.loads(request.body)
        sent.extend(numbers)
        if max(numbers) < 50:
            outbox.post({"number": max(numbers) + 1})
        return 200

    def pack(events: Any, attempt: int) -> Request:
        return Request("POST", "http://127.0.0.1/", {}, json.dumps([event["number"] for event in events]).encode())

    outbox = Outbox(clock, take, pack, delivery=Delivery.prompt())
    threads = [threading.Thread(target=outbox.post, args=({"number": -number},)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while len(outbox):
        outbox.deliver()
    assert sorted(sent) == sorted([*range(1, 51), *(-number for number in range(20))])


def test_a_connector_without_a_sandbox_says_who_has_one() -> None:
    with pytest.raises(ConfigError, match="csv has no sandbox"):
        load_playground("csv")


def test_changes_of_one_instant_are_told_apart_where_the_vendor_does_so() -> None:
    clock = SimClock()
    shelf = Shelf(clock, distinct=True)
    first, second = shelf.create({}), shelf.create({})
    clock.sleep(0.001)
    changed = shelf.change(first.id, {"name": "Ann"})
    clock.sleep(1)
    later = shelf.change(second.id, {"name": "Bo"})
    assert [item.id for item in shelf.listing()] == [first.id, second.id]
    assert first.modified < second.modified < changed.modified < later.modified
    assert later.modified == clock.now()
