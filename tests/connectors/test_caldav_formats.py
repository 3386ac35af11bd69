"""Events and contacts as text: what a change touches, what it leaves, when things take place, and what hostile text does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aios_connect_caldav.cards import Cards
from aios_connect_caldav.events import Events
from aios_connect_caldav.formats import NotOursError, UnreadableError
from aios_connect_caldav.lines import Line, escaped, lines_of, parts_of, unescaped
from aios_connect_caldav.recurring import occurrences
from aios_connect_caldav.zones import definition
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aios_connect.connectors import Raw

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PARIS = ("DTSTART;TZID=Europe/Paris:20261020T090000", "DTEND;TZID=Europe/Paris:20261020T100000")
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Shop
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0330
TZOFFSETTO:+0330
END:STANDARD
END:VTIMEZONE"""


def calendar(*lines: str, head: str = "") -> str:
    told = "\n".join(["UID:a@x", "DTSTAMP:20261121T000000Z", *lines])
    events = "\n".join(f"BEGIN:VEVENT\n{part}\nEND:VEVENT" for part in told.split("\n===\n"))
    return "\n".join(part for part in ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", head, events, "END:VCALENDAR", "") if part)


def changed(text: str, patch: Raw) -> tuple[Raw, Raw, str]:
    """The record before and after, and the text."""
    after = Events().changed(text, patch, NOW)
    return Events().read(text), Events().read(after), after.replace("\r\n ", "").replace("\r\n", "\n")


def starts(text: str, *, home: ZoneInfo | None = None) -> list[str]:
    found = occurrences(text, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), home=home or UTC)
    return [f"{one.start:%m-%d %H:%M}" for one in found]


# Times


@pytest.mark.parametrize(
    ("lines", "start", "end", "zone", "all_day"),
    [
        (PARIS, "2026-10-20T07:00:00Z", "2026-10-20T08:00:00Z", "Europe/Paris", False),
        (("DTSTART:20261020T090000Z", "DURATION:PT90M"), "2026-10-20T09:00:00Z", "2026-10-20T10:30:00Z", "UTC", False),
        (("DTSTART:20261020T090000Z",), "2026-10-20T09:00:00Z", "2026-10-20T09:00:00Z", "UTC", False),
        (("DTSTART;VALUE=DATE:20261020",), "2026-10-20T00:00:00Z", "2026-10-21T00:00:00Z", None, True),
        (("DTSTART:20261020T090000",), "2026-10-20T14:00:00Z", "2026-10-20T14:00:00Z", None, False),
        (("DTSTART;TZID=W. Europe Standard Time:20261020T090000",), "2026-10-20T07:00:00Z", None, "Europe/Berlin", False),
        (
            ("DTSTART;TZID=Europe/Paris:20261024T090000", "DURATION:P1D"),
            "2026-10-24T07:00:00Z",
            "2026-10-25T08:00:00Z",
            "Europe/Paris",
            False,
        ),
        (("DTSTART;TZID=Europe/Paris:20261024T090000", "DURATION:PT24H"), "2026-10-24T07:00:00Z", None, "Europe/Paris", False),
        (("DTSTART;TZID=Europe/Paris:20260329T023000",), "2026-03-29T01:30:00Z", None, "Europe/Paris", False),
    ],
)
def test_a_time_is_the_instant_that_is_meant(
    lines: tuple[str, ...], start: str, end: str | None, zone: str | None, all_day: bool
) -> None:
    raw = Events(ZoneInfo("America/Chicago")).read(calendar(*lines))
    assert (raw["start"], raw["timezone"], raw["all_day"]) == (start, zone, all_day)
    assert end is None or raw["end"] == end


def test_a_zone_that_the_file_itself_defines_is_followed_and_stays() -> None:
    text = calendar("DTSTART;TZID=Shop:20261020T090000", "DTEND;TZID=Shop:20261020T100000", head=OWN_ZONE)
    before, after, told = changed(text, {"start": "2026-10-20T06:30:00Z", "end": "2026-10-20T07:30:00Z"})
    assert (before["start"], before["timezone"]) == ("2026-10-20T05:30:00Z", None)
    assert (after["start"], after["end"]) == ("2026-10-20T06:30:00Z", "2026-10-20T07:30:00Z")
    assert "DTSTART;TZID=Shop:20261020T100000" in told


def test_a_time_that_floats_goes_on_floating() -> None:
    text = calendar("DTSTART:20261020T090000", "DTEND:20261020T100000")
    _, after, told = changed(text, {"start": "2026-10-20T08:00:00Z"})
    assert "DTSTART:20261020T080000\n" in told
    assert after["timezone"] is None


def test_an_event_can_go_to_another_zone_and_stays_where_it_is_in_time() -> None:
    before, after, told = changed(calendar(*PARIS), {"timezone": "Asia/Tokyo"})
    assert {name for name in before if before[name] != after[name]} == {"timezone"}
    assert "DTSTART;TZID=Asia/Tokyo:20261020T160000" in told
    assert "TZID:Asia/Tokyo" in told


def test_a_length_becomes_an_end_when_the_end_is_changed() -> None:
    _, after, told = changed(calendar("DTSTART:20261020T090000Z", "DURATION:PT1H"), {"start": "2026-10-20T08:00:00Z"})
    assert (after["start"], after["end"]) == ("2026-10-20T08:00:00Z", "2026-10-20T10:00:00Z")
    assert "DURATION" not in told


def test_an_event_at_a_time_can_become_one_of_whole_days_and_back() -> None:
    text = calendar(*PARIS)
    patch = {"all_day": True, "start": "2026-10-20T00:00:00Z", "end": "2026-10-21T00:00:00Z"}
    _, days, told = changed(text, patch)
    assert "DTSTART;VALUE=DATE:20261020\n" in told
    assert (days["all_day"], days["timezone"]) == (True, None)
    back = {"all_day": False, "start": "2026-10-20T07:00:00Z", "end": "2026-10-20T08:00:00Z", "timezone": "Europe/Paris"}
    assert Events().read(Events().changed(told, back, NOW))["start"] == "2026-10-20T07:00:00Z"


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ({"end": "2026-10-20T06:00:00Z"}, "before it begins"),
        ({"start": "20 October"}, "no instant"),
        ({"start": "2026-10-20T06:00:00"}, "time zone"),
        ({"timezone": "Europe/Germany"}, "'Europe/Germany'"),
        ({"timezone": None}, "UTC is one"),
        ({"show_as": "MAYBE"}, "'MAYBE'"),
        ({"uid": "b"}, "uid cannot be written"),
        ({"summary": 5}, "no text"),
        ({"summary": "a\x00b"}, "control character"),
        ({"url": "https://x\u2028y"}, "control character"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_reason(patch: Raw, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Events().changed(calendar(*PARIS), patch, NOW)


def test_no_text_can_begin_a_line_of_its_own() -> None:
    evil = "x\r\nATTENDEE:mailto:evil@example.com\nEND:VEVENT"
    for name in ("summary", "description", "location", "url", "status", "class"):
        text = Events().changed(calendar(*PARIS), {name: evil}, NOW)
        assert Events().read(text)["attendees"] == []
    made = Cards().made("u", {"note": evil, "name": {"given": evil}, "tel": {"cell": evil}, "url": evil}, NOW)
    assert [line.name for line in lines_of(made)].count("ATTENDEE") == 0
    assert Cards().read(made)["note"] == evil.replace("\r\n", "\n")


@pytest.mark.parametrize("line", ["EXDATE;TZID=Europe/Paris:20261027T090000", "RDATE;TZID=Europe/Paris:20261027T100000"])
def test_a_series_with_dates_of_its_own_is_not_moved_and_may_be_renamed(line: str) -> None:
    text = calendar(*PARIS, "RRULE:FREQ=WEEKLY;COUNT=4", line)
    with pytest.raises(ValueError, match="cannot be moved"):
        Events().changed(text, {"start": "2026-10-20T06:00:00Z"}, NOW)
    before, after, _ = changed(text, {"summary": "New"})
    assert {name for name in before if before[name] != after[name]} == {"summary"}


@pytest.mark.parametrize(
    ("rule", "patch", "moved"),
    [
        ("FREQ=WEEKLY;COUNT=4", {"start": "2026-10-22T06:00:00Z", "end": "2026-10-22T07:00:00Z"}, True),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=4", {"start": "2026-10-20T06:00:00Z"}, True),
        ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261110T080000Z", {"timezone": "Africa/Johannesburg"}, True),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=4", {"start": "2026-10-22T06:00:00Z", "end": "2026-10-22T07:00:00Z"}, False),
        ("FREQ=MONTHLY;BYMONTHDAY=20", {"start": "2026-10-22T06:00:00Z", "end": "2026-10-22T07:00:00Z"}, False),
        ("FREQ=WEEKLY;UNTIL=20261110T080000Z", {"start": "2026-10-20T07:30:00Z"}, False),
        ("FREQ=DAILY;BYHOUR=9,12;COUNT=8", {"start": "2026-10-20T06:00:00Z"}, False),
        ("FREQ=WEEKLY;COUNT=4", {"all_day": True, "start": "2026-10-20T00:00:00Z", "end": "2026-10-21T00:00:00Z"}, False),
    ],
)
def test_a_series_is_moved_only_where_its_rule_means_the_same_from_there(rule: str, patch: Raw, moved: bool) -> None:
    """Of one that ends on its last occurrence, moved on by half an hour, the last occurrence would be gone."""
    text = calendar(*PARIS, f"RRULE:{rule}")
    if moved:
        assert len(starts(Events().changed(text, patch, NOW))) == len(starts(text))
    else:
        with pytest.raises(ValueError, match="rule of the series"):
            Events().changed(text, patch, NOW)


def test_dates_left_out_and_added_are_in_the_zone_they_name_however_it_is_called() -> None:
    zone = 'TZID="(UTC-05:00) Eastern Time (US & Canada)"'
    lines = (
        f"DTSTART;{zone}:20260302T090000",
        f"DTEND;{zone}:20260302T100000",
        "RRULE:FREQ=DAILY;COUNT=3",
        f"EXDATE;{zone}:20260303T090000",
        f"RDATE;{zone}:20260310T090000",
    )
    assert starts(calendar(*lines)) == ["03-02 14:00", "03-04 14:00", "03-10 13:00"]
    recurrence = Events().read(calendar(*lines))["recurrence"]
    assert (recurrence["except"], recurrence["dates"]) == (["2026-03-03T14:00:00Z"], ["2026-03-10T13:00:00Z"])
    nowhere = calendar("DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Nowhere:20260303T090000")
    with pytest.raises(UnreadableError, match="Nowhere"):
        Events().read(nowhere)


def test_a_change_counts_up_the_revision() -> None:
    _, _, told = changed(calendar(*PARIS, "SEQUENCE:4"), {"summary": "New"})
    assert "SEQUENCE:5\n" in told
    assert "DTSTAMP:20261121T120000Z\n" in told


@settings(max_examples=60)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda length: timedelta(seconds=int(length.total_seconds()))),
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=120),
)
@example(start=datetime(2026, 1, 1), length=timedelta(hours=1), zone="UTC", text="\\N")
def test_an_event_written_is_read_back(start: datetime, length: timedelta, zone: str, text: str) -> None:
    patch = {
        "summary": text.strip() or "x",
        "start": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end": (start + length).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timezone": zone,
    }
    raw = Events().read(Events().made("u", patch, NOW))
    assert {name: raw[name] for name in patch} == patch


@pytest.mark.parametrize("text", ["C:\\New folder", "C:\\new folder", "\\\\N\\", "a;b\\,c\\;\nd"])
def test_a_text_with_a_backslash_is_read_back_as_it_was_written(text: str) -> None:
    patch = {
        "summary": text,
        "description": text,
        "location": text,
        "categories": [text, "other"],
        "start": "2026-11-21T12:00:00Z",
    }
    written = Events().made("u", patch, NOW)
    for told in (written, Events().changed(written, {"status": "TENTATIVE"}, NOW)):
        raw = Events().read(told)
        assert {name: raw[name] for name in patch} == patch


def test_the_texts_that_a_change_does_not_name_stay_whatever_they_hold() -> None:
    lines = (
        r"DESCRIPTION;LANGUAGE=en:C:\\New\, or\;\n\\\\Notes\\N",
        r"CATEGORIES:C:\\New\, or,\\N",
        r"COMMENT:\\N",
        r"COMMENT:\\n",
        r"X-OURS:\\N",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT5M",
        r"DESCRIPTION:C:\\New",
        "END:VALARM",
    )
    _, _, told = changed(calendar(*PARIS, *lines, head=r"X-WR-CALDESC:\\N"), {"summary": "New"})
    assert [line for line in (*lines, r"X-WR-CALDESC:\\N") if f"{line}\n" not in told] == []


# Series


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("RRULE:FREQ=WEEKLY;COUNT=3",), ["10-20 07:00", "10-27 08:00", "11-03 08:00"]),
        (("RRULE:FREQ=DAILY;UNTIL=20261022T070000Z",), ["10-20 07:00", "10-21 07:00", "10-22 07:00"]),
        (("RRULE:FREQ=DAILY;UNTIL=20261022",), ["10-20 07:00", "10-21 07:00", "10-22 07:00"]),
        (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261021T070000Z"), ["10-20 07:00", "10-22 07:00"]),
        (("RDATE;TZID=Europe/Paris:20261101T090000",), ["10-20 07:00", "11-01 08:00"]),
        (("RDATE;VALUE=PERIOD:20261101T090000Z/PT2H",), ["10-20 07:00", "11-01 09:00"]),
        (
            ("RRULE:FREQ=DAILY;COUNT=2", "===", "UID:a@x", "RECURRENCE-ID:20261021T070000Z", "DTSTART:20261022T120000Z"),
            ["10-20 07:00", "10-22 12:00"],
        ),
    ],
)
def test_a_series_takes_place_when_its_rule_says(lines: tuple[str, ...], expected: list[str]) -> None:
    assert starts(calendar(*PARIS, *lines)) == expected


def test_a_series_of_whole_days_stays_on_its_days() -> None:
    text = calendar("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261026", "RRULE:FREQ=WEEKLY;UNTIL=20261031")
    assert starts(text) == ["10-24 00:00", "10-31 00:00"]


def test_a_time_that_the_clocks_skip_is_taken_with_the_offset_before() -> None:
    text = calendar("DTSTART;TZID=Europe/Paris:20260328T023000", "RRULE:FREQ=DAILY;COUNT=3")
    assert starts(text) == ["03-28 01:30", "03-29 01:30", "03-30 00:30"]


def test_what_goes_on_when_the_time_begins_is_in_it_and_what_ends_then_is_not() -> None:
    text = calendar("DTSTART:20260101T080000Z", "DTEND:20260101T090000Z")
    nine, half = datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
    assert len(occurrences(text, half, nine)) == 1
    assert occurrences(text, nine, nine + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYMONTH=2,4;BYMONTHDAY=31",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=9",
        "FREQ=DAILY;UNTIL=99999999",
        "RSCALE=CHINESE;FREQ=YEARLY",
    ],
)
def test_a_rule_that_would_take_for_ever_or_makes_no_sense_is_told(rule: str) -> None:
    text = calendar("DTSTART:19700101T000000Z", f"RRULE:{rule}")
    with pytest.raises(UnreadableError):
        occurrences(text, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", UnreadableError),
        ("nonsense", UnreadableError),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", NotOursError),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT", UnreadableError),
        (calendar("SUMMARY:x"), UnreadableError),
        (calendar("DTSTART:99999999T000000Z"), UnreadableError),
        (calendar("DTSTART;TZID=../../etc/passwd:20261020T090000"), UnreadableError),
        (calendar(*PARIS, "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"), UnreadableError),
        (calendar("DTSTART:20261020T090000Z", "DTEND;VALUE=DATE:20261021"), UnreadableError),
        (calendar("DTSTART:20261020T090000Z", "DTEND:20261020T080000Z"), UnreadableError),
        (calendar("DTSTART:99991231T235959Z", "DURATION:P100000000D"), UnreadableError),
        (calendar(*PARIS).replace("VEVENT", "VTODO"), NotOursError),
    ],
)
def test_what_is_no_event_is_told(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Events().read(text)
    assert str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Paris",
        "America/New_York",
        "Asia/Tokyo",
        "Australia/Sydney",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
    ],
)
def test_the_definition_of_a_zone_says_what_the_zone_says(name: str) -> None:
    told, zone = definition(name, 2026).to_tz(lookup_tzid=False), ZoneInfo(name)
    for hours in range(0, 24 * 365 * 4, 101):
        at = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)).astimezone(zone)
        assert at.replace(tzinfo=told).utcoffset() == at.utcoffset()
    assert b"RDATE" not in definition(name, 2026).to_ical()


# Contacts

TEXT = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=90)


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_parts_come_back_whatever_is_in_them(parts: list[str]) -> None:
    told = [part.strip() for part in parts]
    assert parts_of(";".join(escaped(part) for part in told), ";") == (told if any(told) or len(told) > 1 else [])
    assert [unescaped(escaped(part)) for part in parts] == parts


@given(TEXT, TEXT, TEXT)
def test_a_contact_written_is_read_back(given_name: str, city: str, note: str) -> None:
    patch = {
        "name": {"given": given_name.strip() or "x"},
        "adr": {"home": {"city": city.strip() or "y"}},
        "note": note.strip() or "z",
    }
    raw = Cards().read(Cards().made("u", patch, NOW))
    assert (raw["name"]["given"], raw["adr"]["home"]["city"], raw["note"]) == (
        patch["name"]["given"],  # type: ignore[index]
        patch["adr"]["home"]["city"],  # type: ignore[index]
        patch["note"],
    )


@given(TEXT)
def test_a_long_line_is_folded_between_characters(text: str) -> None:
    line = Line.of("NOTE", escaped(text))
    assert all(len(row.encode()) <= 75 for row in line.text.split("\r\n"))
    assert [one.value for one in lines_of(line.text)] == [escaped(text)]


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", "UID:u", "FN:Ada King", *lines, "END:VCARD", ""])


def test_the_lines_that_a_change_does_not_name_stay_byte_for_byte() -> None:
    lines = ("item1.TEL:1", "item1.X-ABLabel:Boat", "PHOTO;ENCODING=b:AAAA\r\n BBBB", "X-ODD ;:?", "not a line", "N:King;Ada;;;")
    told = Cards().changed(card(*lines, "TEL;CELL:2"), {"tel": {"cell": "3"}, "title": "Countess"}, NOW)
    for line in lines:
        assert f"{line}\r\n" in told
    assert "TEL;CELL:3\r\n" in told
    assert Cards().read(told)["title"] == "Countess"


def test_a_cleared_number_is_gone_with_all_of_its_kind() -> None:
    told = Cards().changed(card("TEL;TYPE=CELL:1", "TEL;TYPE=CELL:2", "TEL;TYPE=WORK:3"), {"tel": {"cell": None}}, NOW)
    assert Cards().read(told)["phones"] == [{"type": "work", "value": "3"}]


def test_a_number_that_stood_as_an_address_of_the_web_is_text_when_it_is_changed() -> None:
    text = 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\r\nTEL;VALUE=uri;TYPE="work,voice":tel:+1-555-555-0100\r\nEND:VCARD\r\n'
    told = Cards().changed(text, {"tel": {"work": "+1 503 555 0142"}}, NOW)
    assert 'TEL;TYPE="work,voice":+1 503 555 0142\r\n' in told


def test_the_written_name_follows_the_parts() -> None:
    told = Cards().changed(card("N:King;Ada;;;"), {"name": {"family": "Lovelace"}}, NOW)
    assert Cards().read(told)["fn"] == "Ada Lovelace"


def test_quoted_printable_is_undone_and_not_written_again() -> None:
    text = card("NOTE;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:gr=FCn und=\r\n bunt=0D=0Azwei", version="2.1")
    assert Cards().read(text)["note"].startswith("grün und")
    told = Cards().changed(text, {"note": "blau"}, NOW)
    assert "NOTE:blau\r\n" in told


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "BEGIN:VCARD\r\nFN:x", "BEGIN:VCARD\r\nEND:VCARD", "BEGIN:VCALENDAR\r\nEND:VCALENDAR", card() + card()],
)
def test_what_is_no_contact_is_told(text: str) -> None:
    with pytest.raises((UnreadableError, NotOursError)) as caught:
        Cards().read(text)
    assert str(caught.value)


@pytest.mark.parametrize(
    "patch",
    [
        {"uid": "x"},
        {"name": "x"},
        {"name": {"nick": "x"}},
        {"tel": {"boat": "1"}},
        {"adr": {"home": "x"}},
        {"fn": "a\x07"},
        {"fn": None},
        {"fn": ""},
    ],
)
def test_a_contact_takes_only_what_fits(patch: Raw) -> None:
    with pytest.raises(ValueError, match=r"."):
        Cards().changed(card(), patch, NOW)


@given(st.binary(max_size=400))
def test_no_bytes_at_all_raise_anything_else(noise: bytes) -> None:
    for format, head in ((Events(), b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"), (Cards(), b"BEGIN:VCARD\r\n")):
        for text in (noise, head + noise):
            try:
                format.read_all(text)
            except (UnreadableError, NotOursError):
                continue
