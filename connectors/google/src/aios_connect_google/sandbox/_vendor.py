"""The fake account, put together of its parts."""

from __future__ import annotations

from ._calendar import CalendarPart
from ._gmail import GmailPart
from ._people import PeoplePart

__all__ = ["GoogleVendor"]


class GoogleVendor(CalendarPart, PeoplePart, GmailPart):
    """One fake Google account. Deterministic: the same seed, clock and requests give the same answers. Nothing is recorded."""

    def contents(self) -> dict[str, int]:
        """Object -> how many records it holds."""
        events = sum(len(place.events) for place in self.calendars.values())
        return {
            "calendars": len(self.list_of_calendars),
            "events": events,
            "contacts": len(self.contacts),
            "messages": len(self.mail),
        }
