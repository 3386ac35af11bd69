"""Two tools in memory: enough of a vendor to prove the engine on, small enough to read in a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Change, Connector, Cursor, Identity, Page, Raw, Receipt, ScanPage, Schema
from aios_connect.connectors.spec import ConnectorSpec, ObjectSpec
from aios_connect.errors import AmbiguousWriteError, UnavailableError
from aios_connect.mappings import loads
from aios_connect.store import Store
from aios_connect.sync import (
    ApplyReport,
    ExceptionItem,
    Job,
    KindRule,
    PlanLine,
    PlanSummary,
    apply_plan,
    load_plan,
    make_plan,
    make_undo,
    open_exceptions,
    read_job,
)

OBJECT = ObjectSpec(
    "Things",
    frozenset({"read", "create", "update", "delete"}),
    version="rev",
    modified="changed_at",
    key="our_key",
    conditional="compare-and-set",
    deletes="scan",
    page_size=2,
    batch_size=3,
)

PERSON = """
connector: {provider}
object: people
kind: person
defaults: {{region: US}}
fields:
  names.full: name
  emails.work: {{from: email, as: email}}
  phones.mobile: {{from: mobile, as: phone}}
  company: {company}
"""
COMPANY = """
connector: {provider}
object: companies
kind: company
fields:
  name: name
"""


class Memory(Connector):
    """A vendor that keeps everything in two dicts.

    Attributes:
        data: Object -> id -> record: the truth a test may look at and change as a person would.
        sent: Every batch it was asked to write.
    """

    def __init__(self, provider: str, **traits: Any) -> None:
        spec = replace(OBJECT, **traits)
        self.spec = ConnectorSpec(provider, provider.title(), "", (), (), {"people": spec, "companies": spec})  # type: ignore[misc]
        self.data: dict[str, dict[str, Raw]] = {"people": {}, "companies": {}}
        self.sent: list[list[Change]] = []
        self.pages_read = 0
        self.fail_after: int | None = None
        self.refuse_after: int | None = None
        self.lose_answers = False
        self.die_after: int | None = None
        self._rev = 0

    def edit(self, object: str, id: str, **values: Any) -> None:
        """What a person at the screen does: make a record, or change it."""
        self._rev += 1
        record = self.data[object].setdefault(id, {"id": id})
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._rev)
        record |= {**values, "rev": str(self._rev), "changed_at": at.isoformat().replace("+00:00", "Z")}

    def check(self) -> Identity:
        return Identity("memory", "test")

    def describe(self, object: str) -> Schema:
        return Schema(object, {}, open=True)

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        ids = sorted(self.data[object])
        start = int((since or {}).get("next", 0))
        while True:
            if self.fail_after is not None and self.pages_read >= self.fail_after:
                raise UnavailableError("the vendor went away")
            self.pages_read += 1
            part, start = ids[start : start + 2], start + 2
            yield Page([deepcopy(self.data[object][id]) for id in part], {"next": start}, start >= len(ids))
            if start >= len(ids):
                return

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return [deepcopy(self.data[object][id]) for id in ids if id in self.data[object]]

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        return {record["our_key"]: deepcopy(record) for record in self.data[object].values() if record.get("our_key") in keys}

    def scan(self, object: str) -> Iterator[ScanPage]:
        yield ScanPage([(id, record["rev"]) for id, record in self.data[object].items()], True)

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        if self.refuse_after is not None and len(self.sent) >= self.refuse_after:
            raise UnavailableError("the vendor went away")
        self.sent.append(list(changes))
        receipts = [self._write(object, change) for change in changes]
        if self.die_after is not None and len(self.sent) > self.die_after:
            raise KeyboardInterrupt
        if self.lose_answers:
            raise AmbiguousWriteError("no answer came")
        return receipts

    def _write(self, object: str, change: Change) -> Receipt:
        records = self.data[object]
        if change.patch.get("name") == "Refused":
            return Receipt("rejected", change.id, reason="this name is not permitted")
        if change.action == "create":
            id = f"{self.spec.provider}-{self._rev + 100}"
            self.edit(object, id, our_key=change.key, **change.patch)
        else:
            id = change.id or ""
            if id not in records:
                return Receipt("conflict", id, reason="it is gone")
            if change.version is not None and records[id]["rev"] != change.version:
                return Receipt("conflict", id, current=deepcopy(records[id]), reason="it was changed meanwhile")
            if change.action == "delete":
                del records[id]
                return Receipt("written", id)
            self.edit(object, id, **change.patch)
        return Receipt("written", id, records[id]["rev"], deepcopy(records[id]))


class Office:
    """A sheet and a CRM, the job between them, and the people who use both.

    Args:
        store: Where the engine keeps what it knows.
        folder: Where plans go.
    """

    def __init__(self, store: Store, folder: Path, **rules: Any) -> None:
        self.store = store
        self.folder = folder
        self.sheet = Memory("sheet")
        self.crm = Memory("crm")
        self.job = Job(
            job="office",
            connections=("sheet", "crm"),
            kinds={"company": KindRule(create=("crm",), **rules), "person": KindRule(create=("crm",), **rules)},
        )
        self.connections: dict[str, Connection] = {}
        self.remap("sheet")
        self.remap("crm")
        self._clock = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def remap(self, name: str, more: str = "") -> None:
        """Give a connection its mappings, with more lines in the one for people."""
        memory = self.sheet if name == "sheet" else self.crm
        company = (
            "{from: company, as: reference, to: company, by: name}"
            if name == "sheet"
            else "{from: company_id, as: reference, to: companies}"
        )
        texts = PERSON.format(provider=name, company=company) + more, COMPANY.format(provider=name)
        self.connections[name] = Connection(name, memory, [loads(text) for text in texts])

    def now(self) -> datetime:
        """A clock that moves a second whenever somebody looks."""
        self._clock += timedelta(seconds=1)
        return self._clock

    def read(self) -> None:
        """Read both."""
        read_job(self.job, self.connections, self.store, run="run_read", now=self.now)

    def plan(self, name: str = "plan") -> PlanSummary:
        """Read both and make a plan."""
        self.read()
        return self.plan_without_reading(name)

    def plan_without_reading(self, name: str = "plan") -> PlanSummary:
        """Make a plan from what the store knows."""
        return make_plan(self.job, self.connections, self.store, self.folder / f"{name}.jsonl", now=self.now)

    def apply(self, name: str = "plan", **options: Any) -> ApplyReport:
        """Apply a plan made before."""
        return apply_plan(self.folder / f"{name}.jsonl", self.job, self.connections, self.store, now=self.now, **options)

    def run(self) -> ApplyReport:
        """Read, plan, apply."""
        self.plan()
        return self.apply()

    def undo(self, run: str) -> ApplyReport:
        """Read, plan the way back, apply it."""
        self.read()
        make_undo(run, self.job, self.connections, self.store, self.folder / "undo.jsonl", now=self.now)
        return self.apply("undo")

    def lines(self, name: str = "plan") -> list[PlanLine]:
        """The lines of a plan."""
        return list(load_plan(self.folder / f"{name}.jsonl").lines())

    def writes(self, name: str = "plan") -> list[tuple[str, str, str | None]]:
        """What a plan would write: (connection, action, id)."""
        return [(line.connection, line.action, line.id) for line in self.lines(name) if not line.local]

    def exceptions(self) -> list[ExceptionItem]:
        """What waits for a person."""
        return open_exceptions(self.store)

    def truth(self) -> dict[str, Any]:
        """What both vendors really hold, but for what every write changes."""
        own = ("rev", "changed_at")
        return {
            memory.spec.provider: {
                object: {id: {k: v for k, v in record.items() if k not in own} for id, record in records.items()}
                for object, records in memory.data.items()
            }
            for memory in (self.sheet, self.crm)
        }
