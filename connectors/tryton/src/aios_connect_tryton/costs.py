"""How many calls a write takes: what is looked at before it, each step of all that go the same way, and what is read back after it."""

from __future__ import annotations

from collections.abc import Sequence

from aios_connect.connectors import Change

from .workflow import START, path

__all__ = ["calls_of"]


def calls_of(changes: Sequence[Change], *, parts: bool) -> int:
    """API calls that changes of one action take, if Tryton refuses none of them.

    Args:
        changes: Some that go in one batch.
        parts: A record has parts whose changes are changes of it, so that Tryton cannot do the comparing alone.
    """
    total = sum((_are_looked_at(changes, parts), any(map(_names_a_contact, changes)), changes[0].action != "delete"))
    ways = [way for change in changes if (way := _way(change))]
    while ways:
        alike: dict[str, list[list[str]]] = {}
        for first, *rest in ways:
            alike.setdefault(first, []).append(rest)
        for step, left in alike.items():
            total += (2 if step == "finish" else 1) + any(left)  # a step leaves new stamps, which the next one needs
        ways = [rest for left in alike.values() for rest in left if rest]
    return total


def _are_looked_at(changes: Sequence[Change], parts: bool) -> bool:
    """Of new ones those that an earlier call may have begun to make, of others what is there."""
    action = changes[0].action
    if action == "create":
        return any(change.key and change.patch.get("state") not in (None, START) for change in changes)
    staged = any(change.patch.keys() & {"state", "party", "contact"} for change in changes)
    return parts or staged or action == "delete" or not all(change.version for change in changes)


def _names_a_contact(change: Change) -> bool:
    """Whose first contact mechanism is asked for."""
    return (change.patch.get("contact") or {}).get("person") is not None


def _way(change: Change) -> list[str]:
    """The steps of a change, by name."""
    state, goal = change.expect.get("state"), change.patch.get("state")
    if change.action == "delete":
        return [*_presses(state, "cancelled"), "delete"]
    if change.action == "create":
        presses = _presses(START, goal)
        return ["create", *presses, *(["finish"] if presses and change.key else [])]
    write = ["write"] if change.patch.keys() - {"state"} else []
    return [*write, *_presses(state or START, goal)]


def _presses(start: str | None, goal: str | None) -> list[str]:
    return [button for button, _ in path(start, goal) or ()] if start and goal else []
