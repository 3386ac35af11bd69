"""The conformance suite on a real BottleCRM."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from aios_connect.testing.conformance import Conformance
from aios_connect.testing.servers.bottlecrm import BottleCRMServer

from .bottlecrm_world import BottleCRMWorld

pytestmark = pytest.mark.live


@pytest.fixture(scope="module", autouse=True)
def _server(bottlecrm_server: BottleCRMServer) -> Iterator[None]:
    BottleCRMWorld.server = bottlecrm_server
    BottleCRMWorld.way = httpx2.HTTPTransport(verify=False)
    yield
    BottleCRMWorld.way.close()


class TestBottleCRM(Conformance):
    world = BottleCRMWorld
    test_the_suite_itself_is_offline_and_never_waits = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _offline(self) -> None:
        """Loopback is what this is about; that no test goes further is seen to for all tests."""
