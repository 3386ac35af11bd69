"""Opening the store, and the two ways into it: one write transaction, or one unchanging view.

SQLite (write-ahead log, every writer takes the write lock when it begins, so that no transaction fails half-way) and PostgreSQL (READ
COMMITTED for writers, one snapshot for readers) behave alike from here on.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tenacity
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from aios_connect.errors import AiosError, BusyError, ConfigError, UnavailableError

from .migrations import upgrade

__all__ = ["Store"]

_READING = "aios_reading"
# A record takes about 2 kB: pages of 8 kB hold several, and cost less to write than the usual 4 kB. Ids of entities fall all over
# their indexes, so a log of 32 MB, written back less often, saves a quarter of all that a first match writes. The cache stays at SQLite's 2 MB.
_SQLITE = ("page_size=8192", "journal_mode=WAL", "wal_autocheckpoint=4000", "synchronous=FULL", "foreign_keys=ON")


class Store:
    """Everything a project knows, behind one SQLAlchemy engine.

    Args:
        engine: An engine made by :meth:`open`, or one of your own whose schema is up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, timeout: float = 30.0) -> Store:
        """Open the store, make it if it is not there, and bring its schema up to date.

        Args:
            url: ``sqlite:///path/to/file.db`` or ``postgresql://user:password@host/database``.
            timeout: Seconds to wait for another process that holds the database, or for the server to answer.

        Raises:
            ConfigError: The address is wrong, the file is not a database, a package is missing, or the schema is newer than this program.
            BusyError: Another process holds the file for longer than ``timeout``.
            UnavailableError: The server does not answer or does not let us in.
        """
        address = _address(url)
        engine = _sqlite(address, timeout) if address.get_backend_name() == "sqlite" else _postgresql(address, timeout)
        event.listen(engine, "handle_error", _explain)
        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction: committed when the block ends, rolled back when it raises."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of the store that does not change while it is open, whatever others write. Nothing can be written through it."""
        with self.engine.connect() as connection:
            if self.dialect == "sqlite":
                connection = connection.execution_options(**{_READING: True})
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    def close(self) -> None:
        """Give back all connections. Safe to call twice."""
        self.engine.dispose()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(
            "the address of the store is not understood",
            hint="write sqlite:///aios.db for a file, or postgresql://user:password@host/database for a server",
        )
    if backend == "sqlite" and address.database in (None, "", ":memory:"):
        raise ConfigError("the store needs a file", hint="write sqlite:/// followed by the path of the file")
    return address


def _sqlite(address: URL, timeout: float) -> Engine:
    path = Path(str(address.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The store holds personal data: a new file is for its owner only; SQLite gives its companions the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigError(
            f"the store {path} cannot be opened: {error.strerror}", hint="choose a folder this user may write to"
        ) from error
    engine = create_engine(address, connect_args={"timeout": timeout, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not inside the driver
        for setting in _SQLITE:
            _waited(timeout, connection.execute, f"pragma {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql(f"pragma query_only={'on' if reading else 'off'}")
        connection.exec_driver_sql("begin" if reading else "begin immediate")

    return engine


def _waited(timeout: float, call: Callable[[str], object], statement: str) -> None:
    """Run a statement again while others hold the file, for as long as SQLite itself would have waited.

    Two who turn a new file to the write-ahead log at the same moment would wait for each other for ever: SQLite tells one of them at once
    that the file is locked, and never asks its busy handler (https://www.sqlite.org/c3ref/busy_handler.html).
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY),
        wait=tenacity.wait_random_exponential(0.01, max=0.25),
        stop=tenacity.stop_after_delay(timeout),
        reraise=True,
    )
    retrying(call, statement)


def _postgresql(address: URL, timeout: float) -> Engine:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "the store is on PostgreSQL, but the package psycopg is not installed", hint="pip install 'aios-connect[postgres]'"
        ) from error
    address = address.set(drivername="postgresql+psycopg")
    return create_engine(address, isolation_level="READ COMMITTED", connect_args={"connect_timeout": max(2, round(timeout))})


def _explain(context: ExceptionContext) -> AiosError | None:
    """Turn what the database itself says into a sentence with a way out; what remains is a fault of the program."""
    error = context.original_exception
    text = str(error)
    if context.dialect.name == "sqlite":
        reading = context.connection is not None and context.connection.get_execution_options().get(_READING, False)
        return None if reading and "readonly database" in text else _explain_sqlite(text)
    if isinstance(context.sqlalchemy_exception, OperationalError):
        return _explain_server(text)
    return None


def _explain_sqlite(text: str) -> AiosError | None:
    if "is locked" in text:
        return BusyError(
            "another process is writing to the store", hint="try again when it has finished; aios runs shows what is running"
        )
    if "not a database" in text or "malformed" in text:
        return ConfigError(
            "the file of the store is not an SQLite database, or it is damaged",
            hint="put a backup in its place, or name another file; a new one is made and filled by the next read",
        )
    if "unable to open" in text or "readonly database" in text:
        return ConfigError(
            "the file of the store cannot be written", hint="give this user the right to write the file and its folder"
        )
    if "disk is full" in text or "disk I/O error" in text:
        return UnavailableError("the disk of the store is full or failing", hint="make room, then run again; nothing is lost")
    return None


def _explain_server(text: str) -> AiosError:
    if (
        "password authentication failed" in text
        or "no password supplied" in text
        or ("role" in text and "does not exist" in text)
    ):
        return ConfigError(
            "the database server refuses the user or password of the store", hint="correct the address of the store"
        )
    if "database" in text and "does not exist" in text:
        return ConfigError("the database of the store does not exist on its server", hint="create it: createdb NAME")
    return UnavailableError(
        "the database server of the store does not answer",
        hint="start it, or correct host and port in the address of the store",
    )
