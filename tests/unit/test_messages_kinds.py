"""What kind of message it is, and what reports about other messages say."""

from __future__ import annotations

import pytest

from aios_connect.connectors.messages import Message, understand
from aios_connect.connectors.messages.verdicts import reply_in, status_in, verdict


def sent(headers: str, body: str = "See you.", sender: str = "ada@north.example") -> Message:
    return understand(f"From: {sender}\n{headers}\n\n{body}".encode())


@pytest.mark.parametrize(
    ("headers", "kind", "automatic"),
    [
        ("Subject: Keys", "ordinary", "none"),
        ("Subject: Keys\nAuto-Submitted: no", "ordinary", "none"),
        ("Subject: Re: Automatic reply: Keys", "ordinary", "none"),
        ("Subject: Automatic reply: Keys", "automatic", "out_of_office"),
        ("Subject: Abwesenheitsnotiz", "automatic", "out_of_office"),
        ("Subject: Réponse automatique : clés", "automatic", "out_of_office"),
        ("Subject: Out of Office\nAuto-Submitted: no", "ordinary", "none"),
        ("Subject: Re: Keys\nAuto-Submitted: auto-replied (vacation)", "automatic", "acknowledgement"),
        ("Subject: Away until May 5\nAuto-Submitted: auto-replied", "automatic", "out_of_office"),
        ("Subject: Keys\nX-Autoreply: yes", "automatic", "acknowledgement"),
        ("Subject: Keys\nX-Autorespond: x\nPrecedence: bulk", "automatic", "acknowledgement"),
        ("Subject: Keys\nPrecedence: auto_reply", "automatic", "acknowledgement"),
        ("Subject: Keys\nX-MS-Exchange-Inbox-Rules-Loop: a@b.example", "automatic", "out_of_office"),
        ("Subject: Keys\nAuto-Submitted: auto-generated", "automatic", "notification"),
        ("Subject: We have received your request\nAuto-Submitted: auto-generated", "automatic", "acknowledgement"),
        ("Subject: Keys\nPrecedence: bulk", "ordinary", "list"),
        ("Subject: Keys\nList-Id: <team.north.example>", "ordinary", "list"),
        ("Subject: Keys\nX-Auto-Response-Suppress: All", "ordinary", "none"),
        ("Subject: Keys\nX-Auto-Response-Suppress: All\nReturn-Path: <>", "automatic", "notification"),
    ],
)
def test_machines_are_told_from_people(headers: str, kind: str, automatic: str) -> None:
    message = sent(headers)
    assert (message.kind, message.automatic) == (kind, automatic)
    assert bool(message.evidence) == (automatic != "none")


def test_who_takes_no_replies_is_a_machine() -> None:
    assert sent("Subject: Your invoice", sender="no-reply@shop.example").automatic == "notification"


def test_a_list_says_how_to_leave_it() -> None:
    headers = (
        'List-Id: "The team" <team.north.example>\nList-Post: <mailto:team@north.example>\n'
        "List-Unsubscribe: <mailto:leave@north.example>, <https://north.example/leave?x=1>\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    )
    assert sent(headers).as_raw()["list"] == {
        "id": "team.north.example",
        "unsubscribe": ["mailto:leave@north.example", "https://north.example/leave?x=1"],
        "one_click": True,
        "post": "mailto:team@north.example",
    }


def report(*blocks: str, kind: str = "message/delivery-status", text: str = "It failed.") -> Message:
    status = "\n\n".join(("Reporting-MTA: dns; mx.north.example", *blocks))
    original = "Message-ID: <7@north.example>\nFrom: ada@north.example\nTo: bo@south.example\nSubject: Keys"
    return understand(
        (
            "From: MAILER-DAEMON@mx.north.example\nTo: ada@north.example\nSubject: Undelivered Mail\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
            f"--b\n\n{text}\n--b\nContent-Type: {kind}\n\n{status}\n\n--b\nContent-Type: text/rfc822-headers\n\n{original}\n--b--\n"
        ).encode()
    )


def test_a_report_judges_each_recipient_by_itself() -> None:
    message = report(
        "Final-Recipient: rfc822; bo@south.example\nAction: failed\nStatus: 5.1.1\n"
        "Remote-MTA: dns; mx.south.example\nDiagnostic-Code: smtp; 550 5.1.1 <bo@south.example> User unknown",
        "Final-Recipient: rfc822; cy@south.example\nAction: delayed\nStatus: 4.4.1",
        "Final-Recipient: rfc822; di@south.example\nAction: delivered\nStatus: 2.1.5",
    )
    assert (message.kind, message.automatic) == ("delivery_report", "bounce")
    assert message.deliveries[0].as_raw() == {
        "recipient": "bo@south.example",
        "outcome": "hard",
        "cause": "address",
        "status": "5.1.1",
        "diagnostic": "550 5.1.1 <bo@south.example> User unknown",
        "reply": 550,
        "server": "mx.south.example",
    }
    assert [(one.outcome, one.cause) for one in message.deliveries[1:]] == [("delayed", "network"), ("delivered", "unknown")]
    assert message.original is not None
    assert (message.original.message_id, message.original.recipients) == ("<7@north.example>", ("bo@south.example",))


def test_a_report_of_success_is_no_bounce() -> None:
    message = report("Final-Recipient: rfc822; bo@south.example\nAction: relayed\nStatus: 2.0.0")
    assert (message.kind, message.automatic, message.deliveries[0].outcome) == ("delivery_report", "notification", "relayed")


def test_the_address_is_the_one_the_sender_wrote() -> None:
    (one,) = report(
        "Original-Recipient: rfc822;bo@south.example\nFinal-Recipient: rfc822;b77@inside.example\nAction: failed"
    ).deliveries
    assert one.recipient == "bo@south.example"


def test_codes_have_up_to_three_digits() -> None:
    (one,) = report("Final-Recipient: rfc822;bo@south.example\nAction: failed\nStatus: 5.7.26").deliveries
    assert (one.status, one.outcome, one.cause) == ("5.7.26", "soft", "policy")


@pytest.mark.parametrize(
    ("text", "outcome", "cause"),
    [
        ("550 5.1.1 User unknown", "hard", "address"),
        ("550 No such user here", "hard", "address"),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts", "soft", "policy"),
        ("552 5.2.2 Mailbox full", "soft", "full"),
        ("550 5.1.1 over quota", "soft", "full"),
        ("550 5.2.1 The account is disabled", "soft", "address"),
        ("451 4.7.1 Greylisted, try again later", "soft", "network"),
        ("550 5.7.1 blocked using zen.spamhaus.org", "soft", "policy"),
        ("553 5.1.8 Domain of sender address does not exist", "soft", "policy"),
        ("552 5.3.4 Message too big", "soft", "content"),
        ("421 Connection timed out", "soft", "network"),
        ("450 4.1.1 User unknown", "hard", "address"),
        ("450 4.1.1 Recipient address rejected: unverified address: Connection timed out", "soft", "address"),
        ("450 4.1.1 Recipient address rejected: undelivered, verification in progress", "soft", "address"),
        ("450 4.2.0 User unknown", "soft", "address"),
        ("Domain name not found (NXDOMAIN)", "hard", "address"),
        ("554 Service currently unavailable", "soft", "network"),
        ("550 Requested action not taken", "soft", "unknown"),
        ("550 5.7.1 <spam@blocked.example>: unknown user", "hard", "address"),
        ("550 5.7.1 <unknown-user@spam.example> see http://full.example/mailbox-full", "soft", "policy"),
    ],
)
def test_answers_of_servers_are_judged(text: str, outcome: str, cause: str) -> None:
    found = verdict(text, status_in(text), reply_in(text))
    assert (found.outcome, found.cause) == (outcome, cause)


@pytest.mark.parametrize(
    ("answer", "when", "outcome"),
    [
        ("550 Unknown user", "in reply to RCPT TO command", "hard"),
        ("550 Unknown user", "in reply to end of DATA\n    command", "soft"),
        ("550 5.1.1 Unknown user", "in reply to end of DATA command", "hard"),
    ],
)
def test_who_takes_an_address_and_refuses_the_message_has_not_said_that_the_address_is_wrong(
    answer: str, when: str, outcome: str
) -> None:
    """Unless a code says so. Of two recipients each has its own paragraph."""
    refused = f"<bo@south.example>: host mx.south.example said:\n    {answer} ({when})"
    fields = f"Final-Recipient: rfc822;bo@south.example\nAction: failed\nStatus: {'5.1.1' if '5.1.1' in answer else '5.0.0'}\n"
    other = "Final-Recipient: rfc822;cy@south.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Unknown user"
    told = f"{refused}\n\n<cy@south.example>: host mx.south.example said:\n    550 Unknown user (in reply to RCPT TO command)"
    bo, cy = report(f"{fields}Diagnostic-Code: smtp; {answer}", other, text=told).deliveries
    assert (bo.outcome, cy.outcome) == (outcome, "hard")
    (alone,) = report(f"{fields}Diagnostic-Code: smtp; {answer}", text=refused).deliveries
    assert alone.outcome == outcome


@pytest.mark.parametrize(
    ("text", "status", "reply"),
    [
        ("host 192.0.2.5 said: 550 5.7.26 no", "5.7.26", 550),
        ("smtp; 550-5.1.1 no", "5.1.1", 550),
        ("(#4.4.1)", "4.4.1", None),
        ("5.1.0 - Unknown address error 550-'5.7.1 Access denied'", "5.7.1", 550),
        ("5.0.0 and 5.1.2", "5.1.2", None),
        ("version 15.2.1.1 port 587", None, None),
    ],
)
def test_codes_are_found_and_addresses_of_hosts_are_none(text: str, status: str | None, reply: int | None) -> None:
    assert (status_in(text), reply_in(text)) == (status, reply)


DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.north.example>"


def test_a_report_in_words_names_the_address_and_the_reason() -> None:
    text = (
        "I could not deliver your message.\n\n<bo@south.example>:\n192.0.2.7 does not like recipient.\n"
        "Remote host said: 550 5.1.1 User unknown\n\n<cy@south.example>:\nMailbox is full\n\n"
        "--- Below this line is a copy of the message.\n\nMessage-ID: <7@north.example>\nFrom: ada@north.example\nTo: bo@south.example\n"
    )
    message = sent("Subject: failure notice\nTo: ada@north.example", text, DAEMON)
    assert [(one.recipient, one.outcome, one.cause, one.status) for one in message.deliveries] == [
        ("bo@south.example", "hard", "address", "5.1.1"),
        ("cy@south.example", "soft", "full", None),
    ]
    assert message.original is not None
    assert message.original.message_id == "<7@north.example>"


def test_whose_message_it_was_is_not_taken_for_who_failed() -> None:
    text = "A message of\nada@north.example\ncould not be delivered to\nbo@south.example: User unknown\n"
    message = sent("Subject: Undeliverable\nTo: ada@north.example", text, DAEMON)
    assert [(one.recipient, one.outcome) for one in message.deliveries] == [("bo@south.example", "hard")]


def test_a_warning_in_words_is_a_delay() -> None:
    text = (
        "Your message has not been delivered yet. Delivery attempts will continue.\n\nbo@south.example\n  Connection timed out\n"
    )
    message = sent("Subject: Warning: could not send message for past 4 hours\nTo: ada@north.example", text, DAEMON)
    assert [(one.recipient, one.outcome, one.cause) for one in message.deliveries] == [("bo@south.example", "delayed", "network")]
    assert message.automatic == "notification"


def test_the_header_of_failed_recipients_is_believed() -> None:
    message = sent(
        "Subject: Mail delivery failed\nX-Failed-Recipients: bo@south.example\nTo: ada@north.example", "No luck.", DAEMON
    )
    assert [(one.recipient, one.outcome, one.cause) for one in message.deliveries] == [("bo@south.example", "soft", "unknown")]


def test_a_person_who_passes_a_bounce_on_is_a_person() -> None:
    text = "What is this?\n\n> Final-Recipient: rfc822; bo@south.example\n> Action: failed\n\nFinal-Recipient: rfc822; bo@south.example"
    message = sent("Subject: Fwd: Undelivered Mail Returned to Sender", text)
    assert (message.kind, message.deliveries) == ("ordinary", ())


def test_a_vacation_note_of_a_postmaster_is_no_bounce() -> None:
    message = sent(
        "Subject: Out of office\nReturn-Path: <>", "I cannot reach my mail; the delivery will fail.", "postmaster@north.example"
    )
    assert message.automatic == "out_of_office"


def test_a_complaint_is_feedback() -> None:
    body = (
        "--b\n\nAn abuse report.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: Abuse\nUser-Agent: Box/1\n"
        "Original-Rcpt-To: <bo@south.example>\nArrival-Date: Sat, 21 Nov 2026 07:50:35 +0000\n\n--b\nContent-Type: message/rfc822\n\n"
        "Message-ID: <7@north.example>\nFrom: ada@north.example\n\nhi\n--b--\n"
    )
    message = sent("Subject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=b", body)
    assert message.kind == "feedback"
    assert message.as_raw()["feedback"] == {
        "type": "abuse",
        "recipients": ["bo@south.example"],
        "agent": "Box/1",
        "at": "2026-11-21T07:50:35Z",
    }
    assert message.original is not None
    assert message.original.message_id == "<7@north.example>"


def test_a_read_receipt_is_no_reply() -> None:
    body = (
        "--b\n\nIt was read.\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;bo@south.example\n"
        "Original-Message-ID: <7@north.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n"
    )
    message = sent("Subject: Read: Keys\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b", body)
    assert message.kind == "read_receipt"
    assert [(one.recipient, one.outcome) for one in message.deliveries] == [("bo@south.example", "delivered")]
