"""BottleCRM for aios-connect: leads, contacts, accounts, deals and tasks of an open-source CRM."""

from __future__ import annotations

from .connector import BottleCRM
from .intake import Enquiry

__all__ = ["BottleCRM", "Enquiry"]
