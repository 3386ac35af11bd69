"""Web forms and webhooks for aios-connect: enquiries as they come in."""

from __future__ import annotations

from .connector import WebForm
from .serving import serve

__all__ = ["WebForm", "serve"]
