"""The reference connector keeps every promise."""

from __future__ import annotations

from aios_connect.testing.conformance import Conformance

from .plain_world import PlainWorld


class TestPlain(Conformance):
    world = PlainWorld
