"""Secrets from the environment, over those kept encrypted in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from aios_connect.connectors.credentials import Secrets, TokenStore

from .settings import variable

__all__ = ["EnvironmentTokens"]


class EnvironmentTokens:
    """A token store that looks into the environment first: ``AIOS_CRM_PASSWORD``, ``AIOS_CRM_KEY``.

    Passwords and keys found there are used as they are. Tokens found there only begin: what they were exchanged for is kept in the
    store, because a refresh token may work once; what the store does not keep, such as the secret that signs webhooks, is added from
    there. The store is opened only when it is needed.

    Args:
        environment: Environment variables.
        names: Connection -> the secrets it may have.
        below: Opens the store's own tokens.
    """

    def __init__(
        self, environment: Mapping[str, str], names: Callable[[str], Iterable[str]], below: Callable[[], TokenStore]
    ) -> None:
        self._environment = environment
        self._names = names
        self._below = below

    def get(self, connection: str) -> Secrets | None:
        """See :meth:`TokenStore.get`."""
        given = {
            name: self._environment[variable(connection, name)]
            for name in self._names(connection)
            if self._environment.get(variable(connection, name))
        }
        if given and not {"refresh_token", "access_token", "client_secret"} & given.keys():
            return Secrets(given)
        kept = self._below().get(connection)
        if kept is None and given:
            self._below().put(connection, given, version=0)
            kept = self._below().get(connection)
        return kept and replace(kept, values={**given, **kept.values})

    def put(
        self, connection: str, values: Mapping[str, str], *, expires_at: float | None = None, version: int | None = None
    ) -> bool:
        """See :meth:`TokenStore.put`."""
        return self._below().put(connection, values, expires_at=expires_at, version=version)

    def delete(self, connection: str) -> None:
        """See :meth:`TokenStore.delete`."""
        self._below().delete(connection)

    def lease(self, connection: str, owner: str, *, version: int, seconds: float) -> bool:
        """See :meth:`TokenStore.lease`."""
        return self._below().lease(connection, owner, version=version, seconds=seconds)

    def release(self, connection: str, owner: str) -> None:
        """See :meth:`TokenStore.release`."""
        self._below().release(connection, owner)
