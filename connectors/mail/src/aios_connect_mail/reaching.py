"""How a server is reached: address, TLS, time-outs, and the proof of who we are. The same for IMAP and SMTP.

Certificates are verified. Without TLS nothing is sent to another machine unless the setting says ``insecure``.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, TypeVar

from aios_connect.connectors import AuthError, ConfigError, Context, ProviderError, UnavailableError, redact
from aios_connect.connectors.redaction import remember

__all__ = ["PATIENCE", "Place", "coded", "place", "proven", "reached", "said"]

PATIENCE: Final = 60.0
"""Seconds that a server is waited for, at every single answer."""
_THERE: Final = "is it running, and are host, port and security right?"

_Result = TypeVar("_Result")
_SECURITY: Final = ("tls", "starttls", "none", "insecure")


@dataclass(frozen=True, slots=True)
class Place:
    """A server.

    Attributes:
        what: ``IMAP`` or ``SMTP``.
        host: Its name.
        port: Its port.
        security: ``tls`` (from the first byte), ``starttls`` or ``none``.
        context: What verifies its certificate; ``None`` without TLS.
    """

    what: str
    host: str
    port: int
    security: str
    context: ssl.SSLContext | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def place(context: Context, prefix: str, what: str, ports: tuple[int, int]) -> Place:
    """Where a server is, by the settings.

    Args:
        context: The connection.
        prefix: Of the names of its settings, ``"smtp_"``.
        what: ``IMAP`` or ``SMTP``.
        ports: The usual port with TLS from the first byte, and the one without.

    Raises:
        ConfigError: A setting is wrong.
    """
    told = context.settings
    host = told.get(f"{prefix}host", "").strip()
    security = told.get(f"{prefix}security") or "tls"
    if security not in _SECURITY:
        raise ConfigError(f"{prefix}security: {security!r} is not known", hint=f"write {', '.join(_SECURITY)}")
    if security == "none" and not _is_here(host):
        raise ConfigError(
            f"{prefix}security: without TLS everybody on the way reads password and mail",
            hint='write "tls" or "starttls"; or "insecure" if that is really meant',
        )
    if security == "insecure":
        security = "none"
    port = told.get(f"{prefix}port") or str(ports[0] if security == "tls" else ports[1])
    if not port.isdigit() or not 0 < int(port) < 65_536:
        raise ConfigError(f"{prefix}port: {port!r} is no port", hint=f"{ports[0]} and {ports[1]} are usual")
    return Place(what, host, int(port), security, None if security == "none" else _verifying(context))


def proven(context: Context, kind: str, attempt: Callable[[str], _Result]) -> _Result:
    """Sign in: with the password, or with an access token, which is renewed once if it is refused.

    Args:
        context: The connection.
        kind: ``password`` or ``oauth2``.
        attempt: Signs in with a proof, and raises :class:`AuthError` if it is refused.
    """
    if kind != "oauth2":
        return attempt(context.credentials.password())
    token = context.credentials.access_token()
    try:
        return attempt(token)
    except AuthError:
        if not context.credentials.refresh({"authorization": f"Bearer {token}"}):
            raise
    return attempt(context.credentials.access_token())


def coded(proof: str) -> str:
    """A proof of who we are as it goes over the wire, in base64; from now on it is kept out of every text, should a server echo it."""
    told = base64.b64encode(proof.encode()).decode()
    remember(told)
    return told


@contextmanager
def reached(place: Place) -> Iterator[None]:
    """Says what it means when a server does not answer.

    Raises:
        UnavailableError: It does not.
    """
    try:
        yield
    except ProviderError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise UnavailableError(
            f"{place} does not show a certificate that is trusted: {error.verify_message}",
            hint="check host; for a server with an authority of its own give authorities",
            provider="mail",
        ) from None
    except ssl.SSLError as error:
        hint = "check port and security: a server that begins in plain text wants starttls"
        raise UnavailableError(f"{place} does not speak TLS: {error.reason or error}", hint=hint, provider="mail") from None
    except TimeoutError:
        raise UnavailableError(f"{place} did not answer in {PATIENCE:.0f} s", hint=_THERE, provider="mail") from None
    except (OSError, EOFError) as error:
        raise UnavailableError(f"{place} cannot be reached: {said(error)}", hint=_THERE, provider="mail") from None


def said(error: object) -> str:
    """The server's words, for a person; without secrets."""
    if isinstance(error, BaseException) and len(error.args) == 1:
        error = error.args[0]
    text = error.decode("utf-8", "replace") if isinstance(error, bytes) else str(error)
    return redact(" ".join(text.split()))[:500]


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _verifying(context: Context) -> ssl.SSLContext:
    own = context.settings.get("authorities")
    if not own:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(context.folder / own))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"authorities: {own} cannot be read: {said(error)}", hint="give a PEM file") from None
