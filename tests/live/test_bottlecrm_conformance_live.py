"""The conformance suite on a real BottleCRM."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from aios_connect.connection import Connection
from aios_connect.testing.conformance import Conformance, World
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

    def test_a_record_made_through_its_mapping_reads_back_as_it_was_made(self, world: World) -> None:
        """As in the suite, but what it is made like is deleted first: BottleCRM takes no name of a deal or an account twice."""
        connection = Connection("crm", world.provisioned(), world.mapped())
        for mapping in world.mapped():
            (model,) = world.fill(mapping.object, 1)
            record = connection.get(mapping.kind, model).leaves()
            world.remove(mapping.object, model)
            whole = connection.mapping(mapping.kind)
            told = {leaf: record[leaf] for leaf in whole.writes if leaf in whole.reads and record.get(leaf) is not None}
            receipt = connection.create(mapping.kind, told)
            assert receipt.outcome == "written"
            back = connection.get(mapping.kind, str(receipt.id)).leaves()
            assert {leaf: back.get(leaf) for leaf in told} == told
