"""What random days once found, told short: each story broke a promise, and is kept from doing so again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aios_connect.sandbox import FAULTS, Call, NoAnswerError, Schedule, SimClock, transport
from aios_connect.store import Store
from aios_connect.sync import ApplyReport, apply_plan, make_plan, open_exceptions, read_job, settle

from .plain_office import open_plain, plain_job
from .plain_vendor import PlainVendor
from .schedules import Killed


class Shop:
    """Two plain servers and the job between them; the index of the right one may lag behind."""

    def __init__(self, store: Store, folder: Path, *, lag: float = 0.0, **rules: Any) -> None:
        self.clock = SimClock()
        self.store, self.folder = store, folder
        grain = timedelta(minutes=1)
        self.left, self.right = PlainVendor(self.clock, grain=grain), PlainVendor(self.clock, grain=grain, lag=lag)
        self.connections = {
            name: open_plain(name, now=self.now, sleep=self.clock.sleep, transport=transport(vendor), attempts=1)
            for name, vendor in (("left", self.left), ("right", self.right))
        }
        self.job = plain_job(**{"authority": {"default": "ask"}, "deletes": "follow", **rules})
        self.plans = 0

    def now(self) -> datetime:
        self.clock.sleep(0.001)
        return self.clock.now()

    def plan(self, wait: float = 600) -> Path:
        self.clock.sleep(wait)
        self.plans += 1
        path = self.folder / f"plan{self.plans}.jsonl"
        read_job(self.job, self.connections, self.store, run=f"run_{self.plans}", now=self.now)
        make_plan(self.job, self.connections, self.store, path, now=self.now)
        return path

    def apply(self, plan: Path) -> ApplyReport:
        return apply_plan(plan, self.job, self.connections, self.store, now=self.now)

    def run(self, wait: float = 600) -> ApplyReport:
        return self.apply(self.plan(wait))

    def apply_and_die(self, plan: Path, vendor: PlainVendor) -> None:
        """The process is killed when the vendor has done the first batch and has not answered yet."""

        def die(call: Call) -> None:
            if call.path.endswith("/batch"):
                raise Killed

        vendor.after = die
        with pytest.raises(Killed):
            self.apply(plan)
        vendor.after = lambda call: None

    def company(self, vendor: PlainVendor) -> dict[str, Any]:
        """The only company there is."""
        [item] = vendor.shelves["companies"]
        return {"id": item.id, **item.values}


ACME = {"name": "Acme", "domain": "acme.example", "phone": None}


def make(vendor: PlainVendor, **values: Any) -> str:
    return vendor.shelves["companies"].create({**ACME, **values}, by="ann").id


def change(vendor: PlainVendor, **values: Any) -> None:
    [item] = vendor.shelves["companies"]
    vendor.shelves["companies"].change(item.id, values, by="ann")


def test_a_value_that_could_not_be_delivered_is_not_taken_for_agreed(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    make(shop.left, phone="+13125550012")
    assert shop.run().clean
    change(shop.left, phone="+13125550039")
    plan = shop.plan()
    change(shop.right, name="Acme Roofing")  # so the phone is refused there
    assert shop.apply(plan).conflict == 1
    change(shop.right, phone="+13125550042")
    shop.run()
    assert shop.company(shop.left)["phone"] == "+13125550039"
    assert [(item.code, item.leaf) for item in open_exceptions(store)] == [("conflict", "phones.main")]


def test_a_cleared_value_that_could_not_be_delivered_is_a_statement_too(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    make(shop.left, phone="+13125550012")
    assert shop.run().clean
    change(shop.left, phone=None)
    plan = shop.plan()
    change(shop.right, phone="+13125550044")
    assert shop.apply(plan).conflict == 1
    shop.run()
    assert shop.company(shop.left)["phone"] is None
    assert [(item.code, item.leaf) for item in open_exceptions(store)] == [("conflict", "phones.main")]


def test_the_question_about_an_undelivered_value_stays_until_it_is_answered(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    make(shop.left, phone="+13125550012")
    assert shop.run().clean
    change(shop.left, phone="+13125550039")
    plan = shop.plan()
    change(shop.right, phone="+13125550042")
    assert shop.apply(plan).conflict == 1
    shop.run()
    change(shop.left, name="Acme Roofing")  # another field goes through meanwhile
    assert shop.run().clean
    shop.run()
    assert shop.company(shop.right)["name"] == "Acme Roofing"
    assert [shop.company(vendor)["phone"] for vendor in (shop.left, shop.right)] == ["+13125550039", "+13125550042"]
    [question] = open_exceptions(store)
    settle(store, question.id, by="ann", now=shop.now(), take="right")
    shop.run()
    assert [shop.company(vendor)["phone"] for vendor in (shop.left, shop.right)] == ["+13125550042", "+13125550042"]


@pytest.mark.parametrize("resumed", [True, False], ids=["taken up again", "planned anew"])
@pytest.mark.parametrize("authority", ["left", "right", "ask"])
def test_whether_somebody_put_back_an_unanswered_update_or_never_had_it_is_asked(
    store: Store, tmp_path: Path, authority: str, resumed: bool
) -> None:
    shop = Shop(store, tmp_path, authority={"default": authority})
    make(shop.left, phone="+13125550012")
    assert shop.run().clean
    change(shop.left, phone="+13125550039")
    plan = shop.plan()
    shop.apply_and_die(plan, shop.right)
    change(shop.right, phone="+13125550012")
    shop.clock.sleep(600)
    if resumed:
        shop.apply(plan)
    shop.run()
    shop.run()
    assert [shop.company(vendor)["phone"] for vendor in (shop.left, shop.right)] == ["+13125550039", "+13125550012"]
    assert [item.leaf for item in open_exceptions(store) if item.code == "conflict"] == ["phones.main"]


def test_an_update_that_never_arrived_is_sent_again_without_a_question(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    make(shop.left, phone="+13125550012")
    assert shop.run().clean
    change(shop.left, phone="+13125550039")
    plan = shop.plan()

    def die(call: Call) -> None:
        if call.path.endswith("/batch"):
            raise Killed

    shop.right.before = die
    with pytest.raises(Killed):
        shop.apply(plan)
    shop.right.before = lambda call: None
    assert shop.run().clean
    assert shop.company(shop.right)["phone"] == "+13125550039"
    assert not open_exceptions(store)


@pytest.mark.parametrize("authority", ["left", "right", "ask"])
def test_a_value_that_equals_an_unanswered_update_and_a_later_edit_are_asked_about(
    store: Store, tmp_path: Path, authority: str
) -> None:
    shop = Shop(store, tmp_path, authority={"default": authority})
    make(shop.left, phone="+13125550012")
    assert shop.run().clean
    change(shop.left, phone=None)
    shop.apply_and_die(shop.plan(), shop.right)
    change(shop.left, phone="+13125550039")
    shop.run()
    assert [item.leaf for item in open_exceptions(store) if item.code == "conflict"] == ["phones.main"]


def test_a_record_made_again_under_the_name_of_a_deleted_one_is_kept_in_step(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    id = make(shop.left)
    assert shop.run().clean
    shop.left.drop("companies", id, by="ann")
    assert shop.run().clean
    assert not list(shop.right.shelves["companies"])
    make(shop.right, phone="+13125550077")
    assert shop.run().clean
    assert shop.company(shop.left)["phone"] == "+13125550077"


def test_an_index_that_lags_behind_our_own_write_does_not_take_it_back(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path, lag=20)
    make(shop.left, phone="+13125550100")
    make(shop.right)
    assert shop.run(wait=20).clean  # writes the phone to the right, within the minute in which the record was made
    shop.run(wait=1)  # the listing does not show that yet
    assert shop.company(shop.left)["phone"] == shop.company(shop.right)["phone"] == "+13125550100"


def test_a_record_that_is_gone_before_it_was_copied_is_not_copied(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    id = make(shop.left)
    plan = shop.plan()
    shop.right.schedule = Schedule(only=dict.fromkeys(range(100), FAULTS["refused"]))
    with pytest.raises(Exception, match="nobody answers"):
        shop.apply(plan)
    shop.right.schedule = Schedule.quiet()
    shop.left.drop("companies", id, by="ann")
    shop.run()
    assert not list(shop.right.shelves["companies"])


def test_a_copy_that_comes_to_light_after_its_original_went_is_not_forgotten(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path, lag=60)
    id = make(shop.left)
    shop.apply_and_die(shop.plan(), shop.right)
    shop.left.drop("companies", id, by="ann")
    shop.run(wait=0)  # nothing is left, as far as anybody can see
    shop.run(wait=61)
    assert not list(shop.right.shelves["companies"])


def test_nothing_is_made_while_somebody_must_say_whether_it_is_there(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path)
    make(shop.left, name="Acme Roofing")
    make(shop.right, name="The roofers")
    shop.run()
    assert [item.code for item in open_exceptions(store)] == ["duplicate_review"]
    assert shop.company(shop.right)["name"] == "The roofers"
    assert shop.company(shop.left)["name"] == "Acme Roofing"


@pytest.mark.parametrize("resumed", [True, False], ids=["taken up again", "planned anew"])
@pytest.mark.parametrize("authority", ["left", "right", "ask"])
def test_what_somebody_edits_in_a_new_copy_before_we_learn_of_it_is_an_edit(
    store: Store, tmp_path: Path, authority: str, resumed: bool
) -> None:
    shop = Shop(store, tmp_path, authority={"default": authority})
    make(shop.left)
    plan = shop.plan()
    shop.apply_and_die(plan, shop.right)
    change(shop.right, name="Acme Roofing", phone="+13125550042")
    shop.clock.sleep(600)
    if resumed:
        shop.apply(plan)
    shop.run()
    wanted = {"name": "Acme Roofing", "phone": "+13125550042"}
    for vendor in (shop.left, shop.right):
        company = shop.company(vendor)
        assert {name: company[name] for name in wanted} == wanted
    assert not open_exceptions(store)


@pytest.mark.parametrize(
    "values", [{"phone": "+13125550044"}, {"name": "Acme Roofing"}], ids=["more than was sent", "what was sent"]
)
def test_what_somebody_wrote_on_a_record_before_its_unanswered_create_was_looked_up_is_heard(
    store: Store, tmp_path: Path, values: dict[str, str]
) -> None:
    shop = Shop(store, tmp_path)
    make(shop.left)

    def edit_and_be_silent(call: Call) -> None:
        if call.path.endswith("/batch"):
            shop.right.after = lambda call: None
            change(shop.right, **values)
            raise NoAnswerError("timeout")

    shop.right.after = edit_and_be_silent
    shop.run()
    shop.run()
    assert shop.run().written == 0
    assert open_exceptions(store) == []
    for vendor in (shop.left, shop.right):
        assert {name: shop.company(vendor).get(name) for name in ACME} == {**ACME, **values}
