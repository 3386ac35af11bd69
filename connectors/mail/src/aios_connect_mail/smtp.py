"""The wire to the SMTP server (RFC 5321), on the standard library's client, but for the one step that decides: the end of the data.

Until the line with the dot is sent, nothing was accepted, and a connection that breaks has done nothing (RFC 5321, 3.8 and 4.1.1.4). Once
it is on its way, only the server's answer says what became of the message.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aios_connect.connectors import AmbiguousWriteError, AuthError, Context, ProviderError, UnavailableError
from aios_connect.connectors.composing import Composed

from .reaching import PATIENCE, coded, place, proven, reached, said

__all__ = ["Refusal", "Smtp"]

_LINES: Final = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server took nothing, and never will as it is.

    Attributes:
        reason: For a person.
        recipients: Recipient -> the server's words, for those it refused.
    """

    reason: str
    recipients: Mapping[str, str] = field(default_factory=dict)


class Smtp:
    """The way to the server.

    Args:
        context: The connection's settings and credentials.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.place = place(context, "smtp_", "SMTP", (465, 587))

    @contextmanager
    def session(self) -> Iterator[smtplib.SMTP]:
        """A session in which we are who we say.

        Raises:
            AuthError: The server does not let us in.
            UnavailableError: It cannot be reached.
        """
        client = proven(self._context, self._context.credentials.auth.kind, self._signed_in)
        try:
            yield client
        finally:
            with contextlib.suppress(OSError):
                client.quit()
            client.close()

    def transmit(self, client: smtplib.SMTP, letter: Composed, id: str, notify: frozenset[str]) -> Refusal | None:
        """Hand a message over; to all of its recipients or to none.

        Args:
            client: A session.
            letter: The message in its envelope.
            id: What reports name it by.
            notify: When the receiving side is asked to report.

        Returns:
            ``None`` if the server took it.

        Raises:
            UnavailableError: It was not taken, and may be later.
            AmbiguousWriteError: It is not known whether it was taken.
        """
        with reached(self.place):
            if letter.utf8 and not client.has_extn("smtputf8"):
                return Refusal(f"{self.place} cannot carry an address that is not ASCII: it has no SMTPUTF8")
            if refused := self._envelope(client, letter, id, notify):
                client.rset()
                return refused
            code, words = client.docmd("DATA")
            if code != 354:
                return self._no(code, words)
            client.send(_stuffed(letter.content))
        try:
            client.send(b".\r\n")
            code, words = client.getreply()
        except OSError as error:
            raise AmbiguousWriteError(
                f"{self.place} did not say whether it took the message: {said(error)}", provider="mail"
            ) from None
        if code == 250:
            return None
        if not 400 <= code < 600:
            raise AmbiguousWriteError(f"{self.place} answered {code} {said(words)} to a message", provider="mail")
        return self._no(code, words)

    def _envelope(self, client: smtplib.SMTP, letter: Composed, id: str, notify: frozenset[str]) -> Refusal | None:
        reports = client.has_extn("dsn")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if letter.utf8 else []
        if client.has_extn("size"):
            options.append(f"SIZE={len(letter.content)}")
        if reports:
            options += ["RET=HDRS", f"ENVID={_xtext(id)}"]
        code, words = client.mail(letter.sender, options)
        if code != 250:
            return self._no(code, words)
        wanted = f"NOTIFY={','.join(sorted(notify)).upper() or 'NEVER'}"
        refused: dict[str, tuple[int, str]] = {}
        for recipient in letter.recipients:
            kind = "rfc822" if recipient.isascii() else "utf-8"  # RFC 3461, 4.2; RFC 6533, 3
            code, words = client.rcpt(recipient, [wanted, f"ORCPT={kind};{_xtext(recipient)}"] if reports else [])
            if code not in (250, 251):
                refused[recipient] = (code, f"{code} {said(words)}")
        if not refused:
            return None
        told = {recipient: words for recipient, (_, words) in refused.items()}
        reason = "; ".join(f"{recipient}: {words}" for recipient, words in told.items())
        if all(400 <= code < 500 for code, _ in refused.values()):
            client.rset()
            raise UnavailableError(f"{self.place} takes nothing for {reason}", hint="try again later", provider="mail")
        return Refusal(reason, told)

    def _no(self, code: int, words: bytes) -> Refusal:
        """What a refusal of the whole message means."""
        if 400 <= code < 500 or code == -1:
            raise UnavailableError(f"{self.place}: {code} {said(words)}", hint="try again later", provider="mail")
        return Refusal(f"{code} {said(words)}")

    def _signed_in(self, proof: str) -> smtplib.SMTP:
        where, user = self.place, self._context.settings.get("user", "")
        kind = self._context.credentials.auth.kind
        client: smtplib.SMTP | None = None
        try:
            with reached(where):
                if where.security == "tls":
                    assert where.context is not None
                    client = smtplib.SMTP_SSL(
                        where.host, where.port, local_hostname="[127.0.0.1]", timeout=PATIENCE, context=where.context
                    )
                else:
                    client = smtplib.SMTP(where.host, where.port, local_hostname="[127.0.0.1]", timeout=PATIENCE)
                    if where.security == "starttls":
                        client.starttls(context=where.context)
                client.ehlo_or_helo_if_needed()
                self._sign_in(client, kind, user, proof)
        except smtplib.SMTPException as error:
            _hang_up(client)
            raise UnavailableError(f"{where}: {said(error)}", provider="mail") from None
        except ProviderError:
            _hang_up(client)
            raise
        return client

    def _sign_in(self, client: smtplib.SMTP, kind: str, user: str, proof: str) -> None:
        offered = client.esmtp_features.get("auth", "").upper().split()
        if kind == "oauth2":
            code, words = client.docmd("AUTH", f"XOAUTH2 {coded(f'user={user}{chr(1)}auth=Bearer {proof}{chr(1)}{chr(1)}')}")
            if code == 334:  # the reason, which must be answered before the refusal comes
                code, words = client.docmd("")
        elif "PLAIN" in offered or "LOGIN" not in offered:
            code, words = client.docmd("AUTH", f"PLAIN {coded(f'{chr(0)}{user}{chr(0)}{proof}')}")
        else:
            code, words = client.docmd("AUTH", f"LOGIN {coded(user)}")
            if code == 334:
                code, words = client.docmd(coded(proof))
        if code in (235, 503):
            return
        if 400 <= code < 500 and kind == "password":
            raise UnavailableError(f"{self.place} lets nobody in now: {code} {said(words)}", provider="mail")
        raise AuthError(
            f"{self.place} does not let {user!r} in: {code} {said(words)}",
            hint=f"aios connect {self._context.connection}; some providers want an app password, or OAuth",
            provider="mail",
        )


def _hang_up(client: smtplib.SMTP | None) -> None:
    if client is not None:
        client.close()


def _stuffed(content: bytes) -> bytes:
    """Lines that begin with a dot get another one (RFC 5321, 4.5.2); the last line is ended."""
    lines = _LINES.split(content)
    if lines[-1] == b"":
        lines.pop()
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)


def _xtext(text: str) -> str:
    """As RFC 3461, 4 has it."""
    return "".join(one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" if one.isascii() else one for one in text)
