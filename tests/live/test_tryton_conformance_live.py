"""Tryton keeps every promise, on a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aios_connect.testing.conformance import Conformance
from aios_connect.testing.servers import TrytonServer

from .tryton_world import TrytonWorld

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", autouse=True)
def databases(tryton_server: TrytonServer) -> Iterator[None]:
    """Two databases for all tests of the module, so that two accounts can be told apart."""
    TrytonWorld.databases[:] = [tryton_server.fresh(), tryton_server.fresh()]
    yield
    TrytonWorld.databases.clear()


class TestTryton(Conformance):
    world = TrytonWorld
