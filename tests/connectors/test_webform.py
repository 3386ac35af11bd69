"""Forms and programs that post: who is let in, what is kept, and what they are told."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aios_connect_webform import WebForm
from aios_connect_webform.content import read_content
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_connect.connectors import AuthError, ConfigError, CursorGoneError, Hint, Receives, RejectedError, Request
from aios_connect.connectors.webhooks import Answers

from .webform_desk import KEY, NOON, SITE, URLENCODED, Desk, multipart, said

ANN = {"name": "Ann Lee", "email": "ann@example.org", "message": "Two offices, please."}
JSON = "application/json"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, origins=SITE, trap="fax", shown="shown_at")
    yield desk
    desk.form.close()


# what comes in


def test_a_form_is_an_enquiry_with_its_fields(desk: Desk) -> None:
    reply = desk.post({**ANN, "Rooms": "14"}, referer=f"{SITE}/quote?utm_medium=cpc&utm_campaign=autumn&utm_source=google#top")
    assert reply.status == 200
    (raw,) = desk.records()
    assert raw["id"] == said(reply)["id"]
    assert raw["fields"] == {**ANN, "Rooms": "14"}
    assert (raw["channel"], raw["trust"], raw["via"], raw["source"]) == ("web_form", "unverified", "form", "website")
    assert raw["received_at"] == raw["accepted_at"] == "2026-11-21T12:00:00.000000Z"
    assert raw["first"] == {"medium": "cpc", "campaign": "autumn", "source": "google", "landing": f"{SITE}/quote"}
    assert desk.records("calls") == []


def test_a_page_says_where_it_is_as_browsers_tell_other_sites_no_more_than_the_origin(desk: Desk) -> None:
    page = f"{SITE}/quote?utm_source=google&gclid=1"
    desk.post({**ANN, "page": page, "referrer": "https://search.example/"}, referer=f"{SITE}/")
    (raw,) = desk.records()
    assert raw["first"] == {"source": "google", "landing": f"{SITE}/quote", "referrer": "https://search.example/"}
    desk.post({"message": "by hand"}, referer=f"{SITE}/")
    assert desk.records()[-1]["first"] == {"landing": f"{SITE}/"}


def test_a_program_with_the_key_is_known(desk: Desk) -> None:
    assert desk.keyed(json.dumps({**ANN, "rooms": 14, "area": {"unit": "m2"}}).encode(), JSON).status == 200
    (raw,) = desk.records()
    assert raw["trust"] == "verified"
    assert raw["fields"] == {**ANN, "rooms": 14, "area": {"unit": "m2"}}


def test_a_form_with_files_keeps_their_names_and_their_bytes(desk: Desk) -> None:
    plan = bytes(range(256)) + b"\r\n--x\r\n"
    body, kind = multipart(
        ('name="message"', "", "Grüße\r\nzwei".encode()),
        ('name="plan"; filename="C:\\plans\\floor %22A%22.pdf"', "application/pdf", plan),
        ('name="photo"; filename=""', "application/octet-stream", b""),
        ('name="room"', "", b"kitchen"),
        ('name="room"', "", b"hall"),
    )
    assert desk.send(body, kind, origin=SITE).status == 200
    (raw,) = desk.records()
    assert raw["fields"] == {"message": "Grüße\nzwei", "room": ["kitchen", "hall"]}
    assert raw["files"] == [{"field": "plan", "name": 'floor "A".pdf', "type": "application/pdf", "size": len(plan)}]
    with sqlite3.connect(desk.inbox) as inbox:
        assert inbox.execute("select body from delivery").fetchone()[0] == body
    inbox.close()


def test_what_is_kept_is_the_body_byte_by_byte_and_the_headers_that_are_named(desk: Desk) -> None:
    body = urlencode(ANN).encode() + b"&empty="
    desk.send(body, origin=SITE, cookie="session=1", user_agent="Mozilla", x_forwarded_for="203.0.113.9")
    desk.keyed(b"message=two")
    with sqlite3.connect(desk.inbox) as inbox:
        rows = inbox.execute("select headers, body from delivery order by number").fetchall()
    inbox.close()
    assert rows[0][1] == body
    assert json.loads(rows[0][0]) == {"content-type": URLENCODED, "origin": SITE, "user-agent": "Mozilla"}
    assert KEY not in str(rows)


def test_a_point_in_a_name_is_a_blank_as_paths_have_points(desk: Desk) -> None:
    desk.keyed(b'{"address.city": "Oslo"}', JSON)
    desk.post({"address.city": "Bergen"})
    assert [raw["fields"] for raw in desk.records()] == [{"address city": "Oslo"}, {"address city": "Bergen"}]


def test_half_characters_and_control_characters_do_not_come_through(desk: Desk) -> None:
    desk.keyed(b'{"message": "a\\u0000b\\ud83d", "more": ["x\\u0007"]}', JSON)
    assert desk.fields() == {"message": "ab\ufffd", "more": ["x"]}


def test_a_long_number_keeps_its_digits(desk: Desk) -> None:
    desk.keyed(b'{"amount": 12345678901234567890.123456789, "n": 123456789012345678901234567890}', JSON)
    assert {name: str(value) for name, value in desk.fields().items()} == {
        "amount": "12345678901234567890.123456789",
        "n": "123456789012345678901234567890",
    }


def test_a_long_number_keeps_its_digits_beside_half_a_character(desk: Desk) -> None:
    desk.keyed(b'{"amount": 12345678901234567890.123456789, "message": "\\ud83d"}', JSON)
    assert str(desk.fields()["amount"]) == "12345678901234567890.123456789"


def test_a_form_in_an_older_character_set_is_read(desk: Desk) -> None:
    desk.keyed(b"name=Zo%EB", f"{URLENCODED}; charset=ISO-8859-1")
    assert desk.fields() == {"name": "Zo\u00eb"}


def test_what_follows_under_the_senders_own_id_adds_to_the_enquiry(tmp_path: Path) -> None:
    desk = Desk(tmp_path, id_field="ref")
    first = desk.keyed(b"ref=7&name=Ann&message=Hello&utm_medium=email")
    desk.wait(3600)
    second = desk.keyed(b'{"ref": "7", "message": "Hello again", "utm_medium": "phone"}', JSON)
    assert said(first) == said(second) == {"id": "7"}
    (raw,) = desk.records()
    assert raw["fields"] == {"ref": "7", "name": "Ann", "message": "Hello again", "utm_medium": "phone"}
    assert (raw["deliveries"], raw["first"], raw["last"]) == (2, {"medium": "email"}, {"medium": "phone"})
    assert (raw["received_at"], raw["changed_at"]) == ("2026-11-21T12:00:00.000000Z", "2026-11-21T13:00:00.000000Z")
    desk.form.close()


def test_what_is_said_again_after_something_else_counts_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, id_field="ref")
    for status in (b"open", b"closed", b"closed", b"open"):
        desk.keyed(b"ref=7&status=" + status)
    assert desk.fields() == {"ref": "7", "status": "open"}
    assert desk.records()[0]["deliveries"] == 4
    desk.form.close()


def test_a_stranger_cannot_add_to_somebody_elses_enquiry(tmp_path: Path) -> None:
    desk = Desk(tmp_path, id_field="ref", origins=SITE)
    desk.keyed(b"ref=7&name=Ann")
    desk.post({"ref": "7", "name": "Mallory"})
    assert sorted(raw["fields"]["name"] for raw in desk.records()) == ["Ann", "Mallory"]
    desk.form.close()


# the same enquiry once more


def test_the_same_key_is_the_same_enquiry_for_ever(desk: Desk) -> None:
    first = desk.post(ANN, idempotency_key="k-1")
    desk.wait(10 * 86_400)
    again = desk.post(ANN, idempotency_key='"k-1"')  # as a string of RFC 9651, as the draft has it
    assert (again.status, said(again)) == (200, said(first))
    (raw,) = desk.records()
    assert (raw["deliveries"], raw["key"]) == (2, "k-1")


def test_the_same_key_with_another_content_is_a_conflict_that_says_so(desk: Desk) -> None:
    desk.post(ANN, idempotency_key="k-1")
    reply = desk.post({**ANN, "message": "Three offices."}, idempotency_key="k-1")
    assert reply.status == 409
    assert "Idempotency-Key came before" in said(reply)["error"]
    assert "key of its own" in said(reply)["hint"]
    assert desk.fields() == ANN


def test_the_same_content_is_the_same_enquiry_for_a_while(desk: Desk) -> None:
    first = desk.post(ANN)
    desk.wait(599)
    assert said(desk.post(ANN)) == said(first)
    assert desk.post({**ANN, "message": "Three offices."}).status == 200
    assert len(desk.records()) == 2
    desk.wait(601)
    assert said(desk.post(ANN)) != said(first)
    assert len(desk.records()) == 3


def test_the_same_content_in_another_wrapping_is_the_same(desk: Desk) -> None:
    one, kind = multipart(('name="message"', "", b"Hello"), boundary="one")
    two, other = multipart(('name="message"', "", b"Hello"), boundary="two")
    assert said(desk.send(one, kind, origin=SITE)) == said(desk.send(two, other, origin=SITE))
    assert len(desk.records()) == 1


def test_when_the_form_was_shown_is_no_part_of_what_it_says(desk: Desk) -> None:
    first = desk.post({**ANN, "shown_at": "2026-11-21T11:00:00Z"})
    assert said(desk.post({**ANN, "shown_at": "2026-11-21T11:30:00Z"})) == said(first)
    assert desk.fields() == ANN


def test_two_keys_are_two_enquiries_even_with_the_same_content(desk: Desk) -> None:
    assert said(desk.post(ANN, idempotency_key="k-1")) != said(desk.post(ANN, idempotency_key="k-2"))


def test_a_stranger_cannot_use_up_the_key_of_a_program(desk: Desk) -> None:
    desk.post({"message": "mine now"}, idempotency_key="order-1")
    assert desk.keyed(b"message=theirs", idempotency_key="order-1").status == 200
    assert sorted((raw["fields"]["message"], raw["trust"]) for raw in desk.records()) == [
        ("mine now", "unverified"),
        ("theirs", "verified"),
    ]


# who is let in


def test_nobody_is_let_in_without_a_key_or_an_origin(desk: Desk) -> None:
    reply = desk.send(urlencode(ANN).encode())
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer KEY" in said(reply)["hint"]
    assert desk.records() == []


@pytest.mark.parametrize("header", [f"Bearer {KEY}x", "Bearer ", "Bearer é", f"Basic {KEY}", KEY, f"Bearer {KEY}, Bearer {KEY}"])
def test_another_key_is_refused_and_not_echoed(desk: Desk, header: str) -> None:
    reply = desk.send(urlencode(ANN).encode(), authorization=header)
    assert reply.status == 401
    assert KEY not in str(reply)
    assert desk.records() == []


def test_while_a_key_is_replaced_both_are_good(tmp_path: Path) -> None:
    desk = Desk(tmp_path, key=f"{KEY} key-of-tomorrow-2")
    assert desk.send(b"message=a", authorization="Bearer key-of-tomorrow-2").status == 200
    assert desk.send(b"message=b", authorization=f"Bearer {KEY}").status == 200
    desk.form.close()


@pytest.mark.parametrize("where", ["?key={}", "/{}", "/%6B{}"])
def test_a_key_in_the_address_is_refused_as_logs_keep_it(desk: Desk, where: str) -> None:
    url = f"https://hooks.example.com/website{where.format(KEY.removeprefix('k') if '%6B' in where else KEY)}"
    reply = desk.send(b"message=a", url=url, authorization=f"Bearer {KEY}")
    assert reply.status == 400
    assert "address" in said(reply)["error"] and "replaced" in said(reply)["hint"]
    assert KEY not in str(reply)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://www.example.com.evil.example", "http://www.example.com", ""]
)
def test_a_page_of_another_site_is_refused_even_with_the_key(desk: Desk, origin: str) -> None:
    for reply in (desk.keyed(b"message=a", origin=origin), desk.send(b"message=a", origin=origin)):
        assert reply.status == 403
        assert "access-control-allow-origin" not in reply.headers
    assert desk.records() == []


def test_no_page_may_send_unless_its_site_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.post(ANN).status == 403
    assert desk.send(b"", method="OPTIONS", origin=SITE).status == 403
    desk.form.close()


def test_a_browser_may_ask_first(desk: Desk) -> None:
    reply = desk.send(b"", method="OPTIONS", origin=SITE, access_control_request_method="POST")
    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == SITE
    assert reply.headers["access-control-allow-methods"] == "POST"
    assert "authorization" not in reply.headers["access-control-allow-headers"]
    assert desk.post(ANN).headers["access-control-allow-origin"] == SITE


def test_without_a_key_of_ours_whoever_shows_one_is_asked_to_come_later(tmp_path: Path) -> None:
    desk = Desk(tmp_path, key="", origins=SITE)
    reply = desk.keyed(b"message=a")
    assert (reply.status, reply.headers["retry-after"]) == (503, "60")
    assert desk.post(ANN).status == 200
    desk.form.close()


# what is wrong with it


@pytest.mark.parametrize(
    ("body", "kind", "status", "place"),
    [
        (b'{"a": 1,}', JSON, 400, "line 1, column 9"),
        (b"[1]", JSON, 400, "no object"),
        (b"", JSON, 400, "line 1, column 1"),
        (b'{"a": NaN}', JSON, 400, "not JSON"),
        (b"[" * 100_000, JSON, 400, "not JSON"),
        (b"a=\xff", URLENCODED, 400, "field 1 (a)"),
        (b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", JSON, 400, "deeper than 50"),
        (b'{"a": ' * 600 + b"1" + b"}" * 600, JSON, 400, "deeper than 50"),
        (b"a=b", f"{URLENCODED}; charset=klingon", 400, "klingon"),
        (b"a=b", f"{URLENCODED}; charset=undefined", 400, "undefined"),
        (b"a=b", f"{URLENCODED}; charset=unicode_escape", 400, "unicode_escape"),
        (b"a=b", f'{URLENCODED}; charset="a\x00b"', 400, "character set"),
        (b"&".join(b"a=b" for _ in range(1001)), URLENCODED, 400, "1,001 fields"),
        (b"", URLENCODED, 400, "nothing in it"),
        (b"a=&b=", URLENCODED, 400, "nothing in it"),
        (b"a=b", "text/plain", 415, "text/plain"),
        (b"a=b", "", 415, "nothing"),
        (b"--x\r\n", "multipart/form-data", 400, "boundary"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x',
            "multipart/form-data; boundary=x",
            400,
            "last boundary",
        ),
        (b"--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--", "multipart/form-data; boundary=x", 400, "part 1"),
        (b"--x\r\nnothing\r\n--x--", "multipart/form-data; boundary=x", 400, "part 1"),
        (b"a=" + b"b" * 1_000_000, URLENCODED, 413, "1,000,002 bytes"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_a_way_out(desk: Desk, body: bytes, kind: str, status: int, place: str) -> None:
    desk.keyed(b"message=before")
    reply = desk.keyed(body, kind)
    assert reply.status == status
    assert place in said(reply)["error"]
    assert said(reply)["hint"]
    desk.keyed(b"message=after")
    assert [raw["fields"]["message"] for raw in desk.records()] == ["before", "after"]


def test_a_person_is_told_what_is_wrong_on_a_page_that_runs_nothing(desk: Desk) -> None:
    reply = desk.keyed(b"<script>=\xff", accept="text/html")
    assert reply.status == 400
    assert b"&lt;script&gt;" in reply.body and b"<script>" not in reply.body
    assert reply.headers["content-security-policy"] == "default-src 'none'"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_a_post_brings_something(desk: Desk, method: str) -> None:
    reply = desk.send(b"message=a", method=method, authorization=f"Bearer {KEY}")
    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")
    assert desk.records() == []


@settings(deadline=None)
@given(body=st.binary(max_size=300), kind=st.sampled_from([URLENCODED, JSON, "multipart/form-data; boundary=x"]))
def test_whatever_comes_is_read_or_refused(body: bytes, kind: str) -> None:
    try:
        content = read_content(body, kind)
    except RejectedError as error:
        refused = error
    else:
        json.dumps(content.fields, default=str, ensure_ascii=False).encode()
        return
    assert refused.status == 400
    assert refused.hint


@settings(deadline=None)
@given(fields=st.lists(st.tuples(st.text(min_size=1, max_size=9), st.text(max_size=30)), max_size=6))
def test_both_ways_to_send_a_form_say_the_same(fields: list[tuple[str, str]]) -> None:
    plain = [(name.translate({ord(c): "_" for c in '"\\%\r\n'}), value) for name, value in fields]
    sendable = [(name, value) for name, value in plain if not any("\ud800" <= c <= "\udfff" for c in name + value)]
    wrapped, kind = multipart(*((f'name="{name}"', "", value.encode()) for name, value in sendable))
    assert read_content(wrapped, kind).fields == read_content(urlencode(sendable).encode(), URLENCODED).fields


_HOSTILE = st.text(max_size=40) | st.sampled_from(
    ["http://[", "http://a:99999", "1e999", "9" * 30, "\x00", "//[", "http://\u2100"]
)


@settings(max_examples=40, deadline=None)  # each opens an inbox on the disk
@given(
    said=st.dictionaries(
        st.sampled_from(["message", "page", "referrer", "shown_at", "utm_medium", "email"]), _HOSTILE, min_size=1
    ),
    referer=_HOSTILE,
    url=_HOSTILE,
)
def test_whatever_a_stranger_writes_is_answered_and_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, str], referer: str, url: str
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"), origins=SITE, shown="shown_at")
    body = urlencode({name: value.encode("utf-8", "replace") for name, value in said.items()}).encode()
    reply = desk.send(body, origin=SITE, referer=referer, url=url)
    assert reply.status in (200, 400)
    assert len(desk.records()) == (reply.status == 200)
    assert desk.aside() == []
    desk.form.close()


# machines


def test_who_fills_in_the_trap_is_kept_aside_and_told_the_same(desk: Desk) -> None:
    person, machine = desk.post(ANN), desk.post({**ANN, "fax": "1"})
    assert (machine.status, machine.headers, len(machine.body)) == (person.status, person.headers, len(person.body))
    assert len(desk.records()) == 1
    (aside,) = desk.aside()
    assert (aside.id, aside.reason) == (said(machine)["id"], "the field 'fax', which people do not see, is filled in")
    assert "fax=1" in aside.raw
    assert desk.form.lookup("submissions", [said(machine)["id"]]) == []
    assert desk.form.check().details == {"submissions": "1", "people": "1", "aside": "1"}


@pytest.mark.parametrize(
    "spell", [lambda at: at.isoformat(), lambda at: str(int(at.timestamp())), lambda at: str(int(at.timestamp() * 1000))]
)
def test_who_is_faster_than_a_person_is_kept_aside(desk: Desk, spell: object) -> None:
    assert callable(spell)
    shown = spell(NOON)
    desk.wait(2)
    desk.post({**ANN, "shown_at": shown})
    (aside,) = desk.aside()
    assert aside.reason == "it was filled in within 2.0 seconds"
    desk.wait(2)
    assert desk.post({**ANN, "shown_at": shown}).status == 200
    assert desk.fields() == ANN  # a person who was too fast sends again, and is heard


def test_a_person_who_was_too_fast_is_heard_under_the_same_key_too(desk: Desk) -> None:
    form = {**ANN, "shown_at": NOON.isoformat()}
    id = said(desk.post(form, idempotency_key="k-1"))["id"]
    (page,) = desk.form.read("submissions")
    assert [bad.id for bad in page.quarantined] == [id]
    desk.wait(10)
    assert said(desk.post(form, idempotency_key="k-1")) == {"id": id}
    (later,) = desk.form.read("submissions", page.cursor)
    assert [(raw["id"], raw["fields"]) for raw in later.records] == [(id, ANN)]


@pytest.mark.parametrize("shown", ["", "soon", "2026-11-21T13:00:00Z", "-5", "1e400", "9" * 400])
def test_a_clock_that_makes_no_sense_says_nothing(desk: Desk, shown: str) -> None:
    desk.post({**ANN, "shown_at": shown})
    assert desk.aside() == []
    assert desk.fields() == ANN


@pytest.mark.parametrize("value", [True, 1, ["x"], " x "])
def test_a_trap_that_is_filled_in_with_anything_catches(desk: Desk, value: object) -> None:
    desk.keyed(json.dumps({**ANN, "fax": value}).encode(), JSON)
    desk.keyed(json.dumps({**ANN, "fax": ""}).encode(), JSON)
    assert len(desk.aside()) == len(desk.records()) == 1


def test_what_was_caught_can_be_released(desk: Desk) -> None:
    id = said(desk.post({**ANN, "fax": "1"}))["id"]
    (page,) = desk.form.read("submissions")
    assert desk.form.release(id)
    (later,) = desk.form.read("submissions", page.cursor)
    assert [(raw["id"], raw["fields"], raw["deliveries"]) for raw in later.records] == [(id, ANN, 1)]
    assert not desk.form.release(id)
    assert desk.aside() == []


# what is told


def test_a_browser_is_sent_to_the_page_of_the_settings_and_nowhere_else(tmp_path: Path) -> None:
    desk = Desk(tmp_path, origins=SITE, thanks=f"{SITE}/thanks")
    reply = desk.post({**ANN, "redirect": "https://evil.example", "next": "https://evil.example"}, accept="text/html,*/*")
    assert (reply.status, reply.headers["location"], reply.body) == (303, f"{SITE}/thanks", b"")
    assert "location" not in desk.post(ANN, accept="*/*").headers
    desk.form.close()


def test_a_browser_without_a_page_to_go_to_is_thanked(desk: Desk) -> None:
    reply = desk.post(ANN, accept="text/html")
    assert reply.status == 200
    assert b"Thank you" in reply.body


def test_a_hint_says_what_there_is_to_read(desk: Desk) -> None:
    assert isinstance(desk.form, Receives) and isinstance(desk.form, Answers)
    request = Request("POST", "https://hooks.example.com/website", {"content-type": URLENCODED, "origin": SITE}, b"message=a")
    (hint,) = desk.form.receive(request)
    (raw,) = desk.records()
    assert hint == Hint("submissions", raw["id"])
    assert desk.form.answer(request).hints == [hint]
    assert [one.event for one in desk.post(ANN, idempotency_key="k-1").hints] == ["k-1"]
    with pytest.raises(AuthError) as caught:
        desk.form.receive(Request("POST", "https://hooks.example.com/website", {}, b"message=a"))
    assert caught.value.status == 401


# the inbox


def test_what_was_erased_is_gone_from_the_file_and_does_not_come_back(desk: Desk) -> None:
    plan = "a secret plan; " * 3000
    id = said(desk.post({**ANN, "message": plan}, idempotency_key="k-1"))["id"]
    (page,) = desk.form.read("submissions")
    assert desk.form.erase(id)
    (later,) = desk.form.read("submissions", page.cursor)
    assert [stone.id for stone in later.tombstones] == [id]
    assert desk.post({**ANN, "message": plan}, idempotency_key="k-1").status == 200
    assert desk.records() == []
    assert not desk.form.erase(id)
    desk.form.close()
    for file in desk.inbox.parent.iterdir():
        assert b"secret" not in file.read_bytes()


def test_the_inbox_is_for_the_eyes_of_its_user(desk: Desk) -> None:
    desk.post(ANN)
    for path in (desk.inbox, desk.inbox.parent):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert (desk.inbox.parent / ".gitignore").read_text("utf-8") == "*\n"


def test_what_was_kept_is_read_as_it_came_whatever_the_settings_say_now(desk: Desk, tmp_path: Path) -> None:
    desk.post(ANN)
    desk.form.close()
    other = Desk(tmp_path, source="stripe")
    (raw,) = other.records()
    assert (raw["via"], raw["fields"]) == ("form", ANN)
    other.form.close()


def test_a_cursor_of_another_inbox_is_gone(desk: Desk, tmp_path: Path) -> None:
    desk.post(ANN)
    (page,) = desk.form.read("submissions")
    other = Desk(tmp_path / "elsewhere", origins=SITE)
    other.post(ANN)
    for cursor in (page.cursor, {"inbox": page.cursor["inbox"], "after": 99}, {"after": 1}):
        with pytest.raises(CursorGoneError):
            list(other.form.read("submissions", cursor))
    other.form.close()


def test_an_inbox_that_cannot_be_written_sends_everybody_back_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "taken").write_text("a file, where a folder should be")
    desk = Desk(tmp_path, inbox="taken/inbox.db", origins=SITE)
    reply = desk.post(ANN)
    assert reply.status == 503
    assert "send it again" in said(reply)["hint"]
    assert str(tmp_path) in caplog.text  # for who runs this
    assert str(tmp_path) not in str(reply)  # and not for who sends
    desk.form.close()


def test_what_is_missing_before_anything_can_come_in_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path, key="")
    assert "origins" in desk.form.check().missing["receive"]
    desk.form.close()
    short = Desk(tmp_path, key="a-short-one")
    assert "16 characters" in short.form.check().missing["receive"]
    short.form.close()
    signed = Desk(tmp_path, key="", source="stripe", inbox="stripe.db")
    assert "aios connect website" in signed.form.check().missing["receive"]
    signed.form.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"source": "fax"},
        {"channel": "pigeon"},
        {"origins": "www.example.com"},
        {"origins": f"{SITE}/page"},
        {"thanks": "/thanks"},
        {"thanks": "https://[www.example.com"},
        {"origins": "https://www.example.com:port"},
        {"thanks": "javascript:alert(1)"},
        {"thanks": f"{SITE}/a\r\nset-cookie: b"},
        {"max_bytes": "much"},
        {"window": "-1"},
    ],
)
def test_a_setting_that_is_wrong_is_said_when_it_is_loaded(tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Desk(tmp_path, **settings)
    assert caught.value.hint
    assert next(iter(settings)) in str(caught.value)


def test_every_setting_has_a_use() -> None:
    assert all(setting.help and not setting.required for setting in WebForm.spec.settings)
    assert [setting.name for setting in WebForm.spec.settings if setting.secret] == ["key"]
