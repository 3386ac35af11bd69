"""Finding connectors: distributions announce them as entry points ``aios_connect.connectors``. Listing imports none of them."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points

from aios_connect.errors import ConfigError

from .contract import Connector

__all__ = ["GROUP", "available", "load"]

GROUP = "aios_connect.connectors"
"""The entry point group: ``hubspot = "aios_connect_hubspot:HubSpot"``."""


def available() -> tuple[str, ...]:
    """The providers whose connectors are installed, in alphabetical order."""
    return tuple(sorted({entry.name for entry in _announced()}))


def load(provider: str) -> type[Connector]:
    """The connector class of a provider.

    Args:
        provider: Its slug, ``"tryton"``.

    Raises:
        ConfigError: It is not installed, or what is installed is no connector.
    """
    entry = next(iter(_announced().select(name=provider)), None)
    if entry is None:
        raise _unknown(provider)
    try:
        connector = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the connector {provider!r} is installed but does not load: {error}",
            hint=f"install it again: {_install(provider, entry)}",
        ) from error
    if not (isinstance(connector, type) and issubclass(connector, Connector)):
        raise ConfigError(
            f"the entry point {provider!r} of {_distribution(entry)} is not a connector class",
            hint=f"name the class in it: {provider} = 'package:Class'",
        )
    if connector.spec.provider != provider:
        raise ConfigError(
            f"the entry point {provider!r} of {_distribution(entry)} gives the connector of {connector.spec.provider!r}",
            hint="give the entry point the provider's slug",
        )
    return connector


@cache
def _announced() -> EntryPoints:
    """What is installed; looked up once, for it takes longer than all else here."""
    return entry_points(group=GROUP)


def _unknown(provider: str) -> ConfigError:
    installed = available()
    close = difflib.get_close_matches(provider, installed, n=1, cutoff=0.6)
    if close:
        return ConfigError(f"there is no connector {provider!r}", hint=f"did you mean {close[0]!r}?")
    listed = ", ".join(installed) or "none"
    return ConfigError(
        f"there is no connector {provider!r} installed (installed: {listed})",
        hint=f"install it: pip install 'aios-connect[{provider}]'",
    )


def _install(provider: str, entry: EntryPoint) -> str:
    return f"pip install --force-reinstall {_distribution(entry)}" if entry.dist else f"pip install 'aios-connect[{provider}]'"


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value
