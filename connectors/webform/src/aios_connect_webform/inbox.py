"""The inbox: everything that came in, as it came, on the disk before its sender is told so.

One SQLite file, written by any number of threads and processes. A *delivery* is a request as received and never changes. A *record* is
what deliveries of one subject amount to; it has a number that grows with every change, by which it is read. Writers come one after the
other, so a number that is seen is never followed by a smaller one.

Who names himself in a delivery by an address is a record, too: what the first delivery with that address says of him.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import tenacity

from aios_connect.connectors import ConflictError, UnavailableError

__all__ = ["PEOPLE", "Arrival", "Delivery", "Entry", "Inbox", "Kept"]

_SCHEMA: Final = """
create table if not exists inbox (id text not null);
create table if not exists delivery (
    number integer primary key autoincrement,
    subject text not null,
    via text not null,
    received text not null,
    kept text not null,
    key text,
    digest text not null,
    aside text not null,
    trust text not null,
    headers text not null,
    body blob not null,
    unique (key, trust)
);
create index if not exists delivery_subject on delivery (subject);
create index if not exists delivery_digest on delivery (digest, received);
create table if not exists record (
    object text not null,
    id text not null,
    changed integer not null,
    at text not null,
    times integer not null,
    gone integer not null default 0,
    survivor text,
    primary key (object, id)
);
create index if not exists record_changed on record (object, changed);
create index if not exists record_number on record (changed);
create table if not exists alias (id text primary key, subject text not null);
create table if not exists person (id text not null, number integer not null, primary key (id, number)) without rowid;
create index if not exists person_number on person (number);
"""
_VERSION: Final = 2
"""Of the layout."""
PEOPLE: Final = "people"
"""The object that shows whoever is named by an address."""
_GOOD: Final = f"not gone and (object = '{PEOPLE}' or exists (select 1 from delivery where subject = record.id and aside = ''))"
_NAMING: Final = "person join delivery using (number) where aside = ''"
_FACTS: Final = "number, via, received, kept, key, trust, headers, body, aside"
_WAIT: Final = 10.0
"""Seconds to wait for another writer."""
_AGAIN: Final = tenacity.Retrying(
    retry=tenacity.retry_if_exception(lambda error: getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY),
    wait=tenacity.wait_random_exponential(0.01, max=0.25),
    stop=tenacity.stop_after_delay(_WAIT),
    reraise=True,
)
"""For what SQLite refuses at once while others hold the file: of two who make the log of a new one, one would wait for ever."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that is to be kept.

    Attributes:
        via: Slug of the source.
        received: When it came, UTC.
        headers: Those worth keeping, by lower-cased name.
        body: The raw bytes.
        objects: Where it shows.
        subject: Whom or what it is about, in the sender's words: every arrival of one subject belongs to one record. Empty for one that
            stands for itself.
        follows: The subject that this one goes on under another name, if any.
        key: The same for every delivery of one event; empty if the sender gives none.
        strict: The key is the sender's promise that the content is the same.
        digest: The same for the same content.
        person: The address by which somebody names himself in it; empty if nobody does.
        within: Seconds in which the same content is taken for the same event, where there is no key.
        trust: ``verified`` or ``unverified``.
        aside: Why it is kept aside; empty if it is not.
    """

    via: str
    received: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    objects: Sequence[str]
    digest: str
    person: str = ""
    subject: str = ""
    follows: str = ""
    key: str = ""
    strict: bool = False
    within: float = 0.0
    trust: str = "unverified"
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an arrival.

    Attributes:
        id: The record it belongs to.
        objects: Where the record shows.
        key: Of the event, if it has one.
        again: It had been here before.
    """

    id: str
    objects: Sequence[str]
    key: str
    again: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it was kept; see :class:`Arrival`."""

    number: int
    via: str
    received: str
    kept: str
    key: str
    trust: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, and all that was delivered for it.

    Attributes:
        id: The record's id.
        changed: Its number; another one after every change.
        at: When it changed, ISO 8601.
        times: How often something came for it, repeated deliveries included.
        gone: It was erased, or joined with another.
        survivor: The record it was joined with.
        deliveries: What came, the oldest first; what is kept aside only if nothing else is there. Of a person, what first named him.
    """

    id: str
    changed: int
    at: str
    times: int
    gone: bool
    survivor: str | None
    deliveries: Sequence[Delivery]

    @property
    def aside(self) -> str:
        """Why all of it is kept aside; empty if it is not."""
        return self.deliveries[0].aside if self.deliveries else ""


class Inbox:
    """One inbox on this machine. Safe to use from several threads; opens nothing before it is used.

    Args:
        path: The file; it and its folder are made, for this user's eyes only.
        now: The clock.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    @property
    def id(self) -> str:
        """The inbox's own name: another file in its place has another."""
        with self._using() as db:
            return str(db.execute("select id from inbox").fetchone()[0])

    def keep(self, arrival: Arrival) -> Kept:
        """Bring an arrival to the disk, once however often it comes.

        Raises:
            ConflictError: The key came before, with other content.
            UnavailableError: It could not be kept; the sender must send it again.
        """
        now = self._now()
        with self._writing() as db:
            known = self._known(db, arrival)
            if known is not None:
                number, subject, digest, aside = known
                if arrival.strict and arrival.key and digest not in ("", arrival.digest):
                    raise ConflictError(
                        "this Idempotency-Key came before, with another content; what came first is kept",
                        hint="give every enquiry a key of its own, and repeat one only with the very same content",
                        status=409,
                    )
                if aside and not arrival.aside:
                    db.execute("update delivery set aside = '' where number = ?", (number,))
                    self._show_people(db, [number], now)
                return Kept(subject, self._touch(db, subject, (), now), arrival.key, again=True)
            subject = self._subject(db, arrival, now)
            if self._is_gone(db, subject):
                return Kept(subject, (), arrival.key, again=True)  # it was erased, and stays so
            added = db.execute(
                "insert into delivery (subject, via, received, kept, key, digest, aside, trust, headers, body)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    subject,
                    arrival.via,
                    _iso(arrival.received),
                    _iso(now),
                    arrival.key or None,
                    arrival.digest,
                    arrival.aside,
                    arrival.trust,
                    json.dumps(dict(arrival.headers), ensure_ascii=True),
                    arrival.body,
                ),
            ).lastrowid
            if arrival.person:
                db.execute("insert into person values (?, ?)", (self._person(db, arrival.person), added))
            if not arrival.aside:
                self._show_people(db, [added], now)
            return Kept(subject, self._touch(db, subject, arrival.objects, now), arrival.key, again=False)

    def page(self, object: str, after: int, upto: int, size: int) -> list[Entry]:
        """Records with a number above one and not above another, in the order of their numbers."""
        with self._using() as db:
            rows = db.execute(
                "select id, changed, at, times, gone, survivor from record where object = ? and changed > ? and changed <= ?"
                " order by changed limit ?",
                (object, after, upto, size),
            ).fetchall()
            return self._entries(db, object, rows)

    def entries(self, object: str, ids: Sequence[str]) -> list[Entry]:
        """The records with these ids; those that are not there are left out."""
        found: list[Entry] = []
        with self._using() as db:
            for start in range(0, len(ids), 500):
                some = ids[start : start + 500]
                rows = db.execute(
                    f"select id, changed, at, times, gone, survivor from record where object = ? and id in ({_marks(some)})",
                    (object, *some),
                ).fetchall()
                found += self._entries(db, object, rows)
        return found

    def listed(self, object: str) -> list[tuple[str, int]]:
        """Id and number of every record that is there: neither erased nor kept aside."""
        with self._using() as db:
            return db.execute(f"select id, changed from record where object = ? and {_GOOD} order by id", (object,)).fetchall()

    @property
    def top(self) -> int:
        """The greatest number so far."""
        with self._using() as db:
            return int(db.execute("select coalesce(max(changed), 0) from record").fetchone()[0])

    def counted(self) -> dict[str, int]:
        """How much there is: records by object, and what is kept ``aside``."""
        with self._using() as db:
            counts = dict(db.execute(f"select object, count(*) from record where {_GOOD} group by object").fetchall())
            aside = db.execute("select count(*) from delivery where aside <> ''").fetchone()[0]
        return {**counts, "aside": aside}

    def release(self, id: str) -> bool:
        """Take a record that was kept aside for a good one; False if there is none."""
        now = self._now()
        with self._writing() as db:
            kept = db.execute("select number from delivery where subject = ? and aside <> ''", (id,)).fetchall()
            if not kept:
                return False
            db.execute("update delivery set aside = '' where subject = ?", (id,))
            self._show_people(db, [number for (number,) in kept], now)
            self._touch(db, id, (), now, times=0)
            return True

    def erase(self, id: str) -> bool:
        """Forget what was sent for a record, for good; False if it is not there. Of a person: all that names him.

        Its id and the keys of its events stay, so that it does not come back when it is delivered once more.
        """
        now = self._now()
        with self._writing() as db:
            if not db.execute("select 1 from record where id = ? and not gone", (id,)).fetchone():
                return False
            named = db.execute("select distinct subject from person join delivery using (number) where id = ?", (id,)).fetchall()
            for subject in [subject for (subject,) in named] or [id]:
                self._forget(db, subject, now)
        with self._using() as db:
            db.execute("pragma wal_checkpoint(truncate)")
        return True

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _known(self, db: sqlite3.Connection, arrival: Arrival) -> tuple[int, str, str, str] | None:
        """Number, subject, digest and ``aside`` of the same event, if it came before.

        Who is not known cannot use up the key of a program that is. Without a key, what was caught is no precedent for what is not: a
        person who was too fast sends again, and is heard. Nor is what something else was said after: who says "open", "closed" and
        "open" again of one subject means the last.
        """
        found: tuple[int, str, str, str] | None
        if arrival.key:
            found = db.execute(
                "select number, subject, digest, aside from delivery where key = ? and trust = ?", (arrival.key, arrival.trust)
            ).fetchone()
        elif arrival.within:
            since = _iso(arrival.received - timedelta(seconds=arrival.within))
            found = db.execute(
                "select number, subject, digest, aside from delivery as one where digest = ? and received >= ? and key is null"
                " and trust = ? and (aside = '') = ?"
                " and number = (select max(number) from delivery where subject = one.subject) order by number limit 1",
                (arrival.digest, since, arrival.trust, not arrival.aside),
            ).fetchone()
        else:
            found = None
        return found

    def _subject(self, db: sqlite3.Connection, arrival: Arrival, now: datetime) -> str:
        """The record that an arrival belongs to: its own, or that of the subject it follows. One that links two makes them one."""
        if not arrival.subject or arrival.aside:
            return uuid.uuid4().hex
        both = (arrival.subject, arrival.follows)
        known = dict(db.execute("select id, subject from alias where id in (?, ?)", both).fetchall())
        own, before = known.get(arrival.subject), known.get(arrival.follows)
        if own and self._is_gone(db, own):
            return str(own)
        subject = str(before or own or arrival.follows or arrival.subject)
        if own and before and own != before and not self._is_gone(db, before):
            self._join(db, own, before, now)
        db.executemany("insert or ignore into alias values (?, ?)", [(id, subject) for id in both if id])
        return subject

    def _forget(self, db: sqlite3.Connection, subject: str, now: datetime) -> None:
        """Forget what was sent for a subject, and whoever is named in nothing else."""
        its = "number in (select number from delivery where subject = ?)"
        people = [id for (id,) in db.execute(f"select distinct id from person where {its}", (subject,)).fetchall()]
        db.execute(f"delete from person where {its}", (subject,))
        db.execute("update delivery set headers = '{}', body = x'', digest = '' where subject = ?", (subject,))
        left = {id for id in people if db.execute(f"select 1 from {_NAMING} and id = ?", (id,)).fetchone()}
        for id in (subject, *people):
            self._touch(db, id, (), now, times=0)
            if id not in left:
                db.execute("update record set gone = 1 where id = ?", (id,))

    def _person(self, db: sqlite3.Connection, address: str) -> str:
        """The id of who names himself so. It says nothing of the address, as it stays when that is erased."""
        own = db.execute("select id from inbox").fetchone()[0]
        return hashlib.sha256(f"{own} {address}".encode()).hexdigest()[:32]

    def _show_people(self, db: sqlite3.Connection, numbers: Sequence[int | None], now: datetime) -> None:
        """Who is named in these deliveries shows from now on."""
        for number in numbers:
            for (id,) in db.execute("select id from person where number = ?", (number,)).fetchall():
                db.execute("update record set gone = 0 where id = ? and gone", (id,))
                self._touch(db, id, [PEOPLE], now)

    def _is_gone(self, db: sqlite3.Connection, id: str) -> bool:
        return db.execute("select 1 from record where id = ? and gone", (id,)).fetchone() is not None

    def _join(self, db: sqlite3.Connection, one: str, other: str, now: datetime) -> None:
        rows = db.execute("select object, times from record where id = ? and not gone", (one,)).fetchall()
        self._touch(db, one, (), now, times=0)
        db.execute("update record set gone = 1, survivor = ? where id = ? and not gone", (other, one))
        db.execute("update delivery set subject = ? where subject = ?", (other, one))
        db.execute("update alias set subject = ? where subject = ?", (other, one))
        self._touch(db, other, [object for object, _ in rows], now, times=max((times for _, times in rows), default=0))

    def _touch(self, db: sqlite3.Connection, id: str, objects: Sequence[str], now: datetime, times: int = 1) -> list[str]:
        """Give a record its next number, wherever it shows or is to show from now on."""
        number = int(db.execute("select coalesce(max(changed), 0) + 1 from record").fetchone()[0])
        db.execute(
            "update record set changed = ?, at = ?, times = times + ? where id = ? and not gone", (number, _iso(now), times, id)
        )
        counted = db.execute("select coalesce(max(times), ?) from record where id = ?", (times, id)).fetchone()[0]
        db.executemany(
            "insert or ignore into record (object, id, changed, at, times) values (?, ?, ?, ?, ?)",
            [(object, id, number, _iso(now), counted) for object in objects],
        )
        return [str(row[0]) for row in db.execute("select object from record where id = ? and not gone order by object", (id,))]

    def _entries(
        self, db: sqlite3.Connection, object: str, rows: Sequence[tuple[str, int, str, int, int, str | None]]
    ) -> list[Entry]:
        came: dict[str, list[Delivery]] = {row[0]: [] for row in rows}
        what = f"id, {_FACTS} from {_NAMING} and id" if object == PEOPLE else f"subject, {_FACTS} from delivery where subject"
        for of, *facts in db.execute(f"select {what} in ({_marks(list(came))}) order by number", tuple(came)):
            number, via, received, kept, key, trust, headers, body, aside = facts
            came[of].append(Delivery(number, via, received, kept, key or "", trust, json.loads(headers), bytes(body), aside))
        for of, deliveries in came.items():
            good = [delivery for delivery in deliveries if not delivery.aside] or deliveries
            came[of] = good[:1] if object == PEOPLE else good  # what others say in his name later changes nobody
        return [Entry(id, changed, at, times, bool(gone), survivor, came[id]) for id, changed, at, times, gone, survivor in rows]

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._opened is None:
                    self._opened = self._open()
                yield self._opened
            except (sqlite3.Error, OSError) as error:
                raise UnavailableError(
                    f"the inbox {self.path} cannot be used: {error}",
                    hint="nothing was kept of this one: send it again; here, look at the disk, the folder and its permissions",
                    provider="webform",
                    status=503,
                ) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing, and on the disk when it ends."""
        with self._using() as db:
            db.execute("begin immediate")
            try:
                yield db
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise

    def _open(self) -> sqlite3.Connection:
        folder = self.path.parent
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")  # what people send is no part of a repository
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            _AGAIN(db.execute, "pragma journal_mode = wal")
            db.execute("pragma synchronous = full")  # a commit is on the disk, also when the machine stops
            db.execute("pragma secure_delete = on")
            db.execute("begin immediate")
            made = db.execute("pragma user_version").fetchone()[0]
            if made > _VERSION:
                raise sqlite3.DatabaseError(f"it was made by a newer version of aios-connect-webform (layout {made})")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"pragma user_version = {_VERSION}")
            if not db.execute("select 1 from inbox").fetchone():
                db.execute("insert into inbox values (?)", (uuid.uuid4().hex,))
            db.execute("commit")
        except BaseException:
            db.close()
            raise
        return db


def _iso(at: datetime) -> str:
    """Always with six digits, so that instants are in order as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
