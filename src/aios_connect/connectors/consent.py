"""A person's consent: in a browser on this machine (RFC 8252, with PKCE, RFC 7636), or on another device (RFC 8628)."""

from __future__ import annotations

import html
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from aios_connect.errors import AuthError, ConfigError, UnavailableError

from .oauth import DeviceCode, Grant, OAuthRefusedError, TokenEndpoint
from .redaction import redact, remember

__all__ = ["ask_consent", "ask_on_another_device"]

PATH: Final = "/callback"
"""Where the browser comes back to: ``http://127.0.0.1:<port>/callback`` must be among the application's addresses at the vendor; with
``localhost`` where the vendor wants that."""

_SLOWER: Final = 5.0  # seconds more between two questions, when the vendor says so: RFC 8628, 3.5
_AGAIN: Final = "do the same again, and consent"
_LATER: Final = "do the same again later"
_WAYS_OUT: Final = {"access_denied": _AGAIN, "server_error": _LATER, "temporarily_unavailable": _LATER}


def ask_consent(
    endpoint: TokenEndpoint,
    *,
    show: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    patience: float = 300.0,
    provider: str = "",
) -> Grant:
    """Send a person to the vendor and wait until the browser comes back with the consent.

    Args:
        endpoint: The vendor's token address.
        show: Gets the address to open; opens a browser, or prints it.
        host: What the vendor calls this machine (:attr:`~aios_connect.connectors.Auth.loopback`).
        port: Where to listen on this machine; any free one, unless the vendor wants to know it beforehand.
        patience: Seconds to wait for the person.
        provider: Slug, for errors.

    Returns:
        What the vendor granted.

    Raises:
        AuthError: The person declined, did not come back, or the vendor refused.
        ConfigError: The port cannot be had.
    """
    with _door(port) as door:
        redirect = f"http://{host}:{door.server_port}{PATH}"
        door.state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        remember(verifier)
        show(endpoint.authorize_url(redirect_uri=redirect, state=door.state, verifier=verifier))
        answer = door.wait(patience)
        if answer is None:
            strange = "; an answer came that belongs to another sign-in" if door.strangers else ""
            raise AuthError(
                f"nobody consented within {patience:.0f} s{strange}",
                hint=f"open the address in a browser on this machine, and no older one; {redirect} must be among the redirect "
                "addresses of your application there",
                provider=provider,
            )
        if "code" not in answer:
            raise _declined(answer, redirect, provider)
        try:
            return endpoint.from_code(answer["code"], redirect_uri=redirect, verifier=verifier)
        except OAuthRefusedError as refused:
            refused.hint = _way_out(refused)
            raise


def ask_on_another_device(
    endpoint: TokenEndpoint,
    *,
    show: Callable[[DeviceCode], None],
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    provider: str = "",
) -> Grant:
    """Have a person type a code at the vendor, on whatever device, and ask until it was done.

    Args:
        endpoint: The vendor's token address.
        show: Gets what the person needs to know.
        now: The clock.
        sleep: How to wait, in seconds.
        provider: Slug, for errors.

    Returns:
        What the vendor granted.

    Raises:
        AuthError: The person declined, did not type the code in time, or the vendor refused.
    """
    asked = endpoint.device()
    show(asked)
    wait, until = asked.interval, now().timestamp() + asked.lifetime
    while now().timestamp() + wait < until:
        sleep(wait)
        try:
            return endpoint.from_device(asked.device_code)
        except UnavailableError:
            wait *= 2
        except OAuthRefusedError as refused:
            if refused.code == "slow_down":
                wait += _SLOWER
            elif refused.code == "access_denied":
                raise AuthError("there was no consent; the person declined", hint=_AGAIN, provider=provider) from None
            elif refused.code == "expired_token":
                break
            elif refused.code != "authorization_pending":
                refused.hint = _way_out(refused)
                raise
    raise AuthError(
        f"nobody typed the code within {asked.lifetime:.0f} s", hint="do the same again; it gives a new code", provider=provider
    )


def _declined(answer: Mapping[str, str], redirect: str, provider: str) -> AuthError:
    code = answer.get("error", "")
    said = redact(answer.get("error_description") or code or "nothing")
    settings = f"look at your application there: it needs the scopes that are asked for, and {redirect} as a redirect address"
    return AuthError(f"there was no consent; the vendor says: {said}", hint=_WAYS_OUT.get(code, settings), provider=provider)


def _way_out(refused: OAuthRefusedError) -> str:
    if refused.lost:
        return "the consent was too old, or used before; do the same again"
    return "look at your application there: its client id, its client secret, its redirect addresses"


def _door(port: int) -> _Door:
    try:
        return _Door(port)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"port {port} cannot be had for the browser to come back to: {error}", hint="give another --port, or none"
        ) from error


class _Door(ThreadingHTTPServer):
    """Listens on this machine only, for one answer that carries our state."""

    daemon_threads = True  # browsers keep connections open that they never use

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Knock)
        self.state = ""
        self.answer: dict[str, str] | None = None
        self.strangers = 0
        self.came = threading.Event()

    def wait(self, patience: float) -> dict[str, str] | None:
        listening = threading.Thread(target=self.serve_forever, args=(0.1,))
        listening.start()
        try:
            self.came.wait(patience)
        finally:  # a person may also lose patience first, and press Ctrl-C
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
        if parts.path != PATH:  # a favicon
            self._say(404, "There is nothing here.")
            return
        if not secrets.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self.server.strangers += 1
            self._say(404, "This is not the answer that was waited for. Open the address that aios shows now, and no older one.")
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
