"""When an answer is lost: what was done is found, what was not is never said to be, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aios_connect.errors import ProviderError
from aios_connect.sandbox import FAULTS

from .receipts import assert_made_once, assert_told_truly, current, laid_over
from .suite import CREATES, CREATES_WITHOUT_A_KEY, DELETES, KEYED, REFUSES, UPDATES, WIRE, Suite, needs, plays
from .wire import LOST, Sent
from .world import World, nested

__all__ = ["Losses"]

LOSSES = {fault.name: fault for fault in LOST}


class Losses(Suite):
    """What a connector does when it cannot know."""

    @needs(CREATES, WIRE)
    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_create_whose_answer_was_lost_is_made_once(self, world: World, object: str, loss: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(3, world.spec(object).batch_size))]
        trouble = world.wire.trouble(LOSSES[loss], world.is_write, times=1)
        receipts = connector.write(object, changes)
        assert trouble.met >= 1
        assert_made_once(world, object, changes)
        assert_told_truly(world, object, changes, receipts)
        assert {receipt.outcome for receipt in receipts} <= {"written", "ambiguous"}

    @needs(KEYED, WIRE)
    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_create_whose_answer_was_lost_is_found_by_its_key(self, world: World, object: str, loss: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(3, world.spec(object).batch_size))]
        world.wire.trouble(LOSSES[loss], world.is_write, times=1)
        receipts = connector.write(object, changes)
        assert [receipt.outcome for receipt in receipts] == ["written"] * len(changes)

    @needs(CREATES_WITHOUT_A_KEY, WIRE)
    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_create_without_a_key_whose_answer_was_lost_is_ambiguous(self, world: World, object: str, loss: str) -> None:
        connector = world.provisioned()
        change = world.create(object)
        world.wire.trouble(LOSSES[loss], world.is_write, times=1)
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome == "ambiguous"
        assert_made_once(world, object, [change])

    @needs(CREATES, WIRE)
    @pytest.mark.parametrize("loss", ["timeout_before", "reset_before"])
    def test_a_create_that_never_arrived_is_not_said_to_be_written(self, world: World, object: str, loss: str) -> None:
        connector = world.provisioned()
        before = set(world.truth(object))
        world.wire.trouble(FAULTS[loss], world.is_write)
        change = world.create(object)
        try:
            (receipt,) = connector.write(object, [change])
        except ProviderError:
            pass
        else:
            assert receipt.outcome == "ambiguous"
            assert receipt.reason
        assert set(world.truth(object)) == before
        assert len(world.wire.since(0, lambda sent: world.is_write(sent) and sent.status == 0)) == 1, "it was sent again"

    @needs(UPDATES, WIRE)
    @pytest.mark.parametrize("loss", LOSSES)
    def test_an_update_whose_answer_was_lost_is_looked_up(self, world: World, object: str, loss: str) -> None:
        ids = world.fill(object, min(3, world.spec(object).batch_size))
        connector, path = world.provisioned(), world.samples[object].text
        raws = world.by_id(object, connector.lookup(object, ids))
        changes = [world.update(object, raws[id], nested(path, f"for {id}")) for id in ids]
        world.wire.trouble(LOSSES[loss], world.is_write, times=1)
        receipts = connector.write(object, changes)
        assert_told_truly(world, object, changes, receipts)
        assert {receipt.outcome for receipt in receipts} <= {"written", "ambiguous"}

    @needs(UPDATES, WIRE)
    def test_an_update_that_somebody_wrote_over_before_it_was_looked_up_is_ambiguous(self, world: World, object: str) -> None:
        """It may have arrived, and may not: whoever says that it did not lets the same value overwrite what that person wrote."""
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        change = world.update(object, current(world, connector, object, id), nested(path, "ours"))
        _then(world, lambda: world.change(object, id, nested(path, "by a person")))
        (receipt,) = connector.write(object, [change])
        assert receipt.outcome == "ambiguous"
        assert receipt.reason

    @needs(KEYED, WIRE)
    def test_a_create_that_somebody_changed_before_it_was_looked_up_is_said_to_be_found(self, world: World, object: str) -> None:
        connector, path = world.provisioned(), world.samples[object].text
        before = set(world.truth(object))
        edited: list[str] = []

        def edit() -> None:
            edited.extend(set(world.truth(object)) - before)
            world.change(object, edited[0], nested(path, "by a person"))

        _then(world, edit)
        (receipt,) = connector.write(object, [world.create(object)])
        assert receipt.outcome == "ambiguous" or (receipt.found and receipt.id in edited)

    @needs(UPDATES, WIRE)
    def test_an_update_that_never_arrived_is_not_said_to_be_written(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector, path = world.provisioned(), world.samples[object].text
        change = world.update(object, current(world, connector, object, id), nested(path, "never"))
        world.wire.trouble(FAULTS["timeout_before"], world.is_write)
        try:
            receipts = connector.write(object, [change])
        except ProviderError:
            return
        assert [receipt.outcome for receipt in receipts] == ["ambiguous"]
        assert receipts[0].reason

    @needs(DELETES, WIRE)
    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_delete_whose_answer_was_lost_is_looked_up(self, world: World, object: str, loss: str) -> None:
        gone, kept = world.fill(object, 2)
        connector = world.provisioned()
        change = world.delete(object, current(world, connector, object, gone))
        world.wire.trouble(LOSSES[loss], world.is_write, times=1)
        receipts = connector.write(object, [change])
        assert_told_truly(world, object, [change], receipts)
        assert receipts[0].outcome in ("written", "unchanged", "ambiguous")
        assert kept in world.truth(object)

    @needs(DELETES, WIRE)
    def test_a_delete_that_never_arrived_is_not_said_to_be_done(self, world: World, object: str) -> None:
        (id,) = world.fill(object, 1)
        connector = world.provisioned()
        change = world.delete(object, current(world, connector, object, id))
        world.wire.trouble(FAULTS["timeout_before"], world.is_write)
        try:
            receipts = connector.write(object, [change])
        except ProviderError:
            return
        assert [receipt.outcome for receipt in receipts] == ["ambiguous"]

    @needs(CREATES, WIRE)
    def test_what_cannot_even_be_looked_up_is_ambiguous(self, world: World, object: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(3, world.spec(object).batch_size))]
        start = len(world.wire.log)

        def lost_and_gone(sent: Any) -> bool:
            return any(world.is_write(one) for one in world.wire.log[start:])

        world.wire.trouble(FAULTS["timeout_after"], world.is_write, times=1)
        world.wire.trouble(FAULTS["refused"], lost_and_gone)
        receipts = connector.write(object, changes)
        assert [receipt.outcome for receipt in receipts] == ["ambiguous"] * len(changes)
        assert all(receipt.reason for receipt in receipts)

    @needs(CREATES, WIRE)
    def test_a_provider_that_nobody_reaches_leaves_no_receipt(self, world: World, object: str) -> None:
        connector = world.provisioned()
        before = set(world.truth(object))
        world.wire.trouble(FAULTS["refused"])
        with pytest.raises(ProviderError):
            connector.write(object, [world.create(object)])
        assert set(world.truth(object)) == before

    @needs(CREATES, WIRE, REFUSES)
    def test_an_outage_in_the_middle_of_a_batch_forgets_no_receipt(self, world: World, object: str) -> None:
        """A batch is halved because of one bad record, and the provider goes away after any of the calls."""
        size = min(6, world.spec(object).batch_size)
        for calls in range(1, 6):
            connector = world.provisioned()
            changes = [world.create(object) for _ in range(size)]
            changes[-1].patch.update(laid_over(changes[-1].patch, world.samples[object].bad))
            before = set(world.truth(object))
            world.wire.heal()
            world.wire.trouble(FAULTS["refused"], world.is_write, skip=calls)
            try:
                receipts = connector.write(object, changes)
            except ProviderError:
                assert set(world.truth(object)) == before, "something was written, and nobody said so"
                continue
            assert_told_truly(world, object, changes, receipts)
            made = set(world.truth(object)) - before
            assert made <= {receipt.id for receipt in receipts if receipt.outcome == "written"}

    @needs(plays("half_done"), CREATES)
    def test_a_batch_that_stopped_half_way_is_told_record_by_record(self, world: World, object: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(8, world.spec(object).batch_size))]
        before = set(world.truth(object))
        world.play(FAULTS["half_done"])
        receipts = connector.write(object, changes)
        assert_told_truly(world, object, changes, receipts)
        assert_made_once(world, object, changes)
        assert set(world.truth(object)) - before == {receipt.id for receipt in receipts if receipt.outcome == "written"}

    @needs(plays("all_or_nothing"), CREATES)
    def test_a_batch_that_is_refused_as_a_whole_is_tried_in_parts(self, world: World, object: str) -> None:
        connector = world.provisioned()
        changes = [world.create(object) for _ in range(min(5, world.spec(object).batch_size))]
        world.play(FAULTS["all_or_nothing"])
        receipts = connector.write(object, changes)
        assert {receipt.outcome for receipt in receipts} == {"written"}
        assert_told_truly(world, object, changes, receipts)
        assert_made_once(world, object, changes)


def _then(world: World, do: Callable[[], None]) -> None:
    """The answer to the next write is lost, and somebody does something before anything else is asked."""
    start, done = len(world.wire.log), False

    def act(sent: Sent) -> bool:
        nonlocal done
        if not done and any(world.is_write(one) for one in world.wire.log[start:-1]):
            done = True
            do()
        return False

    world.wire.trouble(FAULTS["timeout_after"], world.is_write, times=1)
    world.wire.trouble(FAULTS["refused"], act)
