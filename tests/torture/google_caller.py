"""A process of its own that looks records of a fake Google account up as often as the account's budget, which it shares, allows."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from aios_connect_google import Google
from aios_connect_google.sandbox import TOKEN

from aios_connect.connectors import Context, Credentials, Http
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.store import Store
from aios_connect.store.budgets import SharedBudget

from .shared_clock import DistantClock

LATENCY = 0.1
"""Seconds that a call takes."""


def call(folder: Path, url: str, clock: DistantClock, seconds: float, object: str, ids: Sequence[str]) -> None:
    """Look the same records up again and again."""
    tokens = MemoryTokenStore(now=clock.now)
    tokens.put("crm", {"access_token": TOKEN})
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    credentials = Credentials("crm", Google.spec.auth[0], tokens, now=clock.now, sleep=clock.sleep)
    http = Http(
        provider="google",
        credentials=credentials,
        limits=Google.spec.limits,
        budget=SharedBudget(store, now=clock.now, sleep=clock.sleep),
        account="google:office",
        attempts=1,
        trust_env=False,
    )
    google = Google(Context("crm", {"url": url}, credentials, http, clock.now, clock.sleep, folder))
    until = clock.now() + timedelta(seconds=seconds)
    while clock.now() < until:
        assert len(google.lookup(object, ids)) == len(ids)
        clock.sleep(LATENCY)
    clock.leave()
    google.close()
    store.close()


def main() -> None:
    folder, url, (host, port), seconds, records = json.loads(sys.argv[1])
    clock = DistantClock((host, port))
    with ThreadPoolExecutor(len(records)) as pool:
        work = [pool.submit(call, Path(folder), url, clock, seconds, object, ids) for object, ids in records.items()]
    for one in work:
        one.result()


if __name__ == "__main__":
    main()
