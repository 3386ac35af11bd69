"""What the mail servers here have in common: accounts that nobody has used, a certificate, and who issues access tokens.

Every account of every server has the same password. Its user name is the local part of its address.
"""

from __future__ import annotations

import contextlib
import imaplib
import ipaddress
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

__all__ = ["PASSWORD", "Issuer", "MailAccount", "MailServer", "certificate", "issuing"]

PASSWORD: Final = "only-on-loopback"  # noqa: S105 # of a server that dies with its test
DOMAIN: Final = "example.com"


@dataclass(frozen=True, slots=True)
class MailAccount:
    """A mailbox that nobody has used, with the folders INBOX and Sent.

    Attributes:
        imap: Port of its IMAP server on 127.0.0.1; STARTTLS is offered.
        smtp: Port of its SMTP server; STARTTLS is offered.
        user: Name to sign in with.
        password: The password.
        address: Its address.
        home: Folder of its messages, a maildir.
    """

    imap: int
    smtp: int
    user: str
    password: str
    address: str
    home: Path

    @contextlib.contextmanager
    def session(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """What somebody else does there: a session of the standard library's own client, in a folder."""
        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=30)
        try:
            client.login(self.user, self.password)
            client.select(folder)
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    def forget_uids(self, folder: str = "") -> None:
        """The server loses its list of UIDs, so that UIDVALIDITY changes. INBOX, if no folder is named; nobody may be in it."""
        place = self.home / f".{folder}" if folder else self.home
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (place / name).unlink(missing_ok=True)


class MailServer:
    """A running pair of an IMAP and an SMTP server.

    Attributes:
        title: Their names and versions.
        imap: Port of the IMAP server.
        smtp: Port of the SMTP server.
        authority: PEM file with the authority that signed their certificate.
        tokens: File in which the SMTP server finds access tokens, ``token: user`` a line.
    """

    def __init__(self, title: str, imap: int, smtp: int, homes: Path, authority: Path, tokens: Path) -> None:
        self.title = title
        self.imap = imap
        self.smtp = smtp
        self.authority = authority
        self.tokens = tokens
        self._homes = homes
        self._count = 0

    def fresh(self) -> MailAccount:
        """An account that nobody has used."""
        self._count += 1
        user = f"u{self._count}"
        home = self._homes / user
        for part in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
            (home / part).mkdir(parents=True)
        (home / ".Sent" / "maildirfolder").touch()
        whose = self._homes.stat()
        for path in (home, *home.rglob("*")):
            os.chown(path, whose.st_uid, whose.st_gid)
        return MailAccount(self.imap, self.smtp, user, PASSWORD, f"{user}@{DOMAIN}", home)

    def settled(self) -> None:
        """Wait until everything that was taken is delivered."""


class Issuer:
    """Who issues access tokens (RFC 6749, section 6), and tells an IMAP server whose they are.

    Attributes:
        url: Its address.
        issued: Access tokens that are good -> the user.
        refreshes: How often one was issued.
    """

    def __init__(self, url: str, tokens: Path) -> None:
        self.url = url
        self.issued: dict[str, str] = {}
        self.refreshes = 0
        self._tokens = tokens

    def issue(self, user: str) -> str:
        """A new access token for a user; those before go on working until :meth:`withdraw`."""
        self.refreshes += 1
        token = f"access-token-{self.refreshes}-of-{user}"
        self.issued[token] = user
        self._write()
        return token

    def withdraw(self) -> None:
        """From now on no token issued so far is good."""
        self.issued.clear()
        self._write()

    def _write(self) -> None:
        self._tokens.write_text("".join(f"{token}: {user}\n" for token, user in self.issued.items()))


@contextlib.contextmanager
def issuing(port: int, tokens: Path) -> Iterator[Issuer]:
    """Issue access tokens at a port: ``/token`` for a refresh token ``refresh-<user>``, ``/userinfo`` for who asks about one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            user = form["refresh_token"][0].removeprefix("refresh-")
            self._answer(200, {"access_token": issuer.issue(user), "token_type": "Bearer", "expires_in": 3600})

        def do_GET(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            user = issuer.issued.get(token)
            self._answer(200, {"sub": user}) if user else self._answer(401, {"error": "invalid_token"})

        def _answer(self, status: int, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}", tokens)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and localhost that is its own authority, and its key, as PEM files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    known = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(known, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private
