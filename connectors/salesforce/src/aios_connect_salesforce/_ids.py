"""Ids: fifteen characters in which case matters, or the same with three more in which it does not.

The last three say which of the fifteen are capitals
(https://help.salesforce.com/s/articleView?id=000385585, https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm).
"""

from __future__ import annotations

from typing import Final

__all__ = ["full_id", "object_of"]

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

_PREFIXES: Final = {
    "001": "Account",
    "003": "Contact",
    "00Q": "Lead",
    "006": "Opportunity",
    "00K": "OpportunityContactRole",
    "00T": "Task",
    "00U": "Event",
    "005": "User",
}
"""The first three characters of an id -> the object; the same in every organisation
(https://help.salesforce.com/s/articleView?id=000385203)."""


def full_id(id: str) -> str:
    """The id with 18 characters; what is no id with 15 is left as it is."""
    if len(id) != 15 or not (id.isascii() and id.isalnum()):
        return id
    parts = (id[start : start + 5] for start in (0, 5, 10))
    return id + "".join(_LETTERS[sum(1 << bit for bit, one in enumerate(part) if one.isupper())] for part in parts)


def object_of(id: object) -> str:
    """The object that an id is of; empty if it is none of those known here."""
    return _PREFIXES.get(id[:3], "") if isinstance(id, str) else ""
