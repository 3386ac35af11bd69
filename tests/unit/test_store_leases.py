"""One holder at a time, replaced when it was killed, and named to whoever waits."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aios_connect.errors import BusyError
from aios_connect.store.engine import Store
from aios_connect.store.leases import Lease

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


def test_a_second_holder_is_told_who_holds_it_and_since_when(store: Store) -> None:
    clock = Clock()
    with Lease(store, "job:crm-sheet", now=clock, owner="anna's laptop"):
        clock.at += timedelta(seconds=30)
        with pytest.raises(BusyError, match="held by anna's laptop since 2026-11-21T12:00:00Z") as caught:
            Lease(store, "job:crm-sheet", now=clock).acquire()
    assert "2026-11-21T12:02:00Z" in caught.value.hint


def test_it_is_free_after_a_release_and_other_names_never_wait(store: Store) -> None:
    first, second = (Lease(store, "job:a", now=lambda: NOON) for _ in range(2))
    with Lease(store, "job:b", now=lambda: NOON):
        with first:
            pass
        second.acquire()
    with pytest.raises(BusyError):
        first.acquire()


def test_it_is_given_back_when_the_block_raises(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), Lease(store, "job:a", now=lambda: NOON):
        1 / 0  # noqa: B018
    Lease(store, "job:a", now=lambda: NOON).acquire()


def test_a_renewed_lease_holds_longer(store: Store) -> None:
    clock = Clock()
    held = Lease(store, "job:a", now=clock, seconds=60)
    held.acquire()
    clock.at += timedelta(seconds=50)
    held.renew()
    clock.at += timedelta(seconds=50)
    with pytest.raises(BusyError):
        Lease(store, "job:a", now=clock).acquire()


def test_a_holder_that_slept_too_long_is_replaced_and_learns_it(store: Store) -> None:
    clock = Clock()
    slow, quick = (Lease(store, "job:a", now=clock, seconds=60, owner=owner) for owner in ("slow", "quick"))
    slow.acquire()
    clock.at += timedelta(seconds=60)
    quick.acquire()
    with pytest.raises(BusyError, match="held by quick"):
        slow.renew()
    slow.release()
    with pytest.raises(BusyError, match="held by quick"):
        slow.acquire()


def test_a_lease_nobody_took_over_can_still_be_renewed_late(store: Store) -> None:
    clock = Clock()
    held = Lease(store, "job:a", now=clock, seconds=60)
    held.acquire()
    clock.at += timedelta(seconds=90)
    held.renew()
    with pytest.raises(BusyError):
        Lease(store, "job:a", now=clock).acquire()


def _compete(url: str, barrier: Any, results: Any) -> None:
    store = Store.open(url)
    barrier.wait()
    try:
        Lease(store, "job:a", now=lambda: NOON).acquire()
        results.put(True)
    except BusyError:
        results.put(False)
    store.close()


def test_of_processes_that_reach_for_it_at_once_one_gets_it(store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_compete, args=(store_url, barrier, results)) for _ in range(4)]
    for process in processes:
        process.start()
    outcomes = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    assert outcomes == [False, False, False, True]


def _hold(url: str, held: Any) -> None:
    Lease(Store.open(url), "job:a", now=lambda: NOON, seconds=60).acquire()
    held.set()
    signal.pause()


def test_a_holder_of_this_machine_that_was_killed_is_replaced_at_once(store: Store, store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=_hold, args=(store_url, held))
    process.start()
    assert held.wait(60) and process.pid
    with pytest.raises(BusyError, match=f"process {process.pid}"):
        Lease(store, "job:a", now=lambda: NOON + timedelta(seconds=1)).acquire()
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)

    Lease(store, "job:a", now=lambda: NOON + timedelta(seconds=2)).acquire()


def test_a_holder_elsewhere_holds_it_until_its_time_is_over(store: Store) -> None:
    Lease(store, "job:a", now=lambda: NOON, seconds=60, owner="another-machine process 1 abc").acquire()
    with pytest.raises(BusyError, match="another-machine"):
        Lease(store, "job:a", now=lambda: NOON + timedelta(seconds=59)).acquire()
    Lease(store, "job:a", now=lambda: NOON + timedelta(seconds=60)).acquire()
