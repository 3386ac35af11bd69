"""Reconcile can read again, by id, what it found apart."""

from __future__ import annotations

from pathlib import Path

from .conftest import Aios


def stale(told: dict[str, list[dict[str, list[str]]]]) -> list[list[str]]:
    return [drift["stale"] for drift in told["drifts"]]


def test_what_has_drifted_is_read_again_by_its_id_and_no_tool_is_changed(aios: Aios, sheets: Path) -> None:
    assert aios("apply", "two-sheets", "--yes").code == 0
    sheet = sheets / "office" / "people.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("Owner", "Founder"), encoding="utf-8")
    before = {path: path.read_bytes() for path in sheets.rglob("*.csv")}
    assert stale(aios("reconcile", "two-sheets", "--json").json) == [["P-1"], []]
    assert "1 record read again, by id" in aios("reconcile", "two-sheets", "--read-again").out
    told = aios("reconcile", "two-sheets", "--json", "--read-again").json
    assert (stale(told), told["read_again"]) == ([[], []], 0)
    assert {path: path.read_bytes() for path in sheets.rglob("*.csv")} == before


def test_everything_can_be_read_before_it_is_compared(aios: Aios, sheets: Path) -> None:
    assert aios("apply", "two-sheets", "--yes").code == 0
    sheet = sheets / "office" / "people.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("Owner", "Founder"), encoding="utf-8")
    assert "Founder" not in aios("plan", "two-sheets", "--no-read").out
    assert stale(aios("reconcile", "two-sheets", "--json", "--read-all").json) == [[], []]
    assert "Founder" in aios("plan", "two-sheets", "--no-read").out
