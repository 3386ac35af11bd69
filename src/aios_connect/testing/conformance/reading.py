"""Reading: all that is there, once, as it is; and nothing that only looks like the end is taken for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from aios_connect.connectors import Connector, Raw, instant
from aios_connect.errors import ProviderError
from aios_connect.sandbox import FAULTS

from .suite import CREATES, GROWS, INCREMENTAL, SCANS, SPOILS, VERSIONED, WIRE, Suite, each, needs, plays
from .wire import BODIES, Sent
from .world import Told, World, at, leaves, nested

__all__ = ["Reading", "assert_all_there"]

TEXTS = {
    "accents": "Zoë Ångström-Đặng",
    "another script": "株式会社 日本 العربية",
    "an emoji": "ready 👩‍🚀 go",
    "quotes": 'O\'Hara "Zoë" & Sons <b>',
    "a number": "30001",
    "an exponent": "1e5",
    "a long number": "9007199254740993.110",
    "a word for nothing": "None",
    "a word for true": "True",
    "zeros in front": "007",
}
"""Texts that some layer somewhere takes for something else."""


def assert_all_there(world: World, object: str, records: Sequence[Raw]) -> None:
    """What was read is what is truly there, value by value, each record once."""
    ids = [world.id(object, raw) for raw in records]
    assert len(ids) == len(set(ids)), "a record came twice although nothing changed"
    assert_true_to(world, object, records)


def assert_true_to(world: World, object: str, records: Sequence[Raw]) -> None:
    """The same, where a record may come twice: the later one counts."""
    truth, read = world.truth(object), world.by_id(object, records)
    assert sorted(read) == sorted(truth), "what was read is not what is there"
    for id, there in truth.items():
        for path, value in leaves(there).items():
            assert (path, at(read[id], path)) == (path, value), f"{object}/{id} was not read as it is"


def attempt(world: World, connector: Connector, object: str) -> Told | ProviderError:
    """A full read: what it told, or how it failed."""
    try:
        return world.read(connector, object)
    except ProviderError as error:
        return error


class Reading(Suite):
    """What a connector reads."""

    @each
    def test_every_record_is_read_once_and_as_it_is(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        assert_all_there(world, object, world.read(world.open(), object).records)

    @each
    def test_an_object_without_records_is_one_complete_page(self, world: World, object: str) -> None:
        told = world.read(world.open(), object)
        assert_all_there(world, object, told.records)

    def test_a_last_page_that_is_full_is_the_last_page(self, world: World, object: str) -> None:
        missing = -len(world.truth(object)) % world.size(object)
        world.fill(object, missing + 2 * world.size(object))
        world.wait()
        assert_all_there(world, object, world.read(world.open(), object).records)

    def test_only_the_last_page_says_that_it_is_the_last(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        pages = list(world.open().read(object))
        assert len(pages) >= 2
        assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]

    @each
    def test_a_record_looked_up_is_the_record_that_was_read(self, world: World, object: str) -> None:
        world.fill(object, 3)
        world.wait()
        connector = world.open()
        read = world.by_id(object, world.read(connector, object).records)
        found = world.by_id(object, connector.lookup(object, sorted(read)))
        assert found == read

    def test_more_records_are_looked_up_than_one_call_takes(self, world: World, object: str) -> None:
        ids = world.fill(object, world.spec(object).lookup_size + 1)
        found = world.by_id(object, world.open().lookup(object, ids))
        assert sorted(found) == sorted(ids)

    def test_a_record_that_is_gone_is_left_out_of_a_lookup(self, world: World, object: str) -> None:
        gone, kept = world.fill(object, 2)
        world.remove(object, gone)
        found = world.by_id(object, world.open().lookup(object, [gone, kept]))
        assert list(found) == [kept]

    @needs(INCREMENTAL)
    def test_a_record_is_the_same_among_changes_as_in_a_full_read(self, world: World, object: str) -> None:
        (old,) = world.fill(object, 1)
        world.wait()
        connector = world.open()
        cursor = world.read(connector, object).cursor
        world.change(object, old, nested(world.samples[object].text, "changed"))
        world.wait()
        changed = world.by_id(object, world.read(connector, object, cursor).records)
        whole = world.by_id(object, world.read(connector, object).records)
        assert changed[old] == whole[old]

    @each
    def test_a_text_that_was_cleared_is_there_and_empty(self, world: World, object: str) -> None:
        sample = world.samples[object]
        (id,) = world.fill(object, 1)
        world.change(object, id, nested(sample.text, sample.clear))
        world.wait()
        raw = world.by_id(object, world.read(world.open(), object).records)[id]
        *above, name = sample.text.split(".")
        inner = at(raw, ".".join(above)) if above else raw
        assert name in inner, "a field that is empty was left out, as if it had not been read"
        assert inner[name] == sample.empty

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_a_text_is_read_letter_by_letter(self, world: World, object: str, text: str) -> None:
        sample = world.samples[object]
        (id,) = world.fill(object, 1)
        world.change(object, id, nested(sample.text, text))
        world.wait()
        raw = world.by_id(object, world.read(world.open(), object).records)[id]
        assert at(raw, sample.text) == text

    @needs(WIRE)
    @pytest.mark.parametrize("page", [0, 1, 2])
    @pytest.mark.parametrize("body", BODIES)
    def test_an_answer_that_is_no_page_does_not_end_a_read(self, world: World, object: str, body: str, page: int) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        connector = world.open()
        world.wire.trouble(BODIES[body], world.is_page, skip=page, times=1)
        told = attempt(world, connector, object)
        if isinstance(told, Told):
            assert_all_there(world, object, told.records)

    @needs(WIRE)
    @pytest.mark.parametrize("body", sorted({*BODIES} - {"a hollow page"}))
    def test_answers_that_are_never_a_page_fail_a_read(self, world: World, object: str, body: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        connector = world.open()
        world.wire.trouble(BODIES[body], world.is_page, skip=1)
        told = attempt(world, connector, object)
        assert isinstance(told, ProviderError), "it was taken for the end"
        assert str(told)

    @needs(WIRE)
    def test_trouble_on_the_way_changes_nothing_that_is_read(self, world: World, object: str) -> None:
        """At each request of a read, one by one: associations and other second questions are part of a record."""
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        quiet = world.read(world.open(), object).records
        start = len(world.wire.log)
        world.read(world.open(), object)
        count = len(world.wire.log) - start
        for fault in ("too_many", "unavailable", "reset_before", "timeout_after", "error_in_200"):
            for number in range(count):
                world.wire.heal()
                world.wire.trouble(FAULTS[fault], skip=number, times=1)
                told = attempt(world, world.open(), object)
                assert isinstance(told, ProviderError) or told.records == quiet, f"{fault} at request {number}"

    @needs(WIRE)
    @pytest.mark.parametrize("period", [1, 2, 3])
    def test_pages_that_come_again_and_again_fail_a_read(self, world: World, object: str, period: int) -> None:
        world.fill(object, 4 * world.size(object) + 1)
        world.wait()
        connector = world.open()
        bodies: list[bytes] = []

        def again(sent: Sent, body: bytes) -> bytes:
            if not world.is_page(sent):
                return body
            bodies.append(body)
            number = len(bodies) - 1
            return body if number <= period else bodies[1 + (number - 1) % period]

        world.wire.rewrite = again
        told = attempt(world, connector, object)
        assert isinstance(told, ProviderError), "a circle was taken for an end"

    @needs(plays("empty_page"))
    def test_an_empty_page_with_a_cursor_is_not_the_end(self, world: World, object: str) -> None:
        """Pages are empty now and then, as records are filtered out after paging."""
        world.fill(object, 2 * world.size(object) + 1, apart=1)
        world.wait()
        seen: list[Raw] = []
        connector = world.open()
        for number, page in enumerate(connector.read(object)):
            seen += page.records
            if number == 0:
                world.play(FAULTS["empty_page"])
            elif number == 1:
                world.play(None)
        assert_all_there(world, object, seen)

    def test_records_that_change_while_they_are_read_are_not_lost(self, world: World, object: str) -> None:
        ids = world.fill(object, 3 * world.size(object))
        text = world.samples[object].text
        world.wait()
        connector = world.open()
        seen: list[Raw] = []
        cursor = None
        for number, page in enumerate(connector.read(object)):
            seen += page.records
            cursor = page.cursor
            if number == 0:
                world.change(object, ids[0], nested(text, "changed behind us"))
                world.change(object, ids[-1], nested(text, "changed before us"))
                world.remove(object, ids[1])
                world.remove(object, ids[-2])
                world.fill(object, 2)
                world.clock.sleep(600)  # it takes a while, and what changed must not lie behind the next read
        world.wait()
        told = world.read(connector, object, cursor)
        if not world.spec(object).incremental:
            seen = []
        gone = {ids[1], ids[-2]}  # how deletes are told is another matter
        assert_true_to(world, object, [raw for raw in (*seen, *told.records) if world.id(object, raw) not in gone])

    @needs(INCREMENTAL)
    def test_more_records_of_one_instant_than_a_page_holds_are_read(self, world: World, object: str) -> None:
        connector = world.open()
        cursor = world.read(connector, object).cursor
        world.wait()
        world.fill(object, 2 * world.size(object) + 1)  # a bulk edit: no time goes by
        world.clock.sleep(120)
        assert_all_there(world, object, world.read(connector, object, cursor).records)

    @needs(WIRE)
    def test_a_byte_order_mark_is_not_part_of_a_page(self, world: World, object: str) -> None:
        world.fill(object, 2)
        world.wait()
        world.wire.rewrite = lambda sent, body: b"\xef\xbb\xbf" + body if body.startswith((b"{", b"[")) else body
        assert_all_there(world, object, world.read(world.open(), object).records)

    @needs(WIRE)
    def test_half_a_character_spoils_no_page(self, world: World, object: str) -> None:
        marked, _ = self._marked(world, object, b"\\ud83d")
        told = world.read(world.open(), object)
        aside = {bad.id for page in told.pages for bad in page.quarantined}
        read = world.by_id(object, told.records)
        assert {*read, *aside} >= {*world.truth(object)}
        text = at(read.get(marked, {}), world.samples[object].text) or ""
        assert not re.search("[\ud800-\udfff]", text), "no database takes half a character"

    @needs(WIRE)
    def test_a_long_number_keeps_its_digits(self, world: World, object: str) -> None:
        marked, _ = self._marked(world, object, b'", "n": 123456789012345678901234567890, "m": "')
        found = world.by_id(object, world.read(world.open(), object).records)[marked]
        *above, _ = world.samples[object].text.split(".")
        inner = at(found, ".".join(above)) if above else found
        assert str(inner.get("n", "123456789012345678901234567890")) == "123456789012345678901234567890"

    def _marked(self, world: World, object: str, becomes: bytes) -> tuple[str, str]:
        """Two records, one with a text in the place of which something stands that JSON allows or nearly allows."""
        marked, other = world.fill(object, 2)
        world.change(object, marked, nested(world.samples[object].text, "MARKMARK"))
        world.wait()
        world.wire.rewrite = lambda sent, body: body.replace(b"MARKMARK", becomes)
        return marked, other

    @needs(SPOILS)
    def test_a_record_that_cannot_be_read_is_set_aside_and_its_neighbours_are_read(self, world: World, object: str) -> None:
        ids = world.fill(object, 3)
        world.spoil(object, ids[1])
        world.wait()
        told = world.read(world.open(), object)
        aside = [bad for page in told.pages for bad in page.quarantined]
        assert len(aside) == 1
        assert aside[0].place and aside[0].reason and aside[0].raw
        assert sorted(world.by_id(object, told.records)) == sorted((ids[0], ids[2]))

    @needs(WIRE)
    def test_no_address_is_longer_than_servers_take(self, world: World, object: str) -> None:
        ids = world.fill(object, 1)
        connector = world.open()
        world.read(connector, object)
        ids += world.fill(object, world.spec(object).lookup_size)
        connector.lookup(object, ids)
        assert max(len(sent.url) for sent in world.wire.log) <= 16_000

    @needs(WIRE)
    def test_a_full_read_costs_as_few_calls_as_the_page_size_allows(self, world: World, object: str) -> None:
        world.fill(object, 10 * world.size(object))
        world.wait()
        connector = world.open()
        world.read(connector, object)  # what is asked once, such as the schema, is known now
        start = len(world.wire.log)
        pages = -(-len(world.truth(object)) // world.size(object))
        world.read(connector, object)
        assert len(world.wire.log) - start <= pages * 1.05 + world.calls_to_read

    @needs(WIRE)
    def test_reading_writes_nothing(self, world: World, object: str) -> None:
        ids = world.fill(object, 3)
        connector = world.open()
        connector.check()
        connector.describe(object)
        cursor = world.read(connector, object).cursor
        world.read(connector, object, cursor)
        connector.lookup(object, ids)
        self._scan(connector, object)
        if world.spec(object).key:
            connector.find(object, ["no such key"])
        assert [world.label(sent) for sent in world.wire.log if world.is_write(sent)] == []

    @needs(SCANS)
    def test_a_scan_lists_every_id_once(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        gone = world.fill(object, 1)[0]
        world.remove(object, gone)
        world.wait()
        items = self._scan(world.open(), object)
        if items is None:
            return
        assert sorted(id for id, _ in items) == sorted(world.truth(object))

    @needs(SCANS, VERSIONED)
    def test_a_scan_gives_the_versions_that_a_read_gives(self, world: World, object: str) -> None:
        changed, *_ = world.fill(object, 3)
        world.change(object, changed, nested(world.samples[object].text, "changed"))
        world.wait()
        connector = world.open()
        items = self._scan(connector, object)
        if items is None:
            return
        read = world.by_id(object, world.read(connector, object).records)
        versions = {id: str(at(raw, world.spec(object).version)) for id, raw in read.items()}
        assert {id: version or versions[id] for id, version in items} == versions

    @needs(SCANS, WIRE)
    @pytest.mark.parametrize("body", BODIES)
    def test_a_broken_scan_never_looks_complete(self, world: World, object: str, body: str) -> None:
        """What it leaves out would be taken for deleted."""
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        if self._scan(world.open(), object) is None:
            return
        start = len(world.wire.log)
        connector = world.open()
        self._scan(connector, object)
        for number in range(len(world.wire.log) - start):
            world.wire.heal()
            world.wire.trouble(BODIES[body], skip=number, times=1)
            try:
                items = self._scan(world.open(), object) or []
            except ProviderError:
                continue
            assert sorted(id for id, _ in items) == sorted(world.truth(object)), f"at request {number}"

    @needs(VERSIONED)
    def test_a_version_changes_with_the_record_and_only_then(self, world: World, object: str) -> None:
        changed, same = world.fill(object, 2)
        world.wait()
        connector, path = world.open(), world.spec(object).version
        before = world.by_id(object, connector.lookup(object, [changed, same]))
        world.change(object, changed, nested(world.samples[object].text, "changed"))
        world.wait()
        after = world.by_id(object, connector.lookup(object, [changed, same]))
        assert at(before[changed], path) not in (None, "", at(after[changed], path))
        assert at(before[same], path) == at(after[same], path)

    @each
    def test_instants_of_the_last_change_are_instants(self, world: World, object: str) -> None:
        path = world.spec(object).modified
        if not path:
            return
        (id,) = world.fill(object, 1)
        world.wait()
        (raw,) = world.open().lookup(object, [id])
        assert instant(at(raw, path)).tzinfo is not None
        assert abs((instant(at(raw, path)) - world.clock.now()).total_seconds()) < 2 * 86_400

    @each
    def test_every_path_of_a_record_is_described(self, world: World, object: str) -> None:
        world.fill(object, 1)
        world.wait()
        connector = world.open()
        schema = connector.describe(object)
        assert schema.object == object
        (raw, *_) = world.read(connector, object).records
        if not schema.open:
            known = tuple(schema.fields)
            within = [path for path in leaves(raw) if not any(path == one or path.startswith(f"{one}.") for one in known)]
            assert [path for path in within if at(raw, path) not in (None, {}, [])] == []
        spec, sample = world.spec(object), world.samples[object]
        for path in (spec.id, spec.version, spec.modified, sample.text):
            assert not path or path in schema.fields, f"{path} is not described"
        assert {path for path, info in schema.fields.items() if path != info.path} == set()

    @needs(GROWS)
    def test_a_field_that_is_new_is_described_and_read(self, world: World, object: str) -> None:
        *above, _ = world.samples[object].text.split(".")
        path = ".".join([*above, "new_field"])
        world.add_field(object, path)
        (id,) = world.fill(object, 1)
        world.change(object, id, nested(path, "new"))
        world.wait()
        connector = world.open()
        assert path in connector.describe(object).fields
        assert at(world.by_id(object, world.read(connector, object).records)[id], path) == "new"

    @needs(CREATES)
    def test_a_field_that_can_be_written_says_so(self, world: World, object: str) -> None:
        fields, spec = world.open().describe(object).fields, world.spec(object)
        assert fields[world.samples[object].text].writable
        assert not fields[spec.id].writable
        assert not spec.version or not fields[spec.version].writable

    @each
    def test_types_are_those_that_are_described(self, world: World, object: str) -> None:
        world.fill(object, 3)
        world.wait()
        connector = world.open()
        fields = connector.describe(object).fields
        for raw in world.read(connector, object).records:
            for path, info in fields.items():
                value = at(raw, path)
                kind = _TYPES.get(info.type)
                assert value is None or kind is None or isinstance(value, kind), f"{path} is no {info.type}: {value!r}"

    def _scan(self, connector: Connector, object: str) -> list[tuple[str, str]] | None:
        """Ids and versions; ``None`` where the provider cannot list them and does not need to."""
        try:
            pages = list(connector.scan(object))
        except NotImplementedError:
            assert connector.spec.objects[object].deletes != "scan"
            return None
        assert pages[-1].complete
        assert not any(page.complete for page in pages[:-1])
        return [item for page in pages for item in page.items]


_TYPES: dict[str, Any] = {"text": str, "choice": (str, int), "object": dict, "list": list, "date": str}
