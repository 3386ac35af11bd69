"""What a plan costs: API calls per connection, and per account at a vendor the share of what is ours in a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Change

from .paths import overlaid
from .plans import PlanLine, Price

__all__ = ["Bill", "prices_of"]


class Bill:
    """Adds up the API calls of a plan while its lines are made, in the batches in which they will be applied.

    Args:
        connections: By name; what a batch costs, their connectors say. No vendor is called.
    """

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections
        self._batches: dict[tuple[str, str, str], list[Change]] = {}
        self._calls: dict[str, int] = {}

    def add(self, line: PlanLine) -> None:
        """One more line; those that write to no vendor cost nothing."""
        if line.local:
            return
        batch = self._batches.setdefault((line.connection, line.object, line.action), [])
        batch.append(_change(line, self._connections[line.connection]))
        if len(batch) == self._connections[line.connection].connector.spec.objects[line.object].batch_size:
            self._close(line.connection, line.object, line.action)

    def calls(self) -> dict[str, int]:
        """Connection -> API calls, of all lines so far: nothing is added to a batch after that."""
        for batch in list(self._batches):
            self._close(*batch)
        return self._calls

    def _close(self, name: str, object: str, action: str) -> None:
        changes = self._batches.pop((name, object, action))
        self._calls[name] = self._calls.get(name, 0) + self._connections[name].connector.calls(object, changes)


def _change(line: PlanLine, connection: Connection) -> Change:
    """What will be written. Which id a record that is made first will get is not known: any does, as long as it is another one."""
    patch, expect = line.patch, line.expect
    there: dict[str, Any] | None = {} if line.id else None  # what a new record gets besides is no part of a change
    for leaf in line.later:
        mapping = connection.mapping(line.kind)
        to, _ = mapping.references[leaf]
        patch = overlaid(patch, mapping.put({leaf: f"{to}:1"}, {}, there))
        if any(field.leaf == leaf and field.old for field in line.fields):
            expect = overlaid(expect, mapping.put({leaf: f"{to}:0"}, {}, there))
    return Change(line.action, line.line, line.id, patch, expect, line.version or None, line.key)  # type: ignore[arg-type]


def prices_of(calls: Mapping[str, int], connections: Mapping[str, Connection]) -> dict[str, Price]:
    """Account -> the price of so many calls per connection, at vendors that count by the day. No vendor is called.

    Connections that share an account share its day.
    """
    prices: dict[str, Price] = {}
    for name, count in calls.items():
        allowed = connections[name].allowance()
        if allowed is None:
            continue
        price = prices.setdefault(
            allowed.account, Price([], 0, allowed.daily, allowed.used, allowed.reserve, share=0.0, enough=True)
        )
        price.connections.append(name)
        price.calls += count
        ours = max(1, price.daily - price.reserve)
        price.share = round(100 * price.calls / ours, 2)
        price.enough = price.calls <= ours - price.used
    return prices
