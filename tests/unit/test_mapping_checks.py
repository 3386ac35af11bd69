"""Mappings against the other side, their own examples, editors, and the pages about them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from aios_connect.connectors.contract import FieldInfo, Schema
from aios_connect.connectors.spec import Auth, ConnectorSpec, ObjectSpec
from aios_connect.mappings import CompiledMapping, Finding, check, json_schema, loads, run_examples
from aios_connect.mappings.describing import described, transforms_page
from aios_connect.mappings.documents import parse_document
from aios_connect.mappings.spec import TRANSFORMS
from aios_connect.mappings.transform import Transform
from aios_connect.model import leaves

ROOT = Path(__file__).parents[2]

FILE = """\
connector: acme
object: deals
kind: deal
unmapped: report
fields:
  name: p.title
  stage: {from: p.stage, as: enum, values: {new: s1, won: s2}}
  amount: {from: [p.amount, p.currency], as: money}
  owner: {from: p.owner, as: reference, to: users}
  tags: {from: p.tags, as: list, sep: ","}
  start_date: {from: p.start, as: date}
  last_inbound_at: {from: p.inbound, as: instant, access: read}
"""

FIELDS = {
    "id": FieldInfo("id", "text", writable=False),
    "p.title": FieldInfo("p.title", "text", required=True),
    "p.stage": FieldInfo("p.stage", "choice", choices=(("s1", "New"), ("s2", "Won"))),
    "p.amount": FieldInfo("p.amount", "decimal"),
    "p.currency": FieldInfo("p.currency", "choice", choices=(("EUR", "Euro"),)),
    "p.owner": FieldInfo("p.owner", "reference"),
    "p.tags": FieldInfo("p.tags", "text"),
    "p.start": FieldInfo("p.start", "date"),
    "p.inbound": FieldInfo("p.inbound", "instant", writable=False),
}

SPEC = ConnectorSpec(
    provider="acme",
    title="Acme",
    docs="https://acme.example.com",
    auth=(Auth("none", "Nothing to do."),),
    settings=(),
    objects={
        "deals": ObjectSpec("Deals", frozenset({"read", "create"}), references={"p.owner": "users"}),
        "users": ObjectSpec("Users", frozenset({"read"})),
        "teams": ObjectSpec("Teams", frozenset({"read"})),
    },
)


def deals(old: str = "", new: str = "") -> CompiledMapping:
    assert not old or FILE.count(old) == 1
    return loads(FILE.replace(old, new) if old else FILE, file="deals.yaml")


def findings(mapping: CompiledMapping, fields: dict[str, FieldInfo] = FIELDS, **options: Any) -> list[Finding]:
    return check(mapping, Schema("deals", fields, **options), spec=SPEC, laws=False)


def test_a_mapping_that_fits_leaves_nothing_but_a_note_of_what_it_does_not_map() -> None:
    (note,) = check(deals(), Schema("deals", FIELDS), spec=SPEC)
    assert (note.severity, note.error.message, note.error.line) == ("note", "1 fields of deals are not mapped: id", 4)


@pytest.mark.parametrize(
    ("old", "new", "severity", "said", "points_at", "hint"),
    [
        ("p.title", "p.titel", "error", "deals has no field 'p.titel'", "p.titel", "did you mean 'p.title'?"),
        ("p.currency", "p.curency", "error", "deals has no field 'p.curency'", "p.curency", "did you mean 'p.currency'?"),
        (", access: read", "", "error", "last_inbound_at cannot be written: p.inbound is read-only", "p.inbound", "write access: read"),
        ("won: s2", "won: won", "error", "stage: p.stage has no choice 'won'", "won", "did you mean 's2'?"),
        (", won: s2", "", "warning", "stage: no word stands for s2", "{new", "otherwise: keep"),
        ("as: date", "as: date, format: epoch_ms", "", "", "", ""),
        ("p.start, as: date", "p.amount, as: date, access: read", "error", "p.amount is a decimal, which date does not read", "date", ""),
        ("name: p.title", "name: p.owner2", "warning", "p.title must be given for a new deals", "fields", "create: {p.title"),
        ("to: users", "to: user", "error", "Acme has no object 'user'", "user", "did you mean 'users'?"),
        ("to: users", "to: teams", "error", "p.owner points at users, not at teams", "teams", ""),
        ("connector: acme", "connector: other", "error", "the mapping is for 'other', and the connector is 'acme'", "other", ""),
        ("object: deals", "object: deal", "error", "Acme has no object 'deal'", "deal", "did you mean 'deals'?"),
        ('sep: ","', "access: both", "error", "tags: p.tags is one text, not a JSON list", "p.tags", "say sep"),
        ("name: p.title", "name: {from: p.title}\n  custom: {prefix: p.cf_}", "warning", "no field of deals begins with p.cf_", "p.cf_", ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_vendor_is_shown_at_its_place(
    old: str, new: str, severity: str, said: str, points_at: str, hint: str
) -> None:
    found = [finding for finding in findings(deals(old, new)) if finding.severity != "note"]
    if not severity:
        assert found == []
        return
    finding = next(finding for finding in found if said in finding.error.message)
    assert finding.severity == severity
    assert hint in finding.error.hint
    assert finding.error.file == "deals.yaml"
    assert finding.error.excerpt[finding.error.column - 1 :].startswith(points_at)


def test_text_on_a_field_of_another_type_is_a_warning() -> None:
    fields = {**FIELDS, "p.title": FieldInfo("p.title", "integer")}
    (warning, _) = findings(deals(), fields)
    assert (warning.severity, warning.error.message) == ("warning", "name: p.title is an integer, which text does not read")


def test_a_path_inside_an_object_or_of_an_open_schema_may_be_unlisted() -> None:
    inside = {"p": FieldInfo("p", "object"), **{path: info for path, info in FIELDS.items() if path != "p.start"}}
    assert [finding.severity for finding in findings(deals(), inside)] == ["note"]
    unlisted = {path: info for path, info in FIELDS.items() if path != "p.start"}
    assert [finding.severity for finding in findings(deals(), unlisted)] == ["error", "note"]
    assert [finding.severity for finding in findings(deals(), unlisted, open=True)] == ["note"]


def test_what_create_gives_is_not_missing() -> None:
    created = loads(FILE.replace("name: p.title", "scope: p.title2") + "create: {p.title: untitled}\n")
    assert not [finding for finding in findings(created, open=True) if finding.severity == "warning"]


def test_a_liar_is_found_by_the_laws_with_the_schemas_limits() -> None:
    fields = {**FIELDS, "p.amount": FieldInfo("p.amount", "decimal", scale=0)}
    (lie, _) = check(deals(), Schema("deals", fields))
    assert lie.severity == "error"
    assert "amount breaks the law of put-get" in lie.error.message
    assert lie.error.line == 8


EXAMPLES = """\
examples:
  - name: fits
    record: {p: {meeting: true, title: Roof, stage: s1, amount: "5.0", currency: EUR}}
    reads: {name: Roof, stage: new, amount: {amount: "5", currency: EUR}}
    writes: {set: {stage: won}, patch: {p: {stage: s2}}}
"""


def test_examples_that_fit_say_nothing() -> None:
    (result,) = run_examples(loads(FILE + EXAMPLES))
    assert (result.name, result.ok, result.differences) == ("fits", True, ())


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("reads: {name: Roof", "reads: {name: Attic", 'name reads as "Roof", not "Attic"'),
        ("reads: {name: Roof", "reads: {has_future_meeting: 1, name: Roof", "has_future_meeting reads as true, not 1"),
        ("reads: {name: Roof", "reads: {scope: ~, name: Roof", "scope reads as absent, not null"),
        (
            "title: Roof, stage: s1",
            "title: 7, stage: s1",
            'name reads as absent, not "Roof"; name cannot be read: a number is not text',
        ),
        ("    reads:", "    problems: [name]\n    reads:", 'name should be a problem, and reads as "Roof"'),
        ("patch: {p: {stage: s2}}", "patch: {p: {stage: s3}}", '{"p": {"stage": "s2"}} is sent, not {"p": {"stage": "s3"}}'),
        ("set: {stage: won}", "set: {stage: lost}", "it cannot be written: stage: the table has no code for 'lost'"),
        ("set: {stage: won}", "set: {nmae: x}", "it cannot be written: the mapping of acme deals has no field for 'nmae'"),
    ],
)
def test_an_example_that_does_not_fit_says_how(old: str, new: str, difference: str) -> None:
    assert EXAMPLES.count(old) == 1
    file = FILE.replace("  tags:", "  has_future_meeting: {from: p.meeting, as: boolean}\n  tags:")
    (result,) = run_examples(loads(file + EXAMPLES.replace(old, new), file="deals.yaml"))
    assert "; ".join(result.differences) == difference
    error = result.error()
    assert (error.file, error.line, error.message) == ("deals.yaml", 15, f"example 'fits': {difference}")


def test_editors_complete_leaves_transforms_and_the_vendors_paths() -> None:
    schema = json_schema("deal", Schema("deals", FIELDS))
    fields = schema["properties"]["fields"]
    assert set(leaves("deal")) <= fields["properties"].keys()
    assert fields["additionalProperties"] is False
    assert schema["$defs"]["Path"]["enum"] == list(FIELDS)
    assert schema["properties"]["object"] == {"const": "deals"}
    fitting = {entry["$ref"].rpartition("/")[2] for entry in fields["properties"]["amount"]["anyOf"]}
    assert fitting == {"Money", "Constant", "Expr", "Function"}
    for transform in TRANSFORMS:
        definition = schema["$defs"][transform.__name__]
        assert definition["properties"]["as"]["const"] == transform.model_fields["as_"].default
        assert all(option.get("description") for option in definition["properties"].values()), transform


def test_the_names_of_a_person_may_come_from_one_text_in_editors_too() -> None:
    assert "names" in json_schema("person")["properties"]["fields"]["properties"]
    assert "names" not in json_schema("deal")["properties"]["fields"]["properties"]
    assert json_schema()["properties"]["fields"]["properties"].keys() >= {"names", "stage", "tier"}


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda transform: transform.__name__)
def test_the_example_of_every_transform_loads(transform: type[Transform], monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("acme.locales")
    module.__dict__.update(read=str, write=str)
    monkeypatch.setitem(sys.modules, "acme.locales", module)
    name = transform.model_fields["as_"].default
    kind = {
        "integer": "company",
        "phone": "person",
        "email": "person",
        "person_name": "person",
        "function": "person",
        "text": "person",
    }.get(name, "deal")
    entries = described(transform).example.splitlines()
    if name == "expr":
        entries += ["amount: {from: a, as: money, currency: EUR}", "probability: {from: p, as: decimal}"]
    lines = [f"  {entry}" for entry in entries]
    mapping = loads("\n".join(["connector: x", "object: y", f"kind: {kind}", "fields:", *lines]), functions=["acme.locales"])
    assert name in {field.transform.as_ for field in mapping.fields.values()}


def test_the_reference_page_is_made_from_the_docstrings() -> None:
    assert (ROOT / "docs/reference/mapping-transforms.md").read_text(encoding="utf-8") == transforms_page()


def test_the_files_in_the_how_to_load_and_their_examples_fit() -> None:
    page = (ROOT / "docs/how-to/write-a-mapping.md").read_text(encoding="utf-8")
    first, deals, overlay, modeline = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert modeline.startswith("# yaml-language-server: $schema=")
    for mapping in (loads(first), loads(deals), loads(deals, overlay=overlay)):
        assert check(mapping) == []
    for mapping in (loads(first), loads(deals)):
        assert [result.differences for result in run_examples(mapping) if not result.ok] == []
    assert loads(deals, overlay=overlay).get({"properties": {"probability": 0.5, "budget_code": "B"}})[0] == {
        "probability": "0.5",
        "source": "acme",
        "custom.budget_code": "B",
    }


def test_options_of_a_transform_cannot_be_made_up() -> None:
    for transform in TRANSFORMS:
        with pytest.raises(ValidationError, match="Extra inputs"):
            transform.model_validate({"as": transform.model_fields["as_"].default, "made_up": 1})


def test_the_schema_of_editors_accepts_what_loads_and_underlines_what_does_not() -> None:
    accepts = Draft202012Validator(json_schema("deal", Schema("deals", FIELDS))).is_valid
    data = parse_document(FILE + EXAMPLES).data
    assert accepts(data)
    wrong: list[tuple[str, Any]] = [
        ("nmae", "p.title"),
        ("name", "p.titel"),
        ("name", {"from": "p.title", "as": "money"}),
        ("stage", {"from": "p.stage", "as": "enum", "value": {"won": "s2"}}),
        ("stage", {"from": "p.stage", "as": "enum"}),
        ("amount", "p.amount"),
        ("tags", {"from": "p.tags", "as": "list", "access": "reed"}),
    ]
    for field, entry in wrong:
        assert not accepts({**data, "fields": {**data["fields"], field: entry}}), (field, entry)
    right: list[tuple[str, Any]] = [
        ("custom.weighted", {"expr": "amount.amount"}),
        ("custom.code", "p.title"),
        ("custom", {"prefix": "p.cf_"}),
        ("source", {"const": "acme"}),
        ("start_date", {"from": ["p.start", "p.inbound"], "as": "date", "format": "%d/%m/%Y"}),
    ]
    for field, entry in right:
        assert accepts({**data, "fields": {**data["fields"], field: entry}}), (field, entry)


@pytest.mark.parametrize("path", sorted((ROOT / "mappings").glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_schema_of_editors_accepts_every_shipped_file(path: Path) -> None:
    data = parse_document(path).data
    errors = [error.message for error in Draft202012Validator(json_schema(data["kind"])).iter_errors(data)]
    assert errors == []
