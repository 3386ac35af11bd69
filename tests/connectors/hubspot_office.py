"""How a fake HubSpot is reached by its connector: in process, with a budget, a clock they share, and the scopes it may use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import SECRET, TOKEN, HubSpotVendor

from aios_connect.connectors import Change, Context, Credentials, Http, Page
from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.sandbox import transport

if TYPE_CHECKING:
    import httpx2

__all__ = ["calls", "connector", "create", "everything", "update"]


def connector(
    vendor: HubSpotVendor,
    *,
    through: httpx2.BaseTransport | None = None,
    token: str = TOKEN,
    app_secret: str = SECRET,
    budgeted: bool = True,
    attempts: int = 6,
    sign_in: str = "key",
    **settings: str,
) -> HubSpot:
    """A connector to a fake account; ``through`` is a transport around the vendor's."""
    clock = vendor.clock
    tokens = MemoryTokenStore(now=clock.now)
    tokens.put("crm", {"key": token, "access_token": token, "client_secret": app_secret})
    (way,) = [way for way in HubSpot.spec.auth if way.kind == sign_in]
    credentials = Credentials("crm", way, tokens, now=clock.now, sleep=clock.sleep)
    http = Http(
        provider="hubspot",
        base_url="https://api.hubapi.com",
        credentials=credentials,
        limits=HubSpot.spec.limits,
        budget=MemoryBudget(now=clock.now, sleep=clock.sleep) if budgeted else None,
        attempts=attempts,
        transport=through or transport(vendor),
        now=clock.now,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
        trust_env=False,
    )
    return HubSpot(Context("crm", settings, credentials, http, clock.now, clock.sleep, Path()))


def everything(hubspot: HubSpot, object: str, since: Any = None) -> list[Page]:
    """All pages of one read; the last one is complete, or the test is not worth anything."""
    pages = list(hubspot.read(object, since))
    assert pages[-1].complete
    assert not any(page.complete for page in pages[:-1])
    return pages


def calls(vendor: HubSpotVendor, start: int = 0) -> list[str]:
    """The requests since the ``start``-th, as ``GET /crm/v3/owners``."""
    return [f"{entry.call.method} {entry.call.path}" for entry in vendor.log[start:]]


def create(number: int, **properties: str) -> Change:
    """A create with our key."""
    return Change("create", f"line-{number}", patch={"properties": properties}, key=f"person_{number:026d}")


def update(id: str, patch: dict[str, Any], expect: dict[str, Any] | None = None) -> Change:
    """An update of properties, expecting others."""
    return Change("update", f"line-{id}", id, {"properties": patch}, {"properties": expect or {}})
