"""The whole story on a real Tryton, a sheet and a HubSpot sandbox: plan, apply, two people who edit at the same time, one conflict, why,
undo, reconcile; then a third system joins, and the process that fills it is killed in the middle.

What keeps them in step is the real command line, each command in a process of its own. What people do, and every comparison, is
plain: the csv module on the files, JSON-RPC to Tryton, the sandbox's own memory. Commands that only look run beside one another.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from aios_connect.sandbox import serve
from aios_connect.testing.servers import TrytonDatabase, tryton

from .account import TOKEN, Account
from .sides import Sheet, Tryton
from .telling import Aios, Story

HERE: Final = Path(__file__).parent
JOB: Final = "sheet-and-crm"
ALL: Final = "three-in-step"
KINDS: Final = ("companies", "people", "deals")


def tell(story: Story, folder: Path) -> None:
    """Tell the story in an empty folder."""
    project = folder / "project"
    sheet, aios = Sheet(project / "sheet"), Aios(project, story)
    story.act("A project is laid down beside the office's sheet, and a Tryton starts")
    shutil.copytree(HERE / "project", project)
    shutil.copytree(HERE / "sheet", project / "sheet")
    with ThreadPoolExecutor(1) as beside:
        laid = beside.submit(lay_down, aios)
        with tryton(folder / "tryton", progress=story.tell) as server:
            database = server.first
            laid.result()
            play(story, aios, sheet, database)


def lay_down(aios: Aios) -> None:
    """What can be done before there is a Tryton."""
    aios("init", shown=4)
    aios("connect", "sheet", "--provider", "csv", "--set", "folder=sheet", "--set", "key=Ref", shown=4)


def play(story: Story, aios: Aios, sheet: Sheet, database: TrytonDatabase) -> None:
    """Everything that happens once both are there."""
    at = ("--set", f"url={database.url}", "--set", f"database={database.name}", "--set", f"user={database.user}")
    aios("connect", "crm", "--provider", "tryton", *at, "--password-stdin", given=database.password, shown=5)
    crm = Tryton(database.rpc())
    first_run(story, aios, sheet, crm)
    conflict = both_edit(story, aios, sheet, crm)
    settle(story, aios, sheet, crm, conflict)
    account = Account()
    with serve(account.vendor) as hub:
        aios("connect", "hub", "--provider", "hubspot", "--set", f"url={hub.url}", "--password-stdin", given=TOKEN, shown=2)
        third(story, aios, sheet, crm, account)


def first_run(story: Story, aios: Aios, sheet: Sheet, crm: Tryton) -> None:
    """An empty Tryton gets what the sheet has."""
    story.act("First plan: nothing is written yet")
    before = sheet.bytes()
    counts = aios.begin_plan(JOB, "first.jsonl", shown=12)()
    story.expect(
        "it would make 15 companies, 40 people and 25 deals in Tryton, and touch nothing else", counts, {"crm": {"create": 80}}
    )
    story.expect("Tryton is as empty as it was", {name: len(of) for name, of in crm.truth().items()}, dict.fromkeys(KINDS, 0))
    story.act("Apply: exactly that")
    report = aios.json("apply", "first.jsonl", "--yes")
    story.expect("80 records were written", (report["written"], report["troubles"]), (80, []))
    second = aios.begin_plan(JOB, "second.jsonl", shown=3)
    compare(story, sheet, crm)
    story.expect("the sheet is the same to the byte", sheet.bytes(), before)
    story.act("Second plan")
    story.expect("it is empty", second(), {})


def both_edit(story: Story, aios: Aios, sheet: Sheet, crm: Tryton) -> str:
    """Two people work at the same time; their changes cross, and one collides. The run that carried them over is taken back."""
    story.act("Somebody edits the sheet, somebody else works in Tryton")
    sheet.replace("people.csv", "(971) 555-0112", "(971) 555-0199")
    sheet.replace("people.csv", "zoe.marchetti@fernhillvet.example.com", "zoe@fernhillvet.example.com")
    sheet.replace("deals.csv", "27450.50", "29000.00")
    sheet.add("people.csv", ",Nina,Park,nina.park@copperkettle.example.com,(971) 555-0155,,Copper Kettle Brewing,Bar manager,")
    crm.contact("Priya Raman", "mobile", "+1 971-555-0188")
    crm.contact("Dovetail Furniture", "phone", "+1 503-555-0195")
    crm.press("opportunity", "Kennel sanitation")
    planned = aios.begin_plan(JOB, "third.jsonl", shown=45)
    sheet_before, crm_before = sheet.bytes(), crm.truth()
    story.expect(
        "each change goes to the other side, the new row becomes a person",
        planned(),
        {"crm": {"create": 1, "update": 2}, "sheet": {"update": 2}},
    )
    report = aios.json("apply", "third.jsonl", "--yes")
    story.expect("five records were written", (report["written"], report["troubles"]), (5, []))
    (conflict,) = report["exceptions"]
    story.expect("one field waits for a person", (conflict["code"], conflict["leaf"]), ("conflict", "phones.mobile"))
    story.expect("with both values", conflict["choices"], {"sheet": "+19715550199", "crm": "+19715550188"})
    listed = aios.begin("exceptions", shown=5)
    compare(story, sheet, crm, but="Priya Raman")
    undone = aios.begin("undo", report["run"], "--apply", "--yes", "--json")
    listed()
    story.act("That run is taken back")
    report = json.loads(undone())
    story.expect("five records were put back", (report["written"], report["troubles"]), (5, []))
    story.expect("the sheet is as it was before the run, to the byte", sheet.bytes(), sheet_before)
    story.expect("Tryton says what it said before the run", crm.truth(), crm_before)
    return str(conflict["id"])


def settle(story: Story, aios: Aios, sheet: Sheet, crm: Tryton, conflict: str) -> None:
    """A person decides, everything is brought in step, and every value can say where it comes from."""
    story.act("A person decides: Tryton is right about the number")
    aios("exceptions", "settle", conflict, "--take", "crm", "--by", "Nora")
    report = aios.json("apply", JOB, "--yes")
    story.expect("six records were written", (report["written"], report["troubles"], report["exceptions"]), (6, [], []))
    why = aios.begin("why", "person/P-203.phones.mobile", shown=11)
    reconcile = aios.begin("reconcile", JOB, "--json", fine=(0, 3))
    compare(story, sheet, crm)
    story.act("Why does the sheet say what it says? And have store and tools drifted apart?")
    story.expect("the number was settled by Nora", re.search("settled by Nora", why()) is not None, True)
    drifts = json.loads(reconcile())["drifts"]
    apart = {f"{one['connection']} {one['object']}": one for one in drifts if not one["clean"]}
    story.expect(f"nothing has drifted in {sum(one['there'] for one in drifts)} records", apart, {})


def third(story: Story, aios: Aios, sheet: Sheet, crm: Tryton, account: Account) -> None:
    """A HubSpot account joins. The process that fills it dies half-way; the next one goes on. Then people edit in all three."""
    story.act("A HubSpot account joins, with everything on that is hard about it")
    counts = aios.begin_plan(ALL, "joined.jsonl", shown=6)()
    story.expect("it would get everything, and nobody else anything", counts, {"hub": {"create": 81}})
    story.act("kill -9, when HubSpot has made the second batch and has not answered yet")
    victim: Future[int] = Future()
    account.kill_after(2, victim)  # before it begins: it may be quick
    died = aios.begin("apply", "joined.jsonl", "--yes", fine=(-signal.SIGKILL,))
    victim.set_result(died.pid)
    died()
    story.expect("HubSpot has companies and people, no deals", account.counts(), {"companies": 15, "people": 41, "deals": 0})
    report = aios.json("apply", "joined.jsonl", "--yes")
    story.expect("the next apply goes on with that run", (report["resumed"], report["troubles"]), (True, []))
    story.expect("everything is there once", account.counts(), {"companies": 15, "people": 41, "deals": 25})
    compare_all(story, sheet, crm, account)
    story.act("People edit in all three")
    sheet.replace("people.csv", "(971) 555-0111", "(971) 555-0161")
    sheet.replace("companies.csv", "(503) 555-0102", "(503) 555-0177")
    crm.contact("Miriam Alder", "mobile", "+1 971-555-0166")
    account.change("zoe@fernhillvet.example.com", mobilephone="+1 971-555-0144")
    account.wait()
    report = aios.json("apply", ALL, "--yes")
    story.expect("every edit went to the two others", (report["written"], report["troubles"], report["exceptions"]), (8, [], []))
    account.wait()
    last = aios.begin_plan(ALL, "last.jsonl", shown=3)
    compare_all(story, sheet, crm, account)
    story.expect("the next plan is empty", last(), {})


def compare_all(story: Story, sheet: Sheet, crm: Tryton, account: Account) -> None:
    """The three truths, by plain means."""
    compare(story, sheet, crm)
    here, there = account.truth(), crm.truth()
    apart = {
        f"{kind} {name}": (here[kind].get(name), there[kind].get(name))
        for kind in KINDS
        for name in sorted({*here[kind], *there[kind]})
        if here[kind].get(name) != there[kind].get(name)
    }
    story.expect(f"HubSpot and Tryton say the same about {sum(map(len, here.values()))} records", apart, {})


def compare(story: Story, sheet: Sheet, crm: Tryton, but: str = "") -> None:
    """Both truths, by plain means."""
    there, here = crm.truth(), sheet.truth()
    for kind in KINDS:
        apart = {
            name: (here[kind].get(name), there[kind].get(name))
            for name in sorted({*here[kind], *there[kind]} - {but})
            if here[kind].get(name) != there[kind].get(name)
        }
        story.expect(
            f"sheet and Tryton say the same about {len(there[kind])} {kind}" + (f", {but} aside" if but else ""), apart, {}
        )


def main() -> int:
    """Tell the story; the exit code."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the same programs start a dozen times
    story = Story(lambda line: print(line, flush=True))
    with tempfile.TemporaryDirectory(prefix="aios-demo-") as folder:
        try:
            tell(story, Path(folder))
        except RuntimeError as error:
            story.expect(f"every command works: {error}", False, True)
    return story.end()


if __name__ == "__main__":
    sys.exit(main())
