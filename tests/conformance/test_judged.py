"""What the suite makes HubSpot's and Google's connectors send, and what their fakes answer, is held against the vendors' specs."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from aios_connect.testing.conformance import VendorWorld
from tests.connectors.judging import specs

from .google_world import GoogleWorld
from .hubspot_world import HubSpotWorld

CASES = [
    (HubSpotWorld, "https://api.hubapi.com/crm/v3/owners/"),
    (GoogleWorld, "https://gmail.googleapis.com/gmail/v1/users/me/labels"),
]


@pytest.mark.parametrize(("world", "url"), CASES)
def test_a_request_that_the_vendors_spec_does_not_know_spoils_a_conformance_test(
    world: type[VendorWorld], url: str, tmp_path: Path
) -> None:
    pytest.importorskip("openapi_core")
    if not specs(world.connector.spec.provider).is_dir():
        pytest.skip("AIOS_SPECS names no folder with the vendor's specs")
    key = world.secrets.get("key") or world.secrets["access_token"]
    with httpx2.Client(transport=world(tmp_path).transport(), headers={"authorization": f"Bearer {key}"}) as client:
        assert client.get(url).status_code == 200
        with pytest.raises(AssertionError, match="imagined"):
            client.get(url, params={"imagined": "3"})
