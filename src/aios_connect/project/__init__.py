"""The composition root: finds a project, loads its files, and wires connections, store, clock and secrets together."""

from __future__ import annotations

from .settings import ConnectionSettings, Settings
from .wiring import Project

__all__ = ["ConnectionSettings", "Project", "Settings"]
