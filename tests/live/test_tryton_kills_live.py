"""kill -9 at random instants of runs between a sheet and a real Tryton: nothing is lost, nothing is written twice.

Two people work on both sides, a run carries their changes over and is killed, the next one goes on and finishes. What is true is asked
of Tryton by plain JSON-RPC and of the sheet with the csv module; what was sent is seen on the wire.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from aios_connect.testing.servers import Rpc, TrytonDatabase

from .killed_run import work
from .tap import Asked, Tap, tapped
from .tryton_office import Office

pytestmark = pytest.mark.live

PARTS = 4
KILLS = int(os.environ.get("AIOS_KILLS", "40")) // PARTS
RUNS = multiprocessing.get_context("forkserver")
RUNS.set_forkserver_preload([work.__module__])
JOB = "sheet-and-crm"
SETTINGS = """\
[connections.sheet]
provider = "csv"
folder = "sheet"
key = "Ref"

[connections.crm]
provider = "tryton"
url = "{url}"
database = "{database}"
user = "{user}"
overlap = "0"
"""
RULES = """\
job: sheet-and-crm
connections: [sheet, crm]
kinds:
  user: {between: [crm]}
  company: {create: [crm, sheet]}
  person: {create: [crm, sheet]}
  deal: {create: [crm, sheet]}
"""
HEADS = {
    "companies": ["Ref", "Company", "Main phone"],
    "people": ["Ref", "First name", "Last name", "Email", "Mobile"],
    "deals": ["Ref", "Deal", "Company", "Contact", "Stage", "Amount", "Currency", "Owner"],
}
OWNER = "nora@example.com"

Truth: TypeAlias = dict[str, dict[str, tuple[str, ...]]]
"""Object -> name -> what is said of it."""


def word(number: int) -> str:
    """A name that no other number has."""
    syllables = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru")
    return "".join(syllables[int(digit)] for digit in f"{number:03}").capitalize()


def digits(text: str | None) -> str:
    return re.sub(r"\D", "", text or "")[-10:]


@dataclass
class Scene:
    """A project between a sheet and a Tryton, and the people on both sides."""

    project: Path
    database: TrytonDatabase
    rpc: Rpc
    tap: Tap
    expected: Truth = field(default_factory=lambda: {object: {} for object in HEADS})

    def run(self, kill_after: float | None = None, kill_at: tuple[str, int] | None = None) -> float | None:
        """Let a run work in a process of its own; how long it took, or nothing if it was killed.

        Args:
            kill_after: Seconds after its first request; never, if not given.
            kill_at: A method of opportunities, and a number: it is killed when it asks for that so many times; Tryton hears nothing.
        """
        self.tap.heard.clear()
        process = RUNS.Process(target=work, args=(self.project, JOB, self.database.password))
        self.tap.asked.clear()
        if kill_at:
            self.tap.instead[f"model.sale.opportunity.{kill_at[0]}", kill_at[1]] = process.kill
        process.start()
        heard = self.tap.heard.wait(60)
        start = time.monotonic()
        process.join(60 if kill_after is None else kill_after)
        process.kill()
        process.join()
        self.tap.quiet()  # what it asked for last may still be done
        lived = process.exitcode != -signal.SIGKILL
        said = (self.project / "said.txt").read_text()
        assert heard and process.exitcode in (0, -signal.SIGKILL), said
        return time.monotonic() - start if lived else None

    def edit(self, number: int) -> None:
        """What people do on both sides: new records everywhere, and changes of those they made the last time."""
        self._edit_sheet(word(number), word(number - 1) if number else "", number)
        self._edit_crm(word(number), word(number - 1) if number else "", number)

    def _edit_sheet(self, now: str, last: str, number: int) -> None:
        phone, mobiles = f"+1 503-555-1{number:03}", [f"+1 971-555-{given}{number:03}" for given in (1, 2)]
        company, deals = f"Sheet Works {now}", [f"Floors {now}", f"Windows {now}"]
        self._type("companies", [f"C-{now}", company, phone])
        self.expected["companies"][company] = (digits(phone),)
        for given, mobile in zip(("Ann", "Ben"), mobiles, strict=True):
            email = f"{given.lower()}@{now.lower()}.example.com"
            self._type("people", [f"{given}-{now}", given, now, email, mobile])
            self.expected["people"][f"{given} {now}"] = (email, digits(mobile))
        for deal, stage in zip(deals, ("Opportunity", "Lead"), strict=True):
            contact = f"ann@{now.lower()}.example.com"
            self._type("deals", [deal.replace(" ", "-"), deal, company, contact, stage, f"{number + 1}00", "USD", OWNER])
            self.expected["deals"][deal] = (company, contact, stage, f"{number + 1}00.00")
        if last:
            was, becomes = f"+1 971-555-1{number - 1:03}", f"+1 971-555-3{number:03}"
            self._replace("people", was, becomes)
            self.expected["people"][f"Ann {last}"] = (f"ann@{last.lower()}.example.com", digits(becomes))
            row = f"Windows {last},Sheet Works {last},ann@{last.lower()}.example.com,Lead"
            self._replace("deals", f"{row},{number}00", f"{row},{number}50.50")
            row = f"Floors {last},Sheet Works {last},ann@{last.lower()}.example.com"
            self._replace("deals", f"{row},Opportunity,{number}00", f"{row},Lead,{number}00")
            self.expected["deals"][f"Floors {last}"] = (
                f"Sheet Works {last}", f"ann@{last.lower()}.example.com", "Lead", f"{number}00.00",
            )  # fmt: skip
            self.expected["deals"][f"Windows {last}"] = (
                f"Sheet Works {last}", f"ann@{last.lower()}.example.com", "Opportunity", f"{number}50.50",
            )  # fmt: skip

    def _edit_crm(self, now: str, last: str, number: int) -> None:
        categories = {row["name"]: row["id"] for row in self._rows("party.category", [], "name")}
        company, phone = f"Tower {now}", f"+15035552{number:03}"
        people = [(f"{given} {now}", f"{given.lower()}@{now.lower()}.example.com") for given in ("Cid", "Dot", "Eve")]
        rows = [(company, "Company", "phone", phone), *((name, "Person", "email", email) for name, email in people)]
        made = self.rpc(
            "model.party.party.create",
            [
                {
                    "name": name,
                    "categories": [["add", [categories[category]]]],
                    "contact_mechanisms": [["create", [{"type": type, "value": value}]]],
                }
                for name, category, type, value in rows
            ],
        )
        self.expected["companies"][company] = (digits(phone),)
        self.expected["people"] |= {name: (email, "") for name, email in people}
        (contact,) = self._rows("party.contact_mechanism", [["party", "=", made[1]]], "id")
        values = {"description": f"Lobby {now}", "party": made[0], "contact": contact["id"], "employee": 1}
        self.rpc("model.sale.opportunity.create", [{**values, "amount": _number(f"{number + 1}7"), "currency": 1}])
        self.expected["deals"][f"Lobby {now}"] = (company, people[0][1], "Lead", f"{number + 1}7.00")
        if last:
            (cid,) = self._rows("party.party", [["name", "=", f"Cid {last}"]], "id")
            mobile = {"party": cid["id"], "type": "mobile", "value": f"+19715554{number:03}"}
            self.rpc("model.party.contact_mechanism.create", [mobile])
            self.expected["people"][f"Cid {last}"] = (f"cid@{last.lower()}.example.com", digits(mobile["value"]))
            deals = self._rows("sale.opportunity", [["description", "in", [f"Lobby {last}", f"Windows {last}"]]], "description")
            ids = {row["description"]: row["id"] for row in deals}
            self.rpc("model.sale.opportunity.write", [ids[f"Lobby {last}"]], {"amount": _number(f"{number}9.99")})
            self.rpc("model.sale.opportunity.opportunity", [ids[f"Windows {last}"]])
            (_, contact_of_lobby, stage, _) = self.expected["deals"][f"Lobby {last}"]
            self.expected["deals"][f"Lobby {last}"] = (f"Tower {last}", contact_of_lobby, stage, f"{number}9.99")

    def _type(self, object: str, cells: list[str]) -> None:
        """Type a row below the last one of the sheet."""
        with (self.project / "sheet" / f"{object}.csv").open("a", newline="") as sheet:
            csv.writer(sheet).writerow(cells)

    def _replace(self, object: str, old: str, new: str) -> None:
        path = self.project / "sheet" / f"{object}.csv"
        text = path.read_bytes().decode()
        assert text.count(old) == 1, (object, old)
        path.write_bytes(text.replace(old, new).encode())

    def sheet(self) -> Truth:
        """What the sheet says. A name that is there twice fails."""
        rows: dict[str, list[dict[str, str]]] = {}
        for object in HEADS:
            with (self.project / "sheet" / f"{object}.csv").open(newline="") as sheet:
                rows[object] = list(csv.DictReader(sheet))
        return {
            "companies": once((row["Company"], (digits(row["Main phone"]),)) for row in rows["companies"]),
            "people": once(
                (f"{row['First name']} {row['Last name']}", (row["Email"], digits(row["Mobile"]))) for row in rows["people"]
            ),
            "deals": once(
                (row["Deal"], (row["Company"], row["Contact"], row["Stage"], f"{float(row['Amount']):.2f}"))
                for row in rows["deals"]
            ),
        }

    def crm(self) -> Truth:
        """What Tryton says. A name that is there twice fails, and so does a person with two numbers of a kind."""
        reached = once(
            ((row["party"], row["type"]), row["value"])
            for row in self._rows("party.contact_mechanism", [], "party", "type", "value")
        )
        parties = {
            category: self._rows("party.party", [["categories.name", "=", category]], "name")
            for category in ("Company", "Person")
        }
        fields = ("description", "state", "amount", "party.name", "contact.value", "employee.party.name")
        deals = self._rows("sale.opportunity", [], *fields)
        assert all(row["employee."]["party."]["name"] == "Nora Lindqvist" for row in deals if row["description"][:5] != "Lobby")
        return {
            "companies": once((row["name"], (digits(reached.get((row["id"], "phone"))),)) for row in parties["Company"]),
            "people": once(
                (row["name"], (reached.get((row["id"], "email"), ""), digits(reached.get((row["id"], "mobile")))))
                for row in parties["Person"]
            ),
            "deals": once(
                (
                    row["description"],
                    (
                        row["party."]["name"],
                        row["contact."]["value"],
                        row["state"].capitalize(),
                        f"{float(row['amount']['decimal']):.2f}",
                    ),
                )
                for row in deals
            ),
        }

    def _rows(self, model: str, domain: list[Any], *fields: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rpc(f"model.{model}.search_read", domain, 0, None, None, list(fields))
        return found


def once(pairs: Iterator[tuple[Any, Any]] | Any) -> dict[Any, Any]:
    """Pairs as a dictionary; a name that comes twice fails."""
    found: dict[Any, Any] = {}
    for name, said in pairs:
        assert name not in found, f"{name} is there twice: {found[name]} and {said}"
        found[name] = said
    return found


def stage(asked: list[Asked]) -> str:
    """How far a run had come, as far as Tryton saw it."""
    if any(one.lines for one in asked):
        return "writing"
    return "reading" if any(one.method.endswith(".search_read") for one in asked) else "starting"


def apart(said: Truth, expected: Truth) -> dict[str, tuple[Any, Any]]:
    """Name -> what is said and what is true, where these differ."""
    return {
        name: (said[object].get(name), expected[object].get(name))
        for object in HEADS
        for name in sorted(said[object].keys() | expected[object].keys())
        if said[object].get(name) != expected[object].get(name)
    }


def _number(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}


def pages_again(asked: list[Asked]) -> list[str]:
    """The pages of records that were asked for again, each as often as it was.

    The listing of ids and time stamps, by which a run sees what was deleted, is no such page: every run begins its own.
    """
    pages = Counter(
        f"{one.method} {one.params}"
        for one in asked
        if one.method.endswith(".search_read")
        and "'id', '>'" in str(one.params)
        and one.params[4] != [name for name in one.params[4] if name.endswith("_timestamp")]
    )
    return sorted((pages - Counter(set(pages))).elements())


def written_again(asked: list[Asked]) -> list[tuple[str, str]]:
    """The plan lines whose write Tryton did more than once, each with the method."""
    writes = Counter((line, one.method) for one in asked if one.done for line in one.lines)
    return sorted(write for write, count in writes.items() if count > 1)


@pytest.fixture
def scene(empty_office: Office, tmp_path: Path) -> Iterator[Scene]:
    """A project laid down, both sides empty."""
    database = empty_office.database
    project = tmp_path / "project"
    (project / "sync" / "jobs").mkdir(parents=True)
    (project / "sheet").mkdir()
    (project / ".aios").mkdir()
    (project / "sync" / "jobs" / f"{JOB}.yaml").write_text(RULES)
    for object, head in HEADS.items():
        (project / "sheet" / f"{object}.csv").write_text(",".join(head) + "\r\n", newline="")
    with tapped(database.url) as tap:
        (project / "aios-connect.toml").write_text(SETTINGS.format(url=tap.url, database=database.name, user=database.user))
        yield Scene(project, database, empty_office.rpc, tap)


@pytest.mark.parametrize("kill_at", [("opportunity", 1), ("lead", 1), ("write", 1), ("write", 2)])
def test_a_run_killed_between_two_calls_of_one_change_is_gone_on_with(scene: Scene, kill_at: tuple[str, int]) -> None:
    scene.edit(0)
    assert scene.run()
    scene.edit(1)
    assert scene.run(kill_at=kill_at) is None
    before = list(scene.tap.asked)
    assert scene.run()
    assert written_again([*before, *scene.tap.asked]) == []
    for said in (scene.crm(), scene.sheet()):
        assert apart(said, scene.expected) == {}


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_runs_killed_at_random_instants_lose_nothing_and_write_nothing_twice(
    scene: Scene, part: int, capfd: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("AIOS_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
    chance = random.Random(seed + part)
    where: Counter[str] = Counter()
    again: Counter[int] = Counter()
    span, rounds = 0.0, 0
    while sum(where.values()) < KILLS and rounds < 3 * KILLS + 2:
        scene.edit(rounds)
        # The first run finds nothing but new records and the second one has a bit of everything: it says how long a run takes.
        instant = chance.random() * span if rounds > 1 else None
        before: list[Asked] = []
        lived = scene.run(instant)
        if lived is None:
            before = list(scene.tap.asked)
            where[stage(before)] += 1
            lived = scene.run()
        span = lived or span
        told = f"AIOS_SEED={seed}, round {rounds}, killed after {instant} s"
        asked = [*before, *scene.tap.asked]
        assert written_again(asked) == [], told
        assert len(pages_again(asked)) <= 1, told
        again[len(pages_again(asked))] += 1
        for said in (scene.crm(), scene.sheet()):
            assert apart(said, scene.expected) == {}, told
        rounds += 1
    with capfd.disabled():
        told = f"AIOS_SEED={seed}, part {part} of {PARTS}: {KILLS} of {rounds} runs killed, {dict(where)}; pages again: {dict(again)}"
        print(f"\n{told}", file=sys.stderr)  # a worker of xdist has no other way to the screen
    assert sum(where.values()) == KILLS
