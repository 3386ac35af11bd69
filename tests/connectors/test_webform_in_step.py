"""From a form to a ticket in the CRM: by the engine, in a project, with HubSpot's sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aios_connect_hubspot.sandbox import TOKEN, HubSpotVendor, furnish
from aios_connect_webform import WebForm

from aios_connect.cli import main
from aios_connect.connectors import Request
from aios_connect.model import Intake, Person
from aios_connect.project import Project
from aios_connect.sandbox import serve

SETTINGS = """
[connections.website]
provider = "webform"
origins = "https://www.example.com"
trap = "fax"

[connections.hub]
provider = "hubspot"

[connections.sheet]
provider = "csv"
folder = "sheet"
"""
JOB = """
job: enquiries
connections: [website, hub, sheet]
kinds:
  person: {create: [hub], authority: {default: hub}}
  intake: {create: [hub], skip: [received_at], deletes: ask}
"""


class Office:
    """A project whose web site asks for enquiries, and whose tickets are in HubSpot."""

    def post(self, body: bytes) -> str:
        """A page of the site posts a form; the id of the enquiry."""
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": "https://www.example.com"}
        with Project.find() as project:
            (hint,) = self._form(project).receive(Request("POST", "https://hooks.example.com/", headers, body))
        return str(hint.id)

    def release(self, id: str) -> bool:
        with Project.find() as project:
            return self._form(project).release(id)

    def run(self) -> None:
        main(["run", "enquiries"])

    def tickets(self) -> dict[str, Intake]:
        """The tickets that came in by the web, by their content."""
        with Project.find() as project:
            found = list(project.connection("hub").read("intake"))
        return {str(ticket.custom["content"]): ticket for ticket in found if ticket.channel == "web_form"}

    def person(self, ticket: Intake) -> Person:
        """The contact of a ticket."""
        with Project.find() as project:
            return project.connection("hub").get("person", str(ticket.person).removeprefix("contacts:"))

    def _form(self, project: Project) -> WebForm:
        connector = project.connection("website").connector
        assert isinstance(connector, WebForm)
        return connector


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    (tmp_path / "aios-connect.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "sheet").mkdir()
    (tmp_path / "sheet" / "people.csv").write_text("id,First name,Last name,Email\n", encoding="utf-8")
    (tmp_path / "sync" / "jobs").mkdir(parents=True)
    (tmp_path / "sync" / "jobs" / "enquiries.yaml").write_text(JOB, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("AIOS_KEY_FILE", str(tmp_path.parent / f"{tmp_path.name}.key"))
    with serve(furnish(HubSpotVendor())) as server:
        monkeypatch.setenv("AIOS_HUB_URL", server.url)
        monkeypatch.setenv("AIOS_HUB_KEY", TOKEN)
        main(["connect", "hub"])
        yield Office()


def test_an_enquiry_is_one_ticket_however_often_it_is_sent_and_run(office: Office) -> None:
    before = office.tickets()
    office.post(b"name=Ann&email=ann%40example.org&subject=Quote&message=Two+offices")
    office.run()
    office.post(b"name=Ann&email=ann%40example.org&subject=Quote&message=Two+offices")
    office.run()
    made = {content: ticket for content, ticket in office.tickets().items() if content not in before}
    assert list(made) == ["Two offices"]
    assert made["Two offices"].custom["subject"] == "Quote"


def test_who_is_new_is_a_contact_with_the_first_ticket_and_asks_nobody(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.post(b"given-name=Ann&family-name=Lee&email=Ann%40Example.org&message=Call+me")
    office.run()
    office.post(b"given-name=Anna&email=ann%40example.org&message=Call+me+again")
    office.run()
    tickets = office.tickets()
    assert tickets["Call me"].person == tickets["Call me again"].person
    ann = office.person(tickets["Call me"])
    assert (ann.names.given, ann.names.family, ann.emails.work) == ("Ann", "Lee", "Ann@example.org")
    capsys.readouterr()
    main(["exceptions"])
    assert "ann" not in capsys.readouterr().out.lower()


def test_who_is_known_stays_as_known_whatever_is_written_in_that_name(office: Office) -> None:
    with Project.find() as project:
        known = next(person for person in project.connection("hub").read("person") if person.emails.work and person.names.given)
    office.post(f"given-name=Mallory&email={known.emails.work}&message=It+is+me".encode())
    office.run()
    assert office.person(office.tickets()["It is me"]).names == known.names


def test_who_writes_and_stands_in_a_sheet_later_is_one_person(office: Office) -> None:
    office.post(b"email=ann%40example.org&message=Call+me")
    office.run()
    with Path("sheet/people.csv").open("a", encoding="utf-8") as sheet:
        sheet.write("P-1,Ann,Lee,ann@example.org\n")
    office.run()
    ann = office.person(office.tickets()["Call me"])
    assert (ann.names.family, ann.emails.work) == ("Lee", "ann@example.org")


def test_who_is_not_to_be_made_is_told_once_and_the_ticket_is_made(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sync/jobs/enquiries.yaml").write_text(JOB.replace("create: [hub], auth", "auth"), encoding="utf-8")
    office.post(b"email=ann%40example.org&message=Call+me")
    office.run()
    assert capsys.readouterr().out.count("its person ann@example.org is not there, and the job makes none there") == 1
    assert office.tickets()["Call me"].person is None


def test_a_machine_makes_no_ticket_until_a_person_says_it_was_none(office: Office) -> None:
    id = office.post(b"name=Bo&message=It+is+really+me&fax=1")
    office.run()
    assert "It is really me" not in office.tickets()
    assert office.release(id)
    office.run()
    assert "It is really me" in office.tickets()
