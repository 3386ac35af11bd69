"""How plain servers are reached: connections with their mappings, and the job that keeps two of them in step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_connect.connection import Connection
from aios_connect.connectors import Context, Credentials, Http
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.mappings import CompiledMapping, load
from aios_connect.sync import Caps, Job, KindRule

from .plain_connector import Plain
from .plain_vendor import KEY

if TYPE_CHECKING:
    import httpx2

__all__ = ["KINDS", "mappings", "open_plain", "plain_job"]

KINDS = ("company", "person", "deal")


@cache
def mappings() -> list[CompiledMapping]:
    """The mappings of plain, parents first."""
    return [load(Path(__file__).parent / "mappings" / f"{name}.yaml") for name in ("companies", "people", "deals")]


def open_plain(
    name: str,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    url: str = "http://plain.example",
    transport: httpx2.BaseTransport | None = None,
    **options: Any,
) -> Connection:
    """A connection to one plain server.

    Args:
        name: The connection's name.
        now: The clock.
        sleep: How to wait.
        url: Where the server is.
        transport: Instead of the network.
        **options: More of :class:`~aios_connect.connectors.Http`.
    """
    tokens = MemoryTokenStore(now=now)
    tokens.put(name, {"key": KEY})
    credentials = Credentials(name, Plain.spec.auth[0], tokens, now=now, sleep=sleep)
    http = Http(
        provider="plain",
        base_url=url,
        credentials=credentials,
        transport=transport,
        now=now,
        sleep=sleep,
        jitter=lambda: 0.5,
        trust_env=False,
        **options,
    )
    context = Context(name, {"url": url}, credentials, http, now, sleep, Path())
    return Connection(name, Plain(context), mappings(), on_close=http.close)


def plain_job(left: str = "left", right: str = "right", **rules: Any) -> Job:
    """Both ways, everything: what is on one side and not on the other is made there."""
    rule = KindRule(create=(left, right), **rules)
    return Job(
        job="both-ways",
        connections=(left, right),
        kinds=dict.fromkeys(KINDS, rule),
        caps=Caps(creates=10_000, updates=10_000, deletes=10_000),
    )
