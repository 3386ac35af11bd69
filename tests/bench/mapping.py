"""How long a mapping takes per record: 25 fields, JSON parsed with msgspec, leaves encoded with msgspec.

Run with ``python tests/bench/mapping.py``. Figures are the best of several rounds; trust the ratio to the hand-written function of
the same run more than the microseconds. Phone numbers and e-mail addresses are parsed once and remembered: their first parsing is
reported apart.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from time import perf_counter, process_time
from typing import Any

import msgspec

from aios_connect.mappings import CompiledMapping, loads
from aios_connect.mappings.contacts import Email, Phone

MAPPING = """
connector: hubspot
object: contacts
kind: person
defaults: {region: US, clear: "", quoted: true}
fields:
  names.given: properties.firstname
  names.family: properties.lastname
  names.salutation: properties.salutation
  emails.work: {from: properties.email, as: email}
  emails.personal: {from: properties.personal_email, as: email}
  phones.mobile: {from: [properties.mobilephone, properties.hs_mobile], as: phone}
  phones.work: {from: properties.phone, as: phone}
  company: {from: properties.associatedcompanyid, as: reference, to: companies}
  job_title: properties.jobtitle
  addresses.main.street: properties.address
  addresses.main.postal_code: properties.zip
  addresses.main.city: properties.city
  addresses.main.region: properties.state
  addresses.main.country: properties.country
  timezone: properties.hs_timezone
  locale: properties.hs_language
  lifecycle:
    {from: properties.lifecyclestage, as: enum, otherwise: keep, values: {lead: lead, customer: customer, partner: evangelist}}
  owner: {from: properties.hubspot_owner_id, as: reference, to: owners}
  website: properties.website
  source: properties.hs_lead_source
  tags: {from: properties.tags, as: list, sep: ";"}
  notes: properties.notes
  custom.budget: {from: properties.budget, as: money, currency: USD}
  custom.score: {from: properties.hubspotscore, as: integer}
  custom.first_seen: {from: properties.createdate, as: instant, access: read}
"""
FIELDS = 25
RECORDS = 2_000
ROUNDS = 25

_STAGES = ("lead", "customer", "evangelist", "")


@dataclass(frozen=True, slots=True)
class Figures:
    """Microseconds per record, and how much slower than by hand."""

    parse: float
    by_hand: float
    mapped: float
    encoded: float
    put_unchanged: float
    put_two: float
    phone: float
    email: float

    @property
    def ratio(self) -> float:
        """Mapping with parsing, against a hand-written function with parsing."""
        return self.mapped / self.by_hand


def records(count: int = RECORDS) -> list[bytes]:
    """Contacts as HubSpot's API writes them; 200 different numbers and addresses among them."""
    return [
        msgspec.json.encode(
            {
                "id": str(n),
                "properties": {
                    "firstname": f"Ada{n}",
                    "lastname": "Lovelace",
                    "salutation": None,
                    "email": f"ada{n % 200}@Example.org",
                    "personal_email": "",
                    "mobilephone": None if n % 3 else f"(212) 555-0{n % 200:03d}",
                    "hs_mobile": f"+1 212 555 0{n % 200:03d}",
                    "phone": f"212-555-1{n % 200:03d}",
                    "associatedcompanyid": str(10_000 + n),
                    "jobtitle": "Analyst",
                    "address": "12 St James's Square",
                    "zip": "00501",
                    "city": "London",
                    "state": "",
                    "country": "GB",
                    "hs_timezone": "Europe/London",
                    "hs_language": "en-GB",
                    "lifecyclestage": _STAGES[n % 4],
                    "hubspot_owner_id": str(n % 7 + 1),
                    "website": None,
                    "hs_lead_source": "OFFLINE",
                    "tags": "vip;north" if n % 2 else "",
                    "notes": None,
                    "budget": f"{n}.50",
                    "hubspotscore": str(n % 100),
                    "createdate": f"2026-11-{n % 28 + 1:02d}T07:50:35.{n % 1000:03d}Z",
                },
                "archived": False,
            }
        )
        for n in range(count)
    ]


def by_hand(raw: dict[str, Any], phone: Callable[[str], object], email: Callable[[str], object]) -> dict[str, Any]:
    """What somebody would write for these 25 fields, with the same results and no more care than needed."""
    p = raw["properties"]
    out: dict[str, Any] = {}
    out["names.given"] = p["firstname"] or None
    out["names.family"] = p["lastname"] or None
    out["names.salutation"] = p["salutation"] or None
    out["emails.work"] = email(p["email"]) if p["email"] else None
    out["emails.personal"] = email(p["personal_email"]) if p["personal_email"] else None
    mobile = p["mobilephone"] or p["hs_mobile"]
    out["phones.mobile"] = phone(mobile) if mobile else None
    out["phones.work"] = phone(p["phone"]) if p["phone"] else None
    out["company"] = f"companies:{p['associatedcompanyid']}" if p["associatedcompanyid"] else None
    out["job_title"] = p["jobtitle"] or None
    out["addresses.main.street"] = p["address"] or None
    out["addresses.main.postal_code"] = p["zip"] or None
    out["addresses.main.city"] = p["city"] or None
    out["addresses.main.region"] = p["state"] or None
    out["addresses.main.country"] = p["country"] or None
    out["timezone"] = p["hs_timezone"] or None
    out["locale"] = p["hs_language"] or None
    out["lifecycle"] = _BY_HAND[p["lifecyclestage"]] if p["lifecyclestage"] else None
    out["owner"] = f"owners:{p['hubspot_owner_id']}" if p["hubspot_owner_id"] else None
    out["website"] = p["website"] or None
    out["source"] = p["hs_lead_source"] or None
    out["tags"] = p["tags"].split(";") if p["tags"] else None
    out["notes"] = p["notes"] or None
    out["custom.budget"] = {"amount": _plain(p["budget"]), "currency": "USD"} if p["budget"] else None
    out["custom.score"] = int(p["hubspotscore"]) if p["hubspotscore"] else None
    out["custom.first_seen"] = _instant(p["createdate"]) if p["createdate"] else None
    return out


_BY_HAND = {"lead": "lead", "customer": "customer", "evangelist": "partner"}
_CANONICAL = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?\Z")


def _plain(text: str) -> str:
    if _CANONICAL.match(text):
        return text
    plain = format(Decimal(text), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()[:-6] + "Z"


def best(stream: Callable[[], Iterable[object]], *, count: int = RECORDS, rounds: int = ROUNDS) -> float:
    """Microseconds per record, the best of several rounds; results are dropped as they come, as a stream drops them."""
    times = []
    for _ in range(rounds):
        start = process_time()
        deque(stream(), maxlen=0)
        times.append(process_time() - start)
    return min(times) / count * 1e6


def measure(mapping: CompiledMapping, lines: Sequence[bytes]) -> Figures:
    """All figures, on the same records in the same run."""
    decode, encode, get, put = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode, mapping.get, mapping.put
    parse_phone, check_email = Phone.model_validate({"from": "x", "region": "US"}).get, Email.model_validate({"from": "x"}).get
    phone, email = lru_cache(maxsize=None)(parse_phone), lru_cache(maxsize=None)(check_email)
    raws = [decode(line) for line in lines]
    seen = [get(raw)[0] for raw in raws]
    assert seen == [by_hand(raw, phone, email) for raw in raws], "the two do not agree"
    told = [{**leaves, "job_title": "Countess", "addresses.main.city": "Ockham"} for leaves in seen]
    numbers = [f"+1 212 55{n % 10} {perf_counter() * 1e7 % 10000:04.0f}" for n in range(200)]
    addresses = [f"a{n}.{perf_counter():.9f}@example.org" for n in range(200)]
    return Figures(
        parse=best(lambda: map(decode, lines)),
        by_hand=best(lambda: map(by_hand, map(decode, lines), repeat(phone), repeat(email))),
        mapped=best(lambda: map(get, map(decode, lines))),
        encoded=best(lambda: map(encode, map(itemgetter(0), map(get, map(decode, lines))))),
        put_unchanged=best(lambda: map(put, seen, seen, raws)),
        put_two=best(lambda: map(put, told, seen, raws)),
        phone=best(lambda: map(parse_phone, numbers), count=200, rounds=1),
        email=best(lambda: map(check_email, addresses), count=200, rounds=1),
    )


def main() -> None:
    """Print the figures."""
    mapping = loads(MAPPING)
    assert len(mapping.fields) == FIELDS
    figures = measure(mapping, records())
    print(f"{FIELDS} fields, {RECORDS} records, best of {ROUNDS}, microseconds per record")
    print(f"  parse JSON                         {figures.parse:6.2f}")
    print(f"  parse, by hand                     {figures.by_hand:6.2f}")
    print(f"  parse, mapping                     {figures.mapped:6.2f}   ({figures.ratio:.2f} x by hand; bar 5, aim 2.2)")
    print(f"  parse, mapping, encode leaves      {figures.encoded:6.2f}")
    print(f"  put, nothing changed               {figures.put_unchanged:6.2f}")
    print(f"  put, two leaves changed            {figures.put_two:6.2f}")
    print(f"  first parsing of a phone number    {figures.phone:6.2f}")
    print(f"  first check of an e-mail address   {figures.email:6.2f}")


if __name__ == "__main__":
    main()
