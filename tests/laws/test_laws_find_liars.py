"""The laws find mappings that lie, on mappings written by hand so that each lie stands alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from aios_connect.connectors.contract import FieldInfo, Raw, Schema
from aios_connect.errors import MappingError
from aios_connect.mappings.generate import Domain, domain
from aios_connect.mappings.laws import Law, Violation, violations
from aios_connect.model import Leaf
from aios_connect.model.canonical import JSON, Leaves


@dataclass
class Field:
    """One field of a hand-written mapping."""

    leaf: Leaf
    path: str
    out: Callable[[Any], Any] = lambda value: value
    into: Callable[[Any], Any] = lambda value: value
    writes_to: str = ""


@dataclass
class HandWritten:
    """An honest mapping of one nesting level, built from fields."""

    fields: list[Field]
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(one.leaf.name for one in self.fields)

    writes = reads

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.fields]

    def get(self, raw: Raw) -> tuple[Leaves, list[str]]:
        properties = raw.get("properties", {})
        found: Leaves = {}
        for one in self.fields:
            value = properties.get(one.path)
            found[one.leaf.name] = None if value in (None, "") else one.out(value)
        return found, []

    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        changed = [one for one in self.fields if one.leaf.name in new and new[one.leaf.name] != old.get(one.leaf.name)]
        patch = {one.writes_to or one.path: self.write(one, new[one.leaf.name]) for one in changed}
        return {"properties": patch} if patch else {}

    def write(self, one: Field, value: JSON) -> Any:
        return "" if value is None else one.into(value)


class ClearsWhatIsAbsent(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        return super().put({**{one.leaf.name: None for one in self.fields}, **new}, old, raw)


class IgnoresNull(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        return super().put({name: value for name, value in new.items() if value is not None}, old, raw)


class SendsEverything(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        return super().put(new, {}, raw)


class AppendsInsteadOfSetting(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        patch = super().put(new, old, raw)
        before = (raw or {}).get("properties", {}).get("firstname")
        if before and patch.get("properties", {}).get("firstname"):
            patch["properties"]["firstname"] = f"{before} {patch['properties']['firstname']}"
        return patch


class ClearsNeighboursWhenSetting(HandWritten):
    when_clearing = False

    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        patch = super().put(new, old, raw)
        if not raw or not patch or len(patch["properties"]) > 1 or ("" in patch["properties"].values()) != self.when_clearing:
            return patch
        return {"properties": {**dict.fromkeys(self.paths), **patch["properties"]}}


class ClearsNeighboursWhenClearing(ClearsNeighboursWhenSetting):
    when_clearing = True


class ClearsWhatIsNotMapped(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        patch = super().put(new, old, raw)
        strangers = {path for path in (raw or {}).get("properties", {}) if path not in self.paths}
        return {"properties": {**dict.fromkeys(strangers), **patch["properties"]}} if patch else patch


class RefusesWhatIsThere(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        if raw and new == old:
            raise MappingError("nothing to do")
        return super().put(new, old, raw)


class RefusesWhatIsAbsent(HandWritten):
    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        if raw and len(new) == 1 < len(old):
            raise MappingError("give both")
        return super().put(new, old, raw)


class RefusesEverything(HandWritten):
    def write(self, one: Field, value: JSON) -> Any:
        raise MappingError("no")


GIVEN = Leaf("names.given", "text")
FAMILY = Leaf("names.family", "text")
AMOUNT = Leaf("probability", "decimal")
OWNER = Leaf("owner", "reference", to="user")
STAGE = Leaf("stage_category", "choice", choices=("open", "won", "lost", "unknown"))
CODES = {"open": "1", "won": "2", "lost": "3", "unknown": "4"}


def table(codes: Mapping[str, str]) -> Field:
    back = {code: choice for choice, code in codes.items()}

    def into(choice: str) -> str:
        if choice not in codes:
            raise MappingError(f"no code for {choice}")
        return codes[choice]

    return Field(STAGE, "stage", out=back.__getitem__, into=into)


def honest() -> list[Field]:
    return [
        Field(GIVEN, "firstname"),
        Field(FAMILY, "lastname"),
        Field(AMOUNT, "probability"),
        Field(OWNER, "owner_id", out="object:{}".format, into=lambda reference: reference.partition(":")[2]),
        table(CODES),
    ]


def domains(lens: HandWritten) -> dict[str, Domain]:
    return {one.leaf.name: domain(one.leaf) for one in lens.fields}


def broken(lens: HandWritten, **options: Any) -> set[tuple[Law, str]]:
    return {(one.law, one.leaf) for one in violations(lens, domains(lens), **options)}


def test_an_honest_mapping_breaks_no_law() -> None:
    assert broken(HandWritten(honest())) == set()


def test_an_honest_mapping_may_refuse_values() -> None:
    fields = honest()
    fields[4] = table({"won": "2"})
    assert broken(HandWritten(fields)) == set()


def test_a_lower_cased_id_is_found() -> None:
    fields = honest()
    fields[3].into = lambda reference: reference.partition(":")[2].lower()
    found = violations(HandWritten(fields), domains(HandWritten(fields)))
    assert found == [Violation("put-get", "owner", '"object:AbC9xYz" is written and "object:abc9xyz" is read back')]


def test_truncated_cents_are_found() -> None:
    fields = honest()
    fields[2].into = lambda amount: amount.partition(".")[0]
    assert broken(HandWritten(fields)) == {("put-get", "probability")}


def test_swapped_fields_are_found() -> None:
    fields = honest()
    fields[0].writes_to, fields[1].writes_to = "lastname", "firstname"
    assert {("put-get", "names.given"), ("put-get", "names.family")} <= broken(HandWritten(fields))


def test_two_leaves_on_one_field_are_found() -> None:
    fields = honest()
    fields[1].path = "firstname"
    found = broken(HandWritten(fields))
    assert {leaf for _, leaf in found} == {"names.given", "names.family"}
    assert ("put-get", "names.given") in found


def test_a_lossy_enum_is_found() -> None:
    fields = honest()
    fields[4] = table({**CODES, "lost": "2"})
    assert broken(HandWritten(fields)) == {("put-get", "stage_category")}


def test_cleared_by_absent_is_found() -> None:
    assert {law for law, _ in broken(ClearsWhatIsAbsent(honest()))} >= {"absent"}


def test_a_null_that_does_not_clear_is_found() -> None:
    assert {law for law, _ in broken(IgnoresNull(honest()))} == {"null"}


def test_sending_what_did_not_change_is_found() -> None:
    assert {law for law, _ in broken(SendsEverything(honest()))} >= {"get-put"}


def test_refusing_what_did_not_change_is_found() -> None:
    assert {law for law, _ in broken(RefusesWhatIsThere(honest()))} == {"get-put"}


def test_refusing_what_is_absent_is_found() -> None:
    assert broken(RefusesWhatIsAbsent(honest()[:2])) == {("absent", "names.given"), ("absent", "names.family")}


def test_a_second_write_that_does_not_count_is_found() -> None:
    found = broken(AppendsInsteadOfSetting(honest()))
    assert {("put-put", "names.given"), ("put-get", "names.given"), ("get-put", "names.given")} <= found


@pytest.mark.parametrize(
    ("liar", "why"), [(ClearsNeighboursWhenSetting, "was set to"), (ClearsNeighboursWhenClearing, "was cleared, and it went")]
)
def test_a_write_that_clears_its_neighbours_is_found(liar: type[HandWritten], why: str) -> None:
    lens = liar(honest())
    assert any(one.law == "untouched" and why in one.example for one in violations(lens, domains(lens)))


def test_a_write_that_clears_what_is_not_mapped_is_found() -> None:
    assert {law for law, _ in broken(ClearsWhatIsNotMapped(honest()))} == {"untouched"}


def test_a_leaf_that_refuses_everything_is_found() -> None:
    found = violations(RefusesEverything(honest()[:1]), {"names.given": domain(GIVEN)})
    assert [(one.law, one.leaf) for one in found] == [("put-get", "names.given")]
    assert "can be written: no" in found[0].example


@pytest.mark.parametrize(
    ("info", "leaf"),
    [
        (FieldInfo("properties.probability", "decimal", scale=0), "probability"),
        (FieldInfo("properties.firstname", "text", max_length=5), "names.given"),
    ],
)
def test_what_the_vendor_cuts_is_found(info: FieldInfo, leaf: str) -> None:
    schema = Schema("deals", {info.path: info})
    assert broken(HandWritten(honest()), schema=schema) == {("put-get", leaf)}


def test_what_the_vendor_refuses_is_honest() -> None:
    info = FieldInfo("properties.stage", "choice", choices=(("1", "Open"), ("2", "Won")))
    assert broken(HandWritten(honest()), schema=Schema("deals", {info.path: info})) == set()


def test_a_loss_that_is_allowed_and_settles_is_no_violation() -> None:
    info = FieldInfo("properties.probability", "decimal", scale=0)
    assert broken(HandWritten(honest()), schema=Schema("deals", {info.path: info}), lossy={"probability"}) == set()


def test_a_loss_that_never_settles_is_found_even_when_allowed() -> None:
    fields = honest()
    fields[0].into = lambda name: name + "!"
    assert ("settles", "names.given") in broken(HandWritten(fields), lossy={"names.given"})


def test_a_loss_that_gives_what_cannot_be_written_is_found_even_when_allowed() -> None:
    fields = honest()
    fields[4].out = lambda code: "somewhere" if code == "2" else {"1": "open", "3": "lost", "4": "unknown"}[code]
    found = violations(HandWritten(fields), domains(HandWritten(fields)), lossy={"stage_category"})
    assert found == [Violation("settles", "stage_category", '"won" is read back as "somewhere", which cannot be written')]


def test_the_same_seed_gives_the_same_examples() -> None:
    lens = ClearsWhatIsAbsent(honest())
    assert violations(lens, domains(lens)) == violations(lens, domains(lens))
