"""Simulated time that several processes have in common, so that minutes of limits pass in a moment and no load of the machine counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.managers import BaseManager
from typing import Any

from aios_connect.sandbox import SimClock

__all__ = ["DistantClock", "SharedClock", "shown"]

_KEY = b"the clock on the wall"


class SharedClock(SimClock):
    """It goes on when all who look at it wait, to the instant at which the first of them has waited long enough.

    Args:
        parties: How many look at it.
    """

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._awake = parties
        self._wakes: list[datetime] = []
        self._changed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        if not seconds:
            return
        with self._changed:
            until = self._at + timedelta(seconds=seconds)
            self._wakes.append(until)
            self.leave()
            self._changed.wait_for(lambda: self._at >= until)

    def leave(self) -> None:
        """One looks at it no more."""
        with self._changed:
            self._awake -= 1
            if self._awake or not self._wakes:
                return
            self._at = min(self._wakes)
            later = [until for until in self._wakes if until > self._at]
            self._awake = len(self._wakes) - len(later)
            self._wakes = later
            self._changed.notify_all()


class _Wall(BaseManager):
    pass


_Wall.register("clock")


@contextmanager
def shown(clock: SharedClock) -> Iterator[tuple[str, int]]:
    """Let other processes look at a clock; where it is."""

    class Here(BaseManager):
        pass

    Here.register("clock", callable=lambda: clock)
    server = Here(("127.0.0.1", 0), _KEY).get_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address: Any = server.address
    yield address


class DistantClock(SimClock):
    """The clock of another process.

    Args:
        address: Where it is.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__()
        wall: Any = _Wall(address, _KEY)
        wall.connect()
        self._clock = wall.clock()

    def now(self) -> datetime:
        told: datetime = self._clock.now()
        return told

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def leave(self) -> None:
        """See :meth:`SharedClock.leave`."""
        self._clock.leave()
