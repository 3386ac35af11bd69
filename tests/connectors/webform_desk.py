"""A desk that enquiries come to, with a clock of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aios_connect_webform import WebForm

from aios_connect.connectors import Context, Http, Quarantined, Raw, Request
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore
from aios_connect.connectors.webhooks import Reply

__all__ = ["KEY", "NOON", "SITE", "URLENCODED", "Desk", "multipart"]

KEY = "key-of-the-website-1"
SITE = "https://www.example.com"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
URLENCODED = "application/x-www-form-urlencoded"
ADDRESS = "https://hooks.example.com/website"


class Desk:
    """One connection, and whoever sends to it.

    Args:
        folder: The project's folder.
        key: The key of the connection; none if empty.
        **settings: Its settings.
    """

    def __init__(self, folder: Path, key: str = KEY, **settings: str) -> None:
        self.now = NOON
        tokens = MemoryTokenStore(now=self.clock)
        if key:
            tokens.put("website", {"key": key})
        auth = WebForm.spec.auth[0]
        credentials = Credentials("website", auth, tokens, settings=settings, now=self.clock, sleep=self.wait)
        http = Http(provider="webform", base_url="", credentials=credentials, now=self.clock, sleep=self.wait)
        self.form = WebForm(Context("website", settings, credentials, http, self.clock, self.wait, folder))
        self.inbox = folder / ".aios" / "inbox" / "website.db"

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def send(self, body: bytes, kind: str = URLENCODED, *, method: str = "POST", url: str = ADDRESS, **headers: str) -> Reply:
        """Send bytes; a header is named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.form.answer(Request(method, url, {"content-type": kind, **named}, body))

    def keyed(self, body: bytes, kind: str = URLENCODED, **headers: str) -> Reply:
        """A program sends that knows the key."""
        return self.send(body, kind, authorization=f"Bearer {KEY}", **headers)

    def post(self, fields: Mapping[str, str], **headers: str) -> Reply:
        """A page of the company's site posts a form."""
        return self.send(urlencode(fields).encode(), origin=SITE, **headers)

    def records(self, object: str = "submissions") -> list[Raw]:
        """All there is."""
        return [raw for page in self.form.read(object) for raw in page.records]

    def aside(self) -> list[Quarantined]:
        """What is kept aside."""
        return [bad for page in self.form.read("submissions") for bad in page.quarantined]

    def fields(self) -> Any:
        """What the only enquiry says."""
        (raw,) = self.records()
        return raw["fields"]


def said(reply: Reply) -> Any:
    """The JSON of an answer."""
    return json.loads(reply.body)


def multipart(*parts: tuple[str, str, bytes], boundary: str = "x--7f3a") -> tuple[bytes, str]:
    """A body of parts (what stands behind ``form-data``, type, bytes), and its content type."""
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n{f'Content-Type: {kind}' + chr(13) + chr(10) if kind else ''}\r\n".encode()
        + data
        + b"\r\n"
        for name, kind, data in parts
    ]
    return b"".join(lines) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
