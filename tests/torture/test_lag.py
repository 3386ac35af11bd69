"""An hour of edits, ten a second, on an account whose index lags behind: nothing stays stale, and what hides is named by its id.

``AIOS_LAG_SEEDS`` says how many hours are lived (2 unless given).
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aios_connect_hubspot import _reading
from aios_connect_hubspot.sandbox import Hazards

from aios_connect.sandbox import SimClock, transport
from aios_connect.store import Store
from aios_connect.store.records import loads
from aios_connect.store.tables import record as record_table
from aios_connect.sync import Job, KindRule, read_job, reconcile
from aios_connect.sync.catching_up import catch_up

from .hubspot_account import HubSpotAccount
from .plain_office import open_plain
from .plain_vendor import PlainVendor
from .two_crms import open_hubspot

SEEDS = range(int(os.environ.get("AIOS_LAG_SEEDS", "2")))
RECORDS = 4000
"""On each side."""
EDITS = 10
"""A second, on each side."""
HOUR = 3600
EVERY = 120
"""Seconds between two reads."""
PLACES = {"left": "contacts", "right": "people"}


class Hour:
    """Two servers with the same people, one of them HubSpot; people who edit; and a store that follows."""

    def __init__(self, seed: int, folder: Path, *, records: int = RECORDS) -> None:
        self.draw = random.Random(f"hour:{seed}")
        self.clock = SimClock()
        self.left = HubSpotAccount(self.clock, hazards=Hazards(lag=3.0, latency=0.02), seed=seed)
        self.right = PlainVendor(self.clock, lag=3.0)
        self.vendors: dict[str, Any] = {"left": self.left, "right": self.right}
        self.ids: dict[str, list[str]] = {"left": [], "right": []}
        for number in range(records):
            for side, vendor in self.vendors.items():
                person = {"first": f"First{number}", "last": f"Last{number}", "email": f"p{number}@mail.example"}
                self.ids[side].append(vendor.shelves["people"].create(person, by="ann").id)
        self.clock.sleep(600)
        hours: dict[str, Any] = {"now": self.now, "sleep": self.clock.sleep}
        self.connections = {
            "left": open_hubspot("left", transport=transport(self.left), **hours),
            "right": open_plain("right", transport=transport(self.right), **hours),
        }
        self.connections["left"].connector.provision()
        self.job = Job(job="hour", connections=("left", "right"), kinds={"person": KindRule()})
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}")

    def now(self) -> datetime:
        return self.clock.now()

    def read(self) -> None:
        read_job(self.job, self.connections, self.store, run=f"run_{self.clock.now():%H%M%S%f}", now=self.now)

    def live(self, seconds: int = HOUR) -> None:
        """Edits and reads in turns; what a read takes, people go on editing."""
        end = self.clock.now() + timedelta(seconds=seconds)
        due = self.clock.now()
        while self.clock.now() < end:
            self.edit()
            self.clock.sleep(1 / EDITS / 2)
            if self.clock.now() >= due:
                due = self.clock.now() + timedelta(seconds=EVERY)
                self.read()
        self.clock.sleep(EVERY)
        self.read()

    def edit(self) -> None:
        side = self.draw.choice(["left", "right"])
        id = self.draw.choice(self.ids[side])
        self.vendors[side].shelves["people"].change(id, {"title": f"Title {self.draw.randrange(10**9)}"}, by="ann")

    def stale(self) -> dict[str, list[str]]:
        """Side -> records of which the store says something else than the server."""
        found: dict[str, list[str]] = {}
        with self.store.read() as tx:
            rows = tx.execute(record_table.select()).all()
        titles = {(row.connection, row.id): loads(row.seen).get("job_title") for row in rows if row.gone is None}
        for side, vendor in self.vendors.items():
            truth = {item.id: item.values.get("title") for item in vendor.shelves["people"]}
            known = {id: title for (of, id), title in titles.items() if of == side}
            found[side] = sorted(id for id in truth.keys() | known.keys() if truth.get(id, ...) != known.get(id, ...))
        return found

    def hide_drift(self) -> dict[str, list[str]]:
        """Change, make and take away a record on each side without a word: no instant moves, no tombstone is left."""
        contacts, people = self.left.records["contacts"], self.right.shelves["people"]
        long_ago = self.clock.now() - timedelta(hours=3)
        changed, lost = (contacts.get(id) for id in self.ids["left"][:2])
        assert changed is not None
        assert lost is not None
        changed.values["jobtitle"], changed.modified = "Hidden", long_ago
        del contacts._all[lost.id]
        contacts._living.remove(lost.id)
        del contacts._index[lost.id]
        contacts._index_order.remove(lost.id)
        new = contacts.create({"email": "late@mail.example"}, by="ann")
        new.created = new.modified = long_ago
        contacts._pending = [entry for entry in contacts._pending if entry[2] != new.id]
        item = people._items[self.ids["right"][0]]
        people._items[item.id] = replace(
            item, version=item.version + 1, values={**item.values, "title": "Hidden"}, modified=long_ago
        )
        del people._items[self.ids["right"][1]]
        late = people.create({"email": "late@mail.example"}, by="ann")
        people._pending.pop()
        return {
            "left": [str(changed.id), str(lost.id), str(new.id)],
            "right": [item.id, self.ids["right"][1], late.id],
        }


@pytest.mark.torture
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_stale_after_an_hour_of_edits_behind_a_lagging_index(seed: int, tmp_path: Path) -> None:
    hour = Hour(seed, tmp_path)
    hour.live()
    before = hour.stale()
    print(f"seed {seed}: {sum(map(len, before.values()))} stale before reconcile, {len(hour.left.log)} calls to HubSpot")
    assert sum(map(len, before.values())) <= 1
    found = reconcile(hour.job, hour.connections, hour.store, now=hour.now)
    catch_up(found, hour.connections, hour.store, now=hour.now)
    assert hour.stale() == {"left": [], "right": []}
    hour.store.close()


def test_drift_behind_the_cursor_is_named_by_its_id_on_both_sides_and_read_again(tmp_path: Path) -> None:
    hour = Hour(0, tmp_path, records=60)
    hour.live(300)
    assert hour.stale() == {"left": [], "right": []}
    hidden = hour.hide_drift()
    hour.clock.sleep(EVERY)
    hour.read()
    assert hour.stale() == {side: sorted(ids) for side, ids in hidden.items()}, "no read finds it"
    drifts = {drift.connection: drift for drift in reconcile(hour.job, hour.connections, hour.store, now=hour.now)}
    for side, (changed, lost, new) in hidden.items():
        assert (drifts[side].stale, drifts[side].vanished, drifts[side].unknown) == ([changed], [lost], [new])
    assert catch_up([*drifts.values()], hour.connections, hour.store, now=hour.now) == 6
    assert hour.stale() == {"left": [], "right": []}
    assert all(
        not (drift.stale or drift.vanished or drift.unknown)
        for drift in reconcile(hour.job, hour.connections, hour.store, now=hour.now)
    )
    hour.store.close()


def test_who_believes_the_index_is_stale_after_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reading, "OVERLAP", timedelta(0))
    hour = Hour(0, tmp_path, records=1000)
    hour.live(600)
    assert len(hour.stale()["left"]) > 1
    hour.store.close()
