"""An office with a mailbox on a live server, and what its people do there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aios_connect_mail import Mail

from aios_connect.connection.settings import way_of
from aios_connect.connectors import Context, Credentials, Cursor, Http, Page, Raw
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.testing.servers.mail import MailAccount, MailServer

__all__ = ["MailOffice", "deliver", "note"]

READ = "messages"


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


class MailOffice:
    """Connectors on a mailbox that nobody has used."""

    def __init__(self, server: MailServer, folder: Path) -> None:
        self.server = server
        self.account = server.fresh()
        self._folder = folder
        self._stack = ExitStack()
        self.mail = self.open()

    def open(self, *, oauth: str = "", secrets: Mapping[str, str] | None = None, **settings: str) -> Mail:
        """A connector of a process of its own.

        Args:
            oauth: Address of who issues access tokens, to sign in with one.
            secrets: Instead of the password.
            settings: More settings, or others.
        """
        told = {
            "host": "127.0.0.1",
            "port": str(self.account.imap),
            "security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": str(self.account.smtp),
            "smtp_security": "none",
            "user": self.account.user,
            "address": f"Nora Lindqvist <{self.account.address}>",
            **({"sign_in": "oauth2", "token_url": f"{oauth}/token", "client_id": "aios"} if oauth else {}),
            **settings,
        }
        tokens = MemoryTokenStore(now=now)
        tokens.put("mail", secrets or {"password": self.account.password}, expires_at=0.0 if oauth else None)
        transport = self._stack.enter_context(httpx2.HTTPTransport())
        signing = Http(provider="mail", transport=transport, now=now, sleep=time.sleep, trust_env=False)
        credentials = Credentials("mail", way_of(Mail.spec, told), tokens, settings=told, http=signing, now=now, sleep=time.sleep)
        made = Mail(Context("mail", told, credentials, signing, now, time.sleep, self._folder))
        self._stack.callback(signing.close)
        self._stack.callback(made.close)
        return made

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()

    def put(self, message: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """One of its people files a message."""
        with self.account.session() as client:
            kind, told = client.append(folder, flags, "", message)
            assert kind == "OK", told

    def do(self, *commands: tuple[str, ...], folder: str = "INBOX") -> None:
        """One of its people does something in a folder, by UID commands; ``("EXPUNGE",)`` is the plain one."""
        with self.account.session(folder) as client:
            for command in commands:
                kind, told = client.expunge() if command == ("EXPUNGE",) else client.uid(*command)
                assert kind == "OK", told

    def read(self, since: Cursor | None = None, mail: Mail | None = None) -> tuple[list[Raw], Cursor, list[Page]]:
        """One read to its end: records, the cursor behind it, and its pages."""
        pages = list((mail or self.mail).read(READ, since))
        assert pages[-1].complete
        return [raw for page in pages for raw in page.records], pages[-1].cursor, pages


def note(number: int, **fields: Any) -> bytes:
    """A message from a customer; ``fields`` are headers, with ``_`` for ``-``, or leave one out with ``None``."""
    told = {
        "Message-ID": f"<note{number}@northgate.example.com>",
        "From": "Ada Olsen <ada@northgate.example.com>",
        "To": "sales@example.com",
        "Date": "Thu, 19 Nov 2026 09:30:00 +0100",
        "Subject": f"Note {number}",
        **{name.replace("_", "-"): value for name, value in fields.items() if name != "text"},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value is not None)
    return f"{head}\r\n{fields.get('text', 'Hello.')}\r\n".encode()


def deliver(account: MailAccount) -> list[bytes]:
    """What was delivered to a mailbox and nobody has fetched yet."""
    return [path.read_bytes() for path in sorted((account.home / "new").iterdir())]
