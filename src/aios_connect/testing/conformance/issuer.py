"""Who gives out access tokens in the suite, whatever the provider: strict, as the strictest vendors are.

Evidence: RFC 6749, 6; RFC 9700, 4.14.2 (a refresh token used twice takes the whole grant with it).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aios_connect.connectors import Auth
from aios_connect.sandbox import Answer, SimClock

if TYPE_CHECKING:
    import httpx2

    from .wire import Sent

__all__ = ["Issuer"]


_NUMBERS = count(1)  # no token is given out twice, in all tests of a process


class Issuer:
    """A token address, and a door that lets in only who has a token of its own.

    Args:
        auth: The ``oauth2`` entry of the spec.
        clock: By which tokens expire.
        life: Seconds an access token lives.
        inside: Headers that the provider behind it takes.

    Attributes:
        refreshes: How often a token was renewed.
        reused: How often a refresh token came that had been used before.
    """

    def __init__(self, auth: Auth, clock: SimClock, *, life: int, inside: Mapping[str, str]) -> None:
        self.refreshes = 0
        self.reused = 0
        self.given: list[str] = []
        self._auth = auth
        self._clock = clock
        self._life = life
        self._inside = inside
        self._good: dict[str, float] = {}  # access token -> until when
        self._refresh = f"refresh-{next(_NUMBERS)}-aXq83jw"
        self._before = ("", 0.0)  # the refresh token before this one, and until when it is good

    def first(self) -> dict[str, str]:
        """The secrets of a connection just consented to; its access token has expired."""
        secrets = {"refresh_token": self._refresh, "client_id": "suite", "client_secret": "suite-secret-77Tz"}
        self.given += [secrets["refresh_token"], secrets["client_secret"]]
        return secrets

    def is_asked(self, sent: Sent) -> bool:
        """A request goes to the token address."""
        return sent.url.partition("?")[0] == self._auth.token_url

    def answer(self, sent: Sent) -> Answer:
        """Give a token for a refresh token."""
        form = dict(parse_qsl(sent.body.decode()))
        now = self._clock.now().timestamp()
        good = {self._refresh} | ({self._before[0]} if now < self._before[1] else set())
        if self._auth.grant == "code" and form.get("refresh_token") not in good - {""}:
            self.reused += 1
            self._good.clear()
            self._refresh, self._before = "", ("", 0.0)  # it was stolen, for all we know: nothing is good any more
            return Answer.json({"error": "invalid_grant", "error_description": "unknown refresh token"}, 400)
        self.refreshes += 1
        access = f"access-{next(_NUMBERS)}-pQ7vN2"
        self._good[access] = now + self._life
        told: dict[str, str | int] = {"access_token": access, "token_type": "bearer", "expires_in": self._life}
        if self._auth.rotates:
            self._before = (self._refresh, now + self._auth.grace)
            self._refresh = f"refresh-{next(_NUMBERS)}-aXq83jw"
            told["refresh_token"] = self._refresh
        self.given += [access, self._refresh]
        return Answer.json(told)

    def admit(self, request: httpx2.Request, sent: Sent) -> Answer | None:
        """Let a request pass with the provider's own headers, or refuse it."""
        name, _, form = self._auth.header.partition(":")
        shown = sent.headers.get(name.strip().lower(), "")
        until = next((until for token, until in self._good.items() if form.strip().replace("{token}", token) == shown), 0.0)
        if until <= self._clock.now().timestamp():
            return Answer.json({"message": "this token is not good", "status": "error"}, 401)
        for header, value in self._inside.items():
            request.headers[header] = value
        return None

    def end_early(self) -> None:
        """The access tokens given so far end before their time."""
        self._good.clear()
