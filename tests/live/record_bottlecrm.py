"""Record the story of a deal with a real BottleCRM: ``python -m tests.live.record_bottlecrm``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx2

from aios_connect.cassettes import Recorder
from aios_connect.testing.servers.bottlecrm import bottlecrm
from tests.connectors.bottlecrm_story import ADDRESS, CASSETTE, connector, tell


def main() -> None:
    """Record it."""
    with tempfile.TemporaryDirectory() as folder, bottlecrm(Path(folder), progress=print) as server:
        there = server.fresh()
        origin = f"live BottleCRM {server.version} on SQLite, made-up data"
        transport = Recorder(CASSETTE, origin=origin, inner=httpx2.HTTPTransport(), address=ADDRESS)
        tell(connector(transport, there.url, there.token))
        transport.close()


if __name__ == "__main__":
    main()
