"""When a mapping file changed: map the stored raw records again, without a single API call."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select, update

from aios_connect.connection import Connection
from aios_connect.store import Store
from aios_connect.store.records import dumps, loads
from aios_connect.store.tables import record

from .jobs import Job
from .progress import Progress, Silent
from .reading import taking_part

__all__ = ["remap_job"]


def remap_job(job: Job, connections: Mapping[str, Connection], store: Store, *, progress: Progress | None = None) -> int:
    """Bring every stored record of a job up to the mapping in force; returns how many were mapped again.

    A record that the new mapping cannot read keeps its old leaves until it is read again, and is then set aside with the reason.
    """
    count = 0
    for kind in job.ordered_kinds():
        for connection in taking_part(job, kind, connections):
            mapping, last = connection.mapping(kind), ""
            with (progress or Silent()).task(f"mapping {connection.name} {kind} again") as task:
                while True:
                    here = (record.c.connection == connection.name, record.c.object == mapping.object)
                    query = select(record.c.id, record.c.raw).where(*here, record.c.mapping != mapping.digest, record.c.id > last)
                    with store.begin() as tx:
                        rows = tx.execute(query.order_by(record.c.id).limit(500)).all()
                        for row in rows:
                            leaves, problems = mapping.get(loads(row.raw))
                            if not problems:
                                new = {"seen": dumps(leaves), "mapping": mapping.digest, "kind": kind}
                                tx.execute(update(record).where(*here, record.c.id == row.id).values(**new))
                    if not rows:
                        break
                    last = rows[-1].id
                    count += len(rows)
                    task.advance(len(rows))
    return count
