"""Every command, one answer each for a person and for a program, and every mistake a sentence with the way out."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from shlex import quote
from typing import Any

import pytest
from rich.console import Console

from aios_connect.cli import main
from aios_connect.cli.index import COMMANDS, GROUPS, page
from aios_connect.cli.program import parser
from aios_connect.cli.providers import SchemaAnswer
from aios_connect.cli.screen import Screen
from aios_connect.connectors import FieldInfo, Schema
from aios_connect.errors import AiosError, BusyError
from aios_connect.project import Project

from .conftest import SETTINGS, Aios


def applied(aios: Aios) -> str:
    """Both sheets in step but for one conflict; the id of the run that did it."""
    ran = aios("apply", "two-sheets", "--yes", "--json")
    assert ran.code == 0, ran.err
    return str(ran.json["run"])


# the words


def test_the_first_page_names_every_command_and_fits_the_screen(aios: Aios) -> None:
    shown = aios()
    assert shown == aios("--help") == aios("-h")
    assert shown.out == page() + "\n"
    assert max(map(len, shown.out.splitlines())) <= 80
    assert all(f"  {entry.name} " in shown.out for entry in COMMANDS)


def test_the_commands_are_those_that_are_promised() -> None:
    promised = "init connect check connectors describe read map new plan apply undo why exceptions run runs reconcile record sandbox status version"
    assert sorted(entry.name for entry in COMMANDS) == sorted(promised.split())
    assert sum(len(entries) for entries in GROUPS.values()) == len(COMMANDS)


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_explains_itself_with_the_line_of_the_first_page(aios: Aios, entry: Any) -> None:
    shown = aios(entry.name, "--help")
    assert shown.code == 0
    assert " ".join(entry.help.split()) in " ".join(shown.out.split())
    assert "--json" in shown.out
    assert "screen" not in shown.out.replace("the screen", "")
    assert max(map(len, shown.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["plann"], "there is no command 'plann'", "did you mean 'plan'?"),
        (["--yes", "plan"], "there is no command '--yes'", "aios --help lists them"),
        (["plan", "two-sheets", "--al"], "Unknown option: --al", "did you mean --all?"),
        (["plan"], "requires an argument", "aios plan --help explains it"),
        (["read", "office", "person", "--limit", "many"], "many", "aios read --help explains it"),
        (["why", "deal/42"], "names no field", "KIND/ID.FIELD"),
        (["why", "person/99.notes"], "there is no person 99", "give the id"),
        (["plan", "two-sheet"], "there is no job 'two-sheet'", "did you mean 'two-sheets'?"),
        (["describe", "offce"], "there is no connection 'offce'", "did you mean 'office'?"),
        (["describe", "office", "poeple"], "there is no file poeple.csv", "there are people.csv"),
        (["read", "office", "deel"], "no mapping for 'deel'", "person"),
        (["exceptions", "show", "x1"], "there is no exception x1", "aios exceptions"),
        (["exceptions", "settle", "x1", "--take", "crm"], "there is no exception x1", "aios exceptions"),
        (["exceptions", "settle", "x1", "--take", "crm", "--dismiss"], "only one decision", "--take"),
        (["runs", "run_1"], "there is no run run_1", "aios runs"),
        (["undo", "run_1"], "there is no run run_1", "aios runs"),
        (["apply", "missing.jsonl"], "cannot be read", "aios plan JOB"),
        (["connect", "crm"], "there is no connection 'crm' yet", "--provider"),
        (["connect", "office", "--set", "folder=x"], "is there already", "aios-connect.toml"),
        (["connect", "crm", "--provider", "csv", "--set", "folder"], "there is no value", "name=value"),
        (["connect", "crm", "--provider", "csv", "--set", "foldr=x"], "no setting 'foldr'", "did you mean 'folder'?"),
        (["map", "missing.yaml"], "cannot be read", "check its name"),
        (["check", "--project", "/"], "there is no project", "aios init"),
    ],
)
def test_a_mistake_is_a_sentence_with_the_way_out(aios: Aios, sheets: Path, words: list[str], said: str, hint: str) -> None:
    ran = aios(*words)
    assert ran.code in (2, 4)
    assert ran.out == ""
    first, _, rest = ran.err.partition("\nhint: ")
    assert first.startswith("error: ")
    assert said in first
    assert hint in rest
    assert "Traceback" not in ran.err
    told = aios(*words, "--json")
    assert (told.code, told.out) == (ran.code, "")
    error = json.loads(told.err.splitlines()[-1])
    assert (error["exit_code"], f"error: {error['error']}\nhint: {error['hint']}\n") == (ran.code, ran.err)


def test_a_bad_file_is_shown_with_line_and_caret(aios: Aios, sheets: Path) -> None:
    (sheets / "sync" / "jobs" / "two-sheets.yaml").write_text(
        "job: two-sheets\nconections: [office]\nkinds: {}\n", encoding="utf-8"
    )
    ran = aios("plan", "two-sheets")
    assert ran.code == 2
    assert "two-sheets.yaml:2:1" in ran.err
    assert "    conections: [office]\n    ^\n" in ran.err
    assert "hint: did you mean 'connections'?" in ran.err


# setting up


def test_a_project_is_laid_down_and_a_sheet_connected(aios: Aios, tmp_path: Path) -> None:
    assert aios("init").code == 0
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "people.csv").write_text("id,First name\n1,Ann\n", encoding="utf-8")
    ran = aios("connect", "sheet", "--provider", "csv", "--set", "folder=sheets")
    assert (ran.code, ran.err) == (0, "")
    assert "sheet works: CSV" in ran.out
    assert aios("read", "sheet", "person", "--json").lines == [{"id": "1", "leaves": {"names.given": "Ann"}}]
    assert aios("connect", "sheet", "--provider", "csv", "--set", "folder=sheets").code == 0
    again = aios("init")
    assert again.code == 2
    assert "there is a project" in again.err


def test_a_password_is_tried_kept_encrypted_and_used(
    aios: Aios, desk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("open sesame\n"))
    ran = aios("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann", "--password-stdin")
    assert (ran.code, ran.err) == (0, "")
    assert "desk works: Desk, desk, as ann" in ran.out
    assert "made: a field for our key on folk" in ran.out
    assert "kept encrypted" in ran.out
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"open sesame" not in everything
    assert aios("check", "--json").json["ok"]


def test_the_key_that_secrets_are_sealed_with_can_be_changed(
    aios: Aios, desk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no key yet" in aios("connect", "--rotate-key").err
    monkeypatch.setattr(sys, "stdin", io.StringIO("open sesame\n"))
    connect = ("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann", "--password-stdin")
    assert aios(*connect).code == 0
    before = (tmp_path / "key").read_text()
    ran = aios("connect", "--rotate-key")
    assert (ran.code, (tmp_path / "key").read_text() != before) == (0, True)
    assert "the secrets of 1 connection are sealed with a new key; it is in the file" in ran.out
    assert aios("check").code == 0
    (tmp_path / "key").write_text(before)
    lost = aios("check")
    assert (lost.code, "sealed with key" in lost.out, "aios connect desk" in lost.out) == (2, True, True)
    assert "without a name" in aios("connect", "desk", "--rotate-key").err
    assert "aios connect NAME" in aios("connect").err


def test_a_wrong_password_is_said_and_not_kept(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann", "--password-stdin")
    monkeypatch.setattr(sys, "stdin", io.StringIO("hunter2\n"))
    ran = aios(*words)
    assert ran.code == 4
    assert ran.err.startswith("error: ")
    assert "hint: " in ran.err
    assert "hunter2" not in ran.err
    later = aios("connect", "desk")
    assert later.code == 2
    assert "has no password" in later.err
    assert "AIOS_DESK_PASSWORD" in later.err


def test_a_password_may_come_from_the_environment(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_DESK_PASSWORD", "open sesame")
    ran = aios("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann", "--json")
    assert ran.code == 0
    assert (ran.json["identity"]["user"], ran.json["stored"]) == ("ann", False)


def test_a_person_consents_in_a_browser(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    visits: list[threading.Thread] = []

    def browser(address: str) -> bool:
        visits.append(threading.Thread(target=lambda: urllib.request.urlopen(address).close()))
        visits[0].start()
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setattr(Screen, "interactive", True)
    ran = aios("connect", "club", "--provider", "club", "--set", f"url={desk}", "--set", "client_id=us")
    visits[0].join()
    assert (ran.code, "club works: Club, desk, as consenting" in ran.out) == (0, True), ran.err
    (address,) = [line for line in ran.err.splitlines() if line.startswith(f"{desk}/authorize")]
    assert "code_challenge_method=S256" in address  # whole on one line, to be copied
    assert b"rt-1" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    monkeypatch.setattr(Screen, "interactive", False)
    assert aios("check", "--json").json["ok"]


def test_a_password_is_asked_for_at_a_terminal(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "interactive", True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{desk}\nann\n"))
    monkeypatch.setattr("getpass.getpass", lambda label, stream: "open sesame")
    ran = aios("connect", "desk", "--provider", "desk")
    assert (ran.code, "as ann" in ran.out) == (0, True), ran.err
    assert "url (Where it is.): " in ran.err
    assert "The password of your desk." in ran.err


def test_secrets_on_stdin_are_one_a_line_and_all_there(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=ann", "--password-stdin")
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    ran = aios(*words)
    assert (ran.code, "stdin did not have the password" in ran.err) == (2, True)
    assert aios("connect", "sheet", "--provider", "csv", "--set", "folder=.", "--password-stdin").code == 2


def test_a_missing_scope_is_named_with_what_it_blocks(aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_DESK_PASSWORD", "open sesame")
    ran = aios("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "user=reader")
    assert ran.code == 4
    assert "cannot write folk: it needs scope folk.write" in ran.out
    checked = aios("check")
    assert checked.code == 4
    assert "cannot write folk: it needs scope folk.write" in checked.out


def test_a_server_that_does_not_answer_is_said_with_its_address(
    aios: Aios, desk: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIOS_DESK_PASSWORD", "open sesame")
    nobody = "http://127.0.0.1:1"
    ran = aios("connect", "desk", "--provider", "desk", "--set", f"url={nobody}", "--set", "user=ann")
    assert ran.code == 4
    assert f"nobody answers at {nobody}" in ran.err
    assert "hint: " in ran.err
    checked = aios("check", "--json")
    (finding,) = (one for one in checked.json["findings"] if one["severity"] == "error")
    assert nobody in finding["message"]


def test_a_secret_on_the_command_line_is_refused(aios: Aios, desk: str) -> None:
    ran = aios("connect", "desk", "--provider", "desk", "--set", f"url={desk}", "--set", "password=open sesame")
    assert ran.code == 2
    assert "--password-stdin" in ran.err


# looking


def test_everything_that_is_shown_can_be_had_as_json(aios: Aios, sheets: Path) -> None:
    run = applied(aios)
    for words in (
        ["connectors"],
        ["describe", "csv"],
        ["describe", "office"],
        ["describe", "office", "people"],
        ["check"],
        ["status"],
        ["exceptions"],
        ["exceptions", "aside"],
        ["why", "person/P-1.notes"],
        ["runs"],
        ["runs", run],
        ["reconcile", "two-sheets"],
        ["version"],
    ):
        shown, told = aios(*words), aios(*words, "--json")
        assert shown.out.strip(), words
        wide = [line for line in shown.out.splitlines() if len(line) > 80 and not re.search(r"(^|\s)/\w", line)]
        assert not wide, words  # a path is one word, however long
        assert shown.out == "\n".join(line.rstrip() for line in shown.out.splitlines()) + "\n", words
        assert isinstance(told.json, dict | list), words
        assert told.code == shown.code, words


def test_records_are_read_as_json_lines_and_no_further_than_the_limit(aios: Aios, sheets: Path) -> None:
    ran = aios("read", "office", "person", "--json", "--limit", "1")
    (line,) = ran.lines
    assert (line["id"], line["leaves"]["phones.mobile"]) == ("P-1", "+15035550142")
    assert "P-1         Ann Lee  ann@example.org" in aios("read", "office", "person").out


def test_records_go_into_a_file_with_a_checkpoint(aios: Aios, sheets: Path) -> None:
    ran = aios("read", "office", "person", "--out", "people.jsonl")
    assert (ran.code, ran.out) == (0, "2 records in people.jsonl\n")
    assert len((sheets / "people.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_a_row_that_cannot_be_read_is_shown_with_its_line(aios: Aios, sheets: Path) -> None:
    with open(sheets / "office" / "people.csv", "a", encoding="utf-8") as file:
        file.write("P-3,Cy,Dean,cy@example.org,,,,one cell too many\n")
    ran = aios("read", "office", "person")
    assert ran.code == 3
    assert "! people.csv:4" in ran.out
    assert "problem" in aios("read", "office", "person", "--json").lines[-1]
    assert "1 record could not be read" in aios("plan", "two-sheets").out
    assert "people.csv:4" in aios("exceptions", "aside").out
    assert "aios exceptions aside" in aios("status").out


def test_every_provider_and_its_objects_are_seen_at_80_columns(aios: Aios) -> None:
    shown = aios("connectors").out
    assert max(map(len, shown.splitlines())) <= 80
    for provider in aios("connectors", "--json").json["connectors"]:
        words = [provider["provider"], provider["title"], *provider["objects"]]
        assert all(word in shown for word in words), words


def test_a_mapping_shows_what_becomes_of_a_record_from_anywhere(
    aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sheets / "own.yaml"
    file.write_text(
        "connector: csv\nobject: people\nkind: person\nfields:\n  names.full: Name\n  source: {const: sheet}\n"
        "examples:\n  - {name: one, record: {Name: Di East}, reads: {names.full: Di East}}\n",
        encoding="utf-8",
    )
    (sheets / "record.json").write_text('{"Name": "Ann Lee"}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"Name": "Bo Ray"}')))
    assert "<-> names.full  Di East" in aios("map", "own.yaml").out
    assert "names.full  Ann Lee" in aios("map", "own.yaml", "record.json").out
    (mapped,) = aios("map", "own.yaml", "-", "--json").json
    assert mapped["leaves"] == {"names.full": "Bo Ray", "source": "sheet"}
    assert mapped["written_back"] == {"Name": "Bo Ray"}
    assert aios("map", "own.yaml", "office/people/P-1").code == 0
    assert "there is no file nothing.json" in aios("map", "own.yaml", "nothing.json").err


def test_the_mapping_in_force_is_shown_without_a_file(aios: Aios, sheets: Path) -> None:
    (sheets / "mappings" / "csv").mkdir(parents=True)
    overlay = "connector: csv\nobject: people\nfields: {custom.nick: {from: First name, access: read}}\n"
    (sheets / "mappings" / "csv" / "people.yaml").write_text(overlay, encoding="utf-8")
    for words in (["office/people/P-1"], ["office/people", "office/people/P-1"]):
        (mapped,) = aios("map", *words, "--json").json
        assert (mapped["leaves"]["names.family"], mapped["leaves"]["custom.nick"]) == ("Lee", "Ann")
    (sheets / "mappings" / "csv" / "people.yaml").unlink()
    assert "Zoë O'Hara" in aios("map", "office/people").out
    assert aios("map", "office/peple").err.splitlines()[1] == "hint: it maps companies, deals, people"


def test_a_mapping_file_takes_the_functions_that_the_project_allows(
    aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sheets / "words_of_ours.py").write_text("shout = str.upper\nkeep = str\n", encoding="utf-8")
    monkeypatch.syspath_prepend(sheets)
    file = sheets / "own.yaml"
    own = "fields:\n  notes: {from: Notes, as: function, get: words_of_ours:shout, put: words_of_ours:keep, access: read}\n"
    file.write_text(f"connector: csv\nobject: people\nkind: person\n{own}", encoding="utf-8")
    assert aios("map", "own.yaml", "office/people/P-1").code == 2
    (sheets / "aios-connect.toml").write_text('functions = ["words_of_ours"]\n' + SETTINGS, encoding="utf-8")
    assert "KEYS AT THE DESK" in aios("map", "own.yaml", "office/people/P-1").out


# plan and apply


def test_a_plan_as_json_is_the_plan_file_and_where_it_lies(aios: Aios, sheets: Path) -> None:
    ran = aios("plan", "two-sheets", "--json", "--out", "my.jsonl")
    lines = (sheets / "my.jsonl").read_text(encoding="utf-8").splitlines()
    assert ran.out.splitlines()[:-1] == lines
    summary = ran.lines[-1]["summary"]
    assert summary["path"] == "my.jsonl"
    assert [report["read"] for report in summary["reads"]] == [2, 1]
    assert [item["code"] for item in summary["exceptions"]] == ["conflict"]
    assert all("progress" in json.loads(line) for line in ran.err.splitlines())


def test_planning_again_without_reading_reads_nothing(aios: Aios, sheets: Path) -> None:
    aios("plan", "two-sheets")
    (sheets / "office" / "people.csv").unlink()
    assert aios("plan", "two-sheets", "--no-read").code == 0
    assert aios("plan", "two-sheets").code == 4


def test_a_long_plan_says_how_much_is_not_shown(aios: Aios, sheets: Path) -> None:
    with open(sheets / "office" / "people.csv", "a", encoding="utf-8") as file:
        file.writelines(f"Q-{number},Person,{number:03},q{number}@example.org,,,\n" for number in range(20))
    short, whole = aios("plan", "two-sheets"), aios("plan", "two-sheets", "--no-read", "--all")
    assert "... and 17 more to create in field people; --all shows them" in short.out
    assert short.out.count("+ create") == 4
    assert whole.out.count("+ create") == 21
    assert "more" not in whole.out


def test_a_plan_over_a_cap_is_shown_and_refused(aios: Aios, sheets: Path) -> None:
    job = sheets / "sync" / "jobs" / "two-sheets.yaml"
    job.write_text(job.read_text(encoding="utf-8") + "caps: {creates: 0}\n", encoding="utf-8")
    shown = aios("plan", "two-sheets")
    assert "over a cap: " in shown.out
    assert "apply it:" not in shown.out
    refused = aios("apply", "two-sheets", "--yes")
    assert refused.code == 3
    assert "breaks a cap" in refused.err
    assert aios("run", "two-sheets").code == 3
    assert "Bo" not in (sheets / "field" / "people.csv").read_text(encoding="utf-8")


def test_nothing_is_written_before_a_person_agrees(aios: Aios, sheets: Path) -> None:
    ran = aios("apply", "two-sheets")
    assert ran.code == 2
    assert "hint: give --yes" in ran.err
    assert "Bo" not in (sheets / "field" / "people.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("word", "written"), [("y", True), ("n", False), ("", False)])
def test_a_person_at_a_terminal_is_shown_the_plan_and_asked(
    aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch, word: str, written: bool
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(Screen, "interactive", True)
    monkeypatch.setattr(sys, "stdin", Terminal(word + "\n"))
    ran = aios("apply", "two-sheets")
    assert "+ create Bo Ray" in ran.err
    assert "Write this? [y/N]" in ran.err
    assert ran.code == (0 if written else 2)
    assert ("Bo" in (sheets / "field" / "people.csv").read_text(encoding="utf-8")) is written


def test_a_plan_file_is_applied_once_and_then_finds_nothing_left(aios: Aios, sheets: Path) -> None:
    aios("plan", "two-sheets", "--out", "my.jsonl")
    first, again = aios("apply", "my.jsonl", "--yes", "--json"), aios("apply", "my.jsonl", "--yes", "--json")
    assert (first.json["written"], first.json["resumed"]) == (2, False)
    assert again.json["run"] == first.json["run"]
    assert (sheets / "field" / "people.csv").read_text(encoding="utf-8").count("Bo,Ray") == 1


def test_what_changed_since_the_plan_is_refused_and_the_exit_code_says_so(aios: Aios, sheets: Path) -> None:
    aios("plan", "two-sheets", "--out", "my.jsonl")
    field = sheets / "field" / "people.csv"
    field.write_text(field.read_text(encoding="utf-8").replace("Lee,ann@example.org,,", "Lee,ann@example.org,+1 503-555-0199,"))
    ran = aios("apply", "my.jsonl", "--yes")
    assert ran.code == 3
    assert "1 conflict" in ran.out
    assert "+1 503-555-0199" in field.read_text(encoding="utf-8")


def test_a_conflict_takes_a_value_of_ones_own(aios: Aios, sheets: Path) -> None:
    applied(aios)
    (item,) = aios("exceptions", "--json").json
    assert aios("run", "two-sheets").code == 3
    ran = aios("exceptions", "settle", item["id"], "--value", "Managing director", "--by", "kim")
    assert (ran.code, "by kim" in ran.out) == (0, True)
    assert aios("run", "two-sheets").code == 0
    for name in ("office", "field"):
        assert "Managing director" in (sheets / name / "people.csv").read_text(encoding="utf-8")
    assert aios("exceptions").out == "Nothing waits for a person.\n"
    assert [one["state"] for one in aios("exceptions", "--all", "--json").json] == ["settled"]


def test_a_run_that_was_stopped_half_way_is_finished_first(aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_connect_csv import CSV

    from aios_connect.errors import UnavailableError

    write = CSV.write

    def gone(self: Any, object: str, changes: Any) -> Any:
        raise UnavailableError("the disk is away", hint="put it back", provider="csv")

    monkeypatch.setattr(CSV, "write", gone)
    stopped = aios("apply", "two-sheets", "--yes")
    assert stopped.code == 3
    assert "the disk is away" in stopped.err
    asked = aios("apply", "two-sheets", "--yes")
    assert asked.code == 2
    assert "aios apply .aios/plans/plan_" in asked.err
    monkeypatch.setattr(CSV, "write", write)
    ran = aios("run", "two-sheets")
    assert (ran.code, "finishing plan_" in ran.err) == (3, True)  # the conflict of the two titles still waits
    assert (sheets / "field" / "people.csv").read_text(encoding="utf-8").count("Bo,Ray") == 1


def test_the_latest_plans_of_each_job_are_kept_and_one_that_is_half_way_applied(
    aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aios_connect.cli.filing.KEPT", 2)
    one = (sheets / "sync" / "jobs" / "two-sheets.yaml").read_text(encoding="utf-8")
    (sheets / "sync" / "jobs" / "other.yaml").write_text(one.replace("job: two-sheets", "job: other"), encoding="utf-8")

    def planned(job: str) -> Path:
        return Path(aios("plan", job, "--json").lines[-1]["summary"]["path"])

    other, first = planned("other"), planned("two-sheets")

    def stopped(*given: Any, **named: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("aios_connect_csv.CSV.write", stopped)
        assert aios("apply", str(first), "--yes").code == 130
    later = [planned("two-sheets") for _ in range(4)]
    there = set((sheets / ".aios" / "plans").iterdir())
    assert {path.name for path in there} == {path.name for path in (other, first, *later[-2:])}
    assert aios("apply", str(first), "--yes").code == 0
    planned("two-sheets")
    assert not (sheets / ".aios" / "plans" / first.name).exists()


def test_somebody_else_at_work_is_exit_code_5(aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: Project, name: str) -> Any:
        raise BusyError("another process runs it", hint="wait")

    monkeypatch.setattr(Project, "job", busy)
    ran = aios("run", "two-sheets")
    assert (ran.code, ran.err) == (5, "error: another process runs it\nhint: wait\n")


# the unexpected


def test_a_fault_is_a_sentence_without_a_traceback_and_without_secrets(
    aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Project, name: str) -> Any:
        raise ZeroDivisionError("password=hunter2")

    monkeypatch.setattr(Project, "job", broken)
    ran = aios("plan", "two-sheets")
    assert ran.code == AiosError.exit_code == 1
    assert "ZeroDivisionError" in ran.err
    assert "hunter2" not in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("AIOS_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["plan", "two-sheets"])


def test_what_the_library_warns_of_is_said_like_everything_else(
    aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = Project.find

    def mumbling(*given: Any, **named: Any) -> Project:
        logging.getLogger("aios_connect.http").warning("%s mumbles", "acme")
        return find(*given, **named)

    monkeypatch.setattr(Project, "find", mumbling)
    assert aios("status").err == "warning: acme mumbles\n"
    assert json.loads(aios("status", "--json").err) == {"note": "warning: acme mumbles"}


def test_stopping_by_hand_is_exit_code_130(aios: Aios, sheets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: Project, name: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Project, "job", stop)
    assert aios("plan", "two-sheets").code == 130


# as a program


def program(folder: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "80"}
    command = [sys.executable, "-m", "aios_connect", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **options)


def test_the_first_page_needs_no_library(tmp_path: Path) -> None:
    code = "import sys; from aios_connect.cli import main; main(['--help']); print(*{'rich', 'cyclopts', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == page() + "\n\n"


def test_a_process_ends_with_the_exit_code_and_data_alone_on_stdout(sheets: Path) -> None:
    done = program(sheets, "plan", "two-sheets", "--json")
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line) for line in done.stdout.splitlines())
    done = program(sheets, "plan", "nothing")
    assert (done.returncode, done.stdout, done.stderr.partition(":")[0]) == (2, "", "error")


def test_a_reader_that_leaves_early_is_no_error(sheets: Path) -> None:
    with open(sheets / "office" / "people.csv", "a", encoding="utf-8") as file:
        file.writelines(f"Q-{number},Person,{number:05},q{number}@example.org,,,{'n' * 100}\n" for number in range(2000))
    command = f"{quote(sys.executable)} -m aios_connect read office person --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=sheets, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["id"] == "P-1"


def test_without_the_engine_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['cyclopts'] = None; from aios_connect.cli import main; sys.exit(main(['plan', 'x']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'aios-connect[engine]'" in done.stderr


def test_the_parser_of_one_command_imports_no_other() -> None:
    entry = next(entry for entry in COMMANDS if entry.name == "version")
    assert set(parser(entry)) == {"version", "--help", "-h"}


def test_choices_are_shown_with_the_names_that_people_know_them_by() -> None:
    stages = (("1043210", "Site visit"), ("1043211", "Offer"), ("won", "won"), ("lost", ""))
    shown = io.StringIO()
    SchemaAnswer("crm", Schema("deals", {"stage": FieldInfo("stage", "choice", "Stage", choices=stages)})).show(
        Console(file=shown, width=80)
    )
    assert "1043210 (Site visit), 1043211 (Offer), won, lost" in " ".join(shown.getvalue().split())
