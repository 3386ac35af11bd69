"""Many senders at once, and whatever else may happen between a request and its answer: one enquiry each, and none is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aios_connect_webform.inbox import Inbox

from aios_connect.connectors import UnavailableError

from .webform_desk import KEY, NOON, Desk, said

ROOT = Path(__file__).parents[2]


def sender(folder: Path, does: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.connectors.webform_sender", str(folder), does]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_eight_threads_with_one_key_make_one_enquiry(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: desk.keyed(b"message=a", idempotency_key="k-1"), range(40)))
    assert {reply.status for reply in replies} == {200}
    assert len({said(reply)["id"] for reply in replies}) == 1
    (raw,) = desk.records()
    assert raw["deliveries"] == 40
    desk.form.close()


def test_eight_threads_with_the_same_content_make_one_enquiry(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: desk.keyed(b"message=a"), range(40)))
    assert len({said(reply)["id"] for reply in replies}) == 1
    desk.form.close()


def test_one_of_two_contents_that_race_for_a_key_is_kept_and_the_other_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda n: desk.keyed(b"message=%d" % n, idempotency_key="k-1"), range(16)))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 15
    assert len(desk.records()) == 1
    desk.form.close()


def test_processes_that_share_an_inbox_make_one_enquiry_of_each_key(tmp_path: Path) -> None:
    processes = [sender(tmp_path, "send") for _ in range(4)]
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0] * 4
    desk = Desk(tmp_path)
    records = desk.records()
    assert sorted(raw["fields"]["message"] for raw in records) == [str(number) for number in range(8)]
    assert {raw["deliveries"] for raw in records} == {4}
    desk.form.close()


def test_a_reader_meets_every_enquiry_while_others_write(tmp_path: Path) -> None:
    """Numbers are given out in the order in which they can be seen."""
    desk, other = Desk(tmp_path), Desk(tmp_path)
    seen: set[str] = set()
    cursor = None
    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(desk.keyed, b"message=%d" % number) for number in range(60)]
        while not all(one.done() for one in writing):
            for page in other.form.read("submissions", cursor):
                seen |= {raw["id"] for raw in page.records}
                cursor = page.cursor
    for page in other.form.read("submissions", cursor):
        seen |= {raw["id"] for raw in page.records}
    assert seen == {said(one.result())["id"] for one in writing}
    assert len(seen) == 60
    desk.form.close()
    other.form.close()


def test_writers_who_do_not_know_each_other_take_turns(tmp_path: Path) -> None:
    desks = [Desk(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        sent = threads.map(lambda n: desks[n % 4].keyed(b"message=a", idempotency_key=f"k-{n // 4}"), range(80))
    assert {reply.status for reply in sent} == {200}
    assert [raw["deliveries"] for raw in desks[0].records()] == [4] * 20
    for desk in desks:
        desk.form.close()


def test_an_inbox_that_is_opened_by_many_at_once_is_made_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def opened(inbox: Inbox) -> str:
        start.wait(30)
        return inbox.id

    with ThreadPoolExecutor(8) as threads:
        for number in range(25):
            inboxes = [Inbox(tmp_path / f"inbox-{number}.db", lambda: NOON) for _ in range(8)]
            assert len(set(threads.map(opened, inboxes))) == 1
            for inbox in inboxes:
                inbox.close()


def test_an_inbox_waits_for_whoever_else_makes_it(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    done = threading.Timer(0.3, other.execute, ["rollback"])
    done.start()
    inbox = Inbox(tmp_path / "inbox.db", lambda: NOON)
    assert inbox.id
    done.join()
    inbox.close()
    other.close()


def test_a_disk_that_fails_in_the_middle_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keyed(b"message=before")
    with sqlite3.connect(desk.inbox) as inbox:
        inbox.execute("create trigger full before insert on record begin select raise(abort, 'disk full'); end")
    reply = desk.keyed(b"message=during", idempotency_key="k-1")
    assert (reply.status, reply.headers["retry-after"]) == (503, "60")
    with inbox:
        inbox.execute("drop trigger full")
    inbox.close()
    assert desk.keyed(b"message=during", idempotency_key="k-1").status == 200
    assert [raw["fields"]["message"] for raw in desk.records()] == ["before", "during"]
    assert [raw["deliveries"] for raw in desk.records()] == [1, 1]
    desk.form.close()


def test_an_inbox_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keyed(b"message=a")
    desk.form.close()
    with sqlite3.connect(desk.inbox) as inbox:
        inbox.execute("pragma user_version = 99")
    inbox.close()
    with pytest.raises(UnavailableError, match="newer version"):
        desk.form.check()
    assert desk.keyed(b"message=b").status == 503
    desk.form.close()


def test_no_secret_is_in_the_inbox(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.keyed(b"message=a", cookie=f"session={KEY}", x_api_key=KEY).status == 200
    desk.form.close()
    for file in desk.inbox.parent.iterdir():
        assert KEY.encode() not in file.read_bytes()
