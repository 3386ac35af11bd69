"""What a plan costs: API calls per connection, and per account at a vendor the share of what is ours in a day."""

from __future__ import annotations

from collections.abc import Mapping

from aios_connect.connection import Connection

from .plans import Price

__all__ = ["calls_of", "prices_of"]


def calls_of(writes: Mapping[tuple[str, str, str], int], connections: Mapping[str, Connection]) -> dict[str, int]:
    """API calls per connection for so many writes of (connection, object, action), batches at the vendor's maximum."""
    total: dict[str, int] = {}
    for (name, object, action), count in writes.items():
        spec = connections[name].connector.spec.objects[object]
        calls = -(-count // spec.batch_size)
        if spec.conditional == "read-compare-write" and action != "create":
            calls += -(-count // spec.lookup_size)
        total[name] = total.get(name, 0) + calls
    return total


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
