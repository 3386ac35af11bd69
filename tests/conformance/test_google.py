"""Google, on its fake."""

from __future__ import annotations

from aios_connect.testing.conformance import Conformance

from .google_world import GoogleWorld


class TestGoogle(Conformance):
    world = GoogleWorld
