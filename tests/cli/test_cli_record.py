"""A live account is recorded without anybody's name in it, and what was recorded is read again as it was."""

from __future__ import annotations

import base64
import importlib
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import vcr  # type: ignore[import-untyped]

from aios_connect import connect
from aios_connect.cassettes import Player, Told, load, tell
from aios_connect.connectors import Connector, registry
from aios_connect.sandbox import load_playground, serve

from .conftest import Aios

SECRET = "k-9f8e7d6c5b4a3210"
PLANTED = (
    "Zephyrine", "Halloran", "Quistgaard", "Wolkenstein", "Ägidius", "harborlane", "quayside", "Kestrel Yard", "5035550142", "555-0177",
    "20 7946 0958", "97205", "Gracewater", "sid-cookie-value", SECRET,
)  # fmt: skip
"""Names, addresses and secrets, each in places of its own."""

CONNECTOR = '''
"""A connector that follows links, reads what it is told to, and knows what kind of thing a record is."""

from aios_connect.connectors import (
    Auth, Connector, ConnectorSpec, FieldInfo, Identity, ObjectSpec, Page, Schema, Setting, Tombstone, TruncatedError
)


class Rolodex(Connector):
    spec = ConnectorSpec(
        provider="rolodex",
        title="Rolodex",
        docs="https://rolodex.example/api",
        auth=(Auth("key", help="Settings > API."),),
        settings=(Setting("url", "Address.", required=True), Setting("book", "Which book.", default="main")),
        objects={"people": ObjectSpec("People", frozenset({"read"}), version="rev", references={"boss": "people"})},
        proof="a fake",
    )

    def check(self):
        me = self.context.http.request("GET", "me").json()
        return Identity(me["account"], me["user"])

    def describe(self, object):
        told = self.context.http.request("GET", "fields", params={"book": self.context.settings["book"]}).json()
        return Schema(object, {
            one["name"]: FieldInfo(one["name"], one["type"], one["label"], choices=tuple(map(tuple, one.get("choices", ()))))
            for one in told
        })

    def read(self, object, since=None):
        url = "people"
        while url:
            answer = self.context.http.request("GET", url, params=None if url != "people" else {"book": self.context.settings["book"]})
            body = answer.json()
            if "Gracewater" in body:
                raise TruncatedError("never")
            url = body["next"]
            people = [item for item in body["items"] if item["kind"] == "person"]
            for item in body["items"]:
                if item["kind"] == "pointer":
                    people.append(self.context.http.request("GET", item["at"]).json())
            yield Page(people, {"after": url or ""}, complete=not url)

    def lookup(self, object, ids):
        return []
'''

MAPPING = """\
connector: rolodex
object: people
kind: person
fields:
  names.family: last
  emails.work: {from: mail, as: email}
  custom.currency: currency
"""

FIELDS = [
    {"name": "first", "type": "text", "label": "First name"},
    {"name": "last", "type": "text", "label": "Last name"},
    *({"name": name, "type": "object", "label": name} for name in ("born", "paid", "notes", "home", "by_person", "signature")),
    {"name": "stage", "type": "choice", "label": "Stage", "choices": [["lead", "Lead of Gracewater"], ["won", "Won"]]},
]


def people(url: str) -> list[dict[str, Any]]:
    """The first is met again in the second, by id, by name and by address."""
    return [
        {
            "kind": "person",
            "id": "7001",
            "rev": "12345678",
            "first": "Zephyrine",
            "last": "O'Halloran",
            "stage": "lead",
            "mail": "zephyrine.ohalloran@harborlane.com",
            "phone": "(503) 555-0177",
            "mobile": 15035550142,
            "zip": 97205,
            "born": "1980-02-03",
            "paid": 1250.50,
            "currency": "EUR",
            "home": {"street": "12 Kestrel Yard", "self": f"{url}/people/7001?name=Wolkenstein"},
        },
        {
            "kind": "person",
            "id": "7002",
            "rev": "12345679",
            "first": "Ägidius",
            "last": "Gracewater",
            "stage": "won",
            "mail": "a@quayside.harborlane.com",
            "boss": "7001",
            "signature": "Gracewater of Quayside",
            "notes": ["reports to Zephyrine O'Halloran", "call +44 20 7946 0958, ask for Gracewater", "<b>Wolkenstein</b>"],
            "by_person": {"Mr Quistgaard": 3, "zephyrine.ohalloran@harborlane.com": 1},
        },
    ]


class Book(BaseHTTPRequestHandler):
    """Plants names wherever a server can: in values, keys, links, tokens, headers and texts that nobody asked for."""

    def do_GET(self) -> None:
        url = f"http://{self.headers['Host']}"
        address = urlsplit(self.path)
        asked = parse_qs(address.query)
        token = base64.urlsafe_b64encode(json.dumps({"after": "Quistgaard", "of": "harborlane"}).encode()).decode()
        if address.path == "/me":
            self.say({"account": "Wolkenstein & Sons", "user": "grace@harborlane.com", "token": SECRET})
        elif address.path == "/fields":
            self.say(FIELDS)
        elif address.path == "/people/pointed/Quistgaard":
            self.say({"kind": "person", "id": "7003", "rev": "1", "first": "Bo", "last": "Quistgaard"})
        elif "token" in asked:
            assert asked["token"] == [token]
            pointer = {"kind": "pointer", "at": "/people/pointed/Quistgaard"}
            self.say({"items": [people(url)[1], pointer], "next": None})
        else:
            assert asked["book"] == ["Wolkenstein"]
            self.say({"items": people(url)[:1], "next": f"{url}/people?token={token}&sort=name"})

    def say(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Set-Cookie", "sid=sid-cookie-value")
        self.send_header("X-Served-By", "Quistgaard")
        self.send_header("X-Request-Id", "for-Halloran")
        self.send_header("Link", f"<http://{self.headers['Host']}/people?name=Quistgaard>; rel=next")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *values: Any) -> None:
        """Say nothing."""


@pytest.fixture
def rolodex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A project on a running address book; called, it takes another connector or another server."""
    servers: list[ThreadingHTTPServer] = []
    load_other = registry.load
    monkeypatch.setenv("AIOS_BOOK_KEY", SECRET)
    monkeypatch.syspath_prepend(str(tmp_path))

    def lay(source: str = CONNECTOR, handler: type[BaseHTTPRequestHandler] = Book) -> None:
        (tmp_path / "aios_connect_rolodex.py").write_text(source, encoding="utf-8")
        sys.modules.pop("aios_connect_rolodex", None)
        importlib.invalidate_caches()
        made: type[Connector] = importlib.import_module("aios_connect_rolodex").Rolodex
        monkeypatch.setattr(registry, "load", lambda provider: made if provider == "rolodex" else load_other(provider))
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}).start()
        url = f"http://127.0.0.1:{servers[-1].server_port}"
        settings = f'[connections.book]\nprovider = "rolodex"\nurl = "{url}"\nbook = "Wolkenstein"\n'
        (tmp_path / "aios-connect.toml").write_text(settings, encoding="utf-8")

    (tmp_path / "mappings" / "rolodex").mkdir(parents=True)
    (tmp_path / "mappings" / "rolodex" / "people.yaml").write_text(MAPPING)
    lay()
    yield lay
    for server in servers:
        server.shutdown()
        server.server_close()
    sys.modules.pop("aios_connect_rolodex", None)


RECORD = ("record", "book", "people", "--into", "tape/people.yaml", "--origin", "an address book made up for this test")


def replayed(path: Path, provider: str, **secrets: str) -> Told:
    """What a connector reads from a cassette, played to its end."""
    with Player(path) as player:
        way: dict[str, Any] = {**player.cassette.settings, **secrets}
        with connect(provider, transport=player, **way) as connection:
            return tell(connection.connector, player.cassette.steps)


def records(told: Told, object: str = "people") -> list[Any]:
    return [raw for page in told.pages[object] for raw in page.records]


def test_nobody_is_named_in_a_cassette_nor_on_the_screen(aios: Aios, rolodex: Callable[..., None], tmp_path: Path) -> None:
    ran = aios(*RECORD, "--yes")
    assert (ran.code, ran.out) == (0, "recorded tape/people.yaml: 5 exchanges, people 3\n"), ran.err
    for text in ((tmp_path / "tape" / "people.yaml").read_text(encoding="utf-8"), ran.out, ran.err):
        assert [word for word in PLANTED if word.lower() in text.lower()] == []
        assert base64.urlsafe_b64encode(b'{"after": "Quistgaard').decode()[:20] not in text
        assert "127.0.0.1" not in text


def test_what_stays_is_shown_before_it_is_written(aios: Aios, rolodex: Callable[..., None]) -> None:
    ran = aios(*RECORD, "--yes")
    assert "These got stand-ins" in ran.err
    assert "items[].last  2 texts" in ran.err
    stays = " ".join(ran.err.split()).partition("No name may be among them:")[2]
    assert "lead" in stays
    assert "person" in stays
    document = aios(*RECORD, "--yes", "--again", "--json").json
    assert (document["exchanges"], document["records"]) == (5, {"people": 3})
    stages = [texts for place, texts in document["kept"].items() if place.endswith("stage")]
    assert sorted(text for texts in stages for text in texts) == ["lead", "won"]


def test_the_same_people_are_read_again_under_other_names(aios: Aios, rolodex: Callable[..., None], tmp_path: Path) -> None:
    assert aios(*RECORD, "--yes").code == 0
    path = tmp_path / "tape" / "people.yaml"
    told = replayed(path, "rolodex", key="anything")
    first, second, third = records(told)
    assert (first["id"], second["id"], second["boss"], third["id"]) == ("7001", "7002", "7001", "7003")
    assert (first["stage"], first["born"], str(first["paid"]), first["currency"]) == ("lead", "1980-02-03", "1250.5", "EUR")
    assert second["notes"][0].endswith(f"{first['first']} {first['last']}"), "the same word, the same stand-in"
    assert first["mail"] in second["by_person"], "as a key too"
    assert first["mail"].endswith(".example")
    assert second["mail"].endswith(first["mail"].rpartition("@")[2]), "a part of a domain too"
    assert first["last"][1] == "'"
    assert second["signature"] == "[secret]", "so is every field that is called like a secret"
    assert not second["first"].isascii()
    assert [value for value in first["home"].values() if value.startswith("https://rolodex.example/people/7001?")]
    assert [page.complete for page in told.pages["people"]] == [False, True]
    assert told.schemas["people"].fields["stage"].choices[0][0] == "lead"
    cassette = load(path)
    assert cassette.origin == "an address book made up for this test"
    assert cassette.settings["url"] == "https://rolodex.example"
    with vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri"]) as tape:
        assert len(tape) == 5


def test_two_recordings_have_different_stand_ins(aios: Aios, rolodex: Callable[..., None], tmp_path: Path) -> None:
    names = set()
    for more in ((), ("--again",)):
        assert aios(*RECORD, "--yes", *more).code == 0
        names.add(records(replayed(tmp_path / "tape" / "people.yaml", "rolodex", key="anything"))[0]["last"])
    assert len(names) == 2, "nobody can find out a name by trying names"


def test_a_cassette_that_is_there_is_not_written_over(aios: Aios, rolodex: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "tape").mkdir()
    (tmp_path / "tape" / "people.yaml").write_text("mine")
    ran = aios(*RECORD, "--yes")
    assert (ran.code, "tape/people.yaml is there already" in ran.err, "--again" in ran.err) == (2, True, True)
    assert (tmp_path / "tape" / "people.yaml").read_text() == "mine"
    assert aios(*RECORD, "--yes", "--again").code == 0
    assert load(tmp_path / "tape" / "people.yaml").steps == ("check", "describe people", "read people 2")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_nothing_is_written_before_somebody_agreed(
    aios: Aios, rolodex: Callable[..., None], tmp_path: Path, more: tuple[str, ...]
) -> None:
    ran = aios(*RECORD, *more)
    assert (ran.code, "--yes" in ran.err) == (2, True)
    assert not (tmp_path / "tape").exists()


def test_what_cannot_be_recorded_is_said(aios: Aios, rolodex: Callable[..., None], tmp_path: Path) -> None:
    rest = ("--into", "x.yaml", "--origin", "x")
    assert "Rolodex has no object 'deals'" in aios("record", "book", "deals", *rest).err
    assert "which objects?" in aios("record", "book", *rest).err
    assert "--pages 0 is nothing to read" in aios("record", "book", "people", "--pages", "0", *rest).err
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "people.csv").write_text("Ref,Name\n1,Zephyrine\n")
    (tmp_path / "aios-connect.toml").write_text('[connections.sheet]\nprovider = "csv"\nfolder = "sheets"\nkey = "Ref"\n')
    assert "is not spoken to over HTTP" in aios("record", "sheet", "people", *rest).err


class Pages(Book):
    """Answers with a page instead of JSON."""

    def say(self, body: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/vcard")
        self.end_headers()
        self.wfile.write(b"BEGIN:VCARD\nFN:Zephyrine")


def test_only_json_is_recorded(aios: Aios, rolodex: Callable[..., None], tmp_path: Path) -> None:
    lenient = CONNECTOR.replace(
        'me = self.context.http.request("GET", "me").json()', 'self.context.http.request("GET", "me")'
    ).replace('Identity(me["account"], me["user"])', 'Identity("a", "b")')
    silent = lenient.replace('url = "people"', "return")
    rolodex(silent.replace("told = self", "return Schema(object, {})\n        told = self"), Pages)
    ran = aios(*RECORD, "--yes")
    assert (ran.code, "was answered with text/vcard; only JSON can be cleaned" in ran.err) == (2, True), ran.err
    assert "Zephyrine" not in ran.err
    assert not (tmp_path / "tape").exists()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ('item["first"] == "".join(("Zephy", "rine"))', "the connector asks for something else: GET"),
        ('item["first"] in ("".join(("Bo",)), "".join(("Ägi", "dius")))', "asks for something else: GET"),
        ('item.setdefault("long", len(item["last"]) + sum(map(ord, item["last"]))) < 0', "reads other people than it did"),
    ],
)
def test_a_connector_that_looks_into_names_is_not_recorded(
    aios: Aios, rolodex: Callable[..., None], tmp_path: Path, told: str, message: str
) -> None:
    """Its conversation with stand-ins is another one."""
    looks = f'people = [item for item in body["items"] if item["kind"] == "person"]\n            for item in people:\n                if {told}:\n'
    asks = "                    self.context.http.request('GET', 'me')\n"
    rolodex(CONNECTOR.replace('people = [item for item in body["items"] if item["kind"] == "person"]\n', looks + asks))
    ran = aios(*RECORD, "--yes")
    assert ran.code != 0
    assert message in ran.err
    assert "aios_connect.cassettes.Recorder" in ran.err
    assert not (tmp_path / "tape").exists()


def test_a_sandbox_is_recorded_as_any_other_account(aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = load_playground("hubspot", seed=3)
    monkeypatch.setenv("AIOS_CRM_KEY", ground.secret)
    with serve(ground.vendor) as server:
        (tmp_path / "aios-connect.toml").write_text(f'[connections.crm]\nprovider = "hubspot"\nurl = "{server.url}"\n')
        words = ("record", "crm", "contacts", "--into", "contacts.yaml", "--origin", "sandbox hubspot", "--yes")
        ran = aios(*words)
        assert ran.code == 0, ran.err
    told = records(replayed(tmp_path / "contacts.yaml", "hubspot", key="anything"), "contacts")
    assert len(told) == ground.contents["contacts"]
    assert all(raw["properties"]["email"].endswith(".example") for raw in told if raw["properties"]["email"])


GOOGLE, SALESFORCE = ("calendars", "contacts", "events"), ("Account", "Contact", "Lead", "Opportunity", "Task", "User")


@pytest.mark.parametrize(("provider", "objects"), [("google", GOOGLE), ("salesforce", SALESFORCE)])
def test_what_a_vendor_says_in_its_own_shape_of_ids_numbers_and_words_is_recorded_and_read_again(
    aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, objects: tuple[str, ...]
) -> None:
    ground = load_playground(provider, hazards=False)
    secret, refresh = ground.secret.splitlines()
    monkeypatch.setenv("AIOS_CRM_CLIENT_SECRET", secret)
    monkeypatch.setenv("AIOS_CRM_REFRESH_TOKEN", refresh)
    with serve(ground.vendor) as server:
        settings = {name: value.format(url=server.url) for name, value in ground.settings.items()} | {"url": server.url}
        lines = [f'{name} = "{value}"' for name, value in settings.items()]
        (tmp_path / "aios-connect.toml").write_text("\n".join(["[connections.crm]", f'provider = "{provider}"', *lines]))
        ran = aios("record", "crm", *objects, "--into", "crm.yaml", "--origin", f"sandbox {provider}", "--yes")
        assert ran.code == 0, ran.err
    told = replayed(tmp_path / "crm.yaml", provider, access_token="anything")
    counts = {object: len(records(told, object)) for object in objects}
    assert all(counts.values()), counts
    text = (tmp_path / "crm.yaml").read_text(encoding="utf-8")
    addresses = set(re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]+", text))
    assert addresses
    assert all(address.endswith(".example") for address in addresses)
    named = ("northgate", "bluebird", "montessori", "adeyemi", "bryggen", "ulrikencoffee", "robotics", secret, refresh)
    assert not any(word in text.lower() for word in named)


def test_the_kinto_that_was_recorded_is_read_again() -> None:
    path = Path(__file__).parents[2] / "cassettes" / "kinto" / "read-people.yaml"
    assert load(path).origin.startswith("live Kinto 26.5.0")
    told = replayed(path, "kinto", password="anything")
    assert [len(page.tombstones) for page in told.pages["people"]] == [0, 1]
    first, second, third = records(told)
    assert first["name"]["family"] == third["name"]["family"]
    assert first["email"]["work"].partition("@")[2] == second["email"]["work"].partition("@")[2]
    assert first["email"]["work"] in first["notes"]
