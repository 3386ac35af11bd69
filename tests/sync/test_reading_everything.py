"""Some changes move no instant and are in no list of changes. Whoever reads everything again sees them, and nothing else happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aios_connect.sync import make_plan, read_job, reconcile
from tests.sync.test_outcomes_in_hubspot import BOTH, Pair, pair_in_step


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = pair_in_step(tmp_path, deletes="follow")
    yield pair
    pair.store.close()


def read_everything(pair: Pair) -> None:
    pair.clock.sleep(600)
    read_job(pair.job, pair.connections, pair.store, run="run_everything", now=pair.now, everything=True)


def test_another_company_that_moved_no_instant_is_seen_by_who_reads_everything(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HubSpot: an association that changes alone is no change of the record (airbytehq/airbyte#27199)."""
    old, new = (pair.left.shelves["companies"].create({"name": name, "domain": f"{name}.example"}).id for name in ("old", "new"))
    person = pair.left.shelves["people"].create({"first": "Ida", "last": "Berg", "email": "ida@berg.example", "company": old}).id
    assert pair.run().clean
    monkeypatch.setattr(pair.left, "moved", lambda *moved: None)
    monkeypatch.setattr(pair.left, "emptied", lambda *emptied: None)
    record = pair.left.records["contacts"].get(person)
    assert record is not None
    modified = record.modified
    pair.left.associations.remove("contacts", int(person), "companies", int(old))
    pair.left.associations.add("contacts", int(person), "companies", int(new), primary=True)
    assert record.modified == modified
    names: dict[str, str] = {item.id: item.values["name"] for item in pair.right.shelves["companies"]}

    def there() -> str | None:
        (item,) = pair.right.shelves["people"]
        return names.get(str(item.values["company"]))

    assert pair.run().written == 0
    assert all(drift.clean for drift in reconcile(pair.job, pair.connections, pair.store, now=pair.now)), "nothing tells of it"
    read_everything(pair)
    assert pair.run().written == 1
    assert there() == "new"


def test_who_reads_everything_where_nothing_changed_writes_nothing(pair: Pair, tmp_path: Path) -> None:
    read_everything(pair)
    plan = make_plan(pair.job, pair.connections, pair.store, tmp_path / "plan.jsonl", now=pair.now)
    assert plan.footer.lines == 0
    assert pair.deals() == {"left": BOTH, "right": BOTH}


def test_what_was_deleted_is_still_found_by_who_reads_everything(pair: Pair) -> None:
    pair.right.drop("deals", pair.right_id("Stairs"), by="ann")
    pair.left.drop("deals", pair.left_id("Roof"), by="ann")
    read_everything(pair)
    pair.run()
    assert pair.deals() == {"left": {}, "right": {}}
