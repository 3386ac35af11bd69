"""A lease: the right to do something alone, held by name until it is given back or runs out.

One run per job at a time rests on it. Each step is one conditional statement (compare and swap), the same on both databases, so that
no clock but the caller's is trusted and a holder that was killed is replaced when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from aios_connect.connectors.owners import has_ended, this_process
from aios_connect.errors import BusyError

from .engine import Store
from .tables import lease

__all__ = ["Lease"]


class Lease:
    """One name, held by one owner at a time. As a context manager it is acquired and released.

    Args:
        store: Where leases are kept.
        name: What is held, ``"job:crm-sheet"``.
        now: The clock; aware instants.
        seconds: How long it is held from the last :meth:`acquire` or :meth:`renew`.
        owner: Who holds it, for a person to read; machine and process unless given. Two holders never share one.
    """

    def __init__(
        self, store: Store, name: str, *, now: Callable[[], datetime], seconds: float = 120.0, owner: str | None = None
    ) -> None:
        self.name = name
        self.owner = owner or this_process()
        self._store = store
        self._now = now
        self._seconds = seconds

    def acquire(self) -> None:
        """Take the lease if it is free, has run out, or is ours already.

        Raises:
            BusyError: Somebody else holds it; the message says who, and since when.
        """
        now = self._now().timestamp()
        values = {"owner": self.owner, "since": now, "until": now + self._seconds}
        free = (lease.c.name == self.name) & ((lease.c.until <= now) | (lease.c.owner == self.owner))
        try:
            with self._store.begin() as connection:
                if connection.execute(update(lease).where(free).values(values)).rowcount == 0:
                    connection.execute(insert(lease).values(name=self.name, **values))
        except IntegrityError:
            if not self._inherit(values):
                raise self._busy() from None

    def _inherit(self, values: dict[str, object]) -> bool:
        """Take over from a process of this machine that is no more: nobody needs to wait for it."""
        with self._store.begin() as connection:
            held = connection.execute(select(lease.c.owner).where(lease.c.name == self.name)).scalar()
            if held is None or not has_ended(held):
                return False
            theirs = update(lease).where(lease.c.name == self.name, lease.c.owner == held)
            return connection.execute(theirs.values(values)).rowcount == 1

    def renew(self) -> None:
        """Hold on for another ``seconds``; to be called well before they are over.

        Raises:
            BusyError: It ran out and somebody else took it; what was begun must stop.
        """
        now = self._now().timestamp()
        with self._store.begin() as connection:
            ours = update(lease).where(lease.c.name == self.name, lease.c.owner == self.owner).values(until=now + self._seconds)
            if connection.execute(ours).rowcount:
                return
        raise self._busy()

    def release(self) -> None:
        """Give it back. Nothing happens if it is not ours any more."""
        with self._store.begin() as connection:
            connection.execute(delete(lease).where(lease.c.name == self.name, lease.c.owner == self.owner))

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def _busy(self) -> BusyError:
        with self._store.read() as connection:
            held = connection.execute(
                select(lease.c.owner, lease.c.since, lease.c.until).where(lease.c.name == self.name)
            ).first()
        if held is None:
            return BusyError(f"{self.name} was held by somebody else a moment ago.", hint="Try again.")
        since, until = (
            datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for seconds in (held.since, held.until)
        )
        return BusyError(
            f"{self.name} is held by {held.owner} since {since}.",
            hint=f"Wait until it has finished; if it was killed, the hold ends by itself at {until}.",
        )
