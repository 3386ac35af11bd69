"""Google Calendar, Gmail and Google contacts for aios-connect, and a fake Google to try things on."""

from __future__ import annotations

from ._channels import Channel
from ._connector import Google
from ._events import Busy

__all__ = ["Busy", "Channel", "Google"]
