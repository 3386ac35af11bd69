"""A fake Salesforce, as hard as the real one: for tests, and for anybody without an organisation to try things on.

    vendor = furnish(SalesforceVendor())
    with serve(vendor) as server: ...          # or transport(vendor), in process

Sign in with the session :data:`TOKEN`, or with the refresh token :data:`REFRESH` and any client. Everything that is hard is on
(:class:`Hazards`); how each behaviour is known stands in :data:`EVIDENCE`. The same seed gives the same organisation on the same day,
and nothing in it is a recording.
"""

from __future__ import annotations

from ._company import furnish
from ._evidence import EVIDENCE
from ._fields import STAGES, Field, described
from ._organisation import REFRESH, TOKEN, Hazards
from ._playground import playground
from ._records import Records
from ._vendor import SalesforceVendor

__all__ = [
    "EVIDENCE",
    "REFRESH",
    "STAGES",
    "TOKEN",
    "Field",
    "Hazards",
    "Records",
    "SalesforceVendor",
    "described",
    "furnish",
    "playground",
]
