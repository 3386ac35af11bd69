"""Expressions: what ops people write is checked when it is loaded and bounded when it runs."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.errors import ConfigError
from aios_connect.expressions import compile
from aios_connect.model.canonical import JSON, LeafType

VARIABLES: Final[dict[str, LeafType]] = {
    "deal.name": "text",
    "deal.amount": "money",
    "deal.probability": "decimal",
    "deal.stage_category": "choice",
    "deal.expected_close": "date",
    "deal.last_inbound_at": "instant",
    "deal.has_future_meeting": "boolean",
    "deal.tags": "list",
    "company.employees": "integer",
    "custom.code": "any",
}
VALUES: Final[dict[str, JSON]] = {
    "deal.name": "New roof",
    "deal.amount": {"amount": "12.5", "currency": "EUR"},
    "deal.probability": "0.1",
    "deal.stage_category": "won",
    "deal.expected_close": "2026-12-01",
    "deal.last_inbound_at": "2026-11-21T07:50:35.5Z".replace(".5Z", ".500000Z"),
    "deal.has_future_meeting": True,
    "deal.tags": ["vip", "north"],
    "company.employees": 7,
    "custom.code": "7",
}

RESULTS: Final[list[tuple[str, JSON]]] = [
    ("deal.amount.amount * deal.probability", "1.25"),
    ("deal.amount.amount * 2.0", "25"),
    ("deal.probability * 3.0", "0.3"),
    ("deal.probability * double(company.employees)", "0.7"),
    ("company.employees / 2", 3),
    ("deal.amount.currency + ' ' + deal.name", "EUR New roof"),
    ("deal.amount.amount > 12", True),
    ("deal.amount.amount in [1, 12.5]", True),
    ("deal.probability < company.employees", True),
    ("deal.expected_close < '2027'", True),
    ("deal.expected_close", "2026-12-01"),
    ("deal.last_inbound_at", "2026-11-21T07:50:35.500000Z"),
    ("deal.last_inbound_at + duration('30s')", "2026-11-21T07:51:05.500000Z"),
    ("deal.last_inbound_at > timestamp('2026-11-21T09:50:35+02:00')", True),
    ("deal.last_inbound_at.getHours('Europe/Paris')", 8),
    ("deal.stage_category == 'won' && deal.has_future_meeting", True),
    ("deal.tags.exists(tag, tag == 'vip')", True),
    ("deal.tags.map(tag, tag + '!')", ["vip!", "north!"]),
    ("custom.code == '7' ? deal.name : null", "New roof"),
    ("deal . name // has(x)", "New roof"),
    ("'has(deal.name)'", "has(deal.name)"),
]


@pytest.mark.parametrize(("text", "result"), RESULTS)
def test_an_expression_gives_a_canonical_value(text: str, result: JSON) -> None:
    assert compile(text, VARIABLES)(VALUES) == result


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("deal.amount.amount * deal.probability", "decimal"),
        ("deal.amount.amount > 3", "boolean"),
        ("deal.name", "text"),
        ("company.employees", "integer"),
        ("deal.last_inbound_at", "instant"),
        ("deal.tags", "list"),
        ("custom.code", "any"),
    ],
)
def test_the_type_of_the_result_is_known_when_it_is_loaded(text: str, type: LeafType) -> None:
    assert compile(text, VARIABLES).type == type


def test_the_leaves_it_needs_are_known() -> None:
    assert compile("deal.amount.amount > 3 && deal.name.startsWith('deal.tags')", VARIABLES).leaves == {
        "deal.amount",
        "deal.name",
    }


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("deal.nmae == 'x'", 1, 1, "there is no 'deal.nmae' here", "did you mean 'deal.name'?"),
        ("1 == 1 &&\n  deal.nmae == 'x'", 2, 3, "there is no 'deal.nmae' here", "did you mean 'deal.name'?"),
        ("deal.name.startWith('x')", 1, 11, "there is no function 'startWith'", "did you mean 'startsWith'?"),
        ("deal.amount > 3", 1, 1, "'deal.amount' is money", "name its part: deal.amount.amount or deal.amount.currency"),
        ("deal.name + 1", 1, 11, "'+' does not take (text, integer)", "change one side so that both have the same type"),
        (
            "deal.has_future_meeting != 1",
            1,
            25,
            "'!=' does not take (boolean, integer)",
            "change one side so that both have the same type",
        ),
        (
            "deal.probability > 0 && deal.probability * 2 > 1",
            1,
            42,
            "'*' does not take (decimal, integer)",
            "beside a decimal write 2.0 rather than 2, and double(x) for a whole number x",
        ),
        ("deal.tags == null", 1, 11, "'==' does not take (list(text), null)", "a list is never null here: write size(x) == 0"),
        ("true ||\n has(deal.name)", 2, 2, "has() is not for flat names", "write x != null"),
        ("true || has // c\n (deal.name)", 1, 9, "has() is not for flat names", "write x != null"),
        ("deal.name.__class__", 1, 10, "a value of type text has no parts", "stop before the last point"),
        ("1 +", 1, 4, "Syntax error: mismatched input '<EOF>'", ""),
        ("", 1, 1, "Syntax error: mismatched input '<EOF>'", ""),
        ("deal.last_inbound_at - deal.last_inbound_at", 1, 1, "gives a duration, which no field can hold", ""),
        ("b'x'", 1, 1, "gives a bytes, which no field can hold", ""),
        ("{'a': 1}", 1, 1, "which no field can hold", ""),
        ("'\ud800'", 1, 1, "holds a character that is no text", ""),
    ],
)
def test_a_mistake_is_found_when_it_is_loaded(text: str, line: int, column: int, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile(text, VARIABLES)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.hint.startswith(hint)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("deal.name == null", True),
        ("deal.name != null && deal.name.startsWith('x')", False),
        ("deal.amount.amount * deal.probability", None),
        ("deal.amount.amount > 3", None),
        ("deal.amount.amount > 3 || true", True),
        ("deal.last_inbound_at == null", True),
        ("deal.last_inbound_at.getFullYear()", None),
        ("size(deal.tags)", 0),
        ("deal.name", None),
    ],
)
@pytest.mark.parametrize("values", [{}, dict.fromkeys(VALUES)], ids=["absent", "null"])
def test_what_fails_only_because_of_a_null_is_null(text: str, result: JSON, values: dict[str, JSON]) -> None:
    assert compile(text, VARIABLES)(values) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "divide by zero"),
        ("deal.probability / 0.0", "divides by zero or overflows"),
        ("deal.tags[5]", "index=5"),
        ("company.employees + 9223372036854775807", "overflow"),
        ("custom.code > 1", r"'>' does not take \(text, integer\)"),
        ("custom.code ? 1 : 2", "a condition is not a boolean"),
        ("{'a': 1}['null'] == 1", "Key not found"),
        ("duration('3d') > duration('1h')", "Duration conversion failed"),
    ],
)
def test_an_expression_that_fails_says_so(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        compile(text, VARIABLES)(VALUES)
    assert caught.value.hint


def test_a_failure_beside_a_null_is_still_a_failure() -> None:
    with pytest.raises(ConfigError, match="divide by zero"):
        compile("deal.name == null ? 1 / 0 : 2", VARIABLES)({})


@pytest.mark.parametrize("number", ["1234567890123456", "0.1234567890123456"])
def test_a_decimal_too_long_to_compute_with_is_refused_not_rounded(number: str) -> None:
    with pytest.raises(ConfigError, match="more than 15 significant digits"):
        compile("deal.probability", VARIABLES)({"deal.probability": number})


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 6))
def test_a_decimal_goes_through_unchanged(digits: int, scale: int) -> None:
    text = f"{digits / 10**scale:.{scale}f}".rstrip("0").rstrip(".") if scale else str(digits)
    value = "0" if text in ("-0", "") else text
    assert compile("deal.probability", VARIABLES)({"deal.probability": value}) == value


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
def test_text_the_library_would_cut_is_refused(value: str) -> None:
    for name in ("deal.name", "custom.code"):
        with pytest.raises(ConfigError, match="a character that is no text"):
            compile(name, VARIABLES)({name: value})
    with pytest.raises(ConfigError, match="a character that is no text"):
        compile("deal.tags", VARIABLES)({"deal.tags": [value]})


def test_an_expression_is_shared_between_threads() -> None:
    expression = compile("deal.amount.amount * deal.probability", VARIABLES)
    inputs = [{"deal.amount": {"amount": str(n), "currency": "EUR"}, "deal.probability": "0.5"} for n in range(0, 2000, 2)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(expression, inputs)) == [str(n // 2) for n in range(0, 2000, 2)]


def balanced(depth: int) -> str:
    return "a" if depth == 0 else f"({balanced(depth - 1)}+{balanced(depth - 1)})"


HOSTILE: Final[dict[str, str]] = {
    "10^8 rounds": f"{[1] * 100}.all(a, {[1] * 100}.all(b, {[1] * 100}.all(c, {[1] * 100}.all(d, true))))",
    "long chain": "1 == 1" + " && 1 == 1" * 100_000,
    "deep nesting": "(" * 900 + "1" + ")" * 900,
    "regex backtracking": f"('{'a' * 500}b').matches('(a+)+$')",
    "regex size": "'a'.matches('((a{100}){100}){100}')",
    "doubling": "['x']" + ".map(a, a + a)" * 28 + "[0]",
    "growth by a few macros": "['x']" + f".map(a, {balanced(6)})" * 5 + "[0]",
    "growth of lists": "['x']" + ".map(a, [a, a, a, a, a, a, a, a, a, a])" * 12,
    "growth hidden by a comment": "['x']" + f".map // \n(a, {balanced(6)})" * 5 + "[0]",
    "python attributes": "'x'.__class__.__mro__",
    "unclosed text": "'''" + "\\" * 1900,
}
PROGRAM: Final = """
import resource, sys
from aios_connect.errors import ConfigError
from aios_connect.expressions import compile
text = sys.stdin.read()
compile("1 + 1", {})({})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
try:
    result = compile(text, {})({})
except ConfigError as error:
    print("refused:", error.message[:80])
else:
    assert isinstance(result, bool), str(result)[:80]
    print("result:", result)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 100_000, f"{grown} kB"
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_expression_is_refused_or_bounded(name: str) -> None:
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, input=HOSTILE[name], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.startswith(("refused:", "result: "))


def test_an_expression_that_could_explode_is_refused_when_it_is_loaded() -> None:
    with pytest.raises(ConfigError, match="could grow to more than 10000 times"):
        compile(HOSTILE["growth by a few macros"], {})


def test_hostile_values_cannot_grow_without_bounds() -> None:
    expression = compile("deal.tags.map(a, a + a + a + a).map(a, a + a + a + a).map(a, a + a + a + a)", VARIABLES)
    assert expression({"deal.tags": ["x"]}) == ["x" * 64]
    with pytest.raises(ConfigError, match="could grow beyond"):
        expression({"deal.tags": ["x" * 1_000_000]})


def test_without_the_package_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    with pytest.raises(ConfigError, match="cel-expr-python") as caught:
        compile("1 + 1", {})
    assert caught.value.hint == "install aios-connect[engine]"
