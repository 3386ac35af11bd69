"""Conversations are recorded without a secret, laid out for people, and replayed strictly; vcrpy can load them too."""

from __future__ import annotations

import gzip
import threading
import urllib.request
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
import vcr  # type: ignore[import-untyped]
import yaml

from aios_connect.cassettes import CassetteError, Player, Recorder, load, tell
from aios_connect.cassettes.pseudonyms import Known, Pseudonyms
from aios_connect.connectors.http import Http
from aios_connect.connectors.redaction import remember
from aios_connect.errors import ConfigError

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TOKEN = "pl4nted-token-value"
remember(TOKEN)


def vendor(request: httpx2.Request) -> httpx2.Response:
    """Echoes whatever it is sent, secrets too."""
    if request.url.path == "/page":
        return httpx2.Response(
            200, content=b"<html>\xc3\xa9 " + TOKEN.encode() + b"</html>", headers={"content-type": "text/html"}
        )
    if request.url.path == "/photo":
        return httpx2.Response(200, content=b"\x89PNG\xff\x00\n" + TOKEN.encode())
    if request.url.path == "/busy":
        return httpx2.Response(418, json={"message": "no", "token": TOKEN}, headers={"Retry-After": "7", "Set-Cookie": TOKEN})
    body = b'{"id": 1, "amount": 1.10, "large": 123456789012345678901234567890, "note": "two\\nlines \xe2\x82\xac", '
    body += b'"echo": "' + TOKEN.encode() + b'", "self": "http://127.0.0.1:9/deals/1", "refresh_token": "anything"}'
    headers = {
        "content-encoding": "gzip",
        "content-type": "application/json",
        "x-request-id": "r-1",
        "set-cookie": f"sid={TOKEN}",
    }
    return httpx2.Response(200, content=gzip.compress(body), headers=headers)


def ask(transport: httpx2.BaseTransport, address: str) -> list[Any]:
    seam = Http(provider="acme", base_url=address, transport=transport, attempts=1, sleep=lambda _: None)
    got: list[Any] = [
        seam.request(
            "GET", "/deals", params={"limit": 1, "access_token": TOKEN}, headers={"Authorization": f"Bearer {TOKEN}"}
        ).json(),
        seam.request("POST", "/deals", json={"name": "A", "amount": Decimal("2.50")}, lines=["l1"]).json(),
        seam.request("POST", "/token", form={"client_secret": TOKEN, "grant_type": "x", "code": "c0de"}).json(),
        seam.request("GET", "/page", headers={"Accept": "text/html"}).text,
        seam.request("GET", "/photo").content,
    ]
    with pytest.raises(Exception, match="no") as caught:
        seam.request("GET", "/busy")
    got.append(str(caught.value))
    return got


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette of a conversation with the vendor above."""
    path = tmp_path / "acme" / "deals.yaml"
    recorder = Recorder(
        path,
        origin="a vendor made up for this test",
        inner=httpx2.MockTransport(vendor),
        address="https://acme.example",
        now=lambda: NOON,
    )
    with recorder:
        ask(recorder, "http://127.0.0.1:9")
    return path


def test_a_conversation_is_replayed_as_it_was(path: Path) -> None:
    with Player(path) as player:
        deal, made, token, page, photo, refusal = ask(player, "https://acme.example")
    assert deal["amount"] == Decimal("1.10")
    assert str(made["amount"]) == "1.10"
    assert deal["large"] == 123456789012345678901234567890
    assert deal["note"] == "two\nlines €"
    assert deal["self"] == "https://acme.example/deals/1"
    assert token["refresh_token"] == "[secret]"
    assert page == "<html>é [secret]</html>"
    assert photo == b"\x89PNG\xff\x00\n[secret]"
    assert "(418): no" in refusal


def test_no_secret_and_no_private_address_is_in_the_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for secret in ("pl4nted", "c0de", "anything", "127.0.0.1", "cookie", "authorization"):
        assert secret not in text.lower()


def test_a_person_can_read_the_file_and_sees_where_it_comes_from(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("version: 1\nmetadata:\n  origin: a vendor made up for this test\n  recorded: '2026-11-21'\n")
    assert '      string: |-\n        {\n         "id": 1,\n         "amount": 1.10,\n' in text
    assert "two\\nlines €" in text
    told = yaml.safe_load(text)
    assert told["interactions"][1]["request"]["headers"]["aios-plan-line"] == ["l1"]
    assert told["interactions"][5]["response"]["headers"]["retry-after"] == ["7"]
    assert load(path).origin == "a vendor made up for this test"


def test_vcrpy_loads_it(path: Path) -> None:
    with vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri"]) as tape, httpx2.Client() as client:
        answer = client.get("https://acme.example/deals", params={"limit": "1", "access_token": "[secret]"})
        assert answer.json()["note"] == "two\nlines €"
        assert client.get("https://acme.example/photo").content == b"\x89PNG\xff\x00\n[secret]"
        assert tape.play_count == 2


SHIPPED = sorted((Path(__file__).parents[2] / "cassettes").glob("*/*.yaml"))


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_vcrpy_loads_every_cassette_that_is_shipped(shipped: Path) -> None:
    with vcr.use_cassette(str(shipped), record_mode="none") as tape:
        assert len(tape) == len(load(shipped).exchanges) > 0
        asked = [(one.method, one.uri) for one in tape.requests]
    assert asked == [(one.method, one.uri) for one in load(shipped).exchanges]


PACKED = {
    "/gzip": ("gzip", gzip.compress(b'{"name": "Zo\xc3\xab"}')),
    "/deflate": ("deflate", zlib.compress(b'{"name": "Zo\xc3\xab"}')),
    "/raw-deflate": ("deflate", zlib.compress(b'{"name": "Zo\xc3\xab"}', wbits=-15)),
    "/brotli": ("br", b"\x0b\x02\x80{}\x03"),
    "/broken": ("gzip", b"\x1f\x8b\x08junk"),
    "/unpacked": ("gzip", b'{"name": "Zo\xc3\xab"}'),
    "/plain": ("identity", b'{"name": "Zo\xc3\xab"}'),
}


class Packing(BaseHTTPRequestHandler):
    """Answers packed, as its address says."""

    def do_GET(self) -> None:
        encoding, body = PACKED[self.path]
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), ("Content-Encoding", encoding)):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def packing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Packing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def by_vcrpy(path: Path, *addresses: str, client: str = "urllib") -> None:
    """A cassette that vcrpy records, of programs that know nothing of ours."""
    with vcr.use_cassette(str(path)):
        for address in addresses:
            if client == "urllib":
                urllib.request.urlopen(urllib.request.Request(address, headers={"Accept-Encoding": "gzip, deflate"})).close()
            else:
                httpx2.get(address)


@pytest.mark.parametrize("client", ["urllib", "httpx2"])
def test_what_vcrpy_recorded_is_played_once_it_says_where_that_was(tmp_path: Path, packing: str, client: str) -> None:
    path, paths = tmp_path / "theirs.yaml", ["/gzip", "/deflate", "/raw-deflate", "/plain"]
    by_vcrpy(path, *(f"{packing}{one}" for one in paths), client=client)
    with pytest.raises(ConfigError, match="does not say where") as caught:
        Player(path)
    line = caught.value.hint.partition("at its top: ")[2]
    path.write_text(f"{line}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert load(path).origin == "live Acme 4.2, made-up data"
    with Player(path) as player:
        seam = Http(provider="acme", base_url=packing, transport=player, attempts=1, sleep=lambda _: None)
        assert [seam.request("GET", one).json() for one in paths] == [{"name": "Zoë"}] * 4
        with pytest.raises(CassetteError, match="played as often as it was recorded"):
            seam.request("GET", "/gzip")


@pytest.mark.parametrize(
    ("asked", "message"), [("/brotli", "packed with 'br', and only gzip and deflate"), ("/broken", "cannot be unpacked")]
)
def test_what_cannot_be_unpacked_is_no_answer(tmp_path: Path, packing: str, asked: str, message: str) -> None:
    by_vcrpy(tmp_path / "theirs.yaml", f"{packing}{asked}")
    with pytest.raises(ConfigError, match=message):
        Player(tmp_path / "theirs.yaml")


def test_an_answer_that_was_kept_unpacked_is_played_as_it_is(tmp_path: Path, packing: str) -> None:
    by_vcrpy(tmp_path / "theirs.yaml", f"{packing}/unpacked")
    text = (tmp_path / "theirs.yaml").read_text(encoding="utf-8")
    (tmp_path / "theirs.yaml").write_text(f"metadata: {{origin: live Acme 4.2}}\n{text}", encoding="utf-8")
    (exchange,) = load(tmp_path / "theirs.yaml").exchanges
    assert exchange.answer == '{"name": "Zoë"}'.encode()


def test_what_was_not_recorded_is_not_answered(path: Path) -> None:
    player = Player(path)
    seam = Http(provider="acme", base_url="https://acme.example", transport=player, sleep=lambda _: None)
    with pytest.raises(CassetteError, match=r"has no GET https://acme\.example/deal") as caught:
        seam.request("GET", "/deal")
    assert "nearest: POST https://acme.example/deals" in caught.value.hint
    with pytest.raises(CassetteError, match=r'has no POST .* with \{\n "name": "B"') as caught:
        seam.request("POST", "/deals", json={"name": "B", "amount": 1})
    assert "another body" in caught.value.hint


def test_json_is_compared_as_a_value_and_not_as_text(path: Path) -> None:
    seam = Http(provider="acme", base_url="https://acme.example", transport=Player(path), sleep=lambda _: None)
    spaced = b'{"name":   "A",\n"amount": 2.50}'
    assert seam.request("POST", "/deals", content=spaced, headers={"Content-Type": "application/json"}).json()["id"] == 1


def test_each_exchange_is_played_once_and_all_of_them(path: Path) -> None:
    seam = Http(provider="acme", base_url="https://acme.example", transport=Player(path), sleep=lambda _: None)
    seam.request("GET", "/photo")
    with pytest.raises(CassetteError, match="was played as often"):
        seam.request("GET", "/photo")
    with pytest.raises(CassetteError, match=r"6 exchanges of deals\.yaml were not played, such as GET"), Player(path):
        pass


def test_threads_get_each_their_own_answer(tmp_path: Path) -> None:
    path = tmp_path / "threads.yaml"

    def counts(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"path": request.url.path})

    def together(transport: httpx2.BaseTransport) -> list[str]:
        seam = Http(provider="acme", base_url="https://acme.example", transport=transport, sleep=lambda _: None)
        wrong: list[str] = []

        def use(who: int) -> None:
            for number in range(20):
                if seam.request("GET", f"/{who}/{number % 3}").json() != {"path": f"/{who}/{number % 3}"}:
                    wrong.append(f"/{who}/{number}")

        threads = [threading.Thread(target=use, args=(who,)) for who in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong

    with Recorder(path, origin="made up", inner=httpx2.MockTransport(counts)) as recorder:
        assert together(recorder) == []
    with Player(path) as player:
        assert together(player) == []
    assert len(load(path).exchanges) == 160


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\ninteractions: []\n", "does not say where"),
        ("version: 2\nmetadata: {origin: x}\ninteractions: []\n", "no cassette of version 1"),
        ("hello", "no cassette"),
        ("- a\n", "no cassette"),
        ("!!python/object/apply:os.getcwd []", "no cassette"),
        ("interactions: [{request: 1}]", "no cassette"),
    ],
)
def test_what_is_no_cassette_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Player(tmp_path / "x.yaml")


def test_a_cassette_that_is_missing_or_without_origin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no cassette"):
        load(tmp_path / "x.yaml")
    with pytest.raises(ValueError, match="where it was recorded"):
        Recorder(tmp_path / "x.yaml", origin="", inner=httpx2.MockTransport(vendor))


# Stand-ins

OWN = ("https://crm.harborlane.com:8443", "https://acme.example")


def stand_ins(*, schema: tuple[str, ...] = (), source: tuple[str, ...] = (), free: tuple[str, ...] = ()) -> Pseudonyms:
    return Pseudonyms(Known(frozenset(schema), frozenset(source), frozenset(free)), ["70010001"], OWN)


def test_a_word_has_one_stand_in_wherever_it_comes() -> None:
    names = stand_ins()
    whole = names.text("Zephyrine O'Halloran, ZEPHYRINE (zephyrine)")
    first, last = whole.partition(",")[0].split(" ")
    assert whole == f"{first} {last}, {first.upper()} ({first.lower()})"
    assert names.text("zephyrine.o@harborlane.com").partition(".")[0] == first.lower()
    assert len(first) == len("Zephyrine")
    assert first != "Zephyrine"
    assert len(names.clean({"mcDonald": 1, "McDonald": 2, "mcdonald": 3})) == 3


def test_different_words_have_different_stand_ins() -> None:
    names = stand_ins()
    words = [f"{a}{b}" for a in "bcdfgh" for b in "aeiou"] + list("bcd") + [str(number) for number in range(100, 400)]
    assert len({names.text(word) for word in words}) == len(words)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21", "2026-11-21T07:50:35Z", "2026-11-21 07:50:35.123456+01:00", "12500.50", "-3.0", "7", "true", "",
        "0b5ee2a4-93a1-4f4e-8f5c-0d4e4ad1a6b1", "70010001",
    ],
)  # fmt: skip
def test_what_names_nobody_stays(text: str) -> None:
    assert stand_ins().text(text) == text


@pytest.mark.parametrize("number", ["+15035550142", "(503) 555-0142", "+44 20 7946 0958", "503.555.0142", "5035550142"])
def test_a_phone_number_becomes_one_that_nobody_has(number: str) -> None:
    cleaned = stand_ins().text(number)
    digits = [sign for sign in cleaned if sign.isdigit()]
    assert "".join(digits).startswith("1555")
    assert [sign for sign in cleaned if not sign.isdigit()] == [sign for sign in number if not sign.isdigit()]
    assert len(cleaned) == len(number)


@pytest.mark.parametrize("address", ["z@harborlane.com", "Zoë <zoe.o'h+tag@mail.harborlane.co.uk>", "HTTPS://x@y.z"])
def test_a_mail_address_becomes_one_that_nobody_can_have(address: str) -> None:
    cleaned = stand_ins().text(address)
    assert cleaned.rstrip(">").endswith(".example")
    assert "harborlane" not in cleaned.lower()


def test_the_own_server_has_a_name_of_its_own_and_others_one_that_nobody_has() -> None:
    names = stand_ins(source=("people", "at"))
    assert names.text("https://crm.harborlane.com:8443/people/70010001?at=2026-11-21") == (
        "https://acme.example/people/70010001?at=2026-11-21"
    )
    other = names.text("https://zoe:secret@harborlane.com:8443/people/Halloran")
    assert other.startswith("https://")
    assert ".example/people/" in other
    assert not any(word in other for word in ("harborlane", "zoe", "secret", "Halloran"))


def test_the_words_of_a_connector_stay_but_where_people_write_what_they_like() -> None:
    names = stand_ins(schema=("kind", "lead"), source=("Mark", "person"), free=("person.first",))
    told = {"kind": "person", "stage": "lead", "person": {"first": "Mark", "title": "Mark"}, "note": "Mark, a person"}
    cleaned = names.clean(told)
    kind, stage, person, note = cleaned.values()
    assert (kind, stage) == ("person", "lead")
    assert list(person.values())[1] == "Mark"
    assert next(iter(person.values())) != "Mark"
    assert "Mark" not in note, "only whole texts stay"
    assert "stage" not in cleaned
    assert names.kept == {".kind": {"person"}, ".*": {"lead"}, ".person.*": {"Mark"}}


def test_numbers_that_are_a_phone_or_a_place_are_no_numbers() -> None:
    names = stand_ins()
    cleaned = list(names.clean({"mobile": 15035550142, "zip": Decimal(97205), "amount": 97205, "seen": True}).values())
    assert cleaned[0] != 15035550142
    assert isinstance(cleaned[0], int)
    assert isinstance(cleaned[1], Decimal)
    assert cleaned[1] != 97205
    assert cleaned[2:] == [97205, True]


@pytest.mark.parametrize(
    "value",
    ["http://[Zephyrine", "//Zephyrine", "https://", "/", "https://zephyrine:pw@[::1]:99999/x?=&a", "ﷺ ß ǅ İstanbul 田中"],
)
def test_odd_texts_are_cleaned_as_well(value: str) -> None:
    cleaned = stand_ins().clean({"phone": [value, Decimal("1.5035550142E+10"), Decimal("-3"), -15035550142]})
    assert "zephyrine" not in str(cleaned).lower()
    assert "5035550142" not in str(cleaned)


def test_what_is_hidden_does_not_stay_for_its_form() -> None:
    account = "0b5ee2a4-93a1-4f4e-8f5c-0d4e4ad1a6b1"
    names = Pseudonyms(Known(source=frozenset(["v3", "a"])), [], OWN, [account, "v3"])
    assert names.text(account) != account
    assert names.text(f"https://crm.harborlane.com:8443/a/{account}") == f"https://acme.example/a/{names.text(account)}"
    assert names.text("v3") == "v3", "the connector knows it"


def test_a_step_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="'write deals' is no step"):
        tell(None, ["write deals"])  # type: ignore[arg-type]


def test_a_word_of_the_schema_does_not_stay_where_people_write() -> None:
    """Somebody may be called like a field, or like a choice of one."""
    names = stand_ins(schema=("FirstName", "Guest", "fields", "name"), source=("records",), free=("FirstName",))
    told = names.clean({"records": [{"FirstName": "Guest"}], "fields": [{"name": "FirstName"}]})
    assert told["records"][0]["FirstName"] != "Guest"
    assert told["fields"] == [{"name": "FirstName"}]


def test_a_number_that_is_said_as_text_is_that_number_but_where_a_person_is_meant() -> None:
    names = stand_ins(schema=("amount", "phone", "note"), free=("note",))
    names.clean({"amount": 4915112345678})
    assert names.is_number_said("4915112345678", "amount")
    assert not names.is_number_said("4915112345679", "amount")
    assert not names.is_number_said("4915112345678", "phone")
    assert not names.is_number_said("4915112345678", "note")
