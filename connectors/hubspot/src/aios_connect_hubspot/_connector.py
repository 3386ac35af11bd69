"""HubSpot as a provider: the CRM's objects, read whole or by what changed, written in guarded batches."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aios_connect.connectors import (
    Auth,
    AuthError,
    Change,
    ConfigError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    Hint,
    Identity,
    Limit,
    NotFoundError,
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    RejectedError,
    Request,
    ScanPage,
    Schema,
    Setting,
    TruncatedError,
)

from . import _webhooks
from ._activities import ACTIVITIES, SPEC, Activities
from ._objects import KEY, OBJECTS
from ._reading import Reader
from ._schema import OWNER, Properties, has_key, key_scope, make_key, schema_of
from ._wire import API, Wire
from ._writing import Writer

__all__ = ["HubSpot"]

_LIMITS: Final = "https://developers.hubspot.com/docs/guides/apps/api-usage/usage-details"

_URL: Final = "https://api.hubapi.com"

_OAUTH: Final = "2026-03"
"""Version of the addresses of tokens; v1 ends on 16 February 2027 (https://developers.hubspot.com/changelog/v1-oauth-api-deprecation)."""

_SCOPES: Final[Mapping[str, str]] = {
    "crm.objects.contacts.read": "read contacts",
    "crm.objects.contacts.write": "write contacts",
    "crm.objects.companies.read": "read companies",
    "crm.objects.companies.write": "write companies",
    "crm.objects.deals.read": "read deals",
    "crm.objects.deals.write": "write deals",
    "crm.objects.owners.read": "read owners",
    "crm.schemas.contacts.write": "make our key on contacts",
    "crm.schemas.companies.write": "make our key on companies",
    "crm.schemas.deals.write": "make our key on deals",
    "tickets": "read and write tickets",
    "sales-email-read": "read e-mails",
    "oauth": "sign in",
}


_KEYED: Final = tuple(name for name, kind in OBJECTS.items() if kind.group)

_log = logging.getLogger("aios_connect.hubspot")


class HubSpot(Connector):
    """One HubSpot account."""

    spec = ConnectorSpec(
        provider="hubspot",
        title="HubSpot",
        docs="https://developers.hubspot.com/docs/reference/api",
        auth=(
            Auth("key", help="Settings > Integrations > Private apps: make an app, then copy its access token."),
            Auth(
                "oauth2",
                help="A public app of your own, from a HubSpot developer account.",
                authorize_url="https://app.hubspot.com/oauth/authorize",
                token_url=f"https://api.hubapi.com/oauth/{_OAUTH}/token",
                revoke_url=f"https://api.hubapi.com/oauth/{_OAUTH}/token/revoke",
                scopes=_SCOPES,
                loopback="localhost",  # https://developers.hubspot.com/changelog/2018-03-05-oauth2-redirect-uri-served-over-http-localhost
                client_auth="post",
            ),
        ),
        settings=(
            Setting("url", help="Address of the API.", default=_URL),
            Setting("api", help="Version of the API: v3, or the date of a dated one.", default=API),
        ),
        objects={name: kind.spec() for name, kind in OBJECTS.items()}
        | {
            ACTIVITIES: SPEC,
            "owners": ObjectSpec(
                title="Owners", verbs=frozenset({"read"}), modified="updatedAt", version="updatedAt", deletes="tombstones"
            ),
        },
        limits=(
            # Of a private app on a Professional account. On a smaller one, what HubSpot says in its answers lowers it; of a day it
            # says how many there are.
            Limit(190, 10, source=_LIMITS, left="X-HubSpot-RateLimit-Remaining"),
            Limit(
                650_000,
                86_400,
                source=_LIMITS,
                reserve=0.1,
                left="X-HubSpot-RateLimit-Daily-Remaining",
                most="X-HubSpot-RateLimit-Daily",
            ),
            Limit(5, 1, scope="search", source=_LIMITS),
        ),
        webhooks=True,
        sandbox="aios_connect_hubspot.sandbox:playground",
        proof="sandbox + vendor spec + the vendor's own clients",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wire = Wire(context)
        self._reader = Reader(self._wire, Properties(self._wire))
        self._writer = Writer(self._wire, self._reader, context.connection)
        self._activities = Activities(self._reader, self._writer)

    def check(self) -> Identity:
        account, _ = self._wire.get("account-info/v3/details")
        if "portalId" not in account:
            raise TruncatedError("hubspot does not say which account this is", provider="hubspot")
        details = {name: str(account[name]) for name in ("accountType", "timeZone", "companyCurrency") if account.get(name)}
        user, scopes = self._token()
        missing = {} if scopes is None else {what: f"scope {scope}" for scope, what in _SCOPES.items() if scope not in scopes}
        missing.pop("sign in", None)
        return Identity(f"HubSpot {account['portalId']}", user, details, missing if scopes is not None else self._keyless())

    def describe(self, object: str) -> Schema:
        if object == ACTIVITIES:
            return self._activities.schema(self.describe)
        return OWNER if object == "owners" else schema_of(self._wire, self._known(object))

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        if object == ACTIVITIES:
            return self._activities.read(since)
        return self._reader.owners(since) if object == "owners" else self._reader.read(self._known(object), since)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        if object == "owners":
            asked = set(ids)
            return [raw for page in self._reader.owners() for raw in page.records if raw["id"] in asked]
        if object == ACTIVITIES:
            return self._activities.lookup(ids)
        return self._reader.lookup(self._known(object), ids)

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        if object == ACTIVITIES or not OBJECTS[self._known(object)].group:
            return super().find(object, keys)
        return self._reader.find(object, KEY, keys)

    def scan(self, object: str) -> Iterator[ScanPage]:
        if object == ACTIVITIES:
            return self._activities.scan()
        return self._owners_scan() if object == "owners" else self._reader.scan(self._known(object))

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        if object == "owners":
            raise RejectedError("HubSpot's owners are its users and cannot be written", provider="hubspot", object=object)
        if object == ACTIVITIES:
            return self._activities.write(changes)
        return self._writer.write(self._known(object), changes)

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        return self._activities.calls(changes) if object == ACTIVITIES else self._writer.calls(object, changes)

    def receive(self, request: Request) -> Sequence[Hint]:
        """Verify a webhook with the client secret of the app, and say what to read.

        Raises:
            AuthError: It is not HubSpot's, or not of this moment; or the connection has no client secret.
            RejectedError: It is signed, and no list of events.
        """
        _webhooks.verify(request, self.context.credentials.secret("client_secret"), now=self.context.now())
        return _webhooks.hints(request.body)

    def provision(self) -> list[str]:
        """Make the property ``aios_key`` with unique values on the objects that have a place for it, where the app may make one."""
        made = []
        for name in _KEYED:
            try:
                made.append(make_key(self._wire, name))
            except AuthError as refused:
                if refused.status != 403:
                    raise
                _log.info("there is no property %s on %s: %s", KEY, name, refused.message)  # the check says what it takes
        return [what for what in made if what]

    def native(self) -> Any:
        """HubSpot's own client (PyPI: hubspot-api-client), with a fresh access token."""
        try:
            from hubspot import HubSpot as Client  # type: ignore[import-untyped]
        except ImportError as error:
            raise ConfigError(
                "HubSpot's own client is not installed", hint="pip install 'aios-connect-hubspot[native]'"
            ) from error
        return Client(access_token=self._secret(), host=self.context.settings.get("url", _URL))

    def close(self) -> None:
        self.context.http.close()

    def _owners_scan(self) -> Iterator[ScanPage]:
        for page in self._reader.owners():
            yield ScanPage([(raw["id"], raw["updatedAt"]) for raw in page.records], page.complete)

    def _token(self) -> tuple[str, frozenset[str] | None]:
        """Who the token acts for, and its scopes if HubSpot tells them: a service key tells nothing of itself.

        https://developers.hubspot.com/docs/api-reference/latest/authentication/oauth-tokens/token-introspect
        """
        credentials = self.context.credentials
        try:
            if credentials.auth.kind == "key":
                told, _ = self._wire.post(
                    "oauth/v2/private-apps/get/access-token-info", "", {"tokenKey": self._secret()}, safe=True
                )
                user = f"private app {told.get('appId', '')}".strip()
            else:
                client = self.context.settings.get("client_id", "")
                asked = {"client_id": client, "client_secret": self._app_secret(), "token": self._secret()}
                if not all(asked.values()):
                    return "an app", None
                told = self._wire.form(f"oauth/{_OAUTH}/token/introspect", asked)
                user = str(told.get("user") or "an app")
        except (NotFoundError, RejectedError):
            return "an app", None
        scopes = told.get("scopes")
        return user, frozenset(map(str, scopes)) if isinstance(scopes, list) else None

    def _app_secret(self) -> str:
        """The secret of the app; empty for who brought along nothing but an access token."""
        try:
            return self.context.credentials.secret("client_secret")
        except AuthError:
            return ""

    def _keyless(self) -> dict[str, str]:
        """What cannot be done without our property -> the scope that permits to make it; of who is not told the scopes of a token."""
        missing = {}
        for name in _KEYED:
            scope = f"scope {key_scope(name)}, and aios connect again: it makes the property {KEY}"
            try:
                if not has_key(self._wire, name):
                    missing[f"create {name} without the risk of making one twice"] = scope
            except AuthError as refused:
                if refused.status != 403:
                    raise
                missing[f"read {name}"] = refused.hint
        return missing

    def _secret(self) -> str:
        credentials = self.context.credentials
        return credentials.secret("key") if credentials.auth.kind == "key" else credentials.access_token()

    def _known(self, object: str) -> str:
        if object not in OBJECTS:
            raise RejectedError(
                f"HubSpot has no object {object!r} here",
                hint=f"one of {', '.join(self.spec.objects)}; native() reaches everything else",
                provider="hubspot",
                object=object,
            )
        return object
