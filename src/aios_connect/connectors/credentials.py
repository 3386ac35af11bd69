"""Credentials: secrets by name, and access tokens that are fresh when asked for.

A refresh is done once, however many threads and processes ask: lease -> read again -> refresh -> durable write -> use. The lease
is a row, so that nothing is locked while the vendor is asked, and a process that dies holding it is replaced.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aios_connect.errors import AuthError, BusyError

from .owners import this_process
from .redaction import remember

if TYPE_CHECKING:
    from .http import Http
    from .oauth import Grant, TokenEndpoint
    from .spec import Auth

__all__ = ["Credentials", "MemoryTokenStore", "Secrets", "TokenStore"]

_log = logging.getLogger("aios_connect.auth")

LEASE = 60.0
"""Seconds a refresh may take; longer than the token address is waited for, with its one retry (see ``token_http``)."""

_MARGIN = 60.0  # a token is renewed this many seconds before it expires, or a tenth of its life if that is less
_PUBLIC = frozenset(
    {"api_domain", "client_id", "id", "instance_url", "issued_at", "lifetime", "rotated_at", "scope", "token_type"}
)
_PAUSE = 0.05  # between two looks at a lease that somebody else holds
_SAVES = 20
_SAVE_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is kept of one connection.

    Attributes:
        values: By name: ``password``, ``key``, ``client_secret``, ``access_token``, ``refresh_token``, ...
        expires_at: When the access token expires, epoch seconds, if known.
        version: Grows with every write.
    """

    values: Mapping[str, str] = field(repr=False)
    expires_at: float | None = None
    version: int = 0


class TokenStore(Protocol):
    """Where secrets are kept: ``store/tokens.py`` encrypted in the project's store, or :class:`MemoryTokenStore`."""

    def get(self, connection: str) -> Secrets | None:
        """What is kept of a connection."""

    def put(
        self, connection: str, values: Mapping[str, str], *, expires_at: float | None = None, version: int | None = None
    ) -> bool:
        """Keep secrets durably, and end a lease on them.

        Args:
            connection: Whose.
            values: All of them; what is left out is forgotten.
            expires_at: When the access token expires.
            version: Only if they are still at this version, 0 for not there; ``None`` for whatever there is.

        Returns:
            False if the version was another one; then nothing was written.
        """

    def delete(self, connection: str) -> None:
        """Forget a connection's secrets."""

    def lease(self, connection: str, owner: str, *, version: int, seconds: float) -> bool:
        """Be the one who renews, if nobody else is and the version is still this one.

        Args:
            connection: Whose.
            owner: Who we are; see :func:`~aios_connect.connectors.owners.this_process`.
            version: Of the secrets we have read.
            seconds: After which somebody else may; at once if our process has ended and that can be known.
        """

    def release(self, connection: str, owner: str) -> None:
        """End a lease, if it is this owner's."""


class MemoryTokenStore:
    """Secrets of one process, for use without a project.

    Args:
        now: The clock, for leases.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._secrets: dict[str, Secrets] = {}
        self._writes = 0
        self._leases: dict[str, tuple[str, float]] = {}

    def get(self, connection: str) -> Secrets | None:
        """See :meth:`TokenStore.get`."""
        return self._secrets.get(connection)

    def put(
        self, connection: str, values: Mapping[str, str], *, expires_at: float | None = None, version: int | None = None
    ) -> bool:
        """See :meth:`TokenStore.put`."""
        with self._lock:
            there = self._secrets.get(connection)
            if version is not None and version != (there.version if there else 0):
                return False
            self._writes += 1
            self._secrets[connection] = Secrets(dict(values), expires_at, self._writes)
            self._leases.pop(connection, None)
            return True

    def delete(self, connection: str) -> None:
        """See :meth:`TokenStore.delete`."""
        with self._lock:
            self._secrets.pop(connection, None)
            self._leases.pop(connection, None)

    def lease(self, connection: str, owner: str, *, version: int, seconds: float) -> bool:
        """See :meth:`TokenStore.lease`."""
        now = self._now().timestamp()
        with self._lock:
            there = self._secrets.get(connection)
            holder, until = self._leases.get(connection, ("", 0.0))
            if there is None or there.version != version or (until > now and holder != owner):
                return False
            self._leases[connection] = (owner, now + seconds)
            return True

    def release(self, connection: str, owner: str) -> None:
        """See :meth:`TokenStore.release`."""
        with self._lock:
            if self._leases.get(connection, ("", 0.0))[0] == owner:
                del self._leases[connection]


class Credentials:
    """The credentials of one connection. Gives them out when asked; safe to use from several threads.

    Args:
        connection: The connection's name, for errors and for the store.
        auth: How one signs in there.
        store: Where the secrets are.
        settings: Plain settings: ``user``, ``client_id``, and what the addresses of ``auth`` mention.
        http: The way to the token address; see :func:`~aios_connect.connectors.oauth.token_http`.
        now: The clock.
        sleep: How to wait, in seconds.
    """

    def __init__(
        self,
        connection: str,
        auth: Auth,
        store: TokenStore,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        settings: Mapping[str, str] | None = None,
        http: Http | None = None,
    ) -> None:
        self.connection = connection
        self.auth = auth
        self._store = store
        self._now = now
        self._sleep = sleep
        self._settings = dict(settings or {})
        self._http = http
        self._lock = threading.RLock()
        self._known: Secrets | None = None
        self._owner = this_process()

    def __repr__(self) -> str:
        return f"<Credentials {self.connection}, {self.auth.kind}>"

    def secret(self, name: str) -> str:
        """One secret by name.

        Raises:
            AuthError: It is not there.
        """
        value = self._secrets().values.get(name, "")
        if not value:
            raise self._reconnect(f"connection {self.connection!r} has no {name.replace('_', ' ')}")
        return value

    def password(self) -> str:
        """The password.

        Raises:
            AuthError: It is not there.
        """
        return self.secret("password")

    def access_token(self) -> str:
        """An access token that will not expire in the next seconds.

        Raises:
            AuthError: There is none to be had; a person must connect again.
            BusyError: Another process has been renewing it for too long.
        """
        known = self._secrets()
        if not known.values.get("access_token") or self._expiring(known):
            known = self._renew(rejected="")
        return known.values["access_token"]

    def headers(self) -> Mapping[str, str]:
        """The headers that sign a request, as ``auth.header`` says; none if the connector signs its requests itself.

        Raises:
            AuthError: As :meth:`access_token`.
        """
        name, _, form = self.auth.header.partition(":")
        if self.auth.kind == "oauth2" and "{token}" in form:
            return {name: form.strip().replace("{token}", self.access_token())}
        if self.auth.kind == "key" and "{token}" in form:
            return {name: form.strip().replace("{token}", self.secret("key"))}
        if self.auth.kind in ("password", "key") and "{basic}" in form:
            proof = self.password() if self.auth.kind == "password" else self.secret("key")
            basic = base64.b64encode(f"{self._settings.get('user', '')}:{proof}".encode()).decode()
            remember(basic)
            return {name: form.strip().replace("{basic}", basic)}
        return {}

    def refresh(self, rejected: Mapping[str, str]) -> bool:
        """Get newer credentials after these headers were rejected.

        Returns:
            True if there are others now; somebody else may have got them in the meantime.

        Raises:
            AuthError: A person must connect again.
        """
        if self.auth.kind == "oauth2":
            old = next(iter(rejected.values()), "").rpartition(" ")[2]
            if old:
                self._renew(rejected=old)
            return bool(old)
        with self._lock:
            self._known = None
        return dict(self.headers()) != dict(rejected)

    def save(self, values: Mapping[str, str], *, expires_at: float | None = None) -> None:
        """Keep what a person gave or consented to, in place of what was there."""
        _remember(values)
        with self._lock:
            self._store.put(self.connection, values, expires_at=expires_at)
            self._known = None

    def revoke(self) -> None:
        """Tell the vendor to forget the grant, where it offers that, and forget it here, whatever the vendor says.

        Raises:
            ProviderError: The vendor did not take it back; here it is forgotten.
        """
        with self._lock:
            known = self._store.get(self.connection)
            try:
                if known and self.auth.kind == "oauth2":
                    _remember(known.values)
                    token = known.values.get("refresh_token") or known.values.get("access_token")
                    if token:
                        self._endpoint(known).revoke(token)
            finally:
                self._store.delete(self.connection)
                self._known = None

    def _secrets(self) -> Secrets:
        known = self._known
        return known if known is not None else self._read()

    def _read(self) -> Secrets:
        known = self._store.get(self.connection)
        if known is None:
            raise self._reconnect(f"connection {self.connection!r} has no credentials")
        _remember(known.values)
        self._known = known
        return known

    def _expiring(self, known: Secrets) -> bool:
        if known.expires_at is None:
            return False
        lifetime = float(known.values.get("lifetime") or 10 * _MARGIN)
        return known.expires_at - self._now().timestamp() < min(_MARGIN, lifetime / 10)

    def _renew(self, rejected: str) -> Secrets:
        """Newer secrets than those rejected, by whoever gets them first."""
        with self._lock:
            until = self._now().timestamp() + 2 * LEASE
            while True:
                known = self._read()
                token = known.values.get("access_token", "")
                if token and token != rejected and not self._expiring(known):
                    return known
                if self._store.lease(self.connection, self._owner, version=known.version, seconds=LEASE):
                    break
                if self._now().timestamp() > until:
                    raise BusyError(
                        f"another process has been renewing the sign-in of {self.connection!r} for {2 * LEASE:.0f} s",
                        hint="try again in a minute",
                    )
                self._sleep(_PAUSE)
            try:
                return self._refreshed(known)
            finally:
                self._store.release(self.connection, self._owner)

    def _refreshed(self, known: Secrets) -> Secrets:
        endpoint = self._endpoint(known)
        if self.auth.grant == "client":
            return self._kept(known, endpoint.from_client())
        old = known.values.get("refresh_token")
        if not old:
            raise self._reconnect(f"the sign-in of connection {self.connection!r} has ended and cannot be renewed")
        from .oauth import OAuthRefusedError

        try:
            grant = endpoint.refresh(old)
        except OAuthRefusedError as refused:
            if not refused.lost:
                raise
            now_there = self._read()
            if now_there.version != known.version:
                return now_there
            grant = self._by_the_one_before(known, endpoint, refused)
        return self._kept(known, grant)

    def _by_the_one_before(self, known: Secrets, endpoint: TokenEndpoint, refused: AuthError) -> Grant:
        """Within the vendor's grace the refresh token before the last one still works."""
        from .oauth import OAuthRefusedError

        before = known.values.get("previous_refresh_token", "")
        rotated = float(known.values.get("rotated_at") or 0)
        if before and self._now().timestamp() - rotated < self.auth.grace:
            try:
                return endpoint.refresh(before)
            except OAuthRefusedError as again:
                refused = again
        raise self._reconnect(
            f"reconnect needed: the sign-in of connection {self.connection!r} is no longer valid ({refused.message})", refused
        ) from None

    def _kept(self, known: Secrets, grant: Grant) -> Secrets:
        """Written durably before it is used: a rotated token that is lost is a connection that is lost."""
        values = {**known.values, **grant.values()}
        old = known.values.get("refresh_token", "")
        if old and grant.refresh_token not in ("", old):
            values |= {"previous_refresh_token": old, "rotated_at": str(self._now().timestamp())}
        for attempt in range(1, _SAVES + 1):
            try:
                self._store.put(self.connection, values, expires_at=grant.expires_at, version=known.version)
                break  # or somebody connected again meanwhile: then theirs is there
            except BusyError:
                if attempt == _SAVES:
                    raise
                _log.warning("the store is busy; the new sign-in of %s is kept in memory meanwhile", self.connection)
                self._sleep(_SAVE_PAUSE)
        _log.info("the sign-in of %s was renewed", self.connection)
        return self._read()

    def _endpoint(self, known: Secrets) -> TokenEndpoint:
        from .oauth import TokenEndpoint, token_http

        if self._http is None:
            self._http = token_http(self.connection, now=self._now, sleep=self._sleep)
        return TokenEndpoint(
            self.auth,
            self._http,
            client_id=known.values.get("client_id") or self._settings.get("client_id", ""),
            client_secret=known.values.get("client_secret", ""),
            settings=self._settings,
            now=self._now,
        )

    def _reconnect(self, message: str, cause: AuthError | None = None) -> AuthError:
        facts = {"provider": cause.provider, "request_id": cause.request_id} if cause else {}
        return AuthError(message, hint=f"aios connect {self.connection}", status=cause.status if cause else 0, **facts)


def _remember(values: Mapping[str, str]) -> None:
    remember(*(value for name, value in values.items() if name not in _PUBLIC))
