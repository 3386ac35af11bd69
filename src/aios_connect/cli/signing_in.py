"""Getting the first secrets of a connection: from stdin, from a person, or by a person's consent in a browser."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aios_connect.connectors import Auth, ConnectorSpec
from aios_connect.errors import ConfigError
from aios_connect.project import Project
from aios_connect.project.settings import variable

from .screen import Screen

__all__ = ["Given", "ask_secrets"]


@dataclass(frozen=True, slots=True)
class Given:
    """Secrets to try.

    Attributes:
        values: By name; none if those that are there already are to be tried.
        expires_at: When the access token among them expires, epoch seconds.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    expires_at: float | None = None


def ask_secrets(project: Project, name: str, screen: Screen, *, from_stdin: bool) -> Given:
    """Get the secrets of a connection.

    Args:
        project: The project.
        name: The connection.
        screen: Where a person is asked.
        from_stdin: Take them from stdin, one a line.

    Raises:
        ConfigError: There are none, and nobody can be asked.
        AuthError: The person did not consent.
    """
    spec = project.spec(name)
    auth = spec.auth[0]
    wanted = _wanted(spec, auth)
    consent = auth.kind == "oauth2" and auth.grant == "code"
    if from_stdin and not wanted:
        raise ConfigError(f"{spec.title} needs no secret", hint="leave --password-stdin out")
    if from_stdin:
        return Given(_from_stdin(wanted))
    if not wanted and not consent:
        return Given()
    if not screen.interactive:
        if project.tokens.get(name) is not None:
            return Given()
        variables = ", ".join(variable(name, secret) for secret in wanted)
        raise ConfigError(
            f"connection {name!r} has no {' and no '.join(_said(secret) for secret in wanted)}",
            hint=f"give --password-stdin, or set {variables}",
        )
    screen.say(auth.help)
    asked = [secret for secret in wanted if not (consent and secret == "refresh_token")]  # noqa: S105 # a name
    values = {secret: value for secret in asked if (value := screen.ask(_said(secret), secret=True))}
    return _consent(project, name, auth, values, screen) if consent else Given(values)


def _wanted(spec: ConnectorSpec, auth: Auth) -> tuple[str, ...]:
    """The secrets a person must bring."""
    own = tuple(setting.name for setting in spec.settings if setting.secret)
    match auth.kind:
        case "none":
            return own
        case "password" | "key":
            return (*own, auth.kind)
    proof = () if auth.client_auth == "none" else ("client_secret",)
    return (*own, *proof, *(("refresh_token",) if auth.grant == "code" else ()))


def _from_stdin(wanted: Sequence[str]) -> dict[str, str]:
    lines = [line.strip("\r\n") for line in sys.stdin]
    given = dict(zip(wanted, lines, strict=False))
    missing = [secret for secret in wanted if not given.get(secret)]
    if missing:
        one_each = "give one line for each, in this order" if len(wanted) > 1 else "write it to stdin, on one line"
        raise ConfigError(f"stdin did not have the {' and the '.join(map(_said, missing))}", hint=one_each)
    return given


def _consent(project: Project, name: str, auth: Auth, values: Mapping[str, str], screen: Screen) -> Given:
    """Send the person to the vendor, and wait for what comes back."""
    from aios_connect.connectors.consent import ask_consent
    from aios_connect.connectors.oauth import TokenEndpoint, token_http

    def show(address: str) -> None:
        screen.say(f"consent in the browser; if none opens, open this address on this machine:\n{address}")
        webbrowser.open(address)

    provider, settings = project.spec(name).provider, project.connection_settings(name)
    http = token_http(provider, now=project.now)
    endpoint = TokenEndpoint(
        auth,
        http,
        client_id=settings.get("client_id", ""),
        client_secret=values.get("client_secret", ""),
        settings=settings,
        now=project.now,
    )
    try:
        grant = ask_consent(endpoint, show=show, provider=provider)
    finally:
        http.close()
    return Given({**values, **grant.values()}, grant.expires_at)


def _said(secret: str) -> str:
    return secret.replace("_", " ")
