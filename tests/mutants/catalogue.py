"""What can be wrong with a connector: one edit each, to the reference connector or to the seam below it.

They stand in ``edits/``, by topic, as a person would show them::

    # what is wrong then
    in the.module.it.is.done.to            (", on hubspot": tried on that connector instead of the reference)
    seen by names_of_tests, without_their_prefix
      a line that stays
    - a line that goes
    + a line that comes
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit.

    Attributes:
        what: What is wrong then.
        module: Where.
        seen_by: The tests that must fail, all of them.
        old: Whole lines that stand there once.
        new: Whole lines in their place.
        on: The connector it is tried on.
    """

    what: str
    module: str
    seen_by: tuple[str, ...]
    old: str
    new: str
    on: str = "plain"


def _read(path: Path) -> Iterator[Mutant]:
    for entry in path.read_text("utf-8").removeprefix("# ").split("\n\n# "):
        what, module, seen_by, *lines = entry.rstrip("\n").split("\n")
        old = "".join(f"{line[2:]}\n" for line in lines if line[:1] != "+")
        new = "".join(f"{line[2:]}\n" for line in lines if line[:1] != "-")
        names = seen_by.removeprefix("seen by ").split(", ")
        module, _, on = module.removeprefix("in ").partition(", on ")
        yield Mutant(what, module, tuple(f"test_{name}" for name in names), old, new, on or "plain")


MUTANTS: Final = tuple(mutant for path in sorted((Path(__file__).parent / "edits").glob("*.txt")) for mutant in _read(path))
"""Every mutant, by topic."""
