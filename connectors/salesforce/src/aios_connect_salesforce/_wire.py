"""How Salesforce is spoken to: addresses, queries, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import (
    AuthError,
    ConfigError,
    Context,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    Response,
    TruncatedError,
    UnavailableError,
    instant,
    redact,
)

__all__ = ["API", "LONGEST", "Rows", "Wire", "in_parts", "instant_text", "literal", "said"]

API: Final = "v61.0"
"""Version of the API that is spoken (Summer '24)."""

LONGEST: Final = 14_000
"""Characters of a query that are safe in an address: Salesforce takes 16,384 bytes in all
(https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm)."""

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


@dataclass(frozen=True, slots=True)
class Rows:
    """What one call of a query brought.

    Attributes:
        rows: As Salesforce wrote them.
        total: How many the whole query has.
        following: Where the next ones are; empty at the end.
        clock: Salesforce's own clock, if it told; else ours.
    """

    rows: Sequence[Any]
    total: int
    following: str
    clock: datetime


class Wire:
    """One organisation's way to Salesforce's REST API.

    Args:
        context: Of the connection.
    """

    def __init__(self, context: Context) -> None:
        self._http = context.http
        self._now = context.now
        self._root = f"services/data/{context.settings.get('api') or API}/"
        self._headers = {"Sforce-Auto-Assign": "FALSE"}
        if context.settings.get("duplicates") == "save":
            self._headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
        elif context.settings.get("duplicates") not in (None, "", "refuse"):
            raise ConfigError("duplicates is refuse or save", hint="correct it in the settings of the connection")

    def get(self, path: str, object: str = "", **params: str) -> Any:
        """The JSON of an answer."""
        return self._http.request("GET", self._root + path, params=params, object=object, classify=_classify).json()

    def ask(self, path: str, object: str, body: Any) -> Any:
        """The JSON of an answer to a question with a body, which may be asked twice without harm."""
        return self._http.request("POST", self._root + path, json=body, object=object, safe=True, classify=_classify).json()

    def make(self, path: str, object: str, body: Any) -> Any:
        """Make one thing; the JSON of the answer."""
        return self._http.request("POST", self._root + path, json=body, object=object, classify=_classify).json()

    def write(self, method: str, path: str, object: str, body: Any, lines: Sequence[str], **params: str) -> list[dict[str, Any]]:
        """Write several records; the results, one for each and in their order.

        The active assignment rules are left out: they would hand a lead to another owner than the one that is written
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm).
        """
        response = self._http.request(
            method,
            self._root + path,
            params=params,
            json=body,
            headers=self._headers,
            object=object,
            lines=lines,
            classify=_classify,
        )
        results = response.json()
        if not isinstance(results, list) or not all(isinstance(one, dict) and "success" in one for one in results):
            raise TruncatedError("the answer to a write is no list of results", provider="salesforce", object=object)
        return results

    def query(self, soql: str, object: str) -> Rows:
        """The first rows of a query; those of deleted and archived records are among them
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_queryall.htm)."""
        return self._rows("queryAll", object, {"q": soql})

    def more(self, following: str, object: str) -> Rows:
        """The next rows of a query.

        Raises:
            CursorGoneError: Salesforce has closed it: it was too old, too many others were opened since, or the sign-in it
                belonged to was renewed.
        """
        try:
            return self._rows(f"query/{following.rpartition('/')[2]}", object, {})
        except (AuthError, NotFoundError) as error:
            if isinstance(error, AuthError) and error.status != 401:
                raise
            raise CursorGoneError(
                f"salesforce closed the query: {error.message}", provider="salesforce", object=object
            ) from error

    def _rows(self, path: str, object: str, params: Mapping[str, str]) -> Rows:
        response = self._http.request("GET", self._root + path, params=dict(params), object=object, classify=_classify)
        body = response.json()
        rows, total, done, following = (
            (body.get(name) for name in ("records", "totalSize", "done", "nextRecordsUrl"))
            if isinstance(body, dict)
            else (None,) * 4
        )
        whole = isinstance(rows, list) and isinstance(total, int) and isinstance(done, bool)
        if not whole or done is bool(following) or not isinstance(following, (str, type(None))):
            raise TruncatedError(
                "an answer to a query does not say whether it is the last one", provider="salesforce", object=object
            )
        return Rows(rows or (), total or 0, following or "", self._clock(response))

    def _clock(self, response: Response) -> datetime:
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except (TypeError, ValueError):
            return self._now()
        return theirs.replace(tzinfo=UTC) if theirs.tzinfo is None else theirs.astimezone(UTC)


def literal(value: str) -> str:
    """A text as it is written in a query
    (https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm)."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    for character, name in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\b", "\\b"), ("\f", "\\f")):
        escaped = escaped.replace(character, name)
    return f"'{escaped}'"


def instant_text(value: object) -> str:
    """An instant as it is written in a query: UTC, milliseconds.

    Raises:
        TruncatedError: It is none.
    """
    try:
        return instant(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, TypeError, OverflowError):
        raise TruncatedError(f"salesforce gave an instant that is none: {str(value)[:40]!r}", provider="salesforce") from None


def in_parts(texts: Iterable[str], room: int, most: int = 2000) -> Iterator[list[str]]:
    """Texts in parts that fit into the room that is left in an address, once they are encoded."""
    part: list[str] = []
    size = 0
    for text in texts:
        length = len(quote(text, safe="")) + 3
        if part and (size + length > room or len(part) >= most):
            yield part
            part, size = [], 0
        part.append(text)
        size += length
    if part:
        yield part


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
    """The ids of the records that a duplicate rule found. In an answer the name of the list is misspelled
    (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm)."""
    for name in ("duplicateResult", "duplicateResut"):
        for result in (error.get(name) or {}).get("matchResults") or ():
            for match in result.get("matchRecords") or ():
                if id := (match.get("record") or {}).get("Id"):
                    yield str(id)


def _classify(response: Response) -> ProviderError | None:
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
    if code in ("UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE"):
        return UnavailableError(f"salesforce cannot answer now: {words}", **facts)
    if response.status == 403 and code in _FORBIDDEN:
        return AuthError(f"salesforce does not permit this: {words}", hint=_FORBIDDEN[code], **facts)
    if code in ("INVALID_FIELD", "INVALID_TYPE"):
        hint = "is it there, and may the user see it? Object Manager and the user's permission sets tell"
        return RejectedError(f"salesforce refused the request: {words}", hint=hint, **facts)
    return None
