"""The contact of an opportunity, which is its primary contact role.

A new opportunity may be given a contact; later the field is read only, and changed by the roles: each opportunity has at most one that
is the primary one, and Salesforce takes the mark from the other
(https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aios_connect.connectors import Change

from ._ids import full_id
from ._reading import Reader
from ._wire import LONGEST, Wire, in_parts, literal

__all__ = ["CONTACT", "Roles"]

CONTACT: Final = "ContactId"
"""The field of an opportunity."""

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

    def write(self, changes: Sequence[tuple[Change, str | None]]) -> list[dict[str, Any]]:
        """Give each opportunity the contact beside it, or none: three calls at most; the results in the order of the changes.

        A contact that has a role there already keeps it, and becomes the primary one. One that is no longer the contact keeps its role.
        """
        held = self._held([full_id(change.id or "") for change, _ in changes])
        results: dict[str, dict[str, Any]] = {}
        new: list[tuple[str, dict[str, Any]]] = []
        old: list[tuple[str, dict[str, Any]]] = []
        for change, contact in changes:
            roles = held.get(full_id(change.id or ""), [])
            wanted = [one for one in roles if (one["ContactId"] == full_id(contact) if contact else one["IsPrimary"] is True)]
            if wanted:
                old.append((change.line, {"Id": wanted[0]["Id"], "IsPrimary": contact is not None}))
            elif contact:
                new.append((change.line, {"OpportunityId": change.id, "ContactId": contact, "IsPrimary": True}))
            else:
                results[change.line] = {"success": True, "id": change.id}
        for method, part in (("POST", new), ("PATCH", old)):
            if part:
                records = [{"attributes": {"type": _OBJECT}, **record} for _, record in part]
                lines = [line for line, _ in part]
                body = {"allOrNone": False, "records": records}
                told = self._wire.write(method, "composite/sobjects", _OBJECT, body, lines)
                results |= dict(zip(lines, told, strict=False))
        ids = {change.line: change.id for change, _ in changes}
        return [{**results[line], "id": ids[line]} for line in ids if line in results]

    def _held(self, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Opportunity -> its roles."""
        held: dict[str, list[Mapping[str, Any]]] = {}
        for part in in_parts([literal(id) for id in ids], LONGEST, 200):
            names = "Id, OpportunityId, ContactId, IsPrimary"
            soql = f"SELECT {names} FROM {_OBJECT} WHERE OpportunityId IN ({','.join(part)}) AND IsDeleted = false ORDER BY Id"
            for row in self._reader.rows(_OBJECT, soql):
                held.setdefault(str(row["OpportunityId"]), []).append(row)
        return held
