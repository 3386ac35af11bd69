"""The words that every command takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from .screen import Screen

__all__ = ["All", "Common", "OnScreen", "Switch"]

OnScreen: TypeAlias = Annotated[Screen, Parameter(parse=False)]
"""The screen is handed to each command, not parsed from its words."""

Switch: TypeAlias = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option that is only ever switched on."""


All: TypeAlias = Annotated[bool, Parameter(name="--all", negative="", show_default=False)]
"""The option that shows everything."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """What every command takes.

    Attributes:
        json: Print JSON on stdout; progress and errors as JSON lines on stderr.
        project: The folder of the project; the present one or the nearest above, if not given.
    """

    json: Switch = False
    project: Path | None = None
