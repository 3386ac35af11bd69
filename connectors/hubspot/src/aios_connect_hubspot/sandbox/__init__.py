"""A fake HubSpot, as hard as the real one: for tests, and for anybody without an account to try things on.

    vendor = furnish(HubSpotVendor())
    with serve(vendor) as server: ...          # or transport(vendor), in process

Sign in with the token :data:`TOKEN`. Everything that is hard is on (:class:`Hazards`); how each behaviour is known stands in
:data:`EVIDENCE`. The same seed gives the same account on the same day, and nothing in it is a recording.
"""

from __future__ import annotations

from ._account import OBJECTS, REFRESH, TOKEN, Hazards
from ._company import furnish
from ._evidence import EVIDENCE
from ._playground import playground
from ._records import Record, Records
from ._vendor import HubSpotVendor
from ._webhooks import SECRET

__all__ = [
    "EVIDENCE",
    "OBJECTS",
    "REFRESH",
    "SECRET",
    "TOKEN",
    "Hazards",
    "HubSpotVendor",
    "Record",
    "Records",
    "furnish",
    "playground",
]
