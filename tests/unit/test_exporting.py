"""An export goes on where it stopped: nothing is lost, nothing stands twice, wherever it was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aios_connect.connection import Connection
from aios_connect.connectors import ConnectorSpec, ObjectSpec
from aios_connect.connectors.contract import Connector, Cursor, Identity, Page, Quarantined, Raw, Schema
from aios_connect.errors import ConfigError, CursorGoneError, TruncatedError, UnavailableError
from aios_connect.mappings import loads
from aios_connect.sync import export

MAPPING = """
connector: pages
object: people
kind: person
defaults: {clear: ""}
fields:
  names.full: name
  custom.age: {from: age, as: integer}
"""
# Page 1 has nothing that fits, page 3 nothing at all.
PAGES: list[list[Raw]] = [
    [{"id": "0", "name": "Bo", "age": "old"}],
    [{"id": "1", "name": "Ann", "age": "41"}, {"id": "2", "name": "Cy", "age": "?"}],
    [],
    [{"id": "3", "name": "Di", "age": "43"}],
]
NAMES, REFUSED = ["Ann", "Di"], ["old", "?"]


class Pages(Connector):
    """Says its pages one by one, and stops before one of them if told so."""

    spec = ConnectorSpec("pages", "Pages", "", (), (), {"people": ObjectSpec("People", frozenset({"read"}))})

    def __init__(self) -> None:
        self.stop: tuple[int, Exception | None] = (len(PAGES), None)
        self.asked: list[int] = []

    def check(self) -> Identity:
        return Identity("pages", "pages")

    def describe(self, object: str) -> Schema:
        return Schema(object, {}, open=True)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return []

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        for number in range((since or {}).get("next", 0), len(PAGES)):
            before, error = self.stop
            if number == before:
                if error is None:
                    return
                raise error
            self.asked.append(number)
            torn = [Quarantined(f"page {number}", "torn", "{")] if number == 3 else []
            yield Page(PAGES[number], {"next": number + 1}, number + 1 == len(PAGES), quarantined=torn)


@pytest.fixture
def connector() -> Pages:
    return Pages()


@pytest.fixture
def connection(connector: Pages) -> Connection:
    return Connection("office", connector, [loads(MAPPING)])


def whole(path: Path) -> None:
    """The file and its quarantine hold everything once, and no checkpoint is left."""
    assert [json.loads(line)["names.full"] for line in path.read_text().splitlines()] == NAMES
    aside = [json.loads(line) for line in path.with_name("out.jsonl.quarantine").read_text().splitlines()]
    assert [one["raw"]["age"] if isinstance(one["raw"], dict) else one["place"] for one in aside] == [*REFUSED, "page 3"]
    assert not path.with_name("out.jsonl.checkpoint").exists()


@pytest.mark.parametrize("error", [UnavailableError("gone home"), None])
@pytest.mark.parametrize("before", range(len(PAGES)))
def test_it_goes_on_with_the_page_it_stopped_at(
    connection: Connection, connector: Pages, tmp_path: Path, before: int, error: Exception | None
) -> None:
    connector.stop = before, error
    with pytest.raises(UnavailableError if error else TruncatedError):
        export(connection, "person", tmp_path / "out.jsonl")
    connector.stop = len(PAGES), None
    report = export(connection, "person", tmp_path / "out.jsonl")
    assert report.resumed == (before > 0)
    assert connector.asked == list(range(len(PAGES)))
    whole(tmp_path / "out.jsonl")


@pytest.mark.parametrize("file", ["out.jsonl", "out.jsonl.quarantine", "out.jsonl.checkpoint"])
def test_what_was_written_after_the_last_whole_note_is_cut_off(
    connection: Connection, connector: Pages, tmp_path: Path, file: str
) -> None:
    connector.stop = 2, UnavailableError("killed")
    with pytest.raises(UnavailableError):
        export(connection, "person", tmp_path / "out.jsonl")
    with open(tmp_path / file, "ab") as torn:
        torn.write(b'{"of": "office/people' * 100)
    connector.stop = 3, UnavailableError("killed again")
    with pytest.raises(UnavailableError):
        export(connection, "person", tmp_path / "out.jsonl")
    connector.stop = len(PAGES), None
    export(connection, "person", tmp_path / "out.jsonl")
    assert connector.asked == list(range(len(PAGES)))
    whole(tmp_path / "out.jsonl")


@pytest.mark.parametrize("file", ["out.jsonl", "out.jsonl.quarantine"])
def test_it_begins_anew_if_somebody_took_a_file_away(connection: Connection, connector: Pages, tmp_path: Path, file: str) -> None:
    connector.stop = 2, UnavailableError("killed")
    with pytest.raises(UnavailableError):
        export(connection, "person", tmp_path / "out.jsonl")
    (tmp_path / file).unlink()
    connector.stop = len(PAGES), None
    assert not export(connection, "person", tmp_path / "out.jsonl").resumed
    whole(tmp_path / "out.jsonl")


def test_a_checkpoint_of_another_export_is_refused(connection: Connection, connector: Pages, tmp_path: Path) -> None:
    connector.stop = 1, UnavailableError("killed")
    with pytest.raises(UnavailableError):
        export(connection, "person", tmp_path / "out.jsonl")
    other = Connection("shop", connector, [loads(MAPPING)])
    with pytest.raises(ConfigError, match="belongs to another export"):
        export(other, "person", tmp_path / "out.jsonl")


def test_a_cursor_the_vendor_forgot_is_forgotten_here(connection: Connection, connector: Pages, tmp_path: Path) -> None:
    connector.stop = 2, CursorGoneError("too old")
    with pytest.raises(CursorGoneError):
        export(connection, "person", tmp_path / "out.jsonl")
    connector.stop = len(PAGES), None
    assert not export(connection, "person", tmp_path / "out.jsonl").resumed
    whole(tmp_path / "out.jsonl")
