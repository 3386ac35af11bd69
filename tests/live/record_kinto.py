"""Record the story of a deal with a real Kinto: ``python -m tests.live.record_kinto``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx2

from aios_connect.cassettes import Recorder
from aios_connect.testing.servers.kinto import kinto
from tests.connectors.kinto_story import ADDRESS, CASSETTE, connector, tell


def main() -> None:
    """Record it."""
    with tempfile.TemporaryDirectory() as folder, kinto(Path(folder), progress=print) as server:
        there = server.fresh()
        origin = f"live Kinto {server.version}, memory backend, made-up data"
        transport = Recorder(CASSETTE, origin=origin, inner=httpx2.HTTPTransport(), address=ADDRESS)
        tell(connector(transport, there.url, there.user, there.password))
        transport.close()


if __name__ == "__main__":
    main()
