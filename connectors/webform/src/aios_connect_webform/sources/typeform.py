"""Typeform: somebody filled in one of the company's typeforms.

Payload: https://www.typeform.com/developers/webhooks/example-payload/. Signature:
https://www.typeform.com/developers/webhooks/secure-your-webhooks/. The signature has no instant, so an old request could be sent
again by who has seen it; it is known by its event and adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aios_connect.connectors import AuthError, Request
from aios_connect.connectors.webhooks import check_signature, from_base64
from aios_connect_webform.content import Content
from aios_connect_webform.door import Door

from .source import SUBMISSIONS, Event, Proof, Said, Source, Told, attribution

__all__ = ["Typeform"]

_WELL_KNOWN: Final = {"email": "email", "phone_number": "tel"}
"""Type of an answer -> the field that it is everywhere."""


class Typeform(Source):
    """A response is one enquiry, known by its token."""

    title = "Typeform"
    channel = "web_form"

    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        header = request.headers.get("typeform-signature", "")
        if not header.startswith("sha256="):
            raise AuthError("the webhook has no signature of Typeform's", hint="set a secret for the webhook in Typeform")
        check_signature(request.body, keys, [from_base64(header.removeprefix("sha256="))])
        return Proof("verified")

    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        event = content.fields
        key = str(event["event_id"])
        if event["event_type"] != "form_response":
            return Event(objects=(), subject=key, key=key)
        return Event((SUBMISSIONS,), str(event["form_response"]["token"]), key=key)

    def said(self, told: Sequence[Told], object: str) -> Said:
        response: Mapping[str, Any] = told[-1].content.fields["form_response"]
        hidden = {name: value for name, value in (response.get("hidden") or {}).items()}
        fields: dict[str, Any] = dict(hidden)
        for answer in response.get("answers") or ():
            value = _value(answer)
            place = answer.get("field") or {}
            fields[str(place.get("ref") or place.get("id") or "")] = value
            if (name := _WELL_KNOWN.get(str(answer.get("type")))) and name not in fields:
                fields[name] = value
        fields["subject"] = (response.get("definition") or {}).get("title")
        origin = attribution(hidden)
        return Said(fields, response.get("submitted_at"), [origin] if origin else [], {"body": dict(told[-1].content.fields)})


def _value(answer: Mapping[str, Any]) -> Any:
    """The value of an answer stands under the name of its type; of a choice people chose its label."""
    value = answer.get(str(answer.get("type")))
    if isinstance(value, dict):
        labels = value.get("labels")
        own = value.get("other")
        return [*labels, *([own] if own else ())] if isinstance(labels, list) else value.get("label") or own or value
    return value
