"""Canonical values: equal means equal as JSON, and nothing is lost on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.model.canonical import (
    LeafType,
    date_text,
    decimal_text,
    instant_text,
    is_canonical,
    money_value,
    parse_date,
    parse_decimal,
    parse_instant,
)

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**60), max_value=10**60)
NAIVE = datetime(2026, 11, 21, tzinfo=UTC).replace(tzinfo=None)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DELTAS = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000))
INSTANTS = st.builds(lambda delta, zone: (datetime(1970, 1, 1, tzinfo=UTC) + delta).astimezone(zone), DELTAS, OFFSETS)


@given(DECIMALS)
def test_a_decimal_keeps_every_digit(value: Decimal) -> None:
    text = decimal_text(value)
    assert parse_decimal(text) == value
    assert is_canonical("decimal", text)


@given(DECIMALS, st.integers(0, 20))
def test_equal_decimals_have_the_same_text(value: Decimal, zeros: int) -> None:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    padded = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    assert decimal_text(padded) == decimal_text(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12500.00", "12500"),
        ("1.25E+4", "12500"),
        ("0.50", "0.5"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("1E-7", "0.0000001"),
        ("100", "100"),
    ],
)
def test_a_decimal_has_no_exponent_and_no_trailing_zeros(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+1000000", "1E-1000000"])
def test_a_decimal_without_a_finite_text_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="finite number"):
        decimal_text(Decimal(value))


def test_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="'twelve' is not a number"):
        parse_decimal("twelve")


@given(INSTANTS)
def test_an_instant_is_the_same_point_in_time_in_utc(value: datetime) -> None:
    text = instant_text(value)
    assert is_canonical("instant", text)
    assert parse_instant(text) == value
    assert parse_instant(text).tzinfo is UTC
    assert instant_text(value.astimezone(UTC)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 11, 21, 7, 50, 35, tzinfo=UTC), "2026-11-21T07:50:35Z"),
        (datetime(2026, 11, 21, 7, 50, 35, 120000, tzinfo=UTC), "2026-11-21T07:50:35.120000Z"),
        (datetime(2026, 11, 21, 9, 50, 35, tzinfo=timezone(timedelta(hours=2))), "2026-11-21T07:50:35Z"),
    ],
)
def test_an_instant_has_six_digits_or_none(value: datetime, text: str) -> None:
    assert instant_text(value) == text


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        instant_text(NAIVE)


def test_an_instant_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        instant_text(datetime.min.replace(tzinfo=timezone(timedelta(hours=5))))


@given(st.dates())
def test_a_date_can_be_read_back(value: date) -> None:
    assert parse_date(date_text(value)) == value
    assert is_canonical("date", date_text(value))


def test_money_needs_a_currency_of_three_capital_letters() -> None:
    assert money_value(Decimal("12500.00"), "EUR") == {"amount": "12500", "currency": "EUR"}
    with pytest.raises(ValueError, match="ISO 4217"):
        money_value(Decimal(1), "eur")


CANONICAL: list[tuple[LeafType, Any]] = [
    ("text", ""),
    ("text", "01"),
    ("integer", -3),
    ("boolean", False),
    ("decimal", "-0.5"),
    ("money", {"amount": "1", "currency": "USD"}),
    ("date", "2024-02-29"),
    ("instant", "2026-11-21T07:50:35.000001Z"),
    ("list", ["a", "a"]),
    ("phone", "+442079460958"),
    ("phone", "+442079460958;ext=12"),
    ("phone", "raw:call me"),
    ("email", "Ann.O'Hara@example.org"),
    ("email", "raw:none"),
    ("choice", "won"),
    ("choice", "raw:Closed (hot)"),
    ("reference", "party.party:42"),
    ("reference", "?emails.work=ann@example.org"),
    ("reference", "company_01JD9"),
    ("any", "x"),
    ("any", 1),
    ("any", True),
    ("any", ["x"]),
]

NOT_CANONICAL: list[tuple[LeafType, Any]] = [
    ("text", 1),
    ("text", "\ud800"),
    ("integer", True),
    ("integer", "1"),
    ("integer", 1.0),
    ("boolean", 0),
    ("decimal", "0.50"),
    ("decimal", "-0"),
    ("decimal", "1E3"),
    ("decimal", "01"),
    ("decimal", 1),
    ("decimal", "1\n"),
    ("money", {"amount": "1.0", "currency": "USD"}),
    ("money", {"amount": "1"}),
    ("money", {"amount": None, "currency": "USD"}),
    ("money", {"amount": "1", "currency": "usd"}),
    ("date", "2026-02-30"),
    ("date", "20260221"),
    ("instant", "2026-11-21T07:50:35+00:00"),
    ("instant", "2026-11-21T07:50:35.000000Z"),
    ("instant", "2026-11-21T07:50:35.12Z"),
    ("instant", "2026-11-21T24:00:00Z"),
    ("list", ["a", 1]),
    ("list", ("a",)),
    ("phone", "020 7946 0958"),
    ("phone", "+442079460958;ext="),
    ("email", "ann@Example.org"),
    ("email", "ann"),
    ("choice", "Won"),
    ("reference", "42"),
    ("any", 1.5),
    ("any", {"a": 1}),
]


@pytest.mark.parametrize(("type", "value"), CANONICAL)
def test_a_canonical_value_is_recognised(type: LeafType, value: Any) -> None:
    assert is_canonical(type, value, ("won", "lost"))


@pytest.mark.parametrize(("type", "value"), NOT_CANONICAL)
def test_any_other_form_is_not_canonical(type: LeafType, value: Any) -> None:
    assert not is_canonical(type, value, ("won", "lost"))


@pytest.mark.parametrize("type", ["text", "integer", "money", "choice", "any"])
def test_null_is_canonical_for_every_type(type: LeafType) -> None:
    assert is_canonical(type, None)
