"""The CSV connector on real files: what a person does to a sheet, and what we may do to it."""

from __future__ import annotations

import codecs
import csv
import errno
import io
import os
import signal
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from aios_connect_csv import CSV, writing
from aios_connect_csv.records import records, spans
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aios_connect.connectors import Change, Context, Page, Raw
from aios_connect.errors import (
    ConfigError,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)

PEOPLE = "Ref,First name,Last name,Email\nP-1,Ann,Lee,ann@example.org\nP-2,Bo,Ray,bo@example.org\n"


def sheets(at: Path, **settings: str) -> CSV:
    given = {"folder": ".", "key": "Ref", **settings}
    nothing = cast(Any, None)  # a connector of files has no use for the network or for secrets
    return CSV(Context("sheet", given, nothing, nothing, lambda: datetime.now(UTC), lambda seconds: None, at))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE.encode())
    return path


def rows(connector: CSV, object: str = "people") -> list[Raw]:
    return [dict(record) for page in connector.read(object) for record in page.records]


def row(connector: CSV, id: str, object: str = "people") -> Raw:
    found: list[Raw] = connector.lookup(object, [id])
    return next(iter(found))


def aside(connector: CSV) -> dict[str, str]:
    return {bad.place: bad.reason for page in connector.read("people") for bad in page.quarantined}


def update(raw: Raw, **patch: Any) -> Change:
    patch = {name.replace("_", " "): value for name, value in patch.items()}
    return Change("update", "line", raw["_row"]["id"], patch, {name: raw.get(name) for name in patch}, raw["_row"]["version"])


# reading


def test_a_row_is_a_record_of_its_cells_and_its_own_facts(people: Path) -> None:
    first, second = rows(sheets(people.parent))
    assert {name: first[name] for name in first if name != "_row"} == {
        "Ref": "P-1",
        "First name": "Ann",
        "Last name": "Lee",
        "Email": "ann@example.org",
    }
    assert (first["_row"]["id"], first["_row"]["key"], first["_row"]["line"]) == ("P-1", "P-1", 2)
    assert first["_row"]["version"] != second["_row"]["version"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_delimiter_and_line_ends_are_told_from_the_file(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    text = end.join([delimiter.join(["Ref", "Name", "Price"]), delimiter.join(["1", "Zoë", '"12,5"']), ""])
    (tmp_path / "people.csv").write_bytes(text.encode(encoding))
    (found,) = rows(sheets(tmp_path))
    assert (found["Name"], found["Price"]) == ("Zoë", "12,5")


def test_a_decimal_comma_is_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Ref;Price\n1;12,5\n2;13,5\n3;14,5\n")
    assert [found["Price"] for found in rows(sheets(tmp_path))] == ["12,5", "13,5", "14,5"]


def test_the_delimiter_that_shows_the_key_column_is_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Ref;Last, first\n1;Lee, Ann\n2;Ray, Bo\n")
    assert [found["Last, first"] for found in rows(sheets(tmp_path))] == ["Lee, Ann", "Ray, Bo"]


def test_without_a_key_column_the_delimiter_that_fits_the_rows_is_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Last, first;Price, net\nLee;12,5\nRay;13\n")
    assert sheets(tmp_path).check().details == {"people.csv": "2 rows, utf-8, semicolon"}


def test_excels_own_delimiter_line_is_believed_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("sep=;\nRef;Name\n1;Ann, Bo\n")
    connector = sheets(tmp_path)
    assert rows(connector)[0]["Name"] == "Ann, Bo"
    connector.write("people", [update(row(connector, "1"), Name="Cy")])
    assert path.read_text() == "sep=;\nRef;Name\n1;Cy\n"


def test_line_numbers_are_those_of_the_file_also_below_cells_of_many_lines(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text('Ref,Note\n1,"one\ntwo\nthree"\n\n2,plain\n3,short,more\n')
    connector = sheets(tmp_path)
    assert [found["_row"]["line"] for found in rows(connector)] == [2, 6]
    assert list(aside(connector)) == ["people.csv:7"]


def test_blank_lines_and_rows_of_empty_cells_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Ref,Name\n\n,\n1,Ann\n , \n")
    assert len(rows(sheets(tmp_path))) == 1


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"9,Joe", "it has 2 cells where the header has 3"),
        (b"9,Joe,,x", "it has 4 cells where the header has 3"),
        (b'9,"Joe"y,z', "a quote here is not closed"),
        (b'9,"Joe,z', "a quote here is not closed"),
        ("9,Jos\xe9,z".encode("latin-1"), "characters that are not utf-8"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line_and_all_others_are_read(tmp_path: Path, bad: bytes, says: str) -> None:
    head = "Ref,Name,Town\n1,Zoë,Łódź\n2,Bé,Köln\n".encode()
    (tmp_path / "people.csv").write_bytes(head + bad + b"\n3,Cy,Rome\n4,Di,Oslo\n")
    connector = sheets(tmp_path)
    assert [found["Ref"] for found in rows(connector)] == ["1", "2", "3", "4"]
    ((place, reason),) = aside(connector).items()
    assert place == "people.csv:4"
    assert says in reason


def test_what_an_open_quote_swallowed_is_not_taken_for_rows_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text('Ref,Name\n1,"a\nb"z,x\n2,5" pipe\n3,Cy\n')
    connector = sheets(tmp_path)
    assert [found["Name"] for found in rows(connector)] == ['5" pipe', "Cy"]
    assert list(aside(connector)) == ["people.csv:2", "people.csv:3"]


def test_rows_that_share_a_key_are_all_set_aside_and_name_each_other(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Ref,Name\n1,Ann\n2,Bo\n1,Cy\n")
    connector = sheets(tmp_path)
    assert [found["Ref"] for found in rows(connector)] == ["2"]
    assert {place: "4" in reason or "2" in reason for place, reason in aside(connector).items()} == {
        "people.csv:2": True,
        "people.csv:4": True,
    }
    assert [bad.id for page in connector.read("people") for bad in page.quarantined] == ["1", "1"]


def test_columns_that_share_a_name_or_have_none_are_left_out_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Ref,Phone,Name,Phone,\n1,a,Ann,b,c\n")
    connector = sheets(tmp_path)
    (found,) = rows(connector)
    assert set(found) == {"Ref", "Name", "_row"}
    ((place, reason),) = aside(connector).items()
    assert place == "people.csv:1"
    assert "2 columns are called 'Phone'" in reason
    assert "column 5 has no name" in reason
    connector.write("people", [update(found, Name="Bo")])
    assert path.read_text() == "Ref,Phone,Name,Phone,\n1,a,Bo,b,c\n"


def test_dots_and_line_breaks_in_a_columns_name_are_blanks(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('No.,"First\nname",Tel.\n1,Ann,5\n')
    connector = sheets(tmp_path, key="No.")
    assert set(row(connector, "1")) == {"No", "First name", "Tel", "_row"}
    connector.write("people", [update(row(connector, "1"), Tel="6")])
    assert path.read_text() == 'No.,"First\nname",Tel.\n1,Ann,6\n'


def test_a_column_or_key_that_is_no_text_is_set_aside_legibly(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(
        "Ref,Name,Straße,Caf".encode() + b"\xe9\n1,Zo\xc3\xab,a,b\nK\xe9y,Bo,a,b\n2,\xc3\xa9,c,d\n"
    )
    pages = list(sheets(tmp_path, encoding="utf-8").read("people"))
    assert [set(record) for page in pages for record in page.records] == [{"Ref", "Name", "Straße", "_row"}] * 2
    assert [(bad.place, bad.raw, bad.id) for page in pages for bad in page.quarantined] == [
        ("people.csv:1", "Ref,Name,Straße,Caf\\xe9", ""),
        ("people.csv:3", "K\\xe9y,Bo,a,b", None),
    ]


def test_a_cell_of_any_size_does_not_swallow_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Ref,Name\n1," + "x" * 131_072 + "\n2," + "x" * 131_073 + "\n3,Cy\n")
    connector = sheets(tmp_path)
    assert [found["Ref"] for found in rows(connector)] == ["1", "3"]
    assert "131072 characters" in aside(connector)["people.csv:3"]


def test_a_sheet_that_is_replaced_while_it_is_copied_is_read_as_it_was(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, other = os.fstat, people.with_name("other")

    def replaced_meanwhile(handle: int) -> os.stat_result:
        other.write_text(PEOPLE.replace("Ann", "Eve"))
        other.replace(people)
        return real(handle)

    monkeypatch.setattr(os, "fstat", replaced_meanwhile)
    assert [found["First name"] for found in rows(sheets(people.parent))] == ["Ann", "Bo"]


def test_a_sheet_that_grows_while_it_is_copied_is_not_read(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def grown_meanwhile(handle: int) -> os.stat_result:
        seen = real(handle)
        with people.open("a") as file:
            file.write("P-3,")
        return seen

    monkeypatch.setattr(os, "fstat", grown_meanwhile)
    with pytest.raises(TruncatedError, match="is being written right now"):
        rows(sheets(people.parent))


def test_a_sheet_without_its_key_column_says_which_columns_it_has(people: Path) -> None:
    with pytest.raises(RejectedError, match="no column 'Number'") as caught:
        rows(sheets(people.parent, key="Number"))
    assert "'Ref', 'First name'" in caught.value.message
    assert "aios connect" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"Ref,Name,To", "ends in the middle of line 1"),
        (b"Ref,Name,Town\n1,Ann,Rome\n2,B", "ends in the middle of line 3"),
        (b'Ref,Name,Town\n1,Ann,Rome\n2,"B', "ends inside a quoted cell that begins in line 3"),
        (b'Ref,Name,Town\n1,Ann,Rome\n2,"B\nmore\n', "ends inside a quoted cell that begins in line 3"),
        ("Ref,Name\n1,Ann".encode("utf-16")[:-1], "ends in the middle of a character"),
    ],
)
def test_an_unfinished_file_is_an_error_that_names_it(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / "people.csv").write_bytes(text)
    with pytest.raises(TruncatedError, match=f"people.csv {says}"):
        rows(sheets(tmp_path))


def test_a_file_that_is_not_there_is_an_error_that_names_those_that_are(people: Path) -> None:
    people.rename(people.with_name("persons.csv"))
    with pytest.raises(NotFoundError, match=r"no file people\.csv") as caught:
        rows(sheets(people.parent))
    assert "persons.csv" in caught.value.hint


def test_utf16_without_its_mark_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("Ref,Name\n1,Ann\n".encode("utf-16-le"))
    with pytest.raises(ConfigError) as caught:
        rows(sheets(tmp_path))
    assert "encoding = utf-16" in caught.value.hint
    assert rows(sheets(tmp_path, encoding="utf-16"))[0]["Name"] == "Ann"


@pytest.mark.parametrize("setting", ["encoding=shift_jis", "encoding=nonsense", "dialect=pipe", "add_columns=maybe"])
def test_a_setting_that_means_nothing_is_refused(tmp_path: Path, setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(ConfigError, match=f"{name}: '{value}'"):
        sheets(tmp_path, **{name: value})


def test_any_other_word_is_the_sheet_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "suppliers.csv").write_text("Ref,Name\nS-1,Nuts and Bolts\n")
    connector = sheets(tmp_path)
    assert row(connector, "S-1", "suppliers")["Name"] == "Nuts and Bolts"
    assert "suppliers" in connector.spec.objects
    assert "../suppliers" not in connector.spec.objects
    with pytest.raises(ConfigError, match="cannot be the name of a sheet"):
        rows(connector, "../suppliers")


def test_each_sheet_may_have_its_own_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "Kunden 2026.csv").write_text("Nr;Name\n7;Ann\n")
    (found,) = rows(sheets(tmp_path, companies="Kunden 2026.csv", companies_key="Nr"), "companies")
    assert found["_row"]["id"] == "7"


# pages and cursors


def many(folder: Path, count: int) -> Path:
    path = folder / "people.csv"
    path.write_text("Ref,Name\n" + "".join(f"{number},n{number}\n" for number in range(count)))
    return path


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1234])
def test_only_the_last_page_is_complete_and_every_row_comes_once(tmp_path: Path, count: int) -> None:
    many(tmp_path, count)
    pages = list(sheets(tmp_path).read("people"))
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [record["Ref"] for page in pages for record in page.records] == [str(number) for number in range(count)]
    assert {page.total for page in pages} == {count}


def test_what_is_wrong_with_the_header_is_said_once(tmp_path: Path) -> None:
    path = many(tmp_path, 1200)
    path.write_text(path.read_text().replace("Ref,Name", "Ref,Name,Fax,Fax"))
    assert [bad.place for page in sheets(tmp_path).read("people") for bad in page.quarantined].count("people.csv:1") == 1


def test_a_read_that_stopped_goes_on_behind_its_last_page(tmp_path: Path) -> None:
    many(tmp_path, 1200)
    first = next(iter(sheets(tmp_path).read("people")))
    rest = [record["Ref"] for page in sheets(tmp_path).read("people", first.cursor) for record in page.records]
    assert rest == [str(number) for number in range(500, 1200)]


def test_a_read_that_stopped_starts_over_when_the_file_is_another(tmp_path: Path) -> None:
    path = many(tmp_path, 1200)
    first = next(iter(sheets(tmp_path).read("people")))
    path.write_text(path.read_text().replace("n7\n", "seven\n"))
    with pytest.raises(CursorGoneError, match=r"people\.csv was changed"):
        list(sheets(tmp_path).read("people", first.cursor))


def test_a_read_goes_on_in_the_state_it_began_in_whatever_happens_to_the_file(tmp_path: Path) -> None:
    path = many(tmp_path, 1200)
    pages = iter(sheets(tmp_path).read("people"))
    names = [record["Name"] for record in next(pages).records]
    path.write_text("Ref,Name\n1,gone\n")
    names += [record["Name"] for page in pages for record in page.records]
    assert names == [f"n{number}" for number in range(1200)]


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ("Ref,First name,Last name,Email\n", "has no rows; it had 2"),
        ("Ref,First name,Last name\nP-1,Ann,Lee\n", "has no column 'Email' any more"),
        (PEOPLE[:-1], "ends without a line end"),
    ],
)
def test_a_sheet_that_lost_its_shape_since_the_last_read_is_not_believed(people: Path, now: str, says: str) -> None:
    connector = sheets(people.parent)
    *_, last = connector.read("people")
    people.write_text(now)
    with pytest.raises(TruncatedError, match=says):
        list(connector.read("people", last.cursor))


def test_a_sheet_that_was_edited_since_the_last_read_is_read_whole(people: Path) -> None:
    connector = sheets(people.parent)
    *_, last = connector.read("people")
    people.write_text(PEOPLE.replace("Ann", "Anna") + "P-3,Cy,Fox,\n")
    assert [record["First name"] for page in connector.read("people", last.cursor) for record in page.records] == [
        "Anna",
        "Bo",
        "Cy",
    ]


def test_a_scan_lists_what_a_read_brings_and_what_it_set_aside(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Ref,Name\n1,Ann\n2,Bo\n2,Cy\n3,Di\n")
    connector = sheets(tmp_path)
    listed = {item for page in connector.scan("people") for item in page.items}
    assert listed == {(found["_row"]["id"], found["_row"]["version"]) for found in rows(connector)} | {("2", "")}


def test_versions_change_with_the_cells_and_not_with_quotes_columns_order_or_place(people: Path) -> None:
    connector = sheets(people.parent)
    before = {found["_row"]["id"]: found["_row"]["version"] for found in rows(connector)}
    people.write_text('Email,"Ref",Last name,First name,Fax\nbo@example.org,P-2,Ray,Bo,\nann@example.org,"P-1","Lee",Ann,\n')
    assert {found["_row"]["id"]: found["_row"]["version"] for found in rows(connector)} == before
    people.write_text(people.read_text().replace("Ann", "Anna"))
    after = {found["_row"]["id"]: found["_row"]["version"] for found in rows(connector)}
    assert (after["P-1"] != before["P-1"], after["P-2"] == before["P-2"]) == (True, True)


def test_a_long_sheet_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        path = tmp_path / "people.csv"
        with path.open("w") as file:
            file.write("Ref,First name,Last name,Email\n")
            file.writelines(f"P-{number},First{number},Last{number},p{number}@example.org\n" for number in range(count))
        connector = sheets(tmp_path)
        tracemalloc.start()
        assert sum(len(page.records) for page in connector.read("people")) == count
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(20_000) - peak(2_000) < 1_000_000


# writing


def test_an_edit_changes_its_cell_and_nothing_else(people: Path) -> None:
    connector = sheets(people.parent)
    (receipt,) = connector.write("people", [update(row(connector, "P-2"), First_name="Bob")])
    assert people.read_text() == PEOPLE.replace("Bo,", "Bob,")
    assert (receipt.outcome, receipt.id) == ("written", "P-2")
    assert receipt.record == row(connector, "P-2")
    assert receipt.version == row(connector, "P-2")["_row"]["version"]


def test_a_cell_in_quotes_stays_in_quotes_and_a_bare_one_bare(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('Ref,Name,Town\n1,"Ann",Rome\n2,Bo,Oslo\n')
    connector = sheets(tmp_path)
    connector.write("people", [update(row(connector, "1"), Name="Cy", Town="Bonn"), update(row(connector, "2"), Name="Di")])
    assert path.read_text() == 'Ref,Name,Town\n1,"Cy",Bonn\n2,Di,Oslo\n'


def test_receipts_know_the_lines_as_they_are_after_the_write(people: Path) -> None:
    connector = sheets(people.parent)
    one, two = row(connector, "P-1"), row(connector, "P-2")
    receipts = connector.write("people", [update(two, Email="x"), update(one, Email="a\nb\r\nc")])
    assert [receipt.record and receipt.record["_row"]["line"] for receipt in receipts] == [5, 2]
    assert receipts[0].record == row(connector, "P-2")


def test_null_empties_a_cell_and_an_absent_name_leaves_it(people: Path) -> None:
    connector = sheets(people.parent)
    connector.write("people", [update(row(connector, "P-2"), Email=None)])
    assert people.read_text() == PEOPLE.replace("bo@example.org", "")


def test_what_is_there_already_is_unchanged_and_the_file_is_left_alone(people: Path) -> None:
    connector, inode = sheets(people.parent), people.stat().st_ino
    (receipt,) = connector.write("people", [update(row(connector, "P-2"), First_name="Bo")])
    assert (receipt.outcome, people.stat().st_ino) == ("unchanged", inode)


@pytest.mark.parametrize("version", [True, False])
def test_a_row_that_a_person_changed_meanwhile_is_a_conflict_and_stays(people: Path, version: bool) -> None:
    connector = sheets(people.parent)
    stale, fresh = row(connector, "P-1"), row(connector, "P-2")
    people.write_text(PEOPLE.replace("Lee", "Lee-Fox"))
    change = update(stale, Last_name="Low")
    if not version:
        change = Change("update", "line", change.id, change.patch, change.expect)
    receipts = connector.write("people", [change, update(fresh, Last_name="Roy")])
    assert [receipt.outcome for receipt in receipts] == ["conflict", "written"]
    assert receipts[0].current is not None
    assert receipts[0].current["Last name"] == "Lee-Fox"
    assert people.read_text() == PEOPLE.replace("Lee", "Lee-Fox").replace("Ray", "Roy")


def test_a_row_that_only_moved_is_as_it_was(people: Path) -> None:
    connector = sheets(people.parent)
    seen = row(connector, "P-2")
    people.write_text(PEOPLE.replace("P-1,", "\nP-1,"))
    (receipt,) = connector.write("people", [Change("delete", "line", "P-2", expect=seen, version=seen["_row"]["version"])])
    assert receipt.outcome == "written"


def test_a_stale_delete_is_a_conflict_too(people: Path) -> None:
    connector = sheets(people.parent)
    stale = row(connector, "P-1")
    people.write_text(PEOPLE.replace("Lee", "Lee-Fox"))
    (receipt,) = connector.write("people", [Change("delete", "line", "P-1", version=stale["_row"]["version"])])
    assert receipt.outcome == "conflict"
    assert "Lee-Fox" in people.read_text()


def test_a_change_that_somebody_else_made_alike_is_no_conflict(people: Path) -> None:
    connector = sheets(people.parent)
    stale = row(connector, "P-1")
    people.write_text(PEOPLE.replace("Lee", "Low"))
    (receipt,) = connector.write("people", [update(stale, Last_name="Low")])
    assert receipt.outcome == "unchanged"


def test_a_row_that_is_gone_is_a_conflict_for_an_edit_and_nothing_for_a_delete(people: Path) -> None:
    connector = sheets(people.parent)
    edit = connector.write("people", [Change("update", "line", "P-9", {"Email": "x"})])
    delete = connector.write("people", [Change("delete", "line", "P-9")])
    assert [receipt.outcome for receipt in edit + delete] == ["conflict", "unchanged"]
    assert people.read_text() == PEOPLE


def test_a_new_row_comes_last_with_our_key_and_is_found_by_it(people: Path) -> None:
    connector = sheets(people.parent)
    create = Change("create", "line", patch={"First name": "Cy", "Email": "cy@example.org"}, key="aios-77")
    (receipt,) = connector.write("people", [create])
    assert people.read_text() == PEOPLE + "aios-77,Cy,,cy@example.org\n"
    assert (receipt.outcome, receipt.id) == ("written", "aios-77")
    assert connector.find("people", ["aios-77", "aios-78"]) == {"aios-77": receipt.record}
    (again,) = connector.write("people", [create])
    assert (again.outcome, again.id) == ("unchanged", "aios-77")
    assert people.read_text().count("aios-77") == 1


def test_a_deleted_row_takes_only_its_own_lines_with_it(people: Path) -> None:
    connector = sheets(people.parent)
    (receipt,) = connector.write("people", [Change("delete", "line", "P-1", version=row(connector, "P-1")["_row"]["version"])])
    assert receipt.outcome == "written"
    assert people.read_text() == PEOPLE.replace("P-1,Ann,Lee,ann@example.org\n", "")


def test_new_rows_keep_the_quotes_line_ends_and_mark_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    before = codecs.BOM_UTF8 + b'"Ref";Name;"Note"\r\n"1";Ann;"x"\r\n"2";Bo;"y"'
    path.write_bytes(before)
    connector = sheets(tmp_path)
    changes = [Change("create", "line", patch={"Name": name, "Note": "é; z"}, key=name.lower()) for name in ("Cy", "Di")]
    receipts = connector.write("people", changes)
    assert path.read_bytes() == before + '\r\n"cy";Cy;"é; z"\r\n"di";Di;"é; z"'.encode()
    assert [receipt.record and receipt.record["_row"]["line"] for receipt in receipts] == [4, 5]


def test_texts_that_a_spreadsheet_takes_for_formulas_come_back_as_sent(people: Path) -> None:
    connector = sheets(people.parent)
    for text in ("=1+1", "+33 1", "-5", "@home", "'quoted", ' "x" ', "a\r\nb", "\t"):
        connector.write("people", [update(row(connector, "P-1"), Email=text)])
        assert row(connector, "P-1")["Email"] == text


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"Fax": "1"}, "no column 'Fax'"),
        ({"Ref": "P-7"}, "never change"),
        ({"Email": True}, "holds text"),
        ({"Email": ["a"]}, "holds text"),
        ({"Email": "Łódź"}, "save it as UTF-8"),
        ({"Email": "x" * 131_073}, "a cell holds 131072 characters"),
    ],
)
@pytest.mark.parametrize("action", ["create", "update"])
def test_a_patch_that_does_not_fit_is_rejected_and_its_neighbours_are_written(
    people: Path, action: Any, patch: dict[str, Any], says: str
) -> None:
    connector = sheets(people.parent, encoding="cp1252")
    good, bad = (Change(action, "line", id, part, key=id) for id, part in (("P-1", {"Email": "a"}), ("P-2", patch)))
    if action == "create":
        good, bad = (Change(action, "line", None, part, key=key) for key, part in (("P-3", {"Email": "a"}), ("P-4", patch)))
    receipts = connector.write("people", [bad, good])
    assert [receipt.outcome for receipt in receipts] == ["rejected", "written"]
    assert says in receipts[0].reason
    assert len(rows(connector)) == (3 if action == "create" else 2)


def test_a_column_that_lacks_is_added_only_where_the_settings_say_so(people: Path) -> None:
    connector = sheets(people.parent, add_columns="yes")
    connector.write("people", [update(row(connector, "P-2"), Fax="123")])
    assert people.read_text() == "\n".join(
        ["Ref,First name,Last name,Email,Fax", "P-1,Ann,Lee,ann@example.org,", "P-2,Bo,Ray,bo@example.org,123", ""]
    )
    assert connector.describe("people").open
    assert not sheets(people.parent).describe("people").open


def test_no_column_is_added_while_a_row_does_not_fit_lest_it_then_seems_to(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Ref,Name\n1,Ann\n2,Bo,spare\n")
    with pytest.raises(RejectedError, match=r"people\.csv:3: it has 3 cells"):
        sheets(tmp_path, add_columns="yes").write("people", [Change("update", "line", "1", {"Fax": "5"})])
    with pytest.raises(RejectedError, match=r"people\.csv:3: it has 3 cells"):
        sheets(tmp_path, key="id").provision()
    assert path.read_text() == "Ref,Name\n1,Ann\n2,Bo,spare\n"


def test_a_bad_row_is_not_written_to_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('Ref,Name\n1,Ann\n1,Bo\n2,"Cy"x\n3,Di\n')
    connector = sheets(tmp_path)
    receipts = connector.write("people", [Change("update", "line", id, {"Name": "new"}) for id in ("1", "3")])
    assert [receipt.outcome for receipt in receipts] == ["rejected", "written"]
    assert "people.csv:" in receipts[0].reason
    assert path.read_text() == 'Ref,Name\n1,Ann\n1,Bo\n2,"Cy"x\n3,new\n'


def test_the_permissions_and_a_link_in_the_way_stay(people: Path) -> None:
    people.chmod(0o640)
    folder = people.parent / "team"
    folder.mkdir()
    (folder / "people.csv").symlink_to(people)
    connector = sheets(people.parent, folder="team")
    connector.write("people", [update(row(connector, "P-1"), Email="")])
    assert (folder / "people.csv").is_symlink()
    assert people.stat().st_mode & 0o777 == 0o640
    assert "ann@" not in people.read_text()


# rows that a person added


def test_a_row_without_a_key_is_read_under_a_provisional_id_and_gets_its_key_when_it_is_written(people: Path) -> None:
    people.write_text(PEOPLE + ",Cy,Fox,\n")
    connector = sheets(people.parent)
    found = rows(connector)[-1]
    assert found["_row"]["key"] is None
    assert found["_row"]["id"].startswith("new-")
    (receipt,) = connector.write("people", [update(found, Email="cy@example.org")])
    assert receipt.outcome == "written"
    assert receipt.id != found["_row"]["id"]
    assert people.read_text() == PEOPLE + f"{receipt.id},Cy,Fox,cy@example.org\n"
    assert row(connector, str(receipt.id)) == receipt.record


def test_a_row_that_was_given_its_key_is_found_again_by_the_id_it_had(people: Path) -> None:
    people.write_text(PEOPLE + ",Cy,Fox,\n")
    connector = sheets(people.parent)
    change = update(rows(connector)[-1], Email="cy@example.org")
    (first,) = connector.write("people", [change])
    (again,) = connector.write("people", [change])
    assert (again.outcome, again.id) == ("unchanged", first.id)
    assert connector.lookup("people", [str(change.id)]) == [first.record]


def test_a_row_like_one_that_was_given_a_key_gets_another_key(people: Path) -> None:
    connector, keys = sheets(people.parent), []
    header, _, body = PEOPLE.partition("\n")
    for number in range(3):
        people.write_text(f"{header}\n,Cy,Fox,\n{body}")
        (receipt,) = connector.write("people", [update(rows(connector)[0], Email=f"cy{number}@example.org")])
        assert receipt.outcome == "written"
        keys.append(receipt.id)
        body = f"{receipt.id},Cy,Fox,cy{number}@example.org\n{body}"
        assert people.read_text() == f"{header}\n{body}"
    assert len(set(keys)) == 3


def test_of_rows_without_a_key_that_are_all_alike_the_first_is_read(people: Path) -> None:
    people.write_text(PEOPLE + ",Cy,Fox,\n,Cy,Fox,\n")
    connector = sheets(people.parent)
    assert [found["_row"]["line"] for found in rows(connector)] == [2, 3, 4]
    assert "the same as line 4" in aside(connector)["people.csv:5"]


def test_a_create_without_a_key_gets_one(people: Path) -> None:
    connector = sheets(people.parent)
    receipts = connector.write("people", [Change("create", "line", patch={"First name": "Cy"})] * 2)
    assert len({receipt.id for receipt in receipts}) == 2
    assert {found["_row"]["id"] for found in rows(connector)} == {"P-1", "P-2", *(receipt.id for receipt in receipts)}


def test_provisioning_adds_the_key_column_and_gives_each_row_a_key(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Name,Town\nAnn,Rome\n\nBo,Oslo\n")
    connector = sheets(tmp_path)
    assert "aios connect" in connector.check().missing["read people"]
    assert connector.provision() == ["people.csv: added the column 'Ref'", "people.csv: gave 2 rows a key"]
    lines = path.read_text().split("\n")
    assert [line.rpartition(",")[0] for line in lines] == ["Name,Town", "Ann,Rome", "", "Bo,Oslo", ""]
    assert all(found["_row"]["key"] for found in rows(connector))
    assert connector.provision() == []
    assert connector.check().missing == {}


# other people, other processes


@pytest.mark.parametrize(
    ("lock", "content", "who"),
    [
        (".~lock.people.csv#", "Ann Lee,ann,desk,21.11.2026 09:00,file:///home;", "Ann Lee"),
        (".~lock.people.csv#", ",ann,desk,21.11.2026 09:00,file:///home;", "ann"),
        ("~$people.xlsx", "\x07Ann Lee   ", "Ann Lee"),
        ("~$people.csv", "", "somebody"),
    ],
)
def test_a_sheet_that_is_open_in_an_editor_can_be_read_but_not_written(people: Path, lock: str, content: str, who: str) -> None:
    (people.parent / lock).write_text(content)
    connector = sheets(people.parent)
    change = update(row(connector, "P-1"), Email="")
    with pytest.raises(UnavailableError, match=f"open in the editor of {who} ") as caught:
        connector.write("people", [change])
    assert "close it" in caught.value.hint
    assert people.read_text() == PEOPLE


def test_a_sheet_that_is_open_in_an_editor_behind_a_link_is_open(people: Path) -> None:
    folder = people.parent / "team"
    folder.mkdir()
    (folder / "people.csv").symlink_to(people)
    (people.parent / ".~lock.people.csv#").write_text("Ann Lee,ann,desk,21.11.2026 09:00,file:///home;")
    connector = sheets(people.parent, folder="team")
    with pytest.raises(UnavailableError, match="open in the editor of Ann Lee "):
        connector.write("people", [update(row(connector, "P-1"), Email="")])


def test_what_is_in_place_is_written_though_its_folder_cannot_be_brought_to_rest(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def refusing(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refusing)
    connector = sheets(people.parent)
    (receipt,) = connector.write("people", [update(row(connector, "P-1"), Email="")])
    assert receipt.outcome == "written"
    assert row(connector, "P-1") == receipt.record


def test_only_one_process_writes_at_a_time(people: Path) -> None:
    import fcntl

    connector = sheets(people.parent)
    other = os.open(people.parent, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(UnavailableError, match="another run is writing"):
        connector.write("people", [update(row(connector, "P-1"), Email="")])
    os.close(other)
    assert connector.write("people", [update(row(connector, "P-1"), Email="")])[0].outcome == "written"


def test_an_edit_that_a_person_saves_while_we_write_is_not_lost(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = sheets(people.parent)
    change = update(row(connector, "P-1"), Email="new@example.org")
    real_sync, saves = os.fsync, [PEOPLE.replace("Ray", "Roy")]

    def saved_meanwhile(handle: int) -> None:
        while saves:
            people.write_text(saves.pop())
        real_sync(handle)

    monkeypatch.setattr(os, "fsync", saved_meanwhile)
    (receipt,) = connector.write("people", [change])
    assert not saves
    assert receipt.outcome == "written"
    assert people.read_text() == PEOPLE.replace("Ray", "Roy").replace("ann@", "new@")


def test_a_file_that_never_rests_is_left_alone(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = sheets(people.parent)
    change = update(row(connector, "P-1"), Email="")
    monkeypatch.setattr(writing, "file_digest", lambda path: "of another file")
    with pytest.raises(UnavailableError, match="again and again"):
        connector.write("people", [change])
    assert people.read_text() == PEOPLE
    assert [path.name for path in people.parent.iterdir()] == ["people.csv"]


def test_a_full_disk_leaves_the_sheet_as_it_was(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    connector = sheets(people.parent)
    change = update(row(connector, "P-1"), Email="")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left"):
        connector.write("people", [change])
    assert people.read_text() == PEOPLE
    assert [path.name for path in people.parent.iterdir()] == ["people.csv"]


def steps_until(act: Callable[[], object], last: int) -> bool:
    """Do it in a process of its own that is killed at its n-th step outside; False if it ended before that."""
    child = os.fork()
    if child == 0:
        count = 0

        def step(event: str, values: tuple[Any, ...]) -> None:
            nonlocal count
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

        def stepping(real: Callable[..., None]) -> Callable[..., None]:
            def stepped(*values: Any) -> None:
                step("before", ())
                real(*values)
                step("after", ())

            return stepped

        for name in ("fsync", "replace", "fchmod"):
            setattr(os, name, stepping(getattr(os, name)))
        sys.addaudithook(step)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_step_of_a_write_leaves_the_old_sheet_or_the_new_one(people: Path) -> None:
    connector = sheets(people.parent)
    change = update(row(connector, "P-1"), Email="new@example.org")
    new, seen = PEOPLE.replace("ann@", "new@"), set()
    steps = 1
    while steps_until(lambda: connector.write("people", [change]), steps):
        seen.add(people.read_text())
        assert seen <= {PEOPLE, new}
        people.write_text(PEOPLE)
        steps += 1
    assert steps > 20
    assert seen == {PEOPLE, new}  # kills on both sides of the rename
    assert people.read_text() == new
    assert [path.name for path in people.parent.iterdir()] == ["people.csv"]  # what the killed left is gone


# laws


TEXT = st.text(
    st.one_of(st.sampled_from(list(' ,;\t"\r\n=x')), st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\0")),
    max_size=8,
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, str, list[list[str]]]:
    """A sheet's bytes as some program would write them, its codec, and its cells; the key is in the first column."""
    codec = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    width, height = draw(st.integers(2, 4)), draw(st.integers(1, 5))
    body = [[f"K{number}", *(draw(TEXT) for _ in range(width - 1))] for number in range(height)]
    header = ["Ref", *(f"C{number}" for number in range(1, width))]
    minimal = csv.QUOTE_ALL if any("\r" in cell for line in body for cell in line) else csv.QUOTE_MINIMAL  # Python leaves \r bare
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=draw(st.sampled_from([",", ";", "\t"])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([minimal, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
    )
    writer.writerows([header, *body])
    return out.getvalue().encode(codec), codec, body


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


law = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cells(connector: CSV) -> list[list[str]]:
    return [[value for name, value in found.items() if name != "_row"] for found in rows(connector)]


@law
@given(table=tables())
def test_law_a_sheet_is_read_as_it_was_written(place: Path, table: tuple[bytes, str, list[list[str]]]) -> None:
    data, _, body = table
    (place / "people.csv").write_bytes(data)
    assert cells(sheets(place)) == body


@law
@given(table=tables(), data=st.data())
def test_law_an_edit_leaves_every_other_byte(place: Path, table: tuple[bytes, str, list[list[str]]], data: st.DataObject) -> None:
    before, codec, body = table
    path, connector = place / "people.csv", sheets(place)
    path.write_bytes(before)
    at, column, value = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, len(body[0]) - 1)), data.draw(TEXT)
    (receipt,) = connector.write("people", [update(row(connector, f"K{at}"), **{f"C{column}": value})])
    changed = [list(line) for line in body]
    changed[at][column] = value
    assert receipt.outcome == ("written" if changed != body else "unchanged")
    assert cells(connector) == changed
    old, new = before.decode(codec), path.read_bytes().decode(codec)
    delimiter = next(character for character in old if character in ",;\t")
    places = [record for record in records(iter(io.StringIO(old, newline="")), delimiter) if record.cells[:1] == [f"K{at}"]]
    start = old.index(places[0].text) + spans(places[0].text, delimiter)[column][0]
    end = old.index(places[0].text) + spans(places[0].text, delimiter)[column][1]
    assert new.startswith(old[:start])
    assert new.endswith(old[end:])
    connector.write("people", [update(row(connector, f"K{at}"), **{f"C{column}": body[at][column]})])
    assert cells(connector) == body


@law
@given(table=tables(), values=st.lists(TEXT, min_size=1, max_size=3))
def test_law_a_new_row_leaves_every_byte_and_its_delete_brings_them_back(
    place: Path, table: tuple[bytes, str, list[list[str]]], values: list[str]
) -> None:
    before, _, body = table
    path, connector = place / "people.csv", sheets(place)
    path.write_bytes(before)
    creates = [Change("create", "line", patch={"C1": value}, key=f"N{number}") for number, value in enumerate(values)]
    receipts = connector.write("people", creates)
    assert path.read_bytes().startswith(before)
    assert [receipt.record and receipt.record["C1"] for receipt in receipts] == values
    assert [receipt.record for receipt in receipts] == rows(connector)[len(body) :]
    connector.write("people", [Change("delete", "line", receipt.id, version=receipt.version) for receipt in receipts])
    assert path.read_bytes() == before


@law
@given(text=st.text(st.sampled_from(list('ab,"\r\n;')), max_size=40))
def test_law_cutting_loses_no_character_and_finds_each_cell_where_it_stands(text: str) -> None:
    found = list(records(iter(io.StringIO(text, newline="")), ","))
    assert "".join(record.text for record in found) == text
    for record in found:
        if not record.fault and record.cells:
            said = [record.text[start:end] for start, end in spans(record.text, ",")]
            assert [cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in said] == record.cells


@law
@given(junk=st.binary(max_size=60))
def test_law_any_bytes_at_all_are_read_or_refused_and_kept(place: Path, junk: bytes) -> None:
    path, connector = place / "people.csv", sheets(place)
    path.write_bytes(b"Ref,C1\nK,v\n" + junk)
    try:
        pages: list[Page] = list(connector.read("people"))
        count = sum(len(page.records) + len(page.quarantined) for page in pages)
        assert count == pages[-1].total
        connector.write("people", [Change("create", "line", patch={"C1": "w"}, key="N")])
    except ProviderError:
        assert path.read_bytes() == b"Ref,C1\nK,v\n" + junk
    else:
        assert path.read_bytes().startswith(b"Ref,C1\nK,v\n" + junk)


def test_describe_names_the_columns_and_keeps_the_key_from_being_written(people: Path) -> None:
    fields = sheets(people.parent).describe("people").fields
    assert [name for name, field in fields.items() if field.writable] == ["First name", "Last name", "Email"]
    assert fields["_row.line"].type == "integer"


def test_check_says_what_is_there_and_what_may_not_be_done(people: Path) -> None:
    connector = sheets(people.parent)
    assert connector.check().details == {"people.csv": "2 rows, utf-8, comma"}
    with pytest.raises(UnavailableError, match="no folder"):
        sheets(people.parent / "none").check()


def test_the_readme_explains_every_setting() -> None:
    readme = (Path(__file__).parents[2] / "connectors" / "csv" / "README.md").read_text(encoding="utf-8")
    assert [setting.name for setting in CSV.spec.settings if f"`{setting.name}`" not in readme] == []
