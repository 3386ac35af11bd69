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
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from .company import set_up
from .rpc import Rpc

__all__ = ["TrytonDatabase", "TrytonServer", "tryton"]

USER: Final = "admin"
PASSWORD: Final = "only-on-loopback"  # noqa: S105 # of a server that dies with its test
_MODULES: Final = ("sale_opportunity",)
_PINS: Final = Path(__file__).with_suffix(".txt")
_COMPANY: Final = Path(__file__).with_name("company.py")
_PATIENCE: Final = 60.0
_POLL: Final = 0.02
_PARALLEL: Final = 4
_QUICK: Final = """\
# A password takes long to check, on purpose. That of a server on loopback that dies with its test need not.
import argon2

argon2.DEFAULT_TIME_COST, argon2.DEFAULT_MEMORY_COST, argon2.DEFAULT_PARALLELISM = 1, 8, 1
"""

Say = Callable[[str], None]


def _nobody(text: str) -> None:
    """Tells nobody."""


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

    def __init__(self, url: str, process: subprocess.Popen[bytes], folder: Path, template: Path) -> None:
        self.url = url
        self.user = USER
        self.password = PASSWORD
        self.pid = process.pid
        self._folder = folder
        self._template = template
        self._count = 0
        self._first: TrytonDatabase | None = None

    @property
    def version(self) -> str:
        """Version of the server, ``"8.2.1"``."""
        return next(pin.partition("==")[2] for pin in _pins() if pin.startswith("trytond=="))

    @property
    def database(self) -> str:
        """Name of the first database."""
        return self.first.name

    @property
    def first(self) -> TrytonDatabase:
        """The database that is made when nobody asks for a fresh one."""
        self._first = self._first or self.fresh()
        return self._first

    def fresh(self) -> TrytonDatabase:
        """A new database: one company, its employees, its currencies and countries, and nothing else."""
        self._count += 1
        name = f"crm{self._count}"
        shutil.copyfile(self._template, self._folder / f"{name}.sqlite")
        _wake(self.url, name)
        facts = json.loads(self._template.with_suffix(".json").read_text())
        return TrytonDatabase(self.url, name, self.user, self.password, facts["company"], facts["employees"])


@contextlib.contextmanager
def tryton(folder: Path, *, progress: Say = _nobody) -> Iterator[TrytonServer]:
    """Start a Tryton, and stop it in the end.

    Args:
        folder: Where its databases, its settings and its log go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: It cannot be installed or does not start; the log says why.
    """
    home = _home()
    template = home / f"company-{sha256(_COMPANY.read_bytes()).hexdigest()[:12]}.sqlite"
    if not template.exists():
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home):
            if not (home / "empty.sqlite").exists():
                _install(home, progress)
                _initialise(home, home / "empty.sqlite", progress)
            if not template.exists():
                _furnish(home, template, progress)
    progress("starting Tryton")
    with _running(home, folder) as (url, process):
        yield TrytonServer(url, process, folder, template)


def _home() -> Path:
    """Where this version is kept, for this Python."""
    kept = os.environ.get("AIOS_CACHE")
    beside = Path(sys.prefix).parent if sys.prefix != sys.base_prefix else Path.cwd()
    made_of = "\n".join([_PINS.read_text(), *_MODULES, _QUICK, sys.version])
    digest = sha256(made_of.encode()).hexdigest()[:12]
    return (Path(kept) if kept else beside / ".live") / f"tryton-{digest}"


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Only one process at a time makes the template; the others wait for it."""
    import fcntl

    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _program(home: Path, name: str) -> str:
    return str(home / "venv" / "bin" / name)


def _pins() -> list[str]:
    return [line for line in _PINS.read_text().splitlines() if line and not line.startswith("#")]


def _install(home: Path, progress: Say) -> None:
    pins = _pins()
    progress(f"installing Tryton ({len(pins)} packages, once)")
    own_uv = Path(sys.prefix, "bin", "uv")
    uv = str(own_uv) if own_uv.exists() else shutil.which("uv")
    pip = not uv and find_spec("pip") is not None
    venv.create(home / "venv", clear=True, symlinks=True, with_pip=not uv and not pip)
    python = _program(home, "python")
    exact = ["--no-deps", "--only-binary", ":all:"]
    if uv:
        commands = [[uv, "pip", "install", "--quiet", "--python", python, *exact, *pins]]
    else:
        with_pip = [sys.executable, "-m", "pip", "--python", python] if pip else [python, "-m", "pip"]
        quiet = ["--quiet", "--disable-pip-version-check", "--no-compile"]
        commands = [[*with_pip, "install", *quiet, *exact, *pins[start::_PARALLEL]] for start in range(_PARALLEL)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for command in commands]
    told = [process.communicate()[0] for process in running]
    for process, text in zip(running, told, strict=True):
        if process.returncode != 0:
            raise RuntimeError(f"Tryton could not be installed:\n{text.decode(errors='replace')[-2000:]}")
    (packages,) = (home / "venv").glob("lib/python*/site-packages")
    (packages / "sitecustomize.py").write_text(_QUICK)


def _initialise(home: Path, empty: Path, progress: Say) -> None:
    """Let Tryton make a database."""
    progress("letting Tryton make its database (once, about half a minute)")
    with _workshop(home) as work:
        (work / "crm.sqlite").touch()
        (work / "password").write_text(PASSWORD)
        _settle(work, 0)
        command = [_program(home, "trytond-admin"), "-c", str(work / "trytond.conf"), "-d", "crm", "--email", "admin@example.com"]
        done = subprocess.run(
            [*command, "-u", *_MODULES, "--activate-dependencies"],
            env={**os.environ, "TRYTONPASSFILE": str(work / "password")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"Tryton could not make its database:\n{done.stdout.decode(errors='replace')[-2000:]}")
        _keep(work, empty)


def _furnish(home: Path, template: Path, progress: Say) -> None:
    """Put a company into an empty database."""
    progress("setting up a company")
    with _workshop(home) as work:
        shutil.copyfile(home / "empty.sqlite", work / "crm.sqlite")
        with _running(home, work) as (url, _):
            _wake(url, "crm")
            facts = set_up(Rpc(url, "crm", USER, PASSWORD))
        template.with_suffix(".json").write_text(json.dumps(facts))
        _keep(work, template)


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


@contextlib.contextmanager
def _running(home: Path, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server process on a free port, ready to answer."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    _settle(folder, port)
    with open(folder / "trytond.log", "wb") as log:
        process = _start(home, folder, log)
        guard = _guard(process)
        try:
            _await(f"http://127.0.0.1:{port}", process, folder)
            yield f"http://127.0.0.1:{port}", process
        finally:
            guard.communicate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _guard(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Who stops the server when we let go of it, or when we are no more: a process that waits for the end of a pipe from us."""
    wait = "import contextlib, os, sys; sys.stdin.read()\nwith contextlib.suppress(ProcessLookupError): os.kill(int(sys.argv[1]), 15)"
    return subprocess.Popen([sys.executable, "-c", wait, str(process.pid)], stdin=subprocess.PIPE, start_new_session=True)


def _start(home: Path, folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [_program(home, "trytond"), "-c", str(folder / "trytond.conf")]
    return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(f"{url}/", method="OPTIONS"), timeout=5).close()  # noqa: S310 # loopback
            return
        time.sleep(_POLL)
    raise RuntimeError(f"Tryton did not start:\n{(folder / 'trytond.log').read_text(errors='replace')[-2000:]}")
