"""A fake vendor for anybody to play with: who has one, and what one needs to know to use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from aios_connect.connectors import registry
from aios_connect.errors import ConfigError

from .outbox import Outbox, Target
from .vendor import Vendor

__all__ = ["Playground", "load_playground"]


@dataclass(frozen=True, slots=True)
class Playground:
    """A fake account with a company in it.

    Attributes:
        provider: The provider it is a fake of.
        vendor: The fake.
        secret: What one signs in with; everybody may know it. Where it takes several, one on each line, as ``aios connect`` takes them.
        contents: Object -> how many records it holds.
        hazards: What is hard about it: name -> how hard, and what it means.
        subscribe: Sends webhooks of everything that happens to a target, signed for an address; ``None`` if it sends none.
        settings: What a connection to it must say besides its address; ``{url}`` stands for that.
        kind: What may be read of it first.
    """

    provider: str
    vendor: Vendor
    secret: str
    contents: Mapping[str, int]
    hazards: Mapping[str, tuple[str, str]]
    subscribe: Callable[[Target, str], Outbox] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    kind: str = "company"


def load_playground(provider: str, *, seed: int = 0, hazards: bool = True) -> Playground:
    """The sandbox of a provider, which its connector's spec names.

    Args:
        provider: Slug of an installed connector.
        seed: The same seed gives the same account.
        hazards: Everything that is hard about the real one is on.

    Raises:
        ConfigError: The connector is not installed, or has no sandbox.
    """
    place = registry.load(provider).spec.sandbox
    if not place:
        known = ", ".join(name for name in registry.available() if registry.load(name).spec.sandbox)
        raise ConfigError(f"{provider} has no sandbox", hint=f"those with one: {known or 'none is installed'}")
    module, _, name = place.partition(":")
    made: Callable[..., Playground] = getattr(import_module(module), name)
    return made(seed=seed, hazards=hazards)
