"""Who works for whom in a real Tryton, where the module ``party_relationship`` is activated. Plain JSON-RPC says what is true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aios_connect_tryton import Tryton

from aios_connect import connect
from aios_connect.connectors import Raw
from aios_connect.mappings import check
from aios_connect.testing.servers import TrytonDatabase, TrytonServer

from .tryton_office import Office, update

pytestmark = pytest.mark.live

RELATION = "model.party.relation.all"
OVERLAY = """\
connector: tryton
object: people
kind: person
fields:
  company: {from: employer, as: reference, to: companies, id: integer}
"""


@pytest.fixture
def office(related_database: TrytonDatabase) -> Iterator[Office]:
    """A connector on a database with relations, and somebody else who works there."""
    office = Office(related_database)
    office.connector.provision()
    office.wire.calls.clear()
    yield office
    office.close()


def relations(office: Office, person: Raw) -> list[tuple[str, int]]:
    """Type and other party of somebody's relations, as somebody else sees them."""
    there = office.rpc(f"{RELATION}.search_read", [["from_", "=", person["id"]]], 0, None, [["id", "ASC"]], ["type.name", "to"])
    return [(row["type."]["name"], row["to"]) for row in there]


def relate(office: Office, person: Raw, type: str, to: Raw, **values: Any) -> int:
    """Somebody else writes down a relation."""
    (found,) = office.rpc("model.party.relation.type.search", [["name", "=", type]])
    (id,) = office.rpc(f"{RELATION}.create", [{"from_": person["id"], "type": found, "to": to["id"], **values}])
    return int(id)


def day(year: int) -> dict[str, Any]:
    return {"__class__": "date", "year": year, "month": 1, "day": 1}


def test_provision_makes_the_relation_types_once(tryton_server: TrytonServer) -> None:
    office = Office(tryton_server.fresh("party_relationship"))
    assert "'Works for'" in office.connector.check().missing["write employers of people"]
    assert office.connector.provision()[-1] == "added the relation types 'Works for' and 'Employs'"
    assert office.connector.provision() == []
    assert office.connector.check().missing == {}
    office.close()


def test_an_employer_written_can_be_read_back_and_changed_and_cleared(office: Office) -> None:
    harbor, tower = office.make("companies", {"name": "Harbor Lane"}, {"name": "Tower"})
    (zoe,) = office.make("people", {"name": "Zoë", "employer": harbor["id"]})
    assert (zoe["employer"], relations(office, zoe)) == (harbor["id"], [("Works for", harbor["id"])])
    (moved,) = office.write("people", update(zoe, {"employer": tower["id"]}))
    assert (moved.record or {})["employer"] == tower["id"]
    assert relations(office, zoe) == [("Works for", tower["id"])]
    (cleared,) = office.write("people", update(moved.record or {}, {"employer": None}))
    assert ((cleared.record or {})["employer"], relations(office, zoe)) == (None, [])


def test_an_employer_that_is_there_already_is_not_written(office: Office) -> None:
    (harbor,) = office.make("companies", {"name": "Harbor Lane"})
    (zoe,) = office.make("people", {"name": "Zoë", "employer": harbor["id"]})
    (receipt,) = office.write("people", update(zoe, {"employer": harbor["id"]}))
    assert (receipt.outcome, len(relations(office, zoe))) == ("unchanged", 1)


def test_a_relation_written_down_at_the_company_counts_and_other_relations_stay(office: Office) -> None:
    (harbor,) = office.make("companies", {"name": "Harbor Lane"})
    zoe, ida = office.make("people", {"name": "Zoë"}, {"name": "Ida"})
    relate(office, harbor, "Employs", zoe)
    office.rpc("model.party.relation.type.create", [{"name": "Married to"}])
    relate(office, zoe, "Married to", ida)
    assert office.now("people", zoe["id"])["employer"] == harbor["id"]
    (receipt,) = office.write("people", update(office.now("people", zoe["id"]), {"employer": None}))
    assert ((receipt.record or {})["employer"], relations(office, harbor)) == (None, [])
    assert relations(office, zoe) == [("Married to", ida["id"])]


def test_an_employment_that_is_over_does_not_count(office: Office) -> None:
    harbor, tower = office.make("companies", {"name": "Harbor Lane"}, {"name": "Tower"})
    (zoe,) = office.make("people", {"name": "Zoë"})
    relate(office, zoe, "Works for", harbor, start_date=day(2001), end_date=day(2002))
    assert office.now("people", zoe["id"])["employer"] is None
    relate(office, zoe, "Works for", tower, start_date=day(2002))
    assert office.now("people", zoe["id"])["employer"] == tower["id"]


def test_a_new_relation_is_a_change_of_the_person(office: Office) -> None:
    (harbor,) = office.make("companies", {"name": "Harbor Lane"})
    zoe, ida = office.make("people", {"name": "Zoë"}, {"name": "Ida"})
    after = datetime.fromisoformat(office.records("people")[-1]["modified"]) + timedelta(milliseconds=1)
    relate(office, zoe, "Works for", harbor)
    # On SQLite, Tryton takes all relations of a day for as new as its newest one, so others may come again.
    changed = {raw["id"]: raw for raw in office.records("people", {"mark": after.isoformat()})}
    assert (changed[zoe["id"]]["employer"], ida["id"] in changed) == (harbor["id"], False)
    assert changed[zoe["id"]]["version"] != zoe["version"]
    (receipt,) = office.write("people", update(zoe, {"employer": None}))
    assert receipt.outcome == "conflict"


def test_people_name_their_company_with_one_line_of_mapping(office: Office, tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(OVERLAY)
    (harbor,) = office.make("companies", {"name": "Harbor Lane"})
    office.make("people", {"name": "Wen Zhao", "employer": harbor["id"]})
    there = office.database
    with connect(
        "tryton", mappings=tmp_path, url=there.url, database=there.name, user=there.user, password=there.password
    ) as crm:
        mapping = crm.mapping("person")
        findings = check(mapping, office.connector.describe("people"), spec=Tryton.spec)
        assert [finding for finding in findings if finding.severity != "note"] == []
        (wen,) = [person for person in crm.read("person") if person.names.family == "Zhao"]
        assert str(wen.company).endswith(str(harbor["id"]))
