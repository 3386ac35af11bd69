"""HubSpot, on its fake."""

from __future__ import annotations

from aios_connect.testing.conformance import Conformance

from .hubspot_world import HubSpotWorld


class TestHubSpot(Conformance):
    world = HubSpotWorld
