"""The world of a mailbox on a live server: people who write, rewrite, file and delete messages."""

from __future__ import annotations

import email
import imaplib
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar

from aios_connect_mail import Mail

from aios_connect.connectors import Raw
from aios_connect.testing.conformance import Sample, World
from aios_connect.testing.servers.mail import MailAccount, MailServer

__all__ = ["MailWorld", "written"]


class ShortMail(Mail):
    """Mail with short pages, so that a few messages make several."""

    spec = replace(
        Mail.spec,
        objects={name: replace(spec, page_size=5, scan_size=5, lookup_size=20) for name, spec in Mail.spec.objects.items()},
    )


def written(values: Raw) -> bytes:
    """A message as a colleague's program writes it."""
    message = EmailMessage(policy.SMTP)
    message["Message-ID"] = values["message_id"]
    message["From"] = values["from"]["email"]
    message["To"] = "sales@example.com"
    message["Date"] = "Thu, 19 Nov 2026 09:30:00 +0100"
    if values["subject"] is not None:
        coded = b64encode(values["subject"].encode()).decode()
        subject = f"=?utf-8?b?{coded}?=" if coded else ""
        return f"Subject: {subject}\r\n".encode() + message.as_bytes() + b"\r\nHello.\r\n"
    return message.as_bytes() + b"\r\nHello.\r\n"


class MailWorld(World):
    """A mailbox that nobody has used. Who changes a message puts another one in its place, as who edits a draft does."""

    server: ClassVar[MailServer]
    connector = ShortMail
    over_http = False
    offline = False
    samples = {
        "messages": Sample(
            lambda n: {
                "message_id": f"<m{n}@northgate.example.com>",
                "from": {"email": f"ada{n}@northgate.example.com"},
                "subject": f"Message {n}",
            },
            text="subject",
            empty=None,
            clear="",
        )
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.sleep((datetime.now(UTC) - self.clock.now()).total_seconds())
        self.account: MailAccount = self.server.fresh()
        self.settings = {
            "host": "127.0.0.1",
            "port": str(self.account.imap),
            "security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": str(self.account.smtp),
            "smtp_security": "none",
            "user": self.account.user,
            "address": self.account.address,
        }
        self.secrets = {"password": self.account.password}
        self._kept: dict[str, Raw] = {}
        self._stack = ExitStack()
        self._client: imaplib.IMAP4 | None = None

    def close(self) -> None:
        super().close()
        self._stack.close()

    def transport(self) -> None:
        """Mail is not spoken to over HTTP."""

    def wait(self, seconds: float = 0.0) -> None:
        """Nothing lags here, and the provider's clock is a real one."""

    def make(self, object: str, values: Raw) -> str:
        return self._put(values, written(values))

    def change(self, object: str, id: str, values: Raw) -> None:
        changed = {**self._kept[id], **values}
        self._put(changed, written(changed))
        self._take_out(id, all_but_last=True)

    def remove(self, object: str, id: str) -> None:
        self._take_out(id)

    def truth(self, object: str) -> dict[str, Raw]:
        there = {}
        _, data = self._people().uid("FETCH", "1:*", "(BODY.PEEK[])")
        for part in data:
            if isinstance(part, tuple):
                message = email.message_from_bytes(part[1], policy=policy.default)
                id = self._id(message["Message-ID"])
                there[id] = {**self._kept[id], "subject": str(message["Subject"] or "") or None}
        return there

    def _people(self) -> imaplib.IMAP4:
        """The session of the people who work in the mailbox, up to date."""
        if self._client is None:
            self._client = self._stack.enter_context(self.account.session())
        self._client.noop()
        return self._client

    def _put(self, values: Raw, message: bytes) -> str:
        assert self._people().append("INBOX", "", "", message)[0] == "OK"
        id = self._id(values["message_id"])
        self._kept[id] = values
        return id

    def _take_out(self, id: str, *, all_but_last: bool = False) -> None:
        client = self._people()
        _, found = client.uid("SEARCH", "HEADER", "MESSAGE-ID", f"<{id.rpartition('#')[0]}>")
        uids = sorted(map(int, found[0].split()))
        for uid in uids[:-1] if all_but_last else uids:
            client.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)")
        client.expunge()

    def _id(self, message_id: Any) -> str:
        from aios_connect_mail.identity import by_message_id

        known = next(values for values in [*self._kept.values(), {}] if not values or values["message_id"] == message_id)
        sender = known["from"]["email"] if known else self._sender(message_id)
        told = f"Message-ID: {message_id}\r\nFrom: {sender}\r\nDate: Thu, 19 Nov 2026 09:30:00 +0100\r\n"
        return str(by_message_id(told.encode()))

    def _sender(self, message_id: str) -> str:
        return f"ada{message_id[2:].partition('@')[0]}@northgate.example.com"
