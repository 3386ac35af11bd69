"""A plan says what it costs: API calls, the share of the day's calls of each vendor account, and what stays for other tools."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN, Hazards, HubSpotVendor, furnish
from aios_connect_salesforce import Salesforce
from aios_connect_salesforce import sandbox as salesforce
from rich.console import Console

from aios_connect.cli.planned import PlanAnswer
from aios_connect.connection import Connection
from aios_connect.connection.opening import Outside, open_connection
from aios_connect.connection.settings import plain_settings
from aios_connect.connectors import ConfigError, RateLimitedError
from aios_connect.connectors.budget import Allowance, MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.mappings import loads
from aios_connect.sandbox import transport
from aios_connect.store import Store
from aios_connect.store.budgets import SharedBudget
from aios_connect.sync import Job, KindRule, load_plan, make_plan, read_job
from aios_connect.sync.plans import Header, PlanLine, PlanWriter, Price
from aios_connect.sync.prices import Bill, prices_of

from .memory import PERSON, Memory

DAY = 650_000
ACCOUNT = "hubspot:https://api.hubapi.com:443"
BOOK = loads(PERSON.format(provider="book", company="{from: company, as: reference, to: companies}"))


def crm(vendor: HubSpotVendor, store: Store, folder: Path, **settings: str) -> Connection:
    """A connection to a fake HubSpot account, opened as a project opens one."""
    tokens = MemoryTokenStore(now=vendor.clock.now)
    tokens.put("crm", {"key": TOKEN})
    budget = SharedBudget(store, now=vendor.clock.now, sleep=vendor.clock.sleep)
    outside = Outside(folder, tokens, budget, vendor.clock.now, vendor.clock.sleep, transport(vendor))
    return open_connection("crm", "hubspot", plain_settings(HubSpot.spec, settings), outside)


def allowed(name: str, account: str, *, used: int = 0, reserve: int = 0) -> Connection:
    """A connection to an account that may make a thousand calls a day."""
    return Connection(name, Memory("acme"), [], allowance=lambda: Allowance(account, 1000, used, reserve))


def test_two_connections_to_one_account_share_its_day() -> None:
    both = {name: allowed(name, "acme:1", used=300, reserve=200) for name in ("north", "south")}
    both["other"] = allowed("other", "acme:2")
    both["sheet"] = Connection("sheet", Memory("csv"), [])
    prices = prices_of({"north": 30, "south": 10, "other": 5, "sheet": 7}, both)
    assert prices.keys() == {"acme:1", "acme:2"}
    first = prices["acme:1"]
    assert (first.connections, first.calls, first.share, first.enough) == (["north", "south"], 40, 5.0, True)
    assert (first.daily, first.used, first.reserve) == (1000, 300, 200)
    assert prices["acme:2"].share == 0.5


@pytest.mark.parametrize(
    ("action", "conditional", "calls"),
    [
        ("create", "read-compare-write", 3),
        ("update", "compare-and-set", 3),
        ("update", "read-compare-write", 6),
        ("delete", "read-compare-write", 6),
        ("link", "read-compare-write", 0),
    ],
)
def test_a_batch_is_a_call_and_one_before_it_where_the_vendor_does_not_compare(action: str, conditional: str, calls: int) -> None:
    crm = Connection("crm", Memory("acme", batch_size=3, conditional=conditional), [])
    bill = Bill({"crm": crm})
    for number in range(7):
        bill.add(PlanLine(str(number), action, "person", f"p{number}", connection="crm", object="people"))  # type: ignore[arg-type]
    assert sum(bill.calls().values()) == calls


@pytest.mark.parametrize(("used", "enough"), [(790, True), (791, False)])
def test_the_reserve_is_not_spent(used: int, enough: bool) -> None:
    prices = prices_of({"crm": 10}, {"crm": allowed("crm", "acme:1", used=used, reserve=200)})
    assert prices["acme:1"].enough is enough


def test_what_was_called_today_counts_and_tomorrow_does_not(store: Store, tmp_path: Path) -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards(daily=DAY)))
    connection = crm(vendor, store, tmp_path)
    connection.connector.check()
    calls = len(vendor.log)
    assert connection.allowance() == Allowance(ACCOUNT, DAY, calls, DAY // 10)
    vendor.clock.sleep(26 * 3600)
    assert connection.allowance() == Allowance(ACCOUNT, DAY, 0, DAY // 10)


@pytest.mark.parametrize("daily", [250_000, 1_000_000])
def test_a_day_is_what_the_account_says_it_is(store: Store, tmp_path: Path, daily: int) -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards(daily=daily)))
    crm(vendor, store, tmp_path, reserve="20%").connector.check()
    calls = len(vendor.log)
    another = crm(vendor, store, tmp_path, reserve="20%")
    assert another.allowance() == Allowance(ACCOUNT, daily, calls, daily // 5)
    budget = SharedBudget(store, now=vendor.clock.now, sleep=vendor.clock.sleep)
    budget.observe(ACCOUNT, HubSpot.spec.limits[1], remaining=daily // 5, seconds=86_400.0)
    with pytest.raises(RateLimitedError, match="the calls that hubspot allows are used up"):
        another.connector.check()
    assert len(vendor.log) == calls


@pytest.mark.parametrize("daily", [5_000, 100_000])
def test_a_salesforce_organisation_says_how_long_its_day_is(store: Store, tmp_path: Path, daily: int) -> None:
    vendor = salesforce.SalesforceVendor(hazards=salesforce.Hazards(daily=daily))
    tokens = MemoryTokenStore(now=vendor.clock.now)
    tokens.put("crm", {"access_token": salesforce.TOKEN, "refresh_token": salesforce.REFRESH, "client_secret": "office"})
    budget = SharedBudget(store, now=vendor.clock.now, sleep=vendor.clock.sleep)
    outside = Outside(tmp_path, tokens, budget, vendor.clock.now, vendor.clock.sleep, transport(vendor))
    settings = {"url": "https://fjord.my.salesforce.com", "client_id": "office"}
    connection = open_connection("crm", "salesforce", plain_settings(Salesforce.spec, settings), outside)
    connection.connector.lookup("Account", ["001000000000001AAA"])
    found = connection.allowance()
    assert found is not None
    assert (found.daily, found.used, found.reserve) == (daily, len(vendor.log), daily // 10)


def test_what_other_tools_used_counts_too(store: Store, tmp_path: Path) -> None:
    vendor = HubSpotVendor(hazards=Hazards(daily=DAY))
    for _ in range(40):
        vendor.exchange("GET", "/crm/v3/owners", {"authorization": f"Bearer {TOKEN}"}, b"")
    connection = crm(vendor, store, tmp_path)
    connection.connector.check()
    found = connection.allowance()
    assert found is not None
    assert found.used == len(vendor.log)


def test_a_memory_budget_tells_what_is_used(tmp_path: Path) -> None:
    vendor = HubSpotVendor(hazards=Hazards.none())
    budget = MemoryBudget(now=vendor.clock.now, sleep=vendor.clock.sleep)
    day = HubSpot.spec.limits[1]
    assert budget.used("hubspot:1", day) == 0
    for _ in range(3):
        budget.acquire("hubspot:1", "", HubSpot.spec.limits)
    assert budget.used("hubspot:1", day) == 3


@pytest.mark.parametrize(("said", "kept"), [("25", DAY // 4), ("25%", DAY // 4), ("0", 0)])
def test_a_connection_says_what_stays_for_other_tools(store: Store, tmp_path: Path, said: str, kept: int) -> None:
    found = crm(HubSpotVendor(), store, tmp_path, reserve=said).allowance()
    assert found is not None
    assert found.reserve == kept


@pytest.mark.parametrize("said", ["much", "-5", "96", "0.2"])
def test_a_reserve_that_is_no_percentage_is_refused(store: Store, tmp_path: Path, said: str) -> None:
    with pytest.raises(ConfigError, match="is not a percentage from 0 to 95"):
        crm(HubSpotVendor(), store, tmp_path, reserve=said)


def test_calls_beyond_the_reserve_are_not_made(store: Store, tmp_path: Path) -> None:
    vendor = HubSpotVendor(hazards=Hazards(daily=DAY, latency=0.0))
    connection = crm(vendor, store, tmp_path, reserve="40%")
    budget = SharedBudget(store, now=vendor.clock.now, sleep=vendor.clock.sleep)
    budget.observe(ACCOUNT, HubSpot.spec.limits[1], remaining=DAY * 4 // 10, seconds=86_400.0)
    with pytest.raises(RateLimitedError, match="the calls that hubspot allows are used up"):
        connection.connector.check()
    assert vendor.log == []


def test_the_price_stands_in_the_plan_on_the_screen_and_in_the_json(store: Store, tmp_path: Path) -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards(latency=0.0, daily=250_000)))
    connections = {"crm": crm(vendor, store, tmp_path, reserve="20%"), "book": Connection("book", Memory("book"), [BOOK])}
    for number in range(150):
        connections["book"].connector.data["people"][str(number)] = {  # type: ignore[attr-defined]
            "id": str(number), "rev": "1", "changed_at": None, "our_key": None,
            "name": f"Ada {number}", "email": f"ada{number}@example.org", "mobile": None, "company": None,
        }  # fmt: skip
    job = Job(job="both", connections=("book", "crm"), kinds={"person": KindRule(create=("crm",))})
    connections["crm"].connector.provision()
    read_job(job, connections, store, run="run_1", now=vendor.clock.now)
    used = len(vendor.log)
    path = tmp_path / "plan.jsonl"
    make_plan(job, connections, store, path, now=vendor.clock.now)
    assert len(vendor.log) == used, "planning calls no vendor"
    plan = load_plan(path)
    (price,) = plan.footer.prices.values()
    assert (price.connections, price.calls, price.used, price.daily, price.reserve) == (["crm"], 2, used, 250_000, 50_000)
    screen = io.StringIO()
    PlanAnswer(plan).show(Console(file=screen, width=200))
    said = f"crm: 2 API calls, 0% of ours in a day; {250_000 - used:,} of 250,000 are left today, 50,000 of them for other tools"
    assert said in screen.getvalue()
    footer = json.loads(list(path.read_text().splitlines())[-1])["footer"]
    assert footer["prices"][ACCOUNT]["calls"] == 2


@pytest.mark.parametrize(
    ("used", "left"), [(950, "50 of 1,000 are left today, 50 of them for other tools"), (1000, "0 of 1,000 are left today\n")]
)
def test_a_plan_that_needs_more_than_is_left_says_so(tmp_path: Path, used: int, left: str) -> None:
    path = tmp_path / "plan.jsonl"
    with PlanWriter(path, Header("plan_1", "both", "2026-11-21T07:50:00Z", "", {})) as writer:
        writer.counts["crm"] = {"update": 900}
        price = Price(["crm"], 900, 1000, used, 100, share=100.0, enough=False)
        writer.finish(calls={"crm": 900}, prices={"acme:1": price})
    screen = io.StringIO()
    PlanAnswer(load_plan(path)).show(Console(file=screen, width=200))
    assert f"crm: 900 API calls, 100% of ours in a day; {left}" in screen.getvalue()
    assert "more than is left of ours" in screen.getvalue()
