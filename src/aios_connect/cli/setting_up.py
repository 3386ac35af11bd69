"""The commands that set up: init, connect, check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from aios_connect.connection.settings import CLIENT_ID, needed_settings, way_of
from aios_connect.connectors import ConnectorSpec, registry
from aios_connect.connectors.credentials import MemoryTokenStore, Secrets
from aios_connect.errors import AuthError, ConfigError
from aios_connect.project import ConnectionSettings, Project
from aios_connect.project.layout import add_connection, lay_down

from .readiness import CheckAnswer, ConnectedAnswer, ForgottenAnswer, KeyAnswer, LaidAnswer
from .screen import Answer, Screen
from .signing_in import Given, Way, ask_secrets, give_back
from .words import Common, OnScreen, Switch

__all__ = ["check", "connect", "init"]


def init(folder: Path = Path(), /, *, common: Common = Common()) -> Answer:
    """Lay down a project: settings, mappings, a first job.

    Nothing that is there is changed.

    Args:
        folder: Where; it is made if it is not there.
        common: What every command takes.
    """
    return LaidAnswer(folder, lay_down(common.project / folder if common.project else folder))


def connect(
    name: str = "",
    /,
    *,
    provider: str | None = None,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    password_stdin: Switch = False,
    port: int = 0,
    device: Switch = False,
    forget: Switch = False,
    rotate_key: Switch = False,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Give a connection its credentials and see that it works.

    A connection that is not in the settings yet is written into them.
    Secrets are asked for on a terminal, or taken from stdin
    (--password-stdin) or the environment (AIOS_<NAME>_PASSWORD). They are
    kept encrypted in the store, and only if they work. Where the tool has a
    place for our unique key, it is made. Where it is signed in to by consent,
    a browser opens; it comes back to /callback on this machine. Where
    there are several ways to sign in, --set sign_in=oauth2 takes another one
    than the first; aios describe PROVIDER lists them.

    Args:
        name: The connection, such as crm.
        provider: Its provider, for a new connection; aios connectors lists them.
        settings: A setting of a new connection: --set url=https://crm.example.com; may be given several times.
        password_stdin: Take the secret from stdin.
        port: The port the browser comes back to, where the tool must know it beforehand; 0 takes a free one.
        device: Consent on another device, with a code; where the tool offers that.
        forget: Forget its secrets, and give a consent back to the tool.
        rotate_key: Seal the secrets of all connections with a new key instead; no connection is named.
        common: What every command takes.
        screen: Handed in.
    """
    if rotate_key:
        return _change_key(name, common)
    if not name:
        raise ConfigError(
            "which connection?", hint="aios connect NAME --provider PROVIDER, such as aios connect crm --provider csv"
        )
    project = Project.find(common.project, attempts=2)
    if forget:
        with project:
            return ForgottenAnswer(name, *give_back(project, name))
    if name not in project.connections:
        told = _settings(settings)
        slug = provider or (screen.ask(f"provider ({', '.join(registry.available())})") if screen.interactive else "")
        if not slug:
            raise ConfigError(
                f"there is no connection {name!r} yet", hint=f"name its provider: aios connect {name} --provider csv"
            )
        _ask_settings(registry.load(slug).spec, told, screen)
        add_connection(project.file, name, slug, told)
        project = Project.find(common.project, attempts=2)
    elif _differ(project.connections[name], provider, _settings(settings)):
        raise ConfigError(f"the connection {name!r} is there already", hint=f"change its settings in {project.file.name}")
    with project:
        return _sign_in(project, name, Way(password_stdin, port, device), screen)


def check(*, offline: Switch = False, common: Common = Common()) -> Answer:
    """Check settings, mappings and jobs, against the live schema too.

    Mappings are checked with their laws and examples. Every tool is asked who
    we are there and what we may do.

    Args:
        offline: Ask no tool.
        common: What every command takes.
    """
    with Project.find(common.project, attempts=2) as project:
        return CheckAnswer(project.check(live=not offline))


def _change_key(name: str, common: Common) -> Answer:
    if name:
        raise ConfigError("the key is that of all connections", hint="aios connect --rotate-key, without a name")
    with Project.find(common.project) as project:
        return KeyAnswer(*project.change_key())


def _sign_in(project: Project, name: str, way: Way, screen: Screen) -> Answer:
    """Try the secrets, and keep them only if they work; tokens may have been exchanged for newer ones meanwhile."""
    project.connection_settings(name)
    given = ask_secrets(project, name, screen, way)
    tokens = MemoryTokenStore(now=project.now)
    if given.values:
        tokens.put(name, given.values, expires_at=given.expires_at)
    works = False
    with project.connection_with(name, tokens if given.values else project.tokens) as connection:
        try:
            identity = connection.connector.check()
            works = True
            made = connection.connector.provision()
            if made:  # what was missing may be there now
                identity = connection.connector.check()
        except AuthError as refused:  # it says to connect again, which is what we are at
            if not works:
                refused.hint = _way_out(name, refused, _is_used_up(given, tokens.get(name)))
            raise
        finally:
            kept = tokens.get(name)
            if kept is not None and (works or _is_used_up(given, kept)):
                project.tokens.put(name, kept.values, expires_at=kept.expires_at)
    return ConnectedAnswer(name, project.spec(name), identity, made, stored=kept is not None)


def _is_used_up(given: Given, kept: Secrets | None) -> bool:
    """True if the grant that was given has been exchanged for another one: nobody can use it again."""
    return kept is not None and kept.values.get("refresh_token") != given.values.get("refresh_token")


def _way_out(name: str, refused: AuthError, used_up: bool) -> str:
    more = "grant what is missing there" if refused.status == 403 else "do it again with the right one"
    return (
        f"{more}, then aios connect {name}; the grant is used up, its successor was kept"
        if used_up
        else f"nothing was kept; {more}"
    )


def _differ(there: ConnectionSettings, provider: str | None, told: Mapping[str, str]) -> bool:
    """True if the command line says something else than the settings file."""
    return provider not in (None, there.provider) or any(there.settings.get(name) != value for name, value in told.items())


def _settings(words: tuple[str, ...]) -> dict[str, str]:
    told = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise ConfigError(f"--set {word}: there is no value", hint="write --set name=value")
        told[name.strip()] = value.strip()
    return told


def _ask_settings(spec: ConnectorSpec, told: dict[str, str], screen: Screen) -> None:
    """Ask for what is needed to sign in the way that was said."""
    way = way_of(spec, told)
    asked = (*needed_settings(spec, way), *([CLIENT_ID] if way.kind == "oauth2" else ()))
    for setting in asked if screen.interactive else ():
        if setting.name not in told and setting.default is None:
            told[setting.name] = screen.ask(f"{setting.name} ({setting.help})")
