"""The screen of a plan: what a person must see is there, whole, and fits."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aios_connect.cli.planned import PlanAnswer
from aios_connect.sync import Caps, load_plan
from aios_connect.sync.plans import FieldChange, Header, PlanLine, PlanWriter

LONG = "12 Very Long Street Name That Goes On And On\nFloor 2"
AT = "2026-11-20T10:00:00Z"


def screen(path: Path, *lines: PlanLine, width: int = 80, everything: bool = False, **footer: Any) -> str:
    header = Header("plan_1", "sheet-and-crm", "2026-11-21T07:50:00Z", "", {})
    with PlanWriter(path, header) as writer:
        for number, line in enumerate(lines):
            line.line = str(number)
            writer.add(line, 1)
        writer.finish(**{"calls": {"crm": 4}, **footer})
    text = io.StringIO()
    answer = PlanAnswer(load_plan(path), caps=Caps(creates=5, share=40), everything=everything)
    answer.show(Console(file=text, width=width, highlight=False, markup=False))
    return text.getvalue()


def update(*fields: FieldChange, label: str = "Ada Byron", **more: Any) -> PlanLine:
    return PlanLine(
        **{
            "line": "",
            "action": "update",
            "kind": "person",
            "entity": "person_1",
            "connection": "crm",
            "object": "people",
            **more,
        },
        id="7",
        label=label,
        fields=list(fields),
    )


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_reason_that_all_fields_share_is_said_once(tmp_path: Path) -> None:
    shared = ("changed in sheet", "sheet people/P-7", AT)
    shown = screen(
        tmp_path / "p", update(FieldChange("notes", "a", "b", *shared), FieldChange("job_title", None, "Boss", *shared))
    )
    assert shown.count("changed in sheet") == 1
    assert "(changed in sheet, sheet people/P-7, 2026-11-20 10:00)" in shown
    assert "    notes      a -> b\n    job_title  (empty) -> Boss\n" in shown


def test_a_reason_of_one_field_stands_at_the_field(tmp_path: Path) -> None:
    shown = screen(
        tmp_path / "p",
        update(
            FieldChange("notes", "a", "b", "changed in sheet", "sheet people/P-7", AT),
            FieldChange("job_title", "x", "y", "crm has authority", "sheet people/P-7", AT),
        ),
    )
    assert "(sheet people/P-7, 2026-11-20 10:00)" in shown
    assert "    notes      a -> b   (changed in sheet)\n" in shown
    assert "    job_title  x -> y   (crm has authority)\n" in shown


@pytest.mark.parametrize("width", [80, 200])
def test_values_are_cut_to_the_screen_and_reasons_never(tmp_path: Path, width: int) -> None:
    line = update(
        FieldChange("addresses.main.street", LONG, "13 " + LONG, "changed in a sheet with a long name", "sheet people/P-7", AT),
        FieldChange("notes", "a", "b", "crm has authority", "crm people/person_485e4a307009121821b462d8", "2026-11-21T10:00:00Z"),
        label="A person with a name that is longer than any name should ever be, and then some more",
    )
    shown = screen(tmp_path / "p", line, width=width)
    assert max(map(len, shown.splitlines()[:-1])) <= width
    assert "(changed in a sheet with a long name, sheet people/P-7, 2026-11-20 10:00)" in words(shown)
    assert "(crm has authority, crm people/person_485e4a307009121821b462d8, 2026-11-21 10:00)" in words(shown)
    assert (f"{words(LONG)} -> 13 {words(LONG)}" in shown) is (width == 200)
    assert ("…" in shown) is (width == 80)


def test_counts_cost_and_caps_come_first(tmp_path: Path) -> None:
    made = [update(FieldChange("notes", None, "b"), action="create", label=f"Person {number}") for number in range(6)]
    shown = screen(tmp_path / "p", *made, update(action="delete"), over=["6 creates, the cap is 5"])
    assert shown.splitlines()[:5] == [
        "plan_1  job sheet-and-crm, made 2026-11-21 07:50 UTC",
        "",
        "  crm     6 create     1 delete   (4 API calls)",
        "  caps: 6 of 5 creates, 0 of 2,000 updates, 1 of 10 deletes; at most 40% of a",
        "  tool's records",
    ]
    assert "... and 2 more to create in crm people; --all shows them" in shown
    assert "over a cap: 6 creates, the cap is 5; apply refuses this plan" in shown
    assert "apply it:" not in shown


def test_a_record_with_many_fields_says_how_many_are_not_shown(tmp_path: Path) -> None:
    line = update(*(FieldChange(f"custom.f{number}", None, number) for number in range(10)))
    assert "... and 2 more fields; --all shows them" in screen(tmp_path / "p", line)
    assert "more field" not in screen(tmp_path / "p", line, everything=True)


def test_what_cannot_be_taken_back_is_named(tmp_path: Path) -> None:
    assert "cannot be taken back: the mail was sent" in screen(tmp_path / "p", update(), skipped=["the mail was sent"])


def test_a_plan_without_lines_says_why(tmp_path: Path) -> None:
    assert "Nothing to do: everything is in step." in screen(tmp_path / "p")
    assert "Nothing can be written before a person decides." in screen(tmp_path / "p", conflicts=1)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"amount": "12500", "currency": "EUR"}, "12500 EUR"),
        (["vip", "north"], "vip, north"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("", "(empty)"),
        (None, "(empty)"),
        ("two\nlines", "two lines"),
        ("[bold]x[/bold] :smile:", "[bold]x[/bold] :smile:"),
    ],
)
def test_a_value_is_shown_as_a_person_says_it(tmp_path: Path, value: Any, shown: str) -> None:
    assert f"    notes  x -> {shown}\n" in screen(tmp_path / "p", update(FieldChange("notes", "x", value)))
