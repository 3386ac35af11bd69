"""Who sends: each source knows how its senders prove themselves, what an event of theirs is about, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .calendly import Calendly
from .form import Form
from .source import Event, Proof, Said, Source, Told
from .standard import Standard
from .stripe import Stripe
from .twilio import Twilio
from .typeform import Typeform

__all__ = ["SOURCES", "Event", "Proof", "Said", "Source", "Told"]

SOURCES: Final[Mapping[str, Source]] = {
    "form": Form(),
    "standard": Standard(),
    "twilio": Twilio(),
    "calendly": Calendly(),
    "typeform": Typeform(),
    "stripe": Stripe(),
}
"""By slug."""
