"""Rates: a vendor's limits, kept before the vendor has to refuse.

Every limit is a window that slides. Calls are counted in slots of a fiftieth of a window, so that the state of a limit stays
small however many calls it allows; a slot counts until it has left the window altogether, and a little longer, as requests do not
arrive in the rhythm in which they are sent. A call whose answer took longer than that little counts from its answer on.

The arithmetic is pure and works on :class:`Window`; who keeps the windows decides who shares them: one process
(:class:`MemoryBudget`) or all processes of a project (``store/budgets.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from aios_connect.errors import RateLimitedError

from .spec import Limit

__all__ = [
    "Allowance",
    "Budget",
    "MemoryBudget",
    "Window",
    "Windows",
    "allowed",
    "applying",
    "believe",
    "close",
    "counted",
    "is_late",
    "is_news",
    "restamp",
    "take",
    "too_long",
]

_SLOTS: Final = 50
_SLACK: Final = 0.03  # of a window
_LEAST_SLACK: Final = 0.05  # seconds
_MOST_SLACK: Final = 5.0
_QUOTA: Final = 3600.0  # a limit for as long as this is a quota


class Budget(Protocol):
    """Who is asked before every call."""

    def acquire(self, account: str, scope: str, limits: Sequence[Limit], cost: int = 1) -> float:
        """Wait until the call is allowed, and count it.

        Args:
            account: Whose limits: one account at one provider.
            scope: The label of this call; limits without a scope apply to every call.
            limits: The vendor's limits.
            cost: Calls, or units, that this call counts as.

        Returns:
            When it was counted, epoch seconds.

        Raises:
            RateLimitedError: The wait would be longer than this budget waits; ``retry_after`` says how long.
        """

    def answered(self, account: str, scope: str, limits: Sequence[Limit], *, since: float, cost: int = 1) -> None:
        """Say that the answer came to a call that was counted at ``since``: at the latest now the vendor counts it too."""

    def close(self, account: str, scope: str, limits: Sequence[Limit], *, seconds: float) -> None:
        """Allow no call that falls under these limits for so many seconds: the vendor has refused one."""

    def observe(self, account: str, limit: Limit, *, remaining: int, seconds: float, calls: int = 0) -> None:
        """Take over what the vendor says is left; others use the account too.

        Args:
            account: As in :meth:`acquire`.
            limit: Which of its limits is meant.
            remaining: Calls left of it.
            seconds: Until the vendor forgets the calls it has counted: to the end of its window, or the length of a sliding one.
            calls: Calls it allows this account; 0 if the vendor did not say so this time.
        """

    def allowed(self, account: str, limit: Limit) -> int:
        """Calls that a limit allows: as many as the vendor said last, and until it says so, as many as we suppose."""

    def used(self, account: str, limit: Limit) -> int:
        """Calls that count against a limit at present: ours, and those of others as far as the vendor told of them."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a vendor lets one account do in a day.

    Attributes:
        account: Whose it is, at which provider.
        daily: Calls it allows a day.
        used: Calls of it that are used up at present.
        reserve: Calls that are left to the company's other tools.
    """

    account: str
    daily: int
    used: int
    reserve: int


@dataclass(slots=True)
class Window:
    """What is remembered of one limit.

    Attributes:
        slots: Number of the slot since the epoch -> calls counted in it.
        closed_until: Epoch seconds until which no call is allowed at all.
        calls: Calls that the vendor says it allows; 0 until it does.
    """

    slots: dict[int, int] = field(default_factory=dict)
    closed_until: float = 0.0
    calls: int = 0


Windows: TypeAlias = Mapping[Limit, Window]
"""The limits a call falls under, with what is remembered of each."""


def applying(limits: Iterable[Limit], scope: str) -> list[Limit]:
    """The limits that a call with this label falls under, always in the same order."""
    return sorted({limit for limit in limits if limit.scope in ("", scope)}, key=lambda limit: (limit.scope, limit.seconds))


def take(windows: Windows, now: float, cost: int) -> float:
    """Count a call against all its limits and return 0; or count nothing and return the seconds to wait."""
    wait = max((_wait(limit, window, now, cost) for limit, window in windows.items()), default=0.0)
    if not wait:
        for limit, window in windows.items():
            _count(limit, window, now, cost)
    return wait


def is_late(limit: Limit, since: float, now: float) -> bool:
    """An answer took so long that its call may have arrived in another slot than it was counted in."""
    return now - since > _slack(limit) and _slot(limit, since) != _slot(limit, now)


def restamp(windows: Windows, since: float, now: float, cost: int) -> None:
    """Count a call from its answer on, for those limits for which that came late."""
    for limit, window in windows.items():
        slot = _slot(limit, since)
        if is_late(limit, since, now) and window.slots.get(slot, 0) >= cost:
            window.slots[slot] -= cost
            _count(limit, window, now, cost)


def close(windows: Windows, now: float, seconds: float) -> None:
    """Allow no call for so many seconds."""
    for window in windows.values():
        window.closed_until = max(window.closed_until, now + seconds)


def allowed(limit: Limit, window: Window) -> int:
    """The calls that a limit allows: as many as the vendor said last, or else as the spec says."""
    return window.calls or limit.calls


def is_news(limit: Limit, window: Window, remaining: int, calls: int = 0) -> bool:
    """The vendor says that it allows another number; that more was used than we have counted; or, of a quota, much less: then it
    has begun anew."""
    most = calls or allowed(limit, window)
    behind = most - remaining - sum(window.slots.values())
    return most != allowed(limit, window) or behind > 0 or (limit.seconds >= _QUOTA and -behind > most // 100)


def believe(limit: Limit, window: Window, now: float, remaining: int, seconds: float, calls: int = 0) -> None:
    """Count what others used, for as long as the vendor does, and remember how many calls it allows, if it says so.

    Of a quota the vendor's word replaces our count, for an hour at most: its day may begin when ours does not, and the next
    answer tells again.
    """
    if not is_news(limit, window, remaining, calls):
        return
    window.calls = calls or window.calls
    used = allowed(limit, window) - remaining
    if limit.seconds >= _QUOTA:
        window.slots.clear()
        seconds = min(seconds, _QUOTA)
    others = max(0, used - sum(window.slots.values()))
    _count(limit, window, now - max(0.0, limit.seconds - seconds), others)


def counted(limit: Limit, window: Window, now: float) -> int:
    """The calls that still count."""
    return sum(calls for slot, calls in window.slots.items() if _leaves(limit, slot) > now)


def too_long(account: str, wait: float) -> RateLimitedError:
    """The error for a wait that nobody sits through."""
    provider = account.partition(":")[0]
    return RateLimitedError(
        f"the calls that {provider} allows are used up",
        hint=f"go on in {wait:.0f} s; what is done so far is kept",
        provider=provider,
        retry_after=wait,
    )


class MemoryBudget:
    """A budget of one process.

    Args:
        now: The clock.
        sleep: How to wait, in seconds.
        longest: Seconds one call waits at most; a longer wait is an error instead.
    """

    def __init__(self, *, now: Callable[[], datetime], sleep: Callable[[float], None], longest: float = 120.0) -> None:
        self._now = now
        self._sleep = sleep
        self._longest = longest
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, Limit], Window] = {}

    def acquire(self, account: str, scope: str, limits: Sequence[Limit], cost: int = 1) -> float:
        """See :meth:`Budget.acquire`."""
        until = self._now().timestamp() + self._longest
        while True:
            with self._lock:
                now = self._now().timestamp()
                wait = take(self._of(account, scope, limits), now, cost)
            if not wait:
                return now
            if now + wait > until:
                raise too_long(account, wait)
            self._sleep(wait)

    def answered(self, account: str, scope: str, limits: Sequence[Limit], *, since: float, cost: int = 1) -> None:
        """See :meth:`Budget.answered`."""
        with self._lock:
            restamp(self._of(account, scope, limits), since, self._now().timestamp(), cost)

    def close(self, account: str, scope: str, limits: Sequence[Limit], *, seconds: float) -> None:
        """See :meth:`Budget.close`."""
        with self._lock:
            close(self._of(account, scope, limits), self._now().timestamp(), seconds)

    def observe(self, account: str, limit: Limit, *, remaining: int, seconds: float, calls: int = 0) -> None:
        """See :meth:`Budget.observe`."""
        with self._lock:
            (window,) = self._of(account, limit.scope, [limit]).values()
            believe(limit, window, self._now().timestamp(), remaining, seconds, calls)

    def allowed(self, account: str, limit: Limit) -> int:
        """See :meth:`Budget.allowed`."""
        with self._lock:
            return allowed(limit, self._windows.get((account, limit), Window()))

    def used(self, account: str, limit: Limit) -> int:
        """See :meth:`Budget.used`."""
        with self._lock:
            return counted(limit, self._windows.get((account, limit), Window()), self._now().timestamp())

    def _of(self, account: str, scope: str, limits: Sequence[Limit]) -> Windows:
        return {limit: self._windows.setdefault((account, limit), Window()) for limit in applying(limits, scope)}


def _slack(limit: Limit) -> float:
    return max(min(limit.seconds * _SLACK, _MOST_SLACK), min(_LEAST_SLACK, limit.seconds / 2))


def _slot(limit: Limit, at: float) -> int:
    return int(at / (limit.seconds / _SLOTS))


def _leaves(limit: Limit, slot: int) -> float:
    """When a slot has left the window for good, epoch seconds."""
    return (slot + 1) * limit.seconds / _SLOTS + limit.seconds + _slack(limit)


def _count(limit: Limit, window: Window, at: float, cost: int) -> None:
    slot = _slot(limit, at)
    window.slots[slot] = window.slots.get(slot, 0) + cost


def _wait(limit: Limit, window: Window, now: float, cost: int) -> float:
    """Seconds until a limit allows a call; 0 if it does now. Forgets the slots that have left the window.

    What costs more than the whole limit waits until the window is empty.
    """
    for slot in [slot for slot, calls in window.slots.items() if _leaves(limit, slot) <= now or not calls]:
        del window.slots[slot]
    ours = max(1, int(allowed(limit, window) * (1 - limit.reserve)))
    over = sum(window.slots.values()) + cost - ours
    wait = max(0.0, window.closed_until - now)
    for slot in sorted(window.slots):
        if over <= 0:
            break
        over -= window.slots[slot]
        wait = max(wait, _leaves(limit, slot) - now)
    return wait
