"""Deterministic fake vendors: the same seed gives the same day, with all that goes wrong on it.

A fake vendor is a :class:`Vendor` with routes, and a :class:`Shelf` of records per object. It is reached in process
(:func:`transport`) or on a loopback port (:func:`serve`). A :class:`Schedule` decides which request meets which :class:`Fault`; an
:class:`Outbox` sends its webhooks.
Nothing here is a recording.
"""

from __future__ import annotations

from .clock import RunningClock, SimClock
from .faults import FAULTS, Answer, Call, Fault, NoAnswerError, Schedule
from .outbox import Delivery, Outbox, Target, at_url
from .playground import Playground, load_playground
from .reach import Server, serve, transport
from .shelf import Edit, Item, Shelf
from .tokens import Tokens
from .vendor import Entry, RefusedError, Vendor, route

__all__ = [
    "FAULTS",
    "Answer",
    "Call",
    "Delivery",
    "Edit",
    "Entry",
    "Fault",
    "Item",
    "NoAnswerError",
    "Outbox",
    "Playground",
    "RefusedError",
    "RunningClock",
    "Schedule",
    "Server",
    "Shelf",
    "SimClock",
    "Target",
    "Tokens",
    "Vendor",
    "at_url",
    "load_playground",
    "route",
    "serve",
    "transport",
]
