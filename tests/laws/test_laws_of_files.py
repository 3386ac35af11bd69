"""Mapping files keep the laws: every transform, every shipped file; and liars are refused at their line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_connect.connectors.contract import FieldInfo, Raw, Schema
from aios_connect.errors import MappingError
from aios_connect.mappings import CompiledMapping, load, loads
from aios_connect.mappings.computed import Constant, Custom, Expr
from aios_connect.mappings.laws import check_laws, violations_of
from aios_connect.mappings.spec import TRANSFORMS
from aios_connect.mappings.transform import Transform
from aios_connect.mappings.writing import set_at
from aios_connect.model.canonical import JSON, Leaves, is_canonical

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "mappings").glob("*/*.yaml"))
RANDOM = st.randoms(use_true_random=False)

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["W", "12,5", "+44 20 7946 0958 x9"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

HEAD = "connector: acme\nobject: things\nkind: {kind}\ndefaults: {{region: GB, clear: {clear}}}\nfields:\n"

ENTRIES: dict[str, tuple[str, str]] = {
    "text": ("deal", "name: {from: properties.name, required: true}"),
    "text, several paths": ("deal", "name: {from: [properties.name, title]}"),
    "text, empty kept": ("deal", "name: {from: properties.name, empty: keep, clear: null}"),
    "enum": ("deal", "stage_category: {from: c, as: enum, values: {open: 'O', won: [W, V], lost: 3}}"),
    "enum, codes kept": ("deal", "stage: {from: stage, as: enum, values: {new: s1, won: s2}, otherwise: keep}"),
    "boolean": ("deal", "has_future_meeting: {from: meeting, as: boolean}"),
    "boolean, spelt": ("deal", "has_future_meeting: {from: meeting, as: boolean, yes: Ja, no: Nein}"),
    "integer": ("company", "employees: {from: size, as: integer, quoted: true}"),
    "decimal": ("deal", "probability: {from: p, as: decimal}"),
    "decimal, percent": ("deal", "probability: {from: p, as: decimal, percent: true, quoted: true}"),
    "decimal, comma": ("deal", "probability: {from: p, as: decimal, quoted: true, point: ',', group: '.'}"),
    "money": ("deal", "amount: {from: [a.amount, a.currency], as: money}"),
    "money, one currency": ("deal", "amount: {from: amount, as: money, currency: JPY, quoted: true}"),
    "list": ("deal", "tags: {from: tags, as: list}"),
    "list, separated": ("deal", "tags: {from: tags, as: list, sep: ';'}"),
    "reference": ("deal", "owner: {from: owner_id, as: reference, to: users}"),
    "reference, whole numbers": ("deal", "owner: {from: owner_id, as: reference, to: users, id: integer}"),
    "reference, by value": ("deal", "company: {from: Company, as: reference, to: company, by: name}"),
    "date": ("deal", "expected_close: {from: close, as: date}"),
    "date, instant": ("deal", "expected_close: {from: close, as: date, format: instant, tz: America/New_York}"),
    "date, epoch": ("deal", "expected_close: {from: close, as: date, format: epoch_ms}"),
    "date, pattern": ("deal", "expected_close: {from: close, as: date, format: '%d.%m.%Y'}"),
    "instant": ("deal", "last_inbound_at: {from: at, as: instant}"),
    "instant, epoch": ("deal", "last_inbound_at: {from: at, as: instant, format: epoch_ms, lossy: allow}"),
    "instant, local": ("deal", "last_inbound_at: {from: at, as: instant, format: local, tz: Europe/Paris, lossy: allow}"),
    "instant, pattern": ("deal", "last_inbound_at: {from: at, as: instant, format: '%Y-%m-%d %H:%M:%S.%f %z', tz: UTC}"),
    "phone": ("person", "phones.mobile: {from: phone, as: phone}"),
    "phone, national": ("person", "phones.mobile: {from: phone, as: phone, style: national}"),
    "email": ("person", "emails.work: {from: email, as: email}"),
    "person_name": ("person", "names: {from: name, as: person_name, lossy: allow}"),
    "function": ("person", "locale: {from: lang, as: function, get: 'acme:read', put: 'acme:write'}"),
}


def one_entry(name: str, clear: str = '""') -> CompiledMapping:
    kind, entry = ENTRIES[name]
    text = HEAD.format(kind=kind, clear="null" if "empty: keep" in entry else clear) + f"  {entry}\n"
    return loads(text, file="things.yaml", functions=["acme"])


@pytest.fixture(autouse=True)
def acme(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the company's own, with the functions mapping files name."""
    module = ModuleType("acme")
    vars(module).update(read=lambda value: value[1:], write=lambda value: f"~{value}", lower=str.lower, same=lambda value: value)
    monkeypatch.setitem(sys.modules, "acme", module)
    return module


def test_every_transform_that_writes_is_tried_here() -> None:
    tried = {name.partition(",")[0] for name in ENTRIES}
    assert tried == {one.model_fields["as_"].default for one in TRANSFORMS if one not in (Constant, Expr, Custom)}


@pytest.mark.parametrize("clear", ["null", '""'])
@pytest.mark.parametrize("name", ENTRIES)
def test_every_transform_keeps_the_laws(name: str, clear: str) -> None:
    mapping = one_entry(name, clear)
    assert mapping.writes
    assert violations_of(mapping) == []


@settings(max_examples=25, deadline=None)
@given(random=RANDOM, name=st.sampled_from(sorted(ENTRIES)))
def test_every_transform_keeps_the_laws_for_values_nobody_thought_of(random: Random, name: str) -> None:
    assert violations_of(one_entry(name), random=random) == []


def test_what_is_computed_or_only_read_may_follow_what_is_written() -> None:
    entries = "  name: title\n  notes: {from: title, access: read}\n  custom.shout: {expr: 'name + \"!\"'}\n"
    assert violations_of(loads(HEAD.format(kind="deal", clear="null") + entries)) == []


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(ENTRIES)), junk=JUNK)
def test_whatever_the_vendor_holds_is_read_canonically_or_named(name: str, junk: Any) -> None:
    mapping = one_entry(name)
    (field,) = mapping.fields.values()
    raw: Raw = {}
    for path in field.transform.paths:
        set_at(raw, path, junk)
    before = deepcopy(raw)
    leaves, problems = mapping.get(raw)
    assert all(is_canonical(field.type(leaf), leaves.get(leaf.name), leaf.choices) for leaf in field.leaves)
    assert set(leaves) | {problem.leaf for problem in problems} >= {leaf.name for leaf in field.leaves} or problems
    assert mapping.put(leaves, leaves, raw) == {}
    assert raw == before


@pytest.mark.parametrize("transform", [one for one in TRANSFORMS if "put" in vars(one)], ids=lambda one: one.__name__)
def test_a_transform_without_its_inverse_breaks_the_laws(transform: type[Transform], monkeypatch: pytest.MonkeyPatch) -> None:
    named = [name for name in ENTRIES if name.partition(",")[0] == transform.model_fields["as_"].default]
    monkeypatch.delattr(transform, "put")
    for name in named:
        with pytest.raises((MappingError, NotImplementedError, AttributeError)):
            check_laws(one_entry(name))


WRONG: dict[str, Callable[[Any, Any], Any]] = {
    "text": lambda self, value: value.strip(),
    "enum": lambda self, value: next(iter(self.values.values()))[0],
    "boolean, spelt": lambda self, value: self.yes[0],
    "integer": lambda self, value: str(abs(value)),
    "decimal": lambda self, value: round(float(value), 2),
    "decimal, percent": lambda self, value: value,
    "decimal, comma": lambda self, value: value,
    "money": lambda self, value: (int(float(value["amount"])), value["currency"]),
    "money, one currency": lambda self, value: (value["amount"], value["currency"]),
    "list": lambda self, value: sorted(value),
    "list, separated": lambda self, value: self.sep.join(value),
    "reference": lambda self, value: value,
    "date, pattern": lambda self, value: f"{value[5:7]}.{value[8:]}.{value[:4]}",
    "date, instant": lambda self, value: f"{value}T00:00:00Z",
    "instant": lambda self, value: value[:19] + "Z",
    "phone": lambda self, value: value.partition(";")[0],
    "email": lambda self, value: value.lower(),
    "function": lambda self, value: value,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_transform_with_a_wrong_inverse_is_refused_at_its_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = one_entry(name)
    (field,) = mapping.fields.values()
    monkeypatch.setattr(type(field.transform), "put", WRONG[name])
    with pytest.raises(MappingError, match=f"^things.yaml:6:3: {field.name} breaks the law of put-get: "):
        check_laws(one_entry(name))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
@settings(max_examples=10, deadline=None)
@given(random=RANDOM)
def test_every_shipped_mapping_keeps_the_laws(path: Path, random: Random) -> None:
    assert violations_of(load(path), random=random) == []


LIARS = """\
connector: acme
object: people
kind: person
defaults: {region: GB, clear: ""}
fields:
  names.given: properties.firstname
  names.family: properties.lastname
  company: {from: properties.company_id, as: function, get: "acme:same", put: "acme:same"}
  lifecycle: {from: properties.lifecycle, as: enum, values: {lead: L, customer: C, former: F}}
  custom.budget: {from: properties.budget, as: decimal}
"""


def place_of(leaf: str) -> str:
    line = next(number for number, text in enumerate(LIARS.splitlines(), 1) if text.startswith(f"  {leaf}:"))
    return f"people.yaml:{line}:3"


class SwapsNames(CompiledMapping):
    @property
    def get(self) -> Any:  # type: ignore[override]
        def swapped(raw: Raw) -> tuple[Leaves, list[Any]]:
            leaves, problems = vars(self)["get"](raw)
            leaves["names.given"], leaves["names.family"] = leaves.get("names.family"), leaves.get("names.given")
            return leaves, problems

        return swapped


class FoldsCodes(CompiledMapping):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        folded: Leaves = {"lifecycle": "customer"} if new.get("lifecycle") == "former" else {}
        return super().put({**new, **folded}, old, raw)


class ClearsWhatIsAbsent(CompiledMapping):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        absent: Leaves = dict.fromkeys(["names.family"] if raw else [])
        return super().put({**absent, **new}, old, raw)


def lied(liar: type[CompiledMapping], text: str = LIARS) -> CompiledMapping:
    mapping = loads(text, file="people.yaml", functions=["acme"])
    mapping.__class__ = liar
    return mapping


def test_without_lies_the_file_is_accepted() -> None:
    check_laws(lied(CompiledMapping))


def test_a_lower_cased_id_is_refused_at_its_line() -> None:
    with pytest.raises(MappingError) as caught:
        check_laws(lied(CompiledMapping, LIARS.replace('put: "acme:same"', 'put: "acme:lower"')))
    assert str(caught.value).startswith(f"{place_of('company')}: company breaks the law of put-get: ")
    assert '"object:AbC9xYz" is written and "object:abc9xyz" is read back' in str(caught.value)
    assert caught.value.hint == "write access: read; or lossy: allow, if that does not matter"


def test_truncated_cents_are_refused_at_their_line() -> None:
    schema = Schema("people", {"properties.budget": FieldInfo("properties.budget", "decimal", scale=0)}, open=True)
    with pytest.raises(MappingError) as caught:
        check_laws(lied(CompiledMapping), schema)
    assert str(caught.value).startswith(f"{place_of('custom.budget')}: custom.budget breaks the law of put-get: ")
    check_laws(lied(CompiledMapping, LIARS.replace("as: decimal", "as: decimal, lossy: allow")), schema)
    check_laws(lied(CompiledMapping, LIARS.replace("as: decimal", "as: decimal, access: read")), schema)


@pytest.mark.parametrize(
    ("liar", "leaf", "law"),
    [
        (SwapsNames, "names.given", "put-get"),
        (FoldsCodes, "lifecycle", "put-get"),
        (ClearsWhatIsAbsent, "names.family", "absent"),
    ],
)
def test_swapped_folded_and_cleared_fields_are_refused_at_their_line(liar: type[CompiledMapping], leaf: str, law: str) -> None:
    with pytest.raises(MappingError) as caught:
        check_laws(lied(liar))
    assert str(caught.value).startswith(f"{place_of(leaf)}: {leaf} breaks the law of {law}: ")
    assert caught.value.hint


def test_text_that_does_not_fit_is_refused_unless_the_file_allows_the_loss() -> None:
    schema = Schema("people", {"properties.lastname": FieldInfo("properties.lastname", "text", max_length=40)}, open=True)
    with pytest.raises(MappingError, match=place_of("names.family")):
        check_laws(lied(CompiledMapping), schema)
    allowed = LIARS.replace("names.family: properties.lastname", "names.family: {from: properties.lastname, lossy: allow}")
    check_laws(lied(CompiledMapping, allowed), schema)


def test_fields_by_prefix_are_tried_as_the_live_schema_types_them() -> None:
    text = "connector: acme\nobject: x\nkind: deal\nfields:\n  custom: {prefix: cf_}\n"
    infos = [
        FieldInfo("cf_size", "integer"),
        FieldInfo("cf_price", "decimal", scale=2),
        FieldInfo("cf_color", "choice", choices=(("r", "Red"),)),
    ]
    with pytest.raises(MappingError, match=r"x\.yaml:5:3: custom\.price breaks the law of put-get"):
        check_laws(loads(text, file="x.yaml"), Schema("x", {info.path: info for info in infos}))


def test_the_value_that_shows_it_is_the_plainest() -> None:
    mapping = loads(LIARS.replace('put: "acme:same"', 'put: "acme:lower"'), file="people.yaml", functions=["acme"])
    found: list[JSON] = [violation.example for violation in violations_of(mapping)]
    assert found == ['"object:AbC9xYz" is written and "object:abc9xyz" is read back']
