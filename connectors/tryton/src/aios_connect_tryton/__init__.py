"""Tryton for aios-connect: parties, opportunities and employees over JSON-RPC, with compare-and-set."""

from __future__ import annotations

from .connector import Tryton

__all__ = ["Tryton"]
