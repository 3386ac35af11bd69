"""State: a cursor is good behind its page and nowhere else, and nothing that changed slips past it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from aios_connect.connectors import Cursor, Raw
from aios_connect.errors import CursorGoneError, ProviderError
from aios_connect.sandbox import FAULTS

from .reading import assert_all_there, assert_true_to
from .suite import INCREMENTAL, LAGS, MERGES, NOT_INCREMENTAL, TOMBSTONES, UNANNOUNCED, WIRE, Suite, each, needs, plays
from .wire import BODIES
from .world import World, at, nested, stored

__all__ = ["State"]


class State(Suite):
    """What a connector remembers."""

    @each
    def test_a_cursor_comes_back_from_a_database_as_it_was(self, world: World, object: str) -> None:
        world.fill(object, world.size(object) + 1)
        told = world.read(world.open(), object)
        for page in told.pages:
            assert stored(page.cursor) == dict(page.cursor)
            assert len(json.dumps(page.cursor)) < 4000

    def test_a_read_that_stopped_behind_any_page_goes_on_without_loss(self, world: World, object: str) -> None:
        world.fill(object, 3 * world.size(object) + 1)
        world.wait()
        pages = world.read(world.open(), object).pages
        for stop in range(1, len(pages)):
            rest = world.read(world.open(), object, stored(pages[stop - 1].cursor))
            before = [raw for page in pages[:stop] for raw in page.records]
            assert_all_there(world, object, [*before, *rest.records])
            assert len(rest.pages) <= len(pages) - stop + 1, "more than one page was read again"

    @needs(WIRE)
    def test_a_read_that_failed_at_any_request_loses_nothing(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        world.read(world.open(), object)
        count = len(world.wire.log)
        for number in range(count):
            world.wire.heal()
            world.wire.trouble(FAULTS["refused"], skip=number)
            seen: list[Raw] = []
            cursor = None
            with pytest.raises(ProviderError):
                for page in world.open(attempts=1).read(object):
                    seen, cursor = [*seen, *page.records], stored(page.cursor)
            world.wire.heal()
            rest = world.read(world.open(), object, cursor)
            assert_all_there(world, object, [*seen, *rest.records])

    @needs(INCREMENTAL)
    def test_what_has_not_changed_is_not_read_again(self, world: World, object: str) -> None:
        world.fill(object, 5)
        world.wait()
        connector = world.open()
        cursor = world.read(connector, object).cursor
        world.wait()
        (changed,) = world.fill(object, 1)
        told = world.read(connector, object, cursor)
        world.wait()
        told = world.read(connector, object, cursor) if not told.records else told
        assert list(world.by_id(object, told.records)) == [changed]
        assert told.tombstones == []
        quiet = world.read(connector, object, world.read(connector, object, told.cursor).cursor)
        world.wait()
        assert world.read(connector, object, quiet.cursor).records == []

    @needs(NOT_INCREMENTAL)
    def test_where_changes_are_not_told_every_read_is_a_whole_one(self, world: World, object: str) -> None:
        world.fill(object, 5)
        world.wait()
        connector = world.open()
        cursor = world.read(connector, object).cursor
        world.fill(object, 1)
        world.wait()
        assert_all_there(world, object, world.read(connector, object, cursor).records)

    @each
    def test_a_change_shows_in_the_next_read(self, world: World, object: str) -> None:
        old, _ = world.fill(object, 2)
        world.wait()
        connector, text = world.open(), world.samples[object].text
        first = world.read(connector, object)
        world.wait(3600)
        world.change(object, old, nested(text, "changed since"))
        (new,) = world.fill(object, 1)
        world.wait(3600)
        told = world.read(world.open(), object, first.cursor)
        read = world.by_id(object, [*first.records, *told.records])
        assert at(read[old], text) == "changed since"
        assert new in read
        assert_true_to(world, object, [*first.records, *told.records])

    def test_a_change_in_the_instant_of_the_last_read_is_not_missed(self, world: World, object: str) -> None:
        (old,) = world.fill(object, 1)
        connector = world.open()
        first = world.read(connector, object)
        world.change(object, old, nested(world.samples[object].text, "in the same instant"))
        world.fill(object, 2)
        world.wait()
        told = world.read(connector, object, first.cursor)
        assert_true_to(world, object, [*first.records, *told.records])

    @needs(INCREMENTAL)
    def test_instants_with_and_without_a_fraction_are_told_apart_as_instants(self, world: World, object: str) -> None:
        """``59Z`` is before ``59.100Z``, whatever their letters say."""
        connector = world.open()
        first = world.read(connector, object)
        seen = [*first.records]
        cursor = first.cursor
        for fraction in (0.0, 0.1, 0.9, 0.0, 0.000_001, 0.999_999, 0.25):
            self._wait_for_a_whole_second(world)
            world.clock.sleep(fraction)
            world.fill(object, 2)
            told = world.read(connector, object, cursor)
            seen, cursor = [*seen, *told.records], told.cursor
        self._wait_for_a_whole_second(world)
        world.fill(object, 3)
        world.clock.sleep(0.1)
        world.fill(object, 3)
        world.wait(600)
        told = world.read(connector, object, cursor)
        assert_true_to(world, object, [*seen, *told.records])

    def _wait_for_a_whole_second(self, world: World) -> None:
        now = world.clock.now()
        world.clock.sleep(((now + timedelta(seconds=61)).replace(microsecond=0) - now).total_seconds())

    @needs(LAGS, INCREMENTAL)
    def test_a_change_that_shows_late_in_the_index_is_not_missed(self, world: World, object: str) -> None:
        """Later changes show before it; and reads come and go meanwhile."""
        late, prompt = world.fill(object, 2)
        world.wait()
        connector, text = world.open(), world.samples[object].text
        first = world.read(connector, object)
        world.wait(3600)
        world.slow_index(world.lag)
        world.change(object, late, nested(text, "shown late"))
        world.clock.sleep(1)
        world.slow_index(0.001)
        world.change(object, prompt, nested(text, "shown at once"))
        world.clock.sleep(1)
        second = world.read(connector, object, first.cursor)
        world.clock.sleep(world.lag)
        third = world.read(connector, object, second.cursor)
        assert_true_to(world, object, [*first.records, *second.records, *third.records])

    @needs(INCREMENTAL, WIRE)
    @pytest.mark.parametrize("hours", [-2, 2])
    def test_a_clock_that_is_wrong_hides_no_change(self, world: World, object: str, hours: int) -> None:
        connector = world.open(now=lambda: world.clock.now() + timedelta(hours=hours))
        world.fill(object, 2)
        world.wait()
        first = world.read(connector, object)
        world.clock.sleep(1)
        world.fill(object, 2)
        world.clock.sleep(600)
        told = world.read(connector, object, first.cursor)
        assert_true_to(world, object, [*first.records, *told.records])

    @needs(INCREMENTAL)
    def test_a_read_from_the_same_cursor_tells_the_same(self, world: World, object: str) -> None:
        world.fill(object, 2)
        world.wait()
        cursor = world.read(world.open(), object).cursor
        world.fill(object, 3)
        world.wait()
        assert world.read(world.open(), object, cursor).records == world.read(world.open(), object, cursor).records

    @needs(plays("cursor_gone"), INCREMENTAL)
    def test_a_cursor_the_provider_forgot_is_said_to_be_gone_or_not_missed(self, world: World, object: str) -> None:
        world.fill(object, 3 * world.size(object))
        world.wait()
        first = next(iter(world.open().read(object)))
        world.play(FAULTS["cursor_gone"])
        try:
            rest = world.read(world.open(), object, stored(first.cursor)).records
        except CursorGoneError:
            rest = []
            world.play(None)
            assert_all_there(world, object, world.read(world.open(), object).records)
        else:
            assert_all_there(world, object, [*first.records, *rest])

    def test_an_empty_cursor_is_the_beginning(self, world: World, object: str) -> None:
        world.fill(object, 2)
        world.wait()
        empty: tuple[Cursor | None, ...] = (None, {})
        for cursor in empty:
            assert_all_there(world, object, world.read(world.open(), object, cursor).records)

    def test_a_cursor_of_another_make_is_refused_or_means_the_beginning(self, world: World, object: str) -> None:
        world.fill(object, 2)
        world.wait()
        try:
            told = world.read(world.open(), object, {"an older version": "wrote this"})
        except CursorGoneError as gone:
            assert str(gone)
        else:
            assert_all_there(world, object, told.records)

    @needs(TOMBSTONES)
    def test_what_was_deleted_is_told_by_a_tombstone(self, world: World, object: str) -> None:
        gone, _ = world.fill(object, 2)
        world.wait()
        first = world.read(world.open(), object)
        world.remove(object, gone)
        world.clock.sleep(600)
        told = world.read(world.open(), object, first.cursor)
        stones = {stone.id: stone for stone in told.tombstones}
        assert set(stones) == {gone}
        assert stones[gone].reason in ("deleted", "archived")
        assert gone not in world.by_id(object, told.records)
        at_ = stones[gone].at
        assert at_ is None or abs((at_ - world.clock.now()).total_seconds()) < 3600

    @needs(UNANNOUNCED)
    def test_what_was_deleted_is_missing_from_the_next_whole_listing(self, world: World, object: str) -> None:
        gone, kept = world.fill(object, 2)
        world.wait()
        connector = world.open()
        world.read(connector, object)
        world.remove(object, gone)
        world.wait()
        if world.spec(object).deletes == "file":
            listed = list(world.by_id(object, world.read(connector, object).records))
        else:
            listed = [id for page in connector.scan(object) for id, _ in page.items]
        assert gone not in listed
        assert kept in listed

    @needs(MERGES, TOMBSTONES)
    def test_what_was_merged_names_the_record_it_lives_on_in(self, world: World, object: str) -> None:
        lost, kept = world.fill(object, 2)
        world.wait()
        first = world.read(world.open(), object)
        survivor = world.merge(object, lost, kept)
        world.clock.sleep(600)
        told = world.read(world.open(), object, first.cursor)
        stones = {stone.id: stone for stone in told.tombstones}
        assert (stones[lost].reason, stones[lost].survivor) == ("merged", survivor)
        assert survivor not in stones
        assert lost not in world.by_id(object, told.records)

    @needs(WIRE)
    def test_no_trouble_on_the_way_makes_a_tombstone(self, world: World, object: str) -> None:
        """A delete is never inferred from what an answer lacks."""
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        cursor = world.read(world.open(), object).cursor
        for start in (None, cursor):
            for body in BODIES.values():
                world.wire.heal()
                world.wire.trouble(body, world.is_page, times=1)
                try:
                    told = world.read(world.open(), object, start)
                except ProviderError:
                    continue
                assert [stone.id for stone in told.tombstones if stone.id in world.truth(object)] == []
