"""Record the story of a calendar with real servers: ``python -m tests.live.record_caldav``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx2

from aios_connect.cassettes import Recorder
from aios_connect.testing.servers.dav import radicale, xandikos
from tests.connectors.caldav_story import ADDRESS, CASSETTES, connector, tell


def main() -> None:
    """Record it, once with each."""
    for name, start in (("radicale", radicale), ("xandikos", xandikos)):
        with tempfile.TemporaryDirectory() as folder, start(Path(folder), progress=print) as server:
            there = server.fresh()
            origin = f"live {server.title}, made-up data"
            transport = Recorder(CASSETTES / f"{name}.yaml", origin=origin, inner=httpx2.HTTPTransport(), address=ADDRESS)
            settings = {"calendars": there.calendar, "addressbooks": there.book}
            tell(connector(transport, there.url, there.user, there.password, settings=settings))
            transport.close()


if __name__ == "__main__":
    main()
