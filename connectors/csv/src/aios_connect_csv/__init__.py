"""Sheets for aios-connect: CSV files that people edit, read and written in place."""

from __future__ import annotations

from .connector import CSV

__all__ = ["CSV"]
