"""What a connection may be told: its connector's settings, what its way of signing in adds, and the network's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter

from aios_connect.connectors import Auth, ConnectorSpec, Setting
from aios_connect.errors import ConfigError
from aios_connect.mappings.documents import did_you_mean

__all__ = [
    "CLIENT_ID",
    "NETWORK",
    "SIGN_IN",
    "needed_settings",
    "plain_settings",
    "secret_names",
    "setting_names",
    "settings_of",
    "way_of",
]

NETWORK: Mapping[str, str] = {
    "proxy": "Address of a proxy.",
    "certificates": "A PEM file or folder with the authorities to trust.",
    "reserve": "Percent of the vendor's calls a day that stay for the company's other tools.",
}
"""Settings that every connection may have, whatever its provider."""

SECRETS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "password": ("password",),
    "key": ("key",),
    "oauth2": ("client_secret", "refresh_token", "access_token"),
}
"""Way of signing in -> the secrets that belong to it."""

SIGN_IN = "sign_in"
"""The setting that takes another way of signing in than the first one; only where there are several."""

CLIENT_ID = Setting("client_id", "Id of your application at the provider, for oauth2.")
"""The setting that every connection signed in to by OAuth may have. With an access token that is never renewed it is not needed."""


def way_of(spec: ConnectorSpec, settings: Mapping[str, str], wrong: Callable[[str, str, str], ConfigError] | None = None) -> Auth:
    """The way of signing in that the settings name; the first one, if they name none.

    Args:
        spec: The connector's.
        settings: Plain settings.
        wrong: As for :func:`plain_settings`.

    Raises:
        ConfigError: There is no such way.
    """
    ways = {auth.kind: auth for auth in spec.auth}
    named = settings.get(SIGN_IN) or spec.auth[0].kind
    if named not in ways:
        raise (wrong or _plainly)(f"{SIGN_IN}: {spec.title} is not signed in to by {named!r}", did_you_mean(named, ways), SIGN_IN)
    return ways[named]


def settings_of(spec: ConnectorSpec) -> tuple[Setting, ...]:
    """The settings of a connector, and those that its ways of signing in add."""
    ways = [auth.kind for auth in spec.auth]
    choice = Setting(SIGN_IN, f"How to sign in: {' or '.join(ways)}.", default=ways[0])
    return (*spec.settings, *([choice] if len(ways) > 1 else ()), *([CLIENT_ID] if "oauth2" in ways else ()))


def needed_settings(spec: ConnectorSpec, way: Auth) -> tuple[Setting, ...]:
    """The plain settings without which nobody gets in this way: the required ones, and those that its addresses are made of."""
    addresses = (way.authorize_url, way.token_url, way.revoke_url, way.device_url)
    parts = {part for address in addresses for _, part, _, _ in Formatter().parse(address)}
    return tuple(one for one in settings_of(spec) if not one.secret and (one.required or one.name in parts))


def secret_names(spec: ConnectorSpec) -> tuple[str, ...]:
    """The secrets that a connection of this provider may have."""
    names = [setting.name for setting in spec.settings if setting.secret]
    for auth in spec.auth:
        names += SECRETS[auth.kind]
    return tuple(dict.fromkeys(names))


def setting_names(spec: ConnectorSpec) -> tuple[str, ...]:
    """The plain settings that a connection of this provider may have."""
    return (*(setting.name for setting in settings_of(spec) if not setting.secret), *NETWORK)


def plain_settings(
    spec: ConnectorSpec, given: Mapping[str, str], wrong: Callable[[str, str, str], ConfigError] | None = None
) -> dict[str, str]:
    """The settings a connector is made with: those given, defaults filled in.

    Args:
        spec: The connector's.
        given: What was given, without secrets.
        wrong: Makes the error from message, hint and setting; it may say where the setting stands.

    Raises:
        ConfigError: A setting is unknown or missing, or belongs to another way of signing in.
    """
    wrong = wrong or _plainly
    known = setting_names(spec)
    for name in given:
        if name not in known:
            raise wrong(f"{spec.title} has no setting {name!r}", did_you_mean(name, [*known, *secret_names(spec)]), name)
    way = way_of(spec, given, wrong)
    if given.get(CLIENT_ID.name) and way.kind != "oauth2":
        hint = f'write {SIGN_IN} = "oauth2", or take {CLIENT_ID.name} out'
        raise wrong(f"{CLIENT_ID.name} is for oauth2, and this is signed in to by {way.kind}", hint, CLIENT_ID.name)
    defaults = {one.name: one.default for one in settings_of(spec) if not one.secret and one.default is not None}
    told = defaults | dict(given)
    for one in needed_settings(spec, way):
        if one.name not in told:
            raise wrong(f"{spec.title} needs {one.name}: {one.help}", f"give {one.name}", one.name)
    return told


def _plainly(message: str, hint: str, setting: str) -> ConfigError:
    return ConfigError(message, hint=hint)
