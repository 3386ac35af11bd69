"""A vendor to measure against: pages of people with 25 fields, made once, served from memory on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aios_connect.connectors import ConnectorSpec, Context, ObjectSpec
from aios_connect.connectors.contract import Connector, Cursor, Identity, Page, Raw, Schema
from aios_connect.mappings import CompiledMapping, loads

SIZE = 100
MAPPING = """
connector: bench
object: people
kind: person
defaults: {region: US, tz: UTC, quoted: true, clear: ""}
fields:
  names.given: properties.firstname
  names.family: properties.lastname
  names.salutation: properties.salutation
  job_title: properties.jobtitle
  locale: properties.hs_language
  notes: properties.notes
  addresses.main.street: properties.address
  addresses.main.city: properties.city
  addresses.main.region: properties.state
  addresses.main.postal_code: properties.zip
  addresses.main.country: properties.country
  company: {from: properties.associatedcompanyid, as: reference, to: companies}
  owner: {from: properties.hubspot_owner_id, as: reference, to: owners}
  lifecycle: {from: properties.lifecyclestage, as: enum, values: {lead: lead, customer: customer, partner: evangelist}}
  custom.employees: {from: properties.numemployees, as: integer}
  custom.revenue: {from: properties.annualrevenue, as: decimal}
  custom.score: {from: properties.hubspotscore, as: decimal}
  custom.budget: {from: properties.budget, as: money, currency: USD}
  custom.opted_out: {from: properties.hs_email_optout, as: boolean}
  custom.first_seen: {from: properties.first_seen, as: instant}
  custom.last_seen: {from: properties.last_seen, as: instant}
  custom.start: {from: properties.start_date, as: date}
  custom.tags: {from: properties.tags, as: list, sep: ";"}
  custom.industry: properties.industry
  custom.website: properties.website
"""

SECOND = """
connector: bench
object: people
kind: person
defaults: {region: US, quoted: true, clear: ""}
fields:
  names.given: properties.firstname
  names.family: properties.lastname
  job_title: properties.jobtitle
  addresses.main.city: properties.city
"""


def person(number: int) -> Raw:
    """One record; deterministic."""
    return {
        "id": str(1000 + number),
        "updatedAt": f"2026-{1 + number % 12:02}-{1 + number % 28:02}T07:{number % 60:02}:35.{number % 1000:03}Z",
        "archived": False,
        "properties": {
            "firstname": f"Ada{number}",
            "lastname": f"Lovelace-{number % 977}",
            "salutation": "Dr.",
            "jobtitle": "Office manager",
            "hs_language": "en-us",
            "notes": f"Met at the fair; wants a quote for hall {number % 9}.",
            "address": f"{number % 400} Harbor Lane",
            "city": "Springfield",
            "state": "IL",
            "zip": f"{60000 + number % 900:05}",
            "country": "US",
            "associatedcompanyid": str(5000 + number % 2000),
            "hubspot_owner_id": str(number % 12),
            "lifecyclestage": ("lead", "customer", "evangelist")[number % 3],
            "numemployees": str(number % 300),
            "annualrevenue": f"{number * 37}.50",
            "hubspotscore": f"0.{number % 100:02}",
            "budget": f"{number % 90000}.25",
            "hs_email_optout": "false",
            "first_seen": "2026-01-05T09:30:00Z",
            "last_seen": f"2026-11-{1 + number % 20:02}T10:11:12.500Z",
            "start_date": "2026-12-01",
            "tags": "vip;north",
            "industry": "Facilities",
            "website": f"https://www.company{number % 2000}.example",
        },
    }


def pages(count: int) -> list[bytes]:
    """All pages as they go over the wire."""
    made = []
    for start in range(0, count, SIZE):
        last = start + SIZE >= count
        body: dict[str, Any] = {"results": [person(n) for n in range(start, min(start + SIZE, count))]}
        if not last:
            body["paging"] = {"next": {"after": str(start + SIZE)}}
        made.append(json.dumps(body).encode())
    return made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies: Sequence[bytes] = ()

    def do_GET(self) -> None:
        """One page."""
        after = int(parse_qs(urlsplit(self.path).query).get("after", ["0"])[0])
        body = self.bodies[after // SIZE]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Bench(Connector):
    """The connector of that vendor: what any list endpoint needs, and no more."""

    spec = ConnectorSpec(
        "bench", "Bench", "", (), (), {"people": ObjectSpec("People", frozenset({"read"}), modified="updatedAt", page_size=SIZE)}
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)

    def check(self) -> Identity:
        return Identity("bench", "bench")

    def describe(self, object: str) -> Schema:
        return Schema(object, {}, open=True)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return []

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        after = (since or {}).get("after", "0")
        while True:
            body = self.context.http.request("GET", "/people", params={"after": after}).json()
            following = body.get("paging", {}).get("next", {}).get("after")
            yield Page(body["results"], {"after": following}, following is None)
            if following is None:
                return
            after = following


class Second(Bench):
    """A place that has nobody yet and takes everybody."""

    spec = ConnectorSpec("bench", "Bench", "", (), (), {"people": ObjectSpec("People", frozenset({"read", "create"}))})

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        yield Page([], {}, True)


def mapping() -> CompiledMapping:
    """25 fields, all kinds of transforms but the cached ones (telephone, e-mail)."""
    return loads(MAPPING)


def second_mapping() -> CompiledMapping:
    """What the second place keeps of a person: 4 fields."""
    return loads(SECOND)


def main() -> None:
    """Serve so many people; says the port."""
    _Handler.bodies = pages(int(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
