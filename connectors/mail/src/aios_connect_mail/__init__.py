"""Mailboxes for aios-connect: IMAP reads, SMTP sends."""

from __future__ import annotations

from .connector import Mail

__all__ = ["Mail"]
