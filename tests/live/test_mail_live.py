"""A mailbox on live servers: what is read of it, what is sent from it, and who is let in."""

from __future__ import annotations

import email
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aios_connect_mail import Mail

import aios_connect
from aios_connect.connectors import AuthError, ConfigError, UnavailableError
from aios_connect.connectors.messages import UnreadableMessageError, understand
from aios_connect.connectors.sending import Enclosure, Letter, Sends
from aios_connect.testing.servers.dovecot import DebianMailServer, dovecot
from aios_connect.testing.servers.mail import MailServer
from aios_connect.testing.servers.pymap import pymap

from .mail_office import READ, MailOffice, deliver, note
from .mail_tap import tapped

pytestmark = pytest.mark.live

SERVERS: dict[str, Any] = {"pymap": pymap, "dovecot": dovecot}
ON_PYMAP = pytest.mark.parametrize("server", ["pymap"], indirect=True, scope="module")
ON_DOVECOT = pytest.mark.parametrize("server", ["dovecot"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with ExitStack() as stack:
        try:
            made: MailServer = stack.enter_context(SERVERS[request.param](tmp_path_factory.mktemp("mail")))
        except (OSError, RuntimeError) as error:
            (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no mail server here: {error}")
        yield made


@pytest.fixture
def office(server: MailServer, tmp_path: Path) -> Iterator[MailOffice]:
    office = MailOffice(server, tmp_path)
    yield office
    office.close()


@pytest.fixture
def debian(office: MailOffice) -> DebianMailServer:
    assert isinstance(office.server, DebianMailServer)
    return office.server


def parsed(message: bytes) -> EmailMessage:
    read = email.message_from_bytes(message, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


# reading


def test_a_message_is_read_as_it_is(office: MailOffice) -> None:
    office.put(note(1, Subject="=?utf-8?q?Caf=C3=A9?=", In_Reply_To="<a@b.example>", References="<r@b.example> <a@b.example>"))
    ((raw,), _, _) = office.read()
    assert raw["message_id"] == "<note1@northgate.example.com>"
    assert (raw["subject"], raw["thread"], raw["direction"], raw["folder"]) == ("Café", "<r@b.example>", "in", "INBOX")
    assert raw["other"]["email"] == "ada@northgate.example.com"
    assert raw["received"].endswith("Z")


def test_what_one_of_us_wrote_goes_out_to_the_other_side(office: MailOffice) -> None:
    office.put(note(1, From=f"Nora <{office.account.address.upper()}>", To="ada@northgate.example.com"), "Sent")
    ((raw,), _, _) = office.read()
    assert (raw["direction"], raw["other"]["email"]) == ("out", "ada@northgate.example.com")


def test_a_message_that_is_moved_stays_the_same_record(office: MailOffice) -> None:
    office.put(note(1))
    ((before,), cursor, _) = office.read()
    office.do(("MOVE", "1:*", "Sent"))
    ((after,), cursor, _) = office.read(cursor)
    assert after["id"] == before["id"]
    assert (before["folder"], after["folder"]) == ("INBOX", "Sent")
    assert [id for page in office.mail.scan(READ) for id, _ in page.items] == [before["id"]]
    assert office.read(cursor)[0] == []


def test_two_copies_of_a_message_are_one_record(office: MailOffice) -> None:
    office.put(note(1))
    office.put(note(1), "Sent")
    records, _, _ = office.read()
    assert len(records) == 2
    assert len({raw["id"] for raw in records}) == 1
    (looked_up,) = office.mail.lookup(READ, [records[0]["id"]])
    items = [item for page in office.mail.scan(READ) for item in page.items]
    assert items == [(records[-1]["id"], records[-1]["version"])] == [(looked_up["id"], looked_up["version"])]


def test_a_message_that_borrows_an_id_is_another_record(office: MailOffice) -> None:
    office.put(note(1))
    office.put(note(1, From="mallory@elsewhere.example", Subject="Pay this instead"))
    records, _, _ = office.read()
    assert len({raw["id"] for raw in records}) == 2
    for raw in records:
        assert office.mail.lookup(READ, [raw["id"]]) == [raw]


def test_messages_without_a_usable_id_are_told_apart_and_found_again(office: MailOffice) -> None:
    office.put(note(1, Message_ID=None))
    office.put(note(2, Message_ID=None))
    office.put(note(3, Message_ID="not <an id> at all"))
    office.put(note(4, Message_ID=f"<{'x' * 300}@example.com>"))
    records, _, _ = office.read()
    assert len({raw["id"] for raw in records}) == 4
    found = office.mail.lookup(READ, [raw["id"] for raw in records])
    assert {raw["id"]: raw["subject"] for raw in found} == {raw["id"]: raw["subject"] for raw in records}
    assert sorted(id for page in office.mail.scan(READ) for id, _ in page.items) == sorted(raw["id"] for raw in records)


def test_when_every_uid_is_another_one_a_folder_is_read_again_and_nothing_is_new(office: MailOffice) -> None:
    office.put(note(1))
    office.put(note(2))
    office.put(note(3), "Sent")
    before, cursor, _ = office.read()
    office.mail.close()
    office.account.forget_uids()
    office.put(note(4))
    again, cursor, _ = office.read(cursor)
    assert sorted(raw["subject"] for raw in again) == ["Note 1", "Note 2", "Note 4"]
    assert {raw["id"] for raw in again} - {raw["id"] for raw in before} == {again[-1]["id"]}
    assert office.read(cursor)[0] == []


@ON_DOVECOT
def test_a_flag_shows_where_the_server_tells_of_it(office: MailOffice, debian: DebianMailServer) -> None:
    office.put(note(1))
    office.put(note(2))
    records, cursor, _ = office.read()
    assert [raw["flags"] for raw in records] == [[], []]
    office.do(("STORE", "1", "+FLAGS", r"(\Answered $Invoiced)"))
    ((raw,), cursor, _) = office.read(cursor)
    assert (raw["subject"], raw["flags"]) == ("Note 1", ["$Invoiced", r"\Answered"])
    assert raw["version"] != records[0]["version"]
    assert office.read(cursor)[0] == []


@ON_PYMAP
def test_without_condstore_no_flags_are_shown(office: MailOffice) -> None:
    office.put(note(1))
    assert office.read()[0][0]["flags"] is None


def test_a_message_that_was_deleted_is_in_no_scan_and_in_no_lookup(office: MailOffice) -> None:
    office.put(note(1))
    office.put(note(2))
    records, cursor, _ = office.read()
    office.do(("STORE", "1", "+FLAGS", r"(\Deleted)"), ("EXPUNGE",))
    assert [id for page in office.mail.scan(READ) for id, _ in page.items] == [records[1]["id"]]
    assert [raw["id"] for raw in office.mail.lookup(READ, [raw["id"] for raw in records])] == [records[1]["id"]]
    assert office.read(cursor)[0] == []


def test_drafts_and_the_bin_are_not_read(office: MailOffice) -> None:
    with office.account.session() as client:
        for name in ("Drafts", "Trash", "Projects"):
            client.create(name)
    office.put(note(1), "Drafts")
    office.put(note(2), "Trash")
    office.put(note(3), "Projects")
    office.put(note(4), flags=r"(\Draft)")
    assert [raw["subject"] for raw in office.read()[0]] == ["Note 3"]


def test_only_the_folders_that_are_named_are_read_whatever_they_are_called(office: MailOffice) -> None:
    names = ["Entwürfe & Reste", "株式会社 日本", 'Quote "it"']
    with office.account.session() as client:
        from aios_connect_mail.answers import to_wire

        for name in names:
            assert client.create(to_wire(name))[0] == "OK"
            assert client.append(to_wire(name), "", "", note(len(name)))[0] == "OK"
    office.put(note(1))
    records, _, _ = office.read(mail=office.open(folders=", ".join(names)))
    assert [raw["folder"] for raw in records] == names
    with pytest.raises(ConfigError, match="Elsewhere"):
        office.read(mail=office.open(folders="Elsewhere"))


def test_a_folder_that_is_new_is_read_with_the_next_read(office: MailOffice) -> None:
    _, cursor, _ = office.read()
    with office.account.session() as client:
        client.create("Projects")
    office.put(note(1), "Projects")
    assert [raw["folder"] for raw in office.read(cursor)[0]] == ["Projects"]


def test_only_what_arrived_since_a_day_is_read(office: MailOffice) -> None:
    with office.account.session() as client:
        client.append("INBOX", "", '"05-Jan-2020 10:00:00 +0000"', note(1))
    office.put(note(2))
    mail = office.open(since="2026-01-01")
    records, cursor, _ = office.read(mail=mail)
    assert [raw["subject"] for raw in records] == ["Note 2"]
    assert [id for page in mail.scan(READ) for id, _ in page.items] == [records[0]["id"]]
    assert cursor["since"] == "2026-01-01"


def test_a_message_that_cannot_be_read_is_set_aside_with_its_bytes(office: MailOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(message: bytes) -> Any:
        if b"X-Broken" in message:
            raise UnreadableMessageError("it is no message")
        return understand(message)

    monkeypatch.setattr("aios_connect_mail.records.understand", refusing)
    office.put(note(1))
    office.put(note(2, X_Broken="yes"))
    office.put(note(3))
    records, _, pages = office.read()
    assert [raw["subject"] for raw in records] == ["Note 1", "Note 3"]
    (aside,) = [bad for page in pages for bad in page.quarantined]
    assert (aside.place, aside.reason) == ("INBOX, UID 2", "it is no message")
    assert "X-Broken: " in aside.raw
    assert aside.id in [id for page in office.mail.scan(READ) for id, _ in page.items]


def test_a_message_that_is_too_large_is_set_aside_and_its_neighbours_are_read(
    office: MailOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aios_connect_mail import reading

    monkeypatch.setattr(reading, "_LARGEST", 5_000)
    monkeypatch.setattr(reading, "_BYTES", 4_000)
    office.put(note(1, text="x" * 3000))
    office.put(note(2, text="x" * 9000))
    office.put(note(3, text="x" * 3000))
    records, _, pages = office.read()
    assert [raw["subject"] for raw in records] == ["Note 1", "Note 3"]
    (aside,) = [bad for page in pages for bad in page.quarantined]
    assert "more than the 5,000" in aside.reason
    assert "Subject: Note 2" in aside.raw


def test_a_quiet_mailbox_costs_one_command_a_folder_and_one_more(office: MailOffice) -> None:
    office.put(note(1))
    _, cursor, _ = office.read()
    told = len(office.mail._folders.read())
    with tapped(office.account.imap) as tap:
        mail = office.open(port=str(tap.port))
        told = len(mail._folders.read())
        start = len(tap.said)
        assert office.read(cursor, mail)[0] == []
        assert [said.split()[1] for said in tap.said[start:]] == [b"LIST"] + [b"EXAMINE"] * told


# waiting


def test_waiting_ends_when_a_message_comes(office: MailOffice) -> None:
    _, cursor, _ = office.read()
    coming = threading.Timer(0.3, office.put, (note(1),))
    coming.start()
    assert office.mail.wait(cursor, 120)
    coming.join()
    assert [raw["subject"] for raw in office.read(cursor)[0]] == ["Note 1"]


def test_what_came_before_the_waiting_began_counts(office: MailOffice) -> None:
    _, cursor, _ = office.read()
    office.put(note(1))
    assert office.mail.wait(cursor, 120)


def test_waiting_ends_when_nothing_comes(office: MailOffice) -> None:
    _, cursor, _ = office.read()
    assert not office.mail.wait(cursor, 0.2)


# signing in


def test_the_check_says_who_we_are(office: MailOffice) -> None:
    identity = office.mail.check()
    assert (identity.account, identity.user, identity.missing) == ("127.0.0.1", office.account.user, {})
    assert "INBOX" in identity.details["folders"]
    assert identity.details["sending"].startswith("127.0.0.1:")


@pytest.mark.parametrize("what", ["read", "send"])
def test_a_wrong_password_is_said_and_not_shown(office: MailOffice, what: str) -> None:
    mail = office.open(secrets={"password": "wrong-horse-battery"})
    with pytest.raises(AuthError) as caught:
        office.read(mail=mail)
    assert caught.value.hint
    assert "wrong-horse" not in f"{caught.value}{caught.value.hint}{caught.value!r}"
    with pytest.raises(AuthError), mail._sender._way().session():
        pass


def test_starttls_protects_both_ways(office: MailOffice) -> None:
    mail = office.open(security="starttls", smtp_security="starttls", authorities=str(office.server.authority))
    office.put(note(1))
    assert len(office.read(mail=mail)[0]) == 1
    assert mail.check().missing == {}


def test_a_certificate_that_nobody_vouches_for_is_refused(office: MailOffice) -> None:
    mail = office.open(security="starttls", smtp_security="starttls")
    with pytest.raises(UnavailableError, match="certificate") as caught:
        mail.check()
    assert "authorities" in caught.value.hint
    with pytest.raises(UnavailableError, match="certificate"), mail._sender._way().session():
        pass


@ON_DOVECOT
def test_tls_from_the_first_byte(office: MailOffice, debian: DebianMailServer) -> None:
    imap, smtp = str(debian.imaps), str(debian.smtps)
    trusted = str(debian.authority)
    mail = office.open(security="tls", smtp_security="tls", authorities=trusted, port=imap, smtp_port=smtp)
    assert mail.check().missing == {}


def test_a_server_that_begins_in_plain_text_is_said_to_want_starttls(office: MailOffice) -> None:
    with pytest.raises(UnavailableError) as caught:
        office.open(security="tls").check()
    assert "starttls" in caught.value.hint


@ON_DOVECOT
def test_an_access_token_opens_both_doors_and_is_renewed(office: MailOffice, debian: DebianMailServer) -> None:
    issuer, user = debian.issuer, office.account.user
    before = issuer.refreshes
    mail = office.open(oauth=issuer.url, secrets={"refresh_token": f"refresh-{user}"})
    office.put(note(1))
    assert len(office.read(mail=mail)[0]) == 1
    assert issuer.refreshes == before + 1
    assert mail.check().missing == {}
    mail.close()
    issuer.withdraw()
    assert len(office.read(mail=mail)[0]) == 1
    to = office.server.fresh()
    issuer.withdraw()
    assert mail.send(Letter((to.address,), "Hello", "There."), "plan.oauth").outcome == "sent"
    assert issuer.refreshes == before + 3


@ON_DOVECOT
def test_a_mailbox_is_opened_from_python_with_a_refresh_token(office: MailOffice, debian: DebianMailServer) -> None:
    office.put(note(1))
    with aios_connect.connect(
        "mail",
        host="127.0.0.1",
        port=str(office.account.imap),
        security="none",
        user=office.account.user,
        sign_in="oauth2",
        token_url=f"{debian.issuer.url}/token",
        client_id="aios",
        refresh_token=f"refresh-{office.account.user}",
    ) as mail:
        (activity,) = mail.read("activity")
    assert (activity.type, activity.direction, activity.subject) == ("email", "in", "Note 1")


@ON_DOVECOT
def test_an_access_token_of_somebody_else_opens_nothing(office: MailOffice, debian: DebianMailServer) -> None:
    other = office.server.fresh()
    with pytest.raises(AuthError) as caught:
        office.read(mail=office.open(oauth=debian.issuer.url, secrets={"refresh_token": f"refresh-{other.user}"}))
    assert "access-token" not in str(caught.value)


# sending


def test_a_letter_arrives_with_everything_it_says(office: MailOffice) -> None:
    to, copy, blind = (office.server.fresh() for _ in range(3))
    letter = Letter(
        (f"Ada Olsen <{to.address}>",),
        "Ihr Angebot für die Büros",
        "Guten Tag,\n.\n..zwei Punkte\nÜber 30 000 €\n",
        html="<p>Guten Tag</p>",
        cc=(copy.address,),
        bcc=(blind.address,),
        in_reply_to="<q7@northgate.example.com>",
        references=tuple(f"<{n}-{'r' * 90}@northgate.example.com>" for n in range(40)),
        enclosures=(Enclosure("Angebot Büro.pdf", "application/pdf", b"%PDF-1.7\n\0\xff"),),
        unsubscribe=("https://example.com/u/77?k=a,b", "mailto:stop@example.com"),
        one_click=True,
        automatic=True,
    )
    sent = office.mail.send(letter, "plan.1")
    assert sent.outcome == "sent"
    office.server.settled()
    ((one,), (two,), (three,)) = deliver(to), deliver(copy), deliver(blind)
    message = parsed(one)
    assert message["Message-ID"] == sent.message_id
    assert (message["To"], message["Cc"], message["Bcc"]) == (f"Ada Olsen <{to.address}>", copy.address, None)
    assert str(message["From"]) == f"Nora Lindqvist <{office.account.address}>"
    assert message["Subject"] == letter.subject
    references = message["References"].split()
    assert (references[0], references[-1], len(references)) == (letter.references[0], "<q7@northgate.example.com>", 20)
    assert message["List-Unsubscribe"].split() == ["<https://example.com/u/77?k=a,b>,", "<mailto:stop@example.com>"]
    assert (message["List-Unsubscribe-Post"], message["Auto-Submitted"]) == ("List-Unsubscribe=One-Click", "auto-generated")
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == letter.text
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("Angebot Büro.pdf", b"%PDF-1.7\n\0\xff")
    assert parsed(two)["Message-ID"] == parsed(three)["Message-ID"] == sent.message_id
    assert blind.address.encode() not in one.split(b"\r\n\r\n")[0].partition(b"From:")[2]


def test_what_was_sent_is_filed_once_and_read_back_as_ours(office: MailOffice) -> None:
    assert isinstance(office.mail, Sends)
    to = office.server.fresh()
    _, cursor, _ = office.read()
    sent = office.mail.send(Letter((to.address,), "Hello", "There."), "plan.1")
    ((raw,), _, _) = office.read(cursor)
    assert (raw["message_id"], raw["direction"], raw["folder"]) == (sent.message_id, "out", "Sent")
    assert raw["other"]["email"] == to.address
    with office.account.session("Sent") as client:
        assert len(client.search(None, "UNDELETED")[1][0].split()) == 1


def test_the_same_line_sends_once_whoever_sends_it(office: MailOffice) -> None:
    to = office.server.fresh()
    letter = Letter((to.address,), "Hello", "There.")
    assert office.mail.sent("plan.1").outcome == "unsent"
    first = office.mail.send(letter, "plan.1")
    again = office.open().send(letter, "plan.1")
    assert (first.outcome, again.outcome, again.message_id) == ("sent", "unchanged", first.message_id)
    assert office.open().sent("plan.1").outcome == "sent"
    assert office.mail.send(letter, "plan.2").outcome == "sent"
    office.server.settled()
    assert len(deliver(to)) == 2


def test_two_that_send_the_same_line_at_once_send_it_once_at_most(office: MailOffice) -> None:
    to = office.server.fresh()
    letter = Letter((to.address,), "Hello", "There.")
    outcomes: list[str] = []
    mails = [office.open() for _ in range(4)]
    ready = threading.Barrier(len(mails))

    def send(mail: Mail) -> None:
        ready.wait()
        outcomes.append(mail.send(letter, "plan.1").outcome)

    threads = [threading.Thread(target=send, args=(mail,)) for mail in mails]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    office.server.settled()
    assert len(outcomes) == len(mails)
    assert len(deliver(to)) == outcomes.count("sent") <= 1


def test_a_letter_nobody_knows_about_is_known_by_its_answer(office: MailOffice) -> None:
    sent = office.mail.sent("plan.1")
    office.put(note(1, Message_ID=sent.message_id), "Sent", r"(\Draft)")
    assert office.mail.sent("plan.1").outcome == "ambiguous"
    letter = Letter((office.server.fresh().address,), "Hello", "There.")
    assert office.mail.send(letter, "plan.1").outcome == "ambiguous"
    office.put(note(2, In_Reply_To=sent.message_id, References=sent.message_id))
    assert office.mail.sent("plan.1").outcome == "sent"
    assert office.mail.send(letter, "plan.1").outcome == "unchanged"


def test_a_recipient_that_is_refused_is_named_and_nothing_goes_to_the_others(office: MailOffice) -> None:
    to = office.server.fresh()
    sent = office.mail.send(Letter((to.address, "blocked@example.com"), "Hello", "There."), "plan.1")
    assert sent.outcome == "rejected"
    assert list(sent.refused) == ["blocked@example.com"]
    assert "550 5.1.1" in sent.refused["blocked@example.com"]
    assert office.mail.sent("plan.1").outcome == "unsent"
    assert office.mail.send(Letter((to.address,), "Hello", "There."), "plan.1").outcome == "sent"
    office.server.settled()
    assert len(deliver(to)) == 1


def test_a_recipient_that_is_put_off_is_tried_later(office: MailOffice) -> None:
    with pytest.raises(UnavailableError, match=r"451 4\.7\.1") as caught:
        office.mail.send(Letter(("greylist@example.com",), "Hello", "There."), "plan.1")
    assert "later" in caught.value.hint
    assert office.mail.sent("plan.1").outcome == "unsent"


@ON_DOVECOT
def test_what_the_report_is_about_is_asked_for(office: MailOffice, debian: DebianMailServer) -> None:
    _, cursor, _ = office.read()
    sent = office.mail.send(Letter(("bounce@example.com",), "Hello", "There."), "plan.1")
    assert sent.outcome == "sent"
    debian.settled()
    records, _, _ = office.read(cursor)
    (report,) = [raw for raw in records if raw["folder"] == "INBOX"]
    asked = f"Original-Envelope-ID: {sent.message_id}".encode()  # ENVID came back
    assert asked in delivered(office)
    assert sent.message_id in (report["in_reply_to"] or "", *report["references"], (report["original"] or {}).get("message_id"))


def delivered(office: MailOffice) -> bytes:
    return b"".join(path.read_bytes() for part in ("new", "cur") for path in (office.account.home / part).iterdir())


@pytest.mark.parametrize(
    "letter",
    [
        Letter(("a@example.com",), "Hello\r\nBcc: eve@example.com", "x"),
        Letter(("a@example.com\nBcc: eve@example.com",), "Hello", "x"),
        Letter(("Ann\r\nX: y <a@example.com>",), "Hello", "x"),
        Letter(("a@example.com",), "Hello", "x", in_reply_to="<a@b>\r\nX: y"),
        Letter(("a@example.com",), "Hello", "x", unsubscribe=("https://example.com/\r\nX: y",)),
        Letter(("a@example.com",), "Hello", "x", unsubscribe=("mailto:a@example.com",), one_click=True),
        Letter(("a@example.com",), "Hello", "x", enclosures=(Enclosure("a\r\nX: y", "text/plain", b""),)),
        Letter(("a@example.com",), "Hello", "half \ud83d"),
        Letter(("not an address",), "Hello", "x"),
        Letter(("a@exa mple.com",), "Hello", "x"),
        Letter((), "Hello", "x"),
    ],
    ids=lambda letter: repr(letter)[:60].replace("/", "."),
)
def test_what_cannot_be_sent_is_refused_before_anything_is_sent(office: MailOffice, letter: Letter) -> None:
    sent = office.mail.send(letter, "plan.1")
    assert sent.outcome == "rejected"
    assert sent.reason
    assert office.mail._imap._client is None


def test_an_address_that_is_not_ascii_goes_only_where_it_can(office: MailOffice) -> None:
    sent = office.mail.send(Letter(("josé@example.com",), "Hello", "There."), "plan.1")
    assert sent.outcome == "rejected"
    assert "josé@example.com" in sent.refused


def test_a_mailbox_without_an_smtp_server_says_so(office: MailOffice) -> None:
    with pytest.raises(ConfigError, match="SMTP") as caught:
        office.open(smtp_host="").send(Letter(("a@example.com",), "Hello", "x"), "plan.1")
    assert "smtp_host" in caught.value.hint
