"""A letter as bytes: the connectors that send mail have it in common."""

from __future__ import annotations

from aios_connect.connectors.composing import Composed, UnsendableError, compose, mailbox

__all__ = ["Composed", "UnsendableError", "compose", "mailbox"]
