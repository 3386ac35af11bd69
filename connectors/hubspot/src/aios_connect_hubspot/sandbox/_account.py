"""What surrounds the records of a fake account: who signs in, limits, properties, pipelines, owners; and how time passes there."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from aios_connect.sandbox import Answer, Call, Delivery, Outbox, RefusedError, Schedule, SimClock, Target, Tokens, Vendor, route

from ._associations import Associations
from ._properties import STAGES, definitions, error
from ._records import Record, Records
from ._webhooks import ADDRESS, SECRET, Announcer

__all__ = ["OBJECTS", "REFRESH", "TOKEN", "Account", "Hazards", "stamp_of", "text_of"]

TOKEN: Final = "pat-na1-sandbox-0000"  # noqa: S105  # no secret: everybody may use the sandbox
"""The private app token of every sandbox."""

REFRESH: Final = "sandbox-refresh-token"

OBJECTS: Final = ("companies", "contacts", "deals", "tickets", "notes", "tasks", "calls", "meetings", "emails")

_PAGE: Final = b"<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404</h2></body></html>"
_HTML: Final = {"content-type": "text/html;charset=iso-8859-1"}
_MADE: Final = "2025-11-03T09:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Hazards:
    """What is hard about HubSpot. All of it is on unless it is turned off.

    Attributes:
        lag: Mean seconds, exponential, until search knows of a change. That it lags: airbytehq/airbyte#69203; the mean is assumed.
        latency: Seconds a call takes; assumed.
        burst: Calls in any 10 s (https://developers.hubspot.com/docs/guides/apps/api-usage/usage-details).
        searches: Searches in any second (https://developers.hubspot.com/changelog/increasing-our-api-limits).
        daily: Calls a day (as for burst).
        shuffled: Batches answer in another order than asked; assumed, as no page promises an order.
        stale_archived_at: Of a contact in the bin, ``archivedAt`` is its last change (https://developers.hubspot.com/changelog/new-definition-for-archivedat).
        twice_in_bin: A record archived, restored and archived again is listed twice (supaglue-labs/supaglue, its ``DISTINCT ON``).
        html_404: What is not there is answered with a web page (HubspotCommunity/hubspot-ruby#124).
    """

    lag: float = 3.0
    latency: float = 0.1
    burst: int = 190
    searches: int = 5
    daily: int = 650_000
    shuffled: bool = True
    stale_archived_at: bool = True
    twice_in_bin: bool = True
    html_404: bool = True

    @classmethod
    def none(cls) -> Hazards:
        """An account as the documentation's examples show it."""
        unlimited = 10**9
        return cls(0.0, 0.0, unlimited, unlimited, unlimited, False, False, False, False)


class Account(Vendor):
    """One fake HubSpot account, without the routes to its records.

    Args:
        clock: Its time.
        schedule: What goes wrong on the wire.
        hazards: What is hard about it.
        seed: The same seed gives the same lags and orders.
        scopes: What the token may do; everything, if not given.

    Attributes:
        records: By object: what there is, with its history.
        associations: Which record points at which.
        owners: As the API shows them.
        tokens: Access tokens of a public app, of half an hour. HubSpot's refresh tokens do not rotate.
        refused: How many calls were answered with 429.
    """

    def __init__(
        self,
        clock: SimClock | None = None,
        schedule: Schedule | None = None,
        *,
        hazards: Hazards = Hazards(),
        seed: int = 0,
        scopes: frozenset[str] | None = None,
    ) -> None:
        super().__init__(clock, schedule)
        self.hazards = hazards
        self.random = random.Random(f"{seed}:hubspot")  # noqa: S311  # no secret
        self.scopes = scopes
        self._announcer = Announcer(self.clock)
        self.associations = Associations(self._lives)
        self.associations.tell = self._announcer.tell_link
        self.owners: list[dict[str, Any]] = []
        self.refused = 0
        self.properties = {object: definitions(object, stamp_of(object)) for object in OBJECTS}
        self.records = {
            object: Records(self.clock, 1_000 * 7 ** (number + 5), self._lag) for number, object in enumerate(OBJECTS)
        }
        for object, records in self.records.items():
            records.tell = partial(self._tell, object)
        self.records["contacts"].unique.add("email")
        self.tokens = Tokens(self.clock, REFRESH)
        self._calls: deque[datetime] = deque()
        self._searches: deque[datetime] = deque()
        self._day: tuple[str, int] = ("", 0)

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one request; paths of the dated API lead to the same place as those of v3."""
        self.clock.sleep(self.hazards.latency)
        answer = super().exchange(method, _undated(url), headers, body)
        more = {"date": format_datetime(self.clock.now(), usegmt=True), "x-hubspot-correlation-id": f"c-{len(self.log)}"}
        if "/search" not in url:  # https://developers.hubspot.com/docs/guides/api/crm/search#rate-limits
            more |= {
                "x-hubspot-ratelimit-max": str(self.hazards.burst),
                "x-hubspot-ratelimit-remaining": str(max(0, self.hazards.burst - len(self._calls))),
                "x-hubspot-ratelimit-interval-milliseconds": "10000",
                "x-hubspot-ratelimit-daily": str(self.hazards.daily),
                "x-hubspot-ratelimit-daily-remaining": str(max(0, self.hazards.daily - self._day[1])),
            }
        return replace(answer, headers={**more, **answer.headers})

    def subscribe(
        self, target: Target, *, url: str = ADDRESS, secret: str = SECRET, delivery: Delivery = Delivery(), seed: int = 0
    ) -> Outbox:
        """Send webhooks of everything that happens from now on; :meth:`~aios_connect.sandbox.Outbox.deliver` sends what is due.

        Args:
            target: Who takes them: a callable, or :func:`aios_connect.sandbox.at_url`.
            url: The address that is signed.
            secret: The client secret of the app.
            delivery: How late, how often, in which order.
            seed: Decides that.
        """
        return self._announcer.subscribe(target, url=url, secret=secret, delivery=delivery, seed=seed)

    def enter(self, call: Call, scope: str = "") -> None:
        """Let a call in, if its token is good, its scope granted and no limit reached.

        Raises:
            RefusedError: 401, 403 or 429.
        """
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        works = self.tokens.works(token)
        if works is False:
            raise RefusedError(401, error("The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION"))
        if token != TOKEN and works is None:
            raise RefusedError(401, error("Authentication credentials not found.", "INVALID_AUTHENTICATION"))
        if scope and self.scopes is not None and scope not in self.scopes:
            needed = {
                "context": {"requiredGranularScopes": [scope]},
                "message": "One or more of the following scopes are required.",
            }
            raise RefusedError(403, error("This app hasn't been granted all required scopes.", "MISSING_SCOPES", errors=[needed]))
        self._count(call)

    def missing(self, message: str = "resource not found") -> Answer:
        """The answer for what is not there."""
        if self.hazards.html_404:
            return Answer(404, _PAGE, _HTML)
        return Answer.json(error(message, "OBJECT_NOT_FOUND"), 404)

    @route("POST", "/oauth/v3/token")
    def token(self, call: Call) -> Any:
        form = dict(parse_qsl(call.body.decode()))
        fresh = self.tokens.refresh(form.get("refresh_token", ""))
        if fresh is None:
            said = "refresh token is invalid, expired or revoked"
            told = {"error": "invalid_grant", "error_description": said, "status": "BAD_REFRESH_TOKEN"}
            raise RefusedError(400, error(said, "BAD_REFRESH_TOKEN") | told)
        return fresh

    @route("POST", "/oauth/v1/token")
    def token_v1(self, call: Call) -> Any:
        return self.token(call)

    @route("POST", "/oauth/v3/token/revoke")
    def revoke(self, call: Call) -> Any:
        """The refresh token ends; access tokens that were made of it go on until they end by themselves."""
        self.tokens.revoke(dict(parse_qsl(call.body.decode())).get("token", ""))
        return Answer(200)

    @route("POST", "/oauth/v3/token/introspect")
    def introspect(self, call: Call) -> Any:
        """What a token of an app is good for; the signed copy of it that HubSpot sends along is left out."""
        token = dict(parse_qsl(call.body.decode())).get("token", "")
        if self.scopes is None:
            return self.missing()
        facts = {"hub_id": 24680, "user_id": 71, "client_id": "app", "app_id": 1357, "token": token, "token_type": "access"}
        more = {"user": "ida@example.com", "hub_domain": "example.com", "is_private_distribution": False, "expires_in": 1800}
        return {"active": True, "token_use": "access_token", "scopes": sorted(self.scopes), **facts, **more}

    @route("GET", "/oauth/v1/access-tokens/{token}")
    def access_token(self, call: Call, token: str) -> Any:
        self.enter(call)
        whose = {"user": "nora@example.com", "user_id": 71, "hub_id": 24680, "app_id": 1357}
        return {"token": token, "token_type": "access", "expires_in": 1800, "scopes": sorted(self.scopes or ()), **whose}

    @route("POST", "/oauth/v2/private-apps/get/access-token-info")
    def app_token(self, call: Call) -> Any:
        """What a private app's token may do; that there is such an address is assumed, see ``EVIDENCE``."""
        self.enter(call)
        if self.scopes is None:
            return self.missing()
        return {"userId": 71, "hubId": 24680, "appId": 1357, "scopes": sorted(self.scopes)}

    @route("GET", "/account-info/v3/details")
    def details(self, call: Call) -> Any:
        self.enter(call)
        return {"portalId": 24680, "accountType": "STANDARD", "timeZone": "US/Pacific", "companyCurrency": "USD"}

    @route("GET", "/crm/v3/properties/{object}")
    def list_properties(self, call: Call, object: str) -> Any:
        self.enter(call)
        return {"results": list(self._of(object).values())}

    @route("GET", "/crm/v3/properties/{object}/{name}")
    def one_property(self, call: Call, object: str, name: str) -> Any:
        self.enter(call)
        return self._of(object).get(name) or self.missing()

    @route("POST", "/crm/v3/properties/{object}")
    def make_property(self, call: Call, object: str) -> Any:
        self.enter(call, "tickets" if object == "tickets" else f"crm.schemas.{object}.write")
        asked, known = call.json(), self._of(object)
        if asked["name"] in known:
            raise RefusedError(409, error(f"A property named '{asked['name']}' already exists.", "OBJECT_ALREADY_EXISTS"))
        options = [{"hidden": False, **option} for option in asked.get("options") or ()]
        meant = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False}
        made = {"description": "", "hasUniqueValue": False, "calculated": False, **asked, "options": options}
        known[asked["name"]] = made | {"hubspotDefined": False, "modificationMetadata": meant}
        if made["hasUniqueValue"]:
            self.records[object].unique.add(asked["name"])
        return Answer.json(known[asked["name"]], 201)

    @route("GET", "/crm/v3/pipelines/{object}")
    def pipelines(self, call: Call, object: str) -> Any:
        self.enter(call)
        stages = [
            {
                "id": id,
                "label": label,
                "displayOrder": number,
                "metadata": {"probability": str(chance), "isClosed": str(chance in (0.0, 1.0)).lower()},
                "createdAt": _MADE,
                "updatedAt": _MADE,
                "archived": False,
            }
            for number, (id, label, chance) in enumerate(STAGES.get(object, ()))
        ]
        named = {"id": "default" if object == "deals" else "0", "label": "Sales" if object == "deals" else "Support"}
        pipeline = {**named, "displayOrder": 0, "stages": stages, "createdAt": _MADE, "updatedAt": _MADE, "archived": False}
        return {"results": [pipeline] if stages else []}

    @route("GET", "/crm/v3/owners")
    def list_owners(self, call: Call) -> Any:
        self.enter(call, "crm.objects.owners.read")
        archived = call.query.get("archived", "").lower() == "true"
        email = call.query.get("email")
        found = [owner for owner in self.owners if owner["archived"] is archived and email in (None, owner["email"])]
        limit, start = int(call.query.get("limit") or 100), int(call.query.get("after") or 0)
        paging = {"paging": {"next": {"after": str(start + limit)}}} if start + limit < len(found) else {}
        return {"results": found[start : start + limit], **paging}

    @route("GET", "/crm/v3/owners/{id}")
    def one_owner(self, call: Call, id: str) -> Any:
        self.enter(call, "crm.objects.owners.read")
        return next((owner for owner in self.owners if owner["id"] == id), None) or self.missing()

    def _of(self, object: str) -> dict[str, dict[str, Any]]:
        if object not in self.properties:
            raise RefusedError(400, error(f"Unable to infer object type from: {object}", "VALIDATION_ERROR"))
        return self.properties[object]

    def _lives(self, object: str, id: int) -> bool:
        record = self.records[object].get(id)
        return record is not None and record.id == id

    def _tell(self, object: str, what: str, record: Record, values: Mapping[str, str]) -> None:
        if what != "propertyChange":
            self._announcer.tell(object, what, record.id)
        for name, value in values.items() if what == "propertyChange" else ():
            self._announcer.tell(object, what, record.id, propertyName=name, propertyValue=value)

    def _lag(self) -> float:
        return self.random.expovariate(1 / self.hazards.lag) if self.hazards.lag else 0.0

    def _count(self, call: Call) -> None:
        now = self.clock.now()
        today = now.date().isoformat()
        self._day = (today, self._day[1] + 1 if self._day[0] == today else 1)
        search = call.path.endswith("/search")
        windows = [(self._calls, 10.0, self.hazards.burst, "TEN_SECONDLY_ROLLING")]
        if search:
            windows = [(self._searches, 1.0, self.hazards.searches, "SECONDLY")]
        for window, seconds, most, policy in windows:
            while window and (now - window[0]).total_seconds() >= seconds:
                window.popleft()
            if len(window) >= most:
                self._too_many(policy)
            window.append(now)
        if self._day[1] > self.hazards.daily:
            self._too_many("DAILY")

    def _too_many(self, policy: str) -> None:
        self.refused += 1
        message = f"You have reached your {policy.lower()} limit."
        raise RefusedError(429, error(message, "RATE_LIMITS", errorType="RATE_LIMIT", policyName=policy))


def stamp_of(object: str) -> str:
    """The property with the instant of the last change."""
    return "lastmodifieddate" if object == "contacts" else "hs_lastmodifieddate"


def text_of(instant: datetime) -> str:
    """An instant in HubSpot's form."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _undated(url: str) -> str:
    """The v3 path of a dated one; parameters that come several times joined by commas, as HubSpot takes both."""
    parts = urlsplit(url)
    path = re.sub(r"^/crm/associations/20\d\d-\d\d/", "/crm/v4/associations/", parts.path)
    path = re.sub(r"^/crm/(\w+)/20\d\d-\d\d(?=/|$)", r"/crm/v3/\1", path)
    path = re.sub(r"^/oauth/20\d\d-\d\d/", "/oauth/v3/", path)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    return f"{path.rstrip('/')}?{urlencode(query)}" if query else path.rstrip("/")
