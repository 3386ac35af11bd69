"""A process of its own that calls a fake HubSpot as often as the account's budget, which it shares with others, allows."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN

from aios_connect.connectors import Credentials, Http
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.store import Store
from aios_connect.store.budgets import SharedBudget

LIST = ("GET", "crm/v3/objects/contacts", "")
SEARCH = ("POST", "crm/v3/objects/contacts/search", "search")


def now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    folder, url, what, seconds = json.loads(sys.argv[1])
    tokens = MemoryTokenStore(now=now)
    tokens.put("crm", {"key": TOKEN})
    store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}")
    http = Http(
        provider="hubspot",
        base_url=url,
        credentials=Credentials("crm", HubSpot.spec.auth[0], tokens, now=now, sleep=time.sleep),
        limits=HubSpot.spec.limits,
        budget=SharedBudget(store, now=now, sleep=time.sleep),
        attempts=1,
        trust_env=False,
    )
    method, path, scope = SEARCH if what == "search" else LIST
    body = {"limit": 1} if what == "search" else None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        http.request(method, path, json=body, safe=True, scope=scope)
    http.close()
    store.close()


if __name__ == "__main__":
    main()
