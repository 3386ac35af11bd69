"""How a fake Salesforce is reached: by its connector in process, and by simple-salesforce without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_connect_salesforce import Salesforce
from aios_connect_salesforce.sandbox import REFRESH, TOKEN, SalesforceVendor

from aios_connect.connectors import Change, Context, Credentials, Http, Page, Raw
from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.oauth import token_http
from aios_connect.sandbox import transport

if TYPE_CHECKING:
    import httpx2
    from requests import Session

__all__ = ["URL", "calls", "connector", "create", "everything", "records", "session", "update"]

URL = "https://fjord.my.salesforce.com"


def connector(
    vendor: SalesforceVendor,
    *,
    through: httpx2.BaseTransport | None = None,
    secrets: Mapping[str, str] | None = None,
    tokens: MemoryTokenStore | None = None,
    budget: MemoryBudget | None = None,
    attempts: int = 6,
    budgeted: bool = True,
    **settings: str,
) -> Salesforce:
    """A connector to a fake organisation; ``through`` is a transport around the vendor's, ``tokens`` a store that others use, too."""
    clock, wire = vendor.clock, through or transport(vendor)
    if tokens is None:
        tokens = MemoryTokenStore(now=clock.now)
        tokens.put("crm", secrets or {"access_token": TOKEN, "refresh_token": REFRESH, "client_secret": "office"})
    plain = {"url": URL, "client_id": "office", "currency": "NOK", **settings}
    signing = token_http("salesforce", transport=wire, now=clock.now, sleep=clock.sleep)
    auth = Salesforce.spec.auth[0]
    credentials = Credentials("crm", auth, tokens, settings=plain, http=signing, now=clock.now, sleep=clock.sleep)
    http = Http(
        provider="salesforce",
        base_url=URL,
        credentials=credentials,
        limits=Salesforce.spec.limits,
        budget=budget or (MemoryBudget(now=clock.now, sleep=clock.sleep) if budgeted else None),
        attempts=attempts,
        transport=wire,
        now=clock.now,
        sleep=clock.sleep,
        jitter=lambda: 0.5,
        trust_env=False,
    )
    return Salesforce(Context("crm", plain, credentials, http, clock.now, clock.sleep, Path()))


def session(vendor: SalesforceVendor) -> Session:
    """A session of requests whose every request goes to the vendor."""
    from requests import PreparedRequest, Response, Session
    from requests.adapters import BaseAdapter

    class ToTheVendor(BaseAdapter):
        def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
            body: Any = request.body.encode() if isinstance(request.body, str) else request.body or b""
            headers = {name: str(value) for name, value in request.headers.items()}
            answer = vendor.exchange(str(request.method), str(request.url), headers, body)
            made = Response()
            made.status_code, made._content, made.url = answer.status, answer.body, str(request.url)
            made.headers.update(answer.headers)
            made.request = request
            return made

        def close(self) -> None:
            pass

    kept = Session()
    kept.mount("https://", ToTheVendor())
    return kept


def everything(salesforce: Salesforce, object: str, since: Any = None) -> list[Page]:
    """All pages of one read; the last one is complete, or the test is not worth anything."""
    pages = list(salesforce.read(object, since))
    assert pages[-1].complete
    assert not any(page.complete for page in pages[:-1])
    return pages


def records(salesforce: Salesforce, object: str, since: Any = None) -> dict[str, Raw]:
    """All records of one read, by id."""
    return {raw["Id"]: raw for page in everything(salesforce, object, since) for raw in page.records}


def calls(vendor: SalesforceVendor, start: int = 0) -> list[str]:
    """The requests since the ``start``-th, as ``GET query``."""
    return [
        f"{entry.call.method} {entry.call.path.partition('/services/data/v61.0/')[2] or entry.call.path}"
        for entry in vendor.log[start:]
    ]


def create(number: int, **values: Any) -> Change:
    """A create with our key."""
    return Change("create", f"line-{number}", patch=values, key=f"person_{number:026d}")


def update(raw: Raw, **patch: Any) -> Change:
    """An update of a record that was read."""
    return Change("update", f"line-{raw['Id']}", raw["Id"], patch, {name: raw.get(name) for name in patch}, raw["SystemModstamp"])
