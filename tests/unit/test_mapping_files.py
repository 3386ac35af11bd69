"""Mapping files: what is refused when one is loaded, and where; overlays; functions; digests."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from aios_connect.errors import MappingError
from aios_connect.mappings import load, loads, run_examples

FILE = """\
connector: hubspot
object: deals
kind: deal
defaults: {region: US, tz: America/New_York, currency: USD, clear: ""}
fields:
  name: properties.dealname
  stage: {from: properties.dealstage, as: enum, values: {new: s1, won: s2}, otherwise: error}
  amount: {from: [properties.amount, properties.currency], as: money}
  owner: {from: properties.owner, as: reference, to: owners}
  probability: {from: properties.p, as: decimal, quoted: true}
  stage_entered_at: {from: properties.at, as: instant, access: read}
  custom.weighted: {expr: "amount.amount * probability"}
"""


def refusal(old: str, new: str) -> MappingError:
    assert FILE.count(old) == 1
    with pytest.raises(MappingError) as caught:
        loads(FILE.replace(old, new), file="deals.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "points_at", "said", "hint"),
    [
        ("connector:", "conector:", "conector", "there is no 'conector' in this file", "did you mean 'connector'?"),
        ("kind: deal\n", "kind: dael\n", "dael", "kind: it cannot be 'dael'", "did you mean 'deal'?"),
        ("name: properties", "nmae: properties", "nmae", "a deal has no leaf 'nmae'", "did you mean 'name'?"),
        ("as: money", "as: mony", "mony", "fields.amount.as: there is no 'mony'", "did you mean 'money'?"),
        ("otherwise: error", "otherwise: eror", "eror", "fields.stage.otherwise: it cannot be 'eror'", "did you mean 'error'?"),
        (
            "as: money}",
            "as: money, curency: EUR}",
            "curency",
            "there is no 'curency' in fields.amount",
            "did you mean 'currency'?",
        ),
        ("America/New_York", "America/NewYork", "America", "defaults.tz: there is no time zone 'America/NewYork'", ""),
        ("region: US", "regoin: US", "regoin", "there is no 'regoin' in defaults", "did you mean 'region'?"),
        ("to: owners", "too: owners", "too", "there is no 'too' in fields.owner", "did you mean 'to'?"),
        (", to: owners", "", "owner:", "fields.owner needs 'to'", "add to:"),
        ("properties.dealname", "3", "3", "fields.name: 3 is not a block of key: value", ""),
        (
            "properties.dealname",
            "properties..x",
            "properties..x",
            "fields.name: 'properties..x' is not a path",
            "",
        ),
        ("amount.amount *", "amonut.amount *", "amonut", "custom.weighted: there is no 'amonut.amount' here", "did you mean"),
        (
            "as: decimal, quoted: true",
            "as: text",
            "text",
            "probability is of type decimal, which text does not give",
            "write as: decimal",
        ),
        ("as: instant, access: read", "as: phone", "phone", "stage_entered_at is of type instant", "write as: instant"),
        ("won: s2", "won: s1", "s1}", "stage: 'new' and 'won' are both 's1'", "give each word a code of its own"),
        (
            "access: read",
            "format: epoch_s",
            "stage_entered_at",
            "stage_entered_at: writing it loses fractions",
            "write access: read",
        ),
        (
            "properties.owner",
            "properties.p",
            "properties.p",
            "probability writes properties.p, and so does owner",
            "write access",
        ),
        (
            "properties.dealname",
            "{from: properties.n, empty: keep}",
            "keep",
            "name: empty text is kept, and clearing",
            "write clear",
        ),
        ("custom.weighted", "weighted", "weighted", "a deal has no leaf 'weighted'", ""),
        ("custom.weighted", "probability_basis", '"amount', "probability_basis is of type choice, and the expression gives", ""),
        ("as: decimal, quoted", "as: decimal, on_error: keep, quoted", "probability:", "decimal has no form for a value", ""),
        ("name: properties.dealname", "custm: {prefix: cf_}", "custm", "custm: a prefix gives custom fields", "call it custom"),
        ("name: properties.dealname", "source: {const: 3}", "3", "source: 3 is no canonical text", ""),
        (
            "as: reference, to: owners",
            "as: reference, to: person, by: emails.work",
            "person",
            "owner points at a user, not at",
            "",
        ),
        (
            "as: reference, to: owners",
            "as: reference, to: user, by: emails.wrk",
            "emails.wrk",
            "a user has no leaf",
            "did you mean",
        ),
        (
            "from: [properties.amount, properties.currency], as: money",
            "from: a, as: money, currency: ~",
            "amount",
            "an amount needs a currency",
            "",
        ),
    ],
)
def test_a_mistake_is_shown_at_its_place(old: str, new: str, points_at: str, said: str, hint: str) -> None:
    error = refusal(old, new)
    assert said in error.message
    assert hint in error.hint
    assert error.file == "deals.yaml"
    assert error.excerpt == FILE.replace(old, new).splitlines()[error.line - 1]
    assert error.excerpt[error.column - 1 :].startswith(points_at)


def test_the_file_without_mistakes_loads() -> None:
    mapping = loads(FILE)
    assert (mapping.provider, mapping.object, mapping.kind) == ("hubspot", "deals", "deal")
    assert mapping.reads == mapping.fields.keys()
    assert mapping.writes == mapping.fields.keys() - {"stage_entered_at", "custom.weighted"}
    assert mapping.references == {"owner": ("owners", "")}
    assert (mapping.fields["amount"].line, mapping.fields["amount"].column) == (8, 3)


def test_choices_are_held_to_the_models_own_words() -> None:
    text = "connector: x\nobject: y\nkind: deal\nfields:\n  stage_category: {from: s, as: enum, values: {open: O, one: W}}\n"
    with pytest.raises(MappingError, match="'one' is no stage_category") as caught:
        loads(text)
    assert caught.value.excerpt[caught.value.column - 1 :].startswith("W")


def test_several_words_on_one_code_may_be_read() -> None:
    mapping = loads(FILE.replace("won: s2}", "won: s1}, access: read"))
    assert mapping.get({"properties": {"dealstage": "s1"}})[0]["stage"] == "new"


def test_a_lossy_field_is_written_when_the_file_says_so() -> None:
    mapping = loads(FILE.replace("access: read", "format: epoch_s, lossy: allow"))
    patch = mapping.put({"stage_entered_at": "2026-11-21T07:50:35.900000Z"}, {}, None)
    assert patch == {"properties": {"at": 1795247435}}


OVERLAY = """\
connector: hubspot
object: deals
defaults: {currency: EUR}
fields:
  stage: {values: {proposal: s9, won: s8}}
  name: {required: true}
  custom.budget_code: properties.budget_code
  owner: {from: properties.team_owner, as: reference, to: teams}
examples:
  - {name: ours, record: {properties: {dealstage: s9}}, reads: {stage: proposal}}
"""


def test_an_overlay_adds_rows_options_and_fields_and_replaces_what_names_its_own_path() -> None:
    mapping = loads(FILE, overlay=OVERLAY)
    raw = {
        "properties": {
            "dealname": "Roof", "dealstage": "s9", "amount": "5", "currency": "", "budget_code": "B7", "team_owner": "4", "owner": "1",
        }
    }  # fmt: skip
    leaves, problems = mapping.get(raw)
    assert problems == []
    assert leaves == {
        "name": "Roof",
        "stage": "proposal",
        "amount": {"amount": "5", "currency": "EUR"},
        "owner": "teams:4",
        "custom.budget_code": "B7",
    }
    assert mapping.get({"properties": {"dealstage": "s1"}})[0]["stage"] == "new"
    assert mapping.put({"stage": "won"}, {}, None) == {"properties": {"dealstage": "s8"}}
    assert mapping.put({"name": "Attic"}, leaves, raw) == {"properties": {"dealname": "Attic"}}
    assert [result.ok for result in run_examples(mapping)] == [True]


def test_examples_below_an_overlay_say_nothing_about_the_two_together() -> None:
    shipped = FILE + "examples:\n  - {name: a first stage, record: {properties: {dealstage: s1}}, reads: {stage: new}}\n"
    renamed = (
        "connector: hubspot\nobject: deals\nfields:\n  stage: {from: properties.dealstage, as: enum, values: {Enquiry: s1}}\n"
    )
    assert [result.name for result in run_examples(loads(shipped))] == ["a first stage"]
    assert run_examples(loads(shipped, overlay=renamed)) == []
    assert [result.name for result in run_examples(loads(shipped, overlay=OVERLAY))] == ["ours"]


@pytest.mark.parametrize(
    ("old", "new", "file", "line", "said"),
    [
        ("proposal: s9", "proposal: s1", "mine.yaml", 5, "'new' and 'proposal' are both 's1'"),
        ("custom.budget_code", "custom.Budget", "mine.yaml", 7, "is not the name of a custom field"),
        ("{required: true}", "{requierd: true}", "mine.yaml", 6, "there is no 'requierd' in fields.name"),
        ("currency: EUR", "currency: euro", "mine.yaml", 3, "defaults.currency"),
        ("object: deals", "object: contacts", "mine.yaml", 2, "this overlay is for 'contacts', not for 'deals'"),
        ("{name: ours,", "{nme: ours,", "mine.yaml", 10, "there is no 'nme' in examples.0"),
    ],
)
def test_a_mistake_in_an_overlay_is_shown_in_the_overlay(
    tmp_path: Path, old: str, new: str, file: str, line: int, said: str
) -> None:
    shipped, mine = tmp_path / "deals.yaml", tmp_path / "mine.yaml"
    shipped.write_text(FILE)
    mine.write_text(OVERLAY.replace(old, new))
    with pytest.raises(MappingError) as caught:
        load(shipped, overlay=mine)
    assert said in caught.value.message
    assert (Path(caught.value.file).name, caught.value.line) == (file, line)
    assert caught.value.excerpt == mine.read_text().splitlines()[line - 1]


def test_a_mistake_in_the_shipped_file_is_shown_there(tmp_path: Path) -> None:
    shipped, mine = tmp_path / "deals.yaml", tmp_path / "mine.yaml"
    shipped.write_text(FILE.replace("as: money", "as: mony"))
    mine.write_text(OVERLAY)
    with pytest.raises(MappingError) as caught:
        load(shipped, overlay=mine)
    assert (Path(caught.value.file).name, caught.value.line) == ("deals.yaml", 8)


def test_a_digest_changes_with_the_meaning_only() -> None:
    digest = loads(FILE).digest
    assert loads(FILE + "examples:\n  - {name: nothing, record: {}}\n").digest == digest
    assert loads("# a comment\n" + FILE.replace("as: money}", "as: money, description: What it costs}")).digest == digest
    for old, new in (
        ("properties.dealname", "properties.name"),
        ("won: s2", "won: s3"),
        ("region: US, tz", "region: US, missing: null, tz"),
        ("currency: USD", "currency: EUR"),
        ("kind: deal\n", "kind: deal\ncreate: {properties.pipeline: default}\n"),
    ):
        assert loads(FILE.replace(old, new)).digest != digest, new


FUNCTION = "connector: x\nobject: y\nkind: person\nfields:\n  locale: {from: lang, as: function, get: 'acme_words:read', put: 'acme_words:write'}\n"


@pytest.fixture
def acme_words(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("acme_words")

    def read(value: str) -> str:
        return {"English": "en", "French": "fr"}[value]

    def write(value: str) -> str:
        if value not in ("en", "fr"):
            raise ValueError("we speak English and French")
        return {"en": "English", "fr": "French"}[value]

    def count(value: str) -> int:
        if not value.islower():
            raise RuntimeError("no capitals")
        return len(value)

    module.__dict__.update(read=read, write=write, count=count)
    monkeypatch.setitem(sys.modules, "acme_words", module)


@pytest.mark.usefixtures("acme_words")
def test_functions_of_an_allowed_module_translate() -> None:
    mapping = loads(FUNCTION, functions=["acme_words"])
    assert mapping.get({"lang": "French"}) == ({"locale": "fr"}, [])
    assert mapping.get({"lang": None}) == ({"locale": None}, [])
    assert mapping.put({"locale": "en"}, {"locale": "fr"}, {"lang": "French"}) == {"lang": "English"}
    with pytest.raises(MappingError, match="locale: we speak English and French"):
        mapping.put({"locale": "de"}, {}, None)


@pytest.mark.usefixtures("acme_words")
def test_whatever_a_function_does_stops_no_other_record() -> None:
    leaves, (problem,) = loads(FUNCTION, functions=["acme_words"]).get({"lang": "Klingon"})
    assert leaves == {}
    assert problem.reason == "acme_words:read failed with KeyError: 'Klingon'"
    counting = loads(FUNCTION.replace(":read", ":count"), functions=["acme_words"])
    assert counting.get({"lang": "X"})[1][0].reason == "acme_words:count failed with RuntimeError: no capitals"
    leaves, (problem,) = counting.get({"lang": "x"})
    assert leaves == {}
    assert problem.reason == "it gives 1, which is no canonical text"


@pytest.mark.usefixtures("acme_words")
def test_a_function_without_a_way_back_is_read_only() -> None:
    mapping = loads(FUNCTION.replace(", put: 'acme_words:write'", ""), functions=["acme_words"])
    assert mapping.writes == frozenset()


@pytest.mark.usefixtures("acme_words")
@pytest.mark.parametrize(
    ("text", "allowed", "said", "hint"),
    [
        (FUNCTION, [], "the module 'acme_words' is not on the list of allowed modules", "adds it to functions"),
        (FUNCTION.replace("acme_words:read", "os:system"), ["acme_words"], "the module 'os' is not on the list", ""),
        (FUNCTION.replace(":read", ":raed"), ["acme_words"], "'acme_words' has no function 'raed'", "did you mean 'read'?"),
        (FUNCTION.replace("acme_words:read", "no_such_thing:read"), ["no_such_thing"], "cannot be imported", ""),
        (FUNCTION.replace("acme_words:read", "acme_words.read"), ["acme_words"], "is not module:function", ""),
    ],
)
def test_a_function_that_is_not_allowed_or_not_there_is_refused(text: str, allowed: list[str], said: str, hint: str) -> None:
    with pytest.raises(MappingError) as caught:
        loads(text, functions=allowed)
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.line == 5


def test_no_text_of_a_file_becomes_code() -> None:
    evil = "x'] = 1; exit(3) #"
    text = (
        "connector: x\nobject: y\nkind: deal\nfields:\n"
        f'  name: {{from: "a.{evil}", as: text}}\n'
        f'  owner: {{from: "b {evil}", as: reference, to: "$v\'{{}}"}}\n'
        f'  tags: {{from: "c {evil}", as: list, sep: "\']"}}\n'
        f'  source: {{const: "{evil}"}}\n'
        f'  stage: {{from: "d {evil}", as: enum, values: {{"{evil}": "{evil}"}}}}\n'
    )
    mapping = loads(text)
    raw = {"a": {evil: "n"}, f"b {evil}": "7", f"c {evil}": "p']q", f"d {evil}": evil}
    leaves, problems = mapping.get(raw)
    assert problems == []
    assert leaves == {"name": "n", "owner": "$v'{}:7", "tags": ["p", "q"], "source": evil, "stage": evil}
