"""Gmail: a mailbox is read whole once and by its history then, and a letter goes out once."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx2
import pytest
from aios_connect_google import Google
from aios_connect_google.sandbox import ADDRESS, GoogleVendor, Hazards, furnish

from aios_connect.connectors import Page, Tombstone
from aios_connect.connectors.sending import Enclosure, Letter, Sends
from aios_connect.errors import AuthError, CursorGoneError, ProviderError, RejectedError
from aios_connect.sandbox import FAULTS, NoAnswerError, Schedule, serve

from .google_account import connector, everything


def plain(**hazards: Any) -> GoogleVendor:
    held = Hazards.none()
    return GoogleVendor(hazards=Hazards(**{name: hazards.get(name, getattr(held, name)) for name in Hazards.__slots__}))


def mail(subject: str = "Hello", **headers: str) -> bytes:
    told = {"Message-ID": f"<{subject}@example.org>", "From": "Wen Zhao <wen@northgate.example.com>", "To": ADDRESS, **headers}
    return "".join(f"{name}: {text}\r\n" for name, text in {"Subject": subject, **told}.items()).encode() + b"\r\nHello.\r\n"


def subjects(pages: list[Page]) -> list[str]:
    return [raw["subject"] for page in pages for raw in page.records]


def gone(pages: list[Page]) -> list[Tombstone]:
    return [stone for page in pages for stone in page.tombstones]


def posted(vendor: GoogleVendor) -> list[EmailMessage]:
    return [message_from_bytes(content, policy=policy.default) for content in vendor.posted]


LETTER = Letter(["Wen Zhao <wen@northgate.example.com>"], "Monday", "Does Monday suit you?")


# reading


def test_a_message_says_what_it_means_and_how_gmail_keeps_it() -> None:
    vendor = plain()
    first = vendor.receive_mail(mail("Offer"))
    answer = vendor.receive_mail(mail("Re: Offer", **{"In-Reply-To": "<Offer@example.org>"}), labels=("INBOX", "Label_7"))
    read = {raw["id"]: raw for page in everything(connector(vendor), "messages") for raw in page.records}
    assert read[answer]["threadId"] == read[first]["threadId"] == first
    assert (read[answer]["labels"], read[answer]["direction"]) == (["INBOX", "Label_7"], "in")
    assert read[answer]["other"] == {"email": "wen@northgate.example.com", "name": "Wen Zhao"}
    assert (read[answer]["thread"], read[answer]["received"]) == ("<Offer@example.org>", "2026-01-05T09:00:00Z")


def test_what_we_sent_is_for_the_other_side() -> None:
    vendor = plain()
    content = mail("Ours", From=ADDRESS, To=f"{ADDRESS}, sam@example.org")
    vendor.receive_mail(content, labels=("SENT",))
    (raw,) = everything(connector(vendor), "messages")[0].records
    assert (raw["direction"], raw["other"]["email"]) == ("out", "sam@example.org")


@pytest.mark.parametrize("label", ["DRAFT", "TRASH", "SPAM", "CHAT"])
def test_drafts_chats_spam_and_what_was_thrown_away_are_no_messages(label: str) -> None:
    vendor = plain()
    id = vendor.receive_mail(mail("Hidden"), labels=(label,))
    kept = vendor.receive_mail(mail("Kept"))
    google = connector(vendor)
    assert subjects(everything(google, "messages")) == ["Kept"]
    assert google.lookup("messages", [id]) == []
    assert [item for page in google.scan("messages") for item in page.items] == [(kept, "")]


def test_what_is_thrown_away_is_told_and_what_is_taken_back_too() -> None:
    vendor = plain()
    id = vendor.receive_mail(mail("Offer"))
    google = connector(vendor)
    cursor = everything(google, "messages")[-1].cursor
    vendor.label_mail(id, add=["TRASH"], remove=["INBOX"])
    pages = everything(google, "messages", cursor)
    assert gone(pages) == [Tombstone(id, "deleted")]
    vendor.label_mail(id, add=["INBOX"], remove=["TRASH"])
    assert subjects(everything(google, "messages", pages[-1].cursor)) == ["Offer"]


def test_what_comes_while_the_mailbox_is_read_is_told_the_next_time() -> None:
    vendor = plain()
    for number in range(120):
        vendor.receive_mail(mail(f"old {number}"))
    google = connector(vendor)
    seen: list[str] = []
    cursor = None
    for number, page in enumerate(google.read("messages")):
        seen += [raw["subject"] for raw in page.records]
        cursor = page.cursor
        if number == 0:
            vendor.receive_mail(mail("new"))
    assert len(seen) == 120
    assert subjects(everything(google, "messages", cursor)) == ["new"]


def test_a_read_goes_on_in_the_middle_of_a_list_although_messages_came() -> None:
    vendor = plain()
    for number in range(120):
        vendor.receive_mail(mail(f"old {number}"))
    first = next(iter(connector(vendor).read("messages")))
    vendor.receive_mail(mail("new"))
    rest = everything(connector(vendor), "messages", first.cursor)
    read = [raw["subject"] for raw in first.records] + subjects(rest)
    assert sorted(read) == sorted([f"old {number}" for number in range(120)])


def test_a_history_of_many_changes_is_read_page_by_page() -> None:
    vendor = plain()
    google = connector(vendor)
    cursor = everything(google, "messages")[-1].cursor
    for number in range(1010):
        vendor.receive_mail(mail(f"m{number}"))
    pages = everything(google, "messages", cursor)
    assert len(pages) == 3
    assert len(set(subjects(pages))) == 1010
    rest = everything(connector(vendor), "messages", pages[0].cursor)
    assert len(set(subjects([pages[0], *rest]))) == 1010


def test_what_comes_while_the_history_is_read_is_told_the_next_time() -> None:
    vendor = plain()
    google = connector(vendor)
    cursor = everything(google, "messages")[-1].cursor
    for number in range(501):
        vendor.receive_mail(mail(f"m{number}"))
    for page in google.read("messages", cursor):
        if not page.complete:
            vendor.receive_mail(mail("new"))
        cursor = page.cursor
    assert "new" in subjects(everything(google, "messages", cursor))


@pytest.mark.parametrize(
    "cursor", [{"history": "1"}, {"history": "nonsense"}, {"history": "999999999"}, {"next": "1", "list": "zz"}]
)
def test_a_place_that_gmail_does_not_know_is_said_to_be_gone(cursor: dict[str, str]) -> None:
    vendor = furnish(plain())
    with pytest.raises(CursorGoneError):
        everything(connector(vendor), "messages", cursor)


def test_a_history_that_is_older_than_a_week_is_said_to_be_gone() -> None:
    vendor = plain(history=7.0)
    vendor.receive_mail(mail("a"))
    google = connector(vendor)
    cursor = everything(google, "messages")[-1].cursor
    vendor.receive_mail(mail("b"))
    vendor.clock.sleep(8 * 86_400)
    vendor.receive_mail(mail("c"))
    with pytest.raises(CursorGoneError):
        everything(google, "messages", cursor)


def test_a_message_that_is_none_is_set_aside_and_its_neighbours_are_read() -> None:
    vendor = plain()
    vendor.receive_mail(mail("a"))
    bad = vendor.receive_mail(b"")
    vendor.receive_mail(mail("b"))
    pages = everything(connector(vendor), "messages")
    assert sorted(subjects(pages)) == ["a", "b"]
    assert [(one.id, bool(one.reason)) for page in pages for one in page.quarantined] == [(bad, True)]


def test_a_batch_of_large_messages_is_read_in_parts_and_one_that_is_too_large_is_set_aside() -> None:
    vendor = plain()
    for number in range(8):
        vendor.receive_mail(mail(f"m{number}") + b"x" * 20_000)
    huge = vendor.receive_mail(mail("huge") + b"x" * 100_000)
    with serve(vendor) as server:
        google = connector(vendor, through=httpx2.HTTPTransport(), url=server.url, max_size=100_000)
        pages = everything(google, "messages")
        google.close()
    assert sorted(subjects(pages)) == [f"m{number}" for number in range(8)]
    assert [(one.id, "larger than" in one.reason) for page in pages for one in page.quarantined] == [(huge, True)]


def test_a_thousand_messages_cost_two_lists_and_twenty_batches() -> None:
    vendor = plain()
    for number in range(1000):
        vendor.receive_mail(mail(f"m{number}"))
    google = connector(vendor)
    assert len(subjects(everything(google, "messages"))) == 1000
    assert len(vendor.log) <= (2 + 20) * 1.05 + 2
    assert vendor.counted["gmail"] == 2 * 5 + 1000 * 20 + 1
    cursor = everything(google, "messages")[-1].cursor
    start, units = len(vendor.log), vendor.counted["gmail"]
    everything(google, "messages", cursor)
    assert (len(vendor.log) - start, vendor.counted["gmail"] - units) == (1, 2)


def test_the_units_of_a_minute_are_kept() -> None:
    vendor = plain(gmail=6_000)
    google = connector(vendor)
    for _ in range(80):
        assert google.lookup("messages", [f"{number:016x}" for number in range(50)]) == []
    assert vendor.counted["gmail"] == 80 * 50 * 20
    assert vendor.refused == 0


def test_messages_are_not_written() -> None:
    with pytest.raises(RejectedError, match="sent, not written"):
        connector(plain()).write("messages", [object()])  # type: ignore[list-item]


def test_labels_are_named() -> None:
    vendor = plain()
    vendor.receive_mail(mail("a"), labels=("INBOX", "Label_7"))
    assert connector(vendor).labels()["Label_7"] == "Label_7"


# sending


def test_a_letter_goes_out_once() -> None:
    vendor = plain()
    google = connector(vendor)
    assert isinstance(google, Sends)
    assert google.sent("line-1").outcome == "unsent"
    first = google.send(LETTER, "line-1")
    again = google.send(LETTER, "line-1")
    other = google.send(LETTER, "line-2")
    assert [one.outcome for one in (first, again, other)] == ["sent", "unchanged", "sent"]
    assert first.message_id == again.message_id == google.sent("line-1").message_id != other.message_id
    assert [message["subject"] for message in posted(vendor)] == ["Monday", "Monday"]
    assert vendor.drafts == {}


def test_a_letter_whose_copy_was_thrown_away_is_not_sent_again() -> None:
    vendor = plain()
    assert connector(vendor).send(LETTER, "line-1").outcome == "sent"
    (copy,) = [one.id for one in vendor.mail.values() if "SENT" in one.labels]
    vendor.label_mail(copy, add=["TRASH"])
    assert connector(vendor).sent("line-1").outcome == "sent"
    assert connector(vendor).send(LETTER, "line-1").outcome == "unchanged"
    assert len(vendor.posted) == 1


def test_the_message_id_is_the_one_that_gmail_gave() -> None:
    vendor = plain()
    google = connector(vendor)
    sent = google.send(LETTER, "line-1")
    assert posted(vendor)[0]["message-id"] == sent.message_id
    (raw,) = everything(google, "messages")[0].records
    assert (raw["message_id"], raw["direction"], raw["other"]["name"]) == (sent.message_id, "out", "Wen Zhao")


def test_a_letter_says_all_that_it_was_given() -> None:
    vendor = plain()
    letter = Letter(
        ["wen@northgate.example.com"],
        "Übergabe",
        "Text",
        html="<p>Text</p>",
        cc=["Zoë <zoe@example.org>"],
        bcc=["en@northgate.example.com"],
        enclosures=[Enclosure("plan.txt", "text/plain", b"plan")],
        automatic=True,
    )
    assert connector(vendor).send(letter, "line-1").outcome == "sent"
    (message,) = posted(vendor)
    assert (message["subject"], message["bcc"], message["auto-submitted"]) == (
        "Übergabe",
        "en@northgate.example.com",
        "auto-generated",
    )
    assert [part.get_filename() for part in message.iter_attachments()] == ["plan.txt"]


def test_an_answer_stays_in_its_conversation() -> None:
    vendor = plain()
    theirs = vendor.receive_mail(mail("Offer"))
    letter = Letter(["wen@northgate.example.com"], "Re: Offer", "Yes.", in_reply_to="<Offer@example.org>")
    google = connector(vendor)
    assert google.send(letter, "line-1").outcome == "sent"
    read = {raw["subject"]: raw for page in everything(google, "messages") for raw in page.records}
    assert read["Re: Offer"]["threadId"] == theirs
    assert (read["Re: Offer"]["in_reply_to"], read["Re: Offer"]["references"]) == ("<Offer@example.org>", ["<Offer@example.org>"])


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "bad_gateway", "cut_off"])
def test_a_letter_whose_answer_was_lost_is_found_and_not_sent_again(fault: str) -> None:
    for number in range(12):
        vendor = plain()
        google = connector(vendor, attempts=1)
        google.check()
        vendor.schedule = Schedule(only={len(vendor.log) + number: FAULTS[fault]})
        try:
            outcome = google.send(LETTER, "line-1").outcome
        except ProviderError:
            assert vendor.posted == []
        else:
            assert outcome == "ambiguous" or len(vendor.posted) == 1
        vendor.schedule = Schedule.quiet()
        assert google.send(LETTER, "line-1").outcome in ("sent", "unchanged")
        assert len(vendor.posted) == 1, f"{fault} at request {number}"


def test_a_letter_that_never_arrived_is_not_said_to_be_sent() -> None:
    vendor = plain()
    google = connector(vendor, attempts=1)
    google.check()
    vendor.send_draft = _nobody  # type: ignore[method-assign]
    assert google.send(LETTER, "line-1").outcome == "ambiguous"
    del vendor.send_draft
    assert (vendor.posted, len(vendor.drafts)) == ([], 1)
    assert google.send(LETTER, "line-1").outcome == "sent"
    assert (len(vendor.posted), vendor.drafts) == (1, {})


def _nobody(call: Any) -> Any:
    raise NoAnswerError("timeout")


def test_of_two_who_send_the_same_line_at_once_one_sends() -> None:
    vendor = plain()
    one, other = connector(vendor), connector(vendor)
    outcomes: list[str] = []

    def meanwhile(call: Any) -> None:
        if call.method == "POST" and call.path.endswith("/drafts") and not outcomes:
            outcomes.append("")
            outcomes[0] = other.send(LETTER, "line-1").outcome

    vendor.before = meanwhile
    outcomes.append(one.send(LETTER, "line-1").outcome)
    assert outcomes == ["sent", "unchanged"]
    assert (len(vendor.posted), vendor.drafts) == (1, {})


def test_whoever_sends_the_same_line_sends_the_same_draft() -> None:
    vendor = plain()
    one, other = connector(vendor), connector(vendor)

    def begin(call: Any) -> None:
        if call.method == "POST" and call.path.endswith("/drafts"):
            vendor.before = lambda call: None
            vendor.send_draft = _nobody  # type: ignore[method-assign]
            assert other.send(LETTER, "line-1").outcome == "ambiguous"
            del vendor.send_draft

    vendor.before = begin
    assert one.send(LETTER, "line-1").outcome == "sent"
    assert (len(vendor.posted), vendor.drafts) == (1, {})
    assert other.sent("line-1").outcome == "sent"


def test_what_was_sent_before_is_looked_at_once() -> None:
    """The first letter looks at the headers of all that was sent in thirty days; the next ones at what is new."""
    vendor = plain()
    for number in range(600):
        vendor.receive_mail(mail(f"old {number}"), labels=("SENT",))
        vendor.clock.sleep(4 * 3600)
    google = connector(vendor)
    assert google.send(LETTER, "line-0").outcome == "sent"
    start, units = len(vendor.log), vendor.counted["gmail"]
    for number in range(1, 11):
        assert google.send(LETTER, f"line-{number}").outcome == "sent"
    assert (len(vendor.log) - start) / 10 <= 10
    assert (vendor.counted["gmail"] - units) / 10 <= 100 + 10 + 4 * 5 + 3 * 20
    assert len(vendor.posted) == 11


def test_a_draft_of_a_letter_that_went_out_is_taken_away() -> None:
    vendor = plain()
    google = connector(vendor)
    google.send(LETTER, "line-1")
    id = vendor.receive_mail(vendor.posted[0], labels=("DRAFT",))
    vendor.drafts["r-left"] = id
    assert google.send(LETTER, "line-1").outcome == "unchanged"
    assert (vendor.drafts, len(vendor.posted)) == ({}, 1)


def test_a_letter_that_cannot_be_sent_leaves_nothing_behind() -> None:
    vendor = plain()
    google = connector(vendor)
    refused = google.send(Letter(["nobody"], "x", "y"), "line-1")
    assert (refused.outcome, "no address" in refused.reason) == ("rejected", True)
    assert (vendor.posted, vendor.drafts) == ([], {})


def test_a_letter_that_nobody_consented_to_says_which_scope_permits_it() -> None:
    auth = "https://www.googleapis.com/auth/"
    vendor = GoogleVendor(hazards=Hazards.none(), scopes=frozenset({f"{auth}gmail.readonly"}))
    google: Google = connector(vendor)
    with pytest.raises(AuthError, match="write messages") as caught:
        google.send(LETTER, "line-1")
    assert f"{auth}gmail.compose" in caught.value.hint
