"""A short story about a contact, told to each of the fakes: recorded once, ``python -m tests.connectors.sandbox_stories``, and played
ever after. It shows a contributor what goes over the wire; nobody but our own fakes answered, and the cassettes say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_connect_google.sandbox import GoogleVendor
from aios_connect_google.sandbox import Hazards as GoogleHazards
from aios_connect_google.sandbox import furnish as furnish_google
from aios_connect_hubspot.sandbox import Hazards as HubSpotHazards
from aios_connect_hubspot.sandbox import HubSpotVendor
from aios_connect_hubspot.sandbox import furnish as furnish_hubspot
from aios_connect_salesforce.sandbox import Hazards as SalesforceHazards
from aios_connect_salesforce.sandbox import SalesforceVendor
from aios_connect_salesforce.sandbox import furnish as furnish_salesforce

from aios_connect.cassettes import Recorder
from aios_connect.connectors import Change, Connector, Raw
from aios_connect.sandbox import SimClock, transport
from tests.connectors import google_account, hubspot_office, salesforce_office

__all__ = ["STORIES", "Story", "main", "tell"]

_CASSETTES = Path(__file__).parents[2] / "cassettes"
_FIELDS = frozenset(
    {"Id", "FirstName", "LastName", "Name", "Email", "MobilePhone", "AccountId", "IsDeleted", "MasterRecordId", "SystemModstamp"}
)


@dataclass(frozen=True, slots=True)
class Story:
    """How the story goes with one provider.

    Attributes:
        provider: Its slug.
        object: What it calls contacts.
        made: The patch of the new one.
        changed: The patch of its update.
        late: The patch of somebody who comes too late.
        known: What both of them expect to be there.
        vendor: Makes the fake, with a company in it.
        connector: Reaches it.
    """

    provider: str
    object: str
    made: Raw
    changed: Raw
    late: Raw
    known: Raw
    vendor: Callable[[], Any]
    connector: Callable[..., Connector]

    @property
    def cassette(self) -> Path:
        """Where it is recorded."""
        return _CASSETTES / self.provider / "a-contact.yaml"


def _salesforce() -> SalesforceVendor:
    """Its descriptions are long, so contacts have no more fields than the story needs."""
    vendor = furnish_salesforce(SalesforceVendor(SimClock(), hazards=SalesforceHazards.none()))
    fields = vendor.tables["Contact"].fields
    for name in set(fields) - _FIELDS:
        del fields[name]
    return vendor


STORIES = {
    "google": Story(
        "google",
        "contacts",
        {"name": {"givenName": "Zoë", "familyName": "O'Hara"}, "email": {"work": "zoe@harbor.example.com"}},
        {"phone": {"mobile": "+44 20 7946 0958"}},
        {"phone": {"mobile": "+44 20 7946 0111"}},
        {"phone": {"mobile": None}},
        lambda: furnish_google(GoogleVendor(SimClock(), hazards=GoogleHazards.none())),
        google_account.connector,
    ),
    "hubspot": Story(
        "hubspot",
        "contacts",
        {"properties": {"firstname": "Zoë", "lastname": "O'Hara", "email": "zoe@harbor.example.com"}},
        {"properties": {"mobilephone": "+44 20 7946 0958"}},
        {"properties": {"mobilephone": "+44 20 7946 0111"}},
        {"properties": {"mobilephone": None}},
        lambda: furnish_hubspot(HubSpotVendor(SimClock(), hazards=HubSpotHazards.none())),
        hubspot_office.connector,
    ),
    "salesforce": Story(
        "salesforce",
        "Contact",
        {"FirstName": "Zoë", "LastName": "O'Hara", "Email": "zoe@harbor.example.com"},
        {"MobilePhone": "+44 20 7946 0958"},
        {"MobilePhone": "+44 20 7946 0111"},
        {"MobilePhone": None},
        _salesforce,
        salesforce_office.connector,
    ),
}
"""Provider -> its story."""


def tell(story: Story, connector: Connector) -> dict[str, Any]:
    """What is there; a contact is made, changed, changed by somebody who does not know that, and deleted; what is there now."""
    before = [raw for page in connector.read(story.object) for raw in page.records]
    (made,) = connector.write(story.object, [Change("create", "plan-1", patch=story.made)])
    (moved,) = connector.write(
        story.object, [Change("update", "plan-2", made.id, story.changed, story.known, version=made.version)]
    )
    (stale,) = connector.write(story.object, [Change("update", "plan-3", made.id, story.late, story.known, version=made.version)])
    (there,) = connector.lookup(story.object, [str(made.id)])
    (gone,) = connector.write(story.object, [Change("delete", "plan-4", made.id, expect=there)])
    after = connector.lookup(story.object, [str(made.id)])
    outcomes = [receipt.outcome for receipt in (made, moved, stale, gone)]
    return {"before": len(before), "outcomes": outcomes, "there": there, "after": after}


def main() -> None:
    """Record all of them."""
    for story in STORIES.values():
        vendor = story.vendor()
        recorder = Recorder(story.cassette, origin=f"sandbox {story.provider}, made-up data", inner=transport(vendor))
        tell(story, story.connector(vendor, through=recorder))
        recorder.close()


if __name__ == "__main__":
    main()
