"""The fake HubSpot and its connector under two judges nobody here made: the vendor's specs, and the vendor's own clients.

The specs are those of the folder that ``AIOS_SPECS`` names; without it, and without a client, their tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot._objects import OBJECTS
from aios_connect_hubspot.sandbox import REFRESH, TOKEN, Hazards, HubSpotVendor, furnish
from aios_connect_hubspot.sandbox._associations import TYPES

from aios_connect.connectors import Change
from aios_connect.sandbox import Delivery, Server, serve, transport

from .hubspot_judge import SPECS, Judge
from .hubspot_office import connector, create, everything, update

needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="AIOS_SPECS names no folder with the vendor's specs")


@pytest.fixture
def judged() -> Iterator[tuple[HubSpotVendor, Judge, HubSpot]]:
    pytest.importorskip("openapi_core")
    vendor = furnish(HubSpotVendor(hazards=Hazards(lag=0.0, html_404=False)))
    judge = Judge(transport(vendor))
    yield vendor, judge, connector(vendor, through=judge.transport)
    assert judge.judged > 0


@needs_specs
def test_all_that_is_read_is_as_the_specs_say(judged: tuple[HubSpotVendor, Judge, HubSpot]) -> None:
    vendor, judge, hubspot = judged
    hubspot.check()
    assert len(hubspot.provision()) == 4
    vendor.records["contacts"].archive(next(iter(vendor.records["contacts"])).id, by="a person")
    for object in hubspot.spec.objects:
        hubspot.describe(object)
        pages = everything(hubspot, object)
        ids = [raw["id"] for page in pages for raw in page.records]
        if object != "owners":
            since = {"since": "2020-01-01T00:00:00Z"}
            parts = ("calls", "emails", "meetings", "notes")
            changed = everything(hubspot, object, dict.fromkeys(parts, since) if object == "activities" else since)
            assert [raw["id"] for page in changed for raw in page.records] == ids
            assert len(hubspot.lookup(object, [*ids, "999"])) == len(ids)
        assert sum(len(page.items) for page in hubspot.scan(object)) == len(ids)
    assert judge.judged > 60


@needs_specs
def test_all_that_is_written_is_as_the_specs_say(judged: tuple[HubSpotVendor, Judge, HubSpot]) -> None:
    vendor, _, hubspot = judged
    hubspot.provision()
    company = str(next(iter(vendor.records["companies"])).id)
    made = hubspot.write("contacts", [create(number, email=f"n{number}@example.org") for number in range(3)])
    assert [receipt.outcome for receipt in made] == ["written"] * 3
    wrong = [create(7, email="n1@example.org"), create(8, lifecyclestage="nonsense"), create(9, firstname="fine")]
    assert [receipt.outcome for receipt in hubspot.write("contacts", wrong)] == ["rejected", "rejected", "written"]
    id = made[0].id or ""
    assert (
        hubspot.write("contacts", [update(id, {"firstname": "A", "city": None}), update("999", {"city": "B"})])[0].outcome
        == "written"
    )
    linked = Change("update", "l", id, {"associations": {"company": company}}, {"associations": {"company": None}})
    assert hubspot.write("contacts", [linked])[0].outcome == "written"
    unlinked = Change("update", "u", id, {"associations": {"company": None}}, {"associations": {"company": company}})
    assert hubspot.write("contacts", [unlinked])[0].outcome == "written"
    patch = {"properties": {"dealname": "D"}, "associations": {"company": company, "contact": id}}
    assert hubspot.write("deals", [Change("create", "d", patch=patch, key="deal_1")])[0].outcome == "written"
    due = {"hs_timestamp": "2026-01-12T17:00:00Z"}
    for object in ("notes", "tasks", "calls", "meetings", "emails"):
        given = {"properties": due, "associations": {"contact": id, "company": company}}
        made_here = hubspot.write(object, [Change("create", object, patch=given)])[0]
        assert made_here.outcome == "written"
        later = Change("update", "later", made_here.id, {"properties": {"hs_timestamp": "2026-01-13T17:00:00Z"}})
        assert hubspot.write(object, [later])[0].outcome == "written"
        assert hubspot.write(object, [Change("delete", "gone", made_here.id)])[0].outcome == "written"
    call = {"type": "calls", "activity": {"title": "Rang", "direction": "INBOUND"}, "properties": due}
    assert hubspot.write("activities", [Change("create", "c", patch=call)])[0].outcome == "written"
    assert hubspot.find("contacts", [made[1].record["properties"]["aios_key"] if made[1].record else ""])
    assert hubspot.write("contacts", [Change("delete", "x", id)])[0].outcome == "written"


@needs_specs
def test_tokens_are_given_out_as_the_specs_say(judged: tuple[HubSpotVendor, Judge, HubSpot]) -> None:
    _, judge, _ = judged
    asked = {"grant_type": "refresh_token", "client_id": "us", "client_secret": "ours", "refresh_token": REFRESH}
    with httpx2.Client(transport=judge.transport, base_url="https://api.hubapi.com") as client:
        told = client.post("/oauth/v1/token", data=asked)
        assert (told.status_code, judge.judged) == (200, 1)
        assert client.post("/oauth/v1/token", data={**asked, "refresh_token": "other"}).status_code == 400
        token = told.json()["access_token"]
        assert client.get(f"/oauth/v1/access-tokens/{token}", headers={"authorization": f"Bearer {token}"}).status_code == 200
        assert judge.judged == 3


@needs_specs
def test_the_judge_sees_what_is_wrong(judged: tuple[HubSpotVendor, Judge, HubSpot]) -> None:
    _, judge, hubspot = judged
    everything(hubspot, "owners")
    http = hubspot.context.http
    body = {"inputs": [{"properties": {"email": "a@example.org"}, "valeu": 1}]}
    with pytest.raises(Exception, match="validation"):
        http.request("POST", "crm/v3/objects/contacts/batch/create", json=body)
    with pytest.raises(AssertionError, match="limitt"):
        http.request("GET", "crm/v3/objects/contacts", params={"limitt": "3"})
    assert judge.judged > 0


def test_the_numbers_of_association_types_are_those_of_hubspots_client() -> None:
    client = pytest.importorskip("hubspot.crm.association_type").AssociationType
    one = {"companies": "COMPANY"}
    for object, kind in OBJECTS.items():
        for to in kind.associations:
            name = f"{one.get(object, object[:-1].upper())}_TO_{one.get(to.to, to.to[:-1].upper())}"
            assert to.type == getattr(client, name)
            if to.primary:
                assert to.primary == getattr(client, f"PRIMARY_{name}")


@pytest.fixture
def server() -> Iterator[tuple[HubSpotVendor, Server]]:
    vendor = furnish(HubSpotVendor(hazards=Hazards(lag=0.0)))
    with serve(vendor) as server:
        yield vendor, server


def test_hubspots_client_for_v3_works_on_the_fake(server: tuple[HubSpotVendor, Server]) -> None:
    hubspot = pytest.importorskip("hubspot")
    contacts_api = pytest.importorskip("hubspot.crm.contacts")
    vendor, place = server
    client = hubspot.HubSpot(access_token=TOKEN, host=place.url)
    contacts, companies = client.crm.contacts, client.crm.companies
    company = companies.basic_api.get_page(limit=1).results[0]
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    given = contacts_api.SimplePublicObjectInputForCreate(
        properties={"email": "new@example.org", "firstname": "New"},
        associations=[{"to": {"id": company.id}, "types": spec}],
    )
    made = contacts.basic_api.create(given)
    read = contacts.basic_api.get_by_id(made.id, properties=["email"], associations=["companies"])
    assert read.properties["email"] == "new@example.org"
    assert read.associations["companies"].results[0].id == company.id
    assert len(contacts.get_all()) == len(vendor.records["contacts"]) == 14
    contacts.basic_api.update(made.id, contacts_api.SimplePublicObjectInput(properties={"firstname": "Newer"}))
    search = contacts_api.PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "email", "operator": "EQ", "value": "new@example.org"}]}],
        properties=["firstname"],
        sorts=["createdate"],
        limit=10,
    )
    found = contacts.search_api.do_search(search)
    assert (found.total, found.results[0].properties["firstname"]) == (1, "Newer")
    batch = contacts_api.BatchInputSimplePublicObjectBatchInputForCreate(
        inputs=[{"properties": {"email": f"b{number}@example.org"}, "associations": []} for number in range(3)]
    )
    assert len(contacts.batch_api.create(batch).results) == 3
    asked = contacts_api.BatchReadInputSimplePublicObjectId(
        inputs=[{"id": made.id}, {"id": "1"}], properties=["email"], properties_with_history=[]
    )
    answer = contacts.batch_api.read(asked)
    assert (len(answer.results), answer.num_errors) == (1, 1)
    contacts.basic_api.archive(made.id)
    with pytest.raises(contacts_api.ApiException) as caught:
        contacts.basic_api.get_by_id(made.id)
    assert caught.value.status == 404
    assert made.id in [one.id for one in contacts.basic_api.get_page(archived=True).results]
    first, second = (one.id for one in contacts.basic_api.get_page(limit=2).results)
    merged = contacts_api.PublicMergeInput(primary_object_id=first, object_id_to_merge=second)
    assert contacts.basic_api.merge(merged).id == contacts.basic_api.get_by_id(second).id
    assert {owner.email for owner in client.crm.owners.get_all()} >= {"nora@example.com"}
    assert client.crm.pipelines.pipelines_api.get_all("deals").results[0].stages[0].label == "Walk-through booked"
    assert any(one.name == "dealstage" for one in client.crm.properties.core_api.get_all("deals").results)


def test_hubspots_client_for_the_dated_api_works_on_the_fake(server: tuple[HubSpotVendor, Server]) -> None:
    sdk = pytest.importorskip("hubspot_sdk")
    vendor, place = server
    with sdk.HubSpot(access_token=TOKEN, base_url=place.url, max_retries=0) as client:
        contacts = client.crm.objects.contacts
        assert len(list(contacts.list(limit=5))) == 13
        made = contacts.create(properties={"email": "new@example.org", "firstname": "New"}, associations=[])
        contacts.update(made.id, properties={"firstname": "Newer"})
        assert contacts.get(made.id, properties=["firstname"]).properties["firstname"] == "Newer"
        filters = [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "new@example.org"}]}]
        found = contacts.search(filter_groups=filters, properties=["firstname"], sorts=["createdate"], limit=10, after="0")
        assert found.total == 1
        body = [{"properties": {"email": f"b{number}@example.org"}, "associations": []} for number in range(3)]
        batch = contacts.batch.create(inputs=body)
        assert len(batch.results) == 3
        inputs = [{"id": one.id} for one in batch.results]
        assert len(contacts.batch.get(inputs=inputs, properties=["email"], properties_with_history=[]).results) == 3
        changed = [{"id": one.id, "properties": {"city": "Portland"}} for one in batch.results]
        contacts.batch.update(inputs=changed)
        kept = [{"id": "b0@example.org", "idProperty": "email", "properties": {"city": "Salem"}}]
        assert contacts.batch.upsert(inputs=kept).results[0].new is False
        company = next(iter(vendor.records["companies"]))
        pair = {"from": {"id": made.id}, "to": {"id": str(company.id)}}
        client.crm.associations.batch.create_default(from_object_type="contacts", to_object_type="companies", inputs=[pair])
        got = client.crm.associations.batch.get(from_object_type="contacts", to_object_type="companies", inputs=[{"id": made.id}])
        assert got.results[0].to[0].to_object_id == str(company.id)
        contacts.batch.delete(inputs=inputs)
        contacts.delete(made.id)
        assert len(vendor.records["contacts"]) == 13
        assert len(list(client.crm.owners.list())) == 3


def test_our_native_client_reaches_where_the_connection_does(server: tuple[HubSpotVendor, Server]) -> None:
    pytest.importorskip("hubspot")
    vendor, place = server
    native = connector(vendor, url=place.url).native()
    assert len(native.crm.deals.get_all()) == 8


def test_hubspots_client_for_v3_works_with_tickets_tasks_and_activities(server: tuple[HubSpotVendor, Server]) -> None:
    hubspot = pytest.importorskip("hubspot")
    notes_api = pytest.importorskip("hubspot.crm.objects.notes")
    v4 = pytest.importorskip("hubspot.crm.associations.v4")
    vendor, place = server
    client = hubspot.HubSpot(access_token=TOKEN, host=place.url)
    contact = next(iter(vendor.records["contacts"]))
    ticket = client.crm.tickets.basic_api.get_page(limit=1, properties=["subject"], associations=["contacts"]).results[0]
    assert ticket.properties["subject"] == "Key card stopped working"
    assert ticket.associations["contacts"].results
    objects = client.crm.objects
    for api, object in ((objects.notes, "notes"), (objects.tasks, "tasks"), (objects.calls, "calls"), (objects.emails, "emails")):
        assert len(api.basic_api.get_page().results) == len(vendor.records[object])
        given = notes_api.SimplePublicObjectInputForCreate(properties={"hs_timestamp": "2026-01-05T17:00:00Z"}, associations=[])
        made = api.basic_api.create(given)
        types = [v4.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=TYPES[object, "contacts"][0])]
        pair = v4.PublicAssociationMultiPost(types=types, _from={"id": made.id}, to={"id": str(contact.id)})
        client.crm.associations.v4.batch_api.create(object, "contacts", v4.BatchInputPublicAssociationMultiPost(inputs=[pair]))
        read = api.basic_api.get_by_id(made.id, associations=["contacts"])
        assert [one.id for one in read.associations["contacts"].results] == [str(contact.id)]
        api.basic_api.archive(made.id)
        assert made.id in [one.id for one in api.basic_api.get_page(archived=True).results]


def test_hubspots_client_for_the_dated_api_works_with_tickets_tasks_and_activities(server: tuple[HubSpotVendor, Server]) -> None:
    sdk = pytest.importorskip("hubspot_sdk")
    vendor, place = server
    with sdk.HubSpot(access_token=TOKEN, base_url=place.url, max_retries=0) as client:
        objects = client.crm.objects
        apis = {name: getattr(objects, name) for name in ("tickets", "notes", "tasks", "calls", "meetings", "emails")}
        for object, api in apis.items():
            assert len(list(api.list(limit=1))) == len(vendor.records[object])
            properties = {"subject": "A"} if object == "tickets" else {"hs_timestamp": "2026-01-05T17:00:00Z"}
            made = api.create(properties=properties, associations=[])
            api.update(made.id, properties={"hubspot_owner_id": "501"})
            assert api.get(made.id, properties=["hubspot_owner_id"]).properties["hubspot_owner_id"] == "501"
            api.delete(made.id)
            assert vendor.records[object].get(made.id) is None


@needs_specs
def test_webhook_subscriptions_of_the_fake_are_those_that_the_specs_know() -> None:
    document = json.loads((SPECS / "webhooks.openapi.json").read_text())
    known = set(document["components"]["schemas"]["SubscriptionCreateRequest"]["properties"]["eventType"]["enum"])
    vendor = furnish(HubSpotVendor(hazards=Hazards.none()))
    outbox = vendor.subscribe(lambda came: 204, delivery=Delivery.prompt())
    for object in vendor.records:
        one, two, three = (vendor.records[object].create({"hs_timestamp": "2026-01-05T17:00:00Z"}) for _ in range(3))
        vendor.records[object].change(three.id, {"hubspot_owner_id": "501"})
        vendor.records[object].archive(three.id)
        vendor.records[object].restore(three.id)
        vendor.merged(object, one.id, two.id)
        if object != "contacts":
            vendor.associations.add(object, three.id, "contacts", next(iter(vendor.records["contacts"])).id)
    vendor.erased("contacts", next(iter(vendor.records["contacts"])).id)
    outbox.deliver()
    sent = {event["subscriptionType"] for came, _ in outbox.sent for event in json.loads(came.body)}
    assert sent <= known
    assert {"contact.merge", "object.restore", "contact.privacyDeletion", "object.associationChange"} <= sent
