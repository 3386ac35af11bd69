"""Stripe: somebody paid on one of the company's checkout pages.

Events: https://docs.stripe.com/api/events/object. The session: https://docs.stripe.com/api/checkout/sessions/object. Signature:
https://docs.stripe.com/webhooks#verify-manually. Events of other types are kept and show nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aios_connect.connectors import Request
from aios_connect.connectors.webhooks import WINDOW, verify
from aios_connect_webform.content import Content
from aios_connect_webform.door import Door

from .source import SUBMISSIONS, Event, Proof, Said, Source, Told, attribution

__all__ = ["Stripe"]

_OURS = ("checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed")


class Stripe(Source):
    """A checkout session is one enquiry, whatever is said about it later."""

    title = "Stripe"
    channel = "api"

    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        verify(request.headers.get("stripe-signature", ""), request.body, keys, now=now, window=door.window or WINDOW)
        return Proof("verified")

    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        event = content.fields
        if event["type"] not in _OURS:
            return Event(objects=(), subject=str(event["id"]), key=str(event["id"]))
        return Event((SUBMISSIONS,), str(_session(event)["id"]), key=str(event["id"]))

    def said(self, told: Sequence[Told], object: str) -> Said:
        events = sorted((one.content.fields for one in told), key=lambda event: int(event["created"]))
        session = _session(events[-1])
        details: Mapping[str, Any] = session.get("customer_details") or {}
        fields = {
            "name": details.get("name"),
            "email": details.get("email") or session.get("customer_email"),
            "tel": details.get("phone"),
            "postal-code": (details.get("address") or {}).get("postal_code"),
            "reference": session.get("client_reference_id"),
            "amount": session.get("amount_total"),
            "currency": session.get("currency"),
            "payment": session.get("payment_status"),
        }
        answers = {str(one["key"]): (one.get(one.get("type")) or {}).get("value") for one in session.get("custom_fields") or ()}
        metadata = session.get("metadata") or {}
        origin = attribution(metadata)
        occurred = datetime.fromtimestamp(int(events[0]["created"]), UTC).isoformat()
        return Said({**metadata, **answers, **fields}, occurred, [origin] if origin else [], {"body": dict(events[-1])})


def _session(event: Mapping[str, Any]) -> Mapping[str, Any]:
    session: Mapping[str, Any] = event["data"]["object"]
    return session
