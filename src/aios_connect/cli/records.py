"""The screens of records: what a connection holds, and what a mapping makes of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Raw
from aios_connect.mappings import CompiledMapping
from aios_connect.model import JSON, Leaf, Leaves
from aios_connect.model import leaves as layout

from .phrases import clip, counted, paragraph, value_text
from .screen import Answer, Lines

if TYPE_CHECKING:
    from aios_connect.sync import Export

__all__ = ["ExportAnswer", "MappedAnswer", "RecordsAnswer"]


class RecordsAnswer(Lines):
    """The records of one kind, read as they are printed.

    Args:
        connection: Where to read.
        kind: Which kind.
        limit: Stop after so many.
        close: What to do at the end.
    """

    def __init__(self, connection: Connection, kind: str, limit: int | None, *, close: Callable[[], None]) -> None:
        self._connection = connection
        self._kind = kind
        self._limit = limit
        self._close = close
        self._reading = connection.read(kind)

    def lines(self) -> Iterator[Any]:
        """A line a record, then one for each that could not be read."""
        for id, leaves in self._records():
            yield {"id": id, "leaves": leaves}
        for problem in self._reading.problems:
            yield {"problem": problem}

    def show(self, console: Console) -> None:
        """One line a record: id, name, and as many fields as fit."""
        count, types = 0, layout(self._kind)
        for id, leaves in self._records():
            count += 1
            label = _label(self._kind, leaves)
            rest = "  ".join(
                _said(value, types.get(leaf))
                for leaf, value in leaves.items()
                if value is not None and not leaf.startswith("name")
            )
            line = Text.assemble((f"{id:<10}", "dim"), f"  {label}  ", (rest, "dim"))
            line.truncate(console.width, overflow="ellipsis")
            console.print(line, no_wrap=True)
        console.print(f"\n{counted(count, 'record')}; --json prints every field" if count else "There are none.", style="dim")
        for problem in self._reading.problems:
            paragraph(console, f"! {problem.place}: {problem.reason}", style="red")

    def _records(self) -> Iterator[tuple[str, Leaves]]:
        try:
            identify = self._connection.object(self._kind).id.split(".")
            for raw, leaves in islice(self._reading.leaves(), self._limit):
                id: Any = raw
                for name in identify:
                    id = id[name]
                yield str(id), leaves
            self.exit_code = 3 if self._reading.problems else 0
        finally:
            self._close()


class ExportAnswer(Answer):
    """What was read into a file."""

    def __init__(self, path: str, export: Export) -> None:
        self.path = path
        self.export = export
        self.exit_code = 3 if export.quarantined else 0

    def document(self) -> Any:
        """The counts."""
        return {"path": self.path, "export": self.export}

    def show(self, console: Console) -> None:
        """The counts for a person."""
        again = "; went on where it stopped" if self.export.resumed else ""
        console.print(f"{counted(self.export.records, 'record')} in {self.path}{again}", soft_wrap=True)
        if self.export.quarantined:
            aside = counted(self.export.quarantined, "record")
            console.print(f"{aside} could not be read: {self.path}.quarantine", style="yellow", soft_wrap=True)


class MappedAnswer(Answer):
    """What a mapping makes of records, and what it would write back.

    Args:
        mapping: The mapping.
        records: Raw records of the vendor.
    """

    def __init__(self, mapping: CompiledMapping, records: Sequence[Raw]) -> None:
        self.mapping = mapping
        self.mapped = [(raw, *mapping.get(raw)) for raw in records]
        self.exit_code = 2 if any(problems for _, _, problems in self.mapped) else 0

    def document(self) -> Any:
        """Each record with its leaves, its problems, and what a new record of these leaves would hold."""
        return [
            {"record": raw, "kind": self.mapping.kind, "leaves": leaves, "problems": problems, "written_back": self._back(leaves)}
            for raw, leaves, problems in self.mapped
        ]

    def show(self, console: Console) -> None:
        """Each record: the leaves, one a line, then what goes back."""
        if not self.mapped:
            console.print("This mapping has no examples; name a record to map.")
        for number, (_, leaves, problems) in enumerate(self.mapped):
            if number:
                console.print()
            console.print(f"{self.mapping.object} -> {self.mapping.kind}  {_label(self.mapping.kind, leaves)}", style="bold")
            width = max(map(len, leaves), default=0)
            for leaf, value in leaves.items():
                both = "<->" if leaf in self.mapping.writes else " ->"
                console.print(Text(clip(f"  {both} {leaf:<{width}}  {value_text(value)}", console.width)))
            for problem in problems:
                console.print(Text.assemble(("  ! ", "bold red"), f"{problem.leaf}: {problem.reason}"))
            if not problems:
                console.print("  a new record of these leaves would hold", style="dim")
                for path, value in _flat(self._back(leaves)):
                    console.print(Text(clip(f"      {path}: {value!r}", console.width), "dim"))

    def _back(self, leaves: Leaves) -> Raw:
        return self.mapping.put({leaf: value for leaf, value in leaves.items() if leaf in self.mapping.writes}, {}, None)


def _label(kind: str, leaves: Leaves) -> str:
    """What a person calls a record."""
    from aios_connect.sync.keys import label_of  # the engine takes its time to load, and JSON needs no labels

    return label_of(kind, leaves)


def _said(value: JSON, leaf: Leaf | None) -> str:
    """A value; of a reference by name (``?name=Acme``) the name."""
    text = value_text(value)
    by_value = leaf is not None and leaf.type == "reference" and text.startswith("?")
    return text.partition("=")[2] if by_value else text


def _flat(record: Raw, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
