"""A process of its own that the tests of budgets start: makes a number of calls under a limit that it shares."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime

from aios_connect.connectors import Http, Limit
from aios_connect.store.budgets import SharedBudget
from aios_connect.store.engine import Store


def now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    store_url, url, allowed, seconds, calls = json.loads(sys.argv[1])
    store = Store.open(store_url)
    budget = SharedBudget(store, now=now, sleep=time.sleep)
    seam = Http(provider="acme", base_url=url, limits=(Limit(allowed, seconds),), budget=budget, attempts=1)
    for number in range(calls):
        seam.request("GET", f"/{number}")
    seam.close()
    store.close()


if __name__ == "__main__":
    main()
