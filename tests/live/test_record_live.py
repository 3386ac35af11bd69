"""A real Kinto is recorded by ``aios record``; nobody of its people is on the cassette, and it is read again to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aios_connect import connect
from aios_connect.cassettes import Player, tell
from aios_connect.connection import Connection
from aios_connect.testing.servers.kinto import KintoBucket, KintoServer, kinto

pytestmark = pytest.mark.live

PEOPLE = (
    ("Zephyrine", "O'Halloran", "zephyrine@harborlane.com", "+15035550142", "12 Kestrel Yard"),
    ("Ägidius", "Quistgaard", "a.quistgaard@harborlane.com", "+442079460958", "7 Rue Wolkenstein"),
    ("Bo", "O'Halloran", "bo@quayside.org", "raw: ask Zephyrine", "Kestrel Yard"),
)
PLANTED = (
    "zephyrine",
    "halloran",
    "ägidius",
    "quistgaard",
    "harborlane",
    "quayside",
    "5035550142",
    "2079460958",
    "kestrel",
    "wolkenstein",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KintoServer]:
    try:
        running = kinto(tmp_path_factory.mktemp("kinto"))
        server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") or os.environ.get("CI") else pytest.skip)(f"no server here: {error}")
    yield server
    running.__exit__(None, None, None)


class Desk:
    """A project with a bucket connected, in which people stand."""

    def __init__(self, folder: Path, bucket: KintoBucket) -> None:
        self.folder = folder
        self.bucket = bucket
        settings = (
            f'[connections.crm]\nprovider = "kinto"\nurl = "{bucket.url}"\nuser = "{bucket.user}"\nbucket = "{bucket.name}"\n'
        )
        (folder / "aios-connect.toml").write_text(settings)
        self.environment = {**os.environ, "AIOS_CRM_PASSWORD": bucket.password, "NO_PROXY": "127.0.0.1"}
        assert self.aios("connect", "crm").returncode == 0
        for number, (given, family, mail, phone, street) in enumerate(PEOPLE):
            data = {
                "name": {"given": given, "family": family},
                "email": {"work": mail},
                "phone": {"mobile": phone},
                "address": {"street": street, "country": "US"},
                "lifecycle": "customer",
                "company": "c-1",
                "tags": [f"friend of {given}"],
                "notes": f"<p>{given} {family} at {mail}</p>",
            }
            bucket.request("PUT", f"collections/people/records/p{number}", data)
        bucket.request("PUT", "collections/people/records/gone", {"name": {"given": "Wolkenstein"}})
        bucket.request("DELETE", "collections/people/records/gone")

    def aios(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aios_connect", *words]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )


def opened(player: Player) -> Connection:
    """A connection to what is on a cassette."""
    way: dict[str, Any] = {**player.cassette.settings, "password": "anything"}
    return connect("kinto", transport=player, **way)


def test_a_live_account_is_recorded_without_its_people_and_read_again(tmp_path: Path, server: KintoServer) -> None:
    desk = Desk(tmp_path, server.fresh())
    words = (
        "record",
        "crm",
        "people",
        "companies",
        "--into",
        "people.yaml",
        "--origin",
        f"live Kinto {server.version}, made-up data",
    )
    asked = desk.aios(*words)
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True), "nobody is here to confirm"
    assert not (tmp_path / "people.yaml").exists()
    ran = desk.aios(*words, "--yes")
    assert ran.returncode == 0, ran.stderr
    text = (tmp_path / "people.yaml").read_text(encoding="utf-8")
    for shown in (text, ran.stdout, ran.stderr, asked.stderr):
        assert [word for word in (*PLANTED, desk.bucket.password, "127.0.0.1") if word in shown.lower()] == []
    assert f"origin: live Kinto {server.version}, made-up data" in text
    assert '      string: |-\n        {\n         "data": [\n' in text, "JSON stands in lines"

    with Player(tmp_path / "people.yaml") as player, opened(player) as crm:
        told = tell(crm.connector, player.cassette.steps)
    pages = told.pages["people"]
    assert [page.complete for page in pages] == [False, True]
    assert [len(page.tombstones) for page in pages] == [0, 1]
    people = [raw for page in pages for raw in page.records]
    first, second, third = people
    assert first["name"]["family"] == third["name"]["family"]
    assert first["email"]["work"].partition("@")[2] == second["email"]["work"].partition("@")[2]
    assert first["name"]["given"] in third["phone"]["mobile"]
    assert first["email"]["work"] in first["notes"]
    assert {raw["lifecycle"] for raw in people} == {"customer"}
    assert {raw["address"]["country"] for raw in people} == {"US"}

    again = desk.aios(*words, "--yes")
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    assert (tmp_path / "people.yaml").read_text(encoding="utf-8") == text


def test_the_recorded_people_go_through_the_mapping(tmp_path: Path, server: KintoServer) -> None:
    desk = Desk(tmp_path, server.fresh())
    assert desk.aios("record", "crm", "people", "--into", "p.yaml", "--origin", "live Kinto", "--yes").returncode == 0
    with Player(tmp_path / "p.yaml") as player, opened(player) as crm:
        tell(crm.connector, ["check", "describe people"])
        people = crm.read("person")
        named = [(person.names.given, person.names.family, str(person.emails.work)) for person in people]
        assert people.problems == []
    assert len(named) == 3
    assert all(mail.endswith(".example") for _, _, mail in named)
