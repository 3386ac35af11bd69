"""The webhooks of a fake account: events as HubSpot describes them, and signed requests that carry them.

Evidence: https://developers.hubspot.com/docs/guides/api/app-management/webhooks for the events, the hundred in a request, the order
that means nothing and the attempts; https://developers.hubspot.com/changelog/new-subscription-types-for-webhooks for merges,
restores and associations; amp-labs/connectors#3487 for the deletions that come with a merge. Addresses are signed as
they are: none of HubSpot's characters to be decoded is ever encoded here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aios_connect.connectors import Request
from aios_connect.sandbox import Delivery, Outbox, SimClock, Target

__all__ = ["ADDRESS", "SECRET", "Announcer"]

SECRET: Final = "sandbox-client-secret-0000"  # noqa: S105  # no secret: everybody may use the sandbox
"""The client secret of every sandbox's app, which signs its webhooks."""

ADDRESS: Final = "http://127.0.0.1/hubspot"
"""Where webhooks are said to go, if nobody says otherwise."""

_ONE: Final[Mapping[str, str]] = {"contacts": "contact", "companies": "company", "deals": "deal", "tickets": "ticket"}
_IDS: Final[Mapping[str, str]] = {
    **{"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"},
    **{"tasks": "0-27", "notes": "0-46", "meetings": "0-47", "calls": "0-48", "emails": "0-49"},
}
"""https://developers.hubspot.com/docs/guides/api/crm/understanding-the-crm#object-type-ids"""


class Announcer:
    """Turns what happens in an account into events for everybody who subscribed.

    Args:
        clock: The account's time.
    """

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._outboxes: list[Outbox] = []
        self._count = 0

    def subscribe(self, target: Target, *, url: str, secret: str, delivery: Delivery, seed: int) -> Outbox:
        """Send everything that happens from now on to a target."""
        outbox = Outbox(self._clock, target, _packer(self._clock, url, secret), delivery=delivery, seed=seed)
        self._outboxes.append(outbox)
        return outbox

    def tell(self, object: str, what: str, id: int, **more: Any) -> None:
        """Something happened to a record: ``creation``, ``propertyChange``, ``deletion``, ``restore``, ``merge``."""
        one = _ONE.get(object)
        kind = (
            {"subscriptionType": f"{one}.{what}"} if one else {"subscriptionType": f"object.{what}", "objectTypeId": _IDS[object]}
        )
        self._post({**kind, "objectId": id, **more})

    def tell_link(self, object: str, id: int, to: str, other: int, removed: bool) -> None:
        """Two records were associated, or are not any more; told once from each side."""
        for left, one, right, two in ((object, id, to, other), (to, other, object, id)):
            if left in _ONE and right in _ONE:
                kind = {"subscriptionType": f"{_ONE[left]}.associationChange"}
                name = {"associationType": f"{_ONE[left]}_to_{_ONE[right]}".upper()}
            else:
                kind = {"subscriptionType": "object.associationChange", "objectTypeId": _IDS[left]}
                name = {"fromObjectTypeId": _IDS[left], "toObjectTypeId": _IDS[right]}
            self._post({**kind, **name, "fromObjectId": one, "toObjectId": two, "associationRemoved": removed})

    def _post(self, event: Mapping[str, Any]) -> None:
        if not self._outboxes:
            return
        self._count += 1
        whole = {
            "eventId": 100 + self._count // 2,  # not unique, as HubSpot says
            "subscriptionId": 7000 + len(str(event["subscriptionType"])),
            "portalId": 24680,
            "appId": 1357,
            "occurredAt": int(self._clock.now().timestamp() * 1000),
            "changeSource": "CRM",
            **event,
        }
        for outbox in self._outboxes:
            outbox.post(whole)


def _packer(clock: SimClock, url: str, secret: str) -> Callable[[Sequence[Mapping[str, Any]], int], Request]:
    def pack(events: Sequence[Mapping[str, Any]], attempt: int) -> Request:
        body = json.dumps([{**event, "attemptNumber": attempt} for event in events], ensure_ascii=False).encode()
        stamp = str(int(clock.now().timestamp() * 1000))
        mac = hmac.new(secret.encode(), f"POST{url}".encode() + body + stamp.encode(), hashlib.sha256).digest()
        signed = {"x-hubspot-signature-v3": base64.b64encode(mac).decode(), "x-hubspot-request-timestamp": stamp}
        return Request("POST", url, {"content-type": "application/json", **signed}, body)

    return pack
