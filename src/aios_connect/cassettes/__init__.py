"""Conversations with vendors, recorded once and replayed as often as wanted, without a network and without a secret.

A cassette is a YAML file that ``vcrpy`` can load too, with its origin stated in it: never is something called recorded that is not. One that
vcrpy recorded plays here as well, once somebody wrote its origin into it.

    with Recorder(Path("cassettes/tryton/people.yaml"), origin="live Tryton 8.2, demo data", inner=httpx2.HTTPTransport()) as transport:
        ...Http(..., transport=transport)

    with Player(Path("cassettes/tryton/people.yaml")) as transport:
        ...Http(..., transport=transport)

``aios record`` makes one against an account with real people in it: everything that might say who somebody is gets a stand-in.
"""

from __future__ import annotations

from .cassette import Cassette, Exchange, load, save
from .steps import Told, tell
from .transports import CassetteError, Player, Recorder

__all__ = ["Cassette", "CassetteError", "Exchange", "Player", "Recorder", "Told", "load", "save", "tell"]
