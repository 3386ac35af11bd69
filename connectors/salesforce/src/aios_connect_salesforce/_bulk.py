"""Reading a big object for the first time: by one job instead of many pages (Bulk API 2.0).

A job is made, waited for, and its results fetched, many rows a call; they are kept for seven days, and its locators do not change, so
that whoever is killed goes on where it was
(https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm).
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aios_connect.connectors import (
    AuthError,
    Context,
    CursorGoneError,
    NotFoundError,
    Page,
    Progress,
    ProviderError,
    Raw,
    RejectedError,
    TruncatedError,
    instant,
)

from ._schema import Schemas
from ._shape import shaped
from ._wire import Rows, Wire

__all__ = ["Bulk", "Job"]

_log = logging.getLogger("aios_connect.salesforce")

_RESULTS: Final = 10_000
"""Rows in one answer. There may be more in it, and an answer of long texts would be too large then."""

_PAGE: Final = 2000
_POLLS: Final = 5
_FIRST_WAIT: Final = 5.0
_LONGEST_WAIT: Final = 60.0
_PATIENCE: Final = 1800.0
"""Seconds after which a job is given up: it may stand in a queue for hours."""


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job was read, as a cursor holds it.

    Attributes:
        job: Its id.
        of: Rows it has, once it is done; before -1.
        locator: Of the answer to be fetched; empty for the first one.
        skip: Rows of that answer that were read.
        got: Rows of the answers before it.
    """

    job: str
    of: int = -1
    locator: str = ""
    skip: int = 0
    got: int = 0


class Bulk:
    """Reads by jobs.

    Args:
        wire: The way to Salesforce.
        schemas: What it says of its fields.
        context: Of the connection: how to wait.
    """

    def __init__(self, wire: Wire, schemas: Schemas, context: Context) -> None:
        self._wire = wire
        self._schemas = schemas
        self._sleep = context.sleep

    def pays(self, first: Rows) -> bool:
        """A job costs at most half of the calls that the pages behind the first one would."""
        if not first.following or not first.rows:
            return False
        left = -(-(first.total - len(first.rows)) // len(first.rows))
        return left >= 2 * (1 + _POLLS + -(-first.total // _RESULTS))

    def begin(self, object: str, where: str) -> Job | None:
        """Have a job made; none, where that is refused. One that is made twice is read once, and the other forgotten."""
        soql = f"SELECT {','.join(self._schemas.names(object))} FROM {object} WHERE {where}"
        try:
            made = self._wire.ask("jobs/query", object, {"operation": "queryAll", "query": soql})
        except (AuthError, NotFoundError, RejectedError) as refused:
            if refused.status == 401:
                raise
            _log.info("salesforce makes no job for %s, it is read page by page: %s", object, refused.message)
            return None
        id = made.get("id") if isinstance(made, dict) else None
        return Job(id) if isinstance(id, str) and id.isalnum() else None

    def read(
        self, object: str, job: Job, cursor: Callable[[Job | None], Mapping[str, Any]], *, fresh: bool
    ) -> Generator[Page, None, bool]:
        """The pages of a job. Gives whether they were all of it: a job that fails, or takes too long, is left to be read otherwise.

        Args:
            object: The object.
            job: How far it was read.
            cursor: Makes the cursor behind a page; of ``None`` the one behind the last.
            fresh: It was made just now.

        Raises:
            CursorGoneError: Salesforce has forgotten the job.
        """
        try:
            if job.of < 0:
                job = yield from self._wait(object, job, cursor, fresh)
            return (yield from self._results(object, job, cursor))
        except NotFoundError as error:
            raise CursorGoneError(
                f"salesforce has forgotten a job that read {object}: {error.message}", provider="salesforce", object=object
            ) from error
        except (RejectedError, _UnfitError) as error:
            _log.warning("%s is read page by page: %s", object, error.message)
            return False

    def _wait(
        self, object: str, job: Job, cursor: Callable[[Job | None], Mapping[str, Any]], fresh: bool
    ) -> Generator[Page, None, Job]:
        """Until it is done; an empty page after each look says that somebody is there."""
        wait, waited, look = _FIRST_WAIT, 0.0, not fresh
        while True:
            answer = self._wire.get(f"jobs/query/{job.job}", object) if look else {"state": "UploadComplete"}
            told = answer if isinstance(answer, dict) else {}
            state = told.get("state")
            if state == "JobComplete":
                return replace(job, of=int(told.get("numberRecordsProcessed") or 0))
            if state not in ("UploadComplete", "InProgress"):
                raise _UnfitError(f"salesforce's job {job.job} is {state}: {told.get('errorMessage') or 'it does not say why'}")
            if waited >= _PATIENCE:
                self._abort(object, job)
                raise _UnfitError(f"salesforce's job {job.job} was not done after {waited / 60:.0f} minutes")
            yield Page((), cursor(job), False)
            self._sleep(wait)
            waited, wait, look = waited + wait, min(2 * wait, _LONGEST_WAIT), True

    def _results(self, object: str, job: Job, cursor: Callable[[Job | None], Mapping[str, Any]]) -> Generator[Page, None, bool]:
        progress = Progress("salesforce", object)
        while True:
            progress.to(job.locator)
            rows, following = self._fetched(object, job)
            got = job.got + len(rows)
            if not following and got < job.of:
                raise _UnfitError(f"salesforce's job {job.job} has {job.of} rows and gave {got}")
            starts = range(job.skip, len(rows), _PAGE) or range(job.skip, job.skip + 1)
            for at in starts:
                last = at + _PAGE >= len(rows)
                job = replace(job, locator=following, skip=0, got=got) if last else replace(job, skip=at + _PAGE)
                complete = last and not following
                yield Page(rows[at : at + _PAGE], cursor(None if complete else job), complete, total=job.of)
            if not following:
                return True

    def _fetched(self, object: str, job: Job) -> tuple[list[Raw], str]:
        """One answer, asked for once more if it is cut off."""
        try:
            return self._fetch(object, job)
        except TruncatedError as error:
            _log.info("%s", error.message)
        try:
            return self._fetch(object, job)
        except TruncatedError as error:
            raise _UnfitError(error.message) from error

    def _fetch(self, object: str, job: Job) -> tuple[list[Raw], str]:
        """The records of one answer, and the locator of the next one."""
        params = {"maxRecords": str(_RESULTS), **({"locator": job.locator} if job.locator else {})}
        response = self._wire.fetch(f"jobs/query/{job.job}/results", object, **params)
        following, count = (response.headers.get(f"sforce-{name}", "") for name in ("locator", "numberofrecords"))
        try:
            lines = list(csv.reader(io.StringIO(response.text, newline=""), strict=True))
        except csv.Error as error:
            raise TruncatedError(f"salesforce's rows end in the middle: {error}", provider="salesforce", object=object) from None
        names = lines[0] if lines else []
        if sorted(names) != sorted(self._schemas.names(object)):
            raise _UnfitError(f"the rows of salesforce's job {job.job} do not begin with the names of their fields")
        if not following or count != str(len(lines) - 1) or any(len(line) != len(names) for line in lines):
            raise TruncatedError(
                f"salesforce announced {count or 'no number of'} rows and sent {len(lines) - 1}",
                provider="salesforce",
                object=object,
            )
        fields = self._schemas.fields(object)
        kinds = [str(fields[name].get("type")) for name in names]
        rows = [shaped(self._schemas, object, dict(zip(names, map(_read, kinds, line), strict=True))) for line in lines[1:]]
        return rows, "" if following == "null" else following

    def _abort(self, object: str, job: Job) -> None:
        try:
            self._wire.change(f"jobs/query/{job.job}", object, {"state": "Aborted"})
        except ProviderError as error:
            _log.info("salesforce's job %s goes on: %s", job.job, error.message)


class _UnfitError(Exception):
    """A job that cannot be read."""

    @property
    def message(self) -> str:
        return str(self)


def _read(kind: str, text: str) -> Any:
    """A value as a query gives it: rows of a job are texts, and nothing is an empty one."""
    if text == "":
        return None
    if kind == "boolean":
        return text.casefold() == "true"
    try:
        if kind in ("int", "long"):
            return int(text.removesuffix(".0"))  # 0.0 comes for nought: estuary/connectors#2820
        if kind == "datetime":
            return instant(text).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    except ValueError:
        raise _UnfitError(f"salesforce wrote {text[:40]!r} for a value of the type {kind}") from None
    return text
