"""How HubSpot is spoken to: addresses, requests, and what its answers mean."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from aios_connect.connectors import (
    AuthError,
    ConfigError,
    Context,
    ProviderError,
    RateLimitedError,
    RejectedError,
    Response,
    TruncatedError,
    UnavailableError,
    redact,
)

__all__ = ["API", "Wire", "instant", "instant_text", "said"]

API: Final = "v3"
"""The version of the API that is spoken: ``v3``, or the date of a dated one such as ``2026-03``. Paths differ, bodies do not."""

_DATED = re.compile(r"20\d\d-\d\d")
_SEARCH: Final = "search"
_HOUR: Final = 3600.0
_REFUSED: Final = "Property values were not valid: "


class Wire:
    """One account's way to HubSpot's API.

    Args:
        context: Of the connection.
    """

    def __init__(self, context: Context) -> None:
        self._http = context.http
        self._now = context.now
        self._api = context.settings.get("api", API)
        if self._api != "v3" and not _DATED.fullmatch(self._api):
            raise ConfigError(f"HubSpot has no API {self._api!r}", hint="set api to v3, or to a date such as 2026-03")

    def address(self, area: str, rest: str = "") -> str:
        """The path of ``rest`` in an area of the CRM API: ``objects``, ``associations``, ``properties``, ``pipelines``, ``owners``."""
        if self._api == "v3":
            return f"crm/{'v4' if area == 'associations' else 'v3'}/{area}/{rest}"
        return f"crm/{area}/{self._api}/{rest}".rstrip("/")

    def get(self, path: str, object: str = "", **params: str | Sequence[str]) -> tuple[dict[str, Any], datetime]:
        """An answer, and HubSpot's own clock when it was given."""
        response = self._http.request("GET", path, params=dict(params), object=object, classify=_classify)
        return _body(response, object), self._clock(response)

    def post(
        self, path: str, object: str, body: Any, *, safe: bool = False, lines: Sequence[str] = ()
    ) -> tuple[dict[str, Any], datetime]:
        """An answer to a body, and HubSpot's own clock; ``safe`` if it may be sent twice without harm."""
        scope = _SEARCH if path.endswith("/search") else ""
        response = self._http.request(
            "POST", path, json=body, object=object, safe=safe, lines=lines, scope=scope, classify=_classify
        )
        if response.status == 204:  # it has no body, and needs none
            return {}, self._clock(response)
        return _body(response, object), self._clock(response)

    def form(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """An answer to a form that changes nothing."""
        return _body(self._http.request("POST", path, form=form, safe=True, classify=_classify), "")

    def _clock(self, response: Response) -> datetime:
        """The earlier of their clock and ours: a watermark may lie too early, never too late."""
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except (TypeError, ValueError):
            return self._now()
        return min(theirs.replace(tzinfo=UTC) if theirs.tzinfo is None else theirs, self._now())


def instant_text(instant: datetime) -> str:
    """An instant as HubSpot writes it: UTC, milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(value: object) -> datetime:
    """The instant that HubSpot wrote: ISO 8601 with or without a fraction, or milliseconds since 1970.

    Raises:
        TruncatedError: It is none.
    """
    text = str(value)
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise TruncatedError(f"hubspot gave an instant that is none: {text[:40]!r}", provider="hubspot") from None


def said(message: object) -> str:
    """HubSpot's own words about what it refused, in short: which property, and what is wrong with it, before any value."""
    _, mark, listed = str(message).partition(_REFUSED)
    if mark:
        try:
            problems = [one for one in json.loads(listed) if isinstance(one, dict)]
        except (ValueError, TypeError, RecursionError):
            problems = []
        if problems:
            told = (f"{one.get('name')}: {one.get('error')} ({str(one.get('message'))[:120]})" for one in problems[:5])
            return redact(f"{mark}{'; '.join(told)}")
    return redact(str(message))[:300]


def _body(response: Response, object: str) -> dict[str, Any]:
    body = response.json()
    if not isinstance(body, dict):
        raise TruncatedError("an answer of hubspot is not an object", provider="hubspot", object=object)
    return body


def _classify(response: Response) -> ProviderError | None:
    """What only HubSpot says: errors in a 200, which limit was hit, which scope is missing, and its own statuses."""
    facts: dict[str, Any] = {"provider": "hubspot", "status": response.status, "request_id": response.request_id}
    if response.status in (423, 477):
        return UnavailableError(f"hubspot keeps the record to itself at the moment ({response.status})", **facts)
    body = response.json_or_none() if response.status in (200, 400, 403, 429) else None
    if not isinstance(body, dict):
        return None  # some 403 have no body, or one without a category
    words = said(body.get("message", ""))
    if response.status == 200 and body.get("status") == "error":
        return UnavailableError(f"hubspot answered with an error: {words}", **facts)
    if response.status == 400 and words.startswith(_REFUSED):
        return RejectedError(f"hubspot refused the request (400): {words}", **facts)
    if response.status == 429:
        return RateLimitedError(f"hubspot says there were too many requests: {words}", retry_after=_wait(response, body), **facts)
    if response.status == 403 and (scopes := _missing_scopes(body)):
        return AuthError(
            f"hubspot does not permit this: {words}",
            hint=f"give the app the scope {' or '.join(scopes)}, then connect again",
            **facts,
        )
    return None


def _wait(response: Response, body: dict[str, Any]) -> float | None:
    """Seconds until a limit allows calls again: HubSpot says which limit, and rarely how long."""
    if "retry-after" in response.headers:
        return None  # the seam reads it
    policy = str(body.get("policyName") or body.get("message", "")).upper()
    if "DAILY" in policy:
        return _HOUR  # it ends at midnight where the account is, which the answer does not say
    return 10.0 if "TEN_SECONDLY" in policy else 1.0


def _missing_scopes(body: dict[str, Any]) -> list[str]:
    if body.get("category") != "MISSING_SCOPES":
        return []
    scopes: list[str] = []
    for error in body.get("errors") or ():
        context = error.get("context") if isinstance(error, dict) else None
        for name in ("requiredGranularScopes", "requiredScopes"):
            if isinstance(context, dict):
                scopes += [str(scope) for scope in context.get(name) or ()]
    return list(dict.fromkeys(scopes))
