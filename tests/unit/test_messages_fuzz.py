"""Whatever comes in, a message or a refusal comes out, and nothing in it that a database could not keep."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aios_connect.connectors.messages import UnreadableMessageError, understand
from aios_connect.connectors.messages.markup import plain
from aios_connect.connectors.messages.replies import reply_in

BOUNCE = b"""From: MAILER-DAEMON@mx.example\r
To: =?utf-8?q?J=C3=BCrgen?= <j@k.example>, "A, B" <a@b.example>\r
Date: Sat, 21 Nov 2026 08:50:35 +0100\r
Message-ID: <1@mx.example>\r
Subject: Undelivered Mail\r
Content-Type: multipart/report; boundary="=b"\r
\r
--=b\r
Content-Type: text/html; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
\r
<p>Gr=FC=DFe<blockquote>x</blockquote>\r
--=b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
\r
Final-Recipient: rfc822; bo@south.example\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 User unknown\r
\r
--=b\r
Content-Type: application/pdf\r
Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b.pdf\r
Content-Transfer-Encoding: base64\r
\r
YWJj\r
--=b--\r
"""
PIECES = st.sampled_from(
    [
        b"\r\n", b"\r", b"\n\n", b"\0", b"=?utf-8?b?", b"?=", b"--=b", b"--=b--", b"boundary=", b"Content-Type: ", b"multipart/mixed;",
        b"message/rfc822\n\n", b"charset=", b"utf-7", b"undefined", b"idna", b"<", b">", b'"', b"(", b"@", b"\xff\xfe", b"\xed\xa0\x80",
        b";", b"filename*0*=", b"utf-16''%D8%00", b"Content-Transfer-Encoding: x-uuencode\n", b"begin 644 a\nM", b"<![CDATA[", b"<!--",
        b"Date: 1 Jan 99999 99:99:99 +9999\n", b"Final-Recipient: rfc822;", b"text/calendar; method=", b"iso-2022-kr", b"format=flowed",
    ]
)  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.integers(0, len(BOUNCE)), st.integers(0, 40), PIECES | st.binary(max_size=12)), min_size=1, max_size=25
)


def taken(raw: bytes) -> None:
    try:
        message = understand(raw)
    except UnreadableMessageError as refused:
        reason = str(refused)
    else:
        record = json.dumps(message.as_raw(), ensure_ascii=False)
        assert "\\u0000" not in record.replace("\\\\", "")
        assert all(char < "\ud800" or char > "\udfff" for char in record)
        assert message.date is None or message.date.utcoffset() is not None
        reason = "taken in"
    assert reason


@given(st.binary(max_size=400))
@example(b"From: a@b\n\n")
@settings(deadline=None)
def test_any_bytes(raw: bytes) -> None:
    taken(raw)
    taken(b"From: a@b.example\n" + raw)


@given(CHANGES)
@settings(deadline=None, max_examples=200)
def test_a_message_changed_anywhere(changes: list[tuple[int, int, bytes]]) -> None:
    raw = bytearray(BOUNCE)
    for place, length, piece in changes:
        raw[place : place + length] = piece
    taken(bytes(raw))


@given(
    st.text(max_size=300),
    st.sampled_from(["to", "subject", "date", "references", "content-type", "content-disposition", "list-unsubscribe"]),
)
@settings(deadline=None)
def test_any_text_in_a_header(text: str, name: str) -> None:
    taken(f"From: a@b.example\n{name}: {text}\n\nhi".encode("utf-8", "surrogatepass"))


@given(st.text(alphabet="<>/!-abp \n\"'=&#;123", max_size=300))
@settings(deadline=None)
def test_any_html_is_made_text(html: str) -> None:
    assert isinstance(plain(html).text, str)


LINES = st.lists(
    st.sampled_from(
        [
            "Hello",
            "> quoted",
            "",
            "-- ",
            "On 1 Jan 2026, Bo <b@c.example> wrote:",
            "From: b@c.example",
            "Sent: 1 Jan",
            "To: a@b.example",
            "-----Original Message-----",
            "Sent from my iPhone",
            "+1 503 555 0142",
            "-Ada",
        ]
    ),
    max_size=14,
)


@given(LINES)
@settings(deadline=None)
def test_a_reply_is_part_of_the_text_and_nothing_in_it_is_quoted(lines: list[str]) -> None:
    reply = reply_in("\n".join(lines)).split("\n")
    rest: Any = iter([line.rstrip() for line in lines])
    assert not [line for line in reply if line.startswith(">")]
    assert all(any(line == other for other in rest) for line in reply if line)


def test_a_form_that_begins_like_the_head_of_a_message_is_not_cut() -> None:
    form = "From: Cy\nDate: 1 Jan 2026\nTo: sales\nSubject: a boiler\n\nPlease call."
    assert reply_in(form) == form
    assert reply_in(f"Yes.\n\n{form}") == "Yes."
