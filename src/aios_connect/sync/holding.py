"""One run at a time: a job and the connections it touches are held while it reads or applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from aios_connect.store import Store
from aios_connect.store.leases import Lease

__all__ = ["Hold"]

_RENEW_AFTER = timedelta(seconds=30)


class Hold:
    """Holds a job and its connections; as a context manager.

    Two jobs that share a connection wait for each other: a page read before a write must not be stored after it.

    Args:
        store: Where the leases are.
        job: The job.
        connections: The connections it touches.
        now: The clock.
    """

    def __init__(self, store: Store, job: str, connections: Iterable[str], now: Callable[[], datetime]) -> None:
        names = [f"job:{job}", *(f"connection:{name}" for name in sorted(connections))]
        self._leases = [Lease(store, name, now=now) for name in names]
        self._now = now
        self._renewed = now()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for lease in self._leases:
                stack.enter_context(lease)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)

    def beat(self) -> None:
        """Still alive: to be called between pages and batches.

        Raises:
            BusyError: Somebody else took over meanwhile.
        """
        if self._now() - self._renewed >= _RENEW_AFTER:
            for lease in self._leases:
                lease.renew()
            self._renewed = self._now()
