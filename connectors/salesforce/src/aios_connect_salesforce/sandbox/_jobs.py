"""Query jobs of a fake organisation: Bulk API 2.0, for reading only."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from aios_connect.sandbox import Answer, Call, RefusedError, route
from aios_connect_salesforce._ids import full_id

from ._checks import shown
from ._composite import Composite
from ._deeds import body_of
from ._fields import Field
from ._organisation import encoded
from ._soql import Query, error, parse

__all__ = ["Jobs"]

_KEPT: Final = timedelta(days=7)


@dataclass(slots=True)
class _Job:
    """One query job.

    Attributes:
        id: Its id.
        query: What was asked.
        operation: ``query`` or ``queryAll``.
        ids: What was found.
        at: When it was made.
        state: How it ended; empty while it runs.
    """

    id: str
    query: Query
    operation: str
    ids: Sequence[str]
    at: datetime
    state: str = ""


class Jobs(Composite):
    """One fake organisation that reads by jobs.

    https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm

    Attributes:
        jobs: By id.
        fate: How a job ends: ``JobComplete`` or ``Failed``.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.jobs: dict[str, _Job] = {}
        self.fate = "JobComplete"

    @route("POST", "/services/data/{version}/jobs/query/?")
    def make_job(self, call: Call, version: str) -> Any:
        self.enter(call)
        if "jobs" in self.forbidden:
            raise RefusedError(403, error("FUNCTIONALITY_NOT_ENABLED", "Bulk API is not enabled"))
        asked = body_of(call)
        query = parse(asked["query"], self.tables)
        self.may("read", query.object)
        addresses = [one for one in query.fields if one in self.tables[query.object].fields]
        if query.count or query.offset or any(self.tables[query.object].fields[one].type == "address" for one in addresses):
            raise RefusedError(400, error("API_ERROR", "Selecting compound data or counting is not supported in Bulk Query"))
        deleted = asked["operation"] == "queryAll"
        found = [
            row["Id"] for row in self.records[query.object].all() if (deleted or not row.get("IsDeleted")) and query.test(row)
        ]
        id = full_id(f"750R{len(self.jobs) + 1:011d}")
        self.jobs[id] = _Job(id, query, asked["operation"], found, self.clock.now())
        return encoded(self._told(self.jobs[id], version))

    @route("GET", "/services/data/{version}/jobs/query/{id}")
    def job(self, call: Call, version: str, id: str) -> Any:
        self.enter(call)
        job = self._job(id)
        done = self._state(job) == "JobComplete"
        told = self._told(job, version) | {"retries": 0, "totalProcessingTime": 1000}
        told["numberRecordsProcessed"] = len(job.ids) if done else 0
        return encoded(told if self._state(job) != "Failed" else {**told, "errorMessage": "QUERY_TIMEOUT"})

    @route("PATCH", "/services/data/{version}/jobs/query/{id}")
    def abort_job(self, call: Call, version: str, id: str) -> Any:
        self.enter(call)
        job = self._job(id)
        job.state = "Aborted"
        return encoded(self._told(job, version))

    @route("GET", "/services/data/{version}/jobs/query/{id}/results")
    def results(self, call: Call, version: str, id: str) -> Any:
        self.enter(call)
        job = self._job(id)
        if self._state(job) != "JobComplete":
            raise RefusedError(400, error("INVALIDJOBSTATE", f"The job is {self._state(job)}"))
        start = int(call.query.get("locator") or 0)
        size = min(int(call.query.get("maxRecords") or self.hazards.results), self.hazards.results)
        end = min(start + size, len(job.ids))
        fields, records = self.tables[job.query.object].fields, self.records[job.query.object]
        text = io.StringIO(newline="")
        rows = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        rows.writerow(job.query.fields)
        known = [row for one in job.ids[start:end] if (row := records.any(one)) is not None]
        for row in known:
            rows.writerow([_text(fields[name], row.get(name)) for name in job.query.fields])
        headers = {
            "content-type": "text/csv;charset=UTF-8",
            "sforce-numberofrecords": str(len(known)),
            "sforce-locator": str(end) if end < len(job.ids) else "null",
        }
        return Answer(200, text.getvalue().encode(), headers)

    def _job(self, id: str) -> _Job:
        job = self.jobs.get(id)
        if job is None or self.clock.now() - job.at > _KEPT:
            raise RefusedError(404, error("NOT_FOUND", "The requested resource does not exist"))
        return job

    def _state(self, job: _Job) -> str:
        ran = (self.clock.now() - job.at).total_seconds()
        if job.state or ran < self.hazards.job:
            return job.state or ("InProgress" if ran > self.hazards.job / 2 else "UploadComplete")
        return self.fate

    def _told(self, job: _Job, version: str) -> dict[str, Any]:
        at = job.at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        return {
            "id": job.id,
            "operation": job.operation,
            "object": job.query.object,
            "createdById": self.user,
            "createdDate": at,
            "systemModstamp": at,
            "state": self._state(job),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": Decimal(version.removeprefix("v")),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }


def _text(field: Field, value: Any) -> str:
    """A value among the rows of a job: nothing is an empty text, nought has a fraction, and instants are in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{str(shown(field, value)).removesuffix('+0000')}Z"
    return "0.0" if field.type == "int" and not value else str(shown(field, value))
