"""The SMTP server beside pymap: aiosmtpd, delivering into maildirs. A program for aiosmtpd's own environment, see ``pymap.py``.

    python mail_smtpd.py PORT HOMES TOKENS CERTIFICATE KEY

It asks for a sign-in (PLAIN, LOGIN, XOAUTH2), refuses ``blocked`` for good and ``greylist`` for now, and takes nothing for others.
"""

from __future__ import annotations

import asyncio
import mailbox
import ssl
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # type: ignore[import-not-found] # only in its own environment

_, PORT, HOMES, TOKENS, CERTIFICATE, KEY = sys.argv
PASSWORD = b"only-on-loopback"


class Handler:
    """Where messages go."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        name, _, domain = address.partition("@")
        if name == "blocked":
            return f"550 5.1.1 <{address}>: nobody of this name"
        if name == "greylist":
            return f"451 4.7.1 <{address}>: try again later"
        if domain != "example.com" or not (Path(HOMES) / name).is_dir():
            return "550 5.7.1 relay not permitted"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if b"\r\nX-Refuse: yes\r\n" in envelope.content:
            return "554 5.6.0 not a message that is taken here"
        for address in envelope.rcpt_tos:
            home = Path(HOMES) / address.partition("@")[0]
            key = mailbox.Maildir(home).add(f"Return-Path: <{envelope.mail_from}>\r\n".encode() + envelope.content)
            (home / "new" / key).chmod(0o644)
        return "250 2.0.0 taken"

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> Any:  # noqa: N802
        told = b64decode(args[1]).decode().split("\1")
        user, token = told[0].removeprefix("user="), told[1].removeprefix("auth=Bearer ")
        if f"{token}: {user}" in Path(TOKENS).read_text().splitlines():
            return AuthResult(success=True, auth_data=user)
        await server.challenge_auth('{"status":"401","schemes":"bearer"}')
        return AuthResult(success=False, handled=False)


def knows(server: Any, session: Any, envelope: Any, mechanism: str, told: Any) -> Any:
    """Whether a password is right."""
    good = isinstance(told, LoginPassword) and told.password == PASSWORD and (Path(HOMES) / told.login.decode()).is_dir()
    return AuthResult(success=good, handled=False)


async def serve() -> None:
    """Listen until somebody ends this process."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    handler = Handler()

    def made() -> Any:
        return SMTP(
            handler,
            hostname="mail.example.com",
            enable_SMTPUTF8=True,
            tls_context=context,
            auth_required=True,
            auth_require_tls=False,
            authenticator=knows,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", int(PORT))
    await server.serve_forever()


asyncio.run(serve())
