"""What a person does who consents: reads a terminal, types into it, and fills in the pages that a browser shows."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Self
from urllib.parse import urljoin

import httpx2

__all__ = ["Browser", "Terminal", "install_club"]

_PATIENCE = 240.0

_CLUB = '''
"""The authorization server itself, taken for a tool: it says who consented."""

from aios_connect.connectors import Auth, Connector, ConnectorSpec, Identity, ObjectSpec, Page, Schema, Setting


class Club(Connector):
    spec = ConnectorSpec(
        provider="club",
        title="Club",
        docs="https://club.example",
        auth=(
            Auth(
                "oauth2",
                "The club asks you to consent.",
                authorize_url="{url}/oauth/authorize",
                token_url="{url}/oauth/token",
                revoke_url="{url}/oauth/revoke",
                device_url="{url}/oauth/device",
                scopes={"openid": "sign in", "profile": "see who you are", "email": "see your address"},
                rotates=True,
            ),
        ),
        settings=(Setting("url", "Where it is.", required=True),),
        objects={"members": ObjectSpec("Members", frozenset({"read"}))},
        proof="Canaille",
    )

    def check(self):
        me = self.context.http.request("GET", "oauth/userinfo").json()
        return Identity("the club", me["sub"], {"mail": me.get("email", "not told")})

    def describe(self, object):
        return Schema(object, {}, open=True)

    def read(self, object, since=None):
        yield Page([self.context.http.request("GET", "oauth/userinfo").json()], {}, True)

    def lookup(self, object, ids):
        return []
'''


def install_club(folder: Path) -> dict[str, str]:
    """Lay down a connector as an installed distribution is, and give the environment in which ``aios`` finds it."""
    told = folder / "club-1.dist-info"
    told.mkdir(parents=True)
    (folder / "aios_connect_club.py").write_text(_CLUB)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: aios-connect-club\nVersion: 1\n")
    (told / "entry_points.txt").write_text("[aios_connect.connectors]\nclub = aios_connect_club:Club\n")
    return {**os.environ, "PYTHONPATH": str(folder), "BROWSER": "true", "NO_PROXY": "127.0.0.1", "TERM": "dumb"}


def _with_ctrl_c() -> None:
    """Ctrl-C stops a program at a terminal, even if whoever runs these tests does not want to be stopped by it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A terminal in which ``aios`` runs; everything that stands on it is in ``seen``.

    Args:
        words: The command line after ``aios``.
        folder: Where it is given.
        environment: The environment.
    """

    def __init__(self, *words: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.seen = ""
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aios_connect", *words],
            cwd=folder,
            env=dict(environment),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_with_ctrl_c,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read on until the terminal shows this."""
        until = time.monotonic() + _PATIENCE
        while (found := re.search(pattern, self.seen)) is None:
            if not self._read(until):
                raise AssertionError(f"the terminal never showed {pattern!r}; it shows:\n{self.seen}")
        return found

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, text.encode() + b"\n")

    def end(self) -> int:
        """Read until the program ends; its exit code."""
        until = time.monotonic() + _PATIENCE
        while self._read(until):
            pass
        return self.process.wait(_PATIENCE)

    def _read(self, until: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError as error:  # the program ended: Linux says so with EIO
            if error.errno != errno.EIO:
                raise
            return False
        self.seen += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


class Browser:
    """Keeps cookies, follows redirects, and fills in forms."""

    def __init__(self) -> None:
        self._http = httpx2.Client(follow_redirects=True, timeout=_PATIENCE, trust_env=False)
        self._page = httpx2.Response(200)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    @property
    def text(self) -> str:
        """The page that is shown."""
        return self._page.text

    @property
    def address(self) -> str:
        """Where that page is."""
        return str(self._page.url)

    def open(self, address: str) -> Self:
        """Go to an address."""
        self._page = self._http.get(address)
        return self

    def fill(self, **fields: str) -> Self:
        """Fill in the form of the page that has these fields, and send it."""
        for form in _forms(self._page.text):
            if fields.keys() <= form.names:
                action = urljoin(self.address, form.action or self.address)
                self._page = self._http.post(action, data={**form.hidden, **fields})
                return self
        raise AssertionError(f"no form on {self.address} has {', '.join(fields)}:\n{self._page.text}")

    def links(self, part: str) -> list[str]:
        """The addresses on the page that have this in them."""
        found = re.findall(rf'href="([^"]*{re.escape(part)}[^"]*)"', self._page.text)
        return [urljoin(self.address, address) for address in dict.fromkeys(found)]

    def sign_in(self, user: str, password: str) -> Self:
        """Say who we are, on two pages."""
        return self.fill(login=user).fill(password=password)


class _Form:
    def __init__(self, action: str) -> None:
        self.action = action
        self.names: set[str] = set()
        self.hidden: dict[str, str] = {}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(told.get("action", "")))
        elif tag in ("input", "button") and self.forms and told.get("name"):
            self.forms[-1].names.add(told["name"])
            if told.get("type") == "hidden":
                self.forms[-1].hidden[told["name"]] = told.get("value", "")


def _forms(page: str) -> list[_Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms
