"""A fake Google, as hard as the real one: for tests, and for anybody without an account to try things on.

    vendor = furnish(GoogleVendor())
    with serve(vendor) as server: ...          # or transport(vendor), in process

Sign in with the token :data:`TOKEN`. Everything that is hard is on (:class:`Hazards`); how each behaviour is known stands in
:data:`EVIDENCE`. The same seed gives the same account on the same day, and nothing in it is a recording.
"""

from __future__ import annotations

from ._account import ADDRESS, REFRESH, TOKEN, Hazards
from ._company import furnish
from ._evidence import EVIDENCE
from ._playground import playground
from ._vendor import GoogleVendor

__all__ = ["ADDRESS", "EVIDENCE", "REFRESH", "TOKEN", "GoogleVendor", "Hazards", "furnish", "playground"]
