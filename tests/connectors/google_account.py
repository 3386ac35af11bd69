"""How a fake Google is reached by its connector: in process, with a budget, a clock they share, and the scopes consented to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_connect_google import Google
from aios_connect_google.sandbox import REFRESH, TOKEN, GoogleVendor

from aios_connect.connectors import Context, Credentials, Http, Page
from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.oauth import token_http
from aios_connect.sandbox import transport

if TYPE_CHECKING:
    import httpx2

CHANNEL_TOKEN = "ours-Xy12-channel"

__all__ = ["CHANNEL_TOKEN", "asked", "connector", "everything"]


def connector(
    vendor: GoogleVendor,
    *,
    through: httpx2.BaseTransport | None = None,
    token: str = TOKEN,
    budgeted: bool = True,
    attempts: int = 6,
    max_size: int = 2**26,
    **settings: str,
) -> Google:
    """A connector to a fake account; ``through`` is a transport around the vendor's. Without a token it gets one by itself."""
    clock = vendor.clock
    tokens = MemoryTokenStore(now=clock.now)
    secrets = {"refresh_token": REFRESH, "client_id": "us", "client_secret": "ours", "channel_token": CHANNEL_TOKEN}
    tokens.put("office", secrets | ({"access_token": token} if token else {}))
    wire = through or transport(vendor)
    signing = token_http("google", transport=wire, now=clock.now, sleep=clock.sleep)
    credentials = Credentials(
        "office",
        Google.spec.auth[0],
        tokens,
        settings={"oauth_url": "https://oauth2.googleapis.com"},
        http=signing,
        now=clock.now,
        sleep=clock.sleep,
    )
    http = Http(
        provider="google",
        credentials=credentials,
        limits=Google.spec.limits,
        budget=MemoryBudget(now=clock.now, sleep=clock.sleep) if budgeted else None,
        account="office",
        attempts=attempts,
        max_size=max_size,
        transport=wire,
        now=clock.now,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
        trust_env=False,
    )
    return Google(Context("office", settings, credentials, http, clock.now, clock.sleep, Path()))


def everything(google: Google, object: str, since: Any = None) -> list[Page]:
    """All pages of one read; the last one is complete, or the test is not worth anything."""
    pages = list(google.read(object, since))
    assert pages[-1].complete
    assert not any(page.complete for page in pages[:-1])
    return pages


def asked(vendor: GoogleVendor, start: int = 0) -> list[str]:
    """The requests since the ``start``-th, as ``GET /calendar/v3/...``."""
    return [f"{entry.call.method} {entry.call.path}" for entry in vendor.log[start:]]
