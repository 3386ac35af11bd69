"""Rates that all processes of a project share: the windows are rows, read and written in one short transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from aios_connect.connectors.budget import (
    Window,
    Windows,
    allowed,
    applying,
    believe,
    close,
    counted,
    is_late,
    is_news,
    restamp,
    take,
    too_long,
)
from aios_connect.connectors.spec import Limit

from .engine import Store
from .tables import budget

__all__ = ["SharedBudget"]

T = TypeVar("T")


class SharedBudget:
    """A budget in the store; a :class:`~aios_connect.connectors.budget.Budget`. The clocks of its processes must agree.

    Args:
        store: Where it is kept.
        now: The clock.
        sleep: How to wait, in seconds.
        longest: Seconds one call waits at most; a longer wait is an error instead.
    """

    def __init__(
        self, store: Store, *, now: Callable[[], datetime], sleep: Callable[[float], None], longest: float = 120.0
    ) -> None:
        self._store = store
        self._now = now
        self._sleep = sleep
        self._longest = longest

    def acquire(self, account: str, scope: str, limits: Sequence[Limit], cost: int = 1) -> float:
        """See :meth:`Budget.acquire`."""
        mine = applying(limits, scope)
        until = self._now().timestamp() + self._longest
        while mine:

            def taken(windows: Windows) -> tuple[float, float]:
                # the clock is read when the rows are ours: waiting for them takes time
                now = self._now().timestamp()
                return now, take(windows, now, cost)

            now, wait = self._with(account, mine, taken)
            if not wait:
                return now
            if now + wait > until:
                raise too_long(account, wait)
            self._sleep(wait)
        return self._now().timestamp()

    def answered(self, account: str, scope: str, limits: Sequence[Limit], *, since: float, cost: int = 1) -> None:
        """See :meth:`Budget.answered`."""
        now = self._now().timestamp()
        mine = applying(limits, scope)
        if any(is_late(limit, since, now) for limit in mine):
            self._with(account, mine, lambda windows: restamp(windows, since, now, cost))

    def close(self, account: str, scope: str, limits: Sequence[Limit], *, seconds: float) -> None:
        """See :meth:`Budget.close`."""
        now = self._now().timestamp()
        self._with(account, applying(limits, scope), lambda windows: close(windows, now, seconds))

    def observe(self, account: str, limit: Limit, *, remaining: int, seconds: float, calls: int = 0) -> None:
        """See :meth:`Budget.observe`."""
        if is_news(limit, self._window(account, limit), remaining, calls):  # seldom, and only then the store is written
            now = self._now().timestamp()
            self._with(account, [limit], lambda windows: believe(limit, windows[limit], now, remaining, seconds, calls))

    def allowed(self, account: str, limit: Limit) -> int:
        """See :meth:`Budget.allowed`."""
        return allowed(limit, self._window(account, limit))

    def used(self, account: str, limit: Limit) -> int:
        """See :meth:`Budget.used`."""
        return counted(limit, self._window(account, limit), self._now().timestamp())

    def _window(self, account: str, limit: Limit) -> Window:
        """What is remembered at present."""
        with self._store.read() as transaction:
            windows, _ = _read(transaction, account, [limit])
        return windows[limit]

    def _with(self, account: str, limits: Sequence[Limit], change: Callable[[Windows], T]) -> T:
        """Let the windows be changed, alone."""
        while True:
            try:
                with self._store.begin() as transaction:
                    windows, before = _read(transaction, account, limits, alone=True)
                    outcome = change(windows)
                    _write(transaction, account, windows, before)
                return outcome
            except IntegrityError:  # somebody made the rows at the same moment: now they are there
                continue


def _read(
    transaction: Connection, account: str, limits: Sequence[Limit], *, alone: bool = False
) -> tuple[Windows, dict[tuple[str, float], str]]:
    query = select(budget.c.scope, budget.c.window, budget.c.state).where(budget.c.account == account)
    query = query.order_by(budget.c.scope, budget.c.window)
    rows = transaction.execute(query.with_for_update() if alone else query)
    before = {(row.scope, row.window): row.state for row in rows}
    return {limit: _window(before.get((limit.scope, limit.seconds))) for limit in limits}, before


def _write(transaction: Connection, account: str, windows: Windows, before: dict[tuple[str, float], str]) -> None:
    for limit, window in windows.items():
        state = json.dumps({"slots": window.slots, "closed_until": window.closed_until, "calls": window.calls})
        known = before.get((limit.scope, limit.seconds))
        if known is None:
            place = {"account": account, "scope": limit.scope, "window": limit.seconds}
            transaction.execute(insert(budget).values(**place, state=state))
        elif known != state:
            here = (budget.c.account == account) & (budget.c.scope == limit.scope) & (budget.c.window == limit.seconds)
            transaction.execute(update(budget).where(here).values(state=state, version=budget.c.version + 1))


def _window(state: str | None) -> Window:
    if state is None:
        return Window()
    told = json.loads(state)
    slots = {int(slot): calls for slot, calls in told["slots"].items()}
    return Window(slots, told["closed_until"], told.get("calls", 0))  # rows of before do not have it
