"""Connectors are found by their entry points; listing them imports none."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from aios_connect.connectors import Connector, registry
from aios_connect.errors import ConfigError


def announce(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    known = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in entries.items())
    monkeypatch.setattr(registry, "_announced", lambda: known)


def test_listing_and_naming_imports_no_connector() -> None:
    code = (
        "import sys; from aios_connect.connectors import registry; names = registry.available();"
        "assert 'csv' in names, names; assert names == tuple(sorted(names));"
        "assert not [name for name in sys.modules if name.startswith('aios_connect_')]; print('ok')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "ok\n"


def test_a_connector_is_loaded_by_its_slug() -> None:
    loaded = registry.load("csv")
    assert issubclass(loaded, Connector)
    assert loaded.spec.provider == "csv"


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ("hubspto", "there is no connector 'hubspto'", "did you mean 'hubspot'?"),
        ("zoho", r"'zoho' installed \(installed: broken, foreign, hubspot, thing\)", "pip install 'aios-connect[zoho]'"),
        ("broken", "does not load: No module named 'nowhere'", "install it again"),
        ("thing", "is not a connector class", "package:Class"),
        ("foreign", "gives the connector of 'csv'", "slug"),
    ],
)
def test_what_is_not_there_or_wrong_is_a_sentence_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, wanted: str, message: str, hint: str
) -> None:
    announce(monkeypatch, hubspot="x:Y", broken="nowhere:Thing", thing="json:dumps", foreign="aios_connect_csv:CSV")
    with pytest.raises(ConfigError, match=message) as caught:
        registry.load(wanted)
    assert hint in caught.value.hint


def test_nothing_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch)
    empty: Any = ()
    assert registry.available() == empty
    with pytest.raises(ConfigError, match="installed: none"):
        registry.load("csv")
