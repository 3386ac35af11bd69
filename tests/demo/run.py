"""The whole story on a real Tryton and a sheet: plan, apply, two people who edit at the same time, one conflict, why, undo, reconcile.

What keeps the two in step is the real command line, each command in a process of its own. What people do, and every comparison, is
plain: the csv module on the files, JSON-RPC to Tryton, none of our code.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aios_connect.testing.servers import Rpc, TrytonDatabase, tryton

HERE = Path(__file__).parent
JOB = "sheet-and-crm"
KINDS = ("companies", "people", "deals")
STAGES = {"lead": "Lead", "opportunity": "Quote sent"}


class Story:
    """Tells what happens, and counts what did not happen as it should.

    Args:
        say: Takes a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.failed: list[str] = []
        self.checked = 0
        self._say = say
        self._began = time.monotonic()

    def act(self, title: str) -> None:
        """Something begins."""
        self._say(f"\n[{time.monotonic() - self._began:4.1f} s] {title}")

    def tell(self, text: str) -> None:
        """What a program said."""
        for line in text.splitlines():
            self._say(f"       {line}".rstrip())

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Check one thing."""
        self.checked += 1
        if found == wanted:
            self._say(f"    ok {what}")
        else:
            self.failed.append(what)
            self._say(f"    NO {what}\n       wanted {wanted!r}\n       found  {found!r}")

    def end(self) -> int:
        """The exit code."""
        self.act(f"{self.checked - len(self.failed)} of {self.checked} expectations were met")
        for what in self.failed:
            self._say(f"    NO {what}")
        return 1 if self.failed else 0


class Aios:
    """The command line in one project.

    Args:
        project: The project's folder.
        story: Is told what it says.
    """

    def __init__(self, project: Path, story: Story) -> None:
        self._project = project
        self._story = story

    def begin(self, *words: str, shown: int = 0, given: str = "", fine: tuple[int, ...] = (0,)) -> Callable[[], str]:
        """Start a command; the answer waits for its end.

        Args:
            words: The command.
            shown: How many of its first lines are shown.
            given: What it reads on stdin.
            fine: The exit codes that are no failure.

        Returns:
            A function that gives what the command said on stdout, and raises RuntimeError if it failed.
        """
        command = [str(Path(sys.executable).with_name("aios")), *words]
        own = {"AIOS_KEY_FILE": str(self._project / ".aios" / "key")}  # not the keyring of whoever watches
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, cwd=self._project, env=os.environ | own, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

        def end() -> str:
            out, err = process.communicate(given)
            if process.returncode not in fine:
                raise RuntimeError(f"aios {' '.join(words)} ended with {process.returncode}\n{out}{err}")
            lines = out.splitlines()
            more = [f"... {len(lines) - shown} more lines"] if 0 < shown < len(lines) else []
            self._story.tell("\n".join([f"$ aios {' '.join(words)}", *lines[:shown], *more]))
            return out

        return end

    def __call__(self, *words: str, shown: int = 0, given: str = "") -> str:
        """Run a command; what it says on stdout."""
        return self.begin(*words, shown=shown, given=given)()

    def json(self, *words: str) -> Any:
        """Run a command; its JSON answer."""
        return json.loads(self(*words, "--json"))

    def begin_plan(self, file: str, *, shown: int) -> Callable[[], dict[str, dict[str, int]]]:
        """Start to plan; the answer is how often the plan writes what where, as its file says."""
        begun = self.begin("plan", JOB, "--out", file, shown=shown)

        def end() -> dict[str, dict[str, int]]:
            begun()
            *_, last = (self._project / file).read_text(encoding="utf-8").splitlines()
            counts = json.loads(last)["footer"]["counts"]
            written = {name: {what: n for what, n in of.items() if what != "link"} for name, of in counts.items() if name}
            return {name: of for name, of in written.items() if of}

        return end


class Sheet:
    """The office's sheet, as somebody with an editor sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def replace(self, file: str, old: str, new: str) -> None:
        """Change some text that stands there once."""
        path = self.folder / file
        text = path.read_bytes().decode("utf-8")
        assert text.count(old) == 1, (file, old)
        path.write_bytes(text.replace(old, new).encode("utf-8"))

    def add(self, file: str, line: str) -> None:
        """Type a row below the last one."""
        with (self.folder / file).open("ab") as sheet:
            sheet.write(f"{line}\r\n".encode())

    def bytes(self) -> dict[str, bytes]:
        """All files as they are."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("*.csv"))}

    def rows(self, file: str) -> list[dict[str, str]]:
        """The rows of a file."""
        with (self.folder / file).open(encoding="utf-8-sig", newline="") as sheet:
            return list(csv.DictReader(sheet))

    def truth(self) -> dict[str, dict[str, Any]]:
        """What it says about people, companies and deals, in the words of neither side."""
        people = {
            f"{row['First name']} {row['Last name']}": {
                "email": row["Email"], "mobile": _digits(row["Mobile"]), "phone": _digits(row["Desk phone"]),
            }
            for row in self.rows("people.csv")
        }  # fmt: skip
        companies = {
            row["Company"]: {"phone": _digits(row["Main phone"]), "website": row["Website"], "city": row["City"]}
            for row in self.rows("companies.csv")
        }
        deals = {
            row["Deal"]: {
                "company": row["Company"],
                "contact": row["Contact"],
                "stage": row["Stage"],
                "amount": f"{float(row['Amount']):.2f}" if row["Amount"] else "",
                "closes": row["Expected close"],
                "owner": row["Owner"],
            }
            for row in self.rows("deals.csv")
        }
        return {"people": people, "companies": companies, "deals": deals}


class Tryton:
    """Tryton, as somebody who works in it sees it.

    Args:
        rpc: A session.
    """

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def contact(self, party: str, type: str, value: str) -> None:
        """Change how a party is reached."""
        (found,) = self._rows("party.contact_mechanism", [["party.name", "=", party], ["type", "=", type]], ["id"])
        self._rpc("model.party.contact_mechanism.write", [found["id"]], {"value": value})

    def press(self, button: str, deal: str) -> None:
        """Press a button of an opportunity."""
        (found,) = self._rows("sale.opportunity", [["description", "=", deal]], ["id"])
        self._rpc(f"model.sale.opportunity.{button}", [found["id"]])

    def truth(self) -> dict[str, dict[str, Any]]:
        """What it says about people, companies and deals, in the words of neither side."""
        reached: dict[int, dict[str, str]] = {}
        for row in self._rows("party.contact_mechanism", [], ["party", "type", "value"]):
            reached.setdefault(row["party"], {}).setdefault(row["type"], row["value"])
        cities = {row["party"]: row["city"] or "" for row in self._rows("party.address", [], ["party", "city"])}
        people, companies = {}, {}
        for row in self._rows("party.party", [["categories.name", "=", "Person"]], ["name"]):
            at = reached.get(row["id"], {})
            people[row["name"]] = {
                "email": at.get("email", ""), "mobile": _digits(at.get("mobile", "")), "phone": _digits(at.get("phone", "")),
            }  # fmt: skip
        for row in self._rows("party.party", [["categories.name", "=", "Company"]], ["name"]):
            at = reached.get(row["id"], {})
            companies[row["name"]] = {
                "phone": _digits(at.get("phone", "")), "website": at.get("website", ""), "city": cities.get(row["id"], ""),
            }  # fmt: skip
        fields = ["description", "state", "amount", "end_date", "party.name", "contact.value", "employee.party.email"]
        deals = {
            row["description"]: {
                "company": row["party."]["name"],
                "contact": row["contact."]["value"] if row["contact."] else "",
                "stage": STAGES[row["state"]],
                "amount": f"{float(row['amount']['decimal']):.2f}" if row["amount"] else "",
                "closes": "{year}-{month:02}-{day:02}".format_map(row["end_date"]) if row["end_date"] else "",
                "owner": row["employee."]["party."]["email"],
            }
            for row in self._rows("sale.opportunity", [], fields)
        }
        return {"people": people, "companies": companies, "deals": deals}

    def _rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._rpc(f"model.{model}.search_read", domain, 0, None, None, fields)
        return found


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


def first_run(story: Story, aios: Aios, sheet: Sheet, crm: Tryton) -> None:
    """An empty Tryton gets what the sheet has."""
    story.act("First plan: nothing is written yet")
    before = sheet.bytes()
    counts = aios.begin_plan("first.jsonl", shown=12)()
    story.expect(
        "it would make 15 companies, 40 people and 25 deals in Tryton, and touch nothing else", counts, {"crm": {"create": 80}}
    )
    story.expect("Tryton is as empty as it was", {name: len(of) for name, of in crm.truth().items()}, dict.fromkeys(KINDS, 0))
    story.act("Apply: exactly that")
    report = aios.json("apply", "first.jsonl", "--yes")
    story.expect("80 records were written", (report["written"], report["troubles"]), (80, []))
    second = aios.begin_plan("second.jsonl", shown=3)
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
    sheet_before, crm_before = sheet.bytes(), crm.truth()
    counts = aios.begin_plan("third.jsonl", shown=45)()
    story.expect(
        "each change goes to the other side, the new row becomes a person",
        counts,
        {"crm": {"create": 1, "update": 2}, "sheet": {"update": 2}},
    )
    report = aios.json("apply", "third.jsonl", "--yes")
    story.expect("five records were written", (report["written"], report["troubles"]), (5, []))
    (conflict,) = report["exceptions"]
    story.expect("one field waits for a person", (conflict["code"], conflict["leaf"]), ("conflict", "phones.mobile"))
    story.expect("with both values", conflict["choices"], {"sheet": "+19715550199", "crm": "+19715550188"})
    listed = aios.begin("exceptions", shown=5)
    compare(story, sheet, crm, but="Priya Raman")
    listed()
    story.act("That run is taken back")
    report = aios.json("undo", report["run"], "--apply", "--yes")
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
    compare(story, sheet, crm)
    story.act("Why does the sheet say what it says? And have store and tools drifted apart?")
    why = aios.begin("why", "person/P-203.phones.mobile", shown=11)
    reconcile = aios.begin("reconcile", JOB, "--json", fine=(0, 3))
    story.expect("the number was settled by Nora", re.search("settled by Nora", why()) is not None, True)
    drifts = json.loads(reconcile())["drifts"]
    apart = {f"{one['connection']} {one['object']}": one for one in drifts if not one["clean"]}
    story.expect(f"nothing has drifted in {sum(one['there'] for one in drifts)} records", apart, {})


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


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)[-10:]


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
