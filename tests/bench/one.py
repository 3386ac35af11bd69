"""One measured case in a process of its own: ``python -m tests.bench.one CASE PORT FOLDER`` prints CPU seconds, peak memory and records."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aios_connect.connection import Connection
    from aios_connect.connectors import Context


def bare(port: str, folder: Path) -> int:
    """What it is measured against: httpx2 and the standard library's JSON, nothing mapped, nothing kept."""
    import httpx2

    count, after = 0, "0"
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        while after is not None:
            body = json.loads(client.get("/people", params={"after": after}).content)
            count += len(body["results"])
            after = body.get("paging", {}).get("next", {}).get("after")
    return count


def _context(port: str, folder: Path) -> Context:
    from aios_connect.connectors import Auth, Context, Credentials, Http
    from aios_connect.connectors.credentials import MemoryTokenStore

    store = MemoryTokenStore(now=_now)
    credentials = Credentials("bench", Auth("none", ""), store, now=_now, sleep=time.sleep)
    http = Http(provider="bench", base_url=f"http://127.0.0.1:{port}", credentials=credentials)
    return Context("bench", {}, credentials, http, _now, time.sleep, folder)


def _connection(port: str, folder: Path) -> Connection:
    from aios_connect.connection import Connection

    from .people import Bench, mapping

    return Connection("bench", Bench(_context(port, folder)), [mapping()])


def _second(port: str, folder: Path) -> Connection:
    from aios_connect.connection import Connection

    from .people import Second, second_mapping

    return Connection("second", Second(_context(port, folder)), [second_mapping()])


def _now() -> datetime:
    return datetime.now(UTC)


def lines(port: str, folder: Path) -> int:
    """Read, map 25 fields, a checkpoint a page, into JSON lines."""
    from aios_connect.sync import export

    return export(_connection(port, folder), "person", folder / "people.jsonl").records


def store(port: str, folder: Path) -> int:
    """Read, map 25 fields, a checkpoint a page, into the store."""
    from aios_connect.store import Store
    from aios_connect.sync.reading import read_object

    kept = Store.open(f"sqlite:///{folder / 'store.db'}")
    report = read_object(_connection(port, folder), "person", kept, run="bench", now=_now)
    return report.read


def plan(port: str, folder: Path) -> int:
    """Read, map, store, match, and plan to make all of it in a second place."""
    from aios_connect.store import Store
    from aios_connect.sync import Job, KindRule, make_plan, read_job

    connections = {"bench": _connection(port, folder), "second": _second(port, folder)}
    kept = Store.open(f"sqlite:///{folder / 'store.db'}")
    job = Job(job="bench", connections=("bench", "second"), kinds={"person": KindRule(create=("second",))})
    report, _ = read_job(job, connections, kept, run="bench", now=_now)
    summary = make_plan(job, connections, kept, folder / "plan.jsonl", now=_now)
    assert summary.footer.counts["second"] == {"create": report.read}
    return report.read


CASES: dict[str, Callable[[str, Path], int]] = {"bare": bare, "lines": lines, "store": store, "plan": plan}


def main() -> None:
    """Measure from after the imports to the last record."""
    case, port, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    import httpx2  # noqa: F401
    import msgspec  # noqa: F401
    import pydantic  # noqa: F401

    if case != "bare":
        import aios_connect.connection
        import aios_connect.store
        import aios_connect.sync  # noqa: F401
        import tests.bench.people  # noqa: F401
    before = time.process_time()
    count = CASES[case](port, folder)
    cpu = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(json.dumps({"cpu": cpu, "peak": peak, "records": count}))


if __name__ == "__main__":
    main()
