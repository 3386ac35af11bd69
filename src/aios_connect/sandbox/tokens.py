"""The tokens of a fake vendor: access tokens that expire, refresh tokens that may work once only."""

from __future__ import annotations

from datetime import datetime, timedelta

from .clock import SimClock

__all__ = ["Tokens"]


class Tokens:
    """Who may come in, and for how long.

    Args:
        clock: The vendor's time.
        first: The refresh token that a person's consent gave.
        lifetime: Seconds for which an access token works.
        rotates: A refresh token works once, and each refresh gives a new one (RFC 6749, 6; RFC 9700, 4.14.2).
        grace: Seconds for which the refresh token before still works after a rotation.
    """

    def __init__(
        self, clock: SimClock, first: str, *, lifetime: float = 1800.0, rotates: bool = False, grace: float = 0.0
    ) -> None:
        self._clock = clock
        self._current = first
        self._lifetime = lifetime
        self._rotates = rotates
        self._grace = timedelta(seconds=grace)
        self._access: dict[str, datetime] = {}
        self._before: dict[str, datetime] = {}  # refresh token -> when it was used

    def refresh(self, token: str) -> dict[str, str | int] | None:
        """A new access token, as the token address answers; ``None`` if the refresh token does not work (any more)."""
        used = self._before.get(token)
        if not token or (token != self._current and (used is None or self._clock.now() - used >= self._grace)):
            return None
        if self._rotates and token == self._current:
            self._before[token] = self._clock.now()
            self._current = f"{token.partition('.')[0]}.{len(self._before)}"
        fresh = f"access-{len(self._access) + 1}"
        self._access[fresh] = self._clock.now() + timedelta(seconds=self._lifetime)
        return {
            "token_type": "bearer",
            "access_token": fresh,
            "refresh_token": self._current,
            "expires_in": int(self._lifetime),
        }

    def revoke(self, token: str) -> None:
        """Make a refresh token work no more (RFC 7009); access tokens that were made of it go on until they end by themselves."""
        self._before.pop(token, None)
        if token == self._current:
            self._current = ""

    def works(self, token: str) -> bool | None:
        """Whether an access token works; ``None`` if there never was such a one."""
        expires = self._access.get(token)
        return None if expires is None else self._clock.now() < expires
