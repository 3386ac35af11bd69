"""Kinto for aios-connect: collections of JSON records, with compare-and-set, tombstones and since-reads."""

from __future__ import annotations

from .connector import Kinto

__all__ = ["Kinto"]
