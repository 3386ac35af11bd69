"""BottleCRM's webhooks: the signature, and what an event gives one to read.

The header ``X-BottleCRM-Signature: t=<seconds>,v1=<hex>`` signs ``<t>.<raw body>`` with HMAC-SHA256 and the whole secret, ``whsec_``
included. A delivery that fails is sent again after 1, 5 and 30 minutes, 2 and 6 hours, signed anew, with the same event id
(django-crm 1.35.0, ``webhooks.tasks``; its own description of webhooks is in the settings screen of a server).

Changes that BottleCRM makes in bulk send none, so webhooks are hints and never replace reading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from aios_connect.connectors import Hint, RejectedError, Request
from aios_connect.connectors import webhooks as signatures

from .objects import OBJECTS

__all__ = ["hints", "verify"]

_SIGNATURE: Final = "x-bottlecrm-signature"
_OBJECTS: Final = {kind.event: object for object, kind in OBJECTS.items()}


def verify(request: Request, secret: str | Sequence[str], *, now: datetime) -> None:
    """Believe a request, if it was signed with the secret of the webhook, not longer than five minutes ago.

    Raises:
        AuthError: It was not.
    """
    signatures.verify(request.headers.get(_SIGNATURE, ""), request.body, secret, now=now)


def hints(body: bytes) -> list[Hint]:
    """What to read. Events of what is not read here, and the test message, give nothing.

    Raises:
        RejectedError: The body is no event.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("event"), str) or not isinstance(told.get("data"), dict):
        raise RejectedError("the body of the webhook is no event of BottleCRM's", provider="bottlecrm")
    object = _OBJECTS.get(told["event"].partition(".")[0])
    id = told["data"].get("id")
    return [Hint(object, str(id), str(told.get("id", "")))] if object and id else []
