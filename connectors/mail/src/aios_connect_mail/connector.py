"""A mailbox as a provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aios_connect.connectors import (
    Auth,
    ConfigError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    Identity,
    ObjectSpec,
    Page,
    ProviderError,
    Raw,
    ScanPage,
    Schema,
    Setting,
)
from aios_connect.connectors.sending import Letter, Sent

from .describing import FIELDS
from .folders import Folders
from .imap import Imap
from .reading import Reading
from .records import Records
from .sending import Sender

__all__ = ["Mail"]

_EXTENSIONS: Final = ("CONDSTORE", "IDLE", "UIDPLUS", "SPECIAL-USE")


class Mail(Connector):
    """One mailbox: read over IMAP, sent from over SMTP."""

    spec = ConnectorSpec(
        provider="mail",
        title="Mail (IMAP and SMTP)",
        docs="https://www.rfc-editor.org/rfc/rfc3501",
        auth=(
            Auth("password", "The mailbox's password; where the provider has them, an app password made for this.", header=""),
            Auth(
                "oauth2",
                "An application registered with the mail provider, and a refresh token that it was given for the mailbox.",
                token_url="{token_url}",  # noqa: S106 # an address
                header="",
            ),
        ),
        settings=(
            Setting("host", "Name of the IMAP server, such as imap.example.com.", required=True),
            Setting("user", "Login name, mostly the address.", required=True),
            Setting("port", "Port of the IMAP server, if not the usual one."),
            Setting("security", "tls (from the first byte), starttls, none (this machine only) or insecure.", default="tls"),
            Setting("smtp_host", "Name of the SMTP server; without one nothing is sent."),
            Setting("smtp_port", "Port of the SMTP server, if not the usual one."),
            Setting("smtp_security", "The same for the SMTP server.", default="tls"),
            Setting("authorities", "PEM file with the authorities to trust, instead of those of this machine."),
            Setting("address", "Address of the mailbox, with or without a name; the login name, if not given."),
            Setting("aliases", "Further addresses of the mailbox, separated by commas."),
            Setting("folders", "Folders to read, separated by commas; all but drafts, junk and trash, if not given."),
            Setting("sent", "Folder of what was sent, if the server does not mark it."),
            Setting("since", "Read what arrived on this day or later, such as 2026-01-01; all, if not given."),
            Setting("token_url", "Where the provider gives access tokens, for oauth2."),
        ),
        objects={
            "messages": ObjectSpec(
                title="Messages",
                verbs=frozenset({"read"}),
                version="version",
                incremental=True,
                deletes="scan",
                page_size=100,
                lookup_size=100,
                scan_size=1000,
            )
        },
        proof="live pymap 0.36 with aiosmtpd 1.4, live Dovecot 2.3 with Exim 4.96",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        told = context.settings
        address = told.get("address") or told.get("user", "")
        self._imap = Imap(context)
        self._folders = Folders(self._imap, context)
        self._sender = Sender(context, address, self._imap, self._folders)
        own = {self._sender.address, *(alias.strip() for alias in told.get("aliases", "").split(",") if alias.strip())}
        self._reading = Reading(self._imap, self._folders, Records({one.lower() for one in own}), context)

    def check(self) -> Identity:
        """Sign in to both servers, and see which folders there are."""
        names = self._folders.read()
        details = {"server": self._imap.server(), "folders": ", ".join(names)}
        details["extensions"] = ", ".join(name for name in _EXTENSIONS if self._imap.has(name)) or "none of use"
        missing: dict[str, str] = {}
        if self.context.settings.get("smtp_host"):
            try:
                details["sending"] = self._sender.check()
            except ProviderError as error:
                missing["send messages"] = error.message
        return Identity(self._imap.place.host, self.context.settings["user"], details, missing)

    def describe(self, object: str) -> Schema:
        """What a message holds; the standards say, not the server."""
        self._known(object)
        return Schema(object, {field.path: field for field in FIELDS})

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """What came since the cursor, in the folders that count, and with CONDSTORE what was marked since."""
        self._known(object)
        return self._reading.pages(since or {}, self.spec.objects[object].page_size)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """Messages by id, in whichever folder they are now."""
        self._known(object)
        return self._reading.lookup(ids)

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every id with its version."""
        self._known(object)
        return self._reading.scan(self.spec.objects[object].scan_size)

    def wait(self, since: Cursor, seconds: float, *, folder: str = "INBOX") -> bool:
        """Wait until there is something to read (IDLE); a hint, and never the truth by itself.

        Args:
            since: The cursor of the last read: what came after it counts as well.
            seconds: How long to wait at most.
            folder: The folder to watch; IMAP watches one at a time.

        Returns:
            True if a read is worth while.

        Raises:
            UnavailableError: The server cannot be reached, or hung up.
        """
        return self._imap.wait(folder, lambda opened: not self._reading.unsettled(opened, since), seconds)

    def send(self, letter: Letter, line: str) -> Sent:
        """Send a letter, once; see :class:`aios_connect.connectors.sending.Sends`."""
        return self._sender.send(letter, line)

    def sent(self, line: str) -> Sent:
        """What became of the letter of a plan line, without sending anything."""
        return self._sender.sent(line)

    def close(self) -> None:
        """Take leave of the servers."""
        self._imap.close()

    def _known(self, object: str) -> None:
        if object not in self.spec.objects:
            raise ConfigError(f"mail has no object {object!r}", hint=f"it has {', '.join(self.spec.objects)}")
