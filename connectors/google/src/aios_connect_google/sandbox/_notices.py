"""The channels of a fake account, and the notices that go through them.

Evidence: https://developers.google.com/workspace/calendar/api/guides/push for the headers, the first notice and that there is no body.
That a channel lives for a week is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from aios_connect.connectors import Request
from aios_connect.sandbox import Delivery, Outbox, SimClock, Target

from ._errors import refusal

__all__ = ["Notices"]

_LIFE: Final = timedelta(days=7)
_HOST: Final = "https://www.googleapis.com"


@dataclass(slots=True)
class _Channel:
    id: str
    token: str
    address: str
    resource: str
    uri: str
    expires: datetime
    number: int = 0


class Notices:
    """Who is told of what.

    Args:
        clock: The vendor's time.
    """

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._channels: dict[str, _Channel] = {}
        self._outbox: Outbox | None = None

    def subscribe(self, target: Target, *, delivery: Delivery = Delivery(batch=1), seed: int = 0) -> Outbox:
        """Who takes the notices of all channels, whatever their addresses are."""
        self._outbox = Outbox(self._clock, target, _packed, delivery=delivery, seed=seed)
        return self._outbox

    def open(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Make a channel; its first notice says that it is open."""
        if asked["id"] in self._channels:
            raise refusal(400, "channelIdNotUnique", f"Channel id {asked['id']} not unique")
        if not str(asked.get("address", "")).startswith("https://"):
            raise refusal(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS: " + str(asked.get("address")))
        made = _Channel(
            asked["id"],
            asked.get("token", ""),
            asked["address"],
            f"resource-{path}",
            f"{_HOST}{path}?alt=json",
            self._clock.now() + _LIFE,
        )
        self._channels[made.id] = made
        self._post(made, "sync")
        expires = str(int(made.expires.timestamp() * 1000))
        told = {"kind": "api#channel", "id": made.id, "resourceId": made.resource, "resourceUri": made.uri, "expiration": expires}
        return told | ({"token": made.token} if made.token else {})

    def close(self, asked: Mapping[str, Any]) -> None:
        """Forget a channel."""
        channel = self._channels.get(asked["id"])
        if channel is None or channel.resource != asked["resourceId"]:
            raise refusal(404, "notFound", "Channel not found for project")
        del self._channels[channel.id]

    def tell(self, path: str) -> None:
        """Something changed in what is at a path."""
        for channel in self._channels.values():
            if channel.resource == f"resource-{path}" and self._clock.now() < channel.expires:
                self._post(channel, "exists")

    def _post(self, channel: _Channel, state: str) -> None:
        channel.number += 1
        headers = {
            "x-goog-channel-id": channel.id,
            "x-goog-channel-expiration": format_datetime(channel.expires, usegmt=True),
            "x-goog-resource-id": channel.resource,
            "x-goog-resource-uri": channel.uri,
            "x-goog-resource-state": state,
            "x-goog-message-number": str(channel.number),
            **({"x-goog-channel-token": channel.token} if channel.token else {}),
        }
        if self._outbox is not None:
            self._outbox.post({"address": channel.address, "headers": headers})


def _packed(events: Sequence[Mapping[str, Any]], attempt: int) -> Request:
    (event,) = events
    return Request("POST", event["address"], {**event["headers"], "content-length": "0"}, b"")
