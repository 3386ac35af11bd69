"""Receipts, compared with what is truly there."""

from __future__ import annotations

from collections.abc import Sequence

from aios_connect.connectors import Change, Connector, Raw, Receipt

from .world import World, at, leaves

__all__ = ["assert_made_once", "assert_told_truly", "current", "laid_over"]


def current(world: World, connector: Connector, object: str, id: str) -> Raw:
    """A record as it is now."""
    (raw,) = connector.lookup(object, [id])
    return raw


def holds(there: Raw | None, values: Raw) -> bool:
    """A record that is there holds these values."""
    return there is not None and all(at(there, path) == value for path, value in leaves(values).items())


def assert_told_truly(world: World, object: str, changes: Sequence[Change], receipts: Sequence[Receipt]) -> None:
    """One receipt per change, in order, and none that says more than is so."""
    assert len(receipts) == len(changes)
    truth = world.truth(object)
    for change, receipt in zip(changes, receipts, strict=True):
        if receipt.outcome not in ("written", "unchanged"):
            continue
        if change.action == "delete":
            assert change.id not in truth, "said to be deleted, and is there"
        else:
            assert receipt.id is not None
            assert holds(truth.get(receipt.id), change.patch), "said to be written, and is not there"


def assert_made_once(world: World, object: str, changes: Sequence[Change]) -> None:
    """No change made two records, each known by the text that only it has."""
    path = world.samples[object].text
    texts = [at(raw, path) for raw in world.truth(object).values()]
    for change in changes:
        assert texts.count(at(change.patch, path)) <= 1, "one change made two records"


def laid_over(values: Raw, more: Raw) -> Raw:
    """Values with others in their place."""
    inner = {name: value for name, value in more.items() if isinstance(value, dict) and value}
    return {**values, **more, **{name: laid_over(values.get(name) or {}, value) for name, value in inner.items()}}
