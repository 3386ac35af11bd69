"""Real servers for the session. Where there is none, the tests on it are skipped; with ``AIOS_LIVE=1``, and in CI, they fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aios_connect.testing.servers import TrytonDatabase, TrytonServer, tryton
from aios_connect.testing.servers.bottlecrm import BottleCRMServer, bottlecrm

from .tryton_office import Office


@pytest.fixture(scope="session")
def tryton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    """One server; the first time on a machine it takes about half a minute."""
    try:
        running = tryton(tmp_path_factory.mktemp("tryton"))
        server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") or os.environ.get("CI") else pytest.skip)(f"no Tryton here: {error}")
    yield server
    running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def bottlecrm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BottleCRMServer]:
    """One BottleCRM; the first time on a machine it takes about half a minute, and it wants a Python of its own."""
    try:
        running = bottlecrm(tmp_path_factory.mktemp("bottlecrm"))
        server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") or os.environ.get("CI") else pytest.skip)(f"no BottleCRM here: {error}")
    yield server
    running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def database(tryton_server: TrytonServer) -> TrytonDatabase:
    """A database for the tests of a module, which make what they need in it."""
    return tryton_server.fresh()


@pytest.fixture
def office(database: TrytonDatabase) -> Iterator[Office]:
    """A connector on the module's database, and somebody else who works there."""
    office = Office(database)
    office.connector.provision()
    office.wire.calls.clear()
    yield office
    office.close()


@pytest.fixture
def empty_office(tryton_server: TrytonServer) -> Iterator[Office]:
    """The same on a database in which nothing has happened yet."""
    office = Office(tryton_server.fresh())
    office.connector.provision()
    office.wire.calls.clear()
    yield office
    office.close()


@pytest.fixture(scope="module")
def related_database(tryton_server: TrytonServer) -> TrytonDatabase:
    """A database that knows relations between parties."""
    return tryton_server.fresh("party_relationship")


@pytest.fixture
def another(database: TrytonDatabase) -> Iterator[Callable[..., Office]]:
    """Makes more connectors on the module's database."""
    made: list[Office] = []

    def make(**settings: Any) -> Office:
        made.append(Office(database, **settings))
        return made[-1]

    yield make
    for office in made:
        office.close()
