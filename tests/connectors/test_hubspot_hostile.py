"""Hostile values in every field that is written: each comes back as it was sent, or is refused by name. None is changed in silence.

HubSpot's texts hold 65,536 characters (https://knowledge.hubspot.com/properties/property-field-types-in-hubspot), so that 100 kB of
text fit or do not fit by their number of characters. Half a character (a lone surrogate) is no text: neither UTF-8 nor a database
has a place for it, and it is refused before anything is sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN, Hazards, HubSpotVendor, furnish

from aios_connect.connectors import Change, Raw
from aios_connect.errors import MappingError
from aios_connect.mappings import CompiledMapping, load
from aios_connect.model import leaf as model_leaf
from aios_connect.model.canonical import JSON, Leaves

from .hubspot_office import connector, everything

FOLDER = Path(__file__).parents[2] / "mappings" / "hubspot"
NEEDED: dict[str, Leaves] = {
    "contacts": {},
    "companies": {},
    "deals": {},
    "tickets": {},
    "tasks": {"due_at": "2026-01-05T17:00:00Z"},
    "activities": {"type": "call", "occurred_at": "2026-01-05T17:00:00Z"},
}
"""Object -> what a record there cannot do without."""

TEXTS = {
    "the word for nothing": "None",
    "a number": "30001",
    "a code with a zero": "007",
    "beyond 64 bits": "9" * 40,
    "an exponent": "1e5",
    "a comma": "1,5",
    "yes": "True",
    "nothing": "",
    "blanks": "  ",
    "blanks around": " a ",
    "from right to left": "\u202eעברית \u2066abc\u2069",
    "a family": "👩‍👩‍👧‍👦",
    "combining": "e\u0301 ﬁ \u212b",
    "zero and control": "a\0b\x1f\x7f",
    "lines": "a\r\nb\u2028c",
    "markup": "<b>&amp;</b> {{x}} ' OR 1=1 --",
    "a list": "a;b",
    "the longest": "x" * 65_536,
    "100 kB in 50,000 characters": "é" * 50_000,
    "100 kB": "x" * 100_000,
    "as many emoji as fit": "😀" * 32_768,
    "one emoji too many": "😀" * 32_768 + "!",
    "half a character": "a\ud800b",
}
TOO_LONG = {"100 kB", "one emoji too many"}
NUMBERS = (0, -1, 2**53 + 1, 2**63, 2**64, 10**30)


@dataclass
class Office:
    """An account, and what became of every value that was tried."""

    object: str
    vendor: HubSpotVendor = field(default_factory=lambda: furnish(HubSpotVendor(hazards=Hazards.none())))
    tried: int = 0

    def __post_init__(self) -> None:
        self.hubspot: HubSpot = connector(self.vendor)
        self.hubspot.provision()
        self.mapping: CompiledMapping = load(FOLDER / f"{self.object}.yaml")

    def outcomes(self, leaf: str, values: Mapping[str, JSON], *, new: bool) -> dict[str, tuple[str, str]]:
        """What becomes of values, each in a record of its own, all of them in one batch.

        ``back``, ``empty``, ``refused`` or ``CHANGED``; and the words of a refusal.
        """
        became: dict[str, tuple[str, str]] = {}
        old = {} if new else self._standing(len(values))
        changes = {}
        for name, id in zip(values, old or [None] * len(values), strict=True):
            self.tried += 1
            told = {**NEEDED[self.object], leaf: values[name]} if new else {leaf: values[name]}
            try:
                patch = self.mapping.put(told, self.mapping.get(old[id])[0] if id else {}, old[id] if id else None)
            except MappingError as error:
                became[name] = "refused", str(error)
                continue
            key = f"k{self.tried}" if new and self.hubspot.spec.objects[self.object].key else None
            changes[name] = Change("create" if new else "update", f"l{self.tried}", id, patch, key=key)
        receipts = dict(zip(changes, self.hubspot.write(self.object, list(changes.values())), strict=True)) if changes else {}
        there = {raw["id"]: raw for raw in self.hubspot.lookup(self.object, [str(one.id) for one in receipts.values() if one.id])}
        for name, receipt in receipts.items():
            if receipt.outcome == "rejected":
                became[name] = "refused", receipt.reason
                continue
            assert receipt.outcome in ("written", "unchanged"), receipt
            leaves, problems = self.mapping.get(there[receipt.id or ""])
            assert problems == []
            held = leaves.get(leaf)
            became[name] = (
                ("back", "") if held == values[name] else ("empty", "") if held is None else ("CHANGED", repr(held)[:80])
            )
        return became

    def _standing(self, count: int) -> dict[str, Raw]:
        """Records to be changed."""
        numbers = range(self.tried, self.tried + count)
        keyed = self.hubspot.spec.objects[self.object].key
        patch = self.mapping.put(NEEDED[self.object], {}, None)
        made = [Change("create", f"s{number}", patch=patch, key=f"s{number}" if keyed else None) for number in numbers]
        ids = [str(receipt.id) for receipt in self.hubspot.write(self.object, made)]
        return {raw["id"]: raw for raw in self.hubspot.lookup(self.object, ids)}


def canonical(mapping: CompiledMapping, leaf: str, text: str) -> JSON:
    """A text as a value of a leaf: behind ``raw:`` where a leaf has a form of its own."""
    type = model_leaf(mapping.kind, leaf).type
    if type in ("phone", "email", "choice"):
        return f"raw:{text}"
    if type == "reference":
        return f"{mapping.references[leaf][0]}:{text}"
    return {"amount": text, "currency": "USD"} if type == "money" else text


def declared(mapping: CompiledMapping, leaf: str, name: str) -> set[str]:
    """What may become of a text. In a field of plain text there is no choice."""
    type = model_leaf(mapping.kind, leaf).type
    if name == "half a character" or (
        name == "nothing" and type in ("phone", "email")
    ):  # "raw:" alone is no number and no address
        return {"refused"}
    plain = type in ("text", "any", "phone") and leaf not in ("stage", "pipeline", "industry")
    if not plain:  # a number, a date, an address, a choice, another record: if it is one, it comes back
        return (
            {"empty"} if name == "nothing" and type == "email" else {"back", "refused", *({"empty"} if name == "nothing" else ())}
        )
    return {"empty"} if name == "nothing" else {"refused"} if name in TOO_LONG else {"back"}


def words(mapping: CompiledMapping, leaf: str) -> set[str]:
    """What a refusal may name a leaf by."""
    paths = mapping.fields[leaf].transform.paths
    return {leaf, "lone surrogate", *(path.rpartition(".")[2] for path in paths), "No record", "Could not get some", "hs_call_"}


@pytest.mark.parametrize("new", [True, False], ids=["create", "update"])
@pytest.mark.parametrize("object", NEEDED)
def test_every_field_gives_back_what_it_was_sent_or_refuses_it_by_name(object: str, new: bool) -> None:
    office = Office(object)
    wrong = []
    for leaf in sorted(office.mapping.writes):
        values = {name: canonical(office.mapping, leaf, text) for name, text in TEXTS.items()}
        for name, (became, why) in office.outcomes(leaf, values, new=new).items():
            named = became != "refused" or any(word in why for word in words(office.mapping, leaf))
            if became not in declared(office.mapping, leaf, name) or not named:
                wrong.append((leaf, name, became, why[:200]))
    assert wrong == []
    assert office.tried == len(office.mapping.writes) * len(TEXTS)


@pytest.mark.parametrize("new", [True, False], ids=["create", "update"])
def test_whole_numbers_amounts_and_decimals_come_back_digit_by_digit(new: bool) -> None:
    numbers: dict[str, JSON] = {str(number): number for number in NUMBERS}
    assert set(Office("companies").outcomes("employees", numbers, new=new).values()) == {("back", "")}
    amounts: dict[str, JSON] = {
        text: {"amount": text, "currency": "EUR"} for number in NUMBERS for text in (str(number), f"{number}.000001")
    }
    assert set(Office("deals").outcomes("amount", amounts, new=new).values()) == {("back", "")}


def test_the_first_and_the_last_day_come_back() -> None:
    days: dict[str, JSON] = {day: day for day in ("0001-01-01", "1582-10-15", "2000-02-29", "9999-12-31")}
    assert set(Office("deals").outcomes("expected_close", days, new=True).values()) == {("back", "")}


def test_a_value_that_is_refused_leaves_the_record_as_it_was() -> None:
    vendor = HubSpotVendor(hazards=Hazards.none())
    record = vendor.records["contacts"].create({"jobtitle": "Owner"})
    hubspot = connector(vendor)
    for name in (*TOO_LONG, "half a character"):
        change = Change("update", name, str(record.id), {"properties": {"jobtitle": TEXTS[name]}})
        assert hubspot.write("contacts", [change])[0].outcome == "rejected"
    assert record.values == {"jobtitle": "Owner"}


def test_a_bad_value_does_not_take_its_neighbours_with_it() -> None:
    office = Office("contacts")
    good, bad = TEXTS["a family"], [TEXTS[name] for name in ("100 kB", "half a character")]
    changes = [
        Change("create", str(number), patch={"properties": {"firstname": text}}, key=f"n{number}")
        for number, text in enumerate([good, bad[0], good, bad[1], good])
    ]
    receipts = office.hubspot.write("contacts", changes)
    assert [receipt.outcome for receipt in receipts] == ["written", "rejected", "written", "rejected", "written"]
    assert "PROPERTY_VALUE_TOO_LONG" in receipts[1].reason
    assert "lone surrogate" in receipts[3].reason


def test_half_a_character_that_others_left_in_the_account_is_read_as_a_replacement_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Half a pair may stand in JSON as an escape (RFC 8259, 8.2); whether HubSpot takes one is not known, the fake does."""
    vendor = HubSpotVendor(hazards=Hazards.none())
    body = json.dumps({"properties": {"firstname": "a\ud800b", "city": "Portland"}}).encode()
    assert b"\\ud800" in body
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    made = vendor.exchange("POST", "/crm/v3/objects/contacts", headers, body)
    assert b"\\ud800" in made.body
    hubspot = connector(vendor)
    with caplog.at_level(logging.WARNING, logger="aios_connect"):
        raw = everything(hubspot, "contacts")[0].records[0]
    assert raw["properties"]["firstname"] == "a\ufffdb"
    assert "breaks the rules" in caplog.text
    change = Change("update", "1", raw["id"], {"properties": {"city": "Salem"}}, {"properties": {"city": "Portland"}})
    hubspot.provision()
    assert hubspot.write("contacts", [change])[0].outcome == "written"
    assert next(iter(vendor.records["contacts"])).values["firstname"] == "a\ud800b"  # what was not asked for is not touched
