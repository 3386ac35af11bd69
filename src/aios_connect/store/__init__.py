"""The store: canonical records, links, cursors, journal, exceptions, tokens, budgets. SQLite by default, PostgreSQL by URL."""

from .engine import Store

__all__ = ["Store"]
