"""How Salesforce is spoken to: addresses, queries, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    ConfigError,
    Context,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    RejectedError,
    Response,
    TruncatedError,
    UnavailableError,
    instant,
)
from aios_connect.connectors.classify import by_status

from ._refusals import classify, classify_write

__all__ = ["API", "COLLECTION", "LONGEST", "TOGETHER", "Part", "Rows", "Wire", "in_parts", "instant_text", "literal"]

API: Final = "v61.0"
"""Version of the API that is spoken (Summer '24)."""

LONGEST: Final = 14_000
"""Characters of a query that are safe in an address: Salesforce takes 16,384 bytes in all
(https://help.salesforce.com/s/articleView?id=000386264)."""

COLLECTION: Final = 200
"""Records in one request that writes several
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm)."""

TOGETHER: Final = 5
"""Requests in one call that are queries or write several records; of others there may be 25
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite_post.htm)."""

_MANY: Final = 25
_REFERENCE: Final = "@{"
"""What begins a reference to the answer of another request in the same call, in whatever text it stands
(https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request of several that go in one call.

    Attributes:
        method: As it would be sent by itself.
        path: The same, behind the version.
        body: As JSON.
        params: Query parameters.
    """

    method: str
    path: str
    body: Any = None
    params: Mapping[str, str] = field(default_factory=dict)


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
        return self._http.request("GET", self._root + path, params=params, object=object, classify=classify).json()

    def ask(self, path: str, object: str, body: Any) -> Any:
        """The JSON of an answer to a question with a body, which may be asked twice without harm."""
        return self._http.request("POST", self._root + path, json=body, object=object, safe=True, classify=classify).json()

    def fetch(self, path: str, object: str, **params: str) -> Response:
        """An answer that is a table of texts."""
        response = self._http.request(
            "GET", self._root + path, params=params, headers={"accept": "text/csv"}, object=object, classify=classify
        )
        if response.is_web_page:
            raise response.web_page()
        return response

    def change(self, path: str, object: str, body: Any) -> None:
        """Change one thing."""
        self._http.request("PATCH", self._root + path, json=body, object=object, classify=classify)

    def make(self, path: str, object: str, body: Any) -> Any:
        """Make one thing; the JSON of the answer."""
        return self._http.request("POST", self._root + path, json=body, object=object, classify=classify).json()

    def together(
        self, parts: Sequence[Part], object: str, *, lines: Sequence[str] = (), safe: bool = False
    ) -> list[Any | ProviderError]:
        """Send several requests in one call; of each, in order, the JSON of its answer or the error it stands for.

        One that fails takes no other with it. Headers of the call are not those of its parts, but for three
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm).

        Raises:
            TruncatedError: The answer does not tell of each of them; of a write that does not say whether it was done.
        """
        asked = []
        for number, part in enumerate(parts[:_MANY]):
            query = f"?{urlencode(part.params)}" if part.params else ""
            one = {"method": part.method, "url": f"/{self._root}{part.path}{query}", "referenceId": f"part{number}"}
            one |= {} if part.body is None else {"body": part.body}
            asked.append(one if part.method == "GET" else {**one, "httpHeaders": self._headers})
        body = {"allOrNone": False, "collateSubrequests": False, "compositeRequest": asked}
        meaning = classify if safe else classify_write
        response = self._http.request(
            "POST", f"{self._root}composite", json=body, object=object, lines=lines, safe=safe, classify=meaning
        )
        answer = response.json()
        told = answer.get("compositeResponse") if isinstance(answer, dict) else None
        known = {
            one["referenceId"]: one
            for one in (told if isinstance(told, list) else ())
            if isinstance(one, dict) and isinstance(one.get("referenceId"), str) and isinstance(one.get("httpStatusCode"), int)
        }
        if known.keys() != {one["referenceId"] for one in asked}:
            raise TruncatedError("salesforce does not answer each of several requests", provider="salesforce", object=object)
        return [self._answer(known[one["referenceId"]], object, safe) for one in asked]

    def _answer(self, told: Mapping[str, Any], object: str, safe: bool) -> Any | ProviderError:
        status, body = told["httpStatusCode"], told.get("body")
        if 200 <= status < 300:
            return body
        response = Response(status, {}, json.dumps(body, default=str).encode(), provider="salesforce", object=object)
        error = (classify if safe else classify_write)(response) or by_status(response, now=self._now())
        if isinstance(error, UnavailableError) and not safe:
            return AmbiguousWriteError(error.message, provider="salesforce", object=object, status=status)
        return error or body

    def write(self, parts: Sequence[Part], object: str, lines: Sequence[str] = ()) -> list[list[dict[str, Any]] | ProviderError]:
        """Write several lists of records in one call; of each list the results, one for each record and in their order.

        The active assignment rules are left out: they would hand a lead to another owner than the one that is written
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm).
        """
        if any(_REFERENCE in json.dumps(part.body, default=str, ensure_ascii=False) for part in parts):
            return [_results(self._alone(part, object, lines), object) for part in parts]
        return [_results(answer, object) for answer in self.together(parts, object, lines=lines)]

    def _alone(self, part: Part, object: str, lines: Sequence[str]) -> Any | ProviderError:
        """One of the requests in a call of its own: what a text there looks like means nothing."""
        try:
            return self._http.request(
                part.method,
                self._root + part.path,
                params=part.params,
                json=part.body,
                headers=self._headers,
                object=object,
                lines=lines,
                classify=classify_write,
            ).json()
        except ProviderError as error:
            return error

    def queries(self, soqls: Sequence[str], object: str) -> list[Rows]:
        """The first rows of several queries, of all records as in :meth:`query`, in as few calls as there can be."""
        if len(soqls) == 1:
            return [self.query(soqls[0], object)]
        found = []
        for start in range(0, len(soqls), TOGETHER):
            parts = [Part("GET", "queryAll", params={"q": soql}) for soql in soqls[start : start + TOGETHER]]
            for answer in self.together(parts, object, safe=True):
                if isinstance(answer, ProviderError):
                    raise answer
                found.append(_rows(answer, object, self._now()))
        return found

    def query(self, soql: str, object: str) -> Rows:
        """The first rows of a query; those of deleted and archived records are among them
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_queryall.htm)."""
        return self._rows("queryAll", object, {"q": soql})

    def deleted(self, object: str, start: datetime, end: datetime) -> tuple[dict[str, datetime], datetime]:
        """What the log of deletes says was deleted in a time: id -> when; and up to when it can be relied on
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm).

        Raises:
            CursorGoneError: The log does not reach back so far, or holds too many.
        """
        try:
            dates = {name: at.isoformat(timespec="seconds") for name, at in (("start", start), ("end", end))}
            answer = self.get(f"sobjects/{object}/deleted/", object, **dates)
        except RejectedError as error:
            if "EXCEEDED_ID_LIMIT" not in error.message:
                raise
            raise CursorGoneError(
                f"salesforce's log of deletes is too long: {error.message}", provider="salesforce", object=object
            ) from error
        try:
            told = {str(one["id"]): instant(one["deletedDate"]) for one in answer["deletedRecords"]}
            return told, instant(answer["latestDateCovered"])
        except (KeyError, TypeError, ValueError):
            raise TruncatedError("the log of deletes has another form", provider="salesforce", object=object) from None

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
        response = self._http.request("GET", self._root + path, params=dict(params), object=object, classify=classify)
        return _rows(response.json(), object, self._clock(response))

    def _clock(self, response: Response) -> datetime:
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except (TypeError, ValueError):
            return self._now()
        return theirs.replace(tzinfo=UTC) if theirs.tzinfo is None else theirs.astimezone(UTC)


def _rows(body: Any, object: str, clock: datetime) -> Rows:
    rows, total, done, following = (
        (body.get(name) for name in ("records", "totalSize", "done", "nextRecordsUrl")) if isinstance(body, dict) else (None,) * 4
    )
    whole = isinstance(rows, list) and isinstance(total, int) and isinstance(done, bool)
    if not whole or done is bool(following) or not isinstance(following, (str, type(None))):
        raise TruncatedError("an answer to a query does not say whether it is the last one", provider="salesforce", object=object)
    return Rows(rows or (), total or 0, following or "", clock)


def _results(answer: Any, object: str) -> list[dict[str, Any]] | ProviderError:
    if isinstance(answer, ProviderError):
        return answer
    if not isinstance(answer, list) or not all(isinstance(one, dict) and "success" in one for one in answer):
        return TruncatedError("the answer to a write is no list of results", provider="salesforce", object=object)
    return answer


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
