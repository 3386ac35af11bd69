"""Every sample file of calendars and contacts goes in and comes out as records, or as something set aside with a reason."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aios_connect_caldav.cards import Cards
from aios_connect_caldav.events import Events
from aios_connect_caldav.formats import NotOursError, Unreadable, UnreadableError
from aios_connect_caldav.recurring import Occurrence, occurrences

from aios_connect.connectors import Raw
from aios_connect.mappings import CompiledMapping, load

SAMPLES = Path(os.environ.get("AIOS_SAMPLES") or "/nowhere")
MAPPINGS = Path(__file__).parents[2] / "mappings" / "caldav"
ICS = sorted(path for path in SAMPLES.glob("ics/**/*") if path.is_file() and path.name != "SOURCES.md")
VCF = sorted(path for path in SAMPLES.glob("vcf/**/*") if path.is_file() and path.name != "SOURCES.md")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not ICS, reason="AIOS_SAMPLES does not name the folder of sample files")


def told(format: Events | Cards, file: Path) -> tuple[list[Raw], list[Unreadable]]:
    """What comes out of a file; one that is no file of its kind at all is set aside whole."""
    try:
        return format.read_all(file.read_bytes())
    except (NotOursError, UnreadableError) as error:
        return [], [Unreadable(file.name, str(error))]


def named(name: str) -> Path:
    return next(file for file in (*ICS, *VCF) if file.name == name)


@pytest.fixture(scope="module")
def events() -> CompiledMapping:
    return load(MAPPINGS / "events.yaml")


@pytest.fixture(scope="module")
def contacts() -> CompiledMapping:
    return load(MAPPINGS / "contacts.yaml")


@pytest.mark.parametrize("file", ICS, ids=lambda file: file.name)
def test_a_calendar_comes_out_as_events_or_with_a_reason(file: Path, events: CompiledMapping) -> None:
    records, aside = told(Events(), file)
    assert records or aside
    assert [bad for bad in aside if not bad.reason.strip() or "Error(" in bad.reason] == []
    for raw in records:
        leaves, problems = events.get(raw)
        assert problems == []
        assert str(leaves["start"]) <= str(leaves["end"])


@pytest.mark.parametrize("file", VCF, ids=lambda file: file.name)
def test_an_address_book_comes_out_as_contacts_or_with_a_reason(file: Path, contacts: CompiledMapping) -> None:
    records, aside = told(Cards(), file)
    assert records or aside
    assert all(bad.reason for bad in aside)
    for raw in records:
        leaves, problems = contacts.get(raw)
        assert problems == []
        assert any(leaves.values())


def test_most_of_what_the_files_hold_can_be_read() -> None:
    calendars, cards = [told(Events(), file) for file in ICS], [told(Cards(), file) for file in VCF]
    assert sum(len(records) for records, _ in calendars) >= 1180
    assert sum(len(records) for records, _ in cards) >= 15
    assert sum(len(aside) for _, aside in (*calendars, *cards)) <= 125


@pytest.mark.parametrize("file", ICS, ids=lambda file: file.name)
def test_what_takes_place_is_worked_out_or_told_to_be_unclear(file: Path) -> None:
    unclear = ""
    found: list[Occurrence] = []
    try:
        found = occurrences(file.read_bytes(), datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    except UnreadableError as error:
        unclear = str(error)
    assert all(one.start <= one.end for one in found)
    assert "Error(" not in unclear


@pytest.mark.parametrize("file", ICS, ids=lambda file: file.name)
def test_an_event_that_is_changed_is_otherwise_as_it_was(file: Path) -> None:
    text = file.read_bytes()
    records, aside = told(Events(), file)
    if len(records) != 1 or aside or text.upper().count(b"BEGIN:VCALENDAR") != 1 or b"BEGIN:VTODO" in text:
        return  # not what a resource on a server is
    (before,) = records
    if before.get("recurrence_id"):
        with pytest.raises(ValueError, match="somewhere else"):
            Events().changed(text.decode("utf-8", "replace"), {"summary": "New"}, NOW)
        return
    changed = Events().changed(text.decode("utf-8", "replace"), {"summary": "New, and\nlong"}, NOW)
    after = Events().read(changed)
    assert {name for name in before if before[name] != after[name]} <= {"summary"}
    assert after["summary"] == "New, and\nlong"


@pytest.mark.parametrize("file", VCF, ids=lambda file: file.name)
def test_a_card_that_is_changed_is_otherwise_as_it_was(file: Path) -> None:
    records, aside = told(Cards(), file)
    if len(records) != 1 or aside:
        return
    before = records[0]
    after = Cards().read(Cards().changed(file.read_bytes().decode("utf-8", "replace"), {"tel": {"cell": "+15035550142"}}, NOW))
    assert {name for name in before if before[name] != after[name]} <= {"tel", "phones", "fn"}
    assert after["tel"] == {**before["tel"], "cell": "+15035550142"}


def test_times_without_a_zone_are_in_the_zone_of_their_calendar() -> None:
    records, _ = told(Events(), named("tv-show-episode.ics"))
    by_uid = {raw["uid"]: raw["start"] for raw in records}
    assert by_uid["20110519T200000Z-79@tvcountdown.com"] == "2011-05-20T00:00:00Z"  # 20:00 in New York


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("windows-quoted-tz-rrule.ics", "America/New_York"),
        ("Office-2012-owa.ics", "America/New_York"),
        ("ms_timezones.ics", "Europe/Berlin"),
    ],
)
def test_names_of_zones_from_outlook_are_understood(name: str, zone: str) -> None:
    records, _ = told(Events(), named(name))
    assert zone in {raw["timezone"] for raw in records}


def test_a_zone_that_nobody_knows_is_set_aside_and_not_taken_for_utc() -> None:
    _, aside = told(Events(), named("germany_at_end_of_day_repeating.ics"))
    assert ["Europe/Germany" in bad.reason for bad in aside] == [True]


def test_the_last_revision_of_an_event_counts() -> None:
    records, _ = told(Events(), named("duplicate-uid-sequence.ics"))
    assert len({raw["uid"] for raw in records}) == len(records)


def test_outlook_android_and_quoted_printable_contacts_are_read() -> None:
    (outlook,), _ = told(Cards(), named("John_Doe_MS_OUTLOOK.vcf"))
    assert (outlook["name"]["given"], outlook["name"]["family"], outlook["org"]) == ("John", "Doe", "IBM")
    android, _ = told(Cards(), named("John_Doe_ANDROID.vcf"))
    assert android[2]["name"]["family"].startswith("Ñ Ñ")
    (mac,), _ = told(Cards(), named("John_Doe_MAC_ADDRESS_BOOK.vcf"))
    assert (mac["tel"]["cell"], mac["tel"]["fax"], mac["photo"]) == ("905-555-1234", "905-888-1234", True)
