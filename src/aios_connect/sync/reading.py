"""Reading: a connector's pages into the store, each page with the cursor after it in one transaction.

Killed anywhere, a read goes on after the last stored page. Nothing a vendor sends is dropped: what cannot be mapped is set aside
with its place and reason, and the record stays as it was known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, or_, select, update

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Page, Quarantined, Raw, Tombstone
from aios_connect.connectors.spec import ObjectSpec
from aios_connect.errors import CursorGoneError, TruncatedError
from aios_connect.store import Store
from aios_connect.store.pages import PageRow, doubtful_ids, upsert_records
from aios_connect.store.records import dumps, knows_any, loads
from aios_connect.store.tables import cursor as cursor_table
from aios_connect.store.tables import quarantine as quarantine_table
from aios_connect.store.tables import record as record_table

from .deletes import find_deletes
from .holding import Hold
from .jobs import Job
from .paths import at_path, instant_at
from .progress import Progress, Silent, Task

if TYPE_CHECKING:
    from aios_connect.mappings import CompiledMapping

__all__ = ["PageReader", "ReadReport", "read_job", "read_object", "taking_part"]


@dataclass(slots=True)
class ReadReport:
    """What one object's read brought.

    Attributes:
        connection: Where it was read.
        object: The vendor's object.
        kind: What it means here.
        read: Records that came.
        gone: Records found deleted, archived or merged.
        quarantined: Records set aside.
        pages: Pages that came.
        complete: The stream ended on its positive end marker.
    """

    connection: str
    object: str
    kind: str
    read: int = 0
    gone: int = 0
    quarantined: int = 0
    pages: int = 0
    complete: bool = False


def taking_part(job: Job, kind: str, connections: Mapping[str, Connection]) -> list[Connection]:
    """The connections that a job keeps in step for a kind, in the job's order."""
    between = job.kinds[kind].between
    names = [name for name in job.connections if between is None or name in between]
    return [connections[name] for name in names if kind in connections[name].kinds]


def read_job(
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    *,
    run: str,
    now: Callable[[], datetime],
    progress: Progress | None = None,
    everything: bool = False,
) -> list[ReadReport]:
    """Read all that a job needs: what changed since the last time, everything on the first.

    Args:
        job: The job.
        connections: Open connections by name.
        store: Where the records go.
        run: Id of the run this belongs to.
        now: The clock.
        progress: Who wants to know.
        everything: Begin at the beginning, whatever was read before: some changes move no instant and are in no list of changes.

    Raises:
        ProviderError: A vendor did not answer or answered wrongly. What was read so far is stored, and so is the place to go on.
    """
    reports = []
    with Hold(store, job.job, job.connections, now) as hold:
        for kind in job.ordered_kinds():
            for connection in taking_part(job, kind, connections):
                if everything:
                    _from_the_beginning(store, connection.name, connection.mapping(kind).object)
                report = read_object(connection, kind, store, run=run, now=now, progress=progress, beat=hold.beat)
                report.gone += find_deletes(connection, kind, store, job, run=run, now=now)
                reports.append(report)
    return reports


def read_object(
    connection: Connection,
    kind: str,
    store: Store,
    *,
    run: str,
    now: Callable[[], datetime],
    progress: Progress | None = None,
    beat: Callable[[], None] = lambda: None,
) -> ReadReport:
    """Read one object of one connection into the store; ``beat`` is called after every page."""
    mapping = connection.mapping(kind)
    report = ReadReport(connection.name, mapping.object, kind)
    label = f"reading {connection.name} {mapping.object}"
    with (progress or Silent()).task(label) as task:
        try:
            resumed = _follow(connection, mapping, store, report, run, now, task, beat)
            if resumed and connection.connector.spec.objects[mapping.object].incremental:
                _follow(connection, mapping, store, report, run, now, task, beat)  # what changed since that read began
        except CursorGoneError:
            _from_the_beginning(store, connection.name, mapping.object)
            _follow(connection, mapping, store, report, run, now, task, beat)
    return report


def _follow(
    connection: Connection,
    mapping: CompiledMapping,
    store: Store,
    report: ReadReport,
    run: str,
    now: Callable[[], datetime],
    task: Task,
    beat: Callable[[], None],
) -> bool:
    """Read to the end; returns whether this went on with a read that was begun earlier."""
    spec = connection.connector.spec.objects[mapping.object]
    with store.begin() as tx:
        position, full, read_run, resumed = _begin(tx, connection.name, mapping.object, spec, run)
        first = not knows_any(tx, connection.name, mapping.object)
    reader = PageReader(connection.name, mapping, spec, read_run)
    for page in connection.connector.read(mapping.object, position):
        rows, problems = reader.map(page)
        if spec.modified and not first:
            rows, problems = _without_doubt(connection, spec, store, reader, rows, problems)
        with store.begin() as tx:
            upsert_records(tx, rows)
            gone = _mark_gone(tx, connection.name, mapping.object, page.tombstones)
            _set_aside(tx, connection.name, mapping.object, problems, read_run, now())
            _save_cursor(tx, connection.name, mapping.object, page, full, read_run, len(rows), now())
            if page.complete:
                _clear_quarantine(tx, connection.name, mapping.object, read_run, full)
        report.read += len(page.records)
        report.gone += gone
        report.quarantined += len(problems)
        report.pages += 1
        report.complete = page.complete
        task.advance(len(page.records))
        beat()
    if not report.complete:
        raise TruncatedError(
            f"{connection.name} {mapping.object}: the stream ended without its end marker",
            hint="run again; it goes on where it stopped",
            provider=connection.connector.spec.provider,
            object=mapping.object,
        )
    return resumed


def _without_doubt(
    connection: Connection,
    spec: ObjectSpec,
    store: Store,
    reader: PageReader,
    rows: list[PageRow],
    problems: list[Quarantined],
) -> tuple[list[PageRow], list[Quarantined]]:
    """The rows of a page, those that a lagging index may have shown as they were replaced by what the vendor says of that id."""
    with store.read() as tx:
        doubtful = doubtful_ids(tx, rows)
    if not doubtful:
        return rows, problems
    raws: list[Raw] = []
    for start in range(0, len(doubtful), spec.lookup_size):
        raws += connection.connector.lookup(rows[0].object, doubtful[start : start + spec.lookup_size])
    sure, more = reader.map(Page(raws, {}, False))
    left = set(doubtful)
    return [row for row in rows if row.id not in left] + sure, problems + more


class PageReader:
    """Turns pages of raw records into rows of the store.

    Args:
        connection: The connection's name.
        mapping: The compiled mapping of the object.
        spec: The object, as its connector declares it.
        read_run: The read this belongs to.
    """

    def __init__(self, connection: str, mapping: CompiledMapping, spec: ObjectSpec, read_run: str) -> None:
        self._connection = connection
        self._mapping = mapping
        self._read_run = read_run
        self._id = at_path(spec.id)
        self._version = at_path(spec.version) if spec.version else None
        self._modified = at_path(spec.modified) if spec.modified else None

    def map(self, page: Page) -> tuple[list[PageRow], list[Quarantined]]:
        """Rows of the records that fit, and what was set aside with the vendor's and the mapping's reasons."""
        get, kind, digest, object = self._mapping.get, self._mapping.kind, self._mapping.digest, self._mapping.object
        identify, version, modified = self._id, self._version, self._modified
        rows, aside = [], list(page.quarantined)
        for raw in page.records:
            id = identify(raw)
            if id is None or id == "":
                aside.append(Quarantined(f"a record on page after {dumps(page.cursor)[:80]}", "it has no id", dumps(raw)))
                continue
            leaves, problems = get(raw)
            if problems:
                reason = "; ".join(f"{problem.leaf}: {problem.reason}" for problem in problems)
                aside.append(Quarantined(f"{object}/{id}", reason, dumps(raw), str(id)))
                continue
            rows.append(
                PageRow(
                    self._connection,
                    object,
                    str(id),
                    kind,
                    dumps(raw),
                    dumps(leaves),
                    str(version(raw) or "") if version else "",
                    instant_at(modified(raw)) if modified else None,
                    digest,
                    self._read_run,
                )
            )
        return rows, aside


def _begin(
    tx: Transaction, connection: str, object: str, spec: ObjectSpec, run: str
) -> tuple[Mapping[str, Any], bool, str, bool]:
    """Where to go on, whether this read began at the beginning, the run it began in, and whether that was an earlier one."""
    where = (cursor_table.c.connection == connection, cursor_table.c.object == object)
    row = tx.execute(select(cursor_table).where(*where)).one_or_none()
    if row is None:
        tx.execute(
            cursor_table.insert().values(
                connection=connection, object=object, position="{}", full=True, run=run, read=0, finished_at=None
            )
        )
        return {}, True, run, False
    position = loads(row.position)
    if row.finished_at is None:
        return position, row.full, row.run, bool(position)
    if not spec.incremental:
        position = {}
    full = not position
    tx.execute(update(cursor_table).where(*where).values(position=dumps(position), full=full, run=run, read=0, finished_at=None))
    return position, full, run, False


def _save_cursor(
    tx: Transaction, connection: str, object: str, page: Page, full: bool, run: str, count: int, now: datetime
) -> None:
    tx.execute(
        update(cursor_table)
        .where(cursor_table.c.connection == connection, cursor_table.c.object == object)
        .values(
            position=dumps(page.cursor),
            full=full,
            run=run,
            read=cursor_table.c.read + count,
            finished_at=now if page.complete else None,
        )
    )


def _from_the_beginning(store: Store, connection: str, object: str) -> None:
    """Forget how far an object was read. What was deleted since then nobody will tell: every living record has to show itself
    again; see ``deletes``."""
    of_object = (record_table.c.connection == connection, record_table.c.object == object)
    with store.begin() as tx:
        tx.execute(delete(cursor_table).where(cursor_table.c.connection == connection, cursor_table.c.object == object))
        tx.execute(update(record_table).where(*of_object, record_table.c.gone.is_(None)).values(absences=1))


def _mark_gone(tx: Transaction, connection: str, object: str, tombstones: Sequence[Tombstone]) -> int:
    count = 0
    for stone in tombstones:
        done = tx.execute(
            update(record_table)
            .where(
                record_table.c.connection == connection,
                record_table.c.object == object,
                record_table.c.id == stone.id,
                or_(record_table.c.gone.is_distinct_from(stone.reason), record_table.c.survivor.is_distinct_from(stone.survivor)),
            )
            .values(gone=stone.reason, survivor=stone.survivor)
        )
        count += done.rowcount
    return count


def _set_aside(tx: Transaction, connection: str, object: str, problems: Sequence[Quarantined], run: str, now: datetime) -> None:
    for problem in problems:
        place = problem.place[:300]
        where = (
            quarantine_table.c.connection == connection,
            quarantine_table.c.object == object,
            quarantine_table.c.place == place,
        )
        tx.execute(delete(quarantine_table).where(*where))
        tx.execute(
            quarantine_table.insert().values(
                connection=connection,
                object=object,
                place=place,
                id=problem.id,
                reason=problem.reason,
                raw=problem.raw,
                run=run,
                at=now,
            )
        )
        if problem.id is not None:  # it is there, even if it cannot be read
            tx.execute(
                update(record_table)
                .where(record_table.c.connection == connection, record_table.c.object == object, record_table.c.id == problem.id)
                .values(read_run=run, absences=0)
            )


def _clear_quarantine(tx: Transaction, connection: str, object: str, run: str, full: bool) -> None:
    """Take back what has been read well since: everything older after a full read, else what came again."""
    older = [
        quarantine_table.c.connection == connection,
        quarantine_table.c.object == object,
        quarantine_table.c.run != run,
    ]
    if not full:
        read_again = select(record_table.c.id).where(
            record_table.c.connection == connection, record_table.c.object == object, record_table.c.read_run == run
        )
        older.append(quarantine_table.c.id.in_(read_again))
    tx.execute(delete(quarantine_table).where(*older))
