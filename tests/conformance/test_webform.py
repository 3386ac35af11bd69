"""The web form, on its own door."""

from __future__ import annotations

from aios_connect.testing.conformance import Conformance

from .webform_world import FormWorld, PhoneWorld


class TestWebForm(Conformance):
    world = FormWorld


class TestCalls(Conformance):
    world = PhoneWorld
