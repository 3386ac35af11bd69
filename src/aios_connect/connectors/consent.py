"""A person's consent in a browser, brought back to this machine: OAuth 2.0 for native apps (RFC 8252) with PKCE (RFC 7636)."""

from __future__ import annotations

import html
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from aios_connect.errors import AuthError

from .oauth import Grant, TokenEndpoint
from .redaction import redact, remember

__all__ = ["ask_consent"]

PATH: Final = "/callback"
"""Where the browser comes back to: ``http://127.0.0.1:<port>/callback`` must be among the application's addresses at the vendor."""


def ask_consent(
    endpoint: TokenEndpoint, *, show: Callable[[str], None], port: int = 0, patience: float = 300.0, provider: str = ""
) -> Grant:
    """Send a person to the vendor and wait until the browser comes back with the consent.

    Args:
        endpoint: The vendor's token address.
        show: Gets the address to open; opens a browser, or prints it.
        port: Where to listen on this machine; any free one, unless the vendor wants to know it beforehand.
        patience: Seconds to wait for the person.
        provider: Slug, for errors.

    Returns:
        What the vendor granted.

    Raises:
        AuthError: The person declined, did not come back, or the vendor refused.
    """
    with _Door(port) as door:
        redirect = f"http://127.0.0.1:{door.server_port}{PATH}"
        door.state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        remember(verifier)
        show(endpoint.authorize_url(redirect_uri=redirect, state=door.state, verifier=verifier))
        answer = door.wait(patience)
        if answer is None:
            raise AuthError(
                f"nobody consented within {patience:.0f} s",
                hint="open the address in a browser on this machine",
                provider=provider,
            )
        if "code" not in answer:
            said = redact(answer.get("error_description") or answer.get("error") or "nothing")
            raise AuthError(f"there was no consent; the vendor says: {said}", hint="try again and consent", provider=provider)
        return endpoint.from_code(answer["code"], redirect_uri=redirect, verifier=verifier)


class _Door(ThreadingHTTPServer):
    """Listens on this machine only, for one answer that carries our state."""

    daemon_threads = True  # browsers keep connections open that they never use

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Knock)
        self.state = ""
        self.answer: dict[str, str] | None = None
        self.came = threading.Event()

    def wait(self, patience: float) -> dict[str, str] | None:
        listening = threading.Thread(target=self.serve_forever, args=(0.1,))
        listening.start()
        self.came.wait(patience)
        self.shutdown()
        listening.join()
        return self.answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up early is no concern of ours."""


class _Knock(BaseHTTPRequestHandler):
    server: _Door
    timeout = 10

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path != PATH or not secrets.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self._say(404, "This is not the answer that was waited for.")  # a favicon, or somebody else's answer
            return
        self.server.answer = query
        if "code" in query:
            self._say(200, "Connected. You can close this window.")
        else:
            self._say(200, "Not connected. You can close this window and try again.")
        self.server.came.set()  # only now: the page has been delivered

    def _say(self, status: int, text: str) -> None:
        content = f"<!doctype html><meta charset=utf-8><title>aios-connect</title><p>{html.escape(text)}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *values: Any) -> None:
        """The address holds the code: it is not logged."""
