"""YAML with positions: what is data, what is refused, and where mistakes are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from aios_connect.errors import ConfigError, MappingError
from aios_connect.mappings.documents import did_you_mean, parse_document, read_document


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(_Closed):
    as_: Literal["cat"] = Field("cat", alias="as")
    lives: int = 9


class Dog(_Closed):
    as_: Literal["dog"] = Field("dog", alias="as")
    owner: str


class Pets(_Closed):
    house: str
    pets: dict[str, Annotated[Cat | Dog, Field(discriminator="as_")]] = {}
    names: tuple[str, ...] = ()
    more: Cat | None = None


def mistake(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read_document(text, Pets, file="pets.yaml")
    return caught.value


def test_words_numbers_and_times_are_what_yaml_1_2_says() -> None:
    data = parse_document("a: no\nb: 12:30\nc: 012\nd: 2026-01-02\ne: 0x10\nf: 1e3\ng: ~\nh: true\n'i': \"1\"\non: off\n").data
    assert data == {
        "a": "no",
        "b": "12:30",
        "c": 12,
        "d": "2026-01-02",
        "e": 16,
        "f": 1000.0,
        "g": None,
        "h": True,
        "i": "1",
        "on": "off",
    }


def test_keys_are_always_text() -> None:
    assert parse_document("1: a\ntrue: b\nnull: c\n").data == {"1": "a", "true": "b", "null": "c"}


def test_an_empty_file_is_an_empty_document() -> None:
    assert parse_document("# nothing\n").data == {}
    assert mistake("").message == "the file needs 'house'"


def test_every_piece_knows_where_it_stands() -> None:
    document = parse_document("a:\n  - x\n  - {b: y}\n", file="f")
    place = document.place(("a", 1, "b"))
    assert (place.file, place.line, place.column, place.excerpt) == ("f", 3, 9, "  - {b: y}")
    assert document.place(("a", 1, "b"), key=True).column == 6
    assert document.place(("a", 1, "b", "unknown")).column == 9


@pytest.mark.parametrize(
    ("text", "line", "column", "said", "hint"),
    [
        ("house: h\nhose: x\n", 2, 1, "there is no 'hose' in this file", "did you mean 'house'?"),
        ("hose: h\n", 1, 1, "there is no 'hose' in this file", "did you mean 'house'?"),
        ("pets: {}\n", 1, 1, "the file needs 'house'", "add house:"),
        ("house: 3\n", 1, 8, "house: 3 must be text", "put it in quotes"),
        ("house: [x]\n", 1, 8, "house: ['x'] is not text", ""),
        ("house: h\npets: {tom: {as: cta}}\n", 2, 18, "pets.tom.as: there is no 'cta'", "did you mean 'cat'?"),
        ("house: h\npets: {tom: {as: cat, live: 3}}\n", 2, 23, "there is no 'live' in pets.tom", "did you mean 'lives'?"),
        ("house: h\npets: {tom: {as: cat, lives: x}}\n", 2, 30, "pets.tom.lives: 'x' is not a whole number", ""),
        ("house: h\npets:\n  rex: {as: dog}\n", 3, 3, "pets.rex needs 'owner'", "add owner:"),
        ("house: h\npets:\n  rex: dog\n", 3, 8, "pets.rex: 'dog' is not a block of key: value", ""),
        ("house: h\nnames: [a, 3]\n", 2, 12, "names.1: 3 must be text", "put it in quotes"),
        ("house: h\nmore: {livs: 3}\n", 2, 8, "there is no 'livs' in more", "did you mean 'lives'?"),
    ],
)
def test_a_mistake_is_one_sentence_at_its_place(text: str, line: int, column: int, said: str, hint: str) -> None:
    error = mistake(text)
    assert (error.line, error.column, error.message, error.hint) == (line, column, said, hint)
    assert str(error).splitlines()[1:] == [f"    {text.splitlines()[line - 1]}", f"    {' ' * (column - 1)}^"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands here twice (first in line 1)"),
        ("a: &x {b: 1}\nc: *x\n", 2, "aliases (*name) are not allowed"),
        ("a: !!python/object:os.system 1\n", 1, "the tag 'tag:yaml.org,2002:python/object:os.system' is not allowed"),
        ("a: !secret x\n", 1, "the tag '!secret' is not allowed"),
        ("? [a, b]\n: 1\n", 1, "a key must be text"),
        ("a: .inf\n", 1, "'.inf' is no number that JSON knows"),
        ("a: !!int x\n", 1, "'x' is no int"),
        ("a: [1\nb: 2\n", 2, "this is not YAML: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", 2, "this is not YAML: but found another document"),
    ],
)
def test_what_is_not_plain_data_is_refused_at_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(text)
    assert (caught.value.line, caught.value.message) == (line, said)
    assert caught.value.hint


def test_many_aliases_are_refused_before_they_cost_anything() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="aliases"):
        parse_document("\n".join(lines))


def test_depth_and_size_have_bounds() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse_document("[" * 200 + "]" * 200)
    with pytest.raises(ConfigError, match="more than"):
        parse_document("#" * 2_000_001)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_document(tmp_path / "missing.yaml", Pets)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("house: Søren\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8 text") as caught:
        read_document(latin, Pets)
    assert caught.value.file == str(latin)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "pets.yaml"
    file.write_bytes(b"\xef\xbb\xbfhouse: h\r\nhose: x\r\n")
    with pytest.raises(ConfigError) as caught:
        read_document(file, Pets)
    assert (caught.value.line, caught.value.column, caught.value.excerpt) == (2, 1, "hose: x")


def test_the_caller_says_which_error_it_is() -> None:
    with pytest.raises(MappingError):
        read_document("", Pets, kind=MappingError)


def test_a_hint_names_the_nearest_word_or_the_few_there_are() -> None:
    assert did_you_mean("amuont", ["amount", "stage"]) == "did you mean 'amount'?"
    assert did_you_mean("IBAN", ["iban", "bank account"]) == "did you mean 'iban'?"
    assert did_you_mean("xyz", ["amount", "stage"]) == "use one of amount, stage"
    assert did_you_mean("xyz", []) == ""
