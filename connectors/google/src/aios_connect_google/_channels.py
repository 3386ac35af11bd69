"""Notices of Google Calendar: a channel per calendar, and what a notice gives one to read.

A notice has no body and no signature. What proves it is the token that the channel was made with
(https://developers.google.com/workspace/calendar/api/guides/push). Ours is made of the client secret and the channel's id, so that
nothing has to be kept, and the token of one channel is worth nothing for another. A notice says that something changed in a calendar,
never what; it may be kept and sent again by somebody, which costs a read and no more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

from aios_connect.connectors import AuthError, Hint, ProviderError, RejectedError, Request, TruncatedError
from aios_connect.connectors.redaction import remember

from ._apis import CALENDAR
from ._wire import Wire

__all__ = ["Channel", "Channels"]

_LIST: Final = "/users/me/calendarList"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that is open.

    Attributes:
        id: Ours.
        resource: Google's name for what is watched; needed to close it.
        calendar: The calendar that is watched.
        expires: When Google closes it by itself, UTC; open another before. ``None`` if it does not say.
    """

    id: str
    resource: str
    calendar: str
    expires: datetime | None


class Channels:
    """Opens and closes channels, and believes notices.

    Args:
        wire: The way to Google.
        secret: Gives the client secret.
    """

    def __init__(self, wire: Wire, secret: Callable[[], str]) -> None:
        self._wire = wire
        self._secret = secret

    def open(self, calendars: Sequence[str], address: str) -> list[Channel]:
        """Have changes in calendars told.

        Args:
            calendars: Their ids.
            address: An ``https`` address of yours, with a certificate that Google trusts.

        Raises:
            ProviderError: One of them cannot be watched; then none is.
        """
        opened: list[Channel] = []
        try:
            for calendar in calendars:
                opened.append(self._opened(calendar, address))
        except ProviderError:
            for channel in opened:  # nobody could close them later
                with suppress(ProviderError):
                    self.close(channel)
            raise
        return opened

    def close(self, channel: Channel) -> None:
        """Have no more told."""
        body = {"id": channel.id, "resourceId": channel.resource}
        self._wire.send(CALENDAR, "POST", "channels/stop", "events", body)

    def receive(self, request: Request) -> list[Hint]:
        """What to read after a notice; nothing after the first one of a channel, which says that it is open.

        Raises:
            AuthError: It is not of a channel of ours.
            RejectedError: It is, and of nothing that is read here.
        """
        headers = request.headers
        id, token = headers.get("x-goog-channel-id", ""), headers.get("x-goog-channel-token", "")
        if not (id and hmac.compare_digest(self._token(id).encode(), token.encode())):
            raise AuthError(
                "the notice has not the token of a channel of ours",
                hint="was the client secret changed? then open the channels again",
                provider="google",
            )
        if headers.get("x-goog-resource-state") == "sync":
            return []
        path = unquote(urlsplit(headers.get("x-goog-resource-uri", "")).path)
        object = "events" if path.endswith("/events") else "calendars" if path.endswith(_LIST) else ""
        if not object:
            raise RejectedError(f"a notice of {path[:200] or 'nothing'} says nothing here", provider="google")
        return [Hint(object, None, f"{id}:{headers.get('x-goog-message-number', '')}")]

    def _opened(self, calendar: str, address: str) -> Channel:
        id = str(uuid4())
        body = {"id": id, "type": "web_hook", "address": address, "token": self._token(id)}
        told = self._wire.send(CALENDAR, "POST", f"calendars/{quote(calendar, safe='')}/events/watch", "events", body)
        if not told.get("resourceId"):
            raise TruncatedError("google does not say what the channel watches", provider="google", object="events")
        return Channel(id, str(told["resourceId"]), calendar, _expires(told.get("expiration")))

    def _token(self, id: str) -> str:
        secret = self._secret()
        token = hmac.new(secret.encode(), f"channel {id}".encode(), hashlib.sha256).hexdigest()
        remember(token)
        return token


def _expires(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (TypeError, ValueError, OverflowError):
        return None
