"""Which evidence finds a record again, and how far it is trusted."""

from __future__ import annotations

import pytest

from aios_connect.sync.keys import compatible_names, keys_of, normal_company


def test_a_personal_address_is_sure_and_a_role_mailbox_is_not() -> None:
    assert keys_of("person", {"emails.work": "Ada@Example.com"})["email:ada@example.com"] == "sure"
    assert keys_of("person", {"emails.work": "info@example.com"})["email:info@example.com"] == "weak"


def test_a_shared_telephone_needs_a_compatible_name() -> None:
    assert keys_of("person", {"phones.work": "+15550100"})["phone:+15550100"] == "name"


def test_a_number_kept_as_typed_is_no_evidence() -> None:
    assert not keys_of("person", {"phones.work": "raw:call reception"})


def test_a_free_mail_domain_says_nothing_about_a_company() -> None:
    assert not keys_of("company", {"domains.primary": "gmail.com"})
    assert keys_of("company", {"domains.primary": "acme.example"}) == {"domain:acme.example": "name"}


@pytest.mark.parametrize(
    ("one", "other"), [("ACME Roofing, LLC", "Acme Roofing Inc."), ("Müller & Söhne GmbH", "Muller and Sohne")]
)
def test_a_company_is_found_without_its_legal_form(one: str, other: str) -> None:
    assert normal_company(one) == normal_company(other)


def test_the_trade_in_the_name_is_not_a_legal_form() -> None:
    assert normal_company("Acme Roofing LLC") != normal_company("Acme Plumbing LLC")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada Lovelace", "Lovelace Ada", True),
        ("A. Lovelace", "Ada Lovelace", True),
        ("Ada Lovelace", "Ada Byron", False),
        ("Mary Lovelace", "Ada Lovelace", False),
        ("", "Ada Lovelace", False),
    ],
)
def test_names_are_compatible_only_when_they_can_be_one_persons(one: str, other: str, same: bool) -> None:
    assert compatible_names(one, other) is same


def test_a_deal_is_known_by_its_name_and_company() -> None:
    assert keys_of("deal", {"name": "New roof", "company": "company_1"}) == {"deal:new roof|company_1": "sure"}
    assert keys_of("deal", {"name": "New roof"}) == {"deal:new roof|": "weak"}
