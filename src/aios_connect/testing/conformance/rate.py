"""Rates: a provider that asks to wait is waited for, as long as it says, and one that has a limit is not pushed to say so."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from aios_connect.connectors import Connector, Limit
from aios_connect.connectors.budget import MemoryBudget, applying
from aios_connect.errors import AuthError, ProviderError, RateLimitedError, RejectedError
from aios_connect.sandbox import Answer, Fault

from .reading import assert_all_there
from .suite import BUSY, CREATES, DAILY, LIMITED, TELLS_WHAT_IS_LEFT, WIRE, Suite, needs, once
from .wire import Sent, saying, saying_besides, too_many
from .world import Told, World

__all__ = ["Rate"]

SECONDS = 7.0


def _until(answer: Answer, now: datetime) -> Answer:
    date = format_datetime(now + timedelta(seconds=SECONDS), usegmt=True)
    return Answer.json({"message": "too many"}, 429, retry_after=date, date=format_datetime(now, usegmt=True))


ASKS = {
    "429 with seconds": too_many("429", retry_after=str(int(SECONDS))),
    "429 with a date": Fault("429 until", "RFC 9110, 10.2.3", "instead", _until),
    "503 with seconds": too_many("503", 503, retry_after=str(int(SECONDS))),
}


def told_of(world: World, object: str) -> Told:
    return world.read(world.open(), object)


class Watched(MemoryBudget):
    """The budget of a world, seen by the suite.

    Attributes:
        calls: Label and cost of every call that it let through.
    """

    def __init__(self, world: World) -> None:
        super().__init__(now=world.clock.now, sleep=world.clock.sleep)
        self.calls: list[tuple[str, int]] = []

    def acquire(self, account: str, scope: str, limits: Sequence[Limit], cost: int = 1) -> float:
        """See :meth:`aios_connect.connectors.budget.Budget.acquire`."""
        since = super().acquire(account, scope, limits, cost)
        self.calls.append((scope, cost))
        return since


@dataclass(frozen=True, slots=True)
class Load:
    """Work that meets a limit.

    Attributes:
        limit: Which.
        object: What is looked up.
        id: Of the record.
        cost: What one lookup counts as.
    """

    limit: Limit
    object: str
    id: str
    cost: int

    @property
    def lookups(self) -> int:
        """So many need the limit and half of it again."""
        return min(self.limit.calls * 3 // 2 // self.cost, 1000)


def loads(world: World, connectors: Sequence[Connector], budget: Watched) -> Iterator[Load]:
    """Every limit of a minute at most that lookups fall under, the shortest where there are several, as the connector labels its calls."""
    limits, met = world.connector.spec.limits, set()
    for object in world.samples:
        (id,) = world.fill(object, 1)
        for connector in connectors:
            connector.lookup(object, [id])  # what it does once only is done
        start, sent = len(budget.calls), len(world.wire.log)
        connectors[0].lookup(object, [id])
        calls = budget.calls[start:]
        assert len(calls) == len(world.wire.log) - sent, "what is sent does not pass the budget"
        assert [scope for scope, _ in calls if not applying(limits, scope)] == [], "a call falls under no limit of spec"
        short = {limit for scope, _ in calls for limit in applying(limits, scope) if limit.seconds <= 60}
        if short and (limit := min(short, key=lambda one: one.seconds)) not in met:
            met.add(limit)
            yield Load(limit, object, id, sum(cost for scope, cost in calls if limit.scope in ("", scope)))


def assert_within(limit: Limit, sent: Sequence[Sent], calls: Sequence[tuple[str, int]]) -> None:
    """No window of the limit held more than it allows, and no request was refused."""
    window: deque[tuple[datetime, int]] = deque()
    held = 0
    for one, (scope, cost) in zip(sent, calls, strict=True):
        while window and (one.at - window[0][0]).total_seconds() >= limit.seconds:
            held -= window.popleft()[1]
        if limit.scope in ("", scope):
            window.append((one.at, cost))
            held += cost
        assert held <= limit.calls
    assert not [one for one in sent if one.status >= 400]


class Rate(Suite):
    """How often a connector calls."""

    @once
    @needs(WIRE)
    @pytest.mark.parametrize("ask", ASKS)
    def test_the_wait_that_is_asked_for_is_kept(self, world: World, object: str, ask: str) -> None:
        world.fill(object, world.size(object) + 1)
        world.wait()
        trouble = world.wire.trouble(ASKS[ask], world.is_page, skip=1, times=1)
        assert_all_there(world, object, told_of(world, object).records)
        assert trouble.met > 2, "it was not asked again"
        pages = [sent for sent in world.wire.log if world.is_page(sent)]
        refused = next(number for number, sent in enumerate(pages) if sent.status in (429, 503))
        waited = (pages[refused + 1].at - pages[refused].at).total_seconds()
        assert SECONDS <= waited <= SECONDS + 30

    @once
    @needs(WIRE)
    @pytest.mark.parametrize("status", [429, 503])
    def test_a_refusal_that_names_no_wait_is_waited_for_all_the_same(self, world: World, object: str, status: int) -> None:
        world.fill(object, world.size(object) + 1)
        world.wait()
        world.wire.trouble(too_many("later", status), world.is_page, skip=1, times=2)
        start = world.clock.now()
        assert_all_there(world, object, told_of(world, object).records)
        assert (world.clock.now() - start).total_seconds() >= 0.5

    @once
    @needs(WIRE)
    def test_a_refusal_that_never_ends_is_said_with_its_wait(self, world: World, object: str) -> None:
        world.fill(object, world.size(object) + 1)
        world.wire.trouble(ASKS["429 with seconds"], world.is_page)
        with pytest.raises(RateLimitedError) as caught:
            told_of(world, object)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after >= SECONDS
        assert len(world.wire.log) < 50

    @once
    @needs(WIRE)
    def test_an_outage_is_not_hammered(self, world: World, object: str) -> None:
        world.wire.trouble(too_many("down", 503), world.is_page)
        start = world.clock.now()
        with pytest.raises(ProviderError):
            told_of(world, object)
        asked = [sent for sent in world.wire.log if world.is_page(sent)]
        assert 2 <= len(asked) <= 12
        assert (world.clock.now() - start).total_seconds() >= len(asked) - 2

    @once
    @needs(BUSY)
    def test_the_providers_own_way_of_saying_too_many_is_understood(self, world: World, object: str) -> None:
        world.fill(object, 2)
        world.wait()
        for answer in world.busy:
            world.wire.heal()
            world.wire.trouble(saying(answer), world.is_page, times=1)
            assert_all_there(world, object, told_of(world, object).records)
            world.wire.trouble(saying(answer), world.is_page)
            with pytest.raises(RateLimitedError):
                told_of(world, object)

    @once
    @needs(WIRE)
    def test_what_is_refused_for_good_is_not_asked_again(self, world: World, object: str) -> None:
        world.fill(object, 2)
        for status in (400, 403, 422):
            world.wire.heal()
            start = len(world.wire.log)
            world.wire.trouble(too_many("no", status), world.is_page)
            with pytest.raises((RejectedError, AuthError)):
                told_of(world, object)
            assert len([sent for sent in world.wire.log[start:] if world.is_page(sent)]) == 1

    @once
    @needs(CREATES, WIRE)
    def test_a_write_that_was_refused_for_now_is_written_once(self, world: World, object: str) -> None:
        connector = world.provisioned()
        before = set(world.truth(object))
        world.wire.trouble(ASKS["429 with seconds"], world.is_write, times=1)
        (receipt,) = connector.write(object, [world.create(object)])
        assert receipt.outcome == "written"
        assert set(world.truth(object)) - before == {receipt.id}

    @once
    @needs(CREATES, WIRE)
    def test_a_write_that_is_refused_for_now_again_and_again_is_no_receipt(self, world: World, object: str) -> None:
        connector = world.provisioned()
        before = set(world.truth(object))
        world.wire.trouble(ASKS["429 with seconds"], world.is_write)
        with pytest.raises(RateLimitedError):
            connector.write(object, [world.create(object)])
        assert set(world.truth(object)) == before

    @needs(LIMITED)
    def test_no_limit_is_ever_crossed_and_most_of_it_is_used(self, world: World) -> None:
        budget = world.budget = Watched(world)
        connector = world.open()
        for load in loads(world, [connector], budget):
            limit, start, counted, first = load.limit, len(world.wire.log), len(budget.calls), world.clock.now()
            connector.lookup(load.object, [load.id])
            latency = (world.clock.now() - first).total_seconds()
            for _ in range(load.lookups):
                connector.lookup(load.object, [load.id])
            assert_within(limit, world.wire.log[start:], budget.calls[counted:])
            ideal = max((load.lookups * load.cost - limit.calls) / limit.calls * limit.seconds, load.lookups * latency)
            assert (world.clock.now() - first).total_seconds() <= ideal / 0.8 + 2 * limit.seconds
        assert world.refused() == 0

    @needs(LIMITED)
    def test_processes_that_share_an_account_share_its_limit(self, world: World) -> None:
        budget = world.budget = Watched(world)
        several = [world.open() for _ in range(3)]
        for load in loads(world, several, budget):
            start, counted = len(world.wire.log), len(budget.calls)
            for number in range(load.lookups):
                several[number % 3].lookup(load.object, [load.id])
            assert_within(load.limit, world.wire.log[start:], budget.calls[counted:])
        assert world.refused() == 0

    @once
    @needs(DAILY)
    def test_a_day_that_is_used_up_is_said_and_the_next_one_is_used(self, world: World, object: str) -> None:
        """It is an error with its wait, and no night of waiting; and nothing is sent meanwhile."""
        limit = next(one for one in world.connector.spec.limits if one.left and one.seconds >= 86_400 and not one.scope)
        (id,) = world.fill(object, 1)
        connector = world.open()
        world.wire.trouble(saying_besides(**{limit.left.lower(): "0"}))
        with contextlib.suppress(RateLimitedError):  # where a lookup is several calls
            connector.lookup(object, [id])
        world.wire.heal()
        before, start = world.clock.now(), len(world.wire.log)
        with pytest.raises(RateLimitedError) as caught:
            connector.lookup(object, [id])
        assert caught.value.retry_after
        assert (world.clock.now() - before).total_seconds() < 3600
        assert world.wire.log[start:] == []
        world.clock.sleep(caught.value.retry_after + 1)
        assert [world.id(object, raw) for raw in connector.lookup(object, [id])] == [id]

    @once
    @needs(TELLS_WHAT_IS_LEFT)
    def test_what_the_provider_says_is_left_is_not_overdrawn(self, world: World, object: str) -> None:
        """Others use the account, too."""
        limits = [one for one in world.connector.spec.limits if one.left and one.seconds <= 60]
        limit = min(limits, key=lambda one: one.seconds)
        (id,) = world.fill(object, 1)
        connector = world.open()
        connector.lookup(object, [id])
        world.wire.trouble(saying_besides(**{limit.left.lower(): "0"}), times=1)
        connector.lookup(object, [id])
        before = world.clock.now()
        connector.lookup(object, [id])
        assert (world.clock.now() - before).total_seconds() >= limit.seconds / 2
