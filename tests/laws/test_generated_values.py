"""What the laws try mappings with: canonical, repeatable, and awkward enough."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_connect.mappings.generate import domain, record
from aios_connect.model import KINDS, Leaf, leaves
from aios_connect.model.canonical import is_canonical

RANDOM = st.randoms(use_true_random=False)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(random=RANDOM)
def test_every_value_is_canonical(kind: str, random: Random) -> None:
    domains = {name: domain(leaf) for name, leaf in leaves(kind).items()}
    for name, value in record(random, domains).items():
        assert is_canonical(leaves(kind)[name].type, value, leaves(kind)[name].choices), (name, value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_is_canonical_and_not_null(kind: str) -> None:
    for leaf in leaves(kind).values():
        cases = domain(leaf, scale=2, max_length=10, currencies=["JPY"]).cases
        assert len(cases) > 1
        assert None not in cases
        assert all(is_canonical(leaf.type, case, leaf.choices) for case in cases)


def test_the_same_seed_gives_the_same_record() -> None:
    domains = {name: domain(leaf) for name, leaf in leaves("deal").items()}
    assert record(Random(7), domains) == record(Random(7), domains)
    assert record(Random(7), domains) != record(Random(8), domains)


def test_the_limits_of_the_vendor_are_overstepped_by_one() -> None:
    assert "0.0011" in domain(Leaf("probability", "decimal"), scale=3).cases
    assert "x" * 41 in domain(Leaf("name", "text"), max_length=40).cases


def test_a_table_closes_the_domain() -> None:
    closed = domain(Leaf("stage", "text"), only=["new", "won"])
    assert {closed.value(Random(seed)) for seed in range(20)} == {"new", "won"}


def test_the_vendors_own_currency_is_tried() -> None:
    assert {"amount": "12.34", "currency": "JPY"} in domain(Leaf("amount", "money"), currencies=["JPY"]).cases
