"""BottleCRM as a provider."""

from __future__ import annotations

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
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    Request,
    ScanPage,
    Schema,
    Setting,
    Verb,
)

from . import webhooks
from .describing import Describer
from .intake import Enquiry, enquire
from .objects import CUSTOM, KEY
from .reading import Reader
from .wire import Wire
from .writing import Writer, calls_of

__all__ = ["BottleCRM"]

_ALL: Final[frozenset[Verb]] = frozenset({"read", "create", "update", "delete"})


def _object(title: str, *, modified: str = "", page_size: int = 200, **references: str) -> ObjectSpec:
    return ObjectSpec(
        title=title,
        verbs=_ALL,
        modified=modified,
        key=f"{CUSTOM}.{KEY}",
        conditional="read-compare-write",
        incremental=False,
        deletes="scan",
        page_size=page_size,
        batch_size=1,
        lookup_size=100,
        scan_size=500,
        references=references,
    )


class BottleCRM(Connector):
    """One organization of a BottleCRM."""

    spec = ConnectorSpec(
        provider="bottlecrm",
        title="BottleCRM",
        docs="https://pypi.org/project/django-crm/",
        auth=(
            Auth(
                "key",
                "A personal access token of an administrator, from Settings > API tokens; without scopes, or with read and write "
                "of leads, contacts, accounts, opportunities, tasks and custom-fields, and org:read and profile:read.",
            ),
        ),
        settings=(
            Setting("url", "Address of the server, such as https://crm.example.com; without /api.", required=True),
            Setting("webhook_secret", "Secret of the webhook, whsec_..., if it has one here.", secret=True),
            Setting("intake", "Address of a lead webhook, if enquiries are to be handed in there."),
            Setting("intake_key", "Key of the lead webhook.", secret=True),
        ),
        objects={
            "leads": _object("Leads", modified="updated_at", contact="contacts"),
            "contacts": _object("Contacts", modified="updated_at", account="accounts"),
            "accounts": _object("Accounts"),
            "deals": _object("Deals", account="accounts", contact="contacts"),
            "tasks": _object("Tasks", page_size=50, account="accounts", opportunity="deals", lead="leads", contact="contacts"),
        },
        webhooks=True,
        proof="live BottleCRM 1.35",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wire = Wire(context)
        self._reader = Reader(self._wire)
        self._describer = Describer(self._wire)

    def check(self) -> Identity:
        """Sign in, see what the token may do, and whether there is a place for our key."""
        missing: dict[str, str] = {}
        user = self._who("profile/", missing)
        org = self._who("org/settings/", missing)
        for object in self.spec.objects:
            for verb, method in (("read", "GET"), ("write", "PATCH")):
                if said := self._wire.may(method, object):
                    missing[f"{verb} {object}"] = said
        try:
            for object in self._describer.lacking():
                missing[f"create {object}"] = f"the custom field {KEY!r}; aios connect makes it"
        except AuthError as error:
            if error.status != 403:
                raise
            missing["make our key"] = error.message
        person = (user.get("user_obj") or {}).get("user_details") or {}
        account = str(org.get("name") or "the organization of this token")
        return Identity(account, str(person.get("email") or "the owner of this token"), missing=missing)

    def describe(self, object: str) -> Schema:
        """The fields of an object, with the organization's own stages, sources and custom fields."""
        self._known(object)
        return self._describer.schema(object)

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """Every record: BottleCRM tells no changes."""
        return self._reader.pages(object, self._known(object).page_size, since or {})

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """Records by id, one call each. Converted leads, which no list has, are there."""
        self._known(object)
        return [raw for id in ids if (raw := self._reader.one(object, id)) is not None]

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """Records by our key, looked for in the whole list."""
        return self._reader.by_key(object, keys, self._known(object).scan_size)

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every id."""
        return self._reader.scan(object, self._known(object).scan_size)

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """Write changes, one call each, and look at what became of it."""
        size = self._known(object).scan_size
        writer = Writer(self._wire, self._reader, self._describer.custom, self.context.now, size)
        return [writer.write(object, change) for change in changes]

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        return sum(calls_of(object, change) for change in changes)

    def receive(self, request: Request) -> Sequence[Hint]:
        """Verify a webhook with its secret, and say what to read.

        Raises:
            AuthError: It is not BottleCRM's, or not of this moment; or the connection has no secret for it.
            RejectedError: It is signed, and no event.
        """
        webhooks.verify(request, self.context.credentials.secret("webhook_secret"), now=self.context.now())
        return webhooks.hints(request.body)

    def enquire(self, values: Mapping[str, str], external_id: str) -> Enquiry:
        """Hand in an enquiry at the lead webhook of the connection: the same id makes one lead, however often it is sent.

        Args:
            values: Fields of a lead by name.
            external_id: The sender's own id of the enquiry.
        """
        return enquire(self.context, values, external_id)

    def provision(self) -> list[str]:
        """Make the custom field that holds our key, on every object that has none."""
        made = []
        for object in self._describer.lacking():
            try:
                self._describer.make_key(object)
            except AuthError as error:
                raise AuthError(
                    f"this token may not make the custom field {KEY!r} on {object}: {error.message}",
                    hint=f"use a token of an administrator, or make a text field with the key {KEY!r} in BottleCRM "
                    "(Settings > Custom fields)",
                    provider="bottlecrm",
                    object=object,
                    status=error.status,
                ) from None
            made.append(f"made the custom field {KEY!r} on {object}")
        return made

    def _known(self, object: str) -> ObjectSpec:
        if object not in self.spec.objects:
            raise ConfigError(f"bottlecrm has no object {object!r}", hint=f"it has {', '.join(self.spec.objects)}")
        return self.spec.objects[object]

    def _who(self, path: str, missing: dict[str, str]) -> dict[str, Any]:
        """What BottleCRM says of our user or our organization; nothing, if the token may not ask."""
        try:
            return self._wire.get(path)
        except AuthError as error:
            if error.status != 403:
                raise
            missing[f"read {path.partition('/')[0]}"] = error.message
            return {}
