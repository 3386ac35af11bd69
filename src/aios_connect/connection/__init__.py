"""A connection: one account at one provider, spoken to in canonical records through its mappings."""

from __future__ import annotations

from .opening import Outside, connect, open_connection, shipped_mappings
from .records import Connection, Reading

__all__ = ["Connection", "Outside", "Reading", "connect", "open_connection", "shipped_mappings"]
