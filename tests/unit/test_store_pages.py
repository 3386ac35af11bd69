"""What a page brings replaces what was read before, and nothing that was agreed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select, update

from aios_connect.store.engine import Store
from aios_connect.store.pages import PageRow, upsert_records
from aios_connect.store.tables import record

AT = datetime(2026, 11, 21, 7, 50, 35, tzinfo=UTC)


def row(**values: Any) -> PageRow:
    new = PageRow("crm", "people", "7", "person", '{"a":1}', '{"name":"Ada"}', "v1", AT, "digest1", "run1")
    return new._replace(**values)


def stored(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        return [dict(found) for found in connection.execute(select(record).order_by(record.c.id)).mappings()]


def put(store: Store, *rows: PageRow) -> None:
    with store.begin() as connection:
        upsert_records(connection, rows)


def test_a_new_record_is_stored_as_read_and_unlinked(store: Store) -> None:
    put(store, row())
    assert stored(store) == [
        {
            "connection": "crm",
            "object": "people",
            "id": "7",
            "kind": "person",
            "entity": None,
            "linked": False,
            "evidence": None,
            "raw": '{"a":1}',
            "seen": '{"name":"Ada"}',
            "base": None,
            "given": None,
            "version": "v1",
            "modified": AT,
            "gone": None,
            "survivor": None,
            "absences": 0,
            "mapping": "digest1",
            "read_run": "run1",
        }
    ]


def test_a_known_record_keeps_what_was_agreed_and_takes_what_was_read(store: Store) -> None:
    put(store, row())
    agreed = {"entity": "person_1", "linked": True, "evidence": "same e-mail", "base": '{"name":"Ada"}', "given": 4}
    with store.begin() as connection:
        connection.execute(update(record).values(**agreed, gone="absent", survivor="8", absences=2))
    read = {
        "raw": '{"a":2}',
        "seen": '{"name":"Ada L"}',
        "version": "v2",
        "modified": AT + timedelta(microseconds=1),
        "mapping": "digest2",
        "read_run": "run2",
    }
    put(store, row(**read))
    (found,) = stored(store)
    there = {"gone": None, "survivor": None, "absences": 0}
    assert found == {"connection": "crm", "object": "people", "id": "7", "kind": "person", **agreed, **read, **there}


def test_what_is_older_than_what_is_known_is_no_news_but_the_record_is_there(store: Store) -> None:
    put(store, row(raw='{"a":2}', version="v2"))
    with store.begin() as connection:
        connection.execute(update(record).values(absences=1))
    put(store, row(version="v1", modified=AT - timedelta(seconds=1), read_run="run2"))
    (found,) = stored(store)
    assert (found["raw"], found["version"], found["modified"]) == ('{"a":2}', "v2", AT)
    assert (found["absences"], found["read_run"]) == (0, "run2")


def test_of_an_id_that_comes_twice_in_a_page_the_last_one_stays(store: Store) -> None:
    put(store, row(raw='{"a":1}'), row(id="8"), row(raw='{"a":3}'))
    assert [(found["id"], found["raw"]) for found in stored(store)] == [("7", '{"a":3}'), ("8", '{"a":1}')]


def test_an_instant_is_kept_the_same_as_by_any_other_way_in(store: Store) -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5)))
    put(store, row(id="1", modified=elsewhere), row(id="2", modified=None))
    assert [found["modified"] for found in stored(store)] == [AT, None]
    with store.read() as connection:
        assert connection.execute(select(record.c.id).where(record.c.modified == AT)).scalars().all() == ["1"]


def test_text_of_any_kind_survives(store: Store) -> None:
    odd = '{"name":"Zoë % ? :x %s \U0001f600 \\u0000 \'"}'
    put(store, row(raw=odd))
    assert stored(store)[0]["raw"] == odd


def test_an_empty_page_is_nothing(store: Store) -> None:
    put(store)
    assert stored(store) == []
