"""The conformance suite: what every connector must do, tried on a world of its own. Needs pytest.

A test file of a connector is its world and three lines::

    from aios_connect.testing.conformance import Conformance, Sample, ShelfWorld

    class TestAcme(Conformance):
        world = AcmeWorld

See :class:`World` for what a world is made of; ``tests/conformance`` of this project has some. The suite is offline, waits by the clock
of its world, and needs no credentials.
"""

from __future__ import annotations

import pytest

_PARTS = ("auth", "kit", "losses", "mapping", "rate", "reading", "receipts", "state", "writing")
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in (*_PARTS, "world")))

from .auth import Auth  # noqa: E402
from .kit import Kit  # noqa: E402
from .losses import Losses  # noqa: E402
from .mapping import Mapping  # noqa: E402
from .rate import Rate  # noqa: E402
from .reading import Reading  # noqa: E402
from .state import State  # noqa: E402
from .world import Sample, ShelfWorld, VendorWorld, World, nested  # noqa: E402
from .writing import Writing  # noqa: E402

__all__ = ["Conformance", "Sample", "ShelfWorld", "VendorWorld", "World", "nested"]


class Conformance(Reading, State, Auth, Rate, Writing, Losses, Mapping, Kit):
    """All of it. Subclass it, and say which ``world``."""
