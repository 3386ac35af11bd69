"""A compiled mapping: reads one vendor's records into leaves, and writes changed leaves back as patches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import msgspec

from aios_connect.connectors.contract import Raw, Schema
from aios_connect.errors import MappingError
from aios_connect.expressions import Expression
from aios_connect.model import leaf as model_leaf
from aios_connect.model.canonical import Leaves

from .compile import ABSENT, Field, Getter, compile_getter
from .computed import Custom
from .documents import Document
from .spec import MappingFile
from .values import Reference
from .writing import Putter, putter_of, set_at

__all__ = ["CompiledMapping"]

_MEANING: Final = 1
"""Counts changes in what the transforms mean; part of every digest, so that records are read anew after one."""


class CompiledMapping:
    """One object of a provider as one canonical kind, both ways. Safe to share between threads.

    Attributes:
        provider: Slug of the provider.
        object: The provider's object.
        kind: The canonical kind.
        spec: The file, with the company's overlay and the defaults filled in.
        fields: The entries, by the name at their left.
        reads: The leaves that ``get`` may give (custom ones found by prefix come on top).
        writes: The leaves that ``put`` writes.
        references: Reference leaf -> the vendor's object it points at, or kind and leaf for one by value: ``("company", "name")``.
        digest: Changes whenever the mapping's meaning does.
        get: Reads a raw record: its leaves in the mapping's order, and what could not be read. What was not in the record is absent,
            and so is what could not be read; what is empty is null.
        source: The Python of ``get``, for the curious.
        document: The data of the file with positions.
    """

    def __init__(
        self, spec: MappingFile, fields: Mapping[str, Field], expressions: Mapping[str, Expression], document: Document
    ) -> None:
        self.provider = spec.connector
        self.object = spec.object
        self.kind = spec.kind
        self.spec = spec
        self.document = document
        self.fields: Mapping[str, Field] = MappingProxyType(dict(fields))
        self._expressions = expressions
        missing = spec.defaults.missing
        self.get: Getter
        self.get, self.source = compile_getter(
            list(fields.values()), missing=missing, expressions=expressions, name=f"<mapping {spec.connector}/{spec.object}>"
        )
        self._putters: list[tuple[frozenset[str], Field, Putter]] = []
        for field in fields.values():
            put = putter_of(field, missing=missing) if field.transform.writing else None
            if put is not None:
                self._putters.append((frozenset(leaf.name for leaf in field.leaves), field, put))
        self.reads = frozenset(leaf.name for field in fields.values() if field.transform.reading for leaf in field.leaves)
        self.writes: frozenset[str] = frozenset().union(*(leaves for leaves, _, _ in self._putters))
        self.references: Mapping[str, tuple[str, str]] = MappingProxyType(
            {
                name: (field.transform.to, field.transform.by or "")
                for name, field in fields.items()
                if isinstance(field.transform, Reference)
            }
        )
        self.digest = _digest(self)

    def __repr__(self) -> str:
        return f"<mapping {self.provider}/{self.object} -> {self.kind}, {len(self.fields)} fields>"

    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        """The patch, in the vendor's shape, that turns a record's ``old`` leaves into ``new`` ones.

        Only what changed is said: leaves that are absent in ``new`` or the same as in ``old`` say nothing, null clears, and values
        that the record has already are left out. What was read from the second of several paths is written back there.

        Args:
            new: The leaves to write; others are left alone.
            old: The leaves as ``get`` gave them for ``raw``.
            raw: The record as it is; ``None`` for a new one.

        Raises:
            MappingError: A value cannot be written here, or a leaf not at all.
        """
        # true is not 1
        changed = [
            leaf for leaf, value in new.items() if value != (was := old.get(leaf, ABSENT)) or value.__class__ is not was.__class__
        ]
        patch: Raw = {}
        if raw is None:
            changed = [leaf for leaf in changed if new[leaf] is not None]
            for path, value in self.spec.create.items():
                set_at(patch, path, deepcopy(value))
        if not changed:
            return patch
        if not self.writes.issuperset(changed):
            self._refuse(changed)
        for leaves, field, put in self._putters:
            if not leaves.isdisjoint(changed):
                try:
                    put(patch, new, raw)
                except ValueError as error:
                    raise field.error(f"{field.name}: {error}") from None
        return patch

    def expanded(self, schema: Schema) -> CompiledMapping:
        """The same mapping with every ``custom`` prefix replaced by the fields that the live schema has for it.

        They are typed as the vendor types them and can be written where the vendor lets them be.
        """
        fields: dict[str, Field] = {}
        taken = {path for field in self.fields.values() for path in field.transform.paths}
        for name, field in self.fields.items():
            if not isinstance(field.transform, Custom):
                fields[name] = field
                continue
            for leaf, transform in field.transform.fields(schema.fields).items():
                if leaf not in self.fields and transform.paths[0] not in taken:
                    fields[leaf] = replace(field, name=leaf, leaves=(model_leaf(self.kind, leaf),), transform=transform)
        return CompiledMapping(self.spec, fields, self._expressions, self.document)

    def _refuse(self, changed: Collection[str]) -> None:
        leaf = next(leaf for leaf in changed if leaf not in self.writes)
        if leaf in self.fields:
            raise self.fields[leaf].error(f"{leaf}: this mapping only reads it")
        raise MappingError(
            f"the mapping of {self.provider} {self.object} has no field for {leaf!r}",
            hint=f"it writes {', '.join(sorted(self.writes)) or 'nothing'}",
        )


def _digest(mapping: CompiledMapping) -> str:
    spec = mapping.spec
    meaning = {
        "meaning": _MEANING,
        "connector": spec.connector,
        "object": spec.object,
        "kind": spec.kind,
        "missing": spec.defaults.missing,
        "create": spec.create,
        "fields": [
            [name, field.transform.model_dump(mode="json", exclude={"description"})] for name, field in mapping.fields.items()
        ],
    }
    return sha256(msgspec.json.encode(meaning)).hexdigest()[:16]
