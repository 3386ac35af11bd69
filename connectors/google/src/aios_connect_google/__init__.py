"""Google Calendar, Gmail and Google contacts for aios-connect, and a fake Google to try things on."""

from __future__ import annotations

from ._connector import Google

__all__ = ["Google"]
