"""``make bench``: ratios against a bare loop in the same run. Nothing here asserts; the bars stand beside the figures.

``python -m tests.bench [--records 100000] [--small 10000] [--large 500000] [--quick]``

The large run takes some minutes, and some 6 GB below ``TMPDIR``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROUNDS = 3


@contextmanager
def serving(records: int) -> Iterator[str]:
    """The vendor in a process of its own; gives its port."""
    server = subprocess.Popen([sys.executable, "-m", "tests.bench.people", str(records)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def measure(case: str, port: str) -> dict[str, float]:
    """One case in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.one", case, port, folder], capture_output=True, text=True, check=True
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def show(what: str, figure: str, bar: str) -> None:
    """One line of the table."""
    print(f"{what:<66} {figure:>14}   {bar}", flush=True)


def reading(records: int) -> None:
    """CPU of read + map + checkpoint, against httpx2 and the standard library's JSON."""
    with serving(records) as port:
        rounds = [{case: measure(case, port) for case in ("bare", "lines", "store")} for _ in range(ROUNDS)]
    for one in rounds:
        assert all(found["records"] == records for found in one.values())
    bare = median(one["bare"]["cpu"] for one in rounds)
    show(f"bare loop over {records:,} records, CPU", f"{bare:.2f} s", "")
    for case, bar, name in (("lines", "<= 2.0", "into JSON lines"), ("store", "<= 5.0", "into the store")):
        ratio = median(one[case]["cpu"] / one["bare"]["cpu"] for one in rounds)
        show(f"read + map 25 fields + checkpoint a page, {name}", f"{ratio:.2f} x", bar)


def memory(small: int, large: int) -> None:
    """Peak memory of read + map + store + plan into a second place, a small and a large number of records."""
    peaks = {}
    for records in (small, large):
        with serving(records) as port:
            found = measure("plan", port)
        assert found["records"] == records
        peaks[records] = found["peak"]
        show(f"read + map + store + plan, {records:,} records, CPU", f"{found['cpu']:.1f} s", "")
        show(f"read + map + store + plan, {records:,} records, peak memory", f"{peaks[records]:.1f} MB", "")
    show("the larger over the smaller", f"{peaks[large] - peaks[small]:+.1f} MB", "<= 10 MB")
    print("  peak memory: ru_maxrss, the most that a process of its own ever held, imports and SQLite's cache included")


def starting() -> None:
    """Imports and the command's help, user and system time of the best of some."""
    code = "import resource as r,subprocess as s,sys; s.run(sys.argv[1:],stdout=s.DEVNULL,check=True); "
    code += "u=r.getrusage(r.RUSAGE_CHILDREN); print(u.ru_utime+u.ru_stime)"
    for name, bar, command in (
        ("import aios_connect", "<= 0.2 s", [sys.executable, "-c", "import aios_connect"]),
        ("aios --help", "<= 0.35 s", [str(Path(sys.executable).with_name("aios")), "--help"]),
    ):
        times = [
            float(subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True).stdout)
            for _ in range(5)
        ]
        show(f"{name}, CPU", f"{min(times):.3f} s", bar)


def main() -> None:
    """Everything, one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=500_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything but the small run")
    wanted = parser.parse_args()
    part = 10 if wanted.quick else 1
    show("what", "figure", "bar")
    starting()
    subprocess.run([sys.executable, "-m", "tests.bench.mapping"], check=True)
    reading(wanted.records // part)
    memory(wanted.small, wanted.large // part)


if __name__ == "__main__":
    main()
