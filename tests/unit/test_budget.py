"""Limits are kept: never more calls in a window than allowed, nearly all that are, shared by processes, lowered by what vendors say."""

from __future__ import annotations

import heapq
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from aios_connect.connectors.budget import Budget, MemoryBudget, Window, applying, restamp, take
from aios_connect.connectors.classify import Left, said_left
from aios_connect.connectors.spec import Limit
from aios_connect.errors import RateLimitedError
from aios_connect.store.budgets import SharedBudget
from aios_connect.store.engine import Store
from aios_connect.store.tables import budget as kept

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = NOON
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)

    @property
    def passed(self) -> float:
        return (self.at - NOON).total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "shared"])
def budget(request: pytest.FixtureRequest, store: Store, clock: Clock) -> Budget:
    """Both budgets."""
    if request.param == "memory":
        return MemoryBudget(now=clock.now, sleep=clock.sleep, longest=200)
    return SharedBudget(store, now=clock.now, sleep=clock.sleep, longest=200)


def most_in_a_window(arrivals: list[float], seconds: float) -> int:
    """The vendor's view: the largest number of calls in any window that is open at one end."""
    most, inside = 0, deque[float]()
    for at in sorted(arrivals):
        while inside and inside[0] <= at - seconds:
            inside.popleft()
        inside.append(at)
        most = max(most, len(inside))
    return most


def simulate(limits: tuple[Limit, ...], actors: int, calls: int, delay: Callable[[], tuple[float, float]]) -> list[float]:
    """When calls arrive at the vendor, made by actors that share windows; ``delay`` gives seconds until arrival and until answer."""
    windows = {limit: Window() for limit in applying(limits, "")}
    arrivals: list[float] = []
    order = count()
    events: list[tuple[float, int, float | None]] = [(1e9, next(order), None) for _ in range(actors)]
    while events:
        now, _, since = heapq.heappop(events)
        if since is not None:
            restamp(windows, since, now, 1)
        if len(arrivals) >= calls:
            continue
        wait = take(windows, now, 1)
        if wait:
            heapq.heappush(events, (now + wait, next(order), None))
            continue
        arrives, answers = delay()
        arrivals.append(now + arrives)
        heapq.heappush(events, (now + answers, next(order), now))
    return arrivals


@settings(max_examples=60, deadline=None)
@given(
    limit=st.builds(Limit, st.integers(1, 60), st.sampled_from([1.0, 2.0, 10.0, 60.0])),
    actors=st.integers(1, 12),
    data=st.data(),
)
def test_a_vendor_never_sees_more_calls_in_a_window_than_it_allows(limit: Limit, actors: int, data: st.DataObject) -> None:
    random = data.draw(st.randoms(use_true_random=False))

    def delay() -> tuple[float, float]:
        answers = random.uniform(0.001, 0.9) * limit.seconds * random.choice([0.01, 0.2, 1.0])
        return random.uniform(0, answers), answers

    arrivals = simulate((limit,), actors, 5 * limit.calls, delay)
    assert most_in_a_window(arrivals, limit.seconds) <= limit.calls


@pytest.mark.parametrize(("calls", "seconds"), [(20, 1.0), (5, 1.0), (110, 10.0), (190, 10.0), (100, 60.0), (15_000, 86400.0)])
def test_nearly_all_that_is_allowed_is_used(calls: int, seconds: float) -> None:
    arrivals = simulate((Limit(calls, seconds),), 8, 10 * calls, lambda: (0.01, 0.02))
    ideal = 9 * seconds
    assert ideal / (max(arrivals) - min(arrivals)) >= 0.85


def test_the_state_stays_small_however_many_calls() -> None:
    window, limit = Window(), Limit(1_000_000, 86400)
    for second in range(0, 3 * 86400, 60):
        take({limit: window}, 1e9 + second, 100)
    assert len(window.slots) <= 60


def test_a_second_window_is_waited_for(budget: Budget, clock: Clock) -> None:
    limits = (Limit(10, 10.0), Limit(15, 100.0))
    for _ in range(15):
        budget.acquire("acme:1", "", limits)
    assert clock.passed == pytest.approx(10.4, abs=0.4)
    budget.acquire("acme:1", "", limits)
    assert clock.passed == pytest.approx(103, abs=3)


def test_accounts_and_labels_do_not_share(budget: Budget, clock: Clock) -> None:
    limits = (Limit(2, 10.0, scope="search"), Limit(5, 10.0))
    for _ in range(2):
        budget.acquire("acme:1", "search", limits)
        budget.acquire("acme:2", "search", limits)
    for _ in range(3):
        budget.acquire("acme:1", "", limits)
    assert clock.waits == []
    budget.acquire("acme:2", "search", limits)
    assert clock.passed > 10


def test_a_call_may_cost_more_than_one(budget: Budget, clock: Clock) -> None:
    limits = (Limit(100, 10.0),)
    budget.acquire("acme:1", "", limits, cost=60)
    budget.acquire("acme:1", "", limits, cost=40)
    assert clock.waits == []
    budget.acquire("acme:1", "", limits, cost=1)
    assert clock.passed > 10
    budget.acquire("acme:2", "", limits, cost=1000)
    assert clock.passed < 12, "more than all there is counts as all there is"


def test_a_share_is_left_to_other_tools(budget: Budget, clock: Clock) -> None:
    limits = (Limit(10, 10.0, reserve=0.3),)
    for _ in range(7):
        budget.acquire("acme:1", "", limits)
    assert clock.waits == []
    budget.acquire("acme:1", "", limits)
    assert clock.passed > 10


def test_a_daily_quota_that_is_used_up_is_an_error_and_not_a_night_of_waiting(budget: Budget, clock: Clock) -> None:
    limits = (Limit(3, 86400.0),)
    for _ in range(3):
        budget.acquire("acme:https://x", "", limits)
    with pytest.raises(RateLimitedError, match="the calls that acme allows are used up") as caught:
        budget.acquire("acme:https://x", "", limits)
    assert caught.value.retry_after == pytest.approx(86400 * 1.02, rel=0.02)
    assert clock.waits == []
    clock.at += timedelta(seconds=caught.value.retry_after or 0)
    budget.acquire("acme:https://x", "", limits)
    assert clock.waits == []


def test_what_others_used_is_taken_into_account(budget: Budget, clock: Clock) -> None:
    short, day = Limit(10, 10.0), Limit(1000, 86400.0)
    budget.acquire("acme:1", "", (short, day))
    budget.observe("acme:1", short, remaining=2, seconds=4.0)
    for _ in range(2):
        budget.acquire("acme:1", "", (short, day))
    assert clock.waits == []
    budget.acquire("acme:1", "", (short, day))
    assert 4 < clock.passed < 5, "until the vendor counts anew"


def test_what_we_counted_ourselves_is_not_counted_twice(budget: Budget, clock: Clock) -> None:
    limit = Limit(10, 10.0)
    for used in range(1, 11):
        budget.acquire("acme:1", "", (limit,))
        budget.observe("acme:1", limit, remaining=10 - used, seconds=10.0)
    assert clock.waits == []


def test_a_quota_that_began_anew_at_the_vendor_is_used_again(budget: Budget, clock: Clock) -> None:
    day = Limit(1000, 86400.0, reserve=0.1)
    for _ in range(9):
        budget.acquire("acme:1", "", (day,), cost=100)
    budget.observe("acme:1", day, remaining=100, seconds=86400.0)
    with pytest.raises(RateLimitedError):
        budget.acquire("acme:1", "", (day,))
    budget.observe("acme:1", day, remaining=1000, seconds=86400.0)
    budget.acquire("acme:1", "", (day,), cost=900)


def test_a_quota_that_others_used_up_is_asked_for_again_after_a_while(budget: Budget, clock: Clock) -> None:
    day = Limit(1000, 86400.0)
    budget.observe("acme:1", day, remaining=0, seconds=86400.0)
    with pytest.raises(RateLimitedError) as caught:
        budget.acquire("acme:1", "", (day,))
    assert 3600 <= (caught.value.retry_after or 0) <= 2 * 3600
    clock.at += timedelta(hours=2)
    budget.acquire("acme:1", "", (day,))
    assert clock.waits == []


@pytest.mark.parametrize(("supposed", "said"), [(650, 250), (650, 1000)])
def test_a_day_is_as_long_as_the_vendor_says_and_the_reserve_is_a_share_of_that(
    budget: Budget, clock: Clock, supposed: int, said: int
) -> None:
    day = Limit(supposed, 86400.0, reserve=0.2)
    assert budget.allowed("acme:1", day) == supposed
    budget.acquire("acme:1", "", (day,))
    budget.observe("acme:1", day, remaining=said - 1, seconds=86400.0, calls=said)
    assert (budget.allowed("acme:1", day), budget.used("acme:1", day)) == (said, 1)
    assert budget.allowed("acme:2", day) == supposed
    budget.acquire("acme:1", "", (day,), cost=said * 8 // 10 - 1)
    assert clock.waits == []
    with pytest.raises(RateLimitedError):
        budget.acquire("acme:1", "", (day,))


def test_an_answer_that_does_not_say_how_many_there_are_changes_nothing_about_that(budget: Budget, clock: Clock) -> None:
    day = Limit(650, 86400.0)
    budget.observe("acme:1", day, remaining=250, seconds=86400.0, calls=250)
    budget.observe("acme:1", day, remaining=240, seconds=86400.0)
    assert (budget.allowed("acme:1", day), budget.used("acme:1", day)) == (250, 10)
    clock.at += timedelta(days=7)
    assert (budget.allowed("acme:1", day), budget.used("acme:1", day)) == (250, 0)


def test_a_limit_of_seconds_may_be_another_one_too(budget: Budget, clock: Clock) -> None:
    short = Limit(10, 10.0)
    budget.acquire("acme:1", "", (short,))
    budget.observe("acme:1", short, remaining=3, seconds=10.0, calls=4)
    for _ in range(3):
        budget.acquire("acme:1", "", (short,))
    assert clock.waits == []
    budget.acquire("acme:1", "", (short,))
    assert clock.passed > 10


def test_what_one_process_was_told_another_one_knows(store: Store, clock: Clock) -> None:
    day = Limit(650, 86400.0)
    one, other = (SharedBudget(store, now=clock.now, sleep=clock.sleep) for _ in range(2))
    other.acquire("acme:1", "", (day,))
    one.observe("acme:1", day, remaining=249, seconds=86400.0, calls=250)
    assert (other.allowed("acme:1", day), other.used("acme:1", day)) == (250, 1)


def test_what_an_earlier_version_counted_still_counts(store: Store, clock: Clock) -> None:
    day = Limit(650, 86400.0)
    slot = int(NOON.timestamp() / (86400 / 50))
    state = json.dumps({"slots": {str(slot): 7}, "closed_until": 0.0})
    with store.begin() as transaction:
        transaction.execute(insert(kept).values(account="acme:1", scope="", window=day.seconds, state=state))
    budget = SharedBudget(store, now=clock.now, sleep=clock.sleep)
    assert (budget.allowed("acme:1", day), budget.used("acme:1", day)) == (650, 7)


def test_an_account_that_is_closed_stays_closed_for_all_its_calls(budget: Budget, clock: Clock) -> None:
    limits = (Limit(10, 10.0), Limit(3, 1.0, scope="search"))
    budget.close("acme:1", "search", limits, seconds=30.0)
    budget.acquire("acme:2", "", limits)
    assert clock.waits == []
    budget.acquire("acme:1", "", limits)
    assert clock.passed == pytest.approx(30)


DAY, SHORT = Limit(1000, 86400.0, left="X-Acme-Day-Left", most="X-Acme-Day"), Limit(10, 10.0)
USAGE = Limit(15_000, 86400.0, left="Sforce-Limit-Info", most="Sforce-Limit-Info")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "7"}, [(SHORT, 3, 7.0)]),
        ({"RateLimit-Limit": "1000", "RateLimit-Remaining": "3", "RateLimit-Reset": "7"}, [(DAY, 3, 7.0)]),
        ({"RateLimit-Limit": "77", "RateLimit-Remaining": "3", "RateLimit-Reset": "7"}, []),
        ({"RateLimit-Remaining": "3", "RateLimit-Reset": "3600"}, [(DAY, 3, 3600.0)]),
        ({"RateLimit-Remaining": "3", "RateLimit-Reset": str(int(NOON.timestamp()) + 9)}, [(SHORT, 3, 9.0)]),
        ({"RateLimit-Remaining": "3", "RateLimit-Reset": str(int(NOON.timestamp()) - 9)}, [(SHORT, 3, 0.0)]),
        ({"x-acme-day-left": "900"}, [(DAY, 900, 86400.0)]),
        ({"x-acme-day-left": "900", "x-acme-day": "2500"}, [(DAY, 900, 86400.0, 2500)]),
        ({"x-acme-day-left": "900", "x-acme-day": "much"}, [(DAY, 900, 86400.0)]),
        ({"x-acme-day": "2500"}, []),
        ({"sforce-limit-info": "api-usage=18/100000"}, [(USAGE, 99_982, 86400.0, 100_000)]),
        ({"sforce-limit-info": "per-app-api-usage=17/250(appName=x); api-usage=25/5000"}, [(USAGE, 4975, 86400.0, 5000)]),
        ({"sforce-limit-info": "api-usage=5100/5000"}, [(USAGE, 0, 86400.0, 5000)]),
        ({"x-acme-day-left": "many", "RateLimit-Remaining": "", "RateLimit-Reset": "7"}, []),
        ({}, []),
    ],
)
def test_what_a_vendor_says_is_left_is_said_of_one_limit(headers: dict[str, str], said: list[tuple[Any, ...]]) -> None:
    assert said_left(httpx2.Headers(headers), [DAY, SHORT, USAGE], NOON) == [Left(*one) for one in said]


def test_a_slow_call_counts_from_its_answer_on(budget: Budget, clock: Clock) -> None:
    limits = (Limit(1, 10.0),)
    since = budget.acquire("acme:1", "", limits)
    clock.at += timedelta(seconds=8)
    budget.answered("acme:1", "", limits, since=since)
    budget.acquire("acme:1", "", limits)
    assert clock.passed == pytest.approx(18.4, abs=0.2)


def test_without_limits_nothing_is_waited_for(budget: Budget, clock: Clock) -> None:
    for _ in range(100):
        budget.acquire("acme:1", "", (Limit(1, 10.0, scope="search"),))
    assert clock.waits == []


def test_threads_share_it(clock: Clock) -> None:
    budget, limits = MemoryBudget(now=clock.now, sleep=clock.sleep, longest=1), (Limit(400, 1000.0),)
    refused = []

    def use() -> None:
        for _ in range(100):
            try:
                budget.acquire("acme:1", "", limits)
            except RateLimitedError as error:
                refused.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 400


class Vendor(http.server.ThreadingHTTPServer):
    """Refuses what goes beyond so many calls in any window."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.limit = limit
        self.lock = threading.Lock()
        self.inside = deque[float]()
        self.answered = 0
        self.refused = 0

    def admits(self) -> bool:
        with self.lock:
            now = time.monotonic()
            while self.inside and self.inside[0] <= now - self.limit.seconds:
                self.inside.popleft()
            if len(self.inside) >= self.limit.calls:
                self.refused += 1
                return False
            self.inside.append(now)
            self.answered += 1
            return True


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Vendor

    def do_GET(self) -> None:
        self.send_response(200 if self.server.admits() else 429)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *values: Any) -> None:
        pass


def test_four_processes_on_one_account_are_never_refused(store: Store, store_url: str) -> None:
    limit = Limit(15, 3.0)
    with Vendor(limit) as vendor:
        thread = threading.Thread(target=vendor.serve_forever)
        thread.start()
        told = json.dumps([store_url, f"http://127.0.0.1:{vendor.server_port}", limit.calls, limit.seconds, 9])
        command = [sys.executable, str(Path(__file__).with_name("budget_process.py")), told]
        processes = [subprocess.Popen(command, env={**os.environ, "NO_PROXY": "127.0.0.1"}) for _ in range(4)]
        try:
            assert [process.wait(120) for process in processes] == [0, 0, 0, 0]
        finally:
            for process in processes:
                process.kill()
            vendor.shutdown()
            thread.join()
    assert (vendor.answered, vendor.refused) == (36, 0)
