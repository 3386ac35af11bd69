"""A connection without a project: canonical records in and out of one account, and nothing dropped on the way."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import aios_connect
from aios_connect.connection import Connection
from aios_connect.connection.opening import load_mapping, mapping_files
from aios_connect.connectors.contract import (
    Change,
    Connector,
    Cursor,
    FieldInfo,
    Identity,
    Page,
    Quarantined,
    Raw,
    Receipt,
    Schema,
    Tombstone,
)
from aios_connect.connectors.spec import ConnectorSpec, ObjectSpec
from aios_connect.errors import ConfigError, MappingError, NotFoundError, TruncatedError
from aios_connect.mappings import loads
from aios_connect.model import Person

SHEET = (
    "Ref,First name,Last name,Email,Mobile,Job title\n"
    "P-1,Ann,Lee,ann@example.org,+1 503-555-0142,Owner\n"
    "P-2,Bo,Ray,bo@example.org,,Roofer\n"
)
MAPPING = """
connector: shelf
object: folk
kind: person
fields:
  names.full: {from: name.full}
  phones.mobile: {from: mobile, as: phone}
  job_title: title
  source: {from: origin, access: read}
"""


class Shelf(Connector):
    """A vendor in memory that says which changes reached it."""

    spec = ConnectorSpec(
        provider="shelf",
        title="Shelf",
        docs="",
        auth=(),
        settings=(),
        objects={"folk": ObjectSpec("Folk", frozenset({"read", "create", "update"}), version="rev", key="ours")},
    )

    def __init__(self, *records: Raw) -> None:
        self.records = {record["id"]: record for record in records}
        self.pages: list[Page] | None = None
        self.changes: list[Change] = []
        self.closed = 0
        self.described = 0

    def check(self) -> Identity:
        return Identity("shelf", "me")

    def describe(self, object: str) -> Schema:
        self.described += 1
        return Schema(object, {"x_size": FieldInfo("x_size", "text", custom=True)})

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        yield from self.pages or [Page(deepcopy(list(self.records.values())), {"after": "all"}, True)]

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return [deepcopy(self.records[id]) for id in ids if id in self.records]

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        self.changes += changes
        return [Receipt("written", id=change.id or "new") for change in changes]

    def close(self) -> None:
        self.closed += 1


def ann(**values: Any) -> Raw:
    return {"id": "7", "rev": 3, "name": {"full": "Ann Lee", "short": "A"}, "mobile": "+15035550142", "title": "Owner", **values}


def shelf(*records: Raw) -> tuple[Connection, Shelf]:
    connector = Shelf(*(records or (ann(),)))
    return Connection("crm", connector, [loads(MAPPING)]), connector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(SHEET, encoding="utf-8")
    return tmp_path


# the integrator's door


def test_people_are_read_and_one_is_changed_in_ten_lines(folder: Path) -> None:
    with aios_connect.connect("csv", folder=str(folder), key="Ref") as sheet:
        people = sheet.read("person")
        bo = next(person for person in people if person.names.given == "Bo")
        receipt = sheet.update(bo, {"phones.mobile": "+15035550111"})
    assert (receipt.outcome, people.problems) == ("written", [])
    assert "P-2,Bo,Ray,bo@example.org,+1 503-555-0111,Roofer" in (folder / "people.csv").read_text(encoding="utf-8")


def test_a_record_is_made_and_read_back(folder: Path) -> None:
    with aios_connect.connect("csv", folder=str(folder), key="Ref") as sheet:
        receipt = sheet.create("person", {"names.given": "Cy", "emails.work": "cy@example.org"})
        assert receipt.outcome == "written"
        assert receipt.id is not None
        made = sheet.get("person", receipt.id)
    assert (made.names.given, made.emails.work, made.job_title) == ("Cy", "cy@example.org", None)


def test_a_changed_copy_writes_what_was_changed(folder: Path) -> None:
    with aios_connect.connect("csv", folder=str(folder), key="Ref") as sheet:
        before = sheet.get("person", "P-1")
        after = before.model_copy(update={"job_title": "Founder"})
        assert sheet.update(before, after).outcome == "written"
        assert sheet.get("person", "P-1").job_title == "Founder"


def test_ones_own_mapping_is_laid_over_the_shipped_one(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "people.yaml").write_text(
        "connector: csv\nobject: people\nkind: person\nfields: {source: {from: Job title, access: read}}\n", encoding="utf-8"
    )
    with aios_connect.connect("csv", folder=str(folder), key="Ref", mappings=own) as sheet:
        assert sheet.get("person", "P-1").source == "Owner"
        assert sheet.get("person", "P-1").names.family == "Lee"


def test_relative_paths_start_where_one_says(folder: Path) -> None:
    with aios_connect.connect("csv", folder=".", key="Ref", relative_to=folder) as sheet:
        assert [person.names.given for person in sheet.read("person")] == ["Ann", "Bo"]


@pytest.mark.parametrize(
    ("provider", "settings", "said", "hint"),
    [
        ("cvs", {}, "there is no connector 'cvs'", "did you mean 'csv'?"),
        ("csv", {"foldr": "."}, "CSV has no setting 'foldr'", "did you mean 'folder'?"),
        ("csv", {}, "CSV needs folder", "give folder"),
        ("csv", {"folder": ".", "password": "x"}, "CSV has no setting 'password'", "use one of"),
    ],
)
def test_a_wrong_setting_is_a_sentence_with_a_way_out(provider: str, settings: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        aios_connect.connect(provider, **settings)
    assert caught.value.hint.startswith(hint)


# reading


def test_what_does_not_fit_is_set_aside_and_said(caplog: pytest.LogCaptureFixture) -> None:
    crm, connector = shelf()
    broken = Quarantined("line 9", "no end", "x")
    connector.pages = [
        Page([ann(), ann(id="8", title={"a": 1})], {"page": 1}, False, quarantined=[broken]),
        Page([], {"page": 2}, True, tombstones=[Tombstone("9", "deleted")]),
    ]
    people = crm.read("person")
    with caplog.at_level(logging.WARNING, "aios_connect"):
        assert [person.names.full for person in people] == ["Ann Lee"]
    assert people.problems[0] == broken
    assert (people.problems[1].place, people.problems[1].id) == ("folk/8", "8")
    assert "job_title" in people.problems[1].reason
    assert "crm: 2 of folk could not be read" in caplog.text
    assert ([stone.id for stone in people.gone], people.cursor, people.complete) == (["9"], {"page": 2}, True)


def test_a_stream_without_its_end_is_an_error() -> None:
    crm, connector = shelf()
    connector.pages = [Page([ann()], {}, False)]
    with pytest.raises(TruncatedError, match="without its end marker"):
        list(crm.read("person"))


def test_a_record_knows_where_it_was_read() -> None:
    crm, _ = shelf()
    (ref,) = crm.get("person", "7").external_refs
    assert (ref.connector, ref.object, ref.id, ref.version) == ("crm", "folk", "7", "3")


def test_a_record_that_is_not_there_and_one_that_does_not_fit_are_errors() -> None:
    crm, _ = shelf(ann(title={"a": 1}))
    with pytest.raises(NotFoundError, match="crm has no folk/8"):
        crm.get("person", "8")
    with pytest.raises(MappingError, match="folk/7 does not fit"):
        crm.get("person", "7")


# writing


def test_an_update_carries_what_it_expects_and_the_version() -> None:
    crm, connector = shelf()
    crm.update(crm.get("person", "7"), {"names.full": "Ann O. Lee", "job_title": None})
    (change,) = connector.changes
    assert (change.action, change.id, change.version) == ("update", "7", "3")
    assert change.patch == {"name": {"full": "Ann O. Lee"}, "title": None}
    assert change.expect == {"name": {"full": "Ann Lee"}, "title": "Owner"}


def test_what_somebody_else_changed_meanwhile_is_not_overwritten() -> None:
    crm, connector = shelf()
    person = crm.get("person", "7")
    connector.records["7"]["title"] = "Founder"
    receipt = crm.update(person, {"job_title": "Director"})
    assert (receipt.outcome, connector.changes) == ("conflict", [])
    assert "job_title" in receipt.reason
    assert receipt.current is not None
    assert receipt.current["title"] == "Founder"


def test_what_somebody_else_changed_elsewhere_in_the_record_is_no_conflict() -> None:
    crm, connector = shelf()
    person = crm.get("person", "7")
    connector.records["7"]["mobile"] = "+15035550111"
    assert crm.update(person, {"job_title": "Director"}).outcome == "written"
    assert connector.changes[0].patch == {"title": "Director"}


def test_a_value_that_is_there_already_is_not_sent() -> None:
    crm, connector = shelf()
    person = crm.get("person", "7")
    connector.records["7"]["title"] = "Director"
    assert crm.update(person, {"job_title": "Director"}).outcome == "unchanged"
    assert connector.changes == []


def test_what_cannot_be_written_is_refused_before_anything_is_sent() -> None:
    crm, connector = shelf()
    person = crm.get("person", "7")
    with pytest.raises(ConfigError, match="does not write 'source'"):
        crm.update(person, {"source": "web"})
    with pytest.raises(ConfigError, match="does not write 'source'"):
        crm.create("person", {"source": "web"})
    with pytest.raises(MappingError, match="has no leaf 'job_titel'"):
        crm.update(person, {"job_titel": "x"})
    with pytest.raises(MappingError, match="not a canonical phone"):
        crm.update(person, {"phones.mobile": "call me"})
    with pytest.raises(ConfigError, match="was not read from connection 'crm'"):
        crm.update(Person(), {"job_title": "x"})
    assert connector.changes == []


def test_a_new_record_carries_our_key() -> None:
    crm, connector = shelf()
    crm.create("person", Person.from_leaves({"names.full": "Bo Ray", "job_title": None}), key="person_1")
    crm.create("person", {"names.full": "Cy Dean"})
    crm.create("person", {"names.full": "Di East"})
    assert connector.changes[0].key == "person_1"
    assert connector.changes[0].patch == {"name": {"full": "Bo Ray"}}
    assert connector.changes[1].key != connector.changes[2].key
    assert connector.changes[1].line != connector.changes[2].line


# mappings


def test_a_kind_without_a_mapping_is_an_error_that_says_where_to_write_one() -> None:
    crm, _ = shelf()
    with pytest.raises(ConfigError, match="no mapping for 'deal'") as caught:
        crm.read("deal")
    assert "mappings/shelf/" in caught.value.hint
    assert crm.kinds == ("person",)


def test_two_mappings_for_one_kind_are_refused() -> None:
    with pytest.raises(ConfigError, match="two mappings for person"):
        Connection("crm", Shelf(), [loads(MAPPING), loads(MAPPING)])


def test_custom_fields_are_those_of_the_live_schema_which_is_asked_once() -> None:
    connector = Shelf()
    crm = Connection("crm", connector, [loads(MAPPING + "  custom: {prefix: x_}\n")])
    assert "custom.size" in crm.mapping("person").writes
    assert "custom.size" in crm.mapping("person").writes
    assert connector.described == 1


def test_the_overlay_of_a_connection_counts_more_than_that_of_its_provider(tmp_path: Path) -> None:
    for name, title in (("shipped", "title"), ("provider", "role"), ("connection", "position")):
        (tmp_path / name).mkdir()
        text = f"connector: shelf\nobject: folk\nkind: person\nfields: {{job_title: {title}}}\n"
        (tmp_path / name / "folk.yaml").write_text(text, encoding="utf-8")
    folders = [tmp_path / "provider", tmp_path / "connection"]

    def read(overlays: list[Path]) -> Any:
        ((file, overlay),) = mapping_files(tmp_path / "shipped", overlays).values()
        return load_mapping(file, overlay, Shelf.spec).get({"title": "a", "role": "b", "position": "c"})[0]["job_title"]

    assert [read([]), read(folders[:1]), read(folders)] == ["a", "b", "c"]
    assert read([tmp_path / "shipped"]) == "a"


def test_closing_twice_is_safe_and_closes_the_connector() -> None:
    crm, connector = shelf()
    with crm:
        pass
    crm.close()
    assert connector.closed == 2


def test_the_door_without_a_project_needs_nothing_of_the_engine(folder: Path) -> None:
    code = f"""
import sys
for name in ("sqlalchemy", "alembic", "cel_expr_python", "google.protobuf", "rich", "cyclopts", "keyring", "rapidfuzz", "psycopg"):
    sys.modules[name] = None
import aios_connect
with aios_connect.connect("csv", folder={str(folder)!r}, key="Ref") as sheet:
    print(sheet.update(next(iter(sheet.read("person"))), {{"job_title": "Founder"}}).outcome)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("written\n", "")
