"""The world of HubSpot: its fake, with everything on that is hard about HubSpot."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN, HubSpotVendor

from aios_connect.connectors import Raw
from aios_connect.sandbox import Answer, Call, route
from aios_connect.testing.conformance import Sample, VendorWorld
from tests.connectors.hubspot_judge import SPECS, Judge

if TYPE_CHECKING:
    import httpx2

__all__ = ["HubSpotWorld"]

_JUDGED: set[Any] = set()


def _refused(policy: str) -> Answer:
    told = {"status": "error", "category": "RATE_LIMITS", "errorType": "RATE_LIMIT", "policyName": policy, "message": "too many"}
    return Answer.json(told, 429)


def _activity(text: str, **more: Any) -> Sample:
    return Sample(
        lambda n: {"properties": {"hs_timestamp": "2026-01-05T09:00:00.000Z", text: f"number {n}", **more}},
        text=f"properties.{text}",
        clear="",
        bad={"properties": {"hs_timestamp": "yesterday"}},
        link=("associations.company", "companies"),
    )


TITLES = {"calls": "hs_call_title", "meetings": "hs_meeting_title"}


def _own(part: str, values: Raw) -> Raw:
    """Values of an activity in the words of its object."""
    title = {TITLES[part]: values["activity"]["title"]} if values.get("activity") else {}
    return {"properties": {**values.get("properties", {}), **title}, "associations": values.get("associations", {})}


def _common(part: str, raw: Raw) -> Raw:
    return {"title": raw["properties"].get(TITLES[part])} if part in TITLES else {}


def _rest(raw: Raw) -> Raw:
    return {"hs_timestamp": raw["properties"]["hs_timestamp"]}


def _shortened(call: Call) -> Call:
    return replace(call, query={**call.query, "limit": str(max(1, int(call.query.get("limit") or 10) // 20))})


class _Slow(HubSpotVendor):
    """A fake whose index can be made slower than it is, and whose lists are a twentieth as long as they are asked to be."""

    slowness = 0.0

    @route("GET", "/crm/v3/objects/{object}")
    def list(self, call: Call, object: str) -> Any:
        return super().list(_shortened(call), object)

    @route("GET", "/crm/v3/owners")
    def list_owners(self, call: Call) -> Any:
        return super().list_owners(_shortened(call))

    def _lag(self) -> float:
        return self.slowness or super()._lag()


class HubSpotWorld(VendorWorld):
    """One fake account."""

    connector = HubSpot
    settings = {"url": "https://api.hubapi.com"}
    secrets = {"key": TOKEN}
    page_size = 5
    pages = r"GET /crm/v3/(objects/\w+|owners/?)$|POST /crm/v3/objects/\w+/search$"
    writes = r"POST /crm/v\d/(objects|associations)/.*/batch/(create|update|upsert|archive)"
    plays = frozenset({"empty_page", "half_done", "all_or_nothing"})
    busy = (_refused("SECONDLY"), _refused("TEN_SECONDLY_ROLLING"))
    lag = 50.0
    samples = {
        "companies": Sample(
            lambda n: {"properties": {"name": f"Company {n}", "domain": f"c{n}.example.com", "numberofemployees": str(n)}},
            text="properties.name",
            clear="",
            bad={"properties": {"numberofemployees": "many"}},
        ),
        "contacts": Sample(
            lambda n: {"properties": {"firstname": f"Ann {n}", "lastname": "Lee", "email": f"ann{n}@example.com"}},
            text="properties.firstname",
            clear="",
            bad={"properties": {"lifecyclestage": "imagined"}},
            link=("associations.company", "companies"),
        ),
        "deals": Sample(
            lambda n: {
                "properties": {
                    "dealname": f"Deal {n}",
                    "amount": f"{n}.5",
                    "deal_currency_code": "EUR",
                    "dealstage": "contractsent",
                }
            },
            text="properties.dealname",
            clear="",
            bad={"properties": {"dealstage": "imagined"}},
            link=("associations.company", "companies"),
        ),
        "tickets": Sample(
            lambda n: {"properties": {"subject": f"Ticket {n}", "hs_pipeline": "0", "hs_pipeline_stage": "1"}},
            text="properties.subject",
            clear="",
            bad={"properties": {"hs_pipeline_stage": "imagined"}},
            link=("associations.company", "companies"),
        ),
        "notes": _activity("hs_note_body"),
        "tasks": _activity("hs_task_subject"),
        "calls": _activity("hs_call_title"),
        "meetings": _activity("hs_meeting_title"),
        "emails": _activity("hs_email_subject"),
        "activities": Sample(
            lambda n: {
                "type": "calls",
                "activity": {"title": f"number {n}"},
                "properties": {"hs_timestamp": "2026-01-05T09:00:00.000Z"},
            },
            text="activity.title",
            clear="",
            bad={"properties": {"hs_timestamp": "yesterday"}},
            link=("associations.company", "companies"),
        ),
        "owners": Sample(
            lambda n: {"email": f"owner{n}@example.com", "firstName": f"Nora {n}", "lastName": "Bell"},
            text="firstName",
            empty="",
            clear="",
        ),
    }

    def vendor(self) -> _Slow:
        return _Slow(clock=self.clock)

    def make(self, object: str, values: Raw) -> str:
        if object == "activities":
            return f"{values['type']}-{self.make(values['type'], _own(values['type'], values))}"
        if object == "owners":
            at, id = self._now(), str(500 + len(self.provider.owners))
            facts = {"id": id, "userId": 7000 + int(id), "type": "PERSON", "createdAt": at, "updatedAt": at, "archived": False}
            self.provider.owners.append({**values, **facts})
            return id
        return str(self.provider.records[object].create(values["properties"], by="a person").id)

    def change(self, object: str, id: str, values: Raw) -> None:
        if object == "activities":
            part, _, plain = id.partition("-")
            self.change(part, plain, _own(part, values))
            return
        if object == "owners":
            self._owner(id).update({**values, "updatedAt": self._now()})
            return
        if values.get("properties"):
            self.provider.records[object].change(id, values["properties"], by="a person")
        for name, target in values.get("associations", {}).items():
            to = f"{name.removesuffix('y')}ies" if name.endswith("y") else f"{name}s"
            self.provider.associations.add(object, int(id), to, int(target), primary=True)

    def remove(self, object: str, id: str) -> None:
        if object == "activities":
            self.remove(*id.split("-"))
            return
        if object == "owners":
            self._owner(id).update({"archived": True, "updatedAt": self._now()})
        else:
            self.provider.records[object].archive(id, by="a person")

    def merge(self, object: str, id: str, survivor: str) -> str:
        if object == "activities":
            part, _, plain = id.partition("-")
            return f"{part}-{self.merge(part, plain, survivor.rpartition('-')[2])}"
        return str(self.provider.merged(object, int(survivor), int(id)).id)

    def add_field(self, object: str, path: str) -> None:
        name = path.rpartition(".")[2]
        known = self.provider.properties[object]
        known[name] = {**known[self.samples[object].text.rpartition(".")[2]], "name": name, "hubspotDefined": False}

    def transport(self) -> httpx2.BaseTransport:
        """Where the vendor's specs are, they judge what is sent and answered."""
        straight = super().transport()
        return Judge(straight, _JUDGED).transport if SPECS.is_dir() and find_spec("openapi_core") else straight

    def permit(self, scopes: Set[str]) -> None:
        self.provider.scopes = frozenset(scopes)

    def slow_index(self, seconds: float) -> None:
        self.provider.slowness = seconds

    def truth(self, object: str) -> dict[str, Raw]:
        if object == "activities":
            return {
                f"{part}-{id}": {
                    **raw,
                    "id": f"{part}-{id}",
                    "type": part,
                    "properties": _rest(raw),
                    "activity": _common(part, raw),
                }
                for part in ("calls", "meetings", "notes", "emails")
                for id, raw in self.truth(part).items()
            }
        if object == "owners":
            return {owner["id"]: dict(owner) for owner in self.provider.owners if not owner["archived"]}
        return {str(record.id): self._shown(object, record) for record in self.provider.records[object]}

    def _shown(self, object: str, record: Any) -> Raw:
        shown: Raw = {"id": str(record.id), "properties": dict(record.values)}
        if object not in ("companies", "owners"):
            held = self.provider.associations.of(object, record.id, "companies")
            main = [other for other, primary in held.items() if primary or len(held) == 1]
            shown["associations"] = {"company": str(main[0]) if main else None}
        return shown

    def _owner(self, id: str) -> dict[str, Any]:
        return next(owner for owner in self.provider.owners if owner["id"] == id)

    def _now(self) -> str:
        return self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
