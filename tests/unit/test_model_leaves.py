"""Records and leaves: the typed edge and the travelling form are the same record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from aios_connect.errors import ConfigError, MappingError
from aios_connect.model import KINDS, Deal, Kind, Leaf, Money, Person, Record, User, json_schema, leaf, leaves, record_type
from aios_connect.model.canonical import JSON, LeafType, Leaves, date_text, decimal_text, instant_text, is_canonical, money_value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DECIMAL = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
VALUES: dict[LeafType, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "integer": st.integers(),
    "decimal": DECIMAL.map(decimal_text),
    "boolean": st.booleans(),
    "date": st.dates().map(date_text),
    "instant": st.datetimes(timezones=st.just(UTC)).map(instant_text),
    "money": st.builds(money_value, DECIMAL, st.sampled_from(["EUR", "USD", "JPY"])),
    "phone": st.integers(10**6, 10**15 - 1).map("+{}".format) | st.just("+442079460958;ext=12") | TEXT.map("raw:".__add__),
    "email": st.sampled_from(["ann@example.org", "Ann.O'Hara@example.org"]) | TEXT.map("raw:".__add__),
    "reference": st.integers(1).map("party.party:{}".format) | st.sampled_from(["?name=Ann", "?a=\n", "company_01JD9"]),
    "list": st.lists(TEXT),
    "any": TEXT | st.integers() | st.booleans() | st.lists(TEXT),
}


def values(leaf: Leaf) -> st.SearchStrategy[JSON]:
    value = st.sampled_from(leaf.choices) | TEXT.map("raw:".__add__) if leaf.type == "choice" else VALUES[leaf.type]
    return st.none() | value


@st.composite
def records(draw: st.DrawFn) -> tuple[str, Leaves]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    names = draw(st.lists(st.sampled_from([*leaves(kind), "custom.budget_code", "custom.b"]), max_size=8, unique=True))
    return kind, {name: draw(values(leaf(kind, name))) for name in names}


@given(records())
def test_leaves_and_records_are_each_others_inverse(drawn: tuple[str, Leaves]) -> None:
    kind, before = drawn
    record = record_type(kind).from_leaves(before)
    assert record.leaves() == before
    assert record_type(kind).from_leaves(record.leaves()) == record
    assert all(is_canonical(leaf(kind, name).type, value, leaf(kind, name).choices) for name, value in record.leaves().items())


@given(records())
def test_a_record_survives_json(drawn: tuple[str, Leaves]) -> None:
    kind, before = drawn
    record = record_type(kind).from_leaves(before)
    again = record_type(kind).model_validate_json(record.model_dump_json(exclude_unset=True))
    assert again == record


def test_absent_null_and_value_are_three_states() -> None:
    absent, null = Person(), Person.model_validate({"emails": {"work": None}})
    assert absent.leaves() == {}
    assert null.leaves() == {"emails.work": None}
    assert absent != null
    assert Person.from_leaves({"job_title": None}) != Person.from_leaves({})


def test_typed_values_travel_in_canonical_form() -> None:
    deal = Deal(
        name="New roof",
        amount=Money(amount=Decimal("12500.00"), currency="EUR"),
        probability=Decimal("0.50"),
        expected_close=date(2026, 12, 1),
        stage_entered_at=datetime(2026, 11, 21, 7, 50, 35, tzinfo=UTC),
        custom={"budget_code": "7"},
    )
    assert deal.leaves() == {
        "name": "New roof",
        "amount": {"amount": "12500", "currency": "EUR"},
        "probability": "0.5",
        "expected_close": "2026-12-01",
        "stage_entered_at": "2026-11-21T07:50:35Z",
        "custom.budget_code": "7",
    }


def test_an_untranslated_choice_is_unknown_and_keeps_the_vendors_word() -> None:
    deal = Deal.from_leaves({"stage_category": "raw:Closed (hot)"})
    assert deal.stage_category == "unknown"
    assert deal.raw == {"stage_category": "Closed (hot)"}
    assert deal.leaves() == {"stage_category": "raw:Closed (hot)"}
    assert Deal.from_leaves({"stage_category": "unknown"}).leaves() == {"stage_category": "unknown"}


def test_a_vendors_word_beside_a_known_choice_is_refused() -> None:
    with pytest.raises(ValidationError, match="only for a choice that is unknown"):
        Deal.model_validate({"stage_category": "won", "raw": {"stage_category": "Closed"}})


@pytest.mark.parametrize("kind", KINDS)
def test_every_closed_set_has_unknown(kind: str) -> None:
    assert all("unknown" in found.choices for found in leaves(kind).values() if found.type == "choice")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_is_ours_alone_is_named_here(kind: str) -> None:
    ours = {"company_links", "consents", "stage_log", "seats", "attendees"}
    record = record_type(kind)
    groups = {name.split(".")[0] for name in leaves(kind)}
    assert set(record.model_fields) - set(Record.model_fields) - groups <= ours


def test_references_know_their_kind() -> None:
    company = leaf("person", "company")
    assert (company.type, company.to) == ("reference", "company")
    assert leaf("deal", "owner").to == "user"
    assert all(found.to in KINDS for kind in KINDS for found in leaves(kind).values() if found.type == "reference")


def test_kinds_are_the_slugs_of_the_records() -> None:
    assert tuple(KINDS) == get_args(Kind)
    assert record_type("Person") is Person
    assert record_type("user") is User


def test_an_unknown_leaf_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(MappingError, match=r"a person has no leaf 'emails\.wrok'") as caught:
        Person.from_leaves({"emails.wrok": "ann@example.org"})
    assert caught.value.hint == "did you mean 'emails.work'?"


def test_an_unknown_kind_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="no kind of record 'Persn'") as caught:
        leaves("Persn")
    assert caught.value.hint == "did you mean 'person'?"


@pytest.mark.parametrize("name", ["custom.", "custom.A", "custom.a-b", "custom.1a"])
def test_a_custom_field_has_a_plain_name(name: str) -> None:
    with pytest.raises(MappingError, match="not the name of a custom field"):
        leaf("deal", name)


def test_a_value_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(MappingError, match="not a canonical decimal for the deal leaf 'probability'"):
        Deal.from_leaves({"probability": "0.50"})
    with pytest.raises(ValidationError, match="numbers with a fraction as text"):
        Deal(custom={"budget": 1.5})


def test_an_instant_needs_a_zone_and_a_place_in_the_calendar() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Deal.model_validate({"stage_entered_at": "2026-01-01T00:00:00"})
    with pytest.raises(ValidationError, match="years 1 to 9999"):
        Deal.model_validate({"stage_entered_at": "0001-01-01T00:00:00+05:00"})


def test_a_phone_is_e164_or_raw() -> None:
    assert Person.model_validate({"phones": {"mobile": "raw:ask Joe"}}).leaves() == {"phones.mobile": "raw:ask Joe"}
    with pytest.raises(ValidationError, match=r"not a number such as \+442079460958;ext=12"):
        Person.model_validate({"phones": {"mobile": "020 7946 0958"}})


def test_an_email_gets_its_domain_in_lower_case() -> None:
    assert Person.model_validate({"emails": {"work": "Ann@EXAMPLE.org"}}).leaves() == {"emails.work": "Ann@example.org"}


def test_values_are_frozen_and_hashable() -> None:
    money = Money(amount=Decimal(1), currency="EUR")
    with pytest.raises(ValidationError, match="frozen"):
        money.amount = Decimal(2)  # type: ignore[misc]
    assert {money, Money(amount=Decimal("1.00"), currency="EUR")} == {money}


@pytest.mark.parametrize("kind", KINDS)
def test_the_json_schema_accepts_what_the_record_writes(kind: str) -> None:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({})
    assert not validator.is_valid({"no_such_field": 1})
