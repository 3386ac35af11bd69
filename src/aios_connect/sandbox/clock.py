"""Clocks of fakes: one that moves only when somebody waits on it, and one that runs."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

__all__ = ["RunningClock", "SimClock"]


class SimClock:
    """Simulated time, shared by a fake vendor and the client that is tried on it. Safe to use from several threads.

    Args:
        start: The first instant, aware.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._at = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present instant, UTC."""
        return self._at

    def sleep(self, seconds: float) -> None:
        """Let time pass; returns at once."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} s")
        with self._lock:
            self._at += timedelta(seconds=seconds)


class RunningClock(SimClock):
    """Time that passes by itself, for people who play. Who waits on it does not wait: it moves ahead.

    Args:
        start: The first instant, aware.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """The present instant, UTC."""
        return super().now() + timedelta(seconds=time.monotonic() - self._begun)

    def catch_up(self, at: datetime) -> None:
        """Move ahead to an instant, unless it is past already."""
        self.sleep(max(0.0, (at - self.now()).total_seconds()))
