"""A real BottleCRM on loopback: installed once, its tables made once into a template, copied for every server.

    with bottlecrm(folder, progress=print) as server:
        company = server.fresh()
        company.request("POST", "/api/accounts/", {"name": "Acme"})

It needs Python 3.12 or newer, whatever runs these tests. Its own packages are called ``leads``, ``tasks`` and so on, so it lives in a
virtual environment of its own.

The tables are made from its models instead of by its 250 migrations, which take over two minutes. What comes of both was compared: on
SQLite every table, column and index is the same. Celery runs its jobs within the request, so that no broker is needed, and its guard
against private addresses lets webhooks reach loopback.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from .interpreters import python_of
from .running import Say, installed, nobody, running, version_of

__all__ = ["BottleCRMCompany", "BottleCRMServer", "bottlecrm"]

USER: Final = "admin@example.com"
_PYTHONS: Final = ("3.13", "3.12")
_PINS: Final = Path(__file__).with_suffix(".txt")
_KEY: Final = "only-on-loopback-and-only-as-long-as-its-test"
_SETTINGS: Final = """
from datetime import timedelta

from crm.settings import *
from webhooks import ssrf


class _Whatever(dict):
    def __contains__(self, name): return True
    def __getitem__(self, name): return None
    def get(self, name, default=None): return None


class _All(set):
    def __contains__(self, port): return True


DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "crm.sqlite3", "CONN_MAX_AGE": None, "OPTIONS": {
    "transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"}}}
ALLOWED_HOSTS = ["127.0.0.1"]
MIGRATION_MODULES = _Whatever()
SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] = timedelta(days=1)
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"
CELERY_RESULT_BACKEND = "cache+memory://"
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
STATIC_ROOT = "."
LOGGING = {"version": 1, "disable_existing_loggers": True, "root": {"level": "CRITICAL"}}
ssrf.is_blocked = lambda address: False
ssrf._allowed_schemes = lambda: ("http",)
ssrf._allowed_ports = lambda: _All()
"""


@dataclass(frozen=True, slots=True)
class BottleCRMCompany:
    """One company's organization on a server; nothing has happened in it yet.

    Attributes:
        url: Address of the server.
        id: Id of the organization.
        name: Its name.
        user: E-mail address of its administrator.
        token: A personal access token of that administrator, which may do everything a token may.
        session: An access token of a signed-in session, for what a personal access token may not: webhooks, more tokens.
    """

    url: str
    id: str
    name: str
    user: str
    token: str
    session: str

    def request(self, method: str, path: str, data: Mapping[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
        """What somebody else does there: one request, answered with 2xx.

        Args:
            method: ``POST``.
            path: ``/api/accounts/``.
            data: What goes out as JSON.
            token: Another bearer token than that of the session.
        """
        return _asked(self.url, method, path, data, token or self.session)


class BottleCRMServer:
    """A running server."""

    def __init__(self, url: str, pid: int, session: str) -> None:
        self.url = url
        self.pid = pid
        self._session = session
        self._count = 0

    @property
    def version(self) -> str:
        """Version of the server, ``"1.35.0"``."""
        return version_of("django-crm", _PINS)

    def fresh(self, *scopes: str) -> BottleCRMCompany:
        """A new organization.

        Args:
            scopes: What its personal access token may do; everything, if not given.
        """
        self._count += 1
        name = f"Company {self._count}"
        about = {"name": name, "company_name": name, "default_currency": "EUR", "default_country": "DE"}
        id = str(_asked(self.url, "POST", "/api/org/", about, self._session)["org"]["id"])
        session = str(_asked(self.url, "POST", "/api/auth/switch-org/", {"org_id": id}, self._session)["access_token"])
        asked = {"name": "aios-connect", "scopes": list(scopes)}
        token = str(_asked(self.url, "POST", "/api/profile/tokens/", asked, session)["token"])
        return BottleCRMCompany(self.url, id, name, USER, token, session)


@contextlib.contextmanager
def bottlecrm(folder: Path, *, progress: Say = nobody) -> Iterator[BottleCRMServer]:
    """Start a BottleCRM, and stop it in the end.

    Args:
        folder: Where its database, its settings and its log go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: There is no Python for it, it cannot be installed or it does not start; the log says why.
    """
    python = python_of(*_PYTHONS)
    programs = installed("BottleCRM", _PINS, progress, python)
    template = _template(programs, progress)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "live_settings.py").write_text(_SETTINGS)
    shutil.copyfile(template, folder / "crm.sqlite3")
    session = _signed_in(programs, folder)

    def command(port: int) -> list[str]:
        told = [f"{name}={value}" for name, value in _environment(f"http://127.0.0.1:{port}").items()]
        serving = [str(programs / "gunicorn"), "crm.wsgi:application", "--bind", f"127.0.0.1:{port}"]
        serving += "--workers 1 --threads 8 --keep-alive 60 --timeout 0 --log-level warning".split()
        return ["env", *told, *serving]

    progress("starting BottleCRM")
    with running("BottleCRM", command, folder, ready="/healthz/") as (url, pid):
        yield BottleCRMServer(url, pid, session)


def _asked(url: str, method: str, path: str, data: Mapping[str, Any] | None, token: str) -> dict[str, Any]:
    body = None if data is None else json.dumps(data).encode()
    sent = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}{path}", body, sent, method=method)  # noqa: S310 # loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        told: dict[str, Any] = json.loads(answer.read() or b"{}")
    return told


def _environment(url: str = "http://127.0.0.1", **more: str) -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "live_settings", "PYTHONPATH": ".", "PYTHONWARNINGS": "ignore"}
    return {**settings, "ENV_TYPE": "dev", "DEBUG": "False", "SECRET_KEY": _KEY, "DOMAIN_NAME": url, **more}


def _template(programs: Path, progress: Say) -> Path:
    """A database with its tables and its first user, made once."""
    import fcntl

    home = programs.parents[1]
    template = home / f"template-{sha256(_SETTINGS.encode()).hexdigest()[:12]}.sqlite3"
    if not template.exists():
        with open(home / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # only one process makes it; the others wait for it
            if not template.exists():
                progress("letting BottleCRM make its tables (once, about ten seconds)")
                work = home / "making"
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir()
                (work / "live_settings.py").write_text(_SETTINGS)
                _administered(programs, work, "migrate", "--run-syncdb")
                with (
                    contextlib.closing(sqlite3.connect(work / "crm.sqlite3")) as made,
                    contextlib.closing(sqlite3.connect(work / "kept")) as kept,
                ):
                    made.backup(kept)
                (work / "kept").rename(template)
                shutil.rmtree(work)
    return template


def _signed_in(programs: Path, folder: Path) -> str:
    """An access token, as its developers get one: people sign in by Google or by a link in a mail."""
    said = _administered(programs, folder, "devlogin", USER, "--create", DEBUG="True")
    found = re.search(r"access_token:\s+(\S+)", said)
    if found is None:
        raise RuntimeError(f"BottleCRM gave no token:\n{said[-2000:]}")
    return found[1]


def _administered(programs: Path, folder: Path, *command: str, **more: str) -> str:
    done = subprocess.run(
        [str(programs / "django-admin"), *command],
        cwd=folder,
        env={**os.environ, **_environment(**more)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"BottleCRM failed to {command[0]}:\n{said[-2000:]}")
    return said
