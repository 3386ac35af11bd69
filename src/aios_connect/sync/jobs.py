"""A job: which connections are kept in step, which kinds, and who has the last word where.

A job is one YAML file in ``sync/jobs/``::

    job: sheet-and-crm
    connections: [sheet, crm]
    kinds:
      user: {}
      company: {create: [crm, sheet]}
      person: {create: [crm], authority: {default: crm, "phones.*": sheet}}
      deal: {create: [crm], authority: {stage: only crm}, deletes: ask}
    caps: {creates: 200, updates: 1000, deletes: 10, share: 40}
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from aios_connect.errors import ConfigError
from aios_connect.mappings.documents import read_document

__all__ = ["KIND_ORDER", "Authority", "Caps", "Job", "KindRule", "load_job"]

KIND_ORDER = ("user", "company", "person", "deal", "intake", "activity", "task", "event")
"""Parents before children: the order in which kinds are matched, planned and written."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Caps(_Closed):
    """What a run may do at most. A plan over a cap is shown, but apply refuses it.

    Attributes:
        creates: New records, all connections together.
        updates: Changed records.
        deletes: Deleted records.
        share: Percent of the known records of one connection and kind that may change in one run (from 20 records on).
    """

    creates: Annotated[int, Field(ge=0)] = 500
    updates: Annotated[int, Field(ge=0)] = 2000
    deletes: Annotated[int, Field(ge=0)] = 10
    share: Annotated[int, Field(ge=0, le=100)] = 100


class KindRule(_Closed):
    """How one kind is kept in step.

    Attributes:
        between: Connections that take part; all of the job's that have a mapping for the kind, if not given.
        create: Where a record that is missing may be made. Nowhere, if not given.
        write: Where existing records may be changed; everywhere the mapping can write, if not given.
        authority: Leaf (or pattern) -> who wins when two sides changed it: a connection, ``only <connection>`` (changes made
            elsewhere are put back), or ``ask`` (an exception with both values). ``default`` stands for all others.
        skip: Leaves (or patterns) that are left alone.
        match: Leaves whose equal value means the same record, besides the built-in evidence.
        deletes: A record deleted on one side: ``ask`` (an exception), ``follow`` (delete it elsewhere too) or ``ignore``.
    """

    between: tuple[str, ...] | None = None
    create: tuple[str, ...] = ()
    write: tuple[str, ...] | None = None
    authority: dict[str, str] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    deletes: Literal["ask", "follow", "ignore"] = "ask"

    @cached_property
    def who_decides(self) -> Callable[[str], Authority]:
        """Leaf -> its declared authority: exact name first, then the longest pattern, then ``default``, then ``ask``."""

        @cache
        def declared(leaf: str) -> Authority:
            text = self.authority.get(leaf)
            if text is None:
                patterns = [p for p in self.authority if p != "default" and fnmatchcase(leaf, p)]
                text = self.authority[max(patterns, key=len)] if patterns else self.authority.get("default", "ask")
            return Authority.parse(text)

        return declared

    @cached_property
    def leaves_alone(self) -> Callable[[str], bool]:
        """Leaf -> true if this job does not touch it."""
        return cache(lambda leaf: any(fnmatchcase(leaf, pattern) for pattern in self.skip))


class Authority(_Closed):
    """Who has the last word on a leaf.

    Attributes:
        connection: The connection that wins an overlap; empty for ``ask``.
        only: Changes made anywhere else are put back, overlap or not.
    """

    connection: str = ""
    only: bool = False

    @classmethod
    def parse(cls, text: str) -> Authority:
        """Read ``crm``, ``only crm`` or ``ask``."""
        word, _, rest = text.strip().partition(" ")
        if word == "only" and rest.strip():
            return cls(connection=rest.strip(), only=True)
        return cls() if word == "ask" else cls(connection=word)


class Job(_Closed):
    """One job file.

    Attributes:
        job: The name, equal to the file's.
        title: One line for people.
        connections: The connections it keeps in step; the order decides who is read first and who founds a record.
        kinds: Rule per kind.
        caps: Limits of one run.
    """

    job: str
    title: str = ""
    connections: Annotated[tuple[str, ...], Field(min_length=1)]
    kinds: dict[str, KindRule]
    caps: Caps = Caps()

    def ordered_kinds(self) -> list[str]:
        """The job's kinds, parents first."""
        return [kind for kind in KIND_ORDER if kind in self.kinds]

    @property
    def digest(self) -> str:
        """Changes whenever the job's meaning does."""
        return sha256(msgspec.json.encode(self.model_dump(mode="json"), order="sorted")).hexdigest()[:16]


def load_job(path: Path) -> Job:
    """Read and check one job file.

    Raises:
        ConfigError: With file, line, column and the way out.
    """
    job = read_document(path, Job)
    _check(job, path)
    return job


def _check(job: Job, path: Path) -> None:
    def wrong(message: str, hint: str) -> ConfigError:
        return ConfigError(message, hint=hint, file=str(path))

    if job.job != path.stem:
        raise wrong(f"the job is called {job.job!r} but its file {path.name!r}", f"rename the file to {job.job}.yaml")
    for kind, rule in job.kinds.items():
        if kind not in KIND_ORDER:
            raise wrong(f"kinds.{kind}: there is no such kind", f"the kinds are {', '.join(KIND_ORDER)}")
        named = {*(rule.between or ()), *rule.create, *(rule.write or ())}
        named |= {who for who in (Authority.parse(text).connection for text in rule.authority.values()) if who}
        for name in sorted(named - set(job.connections)):
            raise wrong(
                f"kinds.{kind}: {name!r} is not one of the job's connections",
                f"use one of {', '.join(job.connections)}, or add it to connections",
            )
