"""The page on HubSpot and Tryton, done as it says with a real Tryton and the fake HubSpot with its hazards on."""

from __future__ import annotations

import pytest
from aios_connect_hubspot.sandbox import TOKEN, HubSpotVendor, furnish

from aios_connect.sandbox import serve
from aios_connect.testing.servers import tryton
from tests.page_reader import ROOT, Reader
from tests.test_docs import _read, reader

__all__ = ["reader"]

pytestmark = pytest.mark.live


def test_what_the_page_on_hubspot_and_tryton_shows_comes_out_as_shown(
    reader: Reader, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = furnish(HubSpotVendor())
    with serve(vendor) as hubspot, tryton(tmp_path_factory.mktemp("tryton")) as server:
        there = {"URL": server.url, "DATABASE": server.database, "USER": server.user, "PASSWORD": server.password}
        for name, value in there.items():
            monkeypatch.setenv(f"AIOS_TRYTON_{name}", value)
        monkeypatch.setenv("AIOS_HUBSPOT_URL", hubspot.url)
        monkeypatch.setenv("AIOS_HUBSPOT_KEY", TOKEN)
        reader.live = True
        try:
            _read(ROOT / "docs" / "how-to" / "keep-hubspot-and-tryton-in-step.md", reader)
        finally:
            print(reader.shown)
