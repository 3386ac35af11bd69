"""From a form to a ticket in the CRM: by the engine, in a project, with HubSpot's sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aios_connect_hubspot.sandbox import TOKEN, HubSpotVendor, furnish
from aios_connect_webform import WebForm

from aios_connect.cli import main
from aios_connect.connectors import Request
from aios_connect.model import Intake
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
  person: {create: [hub]}
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


def test_an_enquiry_is_one_ticket_however_often_it_is_sent_and_run(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    before = office.tickets()
    office.post(b"name=Ann&email=ann%40example.org&subject=Quote&message=Two+offices")
    office.run()
    office.post(b"name=Ann&email=ann%40example.org&subject=Quote&message=Two+offices")
    office.run()
    made = {content: ticket for content, ticket in office.tickets().items() if content not in before}
    assert list(made) == ["Two offices"]
    assert made["Two offices"].custom["subject"] == "Quote"
    assert "?emails.work=ann@example.org" in capsys.readouterr().out  # she is nobody that HubSpot knows


def test_an_enquiry_finds_its_person_as_soon_as_there_is_one(office: Office) -> None:
    office.post(b"email=Ann%40Example.org&message=Call+me")
    office.run()
    assert office.tickets()["Call me"].person is None
    with Path("sheet/people.csv").open("a", encoding="utf-8") as sheet:
        sheet.write("P-1,Ann,Lee,ann@example.org\n")
    office.run()
    with Project.find() as project:
        person = project.connection("hub").get("person", str(office.tickets()["Call me"].person).removeprefix("contacts:"))
    assert (person.names.family, person.emails.work) == ("Lee", "ann@example.org")


def test_a_machine_makes_no_ticket_until_a_person_says_it_was_none(office: Office) -> None:
    id = office.post(b"name=Bo&message=It+is+really+me&fax=1")
    office.run()
    assert "It is really me" not in office.tickets()
    assert office.release(id)
    office.run()
    assert "It is really me" in office.tickets()
