"""A client in a process of its own, to be killed: reads, or applies a plan, between two plain servers on loopback ports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aios_connect.sandbox import SimClock
from aios_connect.store import Store
from aios_connect.sync import apply_plan, make_plan, read_job

from .plain_office import mappings, open_plain, plain_job

__all__ = ["work"]

JOB = plain_job(authority={"default": "left"}, deletes="follow")
mappings()  # loaded before the process is forked


def work(task: str, folder: Path, urls: dict[str, str], start: datetime) -> None:
    """Do one task and return; the process may be killed at any instant before.

    Args:
        task: ``read``, ``plan`` or ``apply``.
        folder: Where store and plan are.
        urls: Connection -> its server's address.
        start: What its clock shows at first; it moves a little whenever it is read.
    """
    clock = SimClock(start)

    def now() -> datetime:
        clock.sleep(0.001)
        return clock.now()

    connections = {name: open_plain(name, now=now, sleep=clock.sleep, url=url, attempts=1) for name, url in urls.items()}
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    plan = folder / "plan.jsonl"
    try:
        if task == "read":
            read_job(JOB, connections, store, run="run_read", now=now)
        elif task == "plan":
            make_plan(JOB, connections, store, plan, now=now)
        else:
            apply_plan(plan, JOB, connections, store, now=now)
    finally:
        for connection in connections.values():
            connection.close()
        store.close()
