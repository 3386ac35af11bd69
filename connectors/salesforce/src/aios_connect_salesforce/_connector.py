"""Salesforce as a provider: what its sales people keep, read by what changed, written in guarded collections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from aios_connect.connectors import (
    Auth,
    AuthError,
    Change,
    ConfigError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    Identity,
    Limit,
    NotFoundError,
    Page,
    Raw,
    Receipt,
    RejectedError,
    ScanPage,
    Schema,
    Setting,
    TruncatedError,
)

from ._bulk import Bulk
from ._key import missing_keys, provision
from ._objects import OBJECTS, PEOPLE
from ._people import PARTS, SPEC, People
from ._reading import Reader
from ._schema import Schemas, schema_of
from ._wire import API, Wire, literal
from ._writing import Writer

__all__ = ["Salesforce"]

_LIMITS: Final = (
    "https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/"
    "salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm"
)

_RIGHTS: Final[Mapping[str, str]] = {
    "queryable": "Read",
    "createable": "Create",
    "updateable": "Edit",
    "deletable": "Delete",
}
"""What Salesforce says of an object -> the permission of that name."""

_SEES_ALL: Final = "PermissionsViewAllData"


class Salesforce(Connector):
    """One Salesforce organisation."""

    spec = ConnectorSpec(
        provider="salesforce",
        title="Salesforce",
        docs="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
        auth=(
            Auth(
                "oauth2",
                help="An external client app, or a connected app, of your own: Setup > App Manager. Its callback address is "
                "http://127.0.0.1:8765/callback, for aios connect --port 8765.",
                authorize_url="{url}/services/oauth2/authorize",
                token_url="{url}/services/oauth2/token",  # noqa: S106  # an address
                revoke_url="{url}/services/oauth2/revoke",
                scopes={"api": "read and write records", "refresh_token": "stay signed in"},
                rotates=True,
                client_auth="post",
            ),
        ),
        settings=(
            Setting(
                "url",
                help="Address of your organisation: its My Domain, such as https://acme.my.salesforce.com.",
                required=True,
            ),
            Setting("currency", help="Currency of an organisation that has only one, such as USD.", default=""),
            Setting("duplicates", help="Records that a duplicate rule warns of: refuse them, or save them.", default="refuse"),
            Setting("api", help="Version of the API.", default=API),
        ),
        objects={name: kind.spec() for name, kind in OBJECTS.items()} | {PEOPLE: SPEC},
        limits=(
            # Of a Developer Edition, the smallest, until the first answer says how many this one has.
            Limit(15_000, 86_400, source=_LIMITS, reserve=0.1, left="Sforce-Limit-Info", most="Sforce-Limit-Info"),
        ),
        sandbox="aios_connect_salesforce.sandbox:playground",
        proof="sandbox + live describes + simple-salesforce",
        ids="(?=[0-9]*[A-Za-z])(?:0[0-9A-Za-z]|[a-z]0)[0-9A-Za-z]{13}(?:[A-Z0-5]{3})?",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wire = Wire(context)
        self._schemas = Schemas(self._wire, context.settings.get("currency", ""))
        self._reader = Reader(self._wire, self._schemas, Bulk(self._wire, self._schemas, context))
        self._writer = Writer(self._wire, self._schemas, self._reader, context)
        self._both = People(self._reader, self._writer)

    def check(self) -> Identity:
        organisation, user = self._who()
        self._is_at_home()
        named = self._reader.rows(
            "Organization", f"SELECT Id, Name, OrganizationType, IsSandbox FROM Organization WHERE Id = {literal(organisation)}"
        )
        facts = named[0] if named else {"Name": organisation}
        (me,) = self._reader.lookup("User", [user]) or [{"Username": user}]
        details = {"edition": str(facts.get("OrganizationType") or ""), "sandbox": str(bool(facts.get("IsSandbox"))).lower()}
        details["deletes"] = self._told_of_deletes()
        return Identity(str(facts["Name"]), str(me["Username"]), details, self._missing())

    def describe(self, object: str) -> Schema:
        if object == PEOPLE:
            return self._people.schema(self.describe)
        return schema_of(self._schemas, self._known(object))

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        return self._people.read(since) if object == PEOPLE else self._reader.read(self._known(object), since)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return self._people.lookup(ids) if object == PEOPLE else self._reader.lookup(self._known(object), ids)

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        if object == PEOPLE:
            return self._people.find(keys)
        return self._reader.find(object, keys) if OBJECTS[self._known(object)].key else super().find(object, keys)

    def scan(self, object: str) -> Iterator[ScanPage]:
        return self._people.scan() if object == PEOPLE else self._reader.scan(self._known(object))

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        if object == PEOPLE:
            return self._people.write(changes)
        if not OBJECTS[self._known(object)].writes:
            raise RejectedError("Salesforce's users are made and changed in its setup", provider="salesforce", object=object)
        return self._writer.write(object, changes)

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        return self._both.calls(changes) if object == PEOPLE else self._writer.calls(object, changes)

    def provision(self) -> list[str]:
        """Make the custom field ``aios_key__c`` on accounts, contacts, leads and opportunities, where the user may make fields."""
        return provision(self._wire, self._schemas, self._reader, self._who()[1])

    def native(self) -> Any:
        """The client that Python programs speak to Salesforce with (PyPI: simple-salesforce), with a fresh access token."""
        try:
            from simple_salesforce.api import Salesforce as Client
        except ImportError as error:
            raise ConfigError(
                "simple-salesforce is not installed", hint="pip install 'aios-connect-salesforce[native]'"
            ) from error
        token = self.context.credentials.access_token()
        version = (self.context.settings.get("api") or API).removeprefix("v")
        return Client(instance_url=self.context.settings["url"], session_id=token, version=version)

    @property
    def _people(self) -> People:
        """Leads and contacts; what Salesforce says of the two is asked in one call."""
        self._schemas.learn(PARTS)
        return self._both

    def _known(self, object: str) -> str:
        if object not in OBJECTS:
            raise NotFoundError(
                f"this connector has no object {object!r} of Salesforce's",
                hint=f"it has {', '.join([*OBJECTS, PEOPLE])}",
                provider="salesforce",
                object=object,
            )
        return object

    def _who(self) -> tuple[str, str]:
        """The ids of the organisation and of the user: ``identity`` ends with them
        (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_discoveryresource.htm)."""
        resources = self._wire.get("")
        identity = resources.get("identity") if isinstance(resources, dict) else None
        parts = str(identity or "").rstrip("/").split("/")
        if len(parts) < 2 or not parts[-1].startswith("005"):
            raise TruncatedError("salesforce does not say who we are", provider="salesforce")
        return parts[-2], parts[-1]

    def _is_at_home(self) -> None:
        """The address is that of the organisation which gave the access token."""
        values = self.context.credentials
        try:
            home = values.secret("instance_url")
        except AuthError:  # a token that was brought along tells no address
            return
        if urlsplit(home).hostname != urlsplit(self.context.settings["url"]).hostname:
            raise ConfigError(f"the organisation is at {home}", hint=f'set url = "{home}"')

    def _told_of_deletes(self) -> str:
        """How much of the log of deletes we are told of: it names only what the user may see
        (https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userpermissionaccess.htm).
        """
        try:
            rows = self._reader.rows("UserPermissionAccess", f"SELECT {_SEES_ALL} FROM UserPermissionAccess")
        except (AuthError, RejectedError) as refused:
            return f"told of what the user may see; whether that is all, Salesforce does not say ({refused.message})"
        if any(row.get(_SEES_ALL) is True for row in rows):
            return "told of all"
        return "told of what the user may see; aios reconcile finds the others, or give the user View All Data"

    def _missing(self) -> dict[str, str]:
        """What the user may not do -> what would permit it."""
        answer = self._wire.get("sobjects")
        listed = answer.get("sobjects") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise TruncatedError("salesforce does not list its objects", provider="salesforce")
        known = {str(item["name"]): item for item in listed}
        missing: dict[str, str] = {}
        for name, kind in OBJECTS.items():
            for flag, right in _RIGHTS.items() if kind.writes else (("queryable", "Read"),):
                if not known.get(name, {}).get(flag):
                    missing[f"{right.lower()} {name}"] = f"the permission {right} on {name}, in the profile or a permission set"
        readable = [name for name in OBJECTS if known.get(name, {}).get("queryable")]
        missing |= missing_keys(self._schemas, readable)
        if "Opportunity" in readable and self._schemas.lacks_currency("Opportunity") and not self._schemas.currency:
            missing["read amounts with their currency"] = (
                "the setting currency: the organisation has one, and its records do not say"
            )
        return missing
