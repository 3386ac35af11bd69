"""From an answer to the error the caller reacts to. One place for all connectors; a connector adds what only its vendor says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from aios_connect.errors import (
    AuthError,
    ConflictError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    UnavailableError,
)

from .redaction import redact

if TYPE_CHECKING:
    from .response import Response
    from .spec import Limit

__all__ = ["REDIRECTS", "Left", "by_status", "retry_after", "said_left", "vendor_words"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that send the caller elsewhere. They are never followed: credentials would go along."""

_KINDS: Mapping[int, type[ProviderError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    425: UnavailableError,
    428: ConflictError,
    429: RateLimitedError,
    501: RejectedError,
    505: RejectedError,
}
_SAYS: Mapping[int, str] = {
    401: "did not accept the credentials",
    403: "does not permit this",
    404: "has no such record or address",
    409: "says the record changed or already exists",
    410: "says the record is gone",
    412: "says the record changed since it was read",
    413: "says the request is too large",
    429: "says there were too many requests",
}
_HINTS: Mapping[int, str] = {
    403: "aios check names what the connection may not do, and what would permit it",
    405: "is the url of the connection right?",
}
_LONGEST = 300
_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")


class Left(NamedTuple):
    """What an answer says of a limit.

    Attributes:
        limit: Which.
        remaining: Calls left of it.
        seconds: Until the vendor forgets those it has counted.
        calls: Calls this account is allowed; 0 if the answer does not say.
    """

    limit: Limit
    remaining: int
    seconds: float
    calls: int = 0


def by_status(response: Response, *, now: datetime) -> ProviderError | None:
    """The error an HTTP status stands for, or ``None`` if the status means success (2xx, 304).

    Args:
        response: The answer.
        now: The present instant, for a ``Retry-After`` that is a date.
    """
    status = response.status
    if 200 <= status < 300 or status == 304:
        return None
    facts: dict[str, Any] = {
        "provider": response.provider,
        "object": response.object,
        "status": status,
        "request_id": response.request_id,
    }
    if status in REDIRECTS or status < 200:
        target = redact(response.headers.get("location", "elsewhere"))
        return UnavailableError(
            f"{response.provider} sends us on to {target}",
            hint="set the address of the connection to where it really is",
            **facts,
        )
    kind = _KINDS.get(status) or (UnavailableError if status >= 500 else RejectedError)
    says = _SAYS.get(status) or ("cannot answer now" if status >= 500 else "refused the request")
    words = vendor_words(response)
    message = f"{response.provider} {says} ({status})" + (f": {words}" if words else "")
    if kind is RateLimitedError:
        wait = retry_after(response.headers, now)
        hint = f"try again in {wait:.0f} s" if wait is not None else "try again later"
        return RateLimitedError(message, hint=hint, retry_after=wait, **facts)
    return kind(message, hint=_HINTS.get(status, ""), **facts)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, from ``Retry-After`` in either form: seconds or an HTTP date (RFC 9110, 10.2.3).

    Args:
        headers: Of the answer.
        now: The present instant; the answer's own ``Date`` is preferred, as clocks differ.

    Returns:
        Seconds, never negative, or ``None`` if the header is missing or makes no sense.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d*)?", value):
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(headers.get("date", "")) or now)).total_seconds())


def said_left(headers: Mapping[str, str], limits: Sequence[Limit], now: datetime) -> list[Left]:
    """What an answer says is left of which limit, and of how many calls.

    Read from the headers that the limits name, and from the usual ``RateLimit-*`` and ``X-RateLimit-*``
    (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers), whose reset is seconds from now, or epoch seconds when
    it is that large. They mean the limit of as many calls as they say, or else the shortest that the reset fits into.
    """
    said = [
        Left(limit, left, limit.seconds, _most(headers.get(limit.most, "")) if limit.most else 0)
        for limit in limits
        if limit.left and (left := _left(headers.get(limit.left, ""))) is not None
    ]
    for prefix in ("ratelimit-", "x-ratelimit-"):
        remaining, reset, most = (headers.get(f"{prefix}{name}", "") for name in ("remaining", "reset", "limit"))
        if re.fullmatch(r"\d+", remaining) and re.fullmatch(r"\d+(\.\d*)?", reset):
            seconds = max(0.0, float(reset) - now.timestamp() if float(reset) > 1e9 else float(reset))
            meant = [limit for limit in limits if (limit.calls == int(most) if most.isdecimal() else limit.seconds >= seconds)]
            said += [Left(limit, int(remaining), seconds) for limit in sorted(meant, key=lambda limit: limit.seconds)[:1]]
            break
    return said


def _left(text: str) -> int | None:
    """The calls left, as a number; or as Salesforce says it, ``api-usage=18/5000``: used, of how many
    (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm)."""
    if re.fullmatch(r"\d+", text):
        return int(text)
    usage = _USAGE.search(text)
    return max(0, int(usage[2]) - int(usage[1])) if usage else None


def _most(text: str) -> int:
    """The calls allowed, in either of these forms; 0 if they are not said."""
    if re.fullmatch(r"\d+", text):
        return int(text)
    usage = _USAGE.search(text)
    return int(usage[2]) if usage else 0


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def vendor_words(response: Response) -> str:
    """What the vendor says is wrong, in one redacted line of at most 300 characters; empty if it says nothing."""
    body = response.json_or_none()
    words = _message(body) if body is not None else None
    if words is None:
        text = response.text
        if "<html" in text[:2000].lower():
            title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
            text = title[1] if title else ""
        words = text
    # Masked before it is cut, so that no half of a secret stays.
    words = re.sub(r"\s+", " ", redact(words[:20_000])).strip()
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _message(body: object) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return _message(body[0]) if body else None
    if isinstance(body, dict):
        parts = []
        for key in ("message", "error_description", "detail", "title", "error", "errors", "errorCode", "description"):
            if body.get(key) and (words := _message(body[key])) and words not in parts:
                parts.append(words)
        return ": ".join(parts[:2]) or None
    return None
