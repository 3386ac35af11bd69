"""A random day of a HubSpot account and a plain server that are kept in step both ways.

Everything is a function of the seed. ``python -m tests.torture.two_crms 4711`` tells the story of one seed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN, Hazards

from aios_connect.connection import Connection
from aios_connect.connectors import Change, Context, Credentials, Http, Receipt
from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.mappings import CompiledMapping, load
from aios_connect.sandbox import Call, transport
from aios_connect.store import Store

from .hubspot_account import OBJECTS, HubSpotAccount
from .plain_vendor import PlainVendor
from .schedules import SIDES, Day, live

if TYPE_CHECKING:
    import httpx2

__all__ = ["HubSpotDay", "mappings", "open_hubspot"]

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "mappings" / "hubspot"
LONGEST_LAG = 60.0
"""Of the search: one change in e^20 takes longer than this."""


@cache
def mappings() -> list[CompiledMapping]:
    """The shipped mappings of HubSpot, with the stages of the plain servers laid over them."""
    return [
        load(SHIPPED / "companies.yaml"),
        load(SHIPPED / "contacts.yaml"),
        load(SHIPPED / "deals.yaml", overlay=HERE / "mappings" / "hubspot" / "deals.yaml"),
    ]


def open_hubspot(
    name: str,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    url: str = "https://api.hubapi.com",
    transport: httpx2.BaseTransport | None = None,
    **options: Any,
) -> Connection:
    """A connection to a fake HubSpot account.

    Args:
        name: The connection's name.
        now: The clock.
        sleep: How to wait.
        url: Where the account is.
        transport: Instead of the network.
        **options: More of :class:`~aios_connect.connectors.Http`.
    """
    tokens = MemoryTokenStore(now=now)
    tokens.put(name, {"key": TOKEN})
    credentials = Credentials(name, HubSpot.spec.auth[0], tokens, now=now, sleep=sleep)
    http = Http(
        provider="hubspot",
        base_url=url,
        credentials=credentials,
        limits=HubSpot.spec.limits,
        budget=MemoryBudget(now=now, sleep=sleep),
        transport=transport,
        now=now,
        sleep=sleep,
        jitter=lambda: 0.5,
        trust_env=False,
        **options,
    )
    return Connection(
        name, HubSpot(Context(name, {"url": url}, credentials, http, now, sleep, Path())), mappings(), on_close=http.close
    )


class HubSpotDay(Day):
    """A day on which the left server is a HubSpot account.

    HubSpot cannot refuse a stale write: its connector compares, then sends. What people do there within that moment is not held
    against anybody, so they do nothing there while it lasts.
    """

    def __init__(self, seed: int, folder: Path, store: Store, tell: Callable[[str], None]) -> None:
        self._seed = seed
        self._comparing = False
        super().__init__(seed, folder, store, tell)
        self.lag = max(self.lag, LONGEST_LAG)

    def _vendor(self, side: str, grain: timedelta) -> PlainVendor:
        if side != "left":
            return super()._vendor(side, grain)
        page_size = self.draw.choice([2, 3, 10])
        account = HubSpotAccount(self.clock, hazards=Hazards(latency=0.02), seed=self._seed, page_size=page_size)
        return cast(PlainVendor, account)

    def _connect(self, side: str, attempts: int) -> Connection:
        if side != "left":
            return super()._connect(side, attempts)
        through = transport(self.vendors[side])
        connection = open_hubspot(side, now=self.now, sleep=self.clock.sleep, transport=through, attempts=attempts)
        connection.connector.provision()
        write = connection.connector.write

        def compare_and_send(object: str, changes: Sequence[Change]) -> list[Receipt]:
            self._comparing = changes[0].action != "create"
            try:
                return write(object, changes)
            finally:
                self._comparing = False

        connection.connector.write = compare_and_send  # type: ignore[method-assign]
        return connection

    def _name(self, side: str, object: str, id: str) -> str | None:
        return super()._name(side, next((ours for ours, theirs in OBJECTS.items() if theirs == object), object), id)

    def _disturb(self, side: str) -> Callable[[Call], None]:
        def disturb(call: Call) -> None:
            self.clock.sleep(0.02)
            if self.draw.random() < self.busy:
                self._edit("right" if self._comparing else self.draw.choice(SIDES))
            self._kill(call)

        return disturb


def _main() -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        Store.open(f"sqlite:///{template}").close()
        own = Path(folder) / "day"
        own.mkdir()
        live(int(sys.argv[1]), own, template, tell=lambda line: print(line), day=HubSpotDay)


if __name__ == "__main__":
    _main()
