"""The store opens, keeps what was committed, shows one view to a reader, and says plainly what is wrong."""

from __future__ import annotations

import builtins
import multiprocessing
import os
import socket
import sqlite3
import stat
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DatabaseError, StatementError

from aios_connect.errors import BusyError, ConfigError, UnavailableError
from aios_connect.store.engine import Store
from aios_connect.store.migrations import REVISIONS, VERSION_TABLE
from aios_connect.store.tables import entity, job_state, quarantine

ROW = {"id": "person_1", "kind": "person", "leaves": "{}", "provenance": "{}"}


def test_what_was_committed_is_there_after_opening_again(store: Store, store_url: str) -> None:
    with store.begin() as connection:
        connection.execute(insert(entity).values(ROW))
    store.close()

    again = Store.open(store_url)
    with again.read() as connection:
        assert connection.execute(select(entity.c.id, entity.c.version)).all() == [("person_1", 1)]
    again.close()


def test_a_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as connection:
        connection.execute(insert(entity).values(ROW))
        1 / 0  # noqa: B018
    with store.read() as connection:
        assert connection.execute(select(entity)).first() is None


def test_a_reader_sees_one_view_whatever_is_written_meanwhile(store: Store) -> None:
    with store.begin() as connection:
        connection.execute(insert(entity).values(ROW))
    with store.read() as reader:
        before = reader.execute(select(entity.c.version)).scalar()
        with store.begin() as writer:
            writer.execute(update(entity).values(version=2))
        assert reader.execute(select(entity.c.version)).scalar() == before == 1
    with store.read() as reader:
        assert reader.execute(select(entity.c.version)).scalar() == 2


def test_nothing_is_written_through_a_reader_and_the_next_writer_can_write(store: Store) -> None:
    with pytest.raises(DatabaseError), store.read() as reader:
        reader.execute(insert(entity).values(ROW))
    with store.begin() as writer:
        writer.execute(insert(entity).values(ROW))


def test_a_reader_can_stream_while_a_writer_writes(store: Store) -> None:
    with store.begin() as writer:
        writer.execute(insert(entity), [{**ROW, "id": f"person_{number:03}"} for number in range(300)])
    seen: list[str] = []
    with store.read() as reader:
        for row in reader.execution_options(yield_per=50).execute(select(entity.c.id).order_by(entity.c.id)):
            if not seen:
                with store.begin() as writer:
                    writer.execute(entity.delete())
            seen.append(row.id)
    assert seen == [f"person_{number:03}" for number in range(300)]


def test_instants_come_back_aware_and_in_utc(store: Store) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 120_000, tzinfo=timezone(timedelta(hours=2)))
    row = {"connection": "crm", "object": "people", "place": "page 1", "reason": "", "raw": "", "run": "r"}
    with store.begin() as connection:
        connection.execute(insert(quarantine).values(**row, at=at))
    with store.read() as connection:
        found = connection.execute(select(quarantine.c.at)).scalar_one()
    assert found == at and found.tzinfo is UTC


def test_a_naive_instant_is_refused(store: Store) -> None:
    row = {"connection": "crm", "object": "people", "place": "page 1", "reason": "", "raw": "", "run": "r"}
    with pytest.raises(StatementError, match="naive"), store.begin() as connection:
        connection.execute(insert(quarantine).values(**row, at=datetime(2026, 1, 1)))


def test_a_new_file_and_its_folder_are_made_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "aios.db"
    store = Store.open(f"sqlite:///{path}")
    with store.begin() as connection:
        connection.execute(insert(entity).values(ROW))
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    store.close()
    assert modes == {"aios.db": 0o600, "aios.db-wal": 0o600, "aios.db-shm": 0o600}


def test_sqlite_is_durable_and_does_not_block_readers(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'aios.db'}")
    with store.begin() as connection:
        settings = [
            connection.execute(text(f"pragma {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    store.close()
    assert settings == ["wal", 2, 1]


def test_a_file_that_is_not_a_database_is_named_as_such_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Ada Lovelace, +44 20 7946 0018\n" * 100)
    with pytest.raises(ConfigError, match="not an SQLite database") as caught:
        Store.open(f"sqlite:///{path}")
    assert caught.value.hint and path.read_text().startswith("Ada")


def test_a_folder_that_may_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be opened") as caught:
        Store.open(f"sqlite:///{tmp_path / 'file' / 'aios.db'}")
    assert caught.value.hint


def test_a_writer_waits_for_another_and_then_says_so(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'aios.db'}", timeout=0.05)
    other = sqlite3.connect(tmp_path / "aios.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(BusyError, match="writing to the store") as caught, store.begin():
        pass
    other.execute("rollback")
    with store.begin() as connection:
        connection.execute(insert(entity).values(ROW))
    other.close()
    store.close()
    assert caught.value.hint


@pytest.mark.parametrize("url", ["mysql://somewhere/x", "not an address", "sqlite://", "sqlite:///:memory:", "oracle+what://x"])
def test_an_address_that_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store.open(url)
    assert "sqlite:///" in caught.value.hint or "path" in caught.value.hint


def test_a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_told() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(UnavailableError, match="does not answer") as caught:
            Store.open(f"postgresql://aios:s3cret@127.0.0.1:{port}/aios", timeout=2)
    assert caught.value.hint and "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_database_or_user_that_is_not_on_the_server_is_a_setting_to_fix(request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgres")
    with pytest.raises(ConfigError, match="does not exist"):
        Store.open(server.url("never_made"))
    with pytest.raises(ConfigError, match="refuses the user"):
        Store.open(server.url("postgres").replace("postgres@", "nobody_here@"))


def test_without_psycopg_the_way_out_is_an_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "psycopg", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match="psycopg") as caught:
        Store.open("postgresql://127.0.0.1/aios")
    assert "aios-connect[postgres]" in caught.value.hint


def test_a_newer_schema_is_refused_and_left_alone(store: Store, store_url: str) -> None:
    with store.begin() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer aios-connect") as caught:
        Store.open(store_url)
    assert "Upgrade" in caught.value.hint
    with store.read() as connection:
        assert connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar() == "9999"


def test_many_who_turn_a_new_file_to_the_log_at_once_wait_for_each_other(tmp_path: Path) -> None:
    refused: list[BaseException] = []

    def connect(path: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            Store.open(f"sqlite:///{path}").close()
        except BaseException as error:
            refused.append(error)

    for number in range(60):  # without the waiting, about one file in twenty refuses somebody
        together = threading.Barrier(8)
        threads = [threading.Thread(target=connect, args=(tmp_path / f"{number}.db", together)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert refused == []


def _open_and_add_one(url: str, barrier: Any) -> None:
    barrier.wait()
    store = Store.open(url)
    with store.begin() as connection:
        connection.execute(insert(job_state).values(name=str(os.getpid()), state="{}"))
    store.close()


def test_processes_that_open_a_new_store_at_once_make_one_schema(empty_database: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    processes = [context.Process(target=_open_and_add_one, args=(empty_database, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4

    store = Store.open(empty_database)
    with store.read() as connection:
        assert connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalars().all() == [REVISIONS[-1]]
        assert len(connection.execute(select(job_state)).all()) == 4
    store.close()


def test_a_test_cannot_leave_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(RuntimeError, match="stay on this machine"):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="stay on this machine"):
        socket.getaddrinfo("vendor.example", 443)
