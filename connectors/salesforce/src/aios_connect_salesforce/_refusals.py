"""What Salesforce says when it refuses: which error it is, and its own words in short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    CursorGoneError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    Response,
    UnavailableError,
    redact,
)

__all__ = ["CrashedError", "classify", "classify_write", "said"]

_HOUR: Final = 3600.0
_MOMENT: Final = 5.0
_FORBIDDEN: Final[Mapping[str, str]] = {
    "API_DISABLED_FOR_ORG": "the edition of the organisation has no API, or the user's profile lacks the permission API Enabled",
    "API_CURRENTLY_DISABLED": "the API is disabled for the organisation at present",
    "FUNCTIONALITY_NOT_ENABLED": "the organisation has not enabled this",
    "INSUFFICIENT_ACCESS": "give the user the object's permission, in the profile or a permission set",
    "INSUFFICIENT_ACCESS_OR_READONLY": "give the user the object's permission, in the profile or a permission set",
}
"""Error code -> what would permit it
(https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm)."""
_CRASHED: Final = "UNKNOWN_EXCEPTION"
_BROKEN_OFF: Final = frozenset({"QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", _CRASHED})
"""Error codes of a request that was begun. A call of ten minutes ends with the first, whatever was done by then
(https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm)."""


class CrashedError(AmbiguousWriteError):
    """Salesforce failed over a write: one of its records may be the cause, and how far it came nobody says."""


def said(errors: object) -> str:
    """Salesforce's own words about what it refused, in short: code, words, fields; and the records that a duplicate rule found."""
    told = []
    for error in errors if isinstance(errors, list) else [errors]:
        if not isinstance(error, dict):
            continue
        code = error.get("statusCode") or error.get("errorCode") or ""
        fields = [str(name) for name in error.get("fields") or ()]
        words = ": ".join(str(part) for part in (code, error.get("message")) if part)
        told.append(f"{words} ({', '.join(fields)})" if fields else words)
        if found := list(dict.fromkeys(_matches(error))):
            told.append(f"it looks like {', '.join(found[:5])}")
    return redact("; ".join(told))[:400]


def _matches(error: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the records that a duplicate rule found; the name of the result is misspelled in answers to single records
    (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_objects_duplicateresult.htm)."""
    for name in ("duplicateResult", "duplicateResut"):
        for result in (error.get(name) or {}).get("matchResults") or ():
            for match in result.get("matchRecords") or ():
                if id := (match.get("record") or {}).get("Id"):
                    yield str(id)


def classify(response: Response) -> ProviderError | None:
    """What only Salesforce says: which limit was reached, which right is missing, that a query was closed."""
    if response.status < 400 or response.status == 401:
        return None
    body = response.json_or_none()
    first = body[0] if isinstance(body, list) and body else None
    code = first.get("errorCode") if isinstance(first, dict) else None
    if not isinstance(code, str):
        return None
    facts: dict[str, Any] = {"provider": "salesforce", "status": response.status}
    words = said(body)
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The day's limit is a sliding one: in an hour some of it is there again. The other one is of calls at the same time.
        wait = _HOUR if "TotalRequests" in words else _MOMENT
        return RateLimitedError(f"salesforce says there were too many requests: {words}", retry_after=wait, **facts)
    if code == "INVALID_QUERY_LOCATOR":
        return CursorGoneError(f"salesforce closed the query: {words}", **facts)
    if code == "INVALID_REPLICATION_DATE":
        return CursorGoneError(f"salesforce's log of deletes does not reach back to the last read: {words}", **facts)
    if code in _BROKEN_OFF:
        return UnavailableError(f"salesforce cannot answer now: {words}", **facts)
    if response.status == 403 and code in _FORBIDDEN:
        return AuthError(f"salesforce does not permit this: {words}", hint=_FORBIDDEN[code], **facts)
    if code == "OPERATION_TOO_LARGE":
        # of tasks it looks at what each is about, to see whether the user may see it, and gives up (singer-io/tap-salesforce#98)
        hint = "give the user of this connection the permission View All Data: then nothing has to be worked out for each record"
        return RejectedError(f"salesforce refused the request: {words}", hint=hint, **facts)
    if code in ("INVALID_FIELD", "INVALID_TYPE"):
        hint = "is it there, and may the user see it? Object Manager and the user's permission sets tell"
        return RejectedError(f"salesforce refused the request: {words}", hint=hint, **facts)
    return None


def classify_write(response: Response) -> ProviderError | None:
    """The same of a write: of one that was broken off nobody says how far it came, unless it is to be sent again later."""
    error = classify(response)
    if not isinstance(error, UnavailableError) or (response.status == 503 and "retry-after" in response.headers):
        return error
    kind = CrashedError if _CRASHED in error.message else AmbiguousWriteError
    return kind(
        f"{error.message}; whether it was carried out is not known",
        hint="look the records up before anything is sent again",
        provider="salesforce",
        status=response.status,
    )
