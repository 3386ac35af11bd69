"""Secrets from the environment stand beside those that are kept, and never over tokens that were exchanged since."""

from __future__ import annotations

from datetime import UTC, datetime

from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.project.secrets import EnvironmentTokens

NAMES = ("key", "client_secret", "refresh_token", "access_token")


def tokens(kept: dict[str, str], **environment: str) -> EnvironmentTokens:
    below = MemoryTokenStore(now=lambda: datetime(2026, 1, 5, tzinfo=UTC))
    if kept:
        below.put("crm", kept)
    return EnvironmentTokens(
        {f"AIOS_CRM_{name.upper()}": value for name, value in environment.items()}, lambda _: NAMES, lambda: below
    )


def values(store: EnvironmentTokens) -> dict[str, str]:
    found = store.get("crm")
    return {} if found is None else dict(found.values)


def test_a_secret_that_is_not_kept_is_added_to_those_that_are() -> None:
    assert values(tokens({"key": "kept"}, client_secret="signs")) == {"key": "kept", "client_secret": "signs"}


def test_a_token_that_was_exchanged_since_is_not_replaced_by_the_first_one() -> None:
    assert values(tokens({"refresh_token": "second"}, refresh_token="first"))["refresh_token"] == "second"


def test_a_key_of_the_environment_alone_needs_no_store() -> None:
    assert values(tokens({"key": "kept"}, key="given")) == {"key": "given"}
    assert values(tokens({}, client_secret="signs")) == {"client_secret": "signs"}
    assert values(tokens({})) == {}
