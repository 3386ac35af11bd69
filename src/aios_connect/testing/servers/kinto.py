"""A real Kinto on loopback, with everything in memory: a process that starts in under a second.

with kinto(folder, progress=print) as server:
    bucket = server.fresh()

One thread answers: the memory compares a version and writes in two steps, between which another thread could write.
"""

from __future__ import annotations

import contextlib
import json
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .running import Say, installed, nobody, running, version_of

__all__ = ["KintoBucket", "KintoServer", "kinto"]

USER: Final = "admin"
PASSWORD: Final = "only-on-loopback"  # noqa: S105 # of a server that dies with its test
_PINS: Final = Path(__file__).with_suffix(".txt")
_SETTINGS: Final = """
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
threads = 1

[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = only-on-loopback
kinto.experimental_permissions_endpoint = true
kinto.experimental_collection_schema_validation = true
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = system.Authenticated

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys =

[logger_root]
level = WARN
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
"""


@dataclass(frozen=True, slots=True)
class KintoBucket:
    """A place of its own on a server, in which nothing has happened yet. The bucket itself is not made.

    Attributes:
        url: Address of the server, with its version.
        name: Name of the bucket.
        user: Name of an account that may make it.
        password: Its password.
    """

    url: str
    name: str
    user: str
    password: str

    def request(
        self, method: str, path: str, data: Mapping[str, Any] | None = None, *, user: str = "", **headers: str
    ) -> dict[str, Any]:
        """What somebody else does there: one request, answered with 2xx.

        Args:
            method: ``PUT``.
            path: Below the bucket: ``collections/people/records/a``.
            data: What goes out as ``data``.
            user: Another account.
            headers: More headers, with ``_`` for ``-``.
        """
        body = None if data is None else json.dumps({"data": data}).encode()
        signed = b64encode(f"{user or self.user}:{self.password}".encode()).decode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": "application/json", "Authorization": f"Basic {signed}", **told}
        place = f"{self.url}/buckets/{self.name}/{path}".rstrip("/")
        request = urllib.request.Request(place, body, sent, method=method)  # noqa: S310 # loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            told_back: dict[str, Any] = json.loads(answer.read() or b"{}")
        return told_back


class KintoServer:
    """A running server."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = f"{url}/v1"
        self.pid = pid
        self._count = 0
        self.enrol(USER)

    @property
    def version(self) -> str:
        """Version of the server, ``"26.5.0"``."""
        return version_of("kinto", _PINS)

    def enrol(self, user: str) -> None:
        """Make an account, with the same password as all others."""
        request = urllib.request.Request(  # noqa: S310 # loopback
            f"{self.url}/accounts/{user}",
            json.dumps({"data": {"password": PASSWORD}}).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310

    def fresh(self) -> KintoBucket:
        """A bucket that nobody has used."""
        self._count += 1
        return KintoBucket(self.url, f"crm{self._count}", USER, PASSWORD)


@contextlib.contextmanager
def kinto(folder: Path, *, progress: Say = nobody) -> Iterator[KintoServer]:
    """Start a Kinto, and stop it in the end.

    Args:
        folder: Where its settings and its log go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: It cannot be installed or does not start; the log says why.
    """
    programs = installed("Kinto", _PINS, progress)

    def command(port: int) -> list[str]:
        (folder / "kinto.ini").write_text(_SETTINGS.format(port=port))
        return [str(programs / "kinto"), "start", "--ini", "kinto.ini"]

    progress("starting Kinto")
    with running("Kinto", command, folder, ready="/v1/__heartbeat__") as (url, pid):
        yield KintoServer(url, pid)
