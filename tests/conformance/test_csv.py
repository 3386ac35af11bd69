"""CSV, on real files."""

from __future__ import annotations

from aios_connect.testing.conformance import Conformance

from .csv_world import CSVWorld


class TestCSV(Conformance):
    world = CSVWorld
