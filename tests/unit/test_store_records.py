"""What the sync steps ask of the store costs what they get, however much else the store holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from aios_connect.store import Store
from aios_connect.store.pages import PageRow, upsert_records
from aios_connect.store.records import (
    clear_proposals,
    entities_after,
    entities_by_id,
    entities_by_key,
    entities_of,
    records_by_id,
    records_of,
    unlinked_after,
)
from aios_connect.store.tables import entity, exception, key, record
from aios_connect.sync.exceptions import (
    count_open,
    exception_id,
    raise_exception,
    resolve_exceptions,
    resolve_others,
    settled_deletes,
    settled_matches,
    settlements,
)

SMALL, LARGE = 200, 4_000
WANTED = range(20, 40)
ENTITIES = [f"e{n:05}" for n in WANTED]
AT = datetime(2026, 11, 21, 7, 50, 35, tzinfo=UTC)

QUESTIONS: dict[str, Callable[[Connection], Any]] = {
    "the next entities": lambda tx: entities_after(tx, "person", "e00020", 20),
    "entities by id": lambda tx: entities_by_id(tx, ENTITIES),
    "entities by key": lambda tx: entities_by_key(tx, "person", [f"name:{n:05}" for n in WANTED]),
    "records of entities": lambda tx: records_of(tx, ENTITIES),
    "records by id": lambda tx: records_by_id(tx, "crm", "people", [f"{n:05}" for n in WANTED]),
    "entities of records": lambda tx: entities_of(tx, [("crm", "people", f"{n:05}") for n in WANTED]),
    "entities of records nobody knows": lambda tx: entities_of(tx, [("crm", "companies", f"{n:05}") for n in WANTED]),
    "the next records without a link": lambda tx: unlinked_after(tx, "crm", "people", "00020", 20),
    "decided conflicts": lambda tx: settlements(tx, "job", ENTITIES),
    "decided deletes": lambda tx: settled_deletes(tx, "job", ENTITIES),
    "decided matches": lambda tx: settled_matches(tx, [f"match:{n:05}" for n in WANTED]),
    "questions still to be asked": lambda tx: resolve_others(
        tx, "job", ["conflict"], ENTITIES, {exception_id(f"{n:05}") for n in WANTED}, AT
    ),
    "questions to take back": lambda tx: resolve_exceptions(tx, [f"match:{n:05}" for n in WANTED], AT),
}


def filled(path: Path, count: int) -> Store:
    """So many unlinked people, each with a proposed entity, a key and an open question."""
    store = Store.open(f"sqlite:///{path}")
    numbers = [f"{n:05}" for n in range(count)]
    with store.begin() as tx:
        upsert_records(tx, [PageRow("crm", "people", n, "person", "{}", "{}", "", None, "digest", "run") for n in numbers])
        tx.execute(update(record).values(entity="e" + record.c.id))
        common = {"kind": "person", "leaves": "{}", "provenance": "{}", "version": 0, "proposed": True}
        tx.execute(insert(entity), [{"id": f"e{n}", **common} for n in numbers])
        tx.execute(insert(key), [{"kind": "person", "key": f"name:{n}", "entity": f"e{n}"} for n in numbers])
        common = {"job": "job", "code": "conflict", "severity": "warn", "leaf": "name", "summary": "", "choices": "{}"}
        common |= {"state": "open", "opened_at": AT, "seen_at": AT}
        tx.execute(insert(exception), [{"id": exception_id(n), "dedupe": n, "entity": f"e{n}", **common} for n in numbers])
    return store


def steps(store: Store, question: Callable[[Connection], Any]) -> tuple[Any, int]:
    """The answer, and how many instructions SQLite's machine took for it."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with store.read() as tx:
        driver: Any = tx.connection.driver_connection
        driver.set_progress_handler(step, 1)
        try:
            return question(tx), count
        finally:
            driver.set_progress_handler(None, 1)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """A small and a large store; the large one holds all that the small one holds."""
    folder = tmp_path_factory.mktemp("stores")
    return filled(folder / "small.db", SMALL), filled(folder / "large.db", LARGE)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_costs_no_more_in_a_large_store_than_in_a_small_one(stores: tuple[Store, Store], question: str) -> None:
    (answer, few), (same, many) = (steps(store, QUESTIONS[question]) for store in stores)
    assert answer == same
    assert many <= 1.1 * few + 50


def test_a_question_is_taken_back_by_its_whole_name_and_not_by_its_short_id(store: Store) -> None:
    match, rejected = "match:job:crm:people:23376", "rejected:job:crm:people:177414"
    assert exception_id(match) == exception_id(rejected)
    with store.begin() as tx:
        raise_exception(
            tx, job="job", code="rejected", severity="warn", dedupe=rejected, summary="", choices={}, now=AT, entity="e00020"
        )
        resolve_exceptions(tx, [match], AT)
        assert count_open(tx, "job", "rejected") == 1
        resolve_exceptions(tx, [rejected], AT)
        assert count_open(tx, "job", "rejected") == 0


def test_a_proposal_that_is_taken_back_leaves_no_agreement_behind(store: Store) -> None:
    proposed = {"base": '{"name":"Ada"}', "given": 3, "entity": "e00001", "evidence": "it carries our key"}
    with store.begin() as tx:
        for id, linked in (("1", False), ("2", True)):
            upsert_records(tx, [PageRow("crm", "people", id, "person", "{}", "{}", "1", AT, "m", "r")])
            tx.execute(update(record).where(record.c.id == id).values(linked=linked, **proposed))
        clear_proposals(tx, ["crm"], ["person"])
        found = records_by_id(tx, "crm", "people", ["1", "2"])
    assert {name: getattr(found["1"], name) for name in proposed} == dict.fromkeys(proposed)
    assert {name: getattr(found["2"], name) for name in proposed} == proposed
