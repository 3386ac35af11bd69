"""A real Tryton on loopback: installed once, initialised once into a template, copied for every use.

    with tryton(folder, progress=print) as server:
        database = server.fresh()
        database.rpc()("model.party.party.search_count", [])

The first use installs trytond into a folder of its own (it is GPL: it runs as its own process and is never imported here) and lets
it make a database; that takes about half a minute. What came of it is kept under ``AIOS_CACHE``, or in ``.live`` beside the virtual
environment, by the digest of the versions. Every later use copies a file and starts a process.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from .company import set_up
from .rpc import Rpc
from .running import Say, installed, nobody, running, version_of

__all__ = ["TrytonDatabase", "TrytonServer", "prepare", "tryton"]

USER: Final = "admin"
PASSWORD: Final = "only-on-loopback"  # noqa: S105 # of a server that dies with its test
_MODULES: Final = ("sale_opportunity",)
_PINS: Final = Path(__file__).with_suffix(".txt")
_COMPANY: Final = Path(__file__).with_name("company.py")
_PATIENCE: Final = 60.0
_QUICK: Final = """\
# A password takes long to check, on purpose. That of a server on loopback that dies with its test need not.
import argon2

argon2.DEFAULT_TIME_COST, argon2.DEFAULT_MEMORY_COST, argon2.DEFAULT_PARALLELISM = 1, 8, 1
"""


@dataclass(frozen=True, slots=True)
class TrytonDatabase:
    """One company's database on a server.

    Attributes:
        url: Address of the server.
        name: Name of the database.
        user: Login name of an administrator.
        password: Its password.
        company: Id of the company in it.
        employees: Ids of its employees by e-mail address.
    """

    url: str
    name: str
    user: str
    password: str
    company: int
    employees: dict[str, int]

    def rpc(self) -> Rpc:
        """A session of somebody else than the connector."""
        return Rpc(self.url, self.name, self.user, self.password, company=self.company)


class TrytonServer:
    """A running server. ``url``, ``database``, ``user`` and ``password`` say how to reach its first database."""

    def __init__(self, url: str, pid: int, folder: Path, template: Path) -> None:
        self.url = url
        self.user = USER
        self.password = PASSWORD
        self.pid = pid
        self._folder = folder
        self._template = template
        self._count = 0
        self._first: TrytonDatabase | None = None

    @property
    def version(self) -> str:
        """Version of the server, ``"8.2.1"``."""
        return version_of("trytond", _PINS)

    @property
    def database(self) -> str:
        """Name of the first database."""
        return self.first.name

    @property
    def first(self) -> TrytonDatabase:
        """The database that is made when nobody asks for a fresh one."""
        self._first = self._first or self.fresh()
        return self._first

    def fresh(self, *modules: str) -> TrytonDatabase:
        """A new database: one company, its employees, its currencies and countries, and nothing else.

        Args:
            modules: More modules that are activated in it.
        """
        self._count += 1
        name = f"crm{self._count}"
        shutil.copyfile(_with(modules, self._template), self._folder / f"{name}.sqlite")
        _wake(self.url, name)
        facts = json.loads(self._template.with_suffix(".json").read_text())
        return TrytonDatabase(self.url, name, self.user, self.password, facts["company"], facts["employees"])


@contextlib.contextmanager
def tryton(folder: Path, *, progress: Say = nobody) -> Iterator[TrytonServer]:
    """Start a Tryton, and stop it in the end.

    Args:
        folder: Where its databases, its settings and its log go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: It cannot be installed or does not start; the log says why.
    """
    template = prepare(progress=progress)
    progress("starting Tryton")
    with _running(template.parent, folder) as (url, pid):
        yield TrytonServer(url, pid, folder, template)


def prepare(*, progress: Say = nobody) -> Path:
    """Do what is done once: install Tryton, let it make a database, and put a company into it.

    Args:
        progress: Is told what is going on, a sentence at a time.

    Returns:
        The database that every fresh one is copied from.

    Raises:
        RuntimeError: It cannot be installed or makes no database.
    """
    home = installed("Tryton", _PINS, progress).parents[1]
    empty = home / f"empty-{_digest(*_MODULES, _QUICK)}.sqlite"
    template = home / f"company-{_digest(*_MODULES, _QUICK, _COMPANY.read_text())}.sqlite"
    if not template.exists():
        with _alone(home):
            if not empty.exists():
                (packages,) = (home / "venv").glob("lib/python*/site-packages")
                (packages / "sitecustomize.py").write_text(_QUICK)
                _initialise(home, empty, progress)
            if not template.exists():
                _furnish(home, empty, template, progress)
    return template


def _digest(*made_of: str) -> str:
    return sha256("\n".join(made_of).encode()).hexdigest()[:12]


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Only one process at a time makes the template; the others wait for it."""
    import fcntl

    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _program(home: Path, name: str) -> str:
    return str(home / "venv" / "bin" / name)


def _initialise(home: Path, empty: Path, progress: Say) -> None:
    """Let Tryton make a database."""
    progress("letting Tryton make its database (once, about half a minute)")
    with _workshop(home) as work:
        (work / "crm.sqlite").touch()
        _settle(work, 0)
        _activate(home, work, "crm", _MODULES, "--email", "admin@example.com")
        _keep(work, empty)


def _activate(home: Path, folder: Path, name: str, modules: Sequence[str], *administrator: str) -> None:
    """Activate modules in a database; an empty one gets its administrator, who is named only then or would lose all rights."""
    (folder / "password").write_text(PASSWORD)
    command = [_program(home, "trytond-admin"), "-c", str(folder.resolve() / "trytond.conf"), "-d", name]
    done = subprocess.run(
        [*command, *administrator, "-u", *modules, "--activate-dependencies"],
        env={**os.environ, "TRYTONPASSFILE": str(folder.resolve() / "password")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"Tryton could not activate {', '.join(modules)}:\n{done.stdout.decode(errors='replace')[-2000:]}")


def _furnish(home: Path, empty: Path, template: Path, progress: Say) -> None:
    """Put a company into an empty database."""
    progress("setting up a company")
    with _workshop(home) as work:
        shutil.copyfile(empty, work / "crm.sqlite")
        with _running(home, work) as (url, _):
            _wake(url, "crm")
            facts = set_up(Rpc(url, "crm", USER, PASSWORD))
        template.with_suffix(".json").write_text(json.dumps(facts))
        _keep(work, template)


def _with(modules: Sequence[str], template: Path) -> Path:
    """The database that fresh ones with more modules are copied from; made once."""
    richer = template.with_stem("-".join([template.stem, *modules]))
    if not richer.exists():
        home = template.parent
        with _alone(home):
            if not richer.exists():
                with _workshop(home) as work:
                    shutil.copyfile(template, work / "crm.sqlite")
                    _settle(work, 0)
                    _activate(home, work, "crm", modules)
                    _keep(work, richer)
    return richer


@contextlib.contextmanager
def _workshop(home: Path) -> Iterator[Path]:
    work = home / "making"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    yield work
    shutil.rmtree(work)


def _keep(work: Path, place: Path) -> None:
    """Keep a database whole: a plain copy would miss what still stands in its write-ahead log."""
    with (
        contextlib.closing(sqlite3.connect(work / "crm.sqlite")) as made,
        contextlib.closing(sqlite3.connect(work / "kept")) as kept,
    ):
        made.backup(kept)
    (work / "kept").rename(place)


def _wake(url: str, name: str) -> None:
    """Have the server load a database. It cannot take a login before it did."""
    try:
        urllib.request.urlopen(f"{url}/{name}/rest/model/party.party", timeout=_PATIENCE).close()  # noqa: S310 # loopback
    except urllib.error.HTTPError as error:
        if error.code != 401:
            raise


def _settle(folder: Path, port: int) -> None:
    database = ["[database]", "uri = sqlite://", f"path = {folder.resolve()}"]
    # The server remembers its list of databases for as long as this says, and fresh ones would not be on it.
    session = ["[session]", "timeout = 0"]
    lines = ["[web]", f"listen = 127.0.0.1:{port}", *database, *session]
    (folder / "trytond.conf").write_text("\n".join([*lines, ""]))


def _running(home: Path, folder: Path) -> contextlib.AbstractContextManager[tuple[str, int]]:
    """A server process on a free port, ready to answer: its address and its id."""

    def command(port: int) -> list[str]:
        _settle(folder, port)
        return [_program(home, "trytond"), "-c", str(folder.resolve() / "trytond.conf")]

    return running("Tryton", command, folder, ready="/")
