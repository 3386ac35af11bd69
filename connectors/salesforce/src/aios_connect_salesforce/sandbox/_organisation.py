"""A fake Salesforce organisation: signing in, limits, hazards, and what its people do; the routes to its records are elsewhere."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from aios_connect.sandbox import Answer, Call, RefusedError, Schedule, SimClock, Tokens, Vendor, route

from ._fields import Field, tables
from ._records import Records
from ._soql import Query, error

__all__ = ["REFRESH", "TOKEN", "VERSION", "Hazards", "Locator", "Organisation", "encoded"]

TOKEN: Final = "00D5j0000000001!sandbox-session-0000"  # noqa: S105  # no secret: everybody may use the sandbox
"""A session that never ends."""

REFRESH: Final = "sandbox-refresh-token"

VERSION: Final = "v61.0"
"""The version it tells; it takes any."""


@dataclass(frozen=True, slots=True)
class Hazards:
    """What is hard about Salesforce. All of it is on unless it is turned off.

    Attributes:
        latency: Seconds a call takes; assumed.
        page: Rows a call of a query brings at most (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_queryoptions.htm).
        wide: Rows of a query with two or more long texts (https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_changing_batch_size.htm).
        locators: Queries a user may have open; the oldest is closed (simple-salesforce/simple-salesforce#95; Salesforce has lifted the limit since).
        daily: Calls a day (https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/).
        job: Seconds a query job takes; assumed.
        results: Rows of a job a call brings at most (https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/); how many is assumed.
        abouts: So many different records activities may be about, before a query for them is given up on for a user who may not see all
            data (singer-io/tap-salesforce#98).
        locks: Every so many-th record that is written is locked by another transaction for a moment; how often is assumed.
        one_session: A refresh ends the session before it, and its open queries (airbytehq/airbyte#84302).
        duplicates: A duplicate rule warns of a person whose e-mail address is taken (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm).
        assignment: An assignment rule gives a new lead to somebody else (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm).
    """

    latency: float = 0.1
    page: int = 2000
    wide: int = 200
    locators: int = 10
    daily: int = 100_000
    job: float = 20.0
    results: int = 50_000
    abouts: int = 100_000
    locks: int = 97
    one_session: bool = True
    duplicates: bool = True
    assignment: bool = True

    @classmethod
    def none(cls) -> Hazards:
        """An organisation as the documentation's examples show it."""
        return cls(0.0, 2000, 2000, 10**9, 10**9, 0.0, 50_000, 10**9, 0, False, False, False)


@dataclass(slots=True)
class Locator:
    """An open query.

    Attributes:
        query: What was asked.
        ids: What it found, in its order.
        at: When it was opened.
        token: The session it belongs to.
        deleted: Records in the bin are shown, too.
    """

    query: Query
    ids: Sequence[str]
    at: datetime
    token: str
    deleted: bool
    object: str = field(default="")


class Organisation(Vendor):
    """One fake organisation, without the routes to its records.

    Args:
        clock: Its time.
        schedule: What goes wrong on the wire.
        hazards: What is hard about it.
        seed: The same seed gives the same session names.
        currencies: Of an organisation with several; with none given it has one, and its records do not say which.
        forbidden: What the user may not do: ``"create Lead"``, ``"fields"`` for making fields, ``"all data"`` for seeing it all.

    Attributes:
        tables: By object: what its records consist of.
        records: By object: its records.
        user: The id of the user who signs in.
        tokens: Access and refresh tokens; a refresh token works once.
        refused: How many calls were refused for a limit.
        unseen: Custom fields that nobody may see yet, by their full names.
    """

    def __init__(
        self,
        clock: SimClock | None = None,
        schedule: Schedule | None = None,
        *,
        hazards: Hazards = Hazards(),
        seed: int = 0,
        currencies: Sequence[str] = (),
        forbidden: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(clock, schedule)
        self.hazards = hazards
        self.random = random.Random(f"{seed}:salesforce")  # noqa: S311  # no secret
        self.forbidden = forbidden
        self.tables = tables()
        if currencies:
            for object in ("Account", "Lead", "Opportunity"):
                code = Field("CurrencyIsoCode", "picklist", 3, creatable=True, updatable=True, defaulted=True, nillable=True)
                self.tables[object].fields["CurrencyIsoCode"] = replace(code, choices=tuple(currencies), restricted=True)
        self.currencies = tuple(currencies)
        self.records = {name: Records(self.clock, table, "") for name, table in self.tables.items()}
        self.user = self._furnished()
        self.records = {name: self._own(name) for name in self.tables}
        self.tokens = Tokens(self.clock, REFRESH, lifetime=7200.0, rotates=True)
        self.refused = 0
        self.unseen: dict[str, Field] = {}
        self._session = ""
        self._inside = False
        self._calls: deque[datetime] = deque()
        self._locators: dict[str, Locator] = {}
        self._opened = 0
        self._written = 0

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one request."""
        self.clock.sleep(self.hazards.latency)
        answer = super().exchange(method, url, headers, body)
        more = {"date": format_datetime(self.clock.now(), usegmt=True)}
        if "/services/data" in url:
            more["sforce-limit-info"] = f"api-usage={len(self._calls)}/{self.hazards.daily}"
        return replace(answer, headers={**more, **answer.headers})

    def enter(self, call: Call) -> str:
        """Let a call in, if its session is good and the day's limit is not reached; the session.

        Raises:
            RefusedError: 401 or 403.
        """
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        ended = self.hazards.one_session and token not in (self._session, TOKEN)
        if token != TOKEN and (not self.tokens.works(token) or ended):
            raise RefusedError(401, error("INVALID_SESSION_ID", "Session expired or invalid"))
        if self._inside:
            return token
        now = self.clock.now()
        while self._calls and (now - self._calls[0]).total_seconds() >= 86_400:
            self._calls.popleft()
        if len(self._calls) >= self.hazards.daily:
            self.refused += 1
            raise RefusedError(403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
        self._calls.append(now)
        return token

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Requests that come in another one, and count for nothing."""
        self._inside = True
        try:
            yield
        finally:
            self._inside = False

    @route("POST", "/services/oauth2/token")
    def token(self, call: Call) -> Any:
        """A new access token. When it ends is not said: a session lives as long as the organisation lets it
        (https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm)."""
        form = dict(parse_qsl(call.body.decode()))
        fresh = self.tokens.refresh(form.get("refresh_token", "")) if form.get("grant_type") == "refresh_token" else None
        if fresh is None:
            raise RefusedError(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        self._session = str(fresh["access_token"])
        at = str(int(self.clock.now().timestamp() * 1000))
        return {
            "access_token": self._session,
            "refresh_token": fresh["refresh_token"],
            "instance_url": _home(call),
            "id": self._identity(call),
            "issued_at": at,
            "signature": "c2FuZGJveA==",
            "scope": "refresh_token api",
            "token_type": "Bearer",
        }

    @route("POST", "/services/oauth2/revoke")
    def revoke(self, call: Call) -> Any:
        return Answer(200)

    @route("GET", "/services/data/{version}/?")
    def resources(self, call: Call, version: str) -> Any:
        self.enter(call)
        names = ("query", "queryAll", "sobjects", "limits", "composite", "tooling", "jobs")
        return {"identity": self._identity(call), **{name: f"/services/data/{version}/{name}" for name in names}}

    @route("GET", "/services/data/{version}/limits/?")
    def limits(self, call: Call, version: str) -> Any:
        self.enter(call)
        left = self.hazards.daily - len(self._calls)
        return {"DailyApiRequests": {"Max": self.hazards.daily, "Remaining": left}}

    def opened(self, locator: Locator) -> str:
        """Keep a query open; the oldest is closed when there are too many of a user's."""
        self._opened += 1
        name = f"0r8xx{self._opened:010d}AAA"
        self._locators[name] = locator
        while len(self._locators) > self.hazards.locators:
            del self._locators[next(iter(self._locators))]
        return name

    def locator(self, name: str, token: str) -> Locator:
        """An open query.

        Raises:
            RefusedError: It was closed, or belongs to another session.
        """
        found = self._locators.get(name)
        if found is None or (self.clock.now() - found.at).total_seconds() > 2 * 86_400:
            raise RefusedError(400, error("INVALID_QUERY_LOCATOR", "invalid query locator"))
        if found.token != token:
            raise RefusedError(401, error("INVALID_SESSION_ID", "Session expired or invalid"))
        return found

    def closed(self) -> None:
        """All open queries are closed."""
        self._locators.clear()

    def is_locked(self) -> bool:
        """Another transaction keeps the record to itself that is to be written now."""
        self._written += 1
        return bool(self.hazards.locks) and self._written % self.hazards.locks == 0

    def used_by_others(self, count: int) -> None:
        """Other tools of the company make so many calls now."""
        self._calls.extend([self.clock.now()] * count)

    def add_field(self, object: str, field: Field) -> None:
        """Somebody makes a custom field."""
        self.tables[object].fields[field.name] = field
        for row in self.records[object].all():
            row.setdefault(field.name, None)

    def merged(self, object: str, survivor: str, other: str) -> None:
        """Somebody merges a record into another: what pointed at the one points at the other
        (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm)."""
        records = self.records[object]
        kept, lost = records.get(survivor), records.get(other)
        if kept is None or lost is None:
            raise KeyError(other)
        for name, one in self.tables[object].fields.items():
            if one.updatable and kept.get(name) is None and lost.get(name) is not None and not one.external:
                kept[name] = lost[name]
        for of, table in self.tables.items():
            pointing = [field.name for field in table.fields.values() if object in field.to and field.updatable]
            for row in list(self.records[of]):
                moved = {name: kept["Id"] for name in pointing if row.get(name) == lost["Id"]}
                if moved:
                    self.records[of].change(row["Id"], moved)
        records.remove(other, survivor=kept["Id"])
        records.change(survivor, {})

    def converted(self, lead: str, contact: str) -> None:
        """Somebody converts a lead: it lives on in a contact, and tasks and events move there
        (https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm)."""
        found = self.records["Contact"].get(contact)
        old = self.records["Lead"].get(lead)
        if found is None or old is None:
            raise KeyError(lead)
        told = {"IsConverted": True, "Status": "Closed - Converted", "ConvertedDate": self.clock.now().date().isoformat()}
        told |= {"ConvertedContactId": found["Id"], "ConvertedAccountId": found.get("AccountId")}
        self.records["Lead"].change(lead, told)
        for of in ("Task", "Event"):
            for row in [row for row in self.records[of] if row.get("WhoId") == old["Id"]]:
                self.records[of].change(row["Id"], {"WhoId": found["Id"]})

    def _own(self, name: str) -> Records:
        kept = self.records[name]
        if name in ("User", "Organization", "PermissionSet", "UserPermissionAccess"):
            return kept
        return Records(self.clock, self.tables[name], self.user)

    def _furnished(self) -> str:
        """The user who signs in, the organisation, and the permission set of the user's profile."""
        profile = "00e5j000000ProfAAA"
        person = {"FirstName": "Ingrid", "LastName": "Integration", "Username": "integration@example.com", "Alias": "integ"}
        facts = {"Email": "integration@example.com", "IsActive": True, "ProfileId": profile, "UserType": "Standard"}
        user = self.records["User"].create({**person, **facts, "TimeZoneSidKey": "Europe/Oslo", "LocaleSidKey": "en_GB"})
        self.records["Organization"].create({"Name": "Fjord Facility Services", "OrganizationType": "Enterprise Edition"})
        self.records["PermissionSet"].create({"Name": "X00e5j", "ProfileId": profile, "IsOwnedByProfile": True})
        self.records["UserPermissionAccess"].create({"PermissionsViewAllData": "all data" not in self.forbidden})
        return str(user["Id"])

    def _identity(self, call: Call) -> str:
        organisation = next(iter(self.records["Organization"]))["Id"]
        return f"https://login.salesforce.com/id/{organisation}/{self.user}"


def encoded(value: Any, status: int = 200) -> Answer:
    """An answer whose numbers are written digit by digit."""
    import msgspec

    try:
        body = msgspec.json.Encoder(decimal_format="number").encode(value)
    except UnicodeEncodeError:  # half a character goes out as an escape
        body = json.dumps(value, default=lambda one: float(one) if isinstance(one, Decimal) else str(one)).encode()
    return Answer(status, body, {"content-type": "application/json;charset=UTF-8"})


def _home(call: Call) -> str:
    host = call.headers.get("host", "")
    return f"{'http' if host.startswith(('127.', 'localhost')) else 'https'}://{host}"
