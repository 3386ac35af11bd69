"""Google as a provider: one user's calendars, events, contacts and mail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

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
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    RejectedError,
    Request,
    ScanPage,
    Schema,
    Setting,
)
from aios_connect.connectors.sending import Letter, Sent

from . import _calendars, _contacts, _events, _gmail
from ._apis import NEEDS, SCOPES, USES
from ._channels import Channel, Channels
from ._event_writing import calls_of
from ._events import Busy
from ._gmail_sending import Sender
from ._resource import Keyed, Resource
from ._wire import Wire

__all__ = ["Google"]

_QUOTA: Final = "https://developers.google.com/workspace/calendar/api/guides/quota"


class _Kind(NamedTuple):
    spec: ObjectSpec
    make: Callable[[Wire, Context], Resource]


_KINDS: Final[Mapping[str, _Kind]] = {
    "calendars": _Kind(_calendars.SPEC, lambda wire, context: _calendars.Calendars(wire)),
    "events": _Kind(_events.SPEC, _events.Events),
    "contacts": _Kind(_contacts.SPEC, lambda wire, context: _contacts.Contacts(wire)),
    "messages": _Kind(_gmail.SPEC, lambda wire, context: _gmail.Messages(wire)),
}
"""Every object: what it claims, and who handles it."""


class Google(Connector):
    """One Google account."""

    spec = ConnectorSpec(
        provider="google",
        title="Google",
        docs="https://developers.google.com/workspace",
        auth=(
            Auth(
                "oauth2",
                help="An OAuth client of type Desktop, from Google Cloud console > APIs & Services > Credentials.",
                # without these Google gives no refresh token: https://developers.google.com/identity/protocols/oauth2/web-server
                authorize_url="https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent",
                token_url="{oauth_url}/token",  # noqa: S106  # an address
                revoke_url="{oauth_url}/revoke",
                scopes=SCOPES,
                uses=USES,
                client_auth="post",
            ),
        ),
        settings=(
            Setting("oauth_url", help="Where access tokens come from.", default="https://oauth2.googleapis.com"),
            Setting("url", help="Where all of the APIs are, if not at Google: a fake, a proxy."),
            Setting(
                "calendars",
                help="Ids of the calendars whose events count, separated by commas; new events go into the first.",
                default="primary",
            ),
            Setting(
                "uses",
                help=f"What the connection is for, separated by commas: {', '.join(USES)}. Nothing else is asked for.",
                default="calendars, events, busy, contacts, messages",
            ),
            Setting("notify", help="Which guests Google tells of what we write: none, externalOnly or all.", default="none"),
        ),
        objects={name: kind.spec for name, kind in _KINDS.items()},
        limits=(
            Limit(600, 60, scope="calendar", source=_QUOTA),
            # units; projects that used Gmail before May 2026 keep their 15,000
            Limit(6_000, 60, scope="gmail", source="https://developers.google.com/workspace/gmail/api/reference/quota"),
            # Google shows it in the console only; this is what people report as the default.
            Limit(90, 60, scope="people", source="https://github.com/MrCaspan/GAS-Gmail-Signature-Templator/pull/1"),
        ),
        webhooks=True,
        sandbox="aios_connect_google.sandbox:playground",
        proof="sandbox + discovery documents + google-api-python-client",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._asked = frozenset(self.spec.auth[0].asked(context.settings))
        self._wire = Wire(context)
        self._events = _events.Events(self._wire, context)
        self._mail = _gmail.Messages(self._wire)
        self._sender = Sender(self._wire, self._mail, context)
        self._channels = Channels(self._wire, lambda: context.credentials.secret("client_secret"))
        self._resources: dict[str, Resource] = {name: kind.make(self._wire, context) for name, kind in _KINDS.items()}

    def check(self) -> Identity:
        """Ask each object that counts whose it is: what nobody consented to is named, with the scope that permits it."""
        accounts: list[str] = []
        missing: dict[str, str] = {}
        refused: AuthError | None = None
        for name, resource in self._resources.items():
            scope = self._scope(NEEDS[name].read)
            try:
                if scope:
                    accounts.append(resource.account())
            except AuthError as error:
                if error.status != 403:
                    raise
                missing[f"read {name}"] = f"scope {scope}"
                refused = error
        if refused is not None and not accounts:
            raise refused
        granted = self._granted()
        for name, needs in NEEDS.items() if granted else ():
            for operation, enough in ((f"read {name}", needs.read), (f"write {name}", needs.write)):
                scope = self._scope(enough)
                if scope and granted.isdisjoint(enough):
                    missing[operation] = f"scope {scope}"
        who = next(iter(accounts), "")  # the scope for busy times does not say whose they are
        return Identity(f"Google {who}".strip(), who, {}, missing)

    def describe(self, object: str) -> Schema:
        return self._of(object).schema()

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        return self._of(object).read(since)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return self._of(object).lookup(ids)

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        resource = self._of(object)
        return resource.find(keys) if isinstance(resource, Keyed) else super().find(object, keys)

    def scan(self, object: str) -> Iterator[ScanPage]:
        return self._of(object).scan()

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        return self._of(object).write(changes) if changes else []

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        return calls_of(changes) if object == "events" else super().calls(object, changes)

    def busy(self, start: datetime, end: datetime) -> list[Busy]:
        """When the user is taken; see :meth:`Events.busy`."""
        return self._events.busy(start, end)

    def occurrences(self, start: datetime, end: datetime) -> list[Raw]:
        """What takes place in a stretch of time; see :meth:`Events.occurrences`."""
        return self._events.occurrences(start, end)

    def labels(self) -> dict[str, str]:
        """Names of the labels of the mailbox, by their ids."""
        return self._mail.labels()

    def send(self, letter: Letter, line: str) -> Sent:
        """Send a letter, once; see :class:`aios_connect.connectors.sending.Sends`."""
        return self._sender.send(letter, line)

    def sent(self, line: str) -> Sent:
        """What became of the letter of a plan line, without sending anything."""
        return self._sender.sent(line)

    def watch(self, address: str) -> list[Channel]:
        """Have changes in the calendars that count told to an ``https`` address of yours, which hands them to :meth:`receive`."""
        return self._channels.open(self._events.calendars(), address)

    def stop(self, channel: Channel) -> None:
        """Have no more told through a channel."""
        self._channels.close(channel)

    def receive(self, request: Request) -> Sequence[Hint]:
        """Believe a notice of a channel of ours, and say what to read.

        Raises:
            AuthError: It is not of a channel of ours; or the connection has no client secret.
        """
        return self._channels.receive(request)

    def native(self) -> Any:
        """Google's own client (PyPI: google-api-python-client): a function from API and version to a client with a fresh token.

        ``google.native()("calendar", "v3").events().quickAdd(...)``
        """
        try:
            from google.oauth2.credentials import Credentials
            from googleapiclient.discovery import build, build_from_document  # type: ignore[import-untyped]
            from googleapiclient.discovery_cache import get_static_doc  # type: ignore[import-untyped]
        except ImportError as error:
            raise ConfigError("Google's own client is not installed", hint="pip install 'aios-connect-google[native]'") from error
        credentials = Credentials(self.context.credentials.access_token())  # type: ignore[no-untyped-call]
        url = self.context.settings.get("url", "").rstrip("/")

        def client(api: str, version: str) -> Any:
            if not url:
                return build(api, version, credentials=credentials, cache_discovery=False)
            document = json.loads(get_static_doc(api, version))
            return build_from_document({**document, "rootUrl": f"{url}/"}, credentials=credentials)

        return client

    def close(self) -> None:
        self.context.http.close()

    def _of(self, object: str) -> Resource:
        if object not in self._resources:
            raise RejectedError(
                f"Google has no object {object!r} here",
                hint=f"one of {', '.join(self._resources)}; native() reaches everything else",
                provider="google",
                object=object,
            )
        return self._resources[object]

    def _scope(self, enough: Sequence[str]) -> str:
        """Of the scopes of which one is enough, the least that this connection asks for; empty if it asks for none."""
        return next((scope for scope in enough if scope in self._asked), "")

    def _granted(self) -> frozenset[str]:
        """The scopes that were consented to, as the token address told them; nothing if it did not."""
        try:
            return frozenset(self.context.credentials.secret("scope").split())
        except AuthError:
            return frozenset()
