"""HubSpot's webhooks: the signature, version 3, and what an event gives one to read.

Events come late, twice, in any order, up to 100 in one request, and their number is not unique
(https://developers.hubspot.com/docs/guides/api/app-management/webhooks). So nothing in them is taken for the truth: each names
records to read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aios_connect.connectors import AuthError, Hint, RejectedError, Request
from aios_connect.connectors.webhooks import check_age, check_signature, from_base64

from ._activities import PARTS, activity_id

__all__ = ["hints", "verify"]

_SIGNATURE: Final = "x-hubspot-signature-v3"
_STAMP: Final = "x-hubspot-request-timestamp"
_TYPE_IDS: Final[Mapping[str, str]] = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-5": "tickets",
    "0-27": "tasks",
    "0-46": "notes",
    "0-47": "meetings",
    "0-48": "calls",
    "0-49": "emails",
}
"""https://developers.hubspot.com/docs/guides/api/crm/understanding-the-crm#object-type-ids"""

_WORDS: Final[Mapping[str, str]] = {"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets"}
_DECODED: Final = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def verify(request: Request, secret: str | Sequence[str], *, now: datetime) -> None:
    """Believe a request, if it was signed with the client secret of the app, not longer than five minutes ago.

    Raises:
        AuthError: It was not.
    """
    stamp, signature = request.headers.get(_STAMP, ""), from_base64(request.headers.get(_SIGNATURE, ""))
    if not (stamp and signature):
        raise AuthError("the webhook has no signature of HubSpot's, version 3")
    check_signature(_signed(request.method, request.url, request.body, stamp), secret, [signature])
    check_age(stamp, now=now, unit=0.001)


def hints(body: bytes) -> list[Hint]:
    """What to read, each record once for every event; events of what is not read here are left out.

    Raises:
        RejectedError: The body is not a list of events.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError):
        events = None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise RejectedError("the body of the webhook is not a list of HubSpot's events", provider="hubspot")
    found = {(hint.object, hint.id, hint.event): hint for event in events for hint in _hints(event)}
    return list(found.values())


def _signed(method: str, url: str, body: bytes, stamp: str) -> bytes:
    """The bytes that HubSpot signs: method, address with some of its characters decoded, raw body, and instant in milliseconds.

    Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
    """
    plain = _DECODED.sub(lambda match: chr(int(match[1], 16)), url)
    return f"{method.upper()}{plain}".encode() + body + stamp.encode()


def _hints(event: Mapping[str, Any]) -> Iterator[Hint]:
    word, _, what = str(event.get("subscriptionType", "")).partition(".")
    object = _TYPE_IDS.get(str(event.get("objectTypeId", "")), "") if word == "object" else _WORDS.get(word, "")
    told: list[tuple[str, Any]] = []
    if what == "associationChange":
        ends = str(event.get("associationType", "")).split("_TO_")
        ids = (event.get("fromObjectId"), event.get("toObjectId"))
        told += [(_WORDS.get(end.lower(), ""), id) for end, id in zip(ends, ids, strict=False)]
        told += [
            (_TYPE_IDS.get(str(event.get(f"{end}ObjectTypeId", "")), ""), event.get(f"{end}ObjectId")) for end in ("from", "to")
        ]
    elif what == "merge":  # a merge may make a new record: amp-labs/connectors#3487
        told += [(object, event.get(name)) for name in ("newObjectId", "primaryObjectId", "objectId")]
        told += [(object, id) for id in event.get("mergedObjectIds") or ()]
    else:
        told.append((object, event.get("objectId")))
    for of, id in told:
        if of and id:
            yield _hint(of, str(id), _name(event))


def _hint(object: str, id: str, event: str) -> Hint:
    return Hint("activities", activity_id(object, id), event) if object in PARTS else Hint(object, id, event)


def _name(event: Mapping[str, Any]) -> str:
    """The same for an event however often it is sent, and another for another: the event's own number is not unique."""
    parts = ("eventId", "subscriptionId", "occurredAt", "objectId", "fromObjectId", "toObjectId")
    return "-".join(str(event[part]) for part in parts if event.get(part) is not None)
