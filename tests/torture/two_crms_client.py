"""A client in a process of its own, to be killed: a whole run between a fake HubSpot and a plain server on loopback ports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aios_connect.sandbox import SimClock
from aios_connect.store import Store
from aios_connect.sync import apply_plan, make_plan, read_job

from .plain_office import mappings as plain_mappings
from .plain_office import open_plain, plain_job
from .two_crms import mappings, open_hubspot

__all__ = ["JOB", "work"]

JOB = plain_job(authority={"default": "left"}, deletes="follow", match=("domains.primary",))
mappings()  # loaded before the process is forked
plain_mappings()


def work(folder: Path, urls: dict[str, str], start: datetime) -> None:
    """Read, plan and apply; the process may be killed at any instant before it is done.

    A plan that was begun is applied first, as ``aios run`` does.

    Args:
        folder: Where store and plans are.
        urls: Connection -> its server's address; ``left`` is the HubSpot account.
        start: What its clock shows at first; it moves a little whenever it is read.
    """
    clock = SimClock(start)

    def now() -> datetime:
        clock.sleep(0.001)
        return clock.now()

    connections = {
        "left": open_hubspot("left", now=now, sleep=clock.sleep, url=urls["left"], attempts=1),
        "right": open_plain("right", now=now, sleep=clock.sleep, url=urls["right"], attempts=1),
    }
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    try:
        read_job(JOB, connections, store, run=f"run_{start:%H%M%S}", now=now)
        plan = folder / f"plan{start:%H%M%S}.jsonl"
        make_plan(JOB, connections, store, plan, now=now)
        apply_plan(plan, JOB, connections, store, now=now)
    finally:
        for connection in connections.values():
            connection.close()
        store.close()
