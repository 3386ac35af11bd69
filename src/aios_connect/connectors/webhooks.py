"""Webhooks: a request that claims to come from a vendor, believed only after its signature was checked.

What is signed are the raw bytes, before anything parses them. Comparing takes the same time whatever is wrong. A request that is old
or from the future is refused, as somebody may have kept it. And even then a webhook is a hint to read, never a truth by itself.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from aios_connect.errors import AuthError

from .redaction import remember

__all__ = [
    "Answers",
    "Hint",
    "Receives",
    "Reply",
    "Request",
    "check_age",
    "check_signature",
    "from_base64",
    "sign",
    "verify",
    "verify_standard",
]

WINDOW = 300.0
"""Seconds that a request may be old, or ahead of our clock."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in.

    Attributes:
        method: ``POST``.
        url: The whole address it was sent to, as the sender saw it.
        headers: By lower-cased name.
        body: The raw bytes.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed at the vendor; read it.

    Attributes:
        object: The vendor's object.
        id: The record, or ``None`` for "look yourself".
        event: The vendor's id of the event: one that comes twice is known by it.
    """

    object: str
    id: str | None
    event: str = ""


@runtime_checkable
class Receives(Protocol):
    """A connector that takes webhooks."""

    def receive(self, request: Request) -> Sequence[Hint]:
        """Verify a request and say what to read.

        Raises:
            AuthError: It does not come from the vendor, or is too old.
        """


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sender is told.

    Attributes:
        status: HTTP status.
        headers: By lower-cased name.
        body: The raw bytes.
        hints: What there is to read now; for us, not for the sender.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hints: Sequence[Hint] = ()


@runtime_checkable
class Answers(Protocol):
    """A connector that also says what its senders are told: a person who sent a form waits for a page, not for an empty 200."""

    def answer(self, request: Request) -> Reply:
        """Take a request as ``receive`` does, and answer it; what is wrong with it is an answer, too. Safe to call from several threads."""


def sign(secret: str, body: bytes, at: datetime) -> str:
    """The header for a body: ``t=1614265330,v1=<hex>``, HMAC-SHA256 over ``t.body``, as Stripe made it common."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={_mac(secret.encode(), stamp.encode() + b'.' + body).hex()}"


def verify(header: str, body: bytes, secret: str | Sequence[str], *, now: datetime, window: float = WINDOW) -> None:
    """Check a header of the form ``t=...,v1=...``; several ``v1`` stand there while a secret is being replaced.

    Args:
        header: The header as it came.
        body: The raw bytes as they came.
        secret: The secret, or the old and the new one.
        now: The clock.
        window: Seconds that the request may be old, or ahead of our clock.

    Raises:
        AuthError: The signature is missing, wrong or too old. Which secret was tried is not told.

    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    parts = [part.strip().partition("=")[::2] for part in header.split(",")]
    stamps = [value for name, value in parts if name == "t"]
    given = [_unhex(value) for name, value in parts if name == "v1"]
    if len(stamps) != 1 or not given:
        raise AuthError("the webhook has no signature of the form t=...,v1=...")
    check_signature(stamps[0].encode() + b"." + body, secret, given)
    check_age(stamps[0], now=now, window=window)


def verify_standard(
    headers: Mapping[str, str], body: bytes, secret: str | Sequence[str], *, now: datetime, window: float = WINDOW
) -> str:
    """Check the headers of Standard Webhooks: ``webhook-id``, ``webhook-timestamp``, ``webhook-signature: v1,<base64> v1,<base64>``.

    Args:
        headers: By lower-cased name.
        body: The raw bytes as they came.
        secret: ``whsec_...``, or the old and the new one.
        now: The clock.
        window: Seconds that the request may be old, or ahead of our clock.

    Returns:
        The id of the event: one that comes twice is known by it.

    Raises:
        AuthError: The signature is missing, wrong or too old.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = [from_base64(part[3:]) for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    if not (id and stamp and given):
        raise AuthError("the webhook has no signature of the Standard Webhooks form")
    keys = [from_base64(key.removeprefix("whsec_")) for key in _each(secret)]
    if not all(keys):
        raise AuthError("the secret to check webhooks with is not in base64", hint="copy it whole, with whsec_ in front")
    _check(f"{id}.{stamp}.".encode() + body, keys, given)
    check_age(stamp, now=now, window=window)
    return id


def check_signature(
    signed: bytes, secret: str | Sequence[str], given: Sequence[bytes], *, hash: Literal["sha256", "sha1"] = "sha256"
) -> None:
    """Check HMAC signatures over what a vendor signs, for schemes of a vendor's own.

    Args:
        signed: The bytes that were signed.
        secret: The secret, or the old and the new one.
        given: The signatures that came, decoded; one good one is enough.
        hash: The hash that this vendor uses.

    Raises:
        AuthError: None of them is good.
    """
    _check(signed, [key.encode() for key in _each(secret)], given, hash)


def check_age(stamp: str, *, now: datetime, window: float = WINDOW, unit: float = 1.0) -> None:
    """Refuse a request that is old, or from the future.

    Args:
        stamp: When it was signed, since 1970, as it came.
        now: The clock.
        window: Seconds that it may be old, or ahead of our clock.
        unit: Seconds of one step of the stamp; 0.001 for milliseconds.

    Raises:
        AuthError: It is, or the stamp is none.
    """
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 20) or abs(now.timestamp() - int(stamp) * unit) > window:
        raise AuthError(
            f"the webhook is not of this moment (more than {window:.0f} s away)", hint="if this happens often, check the clock"
        )


def from_base64(text: str) -> bytes:
    """The bytes that a text stands for; none if it is not in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _check(signed: bytes, keys: Sequence[bytes], given: Sequence[bytes], hash: str = "sha256") -> None:
    """Every pair is compared, so that the time taken tells nothing."""
    matches = [hmac.compare_digest(_mac(key, signed, hash), claimed) for key in keys for claimed in given]
    if not any(matches):
        raise AuthError("the signature of the webhook is wrong", hint="is the signing secret the one this vendor uses now?")


def _each(secret: str | Sequence[str]) -> Sequence[str]:
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not all(secrets) or not secrets:
        raise AuthError("there is no secret to check webhooks with", hint="aios connect asks for it")
    remember(*secrets)
    return secrets


def _mac(key: bytes, signed: bytes, hash: str = "sha256") -> bytes:
    return hmac.new(key, signed, hash).digest()


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
