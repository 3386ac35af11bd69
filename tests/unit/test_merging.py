"""The three-way merge: what two sides say, and who wins."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aios_connect.sync.jobs import Authority
from aios_connect.sync.merging import Merged, Settlement, Side, merge


def side(name: str, seen: dict[str, Any], base: dict[str, Any] | None, writes: tuple[str, ...] = ("x", "y")) -> Side:
    """A side as planning makes it: what differs from the base has changed, what was never agreed is fresh."""
    agreed = base or {}
    changed = frozenset(leaf for leaf, value in seen.items() if (agreed[leaf] != value if leaf in agreed else value is not None))
    return Side(
        name, seen, changed, changed - agreed.keys(), frozenset(), frozenset(), frozenset(writes), source=f"{name} record/1"
    )


def ask(leaf: str) -> Authority:
    return Authority()


def rules(merged: Merged) -> dict[str, str]:
    return {decision.leaf: decision.rule for decision in merged.decisions}


def test_one_side_changed_and_its_value_wins() -> None:
    merged = merge({"x": "a"}, [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "a"}, {"x": "a"})], ask)
    assert merged.leaves == {"x": "b"}
    assert rules(merged) == {"x": "changed in crm"}
    assert not merged.conflicts


def test_edits_of_different_leaves_merge() -> None:
    merged = merge(
        {"x": "a", "y": "a"},
        [side("crm", {"x": "b", "y": "a"}, {"x": "a", "y": "a"}), side("sheet", {"x": "a", "y": "c"}, {"x": "a", "y": "a"})],
        ask,
    )
    assert merged.leaves == {"x": "b", "y": "c"}


def test_the_same_edit_on_both_sides_is_no_conflict() -> None:
    merged = merge({"x": "a"}, [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "b"}, {"x": "a"})], ask)
    assert merged.leaves == {"x": "b"}
    assert not merged.conflicts


def test_different_edits_without_authority_are_a_conflict_with_both_values() -> None:
    merged = merge({"x": "a"}, [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "c"}, {"x": "a"})], ask)
    assert merged.leaves == {"x": "a"}
    assert [dict(conflict.values) for conflict in merged.conflicts] == [{"crm": "b", "sheet": "c"}]


def test_who_said_the_agreed_value_by_itself_is_heard_against_an_edit() -> None:
    merged = merge({"x": "a"}, [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "a"}, None)], ask)
    assert [dict(conflict.values) for conflict in merged.conflicts] == [{"sheet": "a", "crm": "b"}]


def test_declared_authority_wins_an_overlap() -> None:
    sides = [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "c"}, {"x": "a"})]
    merged = merge({"x": "a"}, sides, lambda leaf: Authority(connection="sheet"))
    assert merged.leaves == {"x": "c"}
    assert rules(merged) == {"x": "sheet has authority"}


def test_authority_does_not_stop_the_only_change() -> None:
    sides = [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "a"}, {"x": "a"})]
    assert merge({"x": "a"}, sides, lambda leaf: Authority(connection="sheet")).leaves == {"x": "b"}


def test_only_puts_back_a_change_made_elsewhere() -> None:
    sides = [side("crm", {"x": "a"}, {"x": "a"}), side("sheet", {"x": "b"}, {"x": "a"})]
    merged = merge({"x": "a"}, sides, lambda leaf: Authority(connection="crm", only=True))
    assert merged.leaves == {"x": "a"}
    assert not merged.decisions


def test_a_cleared_field_is_a_change() -> None:
    merged = merge({"x": "a"}, [side("crm", {"x": None}, {"x": "a"}), side("sheet", {"x": "a"}, {"x": "a"})], ask)
    assert merged.leaves == {"x": None}


def test_an_absent_field_says_nothing() -> None:
    merged = merge({"x": "a"}, [side("crm", {}, {"x": "a"}), side("sheet", {"x": "a"}, {"x": "a"})], ask)
    assert merged.leaves == {"x": "a"}


def test_a_new_link_fills_what_is_missing() -> None:
    merged = merge({}, [side("sheet", {"x": "a"}, None), side("crm", {"x": None, "y": "b"}, None)], ask)
    assert merged.leaves == {"x": "a", "y": "b"}


def test_a_new_link_that_differs_from_what_was_agreed_is_asked_about() -> None:
    merged = merge({"x": "a"}, [side("sheet", {"x": "a"}, {"x": "a"}), side("crm", {"x": "b"}, None)], ask)
    assert merged.leaves == {"x": "a"}
    assert [dict(conflict.values) for conflict in merged.conflicts] == [{"sheet": "a", "crm": "b"}]


def test_the_question_stays_open_while_nobody_answers() -> None:
    """The second plan after a new link: the leaf in conflict never got a base, and still nobody changed anything."""
    merged = merge({"x": "a"}, [side("sheet", {"x": "a"}, {"x": "a"}), side("crm", {"x": "b", "y": "c"}, {"y": "c"})], ask)
    assert [dict(conflict.values) for conflict in merged.conflicts] == [{"sheet": "a", "crm": "b"}]


def test_a_settled_conflict_takes_the_decided_value() -> None:
    sides = [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "c"}, {"x": "a"})]
    merged = merge({"x": "a"}, sides, ask, {"x": Settlement("c", {"crm": "b", "sheet": "c"}, "mia")})
    assert merged.leaves == {"x": "c"}
    assert rules(merged) == {"x": "settled by mia"}


def test_a_decision_about_other_values_does_not_count() -> None:
    sides = [side("crm", {"x": "b"}, {"x": "a"}), side("sheet", {"x": "d"}, {"x": "a"})]
    merged = merge({"x": "a"}, sides, ask, {"x": Settlement("c", {"crm": "b", "sheet": "c"}, "mia")})
    assert len(merged.conflicts) == 1


def test_a_leaf_that_nobody_can_write_is_never_asked_about() -> None:
    sides = [side("crm", {"x": "b"}, {"x": "a"}, ()), side("sheet", {"x": "c"}, {"x": "a"}, ())]
    assert not merge({"x": "a"}, sides, ask).conflicts


def test_skipped_leaves_are_left_alone() -> None:
    merged = merge({"x": "a"}, [side("crm", {"x": "b"}, {"x": "a"})], ask, skip=lambda leaf: leaf == "x")
    assert merged.leaves == {"x": "a"}


VALUES = st.sampled_from(["a", "b", "c", None])
LEAVES = st.dictionaries(st.sampled_from(["x", "y"]), VALUES)


@given(LEAVES, LEAVES, LEAVES, LEAVES)
def test_merging_twice_changes_nothing_more(agreed: Any, one: Any, other: Any, base: Any) -> None:
    sides = [side("crm", one, base), side("sheet", other, base)]
    first = merge(agreed, sides, ask)
    open_ = {conflict.leaf for conflict in first.conflicts}
    agreed_sides = [
        side(
            s.connection,
            s.seen,
            {**{k: v for k, v in base.items() if k in open_}, **{k: v for k, v in s.seen.items() if k not in open_}},
        )
        for s in sides
    ]
    assert merge(first.leaves, agreed_sides, ask).leaves == first.leaves


@given(LEAVES, LEAVES, LEAVES)
def test_nobody_loses_an_edit_silently(one: Any, other: Any, base: Any) -> None:
    """A changed value is in the outcome, or in a conflict, or equal to what another side wants."""
    sides = [side("crm", one, base), side("sheet", other, base)]
    merged = merge(base, sides, ask)
    open_ = {conflict.leaf: dict(conflict.values) for conflict in merged.conflicts}
    for each in sides:
        for leaf in each.changed:
            if each.seen[leaf] != base.get(leaf):
                assert merged.leaves.get(leaf) == each.seen[leaf] or open_.get(leaf, {}).get(each.connection) == each.seen[leaf]
