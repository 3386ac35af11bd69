"""Lists are read to their end: circles are seen, empty pages are none, and nothing slides past a reader while people edit."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.connectors.paging import Keyset, Progress, Watermark, instant
from aios_connect.errors import CursorGoneError, TruncatedError

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("period", [1, 2, 7])
def test_a_cursor_that_comes_back_is_a_circle(period: int) -> None:
    progress = Progress("acme", "deals")
    for page in range(20):
        progress.to(f"c{page}")
    with pytest.raises(TruncatedError, match=r"'c1[0-9]', after 2[0-9] pages.*circle") as caught:
        for page in range(1 + period):
            progress.to(f"c{20 - period + page}")
    assert (caught.value.provider, caught.value.object) == ("acme", "deals")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-11-21T12:00:59Z", "2026-11-21T12:00:59+00:00"),
        ("2026-11-21T12:00:59.1Z", "2026-11-21T12:00:59.100000+00:00"),
        ("2026-11-21T12:00:59.123456789Z", "2026-11-21T12:00:59.123456+00:00"),
        ("2026-11-21T14:00:59+02:00", "2026-11-21T12:00:59+00:00"),
        ("2026-11-21T12:00:59.5+0000", "2026-11-21T12:00:59.500000+00:00"),
        ("2026-11-21 12:00:59", "2026-11-21T12:00:59+00:00"),
        ("2026-11-21", "2026-11-21T00:00:00+00:00"),
        (1795262459, "2026-11-21T12:00:59+00:00"),
        ("1795262459100", "2026-11-21T12:00:59.100000+00:00"),
        (Decimal("1795262459.000001"), "2026-11-21T12:00:59.000001+00:00"),
        (-1, "1969-12-31T23:59:59+00:00"),
        (datetime(2026, 11, 21, 12, 0, 59), "2026-11-21T12:00:59+00:00"),
    ],
)
def test_an_instant_is_read_however_it_is_written(value: Any, text: str) -> None:
    assert instant(value).isoformat() == text


@pytest.mark.parametrize("value", ["", "yesterday", None, True, [], "2026-13-01T00:00:00Z", "1.2.3"])
def test_what_is_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        instant(value)


def test_mixed_precision_is_ordered_as_time_and_not_as_text() -> None:
    place = Keyset(instant("2026-11-21T12:00:59Z"), "7")
    assert place.after("2026-11-21T12:00:59.100Z", "1")
    assert not place.after("2026-11-21T13:00:58+01:00", "9")
    assert place.after("2026-11-21T12:00:59.000Z", "10"), "ids of digits are numbers"
    assert not place.after("2026-11-21T12:00:59Z", "7")
    assert Keyset(NOON).after(NOON, "0")


@given(
    since=st.none() | st.datetimes(timezones=st.just(UTC)),
    started=st.none() | st.datetimes(timezones=st.just(UTC)),
    place=st.none() | st.builds(Keyset, st.datetimes(timezones=st.just(UTC)), st.text()),
)
def test_a_cursor_comes_back_as_it_was(since: datetime | None, started: datetime | None, place: Keyset | None) -> None:
    mark = Watermark(since, started, place)
    assert Watermark.of(mark.cursor()) == mark


def test_a_cursor_of_an_older_version_is_gone() -> None:
    assert Watermark.of(None) == Watermark.of({}) == Watermark()
    for old in ({"since": "page 3"}, {"place": "x"}, {"place": {"at": "2026-11-21T12:00:00Z"}}):
        with pytest.raises(CursorGoneError):
            Watermark.of(old)


def test_a_scan_that_was_broken_off_goes_on_and_the_next_begins_before_its_start() -> None:
    mark = Watermark().begin(NOON).reach(NOON - timedelta(days=3), "5")
    again = Watermark.of(mark.cursor()).begin(NOON + timedelta(minutes=5))
    assert again == mark
    done = again.finish(timedelta(seconds=15))
    assert done == Watermark(NOON - timedelta(seconds=15))
    assert done.begin(NOON + timedelta(seconds=1)).finish(timedelta(minutes=5)).since == done.since, "it never goes back"


def test_a_list_out_of_order_is_named() -> None:
    with pytest.raises(TruncatedError, match="not in the order"):
        Watermark().begin(NOON).reach(NOON, "5").reach(NOON, "4")


class List:
    """A vendor's list of records by instant and id, that people edit and that an index shows late."""

    def __init__(self, records: int, lag: float) -> None:
        self.now = NOON
        self.lag = lag
        self.records = {number: (NOON - timedelta(days=1), 0) for number in range(records)}
        self.index: list[tuple[datetime, int, datetime, int]] = []
        self.shown = dict(self.records)

    def edit(self, numbers: list[int], seed: random.Random) -> None:
        for number in numbers:
            self.records[number] = (self.now, self.records[number][1] + 1)
            self.index.append((self.now + timedelta(seconds=seed.uniform(0, self.lag)), number, *self.records[number]))

    def page(self, since: datetime | None, place: Keyset | None, size: int) -> list[tuple[int, datetime, int]]:
        for entry in sorted(self.index):
            if entry[0] <= self.now and entry[3] > self.shown[entry[1]][1]:
                self.shown[entry[1]] = (entry[2], entry[3])
        self.index = [entry for entry in self.index if entry[0] > self.now]
        rows = sorted((at, number, version) for number, (at, version) in self.shown.items())
        rest = [row for row in rows if (since is None or row[0] >= since) and (place is None or place.after(row[0], str(row[1])))]
        return [(number, at, version) for at, number, version in rest[:size]]


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_to_edits_ties_and_a_late_index(seed: int) -> None:
    dice, vendor = random.Random(seed), List(400, lag=3.0)
    seen: dict[int, int] = {}
    mark = Watermark()

    def poll() -> None:
        nonlocal mark
        mark = mark.begin(vendor.now)
        while page := vendor.page(mark.since, mark.place, 20):
            seen.update({number: max(version, seen.get(number, -1)) for number, _, version in page})
            mark = Watermark.of(mark.reach(page[-1][1], str(page[-1][0])).cursor())
            vendor.now += timedelta(seconds=0.3)
            vendor.edit([dice.randrange(400) for _ in range(dice.randrange(3))], dice)
            if dice.random() < 0.05:
                vendor.edit(dice.sample(range(400), 60), dice)  # a bulk edit: all in one instant
        mark = mark.finish(timedelta(seconds=15))

    for _ in range(4):
        poll()
        vendor.now += timedelta(seconds=20)
    dice.random = lambda: 1.0  # type: ignore[method-assign]
    dice.randrange = lambda *_: 0  # type: ignore[method-assign]
    for _ in range(2):
        vendor.now += timedelta(seconds=5)
        poll()
    assert {number: version for number, (_, version) in vendor.records.items()} == seen
