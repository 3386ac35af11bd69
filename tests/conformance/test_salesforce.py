"""Salesforce, on its fake."""

from __future__ import annotations

from aios_connect.testing.conformance import Conformance

from .salesforce_world import SalesforceWorld


class TestSalesforce(Conformance):
    world = SalesforceWorld
