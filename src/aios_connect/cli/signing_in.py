"""Getting the first secrets of a connection: from stdin, from a person, or by a person's consent. And giving them back."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aios_connect.connection.settings import CLIENT_ID, SIGN_IN, secret_names, way_of
from aios_connect.connectors import Auth, ConnectorSpec, Credentials, Http
from aios_connect.errors import ConfigError, ProviderError
from aios_connect.project import Project
from aios_connect.project.settings import variable

from .screen import Screen

if TYPE_CHECKING:
    from aios_connect.connectors.oauth import DeviceCode

__all__ = ["Given", "Way", "ask_secrets", "give_back"]


@dataclass(frozen=True, slots=True)
class Way:
    """How the secrets come.

    Attributes:
        from_stdin: From stdin, one a line.
        port: Where on this machine the browser comes back to; 0 is any free one.
        device: The person consents on another device.
    """

    from_stdin: bool = False
    port: int = 0
    device: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """Secrets to try.

    Attributes:
        values: By name; none if those that are there already are to be tried.
        expires_at: When the access token among them expires, epoch seconds.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    expires_at: float | None = None


def ask_secrets(project: Project, name: str, screen: Screen, way: Way) -> Given:
    """Get the secrets of a connection.

    Args:
        project: The project.
        name: The connection.
        screen: Where a person is asked.
        way: How they come.

    Raises:
        ConfigError: There are none, and nobody can be asked; or they cannot come this way.
        AuthError: The person did not consent.
    """
    spec, settings = project.spec(name), project.connection_settings(name)
    auth = way_of(spec, settings)
    needed, welcome = _secrets(spec, auth)
    consent = auth.kind == "oauth2" and auth.grant == "code" and bool(auth.authorize_url)
    if way.port and not consent:
        raise ConfigError(f"{spec.title} is not signed in to in a browser", hint="leave --port out")
    if way.device and not (consent and auth.device_url):
        raise ConfigError(f"{spec.title} offers no consent on another device", hint="leave --device out")
    if way.from_stdin and not (needed or welcome):
        raise ConfigError(f"{spec.title} needs no secret", hint="leave --password-stdin out")
    if not way.from_stdin and not screen.interactive:
        if _there(project, name, auth, needed):
            return Given()
        variables = ", ".join(variable(name, secret) for secret in needed)
        raise ConfigError(
            f"connection {name!r} has no {' and no '.join(_said(secret) for secret in needed)}",
            hint=f"give --password-stdin, or set {variables}",
        )
    if auth.kind == "oauth2" and not settings.get(CLIENT_ID.name):
        raise ConfigError(
            f"{spec.title} needs {CLIENT_ID.name}: {CLIENT_ID.help}",
            hint=f'write {CLIENT_ID.name} = "..." under [connections.{name}], or set {variable(name, CLIENT_ID.name)}',
        )
    if needed or (welcome and way.from_stdin):
        project.prepare_key()
    if way.from_stdin:
        return Given(_from_stdin(needed, welcome))
    if needed or welcome:
        screen.say(auth.help)
    for other in spec.auth:
        if other is not auth:
            screen.say(f'(this is to sign in by {auth.kind}; another way: {SIGN_IN} = "{other.kind}")')
    asked = [secret for secret in needed if not (consent and secret == "refresh_token")]  # noqa: S105 # a name
    values = {secret: screen.ask(_said(secret), secret=True) for secret in asked}
    values |= {secret: screen.ask(f"{_said(secret)} (may be left out)", secret=True) for secret in welcome}
    values = {secret: value for secret, value in values.items() if value}
    return _consent(project, name, auth, values, screen, way) if consent else Given(values)


def give_back(project: Project, name: str) -> tuple[bool, list[str]]:
    """Give a grant back to the provider, where it takes it, and forget all secrets of a connection here.

    Args:
        project: The project.
        name: The connection.

    Returns:
        Whether the provider confirmed that the grant is no longer good; and what is left for the person to do.
    """
    spec, settings = project.spec(name), project.connection_settings(name)
    left: list[str] = []
    auth = way_of(spec, settings)
    kept = auth.kind == "oauth2" and project.tokens.get(name) is not None
    with _token_http(project, name) as http:
        sleep = time.sleep
        credentials = Credentials(name, auth, project.tokens, settings=settings, http=http, now=project.now, sleep=sleep)
        try:
            credentials.revoke()
            taken = bool(kept and auth.revoke_url)
        except ProviderError as error:
            taken = False
            left.append(f"{spec.title} did not take the grant back ({error.message}): take it away in its own settings")
    if kept and not auth.revoke_url:
        left.append(f"{spec.title} has no address to give a grant back to: take it away in its own settings")
    given = [variable(name, secret) for secret in secret_names(spec)]
    left += [f"{one} is still in the environment" for one in given if os.environ.get(one)]
    return taken, left


def _secrets(spec: ConnectorSpec, auth: Auth) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The secrets a person must bring, and those a person may bring."""
    own = [setting for setting in spec.settings if setting.secret]
    needed = [setting.name for setting in own if setting.required]
    match auth.kind:
        case "password" | "key":
            needed.append(auth.kind)
        case "oauth2":
            needed += [] if auth.client_auth == "none" else ["client_secret"]
            needed += ["refresh_token"] if auth.grant == "code" else []
    return tuple(needed), tuple(setting.name for setting in own if not setting.required)


def _there(project: Project, name: str, auth: Auth, needed: Sequence[str]) -> bool:
    """Enough secrets to sign in this way are kept already, or in the environment; an access token alone will do."""
    if not needed:
        return True
    kept = project.tokens.get(name)
    given = {secret for secret, value in kept.values.items() if value} if kept else set()
    return given >= set(needed) or (auth.kind == "oauth2" and bool(given & {"access_token", "refresh_token"}))


def _from_stdin(needed: Sequence[str], welcome: Sequence[str]) -> dict[str, str]:
    """One secret a line: those that are needed, then those that may be left out, but not all of them."""
    lines = [line.strip("\r\n") for line in sys.stdin]
    given = {secret: line for secret, line in zip((*needed, *welcome), lines, strict=False) if line}
    missing = [secret for secret in needed or (() if given else welcome) if secret not in given]
    if missing:
        one_each = "give one line for each, in this order" if len(missing) > 1 else "write it to stdin, on one line"
        raise ConfigError(f"stdin did not have the {' and the '.join(map(_said, missing))}", hint=one_each)
    return given


def _consent(project: Project, name: str, auth: Auth, values: Mapping[str, str], screen: Screen, way: Way) -> Given:
    """Send the person to the vendor, and wait for what comes back."""
    from aios_connect.connectors.consent import ask_consent, ask_on_another_device
    from aios_connect.connectors.oauth import TokenEndpoint

    def show(address: str) -> None:
        screen.say(f"consent in the browser; if none opens, open this address on this machine:\n{address}")
        webbrowser.open(address)

    def show_code(asked: DeviceCode) -> None:
        screen.say(f"open this address on any device, and type {asked.user_code} there:\n{asked.address}")

    provider, settings, now = project.spec(name).provider, project.connection_settings(name), project.now
    with _token_http(project, name) as http:
        ours = {"client_id": settings.get("client_id", ""), "client_secret": values.get("client_secret", "")}
        endpoint = TokenEndpoint(auth, http, settings=settings, now=now, **ours)
        if way.device:
            grant = ask_on_another_device(endpoint, show=show_code, now=now, sleep=time.sleep, provider=provider)
        else:
            grant = ask_consent(endpoint, show=show, host=auth.loopback, port=way.port, provider=provider)
    return Given({**values, **grant.values()}, grant.expires_at)


@contextmanager
def _token_http(project: Project, name: str) -> Iterator[Http]:
    """The way to the provider's token address, with the proxy and the certificates of the connection."""
    from aios_connect.connectors.oauth import token_http

    settings = project.connection_settings(name)
    certificates = settings.get("certificates")
    verify = project.folder / certificates if certificates else True
    http = token_http(project.spec(name).provider, verify=verify, proxy=settings.get("proxy"), now=project.now)
    try:
        yield http
    finally:
        http.close()


def _said(secret: str) -> str:
    return secret.replace("_", " ")
