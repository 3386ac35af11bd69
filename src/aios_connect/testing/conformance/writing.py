"""Writing: what a receipt says is what is there, each change once, and never over what somebody else wrote."""

from __future__ import annotations

import pytest

from aios_connect.connectors import Change
from aios_connect.errors import ProviderError

from .reading import TEXTS
from .receipts import assert_made_once, assert_told_truly, current, laid_over
from .suite import (
    CREATES,
    CREATES_WITHOUT_A_KEY,
    DELETES,
    KEYED,
    LAGS,
    LINKED,
    READ_ONLY,
    REFUSES,
    UPDATES,
    VERSIONED,
    WIRE,
    Suite,
    each,
    needs,
)
from .world import World, at, leaves, nested

__all__ = ["Writing"]


class Writing(Suite):
    """What a connector writes."""

    @each
    @needs(CREATES)
    def test_a_record_that_is_made_is_there_with_its_values(self, world: World, object: str) -> None:
        connector = world.provisioned()
        before = set(world.truth(object))
        change = world.create(object)
        receipts = connector.write(object, [change])
        assert receipts[0].outcome == "written"
        assert_told_truly(world, object, [change], receipts)
        assert set(world.truth(object)) - before == {receipts[0].id}

    @each
    @needs(UPDATES)
    def test_a_value_that_is_written_is_there_and_nothing_else_changed(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, sample = world.provisioned(), world.samples[object]
        before = world.truth(object)[id]
        patch = nested(sample.text, "written by us")
        change = world.update(object, current(world, connector, object, id), patch)
        receipts = connector.write(object, [change])
        assert receipts[0].outcome == "written"
        after = leaves(world.truth(object)[id])
        spec = world.spec(object)
        moved = {path for path, value in leaves(before).items() if after.get(path) != value}
        assert moved - {spec.version, spec.modified} == {sample.text}
        assert after[sample.text] == "written by us"

    @needs(UPDATES)
    def test_a_value_that_is_cleared_is_empty_and_the_others_stay(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, sample = world.provisioned(), world.samples[object]
        before = leaves(world.truth(object)[id])
        change = world.update(object, current(world, connector, object, id), nested(sample.text, sample.clear))
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome == "written"
        after = leaves(world.truth(object)[id])
        assert after.get(sample.text) == sample.empty
        spec = world.spec(object)
        assert {path for path in before if after.get(path) != before[path]} <= {sample.text, spec.version, spec.modified}
        assert at(current(world, connector, object, id), sample.text) == sample.empty

    @needs(UPDATES)
    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_a_text_is_written_letter_by_letter(self, world: World, object: str, text: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        change = world.update(object, current(world, connector, object, id), nested(path, text))
        connector.write(object, [change])
        assert world.there(object, path)[id] == text

    @needs(UPDATES)
    def test_a_value_that_is_there_already_is_no_conflict(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        raw = current(world, connector, object, id)
        (receipt,) = connector.write(object, [world.update(object, raw, nested(path, at(raw, path)))])
        assert receipt.outcome in ("written", "unchanged")

    @needs(DELETES)
    def test_a_record_that_is_deleted_is_gone_and_its_neighbour_is_not(self, world: World, object: str) -> None:
        gone, kept = world.fill(object, 2)
        connector = world.provisioned()
        change = world.delete(object, current(world, connector, object, gone))
        receipts = connector.write(object, [change])
        assert receipts[0].outcome == "written"
        assert_told_truly(world, object, [change], receipts)
        assert kept in world.truth(object)
        assert connector.lookup(object, [gone]) == []

    @needs(DELETES)
    def test_deleting_what_is_gone_is_no_error(self, world: World, object: str) -> None:
        gone, _ = world.fill(object, 2)
        connector = world.provisioned()
        change = world.delete(object, current(world, connector, object, gone))
        world.remove(object, gone)
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome in ("written", "unchanged")

    @needs(UPDATES)
    def test_what_somebody_else_changed_is_not_written_over(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        change = world.update(object, current(world, connector, object, id), nested(path, "ours"))
        world.wait(60)
        world.change(object, id, nested(path, "theirs"))
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome == "conflict"
        assert world.there(object, path)[id] == "theirs"
        assert receipt.current is None or at(receipt.current, path) == "theirs"

    @needs(UPDATES)
    def test_one_conflict_in_a_batch_is_that_ones_alone(self, world: World, object: str) -> None:
        ids = world.fill(object, min(5, world.spec(object).batch_size))
        connector, path = world.provisioned(), world.samples[object].text
        raws = world.by_id(object, connector.lookup(object, ids))
        changes = [world.update(object, raws[id], nested(path, f"ours {id}")) for id in ids]
        world.wait(60)
        world.change(object, ids[-1], nested(path, "theirs"))
        receipts = connector.write(object, changes)
        assert [receipt.outcome for receipt in receipts] == ["written"] * (len(ids) - 1) + ["conflict"]
        assert_told_truly(world, object, changes, receipts)
        assert world.there(object, path)[ids[-1]] == "theirs"

    @needs(DELETES)
    def test_what_somebody_else_changed_is_not_deleted(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        change = world.delete(object, current(world, connector, object, id))
        world.wait(60)
        world.change(object, id, nested(path, "theirs"))
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome == "conflict"
        assert id in world.truth(object)

    @needs(UPDATES)
    def test_what_was_deleted_meanwhile_is_a_conflict_and_is_not_made_anew(self, world: World, object: str) -> None:
        gone, _ = world.fill(object, 2)
        connector, path = world.provisioned(), world.samples[object].text
        change = world.update(object, current(world, connector, object, gone), nested(path, "too late"))
        world.remove(object, gone)
        before = sorted(world.truth(object))
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome in ("conflict", "rejected")
        assert receipt.reason
        assert sorted(world.truth(object)) == before

    @needs(CREATES)
    def test_receipts_of_a_whole_batch_come_in_the_order_of_its_changes(self, world: World, object: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(200, world.spec(object).batch_size))]
        receipts = connector.write(object, changes)
        assert {receipt.outcome for receipt in receipts} == {"written"}
        assert_told_truly(world, object, changes, receipts)
        assert len({receipt.id for receipt in receipts}) == len(changes)

    @needs(UPDATES)
    def test_updates_of_a_whole_batch_reach_their_own_records(self, world: World, object: str) -> None:
        ids = world.fill(object, min(200, world.spec(object).batch_size))
        connector, path = world.provisioned(), world.samples[object].text
        raws = world.by_id(object, connector.lookup(object, ids))
        changes = [world.update(object, raws[id], nested(path, f"for {id}")) for id in ids]
        receipts = connector.write(object, changes)
        assert [receipt.id for receipt in receipts] == ids
        assert_told_truly(world, object, changes, receipts)
        assert {id: text for id, text in world.there(object, path).items() if id in ids} == {id: f"for {id}" for id in ids}

    @needs(CREATES, REFUSES)
    def test_one_refused_record_does_not_take_its_neighbours_with_it(self, world: World, object: str) -> None:
        connector, sample = world.provisioned(), world.samples[object]
        size = min(9, world.spec(object).batch_size)
        for place in {0, size // 2, size - 1}:
            changes = [world.create(object) for _ in range(size)]
            changes[place].patch.update(laid_over(changes[place].patch, sample.bad))
            receipts = connector.write(object, changes)
            assert [receipt.outcome for receipt in receipts] == ["rejected" if n == place else "written" for n in range(size)]
            assert receipts[place].reason
            assert_told_truly(world, object, changes, receipts)
            assert_made_once(world, object, changes)

    @needs(UPDATES, REFUSES)
    def test_a_refused_value_is_refused_and_never_replaced_by_another(self, world: World, object: str) -> None:
        ids = world.fill(object, min(3, world.spec(object).batch_size))
        connector, sample = world.provisioned(), world.samples[object]
        before = world.truth(object)
        raws = world.by_id(object, connector.lookup(object, ids))
        good = nested(sample.text, "good")
        changes = [world.update(object, raws[id], sample.bad if id == ids[0] else good) for id in ids]
        receipts = connector.write(object, changes)
        assert [receipt.outcome for receipt in receipts] == ["rejected"] + ["written"] * (len(ids) - 1)
        assert leaves(world.truth(object)[ids[0]]) == leaves(before[ids[0]])

    @needs(LINKED, CREATES)
    def test_what_a_record_points_at_is_written_with_it(self, world: World, object: str) -> None:
        path, to = _link(world, object)
        (target,) = world.fill(to, 1)
        connector = world.provisioned()
        change = world.create(object)
        change.patch.update(laid_over(change.patch, nested(path, target)))
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome == "written"
        assert str(world.there(object, path)[str(receipt.id)]) == target
        assert str(at(current(world, connector, object, str(receipt.id)), path)) == target

    @needs(LINKED, UPDATES)
    def test_what_a_record_points_at_is_changed_and_cleared(self, world: World, object: str) -> None:
        path, to = _link(world, object)
        one, other = world.fill(to, 2)
        (id,) = world.fill(object, 1)
        connector = world.provisioned()
        for target in (one, other, None):
            raw = current(world, connector, object, id)
            (receipt,) = connector.write(object, [world.update(object, raw, nested(path, target))])
            assert receipt.outcome == "written"
            there = world.there(object, path)[id]
            assert (there if there is None else str(there)) == target

    @needs(UPDATES)
    def test_what_we_wrote_comes_back_as_what_the_receipt_says(self, world: World, object: str) -> None:
        """Else our own write would look like somebody's change."""
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        made = world.create(object)
        receipts = connector.write(object, [made])
        change = world.update(object, current(world, connector, object, id), nested(path, "ours"))
        receipts += connector.write(object, [change])
        for receipt in receipts:
            raw = current(world, connector, object, str(receipt.id))
            version = world.spec(object).version
            assert receipt.version is None or receipt.version == str(at(raw, version))
            assert receipt.record is None or receipt.record == raw

    @needs(VERSIONED, UPDATES)
    def test_a_change_can_follow_on_the_version_that_a_receipt_gave(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        (first,) = connector.write(object, [world.update(object, current(world, connector, object, id), nested(path, "one"))])
        if first.version is None:
            return
        line, patch, seen = world.line(), nested(path, "two"), nested(path, "one")
        (second,) = connector.write(object, [Change("update", line, id, patch, seen, first.version)])
        assert second.outcome == "written"

    @needs(UPDATES)
    def test_every_change_has_its_way_back(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        before = leaves(world.truth(object)[id])
        raw = current(world, connector, object, id)
        connector.write(object, [world.update(object, raw, nested(path, "for a while"))])
        now = current(world, connector, object, id)
        (receipt,) = connector.write(object, [world.update(object, now, nested(path, at(raw, path)))])
        assert receipt.outcome == "written"
        after, spec = leaves(world.truth(object)[id]), world.spec(object)
        assert {name for name in before if after.get(name) != before[name]} <= {spec.version, spec.modified}

    @needs(KEYED)
    def test_our_key_is_kept_where_the_spec_says_and_finds_its_record_at_once(self, world: World, object: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(2, world.spec(object).batch_size))]
        receipts = connector.write(object, changes)
        found = connector.find(object, [*(str(change.key) for change in changes), "a key that nobody has"])
        assert {key: world.id(object, raw) for key, raw in found.items()} == {
            change.key: receipt.id for change, receipt in zip(changes, receipts, strict=True)
        }
        for key, raw in found.items():
            assert at(raw, world.spec(object).key) == key

    @needs(KEYED, LAGS)
    def test_a_record_is_found_by_its_key_while_the_index_lags(self, world: World, object: str) -> None:
        connector = world.provisioned()
        world.slow_index(world.lag)
        change = world.create(object)
        connector.write(object, [change])
        assert list(connector.find(object, [str(change.key)])) == [change.key]

    @needs(CREATES_WITHOUT_A_KEY)
    def test_where_our_key_has_no_place_nothing_is_found_by_it(self, world: World, object: str) -> None:
        with pytest.raises(NotImplementedError):
            world.provisioned().find(object, ["a key"])

    @needs(READ_ONLY)
    def test_what_is_not_claimed_is_not_written(self, world: World, object: str) -> None:
        connector, sample = world.provisioned(), world.samples[object]
        (id,) = world.fill(object, 1)
        world.wait(5)
        before = world.truth(object)
        raw = current(world, connector, object, id)
        changes = {
            "create": Change("create", "plan.1", patch=world.fresh(object)),
            "update": world.update(object, raw, nested(sample.text, "ours")),
            "delete": world.delete(object, raw),
        }
        for verb in set(changes) - world.spec(object).verbs:
            try:
                (receipt,) = connector.write(object, [changes[verb]])
            except (NotImplementedError, ProviderError):
                continue
            assert receipt.outcome == "rejected"
        assert world.truth(object) == before

    @needs(CREATES)
    def test_no_changes_are_no_receipts(self, world: World, object: str) -> None:
        assert world.provisioned().write(object, []) == []

    @needs(CREATES, WIRE)
    def test_a_batch_costs_one_call_that_writes(self, world: World, object: str) -> None:
        connector = world.provisioned()
        connector.write(object, [world.create(object)])  # what is asked once is known now
        changes = [world.create(object) for _ in range(world.spec(object).batch_size)]
        start = len(world.wire.log)
        connector.write(object, changes)
        assert len(world.wire.since(start, world.is_write)) == 1
        assert len(world.wire.log) - start <= 3

    @needs(CREATES, WIRE)
    def test_a_request_that_writes_names_its_plan_lines(self, world: World, object: str) -> None:
        connector = world.provisioned()
        start = len(world.wire.log)
        change = world.create(object)
        connector.write(object, [change])
        for sent in world.wire.since(start, world.is_write):
            assert sent.headers.get("aios-plan-line") == change.line

    @needs(CREATES)
    def test_making_our_places_twice_makes_them_once(self, world: World, object: str) -> None:
        world.fill(object, 2)
        connector = world.open()
        connector.provision()
        assert connector.provision() == []


def _link(world: World, object: str) -> tuple[str, str]:
    link = world.samples[object].link
    assert link is not None
    return link
