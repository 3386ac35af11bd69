"""The records of a fake organisation, and what Salesforce makes of them by itself: stamps, names, stages, roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from aios_connect.sandbox import SimClock
from aios_connect_salesforce._ids import full_id

from ._fields import STAGES, Table

__all__ = ["Records", "derived"]

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FIRST: Final = 62 * 62 * 11 + 13
"""Ids begin here, so that among a few dozen of them some differ by the case of a letter only."""


class Records:
    """All records of one object, those in the bin included.

    Args:
        clock: The organisation's time.
        table: The object.
        user: Who is running: the id of a user.
    """

    def __init__(self, clock: SimClock, table: Table, user: str) -> None:
        self.table = table
        self._clock = clock
        self._user = user
        self._count = _FIRST
        self._all: dict[str, dict[str, Any]] = {}
        self._unique: dict[tuple[str, str], str] = {}
        self._log: list[tuple[str, datetime]] = []
        self._known: list[str] = []
        self._empty: dict[str, Any] = {}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The living ones, in the order of their ids."""
        return (row for row in self._all.values() if not row.get("IsDeleted"))

    def all(self) -> Iterator[dict[str, Any]]:
        """All of them, those in the bin included."""
        return iter(self._all.values())

    def get(self, id: str) -> dict[str, Any] | None:
        """The living one with an id of 15 or 18 characters; case matters in the first 15."""
        row = self._all.get(full_id(id))
        return None if row is None or row.get("IsDeleted") else row

    def any(self, id: str) -> dict[str, Any] | None:
        """The same, in the bin or not."""
        return self._all.get(full_id(id))

    def by(self, field: str, value: str) -> dict[str, Any] | None:
        """The living one with a unique value."""
        id = self._unique.get((field, value))
        return None if id is None else self.get(id)

    def create(self, values: Mapping[str, Any], *, by: str = "") -> dict[str, Any]:
        """Make a record."""
        self._count += 1
        at, who = self._now(), by or self._user
        row = self._new()
        row |= {"Id": self._id(self._count), "CreatedDate": at, "CreatedById": who}
        if "OwnerId" in row:
            row["OwnerId"] = self._user
        self._all[row["Id"]] = row
        self._put(row, values, who)
        return row

    def _new(self) -> dict[str, Any]:
        """A row in which nothing was filled in."""
        fields = self.table.fields
        if [*fields] != self._known:
            self._known = [*fields]
            kept = {name: field for name, field in fields.items() if field.type != "address"}
            self._empty = {name: False if field.type == "boolean" else None for name, field in kept.items()}
        return dict(self._empty)

    def change(self, id: str, values: Mapping[str, Any], *, by: str = "") -> dict[str, Any]:
        """Change some fields of a living record."""
        row = self._must(id)
        self._put(row, values, by or self._user)
        return row

    def remove(self, id: str, *, survivor: str = "", by: str = "") -> None:
        """Put a living record into the bin, where a query for all finds it; merged into another, if one is named."""
        row = self._must(id)
        for name in [name for name, field in self.table.fields.items() if field.external]:
            self._unique.pop((name, str(row.get(name))), None)
        self._put(row, {"IsDeleted": True, **({"MasterRecordId": survivor} if survivor else {})}, by or self._user)
        self._log.append((row["Id"], self._now()))

    def erase(self, id: str) -> None:
        """Delete a living record for good: it is in no bin, and no query finds it."""
        row = self._must(id)
        del self._all[row["Id"]]
        self._log.append((row["Id"], self._now()))

    def empty_bin(self) -> None:
        """Delete for good what is in the bin: no query finds it, and the log of deletes still has it."""
        self._all = {id: row for id, row in self._all.items() if not row.get("IsDeleted")}

    def deletes(self, start: datetime, end: datetime) -> list[tuple[str, datetime]]:
        """What was deleted when, restored or not, in the bin or not."""
        return [(id, at) for id, at in self._log if start <= at < end]

    def restore(self, id: str) -> None:
        """A person takes a record out of the bin; that it counts as a change is assumed."""
        self._put(self._all[full_id(id)], {"IsDeleted": False, "MasterRecordId": None}, self._user)

    def rows_of(self, id: str) -> dict[str, Any]:
        """A living record, to be changed without a stamp: what Salesforce works out from other records."""
        return self._must(id)

    def kept(self) -> tuple[dict[str, dict[str, Any]], dict[tuple[str, str], str]]:
        """All of it as it is now, to be put back."""
        return {id: dict(row) for id, row in self._all.items()}, dict(self._unique)

    def put_back(self, held: tuple[dict[str, dict[str, Any]], dict[tuple[str, str], str]]) -> None:
        """All of it as it was."""
        self._all, self._unique = held

    def _must(self, id: str) -> dict[str, Any]:
        row = self.get(id)
        if row is None:
            raise KeyError(id)
        return row

    def _put(self, row: dict[str, Any], values: Mapping[str, Any], by: str) -> None:
        at = self._now()
        for name, value in values.items():
            field = self.table.fields.get(name)
            if field is not None and field.external:
                self._unique.pop((name, str(row.get(name))), None)
                if value is not None:
                    self._unique[name, str(value)] = row["Id"]
            row[name] = full_id(value) if field is not None and field.type == "reference" and isinstance(value, str) else value
        stamps = {"LastModifiedDate": at, "LastModifiedById": by, "SystemModstamp": at}
        row |= {name: value for name, value in stamps.items() if name in self.table.fields}
        row |= derived(self.table.name, row, values)

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def _id(self, number: int) -> str:
        text = ""
        while number:
            number, digit = divmod(number, 62)
            text = _DIGITS[digit] + text
        return full_id(f"{self.table.prefix}5j{text.rjust(10, '0')}")


def derived(object: str, row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What Salesforce works out by itself.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm,
    sforce_api_objects_task.htm, sforce_api_objects_event.htm, sforce_api_objects_contact.htm
    """
    told: dict[str, Any] = {}
    if object in ("Contact", "Lead", "User"):
        told["Name"] = " ".join(str(row[part]) for part in ("FirstName", "LastName") if row.get(part))
    if object == "Lead" and not row.get("Status"):
        told["Status"] = "Open - Not Contacted"
    if object == "Opportunity":
        told |= _stage(row, values)
    if object == "Task":
        told |= {"Status": row.get("Status") or "Not Started", "Priority": row.get("Priority") or "Normal"}
        told |= {"IsClosed": told["Status"] == "Completed", "IsHighPriority": told["Priority"] == "High"}
        told["TaskSubtype"] = row.get("TaskSubtype") or "Task"
    if object == "Event":
        told |= _times(row, values)
    return told


def _stage(row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    chance, category, closed, won = STAGES.get(str(row.get("StageName")), (0, "Pipeline", False, False))
    told: dict[str, Any] = {"IsClosed": closed, "IsWon": won}
    if "StageName" in values:
        told |= {"Probability": values.get("Probability", Decimal(chance)), "ForecastCategoryName": category}
    if row.get("Amount") is not None:
        percent = told.get("Probability", row.get("Probability")) or Decimal(0)
        told["ExpectedRevenue"] = Decimal(str(row["Amount"])) * Decimal(str(percent)) / 100
    else:
        told["ExpectedRevenue"] = None
    return told


def _times(row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    start = values.get("StartDateTime") or values.get("ActivityDateTime") or row.get("StartDateTime")
    if start is None:
        return {}
    minutes = values.get("DurationInMinutes")
    end = values.get("EndDateTime") or (None if minutes is None else start + timedelta(minutes=int(minutes)))
    end = end or row.get("EndDateTime") or start + timedelta(hours=1)
    return {
        "StartDateTime": start,
        "ActivityDateTime": start,
        "EndDateTime": end,
        "ActivityDate": start.date().isoformat(),
        "EndDate": end.date().isoformat(),
        "DurationInMinutes": int((end - start).total_seconds() // 60),
        "ShowAs": row.get("ShowAs") or "Busy",
    }
