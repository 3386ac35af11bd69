"""One random day of two servers that are kept in step: people work on both, everything goes wrong, and the oracle watches.

Everything is a function of the seed. ``python -m tests.torture.schedules 4711`` tells the story of one seed.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from aios_connect.connection import Connection
from aios_connect.errors import AiosError
from aios_connect.sandbox import FAULTS, Call, Schedule, SimClock, transport
from aios_connect.store import Store
from aios_connect.store.records import records_of
from aios_connect.sync import ApplyReport, ExceptionItem, apply_plan, make_plan, open_exceptions, read_job, settle

from .oracle import TAGS, Oracle, ViolationError
from .plain_office import open_plain, plain_job
from .plain_vendor import FIELDS, STAGES, PlainVendor

__all__ = ["Day", "ViolationError", "live"]

LONGEST_LAG = 20.0
SIDES = ("left", "right")


class Killed(BaseException):
    """The process died between two instructions."""


def live(
    seed: int, folder: Path, template: Path, *, tell: Callable[[str], None] = lambda line: None, day: type[Day] | None = None
) -> None:
    """Live through one day.

    Args:
        seed: Which one.
        folder: Where its store and plans go; must be empty.
        template: An empty store to copy.
        tell: Gets every line of the story.
        day: What kind of day; two plain servers, if not given.

    Raises:
        ViolationError: The engine broke a promise.
    """
    shutil.copy(template, folder / "store.db")
    store = Store.open(f"sqlite:///{folder / 'store.db'}")
    event.listen(
        store.engine, "connect", lambda connection, _: connection.execute("pragma synchronous=off")
    )  # nobody pulls the plug here
    store.engine.dispose()
    try:
        (day or Day)(seed, folder, store, tell).live()
    except ViolationError as violation:
        raise ViolationError(f"seed {seed}: {violation}") from violation
    finally:
        store.close()


class Day:
    """The servers, the people, the job between them, and what happens."""

    def __init__(self, seed: int, folder: Path, store: Store, tell: Callable[[str], None]) -> None:
        draw = self.draw = random.Random(f"day:{seed}")
        self.folder, self.store, self.tell = folder, store, tell
        self.clock = SimClock()
        self.lag = draw.choice([0.0, 3.0, LONGEST_LAG])
        grain = timedelta(milliseconds=draw.choice([1, 1000, 60_000]))
        self.schedules = {side: self._schedule(f"{seed}:{side}") for side in SIDES}
        self.vendors = {side: self._vendor(side, grain) for side in SIDES}
        self.connections = {side: self._connect(side, draw.choice([2, 6])) for side in SIDES}
        authority = draw.choice(["left", "right", "ask"])
        # Without a sure key, renamed companies that are on both sides are a question to a person.
        sure = draw.choice([("domains.primary",), ("domains.primary",), ()])
        self.job = plain_job(*SIDES, authority={"default": authority}, deletes=draw.choice(["follow", "ask"]), match=sure)
        self.oracle = Oracle(self.vendors, "" if authority == "ask" else authority)
        self.busy = draw.choice([0.0, 0.02, 0.1])  # chance that somebody edits something during a request
        self.kills = draw.choice([0.0, 0.0, 0.01, 0.03])
        self.count = 0
        self.plan: Path | None = None
        self.lines = 0
        for side, vendor in self.vendors.items():
            vendor.before = self._disturb(side)
            vendor.after = self._kill
        tell(
            f"authority {authority}, deletes {self.job.kinds['deal'].deletes}, lag {self.lag}, grain {grain}, kills {self.kills}"
        )

    def _vendor(self, side: str, grain: timedelta) -> PlainVendor:
        return PlainVendor(self.clock, grain=grain, lag=self.lag, page_size=self.draw.choice([2, 3, 10]))

    def _connect(self, side: str, attempts: int) -> Connection:
        return open_plain(side, now=self.now, sleep=self.clock.sleep, transport=transport(self.vendors[side]), attempts=attempts)

    def now(self) -> datetime:
        """The engine's clock, which moves a little whenever it is read."""
        self.clock.sleep(0.001)
        return self.clock.now()

    def live(self) -> None:
        """A first stock of records; then people and runs in turns; then quiet, in which everything must come right."""
        self._open_shop()
        self.clock.sleep(self.draw.choice([LONGEST_LAG, 600.0]))
        for side, vendor in self.vendors.items():
            vendor.schedule = self.schedules[side]
        for _ in range(self.draw.randint(2, 5)):
            self.clock.sleep(self.draw.choice([0.5, 5.0, 90.0]))
            self._run()
            self._judge()
            for _ in range(self.draw.randint(0, 5)):
                self._edit(self.draw.choice(SIDES))
        self._calm_down()

    def _calm_down(self) -> None:
        self.busy = self.kills = 0.0
        for vendor in self.vendors.values():
            vendor.schedule = Schedule.quiet()
        for turn in range(8):
            self.clock.sleep(120.0)
            self._settle()
            outcome = self._run()
            self._judge()
            if outcome == "failed":
                raise ViolationError("a run failed although nothing went wrong")
            if outcome == "clean" and self.lines == 0 and not open_exceptions(self.store):
                self.oracle.both_sides_agree()
                return
            self.tell(f"quiet turn {turn}: {self.lines} lines, {len(open_exceptions(self.store))} exceptions")
        raise ViolationError(
            f"no rest after eight quiet runs: still {self.lines} lines, {len(open_exceptions(self.store))} exceptions"
        )

    def _run(self) -> str:
        """Read, plan, apply: ``failed``, ``partly`` or ``clean``. A clean run is held to what it says."""
        began = self.now()
        try:
            whole = self.plan is None or self.draw.random() < 0.5
            report = self._from_the_start(began) if whole else self._take_up()
        except AiosError as error:
            self.tell(f"{self.clock.now():%H:%M:%S} the run failed: {error.message}")
            return "failed"
        except Killed:
            self.tell(f"{self.clock.now():%H:%M:%S} killed")
            self.clock.sleep(600.0)  # until its lease has run out
            return "failed"
        self.plan = None
        self.tell(f"{self.clock.now():%H:%M:%S} run: {report.counts()} {[trouble.reason for trouble in report.troubles]}")
        if not report.clean:
            return "partly"
        if whole:
            self.oracle.activated = self.oracle.activated or self.clock.now()
            if not open_exceptions(self.store):
                self.oracle.nothing_is_missing(began - timedelta(seconds=self.lag))
        return "clean"

    def _from_the_start(self, began: datetime) -> ApplyReport:
        read_job(self.job, self.connections, self.store, run=f"run_{began:%H%M%S%f}", now=self.now)
        path = self.folder / f"plan{began:%H%M%S%f}.jsonl"
        self.lines = make_plan(self.job, self.connections, self.store, path, now=self.now).footer.lines
        self.plan = path
        return apply_plan(path, self.job, self.connections, self.store, now=self.now)

    def _take_up(self) -> ApplyReport:
        """Go on with a plan whose apply failed."""
        assert self.plan is not None
        path, self.plan = self.plan, None
        self.tell(f"{self.clock.now():%H:%M:%S} the plan is taken up again")
        return apply_plan(path, self.job, self.connections, self.store, now=self.now)

    def _judge(self) -> None:
        self.oracle.nothing_is_doubled()
        self.oracle.nothing_is_deleted_by_itself()
        self.oracle.nothing_a_person_wrote_is_overwritten()

    def _settle(self) -> None:
        """A person looks at every open question and decides; who two records are, by what nobody ever edits."""
        for question in open_exceptions(self.store):
            self.tell(f"exception: {question.code} {question.summary}")
            if question.code == "duplicate_review":
                settle(self.store, question.id, by="ann", now=self.now(), take=self._same_one(question))
                continue
            choices = [take for take in question.choices if question.code != "deleted_elsewhere" or take == "delete"]
            self.oracle.settled = self.oracle.settled or question.code == "conflict"
            if choices:
                settle(self.store, question.id, by="ann", now=self.now(), take=choices[0])
            else:
                settle(self.store, question.id, by="ann", now=self.now(), dismiss=True)

    def _same_one(self, question: ExceptionItem) -> str:
        """The answer to the question who a record is."""
        side, _, address = question.summary.partition(" (")[0].partition(" ")
        name = self._name(side, *address.split("/"))
        with self.store.read() as tx:
            known = records_of(tx, [entity for entity in question.choices.values() if entity])
        for take, entity in question.choices.items():
            if any(self._name(row.connection, row.object, row.id) == name for row in known.get(entity or "", ())):
                return take
        return "different"

    def _name(self, side: str, object: str, id: str) -> str | None:
        return self.oracle._names(side, object).get(id)

    def _schedule(self, seed: str) -> Schedule:
        rate = self.draw.choice([0.0, 0.02, 0.08, 0.25])
        return Schedule(hash_of(seed), FAULTS.values(), rate=rate, outages=self.draw.choice([0, 0, 1, 2]), span=150)

    def _disturb(self, side: str) -> Callable[[Call], None]:
        def disturb(call: Call) -> None:
            self.clock.sleep(0.02)
            if self.draw.random() < self.busy:
                self._edit(self.draw.choice(SIDES))
            self._kill(call)

        return disturb

    def _kill(self, call: Call) -> None:
        if self.draw.random() < self.kills:
            raise Killed

    def _open_shop(self) -> None:
        most = self.draw.choice([3, 12])
        for object in ("companies", "people", "deals"):
            for _ in range(self.draw.randint(1, most)):
                self._create(self.draw.choice(SIDES), object)
        for object in ("companies", "people"):  # some are known on both sides already
            for item in list(self.vendors["left"].shelves[object])[:1]:
                same = {
                    **item.values,
                    "phone" if object == "companies" else "title": "+13125550100" if object == "companies" else "Owner",
                }
                same.pop("company", None)
                self._write("right", object, None, same)

    def _edit(self, side: str) -> None:
        """Somebody does something at the screen of one server."""
        self.clock.sleep(0.01)
        object = self.draw.choice(list(FIELDS))
        there = list(self.vendors[side].shelves[object])
        deed = self.draw.random()
        if deed < 0.25 or not there:
            self._create(side, object)
            return
        item = self.draw.choice(there)
        if deed < 0.32:
            self._remove(side, object, item.id, None)
        elif deed < 0.36 and len(there) > 1:
            self._remove(side, object, item.id, self.draw.choice([other.id for other in there if other.id != item.id]))
        else:
            leaf = self.draw.choice([leaf for leaf in FIELDS[object] if leaf not in (TAGS[object], "key")])
            self._write(side, object, item.id, {leaf: self._value(side, FIELDS[object][leaf], leaf)})

    def _create(self, side: str, object: str) -> None:
        self.count += 1
        n = self.count
        names = {"companies": f"c{n}.example", "people": f"p{n}@mail.example", "deals": f"Deal {n}"}
        values = {leaf: self._value(side, kind, leaf) for leaf, kind in FIELDS[object].items() if leaf != "key"}
        values |= {"name": f"Company {n}"} if object == "companies" else {"first": f"First{n}"} if object == "people" else {}
        self._write(side, object, None, {**values, TAGS[object]: names[object]})

    def _value(self, side: str, kind: str, leaf: str) -> Any:
        if kind in FIELDS:
            there = [item.id for item in self.vendors[side].shelves[kind]]
            return self.draw.choice([*there, None])
        self.count += 1
        if kind == "stage":
            return self.draw.choice(STAGES)
        if kind == "decimal":
            return self.draw.choice([f"{self.count}.5", None])
        if leaf in ("phone", "mobile"):
            return self.draw.choice([f"+1312555{self.count:04}", None])
        return f"{leaf.title()} {self.count}" if leaf != "title" else self.draw.choice([f"Title {self.count}", None])

    def _write(self, side: str, object: str, id: str | None, values: dict[str, Any]) -> None:
        shelf = self.vendors[side].shelves[object]
        item = shelf.create(values, by="ann") if id is None else shelf.change(id, values, by="ann")
        self.tell(f"{self.clock.now():%H:%M:%S} {side} {object} {item.id}: {values}")

    def _remove(self, side: str, object: str, id: str, survivor: str | None) -> None:
        vendor = self.vendors[side]
        self.tell(
            f"{self.clock.now():%H:%M:%S} {side} {object} {id} {'deleted' if survivor is None else f'merged into {survivor}'}"
        )
        vendor.drop(object, id, survivor=survivor, by="ann")


def hash_of(text: str) -> int:
    """A seed from a text, the same in every process."""
    return random.Random(text).randrange(2**32)


def _main() -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        Store.open(f"sqlite:///{template}").close()
        own = Path(folder) / "day"
        own.mkdir()
        live(int(sys.argv[1]), own, template, tell=lambda line: print(line))


if __name__ == "__main__":
    _main()
