"""Record the story of a deal with a real Tryton: ``python -m tests.live.record_tryton``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import httpx2

from aios_connect.cassettes import Recorder
from aios_connect.connectors.redaction import remember
from aios_connect.testing.servers import tryton
from tests.connectors.tryton_story import ADDRESS, CASSETTE, connector, tell


class Discreet(httpx2.HTTPTransport):
    """Makes a session known as a secret before anybody writes it down."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        content = response.read()
        response.close()
        if json.loads(request.read())["method"] == "common.db.login":
            remember(json.loads(content)["result"][1])
        headers = [
            (name, value) for name, value in response.headers.items() if name not in ("content-encoding", "content-length")
        ]
        return httpx2.Response(response.status_code, headers=headers, content=content)


def main() -> None:
    """Record it."""
    with tempfile.TemporaryDirectory() as folder, tryton(Path(folder), progress=print) as server:
        there = server.first
        transport = Recorder(CASSETTE, origin=f"live Tryton {server.version}, made-up data", inner=Discreet(), address=ADDRESS)
        tell(connector(transport, there.url, there.name, there.user, there.password))
        transport.close()


if __name__ == "__main__":
    main()
