"""Mapping files on a living provider: they fit it, they keep the laws there, and what they read they can write back."""

from __future__ import annotations

import pytest

from aios_connect.connection import Connection
from aios_connect.connectors import Connector
from aios_connect.mappings import CompiledMapping, check, loads, run_examples
from aios_connect.mappings.values import Enum, Text
from aios_connect.model.canonical import is_canonical

from .reading import TEXTS
from .receipts import laid_over
from .suite import GROWS, MAPPED, Suite, needs
from .world import World, nested

__all__ = ["Mapping"]


def tried(world: World) -> list[CompiledMapping]:
    """The mappings of the objects that have a sample."""
    return [mapping for mapping in world.mapped() if mapping.object in world.samples]


def written(world: World, mapping: CompiledMapping) -> bool:
    """The connector makes and changes such records, and the mapping writes them."""
    return {"create", "update"} <= world.spec(mapping.object).verbs and bool(mapping.writes)


class Mapping(Suite):
    """What the mapping files of a provider make of it."""

    @needs(MAPPED)
    def test_every_mapping_fits_the_spec_the_live_schema_and_the_laws(self, world: World) -> None:
        connector = world.provisioned()
        for mapping in tried(world):
            found = check(mapping, connector.describe(mapping.object), spec=connector.spec)
            assert [str(finding.error) for finding in found if finding.severity == "error"] == []

    @needs(MAPPED)
    def test_every_mapping_keeps_its_examples(self, world: World) -> None:
        for mapping in tried(world):
            results = run_examples(mapping)
            assert results, f"{mapping.object} has no example"
            assert [str(result.error()) for result in results if not result.ok] == []

    @needs(MAPPED)
    def test_every_record_is_mapped_to_canonical_values(self, world: World) -> None:
        for mapping in tried(world):
            world.fill(mapping.object, 3)
        world.wait()
        connector = world.provisioned()
        for mapping in self._expanded(world, connector):
            for raw in world.read(connector, mapping.object).records:
                leaves, problems = mapping.get(raw)
                assert problems == []
                assert leaves
                types = {leaf.name: leaf.type for field in mapping.fields.values() for leaf in field.leaves}
                assert [name for name, value in leaves.items() if not is_canonical(types.get(name, "any"), value)] == []

    @needs(MAPPED)
    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_a_value_has_the_type_of_its_field_whatever_it_looks_like(self, world: World, text: str) -> None:
        for mapping in tried(world):
            (id,) = world.fill(mapping.object, 1)
            world.change(mapping.object, id, nested(world.samples[mapping.object].text, text))
        world.wait()
        connector = world.provisioned()
        for mapping in self._expanded(world, connector):
            leaf = _plain_texts(mapping).get(world.samples[mapping.object].text)
            if leaf is None:
                continue
            seen = [mapping.get(raw)[0].get(leaf) for raw in world.read(connector, mapping.object).records]
            assert text in seen

    @needs(MAPPED)
    def test_a_code_that_nobody_has_a_word_for_is_kept_or_said(self, world: World) -> None:
        """People add stages and types whenever they like; such a value is never taken for none."""
        for mapping in tried(world):
            world.fill(mapping.object, 1)
        world.wait()
        connector = world.provisioned()
        for mapping in self._expanded(world, connector):
            (raw, *_) = world.read(connector, mapping.object).records
            for name, field in mapping.fields.items():
                table = field.transform
                if not isinstance(table, Enum) or table.on_error == "blank" or name not in mapping.reads:
                    continue
                leaves, problems = mapping.get(laid_over(raw, nested(table.paths[0], "a_code_of_tomorrow")))
                kept = "a_code_of_tomorrow" in str(leaves.get(name))
                assert kept or name in {problem.leaf for problem in problems}, f"{mapping.object}: {name}"

    @needs(MAPPED, GROWS)
    def test_a_field_that_is_new_is_named_by_a_mapping_that_reports_what_it_does_not_map(self, world: World, object: str) -> None:
        *above, _ = world.samples[object].text.split(".")
        path = ".".join([*above, "new_field"])
        world.add_field(object, path)
        connector = world.provisioned()
        for file in world.mapping_files():
            mapping = loads(file.read_text("utf-8"))
            if mapping.object == object:
                report = f"connector: {connector.spec.provider}\nobject: {object}\nunmapped: report\n"
                reporting = loads(file.read_text("utf-8"), overlay=report)
                found = check(reporting, connector.describe(object), spec=connector.spec, laws=False)
                assert [finding.severity for finding in found if path in finding.error.message] == ["note"]

    @needs(MAPPED)
    def test_writing_what_was_read_changes_nothing(self, world: World) -> None:
        for mapping in tried(world):
            world.fill(mapping.object, 3)
        world.wait()
        connector = world.provisioned()
        for mapping in self._expanded(world, connector):
            for raw in world.read(connector, mapping.object).records:
                leaves, _ = mapping.get(raw)
                own = {leaf: value for leaf, value in leaves.items() if leaf in mapping.writes}
                assert mapping.put(own, leaves, raw) == {}

    @needs(MAPPED)
    def test_a_record_made_through_its_mapping_reads_back_as_it_was_made(self, world: World) -> None:
        connection = Connection("crm", world.provisioned(), world.mapped())
        for mapping in tried(world):
            if not written(world, mapping):
                continue
            (model,) = world.fill(mapping.object, 1)
            record = connection.get(mapping.kind, model).leaves()
            whole = connection.mapping(mapping.kind)
            told = {
                leaf: value
                for leaf, value in record.items()
                if leaf in whole.writes and leaf in whole.reads and value is not None
            }
            unique = {leaf: value for leaf, value in told.items() if not leaf.startswith("emails.")}
            receipt = connection.create(mapping.kind, unique)
            assert receipt.outcome == "written"
            back = connection.get(mapping.kind, str(receipt.id)).leaves()
            assert {leaf: back.get(leaf) for leaf in unique} == unique

    @needs(MAPPED)
    def test_updating_a_record_with_itself_sends_nothing(self, world: World) -> None:
        connector = world.provisioned()
        connection = Connection("crm", connector, world.mapped())
        for mapping in tried(world):
            if not written(world, mapping):
                continue
            (id,) = world.fill(mapping.object, 1)
            before = world.truth(mapping.object)[id]
            record = connection.get(mapping.kind, id)
            assert connection.update(record, record).outcome == "unchanged"
            assert world.truth(mapping.object)[id] == before

    def _expanded(self, world: World, connector: Connector) -> list[CompiledMapping]:
        connection = Connection("crm", connector, world.mapped())
        return [connection.mapping(mapping.kind) for mapping in tried(world)]


def _plain_texts(mapping: CompiledMapping) -> dict[str, str]:
    """Path -> leaf, of the fields that are a text and nothing more."""
    texts = {name: field.transform.paths for name, field in mapping.fields.items() if isinstance(field.transform, Text)}
    return {paths[0]: name for name, paths in texts.items() if len(paths) == 1}
