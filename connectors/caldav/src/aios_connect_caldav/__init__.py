"""CalDAV and CardDAV for aios-connect: calendars, events, free-busy and contacts on any server that keeps to the standards."""

from __future__ import annotations

from .busy import Busy
from .connector import CalDav
from .places import Collection
from .recurring import Occurrence

__all__ = ["Busy", "CalDav", "Collection", "Occurrence"]
