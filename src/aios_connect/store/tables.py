"""Every table of the store, and the two column types they need.

All names begin with ``aios_``, so that a durable engine's own tables can live in the same database. JSON is kept as text in
canonical form (written by one encoder, keys in the mapping's order), so that equal text means equal content.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "Instant",
    "budget",
    "cursor",
    "effect",
    "entity",
    "exception",
    "job_state",
    "journal",
    "key",
    "lease",
    "metadata",
    "quarantine",
    "record",
    "run",
    "scan",
    "token",
]


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC. SQLite keeps no time zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants; convert to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored as an instant: {value.isoformat()}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={"ix": "ix_%(column_0_N_label)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


# One vendor record as last read. With `linked`, `entity` is a link; without, a proposal that a plan shows first.
record = Table(
    "aios_record",
    metadata,
    Column("connection", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("entity", String(40)),
    Column("linked", Boolean, nullable=False, default=False),
    Column("evidence", Text),  # why it is linked, for a person
    _text("raw"),  # the vendor's record as JSON
    _text("seen"),  # its leaves as last read
    Column("base", Text),  # its leaves as last agreed; null until the first settlement
    Column("given", Integer),  # the entity version it agrees with; null until settled
    _text("version"),  # the vendor's version token, "" if none
    Column("modified", Instant),
    Column("gone", String(10)),  # deleted | archived | merged | absent
    Column("survivor", String(255)),
    Column("absences", Integer, nullable=False, default=0),  # complete scans in a row that did not have it
    _text("mapping"),  # digest of the mapping that made `seen`
    _text("read_run"),
)
Index("ix_aios_record_entity", record.c.entity)
Index("ix_aios_record_unlinked", record.c.kind, record.c.linked)

# The company's own view of one person, company, deal or user.
entity = Table(
    "aios_entity",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    _text("leaves"),
    _text("provenance"),  # {leaf: {origin, at, rule, run}}
    Column("version", Integer, nullable=False, default=1),
    Column("proposed", Boolean, nullable=False, default=False),
    Column("gone", String(10)),
)
Index("ix_aios_entity_kind", entity.c.kind, entity.c.id)

# What finds an entity: "email:ada@example.com", "phone:+15550100", "name:acme roofing", "domain:acme.example".
key = Table(
    "aios_key",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("key", String(300), primary_key=True),
    Column("entity", String(40), primary_key=True),
)
Index("ix_aios_key_entity", key.c.entity)

cursor = Table(
    "aios_cursor",
    metadata,
    Column("connection", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    _text("position"),  # the connector's cursor as JSON; "{}" is the beginning
    Column("full", Boolean, nullable=False, default=True),  # the read under way began at the beginning
    _text("run"),  # the run that the read under way belongs to
    Column("read", Integer, nullable=False, default=0),
    Column("finished_at", Instant),  # when a read last reached its positive end; null while one is under way
)

quarantine = Table(
    "aios_quarantine",
    metadata,
    Column("connection", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("place", String(300), primary_key=True),
    Column("id", String(255)),
    _text("reason"),
    _text("raw"),
    _text("run"),
    Column("at", Instant, nullable=False),
)

# The listing of one scan (ids and versions), for deletes by absence and for reconcile.
scan = Table(
    "aios_scan",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("connection", String(100), primary_key=True),
    Column("object", String(100), primary_key=True),
    Column("id", String(255), primary_key=True),
    _text("version"),
)

run = Table(
    "aios_run",
    metadata,
    Column("id", String(40), primary_key=True),
    _text("job"),
    Column("kind", String(20), nullable=False),  # read | plan | apply | undo | reconcile
    Column("plan", String(40)),
    Column("state", String(20), nullable=False),  # running | done | stopped | failed
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    _text("counts"),
    Column("error", Text),
)
Index("ix_aios_run_started_at", run.c.started_at)

# What a job knows between runs: the config it was activated with, the last plan.
job_state = Table(
    "aios_job",
    metadata,
    Column("name", String(100), primary_key=True),
    _text("state"),
)

# One plan line on its way to a vendor: intended -> settled. An intended row found on resume is looked up, never resent blindly.
effect = Table(
    "aios_effect",
    metadata,
    Column("plan", String(40), primary_key=True),
    Column("line", String(60), primary_key=True),
    Column("run", String(40), nullable=False),
    Column("state", String(12), nullable=False),  # intended | settled
    Column("outcome", String(12)),  # written | unchanged | conflict | rejected | ambiguous | skipped
    Column("id", String(255)),
    Column("reason", Text),
    Column("at", Instant, nullable=False),
    Column("connection", String(100)),
    Column("object", String(100)),
    Column("entity", String(40)),
    Column("sent", Text),  # of a create with our key: the leaves it says; of an update: the names of its leaves
    Column("over", Text),  # of an update: the record's version when it was sent
)
Index("ix_aios_effect_run", effect.c.run)
Index("ix_aios_effect_entity", effect.c.entity)

# What was really done, with what was there before. Append-only; `undo` and `why` read it.
journal = Table(
    "aios_journal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("run", String(40), nullable=False),
    Column("plan", String(40), nullable=False),
    Column("line", String(60), nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", String(10), nullable=False),
    Column("connection", String(100), nullable=False),
    Column("object", String(100), nullable=False),
    Column("id", String(255)),
    Column("entity", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    _text("fields"),  # [{leaf, old, new, rule, source, at}]
    _text("before"),  # {"raw", "record", "entity"}: rows as they were
    _text("after"),
    Column("undone_by", String(40)),
    UniqueConstraint("plan", "line"),
)
Index("ix_aios_journal_run", journal.c.run)
Index("ix_aios_journal_entity", journal.c.entity)

# What needs a person.
exception = Table(
    "aios_exception",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("job", String(100), nullable=False),
    Column(
        "code", String(40), nullable=False
    ),  # conflict | duplicate_review | deleted_elsewhere | rejected | ambiguous | unresolved_reference | echo_loop
    Column("severity", String(10), nullable=False),
    Column("entity", String(40)),
    Column("leaf", String(200)),
    _text("summary"),
    _text("choices"),  # JSON: what each side says
    Column("state", String(12), nullable=False),  # open | settled | dismissed | closed
    Column("dedupe", String(300), nullable=False, unique=True),
    Column("occurrences", Integer, nullable=False, default=1),
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("resolution", Text),
    Column("resolved_by", String(200)),
    Column("resolved_at", Instant),
)
Index("ix_aios_exception_state", exception.c.state)
Index("ix_aios_exception_entity", exception.c.entity)

lease = Table(
    "aios_lease",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("since", Float, nullable=False),  # seconds since the epoch, as is `until`
    Column("until", Float, nullable=False),
)

token = Table(
    "aios_token",
    metadata,
    Column("connection", String(100), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", String(20), nullable=False),
    Column("expires_at", Float),
    Column("version", Integer, nullable=False, default=1),
    Column("lease_until", Float, nullable=False, default=0.0),
    Column("lease_by", String(100), nullable=False, default=""),
)

# Calls per account, scope and slot of time: what a shared budget counts.
budget = Table(
    "aios_budget",
    metadata,
    Column("account", String(200), primary_key=True),
    Column("scope", String(60), primary_key=True),
    Column("window", Float, primary_key=True),
    _text("state"),  # JSON, written under compare-and-swap on `version`
    Column("version", Integer, nullable=False, default=1),
)
