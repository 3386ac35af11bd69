"""The states of an opportunity and the buttons between them.

Tryton lets nobody write the state; a state is reached by pressing buttons, each of which it shows in some states only
(``sale_opportunity`` 8.2). Won is reached by no button: the sale that ``convert`` makes is confirmed, and the opportunity follows.
"""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["ENDED", "OPEN", "START", "path"]

START: Final = "lead"
OPEN: Final = ("lead", "opportunity")
"""Where an opportunity's fields can be written, the state that permits most first."""
ENDED: Final = ("lost", "cancelled")
"""States whose buttons put the present day in the place of the end date; there it cannot be written."""

_BUTTONS: Final = {
    "lead": {"opportunity": "opportunity", "lost": "lost", "cancelled": "cancel"},
    "opportunity": {"lead": "lead", "converted": "convert", "lost": "lost", "cancelled": "cancel"},
    "lost": {"lead": "lead"},
    "cancelled": {"lead": "lead"},
}


def path(start: str, goal: str) -> list[tuple[str, str]] | None:
    """The fewest buttons from one state to another, each with the state it leads to; ``None`` if there is no way."""
    ways: dict[str, list[tuple[str, str]]] = {start: []}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        if here == goal:
            return ways[here]
        for there, button in _BUTTONS.get(here, {}).items():
            if there not in ways:
                ways[there] = [*ways[here], (button, there)]
                queue.append(there)
    return None
