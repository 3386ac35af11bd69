"""The contact of an opportunity, which is its primary contact role.

A new opportunity may be given a contact; later the field is read only, and changed by the roles: each opportunity has at most one that
is the primary one, and Salesforce takes the mark from the other
(https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import Change, ProviderError

from ._ids import full_id
from ._reading import Reader
from ._wire import LONGEST, TOGETHER, Part, Wire, in_parts, literal

__all__ = ["CONTACT", "ROLES", "Roles"]

CONTACT: Final = "ContactId"
"""The field of an opportunity."""

ROLES: Final = TOGETHER // 2
"""Lists of opportunities in one call: of each some roles are made and others changed."""

_OBJECT: Final = "OpportunityContactRole"


class Roles:
    """Gives opportunities other contacts.

    Args:
        wire: The way to Salesforce.
        reader: Reads the roles there are.
    """

    def __init__(self, wire: Wire, reader: Reader) -> None:
        self._wire = wire
        self._reader = reader

    def write(self, parts: Sequence[Sequence[tuple[Change, str | None]]]) -> list[list[dict[str, Any]] | ProviderError]:
        """Give each opportunity the contact beside it, or none; the results in the order of the changes, part by part.

        Two calls, if there are no more than :data:`ROLES` parts. A contact that has a role there already keeps it, and becomes the
        primary one. One that is no longer the contact keeps its role.
        """
        held = self._held([full_id(change.id or "") for part in parts for change, _ in part])
        asked: list[Part] = []
        lines: list[list[str]] = []
        whose: list[int] = []
        for number, part in enumerate(parts):
            new, old = _new_and_old(part, held)
            for method, records in (("POST", new), ("PATCH", old)):
                if records:
                    told = [{"attributes": {"type": _OBJECT}, **record} for record in records.values()]
                    asked.append(Part(method, "composite/sobjects", {"allOrNone": False, "records": told}))
                    lines.append([*records])
                    whose.append(number)
        answers = self._wire.write(asked, _OBJECT, [line for part in lines for line in part]) if asked else []
        return [
            _together(part, [(lines[at], answer) for at, answer in enumerate(answers) if whose[at] == number])
            for number, part in enumerate(parts)
        ]

    def _held(self, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Opportunity -> its roles."""
        held: dict[str, list[Mapping[str, Any]]] = {}
        head = f"SELECT Id, OpportunityId, ContactId, IsPrimary FROM {_OBJECT} WHERE IsDeleted = false AND OpportunityId IN ("
        parts = in_parts([literal(id) for id in ids], LONGEST - len(quote(head)) - 30)
        for row in self._reader.rows(_OBJECT, *(f"{head}{','.join(part)}) ORDER BY Id" for part in parts)):
            held.setdefault(str(row["OpportunityId"]), []).append(row)
        return held


def _new_and_old(
    changes: Sequence[tuple[Change, str | None]], held: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The roles to be made and those to be changed, by line; of a line that needs neither there is none."""
    new: dict[str, Any] = {}
    old: dict[str, Any] = {}
    for change, contact in changes:
        roles = held.get(full_id(change.id or ""), [])
        wanted = [one for one in roles if (one["ContactId"] == full_id(contact) if contact else one["IsPrimary"] is True)]
        if wanted:
            old[change.line] = {"Id": wanted[0]["Id"], "IsPrimary": contact is not None}
        elif contact:
            new[change.line] = {"OpportunityId": change.id, "ContactId": contact, "IsPrimary": True}
    return new, old


def _together(
    changes: Sequence[tuple[Change, str | None]], told: Sequence[tuple[list[str], list[dict[str, Any]] | ProviderError]]
) -> list[dict[str, Any]] | ProviderError:
    """The results of a part, in the order of its changes; the first error, if there is one."""
    results: dict[str, dict[str, Any]] = {}
    for lines, answer in told:
        if isinstance(answer, ProviderError):
            return answer
        if len(answer) != len(lines):
            return []  # which one is missing cannot be said
        results |= dict(zip(lines, answer, strict=True))
    return [{**results.get(change.line, {"success": True}), "id": change.id} for change, _ in changes]
