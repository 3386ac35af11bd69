"""The server of the live tests and the demo: databases of their own, and gone when whoever started it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aios_connect.testing.servers import TrytonServer

pytestmark = pytest.mark.live

STARTER = """
import sys, time
from pathlib import Path
from aios_connect.testing.servers import tryton
with tryton(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_fresh_database_knows_nothing_of_another(tryton_server: TrytonServer) -> None:
    one, other = tryton_server.fresh(), tryton_server.fresh()
    one.rpc()("model.party.party.create", [{"name": "Only here"}])
    counts = [there.rpc()("model.party.party.search_count", [["name", "=", "Only here"]]) for there in (one, other)]
    assert counts == [1, 0]


def test_a_server_does_not_outlive_whoever_started_it(tryton_server: TrytonServer, tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    server = int(starter.stdout.readline())
    assert alive(server)
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    deadline = time.monotonic() + 30
    while alive(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(server)
