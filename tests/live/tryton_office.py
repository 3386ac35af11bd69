"""A connector on a real Tryton, a wire that can be tapped and cut, and somebody else with a session of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aios_connect_tryton import Tryton

from aios_connect.connectors import Change, Context, Cursor, Http, Page, Raw, Receipt, Tombstone
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore
from aios_connect.testing.servers import TrytonDatabase

__all__ = ["Office", "Wire", "create", "update"]


class Wire(httpx2.BaseTransport):
    """Lets requests through to the server and writes their methods down.

    Attributes:
        calls: JSON-RPC methods, in order.
        lines: Method -> the plan lines its last request named.
        before: Method -> called once before a request of that method goes out.
        lose: Method whose next answer is lost on the way back.
        drop: Method whose next request is lost on the way there.
        garble: Method -> what comes back instead of its next answers.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.lines: dict[str, str] = {}
        self.before: dict[str, Callable[[], object]] = {}
        self.lose: str = ""
        self.drop: str = ""
        self.garble: dict[str, list[httpx2.Response]] = {}
        self._through = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        method: str = json.loads(request.read())["method"]
        self.calls.append(method)
        self.lines[method] = request.headers.get("aios-plan-line", "")
        if act := self.before.pop(method, None):
            act()
        if method == self.drop:
            self.drop = ""
            raise httpx2.ReadTimeout("nobody answered")
        response = self._through.handle_request(request)
        if method == self.lose:
            self.lose = ""
            response.read()
            response.close()
            raise httpx2.ReadTimeout("nobody answered")
        if self.garble.get(method):
            response.read()
            response.close()
            return self.garble[method].pop(0)
        return response

    def close(self) -> None:
        self._through.close()


class Office:
    """Both sides of a Tryton database.

    Args:
        there: The database.
        page_size: Records a page, if not the usual number.
        url: Of the server, if not the real one.
        **settings: More settings of the connection.
    """

    def __init__(self, there: TrytonDatabase, *, page_size: int = 0, url: str = "", password: str = "", **settings: Any) -> None:
        self.database = there
        self.wire = Wire()
        self.rpc = there.rpc()
        settings = {
            "url": url or there.url,
            "database": there.name,
            "user": there.user,
            "overlap": "0",
            **settings,
        }

        def now() -> datetime:
            return datetime.now(UTC)

        tokens = MemoryTokenStore(now=now)
        tokens.put("crm", {"password": password or there.password})
        credentials = Credentials("crm", Tryton.spec.auth[0], tokens, now=now, sleep=time.sleep)
        self.http = Http(
            provider="tryton", base_url=settings["url"], credentials=credentials, transport=self.wire, sleep=lambda _: None
        )
        kind = Tryton if not page_size else _with_pages(page_size)
        self.connector = kind(Context("crm", settings, credentials, self.http, now, time.sleep, Path()))

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()
        self.wire.close()

    def read(self, object: str, since: Cursor | None = None) -> list[Page]:
        """All pages."""
        return list(self.connector.read(object, since))

    def records(self, object: str, since: Cursor | None = None) -> list[Raw]:
        """All records of all pages."""
        return [raw for page in self.read(object, since) for raw in page.records]

    def stones(self, object: str, since: Cursor | None = None) -> list[Tombstone]:
        """All tombstones of all pages."""
        return [stone for page in self.read(object, since) for stone in page.tombstones]

    def make(self, object: str, *patches: Raw) -> list[Raw]:
        """Write new records; as Tryton has them then."""
        receipts = self.connector.write(object, [create(patch) for patch in patches])
        assert [receipt.outcome for receipt in receipts] == ["written"] * len(patches), receipts
        return [receipt.record or {} for receipt in receipts]

    def write(self, object: str, *changes: Change) -> list[Receipt]:
        """Write."""
        return self.connector.write(object, changes)

    def now(self, object: str, id: object) -> Raw:
        """A record as it is now."""
        (raw,) = self.connector.lookup(object, [str(id)])
        return raw

    def truth(self, model: str, id: int, *fields: str) -> dict[str, Any]:
        """A row as somebody else sees it; nothing if it is not there."""
        rows = self.rpc(f"model.{model}.search_read", [["id", "=", id]], 0, None, None, list(fields), active_test=False)
        return dict(rows[0]) if rows else {}


def create(patch: Raw, key: str | None = None) -> Change:
    """A change that makes a record."""
    return Change("create", f"line-{key or 'new'}", patch=patch, key=key)


def update(raw: Raw, patch: Raw, **more: Any) -> Change:
    """A change of a record as it was read."""
    told = {"version": raw["version"], **more}
    return Change("update", f"line-{raw['id']}", str(raw["id"]), patch, **told)


def _with_pages(size: int) -> type[Tryton]:
    objects = {name: replace(object, page_size=size, scan_size=size) for name, object in Tryton.spec.objects.items()}
    return type("TrytonWithSmallPages", (Tryton,), {"spec": replace(Tryton.spec, objects=objects)})
