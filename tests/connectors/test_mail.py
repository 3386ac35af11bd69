"""What mail servers say, what letters become, and what happens when a server keeps to no rule."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aios_connect_mail import Mail
from aios_connect_mail.answers import Part, atoms, from_wire, to_wire
from aios_connect_mail.identity import by_header, by_message_id, message_id_in
from aios_connect_mail.imap import Opened
from aios_connect_mail.records import Copy
from aios_connect_mail.smtp import _stuffed, _xtext
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.connection.settings import way_of
from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    ConfigError,
    Context,
    Credentials,
    CursorGoneError,
    Http,
    TruncatedError,
    UnavailableError,
)
from aios_connect.connectors.composing import UnsendableError, compose, mailbox
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.sending import Letter, message_id

from .mail_script import HANG_UP, SILENCE, imap_server, line_server

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
Opening = Callable[..., Mail]
BY_TOKEN = {"sign_in": "oauth2", "token_url": "https://login.example.com/token"}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opening]:
    """Opens mailboxes on a port."""
    with ExitStack() as stack:

        def open(port: int = 1, secrets: dict[str, str] | None = None, **settings: str) -> Mail:
            told = {"host": "127.0.0.1", "port": str(port), "security": "none", "user": "nora@example.com", **settings}
            tokens = MemoryTokenStore(now=lambda: NOW)
            tokens.put("mail", {"password": "correct-horse"} if secrets is None else secrets)
            http = Http(provider="mail", now=lambda: NOW, sleep=time.sleep, trust_env=False)
            stack.callback(http.close)
            credentials = Credentials("mail", way_of(Mail.spec, told), tokens, settings=told, now=lambda: NOW, sleep=time.sleep)
            mail = Mail(Context("mail", told, credentials, http, lambda: NOW, time.sleep, tmp_path))
            stack.callback(mail.close)
            return mail

        yield open


# answers


def test_an_answer_is_taken_apart() -> None:
    pieces: list[Part] = [
        (b'1 (UID 7 FLAGS (\\Seen $A) X "a \\"b\\"" BODY[HEADER.FIELDS (DATE FROM)] {5}', b"(a) \n"),
        b' Y NIL Z ("" ()))',
    ]
    ((number, values),) = atoms(pieces)
    assert number == b"1"
    assert dict(zip(values[::2], values[1::2], strict=True)) == {
        b"UID": b"7",
        b"FLAGS": [b"\\Seen", b"$A"],
        b"X": b'a "b"',
        b"BODY[HEADER.FIELDS (DATE FROM)]": b"(a) \n",
        b"Y": None,
        b"Z": [b"", []],
    }


@pytest.mark.parametrize("piece", [b"1 (UID 7", b"1 UID 7)", b'1 (X "a', b"1 (UID 7))"])
def test_an_answer_that_is_none_is_refused(piece: bytes) -> None:
    with pytest.raises(ValueError, match=r"answer|parenthesis"):
        list(atoms([piece]))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_the_name_of_a_folder_comes_back_from_the_wire(name: str) -> None:
    wire = to_wire(name).encode("ascii")
    ((read,),) = atoms([wire])
    assert from_wire(read) == name


@pytest.mark.parametrize("name", [b"&AP", b"&!!-", b"\xff", b"&2D3-"])
def test_a_folder_whose_name_is_written_wrongly_has_one(name: bytes) -> None:
    assert from_wire(name)


# identity


def test_the_id_is_the_same_however_the_header_is_folded() -> None:
    short = b"Message-ID: <a@b.example>\r\nFrom: Ann Lee <ann@b.example>\r\nDate: Thu, 19 Nov 2026 09:30:00 +0100\r\n\r\n"
    whole = b"Received: x\nDATE: Thu, 19 Nov 2026\n 09:30:00 +0100\nfrom:  Ann Lee\n\t<ann@b.example>\nmessage-id:\n <a@b.example>\n\nText"
    assert by_message_id(short) == by_message_id(whole)
    assert message_id_in(str(by_message_id(short))) == "<a@b.example>"


def test_the_id_is_another_one_when_somebody_else_wrote_it() -> None:
    header = b"Message-ID: <a@b.example>\r\nFrom: %s\r\nDate: Thu, 19 Nov 2026 09:30:00 +0100\r\n"
    assert by_message_id(header % b"ann@b.example") != by_message_id(header % b"eve@b.example")


@pytest.mark.parametrize("id", [b"", b"a@b", b"<a b>", b'<a"b>', b"<a\\b>", b"<a><b>", b"<" + b"x" * 300 + b">", b"<\xe9>"])
def test_an_id_that_cannot_be_searched_for_is_not_used(id: bytes) -> None:
    assert by_message_id(b"Message-ID: " + id + b"\r\nFrom: a@b\r\n\r\n") is None


def test_without_an_id_the_header_is_it() -> None:
    assert by_header(b"From: a\r\nX: 1\r\n\r\n") == by_header(b"From: a\nX:\n 1\n")
    assert by_header(b"From: a\r\nX: 1\r\n") != by_header(b"From: a\r\nX: 2\r\n")
    assert message_id_in(by_header(b"From: a\r\n")) is None


# letters


def fields(content: bytes) -> list[str]:
    return [line.partition(b":")[0].decode().lower() for line in content.split(b"\r\n\r\n")[0].split(b"\r\n") if line[:1].strip()]


PLAIN = sorted(fields(compose(Letter(("a@b.example",), "x", "y"), "n@example.com", "<i@example.com>", NOW).content))


@given(st.text(), st.text(), st.text())
def test_nothing_a_letter_says_becomes_a_header_of_its_own(subject: str, text: str, name: str) -> None:
    try:
        made = compose(Letter((f"{name} <a@b.example>",), subject, text), "n@example.com", "<i@example.com>", NOW)
    except UnsendableError:
        return
    assert sorted(fields(made.content)) == PLAIN
    assert made.recipients == ("a@b.example",)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])))
def test_a_subject_arrives_letter_by_letter(subject: str) -> None:
    made = compose(Letter(("a@b.example",), subject, "y"), "n@example.com", "<i@example.com>", NOW)
    read = message_from_bytes(made.content, policy=policy.default)["Subject"]
    assert " ".join(str(read).split()) == " ".join(subject.split())


def test_a_long_id_stays_whole() -> None:
    id = f"<{'x' * 200}@example.com>"
    made = compose(Letter(("a@b.example",), "x", "y", in_reply_to=id), "n@example.com", "<i@example.com>", NOW)
    assert made.content.count(id.encode()) == 2


def test_a_domain_that_is_not_ascii_needs_no_extension_and_a_name_does() -> None:
    assert not compose(Letter(("ann@bücher.example",), "x", "y"), "n@example.com", "<i@example.com>", NOW).utf8
    assert mailbox("ann@bücher.example").addr_spec == "ann@xn--bcher-kva.example"
    made = compose(Letter(("josé@b.example",), "x", "y"), "n@example.com", "<i@example.com>", NOW)
    assert made.utf8
    assert "josé@b.example".encode() in made.content


@pytest.mark.parametrize(
    "told", ["a@exa mple.com", "a", "", "<>", "a@b, c@d", "a@b.example (x", "Ann <a@b.example> <c@d.example>"]
)
def test_what_is_no_address_is_refused(told: str) -> None:
    with pytest.raises(UnsendableError):
        mailbox(told)


def test_the_id_of_a_letter_comes_of_its_line_alone() -> None:
    assert message_id("plan.1", "mail", "n@example.com") == message_id("plan.1", "mail", "n@example.com")
    told = {message_id(line, name, "n@example.com") for line in ("plan.1", "plan.2") for name in ("mail", "other")}
    assert len(told) == 4
    assert all(by_message_id(f"Message-ID: {id}\r\n".encode()) for id in told)


def test_a_dot_at_the_beginning_of_a_line_ends_nothing() -> None:
    assert _stuffed(b".\r\n..a\nb") == b"..\r\n...a\r\nb\r\n"


def test_what_reports_name_is_written_as_they_want_it() -> None:
    assert _xtext("<a+b=c d@example.com>") == "<a+2Bb+3Dc+20d@example.com>"  # RFC 3461, 4


# settings


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"security": "ssl"}, "security"),
        ({"host": "imap.example.com", "security": "none"}, "without TLS"),
        ({"port": "imap"}, "no port"),
        ({"since": "last week"}, "no day"),
        ({"security": "tls", "authorities": "nowhere.pem"}, "nowhere.pem"),
    ],
)
def test_a_setting_that_is_wrong_is_said(opened: Opening, settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        opened(**settings)
    assert caught.value.hint


# folders and instants


def test_what_was_archived_in_gmail_is_read_and_views_are_not(opened: Opening) -> None:
    """Where all folders are labels, the folder of all mail holds what has none; elsewhere it is a view of the others."""
    marked = {
        "INBOX": "",
        "[Gmail]/All Mail": "\\All",
        "[Gmail]/Important": "\\Important",
        "[Gmail]/Sent Mail": "\\Sent",
        "Bin": "\\Trash",
    }
    listed = "".join(f'* LIST (\\HasNoChildren {mark}) "/" "{name}"\r\n' for name, mark in marked.items()).encode()
    gmail = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN X-GM-EXT-1\r\n"
    with imap_server({"LIST": listed, "CAPABILITY": gmail}) as port:
        assert opened(port).check().details["folders"] == "[Gmail]/All Mail, INBOX, [Gmail]/Sent Mail"
    with imap_server({"LIST": listed}) as port:
        assert opened(port).check().details["folders"] == "INBOX, [Gmail]/Sent Mail"


@pytest.mark.parametrize("zone", ["+0000", "-0000"])
def test_an_instant_is_the_same_on_every_machine(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        copy = Copy.of(Opened("INBOX", 1, 2, 0, 1), 1, {"INTERNALDATE": f"21-Nov-2026 16:57:35 {zone}".encode()})
    time.tzset()
    assert copy.received == "2026-11-21T16:57:35Z"


# servers that keep to no rule


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aios_connect_mail.imap.PATIENCE", 2.0)
    with imap_server({"UID SEARCH": SILENCE}) as port, pytest.raises(UnavailableError, match="did not answer"):
        list(opened(port).read("messages"))


def test_nobody_there_is_said(opened: Opening) -> None:
    with imap_server({}) as port:
        mail = opened(port)
    with pytest.raises(UnavailableError, match="cannot be reached") as caught:
        mail.check()
    assert "is it running" in caught.value.hint


@pytest.mark.parametrize(
    "script",
    [
        {"EXAMINE": b"* 3 EXISTS\r\n"},
        {"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n"},
        {"UID SEARCH": b"* SEARCH 1 two\r\n"},
        {"UID FETCH": b"* 1 FETCH (UID 1 FLAGS (\r\n"},
        {"UID FETCH": b"* 1 FETCH UID\r\n"},
    ],
)
def test_an_answer_that_cannot_be_understood_is_not_an_end(opened: Opening, script: dict[str, Any]) -> None:
    with imap_server(script) as port, pytest.raises((TruncatedError, ValueError)) as caught:
        list(opened(port).read("messages"))
    assert isinstance(caught.value, TruncatedError)


@pytest.mark.parametrize("command", ["CAPABILITY", "LIST", "EXAMINE", "UID SEARCH", "UID FETCH"])
def test_a_server_that_hangs_up_is_said_and_reading_goes_on_later(opened: Opening, command: str) -> None:
    script: dict[str, Any] = {command: HANG_UP, "UID SEARCH": b"* SEARCH\r\n"} if command != "UID SEARCH" else {command: HANG_UP}
    if command == "UID FETCH":
        script = {command: HANG_UP}
    with imap_server(script) as port:
        mail = opened(port)
        with pytest.raises(UnavailableError):
            list(mail.read("messages"))
        script.clear()
        script["UID SEARCH"] = b"* SEARCH\r\n"
        assert [page.complete for page in mail.read("messages")] == [True]


def test_a_message_that_the_server_cannot_give_is_set_aside_and_its_neighbours_are_read(opened: Opening) -> None:
    def fetched(uids: str) -> bytes:
        return b"".join(b"* %d FETCH (UID %d FLAGS () RFC822.SIZE 20)\r\n" % (int(uid), int(uid)) for uid in uids)

    body = b"Message-ID: <%d@b.example>\r\nSubject: n\r\n\r\n"
    script: dict[str, Any] = {
        "UID FETCH 1:3 (UID FLAGS INTERNALDATE RFC822.SIZE)": fetched("123"),
        "UID FETCH 1:3 (UID BODY.PEEK[])": b"NO [SERVERBUG] I cannot",
        "UID FETCH 2:3 (UID BODY.PEEK[])": b"NO [SERVERBUG] I cannot",
        "UID FETCH 2 (UID BODY.PEEK[])": b"NO [SERVERBUG] I cannot",
        "UID SEARCH UID 2": b"* SEARCH 2\r\n",
    }
    for uid in (1, 3):
        told = body % uid
        script[f"UID FETCH {uid} (UID BODY.PEEK[])"] = b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, uid, len(told), told)
    with imap_server(script) as port:
        pages = list(opened(port).read("messages"))
    assert [raw["message_id"] for page in pages for raw in page.records] == ["<1@b.example>", "<3@b.example>"]
    (aside,) = [bad for page in pages for bad in page.quarantined]
    assert aside.place == "INBOX, UID 2"
    assert pages[-1].complete


def test_a_message_that_went_while_it_was_read_is_nothing_to_set_aside(opened: Opening) -> None:
    script: dict[str, Any] = {"UID FETCH": b"", "UID SEARCH UID 1,2,3": b"* SEARCH\r\n"}
    with imap_server(script) as port:
        pages = list(opened(port).read("messages"))
    assert [(page.records, page.quarantined) for page in pages] == [([], []), ([], ())]


def test_a_huge_folder_is_searched_in_stretches(opened: Opening) -> None:
    heard: list[str] = []
    script: dict[str, Any] = {
        "EXAMINE": b"* 150000 EXISTS\r\n* OK [UIDVALIDITY 7] \r\n* OK [UIDNEXT 170001] \r\n",
        "UID SEARCH": b"* SEARCH\r\n",
    }
    with imap_server(script, heard) as port:
        list(opened(port).read("messages"))
    asked = [command for command in heard if command.startswith("UID SEARCH")]
    assert asked == [f"UID SEARCH UID {part} UNDRAFT" for part in ("1:60000", "60001:120000", "120001:170000")]


@pytest.mark.parametrize(
    "cursor", [{"uids": 7}, {"folders": 7}, {"folders": {}, "doing": "INBOX"}, {"folders": {}, "since": "2026-01-01"}]
)
def test_a_cursor_of_another_make_is_refused(opened: Opening, cursor: dict[str, Any]) -> None:
    with imap_server({}) as port, pytest.raises(CursorGoneError):
        list(opened(port).read("messages", cursor))


def test_a_server_that_was_set_back_is_read_again(opened: Opening) -> None:
    heard: list[str] = []
    with imap_server({"UID SEARCH": b"* SEARCH\r\n"}, heard) as port:
        (page,) = opened(port).read("messages", {"folders": {"INBOX": [7, 99, 0]}})
    assert "UID SEARCH UNDRAFT" in heard
    assert page.cursor == {"folders": {"INBOX": [7, 4, 0]}}


def test_an_access_token_is_shown_to_the_server_and_its_refusal_is_answered(opened: Opening) -> None:
    heard: list[str] = []
    refusal = base64.b64encode(b'{"status":"401"}')
    with imap_server({"PROOF": b"+ " + refusal + b"\r\n"}, heard) as port, pytest.raises(AuthError) as caught:
        opened(port, {"access_token": "ya29.secret-token"}, **BY_TOKEN).check()
    told = base64.b64decode(heard[heard.index("AUTHENTICATE XOAUTH2") + 1])
    assert (
        told == b"user=nora@example.com\1auth=Bearer ya29.secret-token\1\1"
    )  # https://developers.google.com/gmail/imap/xoauth2-protocol
    assert "secret-token" not in f"{caught.value}{caught.value.hint}"


def test_a_server_that_is_full_asks_for_no_other_password(opened: Opening) -> None:
    with imap_server({"PROOF": b"NO [LIMIT] too many connections"}) as port, pytest.raises(UnavailableError):
        opened(port).check()


def smtp_answers(**said: bytes) -> Callable[[str], bytes]:
    """The usual answers of an SMTP server, some of them others."""
    usual = {
        "EHLO": b"250-mail.example.com\r\n250-AUTH PLAIN XOAUTH2\r\n250 DSN\r\n",
        "AUTH": b"235 welcome\r\n",
        "DATA": b"354 go on\r\n",
        "QUIT": b"221 bye\r\n",
        ".": b"250 taken\r\n",
    } | said
    data: list[bool] = []

    def answer(line: str) -> bytes:
        if data and line != ".":
            return SILENCE
        data.clear()
        told = usual.get(line.split(" ")[0].upper(), b"250 OK\r\n")
        if told.startswith(b"354"):
            data.append(True)
        return told

    return answer


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({".": HANG_UP}, AmbiguousWriteError),
        ({".": SILENCE}, AmbiguousWriteError),
        ({".": b"299 what is that\r\n"}, AmbiguousWriteError),
        ({".": b"451 later\r\n"}, UnavailableError),
        ({"DATA": b"421 closing\r\n"}, UnavailableError),
        ({"DATA": HANG_UP}, UnavailableError),
        ({"MAIL": b"452 full\r\n"}, UnavailableError),
        ({"RCPT": HANG_UP}, UnavailableError),
    ],
)
def test_only_behind_the_last_dot_is_it_unknown_what_became_of_a_letter(
    opened: Opening, said: dict[str, bytes], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aios_connect_mail.smtp.PATIENCE", 2.0 if SILENCE in said.values() else 30.0)
    letter = compose(Letter(("a@b.example",), "x", "y"), "n@example.com", "<i@example.com>", NOW)
    with line_server(b"220 ready\r\n", smtp_answers(**said)) as port:
        way = opened(smtp_host="127.0.0.1", smtp_port=str(port), smtp_security="none")._sender._way()
        with way.session() as client, pytest.raises(error):
            way.transmit(client, letter, "<i@example.com>", frozenset())


def test_a_report_is_asked_for_where_the_server_can(opened: Opening) -> None:
    heard: list[str] = []
    answer = smtp_answers()

    def listening(line: str) -> bytes:
        heard.append(line)
        return answer(line)

    letter = compose(Letter(("a+b@b.example",), "x", "y"), "n@example.com", "<i@example.com>", NOW)
    with line_server(b"220 ready\r\n", listening) as port:
        way = opened(smtp_host="127.0.0.1", smtp_port=str(port), smtp_security="none")._sender._way()
        with way.session() as client:
            assert way.transmit(client, letter, "<i@example.com>", frozenset({"failure", "delay"})) is None
    assert "mail FROM:<n@example.com> RET=HDRS ENVID=<i@example.com>" in heard
    assert "rcpt TO:<a+b@b.example> NOTIFY=DELAY,FAILURE ORCPT=rfc822;a+2Bb@b.example" in heard


def test_an_address_that_needs_smtputf8_is_refused_where_it_is_not_offered(opened: Opening) -> None:
    letter = compose(Letter(("josé@b.example",), "x", "y"), "n@example.com", "<i@example.com>", NOW)
    with line_server(b"220 ready\r\n", smtp_answers()) as port:
        way = opened(smtp_host="127.0.0.1", smtp_port=str(port), smtp_security="none")._sender._way()
        with way.session() as client:
            refused = way.transmit(client, letter, "<i@example.com>", frozenset())
    assert refused is not None
    assert "SMTPUTF8" in refused.reason


@pytest.mark.parametrize("sign_in", ["password", "oauth2"])
def test_what_signed_us_in_is_not_shown_when_a_server_echoes_it(opened: Opening, sign_in: str) -> None:
    answer = smtp_answers()

    def echoing(line: str) -> bytes:
        return b"535 5.7.8 no: " + line.encode() + b"\r\n" if line.startswith("AUTH") else answer(line)

    secrets = {"password": "correct-horse", "access_token": "ya29.secret-token"}
    with line_server(b"220 ready\r\n", echoing) as port:
        by = BY_TOKEN if sign_in == "oauth2" else {}
        way = opened(secrets=secrets, smtp_host="127.0.0.1", smtp_port=str(port), smtp_security="none", **by)._sender._way()
        with pytest.raises(AuthError) as caught, way.session():
            pass
    proofs = ("\0nora@example.com\0correct-horse", "user=nora@example.com\1auth=Bearer ya29.secret-token\1\1")
    for shown in (*secrets.values(), *(base64.b64encode(proof.encode()).decode() for proof in proofs)):
        assert shown not in f"{caught.value}{caught.value!r}{caught.value.hint}"
