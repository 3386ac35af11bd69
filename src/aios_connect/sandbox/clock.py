"""A clock that moves only when somebody waits on it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

__all__ = ["SimClock"]


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
