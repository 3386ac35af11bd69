"""What a mapping reads: every transform's values, and the difference between absent, null and a value."""

from __future__ import annotations

from typing import Any

import email_validator
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aios_connect.mappings import CompiledMapping, Problem, contacts, loads
from aios_connect.model import leaf
from aios_connect.model.canonical import JSON, is_canonical

REFUSED = object()


def mapping(kind: str, *entries: str, head: str = "") -> CompiledMapping:
    return loads(
        f"connector: acme\nobject: things\nkind: {kind}\n{head}\nfields:\n" + "".join(f"  {entry}\n" for entry in entries)
    )


def read(kind: str, entry: str, raw: dict[str, Any]) -> object:
    """The one leaf of an entry, or REFUSED if its value is a problem."""
    leaves, problems = mapping(kind, entry).get(raw)
    assert len(leaves) + len(problems) == 1
    return next(iter(leaves.values())) if leaves else REFUSED


def test_absent_null_and_a_value_are_three_things() -> None:
    people = mapping("person", "names.given: a.first", "names.family: a.last", "job_title: title")
    assert people.get({"a": {"first": "Ada", "last": None}}) == ({"names.given": "Ada", "names.family": None}, [])
    assert people.get({"a": {"first": ""}, "title": ""}) == ({"names.given": None, "job_title": None}, [])
    assert people.get({}) == ({}, [])


def test_everything_in_an_object_that_is_null_is_null() -> None:
    assert mapping("person", "names.given: a.b.first", "job_title: a.title").get({"a": None})[0] == {
        "names.given": None,
        "job_title": None,
    }


def test_an_object_that_is_none_is_a_problem_and_its_leaves_are_absent() -> None:
    leaves, problems = mapping("person", "names.given: a.first", "job_title: title").get({"a": "x", "title": "Boss"})
    assert leaves == {"job_title": "Boss"}
    assert problems == [Problem("a", "a", "'x'", "text is not an object")]


def test_where_the_api_leaves_out_what_is_empty_a_missing_path_is_null() -> None:
    people = mapping("person", "names.given: a.first", "job_title: title", head="defaults: {missing: null}")
    assert people.get({}) == ({"names.given": None, "job_title": None}, [])
    assert people.get({"a": {}, "title": "Boss"})[0] == {"names.given": None, "job_title": "Boss"}


def test_leaves_come_in_the_files_order_whatever_the_records() -> None:
    deals = mapping("deal", "stage: c", "name: a", "tags: {from: b, as: list}")
    assert list(deals.get({"a": "1", "b": ["x"], "c": "2"})[0]) == ["stage", "name", "tags"]
    assert list(deals.get({"b": None, "a": "1", "c": None})[0]) == ["stage", "name", "tags"]


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"a": "1", "b": "2"}, {"name": "1"}),
        ({"a": "", "b": "2"}, {"name": "2"}),
        ({"a": None, "b": "2"}, {"name": "2"}),
        ({"b": "2"}, {"name": "2"}),
        ({"a": "1"}, {"name": "1"}),
        ({"a": "", "b": ""}, {"name": None}),
        ({"a": None}, {"name": None}),
        ({"b": ""}, {"name": None}),
        ({}, {}),
    ],
)
def test_of_several_paths_the_first_filled_one_counts(raw: dict[str, Any], wanted: dict[str, JSON]) -> None:
    assert mapping("deal", "name: {from: [a, b]}").get(raw) == (wanted, [])


@pytest.mark.parametrize("text", ["30001", "None", "1e5", "007", " padded ", "null", "true", "2026-11-21"])
def test_text_is_never_anything_but_text(text: str) -> None:
    assert read("deal", "name: x", {"x": text}) == text


@pytest.mark.parametrize(
    ("kind", "entry", "value", "wanted"),
    [
        ("deal", "name: x", 7, REFUSED),
        ("deal", "name: x", ["a"], REFUSED),
        ("deal", "name: {from: x, empty: keep, clear: null}", "", ""),
        ("deal", "stage: {from: x, as: enum, values: {won: [w, W], lost: l}}", "W", "won"),
        ("deal", "stage: {from: x, as: enum, values: {won: 1, lost: true, other: '1'}}", 1, "won"),
        ("deal", "stage: {from: x, as: enum, values: {won: 1, lost: true, other: '1'}}", True, "lost"),
        ("deal", "stage: {from: x, as: enum, values: {won: 1, lost: true, other: '1'}}", "1", "other"),
        ("deal", "stage: {from: x, as: enum, values: {won: w}}", "z", REFUSED),
        ("deal", "stage: {from: x, as: enum, values: {won: w}, otherwise: keep}", "z", "raw:z"),
        ("deal", "stage: {from: x, as: enum, values: {won: w}, otherwise: keep}", 9, REFUSED),
        ("deal", "stage: {from: x, as: enum, values: {won: w}, otherwise: blank}", "z", None),
        ("deal", "stage: {from: x, as: enum, values: {won: w}}", ["w"], REFUSED),
        ("deal", "has_future_meeting: {from: x, as: boolean}", True, True),
        ("deal", "has_future_meeting: {from: x, as: boolean}", 1, REFUSED),
        ("deal", "has_future_meeting: {from: x, as: boolean}", "true", REFUSED),
        ("deal", "has_future_meeting: {from: x, as: boolean, quoted: true}", "False", False),
        ("deal", "has_future_meeting: {from: x, as: boolean, yes: [Y, J], no: N}", "j", True),
        ("deal", "has_future_meeting: {from: x, as: boolean, yes: 1, no: 0}", 0, False),
        ("company", "employees: {from: x, as: integer}", 12, 12),
        ("company", "employees: {from: x, as: integer}", "0012", 12),
        ("company", "employees: {from: x, as: integer}", 12.0, 12),
        ("company", "employees: {from: x, as: integer}", 12.5, REFUSED),
        ("company", "employees: {from: x, as: integer}", True, REFUSED),
        ("company", "employees: {from: x, as: integer}", "twelve", REFUSED),
        ("deal", "probability: {from: x, as: decimal}", 0.1, "0.1"),
        ("deal", "probability: {from: x, as: decimal}", 12500, "12500"),
        ("deal", "probability: {from: x, as: decimal}", "12500.00", "12500"),
        ("deal", "probability: {from: x, as: decimal}", "1e5", "100000"),
        ("deal", "probability: {from: x, as: decimal}", "-0.0", "0"),
        ("deal", "probability: {from: x, as: decimal}", "00.50", "0.5"),
        ("deal", "probability: {from: x, as: decimal}", "1,5", REFUSED),
        ("deal", "probability: {from: x, as: decimal}", False, REFUSED),
        ("deal", "probability: {from: x, as: decimal, point: ',', group: '.'}", "1.234.567,50", "1234567.5"),
        ("deal", "probability: {from: x, as: decimal, point: ','}", "1.5", REFUSED),
        ("deal", "probability: {from: x, as: decimal, group: ','}", "1,50", REFUSED),
        ("deal", "probability: {from: x, as: decimal, percent: true}", 12.5, "0.125"),
        ("deal", "probability: {from: x, as: decimal, percent: true}", "7", "0.07"),
        ("deal", "amount: {from: x, as: money, currency: EUR}", "12,50", REFUSED),
        ("deal", "amount: {from: x, as: money, currency: EUR}", 0, {"amount": "0", "currency": "EUR"}),
        ("deal", "tags: {from: x, as: list}", ["a", "b"], ["a", "b"]),
        ("deal", "tags: {from: x, as: list}", [], None),
        ("deal", "tags: {from: x, as: list}", [1], REFUSED),
        ("deal", "tags: {from: x, as: list}", "a", REFUSED),
        ("deal", "tags: {from: x, as: list, sep: ';'}", "a; b;;c", ["a", "b", "c"]),
        ("deal", "tags: {from: x, as: list, sep: ';'}", " ; ", None),
        ("deal", "owner: {from: x, as: reference, to: users}", "7", "users:7"),
        ("deal", "owner: {from: x, as: reference, to: users, id: integer}", 7, "users:7"),
        ("deal", "owner: {from: x, as: reference, to: users}", True, REFUSED),
        ("deal", "owner: {from: x, as: reference, to: user, by: emails.work}", "a@b.org", "?emails.work=a@b.org"),
        ("deal", "start_date: {from: x, as: date}", "2026-11-21", "2026-11-21"),
        ("deal", "start_date: {from: x, as: date}", "2026-11-31", REFUSED),
        ("deal", "start_date: {from: x, as: date}", "2026-W47-6", REFUSED),
        ("deal", "start_date: {from: x, as: date, format: '%d/%m/%Y'}", "21/11/2026", "2026-11-21"),
        ("deal", "start_date: {from: x, as: date, format: '%d/%m/%Y'}", "11/21/2026", REFUSED),
        ("deal", "start_date: {from: x, as: date, format: epoch_ms}", 1795219200000, "2026-11-21"),
        ("deal", "start_date: {from: x, as: date, format: epoch_ms}", 1795219200001, REFUSED),
        ("deal", "start_date: {from: x, as: date, format: instant, tz: America/New_York}", "2026-11-22T03:00:00Z", "2026-11-21"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50:35Z", "2026-11-21T07:50:35Z"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50:35.120Z", "2026-11-21T07:50:35.120000Z"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50:35.000Z", "2026-11-21T07:50:35Z"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T08:50:35+01:00", "2026-11-21T07:50:35Z"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21 08:50:35.5+0100", "2026-11-21T07:50:35.500000Z"),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50:35", REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-W47-6T07:50:35Z", REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50.35Z", REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-02-30T07:50:35Z", REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21T07:50:3\ud800Z", REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant}", "2026-11-21", REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant, tz: Europe/Paris}", "2026-07-21T09:50:35", "2026-07-21T07:50:35Z"),
        ("deal", "last_inbound_at: {from: x, as: instant, format: epoch_ms, access: read}", "1795247435123", "2026-11-21T07:50:35.123000Z"),
        ("deal", "last_inbound_at: {from: x, as: instant, format: epoch_s, access: read}", 1795247435, "2026-11-21T07:50:35Z"),
        ("deal", "last_inbound_at: {from: x, as: instant, format: epoch_s, access: read}", 1e20, REFUSED),
        ("deal", "last_inbound_at: {from: x, as: instant, format: local, tz: UTC, access: read}", "2026-11-21 07:50", "2026-11-21T07:50:00Z"),
        (
            "deal",
            "last_inbound_at: {from: x, as: instant, format: '%m/%d/%Y %H:%M', tz: America/New_York, access: read}",
            "11/21/2026 02:50",
            "2026-11-21T07:50:00Z",
        ),
        ("person", "phones.mobile: {from: x, as: phone, region: US}", "(212) 555-0123", "+12125550123"),
        ("person", "phones.mobile: {from: x, as: phone}", "+44 (0)20 7946 0958 ext. 12", "+442079460958;ext=12"),
        ("person", "phones.mobile: {from: x, as: phone}", "(212) 555-0123", "raw:(212) 555-0123"),
        ("person", "phones.mobile: {from: x, as: phone, on_error: error}", "ask Joe", REFUSED),
        ("person", "phones.mobile: {from: x, as: phone, on_error: blank}", "ask Joe", None),
        ("person", "phones.mobile: {from: x, as: phone}", 442079460958, REFUSED),
        ("person", "emails.work: {from: x, as: email}", " Ada.King@EXAMPLE.Org ", "Ada.King@example.org"),
        ("person", "emails.work: {from: x, as: email}", "ada at example", "raw:ada at example"),
        ("person", "emails.work: {from: x, as: email, on_error: error}", "a@b@c", REFUSED),
    ],
)  # fmt: skip
def test_values_as_vendors_write_them(kind: str, entry: str, value: Any, wanted: object) -> None:
    found = read(kind, entry, {"x": value})
    assert found == wanted
    assert found.__class__ is wanted.__class__


def test_a_problem_says_where_what_and_why() -> None:
    deals = mapping("deal", "name: a", "stage: {from: p.s, as: enum, values: {won: w}}", "tags: {from: t, as: list}")
    leaves, problems = deals.get({"a": "Roof", "p": {"s": "z" * 100}, "t": 3})
    assert leaves == {"name": "Roof"}
    assert problems == [
        Problem("stage", "p.s", f"'{'z' * 29}... (100 characters)", f"the table has no word for '{'z' * 29}... (100 characters)"),
        Problem("tags", "t", "3", "a number is not a list of texts"),
    ]


def test_money_takes_its_currency_from_the_record_else_from_the_file() -> None:
    deals = mapping("deal", "amount: {from: [a, c], as: money, currency: USD}")
    assert deals.get({"a": "12.50", "c": "eur"})[0] == {"amount": {"amount": "12.5", "currency": "EUR"}}
    assert deals.get({"a": 7, "c": None})[0] == {"amount": {"amount": "7", "currency": "USD"}}
    assert deals.get({"a": "", "c": "EUR"})[0] == {"amount": None}
    assert deals.get({"a": 7}) == ({}, [])
    assert deals.get({"a": 7, "c": "Euro"})[1][0].reason == "'Euro' is not an ISO 4217 currency code"
    without = mapping("deal", "amount: {from: [a, c], as: money}")
    assert without.get({"a": 7, "c": ""})[1][0].reason == "there is an amount but no currency"


def test_one_text_gives_a_given_and_a_family_name() -> None:
    people = mapping("person", "names: {from: x, as: person_name, access: read}")
    assert people.get({"x": "Anna Maria de la Cruz"})[0] == {"names.given": "Anna Maria", "names.family": "de la Cruz"}
    assert people.get({"x": "Lovelace, Ada"})[0] == {"names.given": "Ada", "names.family": "Lovelace"}
    assert people.get({"x": "Cher"})[0] == {"names.given": "Cher", "names.family": None}
    assert people.get({"x": ""})[0] == {"names.given": None, "names.family": None}
    assert people.get({}) == ({}, [])
    assert people.get({"x": 3})[0] == {}


def test_a_required_leaf_that_is_empty_is_a_problem_and_one_that_was_not_fetched_is_none() -> None:
    deals = mapping("deal", "name: {from: x, required: true}")
    assert deals.get({"x": ""}) == ({}, [Problem("name", "x", "", "it is required, and empty")])
    assert deals.get({}) == ({}, [])


def test_a_constant_is_there_in_every_record_and_is_nobodys_to_change() -> None:
    deals = mapping("deal", "source: {const: acme}", "tags: {const: [a]}")
    first, second = deals.get({})[0], deals.get({})[0]
    assert first == {"source": "acme", "tags": ["a"]}
    assert first["tags"] is not second["tags"]


def test_an_expression_is_worked_out_from_what_was_read() -> None:
    deals = mapping(
        "deal",
        "custom.weighted: {expr: 'amount.amount * probability'}",
        "amount: {from: a, as: money, currency: EUR}",
        "probability: {from: p, as: decimal}",
    )
    assert deals.get({"a": 100, "p": 0.25})[0]["custom.weighted"] == "25"
    assert deals.get({"a": 100, "p": None})[0]["custom.weighted"] is None
    assert "custom.weighted" not in deals.get({"a": 100})[0]
    assert deals.writes == {"amount", "probability"}


def test_what_an_expression_cannot_work_out_is_a_problem() -> None:
    deals = mapping("deal", "custom.each: {expr: 'probability / probability'}", "probability: {from: p, as: decimal}")
    leaves, (problem,) = deals.get({"p": 0})
    assert leaves == {"probability": "0"}
    assert (problem.leaf, "divides by zero" in problem.reason) == ("custom.each", True)


def test_custom_fields_are_found_by_the_beginning_of_their_names() -> None:
    deals = mapping("deal", "custom.code: p.code", "custom: {prefix: p.cf_}", "name: p.name")
    raw = {
        "p": {
            "cf_b": 3,
            "cf_a": "x",
            "code": "C",
            "cf_code": "K",
            "cf_f": 0.5,
            "cf_l": ["y"],
            "cf_n": "",
            "cf_o": {"z": 1},
            "cf_Bad": 1,
            "name": "N",
        }
    }
    leaves, problems = deals.get(raw)
    assert problems == []
    assert leaves == {
        "custom.code": "C",
        "name": "N",
        "custom.a": "x",
        "custom.b": "3",
        "custom.f": "0.5",
        "custom.l": ["y"],
        "custom.n": None,
    }
    assert deals.get({"p": None})[0] == {"custom.code": None, "name": None}


ENTRIES = (
    "name: {from: x, empty: keep, clear: null}",
    "name: x",
    "stage: {from: x, as: enum, values: {won: w, lost: 0, open: '0'}}",
    "amount: {from: x, as: money, currency: EUR}",
    "amount: {from: [x, y], as: money}",
    "probability: {from: x, as: decimal}",
    "tags: {from: x, as: list, sep: ','}",
    "owner: {from: x, as: reference, to: users}",
    "company: {from: x, as: reference, to: company, by: name}",
    "last_inbound_at: {from: x, as: instant, tz: Europe/Paris}",
    "custom.number: {from: x, as: integer}",
    "custom.quoted: {from: x, as: integer, quoted: true}",
    "custom.phone: {from: x, as: phone, region: GB, on_error: error}",
    "custom.email: {from: x, as: email, on_error: error}",
)
TRICKY = (
    "w",
    "0",
    "a,b",
    "a, ,b",
    ", ",
    "020 7946 0958",
    "a@B.org",
    "2026-W47-6T07:50:35Z",
    "2026-11-21T07:5035.123Z",
    "٣",
    "1" * 120,
)
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
    | st.lists(st.text(max_size=2), max_size=2) | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
    | st.from_regex(r"-?[0-9]{0,3}(\.[0-9]{0,4})?", fullmatch=True)
    | st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z", fullmatch=True)
)  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES)
@given(value=VALUES, currency=st.none() | st.sampled_from(["EUR", "eur", "", "E"]))
def test_the_compiled_reader_says_what_the_transform_says(entry: str, value: Any, currency: str | None) -> None:
    _agree(entry, value, currency)


@pytest.mark.parametrize("value", TRICKY)
@pytest.mark.parametrize("entry", ENTRIES)
def test_the_compiled_reader_says_what_the_transform_says_of_tricky_values(entry: str, value: str) -> None:
    _agree(entry, value, "EUR")


def _agree(entry: str, value: Any, currency: str | None) -> None:
    deals = mapping("deal", entry)
    (field,) = deals.fields.values()
    transform: Any = field.transform
    leaves, problems = deals.get({"x": value, "y": currency})
    arguments = (value, currency if len(transform.paths) == 2 else None) if transform.as_ == "money" else (value,)
    wanted, reasons = {}, []
    try:
        empty = value is None or value in getattr(transform, "nothing", ("",))
        wanted = {field.name: None if empty else transform.get(*arguments)}
    except ValueError as error:
        reasons = [str(error)]
    assert ([problem.reason for problem in problems], leaves) == (reasons, wanted)
    for name, found in wanted.items():
        assert leaves[name].__class__ is found.__class__
        assert is_canonical(field.type(field.leaves[0]), found, leaf("deal", name).choices)


def test_a_text_is_parsed_once_and_memory_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def parse(text: str) -> str | None:
        asked.append(text)
        return text.upper() or None

    monkeypatch.setattr(contacts, "_MOST", 3)
    remembered = contacts._Remembered(parse)
    assert [remembered[text] for text in ("a", "b", "", "a", "")] == ["A", "B", None, "A", None]
    assert asked == ["a", "b", ""]
    for text in "cdefg":
        assert remembered[text] == text.upper()
        assert len(remembered) <= 3


@given(
    st.text("aZ9_+-.", min_size=1, max_size=9),
    st.text("bX0-.", min_size=1, max_size=9),
    st.sampled_from(("com", "org", "net", "io")),
)
def test_what_is_taken_for_a_usual_address_is_an_address(local: str, host: str, top: str) -> None:
    text = f"{local}@{host}.{top}"
    assume(contacts._USUAL.match(text))
    email_validator.validate_email(text, check_deliverability=False, globally_deliverable=False)
    name, _, domain = text.rpartition("@")
    assert contacts._email(text) == f"{name}@{domain.lower()}"


@pytest.mark.parametrize("text", [f"a@{'b' * 64}.de", "a@bb--c.de", "a..b@c.de", ".a@b.de", "a@b.de\n.", "a@b.local"])
def test_what_is_none_is_none_however_usual_it_looks(text: str) -> None:
    assert contacts._email(text) is None
