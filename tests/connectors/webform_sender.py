"""A process of its own that takes enquiries, and dies where it is told to."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aios_connect_webform import serve
from aios_connect_webform.inbox import Arrival, Inbox, Kept

from aios_connect.connectors import Request

from .webform_desk import KEY, URLENCODED, Desk

__all__ = ["main"]


def main(folder: str, does: str) -> None:
    """Send eight enquiries with keys that all the others have, too; or listen until killed, before or after one is kept."""
    desk = Desk(Path(folder))
    if does == "send":
        for number in range(8):
            headers = {"content-type": URLENCODED, "authorization": f"Bearer {KEY}", "idempotency-key": f"k-{number}"}
            reply = desk.form.answer(Request("POST", "https://hooks.example.com/", headers, f"message={number}".encode()))
            assert reply.status == 200, reply
        desk.form.close()
        return
    keep = Inbox.keep

    def dying(inbox: Inbox, arrival: Arrival) -> Kept:
        if does == "die before":
            os.kill(os.getpid(), signal.SIGKILL)
        kept = keep(inbox, arrival)
        if does == "die after":
            os.kill(os.getpid(), signal.SIGKILL)
        return kept

    Inbox.keep = dying  # type: ignore[method-assign, assignment]
    desk.now = datetime.now(UTC)
    with serve({"/website": desk.form}) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    desk.form.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
