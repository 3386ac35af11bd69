"""What a mapping writes: only what changed, to where it was read, in the vendor's own form."""

from __future__ import annotations

from typing import Any

import pytest

from aios_connect.connectors.contract import FieldInfo, Schema
from aios_connect.errors import MappingError
from aios_connect.mappings import CompiledMapping, loads
from aios_connect.model.canonical import JSON


def mapping(kind: str, *entries: str, head: str = "") -> CompiledMapping:
    text = f"connector: acme\nobject: things\nkind: {kind}\n{head}\nfields:\n" + "".join(f"  {entry}\n" for entry in entries)
    return loads(text, file="things.yaml")


PEOPLE = mapping(
    "person",
    "names.given: properties.firstname",
    "emails.work: {from: properties.email, as: email}",
    "phones.mobile: {from: [properties.mobile, properties.phone], as: phone, region: GB}",
    "job_title: {from: properties.title, access: read}",
    "notes: {from: properties.notes, access: write}",
    head='defaults: {clear: ""}\ncreate: {properties.type: person, properties.lead: {score: 0}}',
)
RAW: dict[str, Any] = {
    "id": "7",
    "properties": {
        "firstname": "Ada",
        "email": "Ada@EXAMPLE.org",
        "mobile": "",
        "phone": "020 7946 0958",
        "title": "Boss",
        "other": 1,
    },
}
SEEN = PEOPLE.get(RAW)[0]


def test_what_was_read_and_is_written_back_changes_nothing() -> None:
    assert PEOPLE.put(SEEN, SEEN, RAW) == {}


def test_only_what_changed_is_said_and_what_is_absent_says_nothing() -> None:
    assert PEOPLE.put({**SEEN, "names.given": "Grace"}, SEEN, RAW) == {"properties": {"firstname": "Grace"}}
    assert PEOPLE.put({"names.given": "Grace"}, SEEN, RAW) == {"properties": {"firstname": "Grace"}}
    assert PEOPLE.put({}, SEEN, RAW) == {}


def test_null_clears_in_the_vendors_own_way() -> None:
    assert PEOPLE.put({"names.given": None}, SEEN, RAW) == {"properties": {"firstname": ""}}
    assert mapping("deal", "name: x").put({"name": None}, {"name": "a"}, {"x": "a"}) == {"x": None}
    assert mapping("deal", "tags: {from: x, as: list, clear: []}").put({"tags": None}, {"tags": ["a"]}, {"x": ["a"]}) == {"x": []}


def test_an_empty_list_is_null() -> None:
    assert mapping("deal", "tags: {from: x, as: list}").put({"tags": []}, {"tags": ["a"]}, {"x": ["a"]}) == {"x": None}


def test_values_the_record_has_already_are_left_out() -> None:
    assert PEOPLE.put({"names.given": "Ada"}, {}, RAW) == {}
    assert PEOPLE.put({"phones.mobile": None}, {"phones.mobile": "+44"}, {"properties": {"mobile": None, "phone": ""}}) == {}


def test_the_form_somebody_typed_stays_until_the_value_changes() -> None:
    assert PEOPLE.put({"emails.work": "Ada@example.org", "phones.mobile": "+442079460958"}, SEEN, RAW) == {}
    assert PEOPLE.put({"emails.work": "ada@example.org"}, SEEN, RAW) == {"properties": {"email": "ada@example.org"}}


@pytest.mark.parametrize(
    ("mobile", "phone", "new", "patch"),
    [
        ("020 7946 0958", "020 7946 0000", "+442079460111", {"mobile": "+442079460111"}),
        ("", "020 7946 0000", "+442079460111", {"phone": "+442079460111"}),
        (None, None, "+442079460111", {"mobile": "+442079460111"}),
        ("020 7946 0958", "020 7946 0000", None, {"mobile": "", "phone": ""}),
        (None, "020 7946 0000", None, {"phone": ""}),
    ],
)
def test_of_several_paths_the_one_that_was_read_is_written_and_every_filled_one_cleared(
    mobile: str | None, phone: str | None, new: str | None, patch: dict[str, Any]
) -> None:
    raw = {"properties": {"mobile": mobile, "phone": phone}}
    assert PEOPLE.put({"phones.mobile": new}, PEOPLE.get(raw)[0], raw) == {"properties": patch}


def test_of_several_paths_one_that_was_not_fetched_is_passed_over() -> None:
    raw = {"properties": {"phone": None}}
    assert PEOPLE.put({"phones.mobile": "+442079460111"}, {}, raw) == {"properties": {"phone": "+442079460111"}}
    assert PEOPLE.put({"phones.mobile": None}, {}, {"properties": {}}) == {"properties": {"mobile": ""}}


def test_a_new_record_gets_what_the_file_says_and_no_nulls() -> None:
    first = PEOPLE.put({"names.given": "Ada", "emails.work": None, "phones.mobile": "+442079460958"}, {}, None)
    assert first == {"properties": {"type": "person", "lead": {"score": 0}, "firstname": "Ada", "mobile": "+442079460958"}}
    first["properties"]["lead"]["score"] = 9
    assert PEOPLE.put({}, {}, None) == {"properties": {"type": "person", "lead": {"score": 0}}}


def test_a_leaf_that_is_only_written_is_never_read() -> None:
    assert "notes" not in PEOPLE.reads
    assert PEOPLE.put({"notes": "met in York"}, SEEN, RAW) == {"properties": {"notes": "met in York"}}


def test_a_leaf_that_is_only_read_is_refused_when_it_changes_and_only_then() -> None:
    assert PEOPLE.put({"job_title": "Boss"}, SEEN, RAW) == {}
    with pytest.raises(MappingError, match="job_title: this mapping only reads it") as caught:
        PEOPLE.put({"job_title": "Queen"}, SEEN, RAW)
    assert (caught.value.file, caught.value.line) == ("things.yaml", 10)


def test_a_leaf_the_mapping_does_not_know_is_refused() -> None:
    with pytest.raises(MappingError, match="no field for 'website'") as caught:
        PEOPLE.put({"website": "example.org"}, SEEN, RAW)
    assert "it writes emails.work, names.given" in caught.value.hint


def test_a_required_leaf_cannot_be_cleared() -> None:
    deals = mapping("deal", "name: {from: x, required: true}")
    with pytest.raises(MappingError, match="name: it is required"):
        deals.put({"name": None}, {"name": "Roof"}, {"x": "Roof"})


def test_in_an_object_that_is_null_a_value_can_be_put() -> None:
    deals = mapping("deal", "name: a.b")
    assert deals.put({"name": "Roof"}, {"name": None}, {"a": None}) == {"a": {"b": "Roof"}}
    assert deals.put({"name": None}, {}, {"a": None}) == {}


def test_true_is_not_one() -> None:
    deals = mapping("deal", "custom.n: {from: x, as: integer}", "has_future_meeting: {from: y, as: boolean}")
    assert deals.put({"custom.n": 1}, {}, {"x": True}) == {"x": 1}
    assert deals.put({"has_future_meeting": True}, {}, {"y": 1}) == {"y": True}
    assert deals.put({"custom.n": 1}, {"custom.n": True}, {"x": True}) == {"x": 1}


@pytest.mark.parametrize(
    ("kind", "entry", "value", "written"),
    [
        ("deal", "stage: {from: x, as: enum, values: {won: [w, W]}}", "won", "w"),
        ("deal", "stage: {from: x, as: enum, values: {won: 7}}", "won", 7),
        ("deal", "stage: {from: x, as: enum, values: {won: w}, otherwise: keep}", "raw:Z", "Z"),
        ("deal", "has_future_meeting: {from: x, as: boolean, quoted: true}", True, "true"),
        ("deal", "has_future_meeting: {from: x, as: boolean, yes: [Y, J], no: N}", False, "N"),
        ("company", "employees: {from: x, as: integer, quoted: true}", 12, "12"),
        ("deal", "probability: {from: x, as: decimal}", "12500", 12500),
        ("deal", "probability: {from: x, as: decimal}", "0.1", 0.1),
        ("deal", "probability: {from: x, as: decimal, quoted: true, point: ',', group: '.'}", "1234.5", "1234,5"),
        ("deal", "probability: {from: x, as: decimal, percent: true}", "0.125", 12.5),
        ("deal", "tags: {from: x, as: list, sep: '; '}", ["a", "b"], "a; b"),
        ("deal", "owner: {from: x, as: reference, to: users}", "users:7", "7"),
        ("deal", "owner: {from: x, as: reference, to: users, id: integer}", "users:7", 7),
        ("deal", "owner: {from: x, as: reference, to: user, by: emails.work}", "?emails.work=a@b.org", "a@b.org"),
        ("deal", "start_date: {from: x, as: date, format: '%d/%m/%Y'}", "0850-01-02", "02/01/0850"),
        ("deal", "start_date: {from: x, as: date, format: epoch_ms, quoted: true}", "2026-11-21", "1795219200000"),
        ("deal", "start_date: {from: x, as: date, format: instant, tz: America/New_York}", "2026-11-21", "2026-11-21T05:00:00Z"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50:35.120000Z", "2026-11-21T07:50:35.120000Z"),
        ("deal", "last_inbound_at: {from: x, as: instant, digits: 0, lossy: allow}", "2026-11-21T07:50:35.900000Z", "2026-11-21T07:50:35Z"),
        ("deal", "last_inbound_at: {from: x, as: instant, format: epoch_ms, lossy: allow}", "2026-11-21T07:50:35.120000Z", 1795247435120),
        (
            "deal",
            "last_inbound_at: {from: x, as: instant, format: local, tz: Europe/Paris, lossy: allow}",
            "2026-07-21T07:50:35Z",
            "2026-07-21T09:50:35",
        ),
        ("person", "phones.mobile: {from: x, as: phone}", "+442079460958;ext=12", "+442079460958 ext. 12"),
        ("person", "phones.mobile: {from: x, as: phone, style: international}", "+442079460958", "+44 20 7946 0958"),
        ("person", "phones.mobile: {from: x, as: phone, style: national, region: GB}", "+442079460958", "020 7946 0958"),
        ("person", "phones.mobile: {from: x, as: phone, style: national, region: GB}", "+12125550123", "+1 212-555-0123"),
        ("person", "phones.mobile: {from: x, as: phone}", "raw:ask Joe", "ask Joe"),
        ("person", "emails.work: {from: x, as: email}", "raw:ada at example", "ada at example"),
        ("person", "names: {from: x, as: person_name, lossy: allow}", "Ada", "Ada"),
    ],
)  # fmt: skip
def test_values_as_vendors_want_them(kind: str, entry: str, value: JSON, written: Any) -> None:
    leaf = "names.given" if entry.startswith("names:") else entry.partition(":")[0]
    patch = mapping(kind, entry).put({leaf: value}, {}, None)
    assert patch == {"x": written}
    assert patch["x"].__class__ is written.__class__


@pytest.mark.parametrize(
    ("kind", "entry", "value", "reason"),
    [
        ("deal", "name: x", 7, "a number is not text"),
        ("deal", "stage: {from: x, as: enum, values: {won: w}}", "lost", "the table has no code for 'lost'"),
        ("deal", "stage: {from: x, as: enum, values: {won: w}}", "raw:z", "the table has no code for 'raw:z'"),
        ("deal", "stage: {from: x, as: enum, values: {won: w}, otherwise: keep}", "raw:w", "the table has no code for 'raw:w'"),
        ("deal", "has_future_meeting: {from: x, as: boolean}", "true", "text is not true or false"),
        ("company", "employees: {from: x, as: integer}", True, "True is not a whole number"),
        ("deal", "probability: {from: x, as: decimal}", "0.50", "'0.50' is not a number in canonical form"),
        ("deal", "probability: {from: x, as: decimal}", "0.12345678901234567891", "has more digits than a JSON number keeps"),
        ("deal", "amount: {from: x, as: money, currency: EUR}", {"amount": "5", "currency": "USD"}, "this field is in EUR"),
        ("deal", "amount: {from: [x, y], as: money}", "5", "text is not an amount with a currency"),
        ("deal", "tags: {from: x, as: list, sep: ';'}", ["a;b"], "the item 'a;b' cannot stand in text"),
        ("deal", "tags: {from: x, as: list, sep: ';'}", [" a"], "the item ' a' cannot stand in text"),
        ("deal", "owner: {from: x, as: reference, to: users}", "teams:7", "'teams:7' does not begin with 'users:'"),
        ("deal", "owner: {from: x, as: reference, to: users, id: integer}", "users:x", "'x' is not a whole number"),
        ("deal", "start_date: {from: x, as: date}", "21/11/2026", "is not a date"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21", "is not an instant"),
        ("person", "phones.mobile: {from: x, as: phone}", "020 7946 0958", "is not a phone number in canonical form"),
        ("person", "phones.mobile: {from: x, as: phone, on_error: error}", "raw:ask Joe", "is not a phone number in canonical form"),
        ("person", "emails.work: {from: x, as: email}", "Ada@EXAMPLE.org", "is not an e-mail address in canonical form"),
        ("person", "names: {from: x, as: person_name, lossy: allow}", 7, "the names are not text"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_written_is_refused_with_its_place(kind: str, entry: str, value: JSON, reason: str) -> None:
    leaf = "names.given" if entry.startswith("names:") else entry.partition(":")[0]
    with pytest.raises(MappingError) as caught:
        mapping(kind, entry).put({leaf: value}, {}, None)
    assert reason in caught.value.message
    assert (caught.value.file, caught.value.line, caught.value.column) == ("things.yaml", 6, 3)


def test_of_money_only_the_half_that_changed_is_written() -> None:
    deals = mapping("deal", "amount: {from: [a, c], as: money, currency: USD, quoted: true}")
    raw = {"a": "12500.00", "c": ""}
    seen = deals.get(raw)[0]
    assert deals.put({"amount": {"amount": "12500", "currency": "EUR"}}, seen, raw) == {"c": "EUR"}
    assert deals.put({"amount": {"amount": "9", "currency": "USD"}}, seen, raw) == {"a": "9"}
    assert deals.put({"amount": None}, seen, raw) == {"a": None}
    assert deals.put({"amount": {"amount": "9", "currency": "USD"}}, {}, None) == {"a": "9", "c": "USD"}
    assert deals.put({"amount": {"amount": "9", "currency": "USD"}}, {}, {}) == {"a": "9", "c": "USD"}


def test_of_a_name_the_half_that_did_not_change_stays() -> None:
    people = mapping("person", "names: {from: x, as: person_name, lossy: allow, clear: ''}")
    raw = {"x": "Ada Lovelace"}
    seen = people.get(raw)[0]
    assert people.put({"names.given": "Augusta"}, seen, raw) == {"x": "Augusta Lovelace"}
    assert people.put({"names.family": "King"}, {}, raw) == {"x": "Ada King"}
    assert people.put({"names.family": None}, seen, raw) == {"x": "Ada"}
    assert people.put({"names.given": None, "names.family": None}, seen, raw) == {"x": ""}


SCHEMA = Schema(
    "things",
    {
        "p.cf_size": FieldInfo("p.cf_size", "decimal", "Size"),
        "p.cf_due": FieldInfo("p.cf_due", "date", "Due"),
        "p.cf_sum": FieldInfo("p.cf_sum", "decimal", "Sum", writable=False),
        "p.cf_code": FieldInfo("p.cf_code", "text", "Code"),
        "p.cf_Odd": FieldInfo("p.cf_Odd", "text", "Odd"),
        "p.cf_list": FieldInfo("p.cf_list", "object", "List"),
        "p.cf_blob": FieldInfo("p.cf_blob", "text", "Blob"),
        "p.name": FieldInfo("p.name", "text", "Name"),
    },
)


def test_custom_fields_are_written_once_the_live_schema_says_which_there_are() -> None:
    deals = mapping(
        "deal", "name: p.name", "custom.blob: p.name2", "custom: {prefix: p.cf_}", "custom.code: {from: p.cf_code, access: read}"
    )
    raw = {"p": {"name": "Roof", "cf_size": 2.5, "cf_due": "2026-11-21", "cf_sum": 9, "cf_code": "K"}}
    assert deals.writes == {"name", "custom.blob"}
    assert deals.get(raw)[0]["custom.size"] == "2.5"
    with pytest.raises(MappingError, match=r"no field for \'custom\.size\'"):
        deals.put({"custom.size": "3.5"}, {}, raw)
    live = deals.expanded(SCHEMA)
    assert live.writes == {"name", "custom.size", "custom.due", "custom.blob"}
    assert live.reads == {"name", "custom.size", "custom.due", "custom.sum", "custom.code", "custom.blob"}
    seen, problems = live.get(raw)
    assert problems == []
    assert seen == deals.get(raw)[0]
    assert live.put({"custom.size": "3.5", "custom.due": "2027-01-01"}, seen, raw) == {
        "p": {"cf_size": 3.5, "cf_due": "2027-01-01"}
    }
    assert live.put({"custom.blob": "x"}, {}, None) == {"p": {"name2": "x"}}
    assert live.digest != deals.digest
    assert live.fields["custom.size"].line == 8
