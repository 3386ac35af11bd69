"""HubSpot for aios-connect."""

from __future__ import annotations

from ._connector import HubSpot

__all__ = ["HubSpot"]
