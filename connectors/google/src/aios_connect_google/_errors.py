"""What Google's refusals mean.

Two forms of one envelope: ``error.errors[].reason`` (https://developers.google.com/workspace/calendar/api/guides/errors) and
``error.status`` with ``error.details[]`` (https://google.aip.dev/193).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from aios_connect.connectors import (
    AuthError,
    ConflictError,
    CursorGoneError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    Response,
    UnavailableError,
    redact,
)

from ._apis import NEEDS, Needs

__all__ = ["classifier", "reasons"]

_RATE: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
_QUOTA: Final = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_SCOPE: Final = frozenset({"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"})
_DISABLED: Final = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
_RECORD: Final = frozenset({"forbiddenForNonOrganizer", "requiredAccessLevel"})
"""Of an event that somebody else organises, and of a calendar that is shared for reading (spatie/laravel-google-calendar#95)."""
_CURSOR: Final = frozenset({"fullSyncRequired", "updatedMinTooLongAgo", "EXPIRED_SYNC_TOKEN"})
_STALE: Final = frozenset({"FAILED_PRECONDITION", "failedPrecondition"})
"""Of a contact: https://developers.google.com/people/api/rest/v1/people/updateContact. Elsewhere it means other things.

With 400; with 403 in googleapis/google-api-python-client#1169.
"""

_HOUR: Final = 3600.0


def classifier(object: str, *, write: bool = False) -> Callable[[Response], ProviderError | None]:
    """What an answer about an object means, for :meth:`aios_connect.connectors.Http.request`."""
    return partial(_classify, object=object, write=write)


def reasons(response: Response) -> frozenset[str]:
    """Google's own words for what was wrong: all reasons of an answer, and its status in words."""
    body = response.json_or_none() if response.content else None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return frozenset()
    told = [*_dicts(error.get("errors")), *_dicts(error.get("details"))]
    return frozenset(str(one["reason"]) for one in told if one.get("reason")) | {str(error.get("status") or "")}


def _classify(response: Response, *, object: str, write: bool) -> ProviderError | None:
    status = response.status
    if status == 200:
        return None if write else _error_in_200(response)
    if status not in (400, 403, 410, 429):
        return None
    said = reasons(response)
    facts: dict[str, Any] = {"provider": "google", "object": object, "status": status}
    words = _words(response)
    if status == 403 and said & _RATE:
        return RateLimitedError(f"google says there were too many requests: {words}", hint="try again later", **facts)
    if status == 403 and said & _QUOTA:
        return RateLimitedError(
            f"google says a quota is used up: {words}",
            hint="go on later; https://support.google.com/a/answer/2905486 says what is limited",
            retry_after=None if "per minute" in words else _HOUR,
            **facts,
        )
    if status == 403 and said & _SCOPE:
        return _not_permitted(object, write, facts)
    if status == 403 and said & _DISABLED:
        return AuthError(
            f"this API is not turned on in the Google Cloud project of the OAuth client: {words}",
            hint="turn it on in the Google Cloud console (APIs & Services), then try again in some minutes",
            **facts,
        )
    if status == 403 and said & _RECORD:
        return RejectedError(f"google refuses this record: {words}", **facts)
    if said & _CURSOR:
        return CursorGoneError("google has forgotten the sync token; everything must be read again", **facts)
    if object == "contacts" and (said & _STALE or "etag is different" in words):
        return ConflictError(f"google says the record changed since it was read: {words}", **facts)
    return None


def _not_permitted(object: str, write: bool, facts: dict[str, Any]) -> AuthError:
    needs = NEEDS.get(object, Needs(()))
    scope = next(iter(needs.write if write else needs.read), "")
    verb = "write" if write else "read"
    return AuthError(
        f"google does not permit us to {verb} {object}: nobody consented to it",
        hint=f"aios connect again, and leave {scope} ticked; the setting uses says what is asked for"
        if scope
        else "aios connect again, and consent to all of it",
        **facts,
    )


def _error_in_200(response: Response) -> ProviderError | None:
    """An error under a good status: what was asked for is not there."""
    body = response.json_or_none()
    if not isinstance(body, dict) or not (body.get("status") == "error" or isinstance(body.get("error"), dict)):
        return None
    return UnavailableError(f"google answered with an error: {_words(response)}", provider="google", status=200)


def _words(response: Response) -> str:
    body = response.json_or_none()
    error = body.get("error") if isinstance(body, dict) else None
    words = error.get("message") if isinstance(error, dict) else body.get("message") if isinstance(body, dict) else ""
    return redact(str(words or response.status))[:300]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
