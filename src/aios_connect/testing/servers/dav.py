"""Real CalDAV and CardDAV servers on loopback: Radicale and Xandikos. Each is a process that keeps files in a folder.

with radicale(folder, progress=print) as server:
    place = server.fresh()
"""

from __future__ import annotations

import contextlib
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .running import Say, installed, nobody, running, version_of

__all__ = ["DavPlace", "DavServer", "radicale", "xandikos"]

USER: Final = "alice"
PASSWORD: Final = "only-on-loopback"  # noqa: S105 # of a server that dies with its test
_RADICALE: Final = Path(__file__).with_name("radicale.txt")
_XANDIKOS: Final = Path(__file__).with_name("xandikos.txt")
_NAMESPACES: Final = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"'
_SETTINGS: Final = """\
[server]
hosts = 127.0.0.1:{port}

[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0

[rights]
type = owner_only

[storage]
filesystem_folder = {folder}/collections

[logging]
level = warning
"""


@dataclass(frozen=True, slots=True)
class DavPlace:
    """A calendar and an address book that nobody has used.

    Attributes:
        url: Address of the server.
        user: Whose they are.
        password: The password; Xandikos asks for none.
        calendar: Path of the calendar.
        book: Path of the address book.
    """

    url: str
    user: str
    password: str
    calendar: str
    book: str

    def request(self, method: str, path: str, body: str = "", *, type: str = "application/xml", **headers: str) -> str:
        """What somebody else does there: one request, answered with 2xx; the text of the answer.

        Args:
            method: ``PUT``.
            path: The whole path.
            body: What goes out.
            type: Its media type.
            headers: More headers, with ``_`` for ``-``.
        """
        signed = b64encode(f"{self.user}:{self.password}".encode()).decode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": type, "Authorization": f"Basic {signed}", **told}
        request = urllib.request.Request(self.url + path, body.encode() or None, sent, method=method)  # noqa: S310 # loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            text: bytes = answer.read()
        return text.decode()


class DavServer:
    """A running server.

    Attributes:
        title: Its name and version, ``"Radicale 3.9.0"``.
        url: Its address.
    """

    def __init__(self, title: str, url: str, calendars: str, books: str) -> None:
        self.title = title
        self.url = url
        self._calendars = calendars
        self._books = books
        self._count = 0

    def fresh(self) -> DavPlace:
        """A new calendar and a new address book."""
        self._count += 1
        calendar, book = f"{self._calendars}/work{self._count}/", f"{self._books}/people{self._count}/"
        place = DavPlace(self.url, USER, PASSWORD, calendar, book)
        calendar_type, book_type = "<C:calendar/>", "<A:addressbook/>"
        place.request("MKCALENDAR", calendar, _made("C:mkcalendar", calendar_type, f"Work {self._count}"))
        place.request("MKCOL", book, _made("mkcol", book_type, f"People {self._count}"))
        return place


def _made(root: str, kind: str, name: str) -> str:
    props = f"<prop><resourcetype><collection/>{kind}</resourcetype><displayname>{name}</displayname></prop>"
    return f'<?xml version="1.0"?><{root} {_NAMESPACES}><set>{props}</set></{root}>'


@contextlib.contextmanager
def radicale(folder: Path, *, progress: Say = nobody) -> Iterator[DavServer]:
    """Start a Radicale, and stop it in the end.

    Args:
        folder: Where its files and its log go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: It cannot be installed or does not start; the log says why.
    """
    programs = installed("Radicale", _RADICALE, progress)
    folder = folder.resolve()

    def command(port: int) -> list[str]:
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
        (folder / "radicale.conf").write_text(_SETTINGS.format(port=port, folder=folder))
        return [str(programs / "radicale"), "--config", "radicale.conf"]

    progress("starting Radicale")
    with running("Radicale", command, folder, ready="/.web/") as (url, _):
        yield DavServer(f"Radicale {version_of('radicale', _RADICALE)}", url, f"/{USER}", f"/{USER}")


@contextlib.contextmanager
def xandikos(folder: Path, *, progress: Say = nobody) -> Iterator[DavServer]:
    """Start a Xandikos, and stop it in the end. It asks nobody for a password on plain HTTP.

    Args:
        folder: Where its files and its log go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: It cannot be installed or does not start; the log says why.
    """
    programs = installed("Xandikos", _XANDIKOS, progress)
    folder = folder.resolve()

    def command(port: int) -> list[str]:
        whose = ["--defaults", "--current-user-principal", f"/{USER}/", "--no-detect-systemd"]
        at = ["-l", "127.0.0.1", "-p", str(port), "--state-dir", str(folder / "state")]
        return [str(programs / "xandikos"), "serve", "-d", str(folder / "collections"), *at, *whose]

    progress("starting Xandikos")
    with running("Xandikos", command, folder, ready="/") as (url, _):
        title = f"Xandikos {version_of('xandikos', _XANDIKOS)}"
        yield DavServer(title, url, f"/{USER}/calendars", f"/{USER}/contacts")
