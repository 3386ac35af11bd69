"""The world of Salesforce: its fake, with everything on that is hard about Salesforce but the locks, as the suite counts the writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from aios_connect_salesforce import Salesforce
from aios_connect_salesforce.sandbox import REFRESH, TOKEN, Field, Hazards, SalesforceVendor

from aios_connect.connectors import Connector, Raw
from aios_connect.sandbox import Answer
from aios_connect.testing.conformance import Sample, VendorWorld
from aios_connect.testing.conformance.wire import Sent
from tests.connectors.salesforce_judge import Judge

__all__ = ["SalesforceWorld"]

URL = "https://fjord.my.salesforce.com"

KEY = "aios_key__c"

_BUSY = [{"message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
_MAILING = {name: f"Mailing{name}" for name in ("Street", "City", "State", "PostalCode", "Country")}


def _own(values: Raw) -> Raw:
    """Values of somebody among leads and contacts, in the words of contacts."""
    return {_MAILING.get(name, name): value for name, value in values.items() if name != "type"}


class SalesforceWorld(VendorWorld):
    """One fake organisation."""

    connector = Salesforce
    settings = {"url": URL, "client_id": "suite", "currency": "NOK"}
    secrets = {"access_token": TOKEN, "refresh_token": REFRESH, "client_secret": "suite-secret-0001"}
    page_size = 5
    pages = r"GET /services/data/v[\d.]+/query"
    writes = r"(POST|PATCH|DELETE) /services/data/v[\d.]+/(composite/sobjects/?$|composite that writes|tooling)"
    plays = frozenset({"empty_page", "cursor_gone", "half_done", "all_or_nothing"})
    busy = (Answer.json(_BUSY, 403),)
    unmerged = frozenset({"Opportunity", "OpportunityContactRole", "Task", "Event"})
    samples = {
        "Account": Sample(
            lambda n: {"Name": f"Company {n}", "Phone": f"+4755{n:06d}", "Site": f"Site {n}", "NumberOfEmployees": n},
            text="Site",
            bad={"NumberOfEmployees": "many"},
            link=("ParentId", "Account"),
        ),
        "Contact": Sample(
            lambda n: {"FirstName": f"Ann {n}", "LastName": "Lee", "Email": f"ann{n}@example.com"},
            text="FirstName",
            bad={"Email": "no address"},
            link=("AccountId", "Account"),
        ),
        "Lead": Sample(
            lambda n: {"FirstName": f"Bo {n}", "LastName": "Moe", "Company": f"Moe {n}", "Status": "Working - Contacted"},
            text="FirstName",
            bad={"LastName": None},
        ),
        "Opportunity": Sample(
            lambda n: {
                "Name": f"Deal {n}",
                "StageName": "Prospecting",
                "CloseDate": "2026-03-01",
                "NextStep": f"step {n}",
                "Amount": f"{n}.5",
            },
            text="NextStep",
            bad={"CloseDate": "soon"},
            link=("AccountId", "Account"),
        ),
        "Task": Sample(
            lambda n: {"Subject": f"number {n}", "Status": "Not Started", "Priority": "Normal"},
            text="Subject",
            bad={"ActivityDate": "yesterday"},
            link=("WhoId", "people"),
        ),
        "Event": Sample(
            lambda n: {
                "Subject": f"number {n}",
                "StartDateTime": "2026-02-03T09:30:00.000+0000",
                "EndDateTime": "2026-02-03T10:15:00.000+0000",
            },
            text="Subject",
            bad={"StartDateTime": "yesterday"},
            link=("WhoId", "people"),
        ),
        "OpportunityContactRole": Sample(
            lambda n: {"Role": f"Role {n}", "OpportunityId": "", "ContactId": ""},
            text="Role",
            bad={"ContactId": None},  # it is always with somebody, so there is no link to clear
        ),
        "User": Sample(
            lambda n: {"FirstName": f"Nora {n}", "LastName": "Bell", "Email": f"nora{n}@example.com", "IsActive": True},
            text="FirstName",
        ),
        "people": Sample(
            lambda n: {"type": "Contact", "FirstName": f"Kim {n}", "LastName": "Ek", "Email": f"kim{n}@example.com"},
            text="FirstName",
            bad={"Email": "no address"},
            link=("AccountId", "Account"),
        ),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tokens.put("crm", self.secrets)  # somebody has just consented

    def vendor(self) -> SalesforceVendor:
        vendor = SalesforceVendor(self.clock, hazards=replace(Hazards(), locks=0, page=self.page_size))
        Judge(vendor)
        return vendor

    def provisioned(self) -> Connector:
        """Somebody connected long ago: the places are there, as they are in nearly every process."""
        for object in ("Account", "Contact", "Lead", "Opportunity"):
            if KEY not in self.provider.tables[object].fields:
                self.provider.add_field(
                    object, Field(KEY, "string", 80, creatable=True, updatable=True, nillable=True, external=True)
                )
        return super().provisioned()

    def label(self, sent: Sent) -> str:
        """A call with several requests writes if one of them does."""
        words = super().label(sent)
        if not sent.path.endswith("/composite"):
            return words
        asked = json.loads(sent.body)["compositeRequest"]
        return f"{words} that {'reads' if all(one['method'] == 'GET' for one in asked) else 'writes'}"

    def fresh(self, object: str) -> Raw:
        values = super().fresh(object)
        if object != "OpportunityContactRole":
            return values
        contact, opportunity = (self.make(of, self.fresh(of)) for of in ("Contact", "Opportunity"))
        return {**values, "ContactId": contact, "OpportunityId": opportunity}

    def make(self, object: str, values: Raw) -> str:
        if object == "people":
            return self.make("Contact", _own(values))
        made = {name: _kept(name, value) for name, value in values.items()}
        return str(self.provider.people_make(object, made)["Id"])

    def change(self, object: str, id: str, values: Raw) -> None:
        if object == "people":
            self.change("Contact", id, _own(values))
        else:
            self.provider.people_change(object, id, {name: _kept(name, value) for name, value in values.items()})

    def remove(self, object: str, id: str) -> None:
        if object == "User":
            self.provider.people_change(object, id, {"IsActive": False})
        else:
            self.provider.people_remove("Contact" if object == "people" else object, id)

    def merge(self, object: str, id: str, survivor: str) -> str:
        self.provider.merged("Contact" if object == "people" else object, survivor, id)
        return survivor

    def add_field(self, object: str, path: str) -> None:
        self.provider.add_field(
            "Contact" if object == "people" else object, Field(path, "string", 255, creatable=True, updatable=True, nillable=True)
        )

    def truth(self, object: str) -> dict[str, Raw]:
        if object == "people":
            people = {id: {**raw, "type": "Contact"} for id, raw in self.truth("Contact").items()}
            return people | {id: {**raw, "type": "Lead"} for id, raw in self.truth("Lead").items()}
        paths = self.samples[object].new(0)
        link = self.samples[object].link
        named = [*paths, *([link[0]] if link else [])]
        living = [row for row in self.provider.records[object] if object != "User" or row["IsActive"]]
        return {row["Id"]: {"Id": row["Id"], **{name: _shown(row[name]) for name in named}} for row in living}


def _kept(name: str, value: Any) -> Any:
    """A value of a sample as the fake keeps it."""
    if name == "Amount":
        return Decimal(value)
    if isinstance(value, str) and "T" in value and value.endswith("+0000"):
        return datetime.fromisoformat(value)
    return value


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    return str(value) if isinstance(value, Decimal) else value
