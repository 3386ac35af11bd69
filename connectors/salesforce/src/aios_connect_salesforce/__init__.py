"""Salesforce for aios-connect."""

from __future__ import annotations

from ._connector import Salesforce

__all__ = ["Salesforce"]
