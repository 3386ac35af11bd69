"""Forms and JSON of the company's own: from a page in a browser, or from a program that knows the key."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from aios_connect.connectors import AuthError, RejectedError, Request, instant
from aios_connect_webform.content import Content
from aios_connect_webform.door import Door

from .source import Event, Proof, Said, Source, Told, attribution, merged

__all__ = ["Form", "shows_key"]

_LONGEST = 200


class Form(Source):
    """A program shows the key as ``Authorization: Bearer KEY`` (RFC 6750); a page is known by its ``Origin``, which proves little."""

    title = "a form or a program of your own"
    channel = "web_form"
    keyed: ClassVar[bool] = False

    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        if "authorization" in request.headers:
            if not shows_key(request.headers["authorization"], keys):
                raise AuthError(
                    "the key is not the one of this address", hint="send the header Authorization: Bearer KEY", status=401
                )
            return Proof("verified")
        if "origin" in request.headers:
            return Proof("unverified")  # an origin that is not named has not come this far
        raise AuthError(
            "nothing says who sends this",
            hint="send the header Authorization: Bearer KEY, or post it from a page that may send here",
            status=401,
        )

    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        key = headers.get("idempotency-key", "").strip().strip('"')
        if not (any(value not in ("", None) for value in content.fields.values()) or content.files):
            raise RejectedError("there is nothing in it: no field has a value", hint="fill in a field", status=400)
        if len(key) > _LONGEST:
            raise _too_long("the Idempotency-Key")
        subject = ""
        if door.id_field and proof.trust == "verified":
            subject = str(content.fields.get(door.id_field) or "")
            if len(subject) > _LONGEST:
                raise _too_long(f"the field {door.id_field!r}")
        return Event(subject=subject, key=key, strict=True, caught=_caught(content, door, now))

    def said(self, told: Sequence[Told], object: str) -> Said:
        fields = merged(told)
        files = [file for one in told for file in one.content.files]
        came = [
            attribution(
                one.content.fields, one.content.text("page") or one.headers.get("referer", ""), one.content.text("referrer")
            )
            for one in told
        ]
        listed = [{"field": file.field, "name": file.name, "type": file.type, "size": file.size} for file in files]
        return Said(fields, told[0].received, [one for one in came if one], {"files": listed})


def shows_key(header: str, keys: Sequence[str]) -> bool:
    """The header shows one of the keys; every key is compared, so that the time taken tells nothing."""
    scheme, _, given = header.partition(" ")
    matches = [hmac.compare_digest(given.strip().encode(), key.encode()) for key in keys]
    return scheme.lower() == "bearer" and any(matches)


def _caught(content: Content, door: Door, now: datetime) -> str:
    """Why it looks like a machine's; empty if it does not."""
    if door.trap and str(content.fields.get(door.trap) or "").strip():
        return f"the field {door.trap!r}, which people do not see, is filled in"
    if door.shown and (shown := _instant(content.text(door.shown))) is not None:
        took = (now - shown).total_seconds()
        if 0 <= took < door.fastest:
            return f"it was filled in within {took:.1f} seconds"
    return ""


def _instant(text: str) -> datetime | None:
    """An instant as a page spells it; ``None`` for what is none, which says nothing about who sent it."""
    try:
        return instant(text)
    except (ValueError, OverflowError, ArithmeticError):
        return None


def _too_long(what: str) -> RejectedError:
    return RejectedError(f"{what} is longer than {_LONGEST} characters", hint="give it a shorter one", status=400)
