"""Calendly: somebody filled in a routing form, booked a meeting, moved it or called it off.

Payload: https://developer.calendly.com/api-docs/calendly-api/webhooks/get-sample-webhook-data. A moved meeting is a new invitee that
names the old one:
https://developer.calendly.com/docs/api-guides/see-how-webhook-payloads-change-when-invitees-reschedule-events. One that came from a routing form
names its submission. Signature:
https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aios_connect.connectors import Request, instant
from aios_connect.connectors.webhooks import verify
from aios_connect_webform.content import Content
from aios_connect_webform.door import Door

from .source import SUBMISSIONS, Event, Proof, Said, Source, Told, attribution

__all__ = ["Calendly"]

_WINDOW: Final = 180.0
"""Seconds; what Calendly's own example takes."""
_ROUTED: Final = "routing_form_submission.created"
_OURS: Final = ("invitee.created", "invitee.canceled", _ROUTED)


class Calendly(Source):
    """A booking is one enquiry, however often it is moved, and the routing form before it is part of it."""

    title = "Calendly"
    channel = "booking"

    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        header = request.headers.get("calendly-webhook-signature", "")
        verify(header, request.body, keys, now=now, window=door.window or _WINDOW)
        return Proof("verified")

    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        kind, payload = content.fields["event"], content.fields["payload"]
        if kind not in _OURS:
            return Event(objects=(), key=f"content {content.digest()}")
        uri = str(payload["uri"])
        key = f"{kind} {uri} {content.fields['created_at']}"  # an event has no id of its own
        follows = _last(str(payload.get("old_invitee") or payload.get("routing_form_submission") or ""))
        return Event((SUBMISSIONS,), _last(uri), follows, key)

    def said(self, told: Sequence[Told], object: str) -> Said:
        events = sorted((one.content.fields for one in told), key=lambda event: instant(str(event["created_at"])))
        first, last = events[0]["payload"], _latest([event for event in events if event["event"] != _ROUTED])
        asked = [one for event in events for one in event["payload"].get("questions_and_answers") or ()]
        answers = {str(one["question"]): one.get("answer") for one in asked}
        meeting: Mapping[str, Any] = last.get("scheduled_event") or {}
        place = meeting.get("location") or {}
        fields = {
            "name": last.get("name"),
            "given-name": last.get("first_name"),
            "family-name": last.get("last_name"),
            "email": last.get("email"),
            "tel": last.get("text_reminder_number"),
            "subject": meeting.get("name"),
        }
        booking = {
            "status": last.get("status"),
            "start": meeting.get("start_time"),
            "end": meeting.get("end_time"),
            "timezone": last.get("timezone"),
            "location": place.get("join_url") or place.get("location"),
            "uri": meeting.get("uri"),
            "reschedule_url": last.get("reschedule_url"),
            "cancel_url": last.get("cancel_url"),
        }
        origin = attribution(first.get("tracking") or {})
        more = {"booking": booking if last else None, "body": dict(events[-1])}
        return Said({**answers, **fields}, first.get("created_at"), [origin] if origin else [], more)


def _latest(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The invitee as it is now: of a meeting that was moved, the one that it was moved to. Empty if nothing is booked.

    Moving sends both that the old invitee is cancelled and that the new one is there, in the same second and in any order.
    """
    if not events:
        return {}
    newest = max((event["payload"] for event in events), key=lambda invitee: instant(str(invitee["created_at"])))
    invitee: Mapping[str, Any] = [event["payload"] for event in events if event["payload"]["uri"] == newest["uri"]][-1]
    return invitee


def _last(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2]
