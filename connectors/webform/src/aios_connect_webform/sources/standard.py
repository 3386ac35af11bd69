"""Standard Webhooks: signed JSON of any program that follows the specification.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from aios_connect.connectors import Request, instant
from aios_connect.connectors.webhooks import WINDOW, verify_standard
from aios_connect_webform.content import Content
from aios_connect_webform.door import Door

from .source import Event, Proof, Said, Source, Told, attribution

__all__ = ["Standard"]


class Standard(Source):
    """``webhook-id`` names the event. The payload is ``{"type", "timestamp", "data": {...}}``; what is in ``data`` are the fields."""

    title = "a program that signs as Standard Webhooks says"
    channel = "api"

    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        event = verify_standard(request.headers, request.body, keys, now=now, window=door.window or WINDOW)
        return Proof("verified", event)

    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        return Event(subject=str(_data(content).get(door.id_field) or "") if door.id_field else "", key=proof.event)

    def said(self, told: Sequence[Told], object: str) -> Said:
        told = sorted(told, key=_happened)
        fields = {name: value for one in told for name, value in _data(one.content).items()}
        occurred = told[0].content.fields.get("timestamp")
        came = [attribution(_data(one.content)) for one in told]
        return Said(
            fields,
            occurred if isinstance(occurred, str) else None,
            [one for one in came if one],
            {"body": dict(told[-1].content.fields)},
        )


def _happened(one: Told) -> datetime:
    """When it happened, as the payload says; one that does not say it happened when it came."""
    try:
        return instant(one.content.fields.get("timestamp"))
    except (ValueError, ArithmeticError):
        return instant(one.received)


def _data(content: Content) -> Mapping[str, object]:
    data = content.fields.get("data")
    return data if isinstance(data, dict) else content.fields
