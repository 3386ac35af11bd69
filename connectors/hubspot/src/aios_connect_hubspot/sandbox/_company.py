"""A believable company in a fake account: a cleaning firm in Portland, its owners, customers, deals, tickets, and what was done about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ._account import text_of
from ._vendor import HubSpotVendor

__all__ = ["furnish"]

_OWNERS: Final = (
    ("501", "Nora", "Lindqvist", "nora@example.com", False),
    ("502", "Marcus", "Bell", "marcus@example.com", False),
    ("503", "Aisha", "Karim", "aisha@example.com", False),
    ("504", "Tom", "Reyes", "tom@example.com", True),
)
_COMPANIES: Final = (
    ("Alder & Finch Dental", "alderfinch.example.com", "+15035550101", "97209", "HOSPITAL_HEALTH_CARE", "14"),
    ("Bluebird Coffee Roasters", "bluebirdcoffee.example.com", "+15035550102", "97202", "FOOD_BEVERAGES", "31"),
    ("Cascade Family Law", "cascadefamilylaw.example.com", "+15035550103", "97205", "LAW_PRACTICE", "9"),
    ("Copper Kettle Brewing", "copperkettle.example.com", "+15035550104", "97227", "FOOD_BEVERAGES", "22"),
    ("Harbor Lane Montessori", "harborlane.example.com", "+15035550105", "97203", "EDUCATION_MANAGEMENT", "18"),
    ("Northgate Robotics", "northgate.example.com", "+15035550106", "97217", "MACHINERY", "120"),
    ("Sunnyside Veterinary", "sunnysidevet.example.com", "+15035550107", "97214", "VETERINARY", "11"),
    ("Tidewater Yoga", "tidewateryoga.example.com", "+15035550108", "97211", "HEALTH_WELLNESS_AND_FITNESS", "5"),
)
_PEOPLE: Final = (
    ("Miriam", "Alder", "Owner", 0),
    ("Theo", "Finch", "Practice manager", 0),
    ("Jonas", "Bluhm", "Founder", 1),
    ("Carla", "Ortega", "Operations", 1),
    ("Omar", "Haddad", "Partner", 2),
    ("Grace", "Okonkwo", "Office manager", 2),
    ("Rui", "Tavares", "Brewmaster", 3),
    ("Zoë", "O'Hara", "Bursar", 4),
    ("Wen", "Zhao", "Facilities lead", 5),
    ("Ingrid", "Sørensen", "COO", 5),
    ("Dr. Paula", "Nguyễn", "Veterinarian", 6),
    ("Noor", "Al-Masri", "Instructor", 7),
    ("Sam", "Okafor", "", None),
)
_DEALS: Final = (
    ("Nightly cleaning, both floors", 0, 1, "closedwon", "18600", "2026-01-30"),
    ("Window cleaning, spring", 0, 0, "appointmentscheduled", "1450", "2026-03-15"),
    ("Roastery deep clean", 1, 3, "presentationscheduled", "3900", "2026-02-11"),
    ("Office cleaning, 18 months", 2, 4, "presentationscheduled", "27450.50", "2026-02-18"),
    ("Brewhouse degreasing", 3, 6, "appointmentscheduled", "", "2026-02-05"),
    ("Summer floor care", 4, 7, "decisionmakerboughtin", "6200", "2026-05-29"),
    ("Clean-room contract", 5, 8, "decisionmakerboughtin", "148000", "2026-03-31"),
    ("Kennel disinfection", 6, 10, "closedlost", "2100", "2025-12-19"),
)
_TICKETS: Final = (
    ("Key card stopped working", 0, 1, "1", "HIGH"),
    ("Invoice has the wrong floor", 5, 9, "2", "MEDIUM"),
    ("Thank you!", 4, 7, "4", "LOW"),
)
_ACTIVITIES: Final = (
    ("calls", 0, 1, 0, {"title": "Rang about the key card", "body": "Left a message.", "direction": "OUTBOUND"}),
    ("calls", 1, 3, None, {"title": "Asked for a quote", "body": "Wants weekends only.", "direction": "INBOUND"}),
    ("emails", 5, 8, 6, {"subject": "Clean-room contract", "text": "Our offer.", "direction": "EMAIL", "status": "SENT"}),
    (
        "emails",
        5,
        8,
        6,
        {"subject": "Re: Clean-room contract", "text": "We agree.", "direction": "INCOMING_EMAIL", "status": "SENT"},
    ),
    ("meetings", 4, 7, 5, {"title": "Walk through the school", "body": "Bring samples.", "outcome": "SCHEDULED"}),
    ("notes", 2, 4, 3, {"body": "Keys at the desk; alarm code with Grace."}),
    ("tasks", 0, 1, None, {"subject": "Call about the key card", "type": "CALL", "priority": "HIGH", "status": "NOT_STARTED"}),
    ("tasks", 2, 4, 3, {"subject": "Send the quote", "type": "EMAIL", "priority": "MEDIUM", "status": "NOT_STARTED"}),
    ("tasks", 4, 7, 5, {"subject": "Order floor wax", "type": "TODO", "priority": "LOW", "status": "COMPLETED"}),
)
"""Object, company, person, deal, and the properties without the beginning of their names."""


def furnish(vendor: HubSpotVendor) -> HubSpotVendor:
    """Put the company into an account, as people would have over some hours; gives the account back."""
    clock = vendor.clock
    for id, first, last, email, left in _OWNERS:
        at = text_of(clock.now())
        owner = {"id": id, "email": email, "firstName": first, "lastName": last, "userId": int(id) + 7000, "type": "PERSON"}
        vendor.owners.append({**owner, "createdAt": at, "updatedAt": at, "archived": left})
    companies, people = [], []
    for number, (name, domain, phone, postcode, industry, size) in enumerate(_COMPANIES):
        clock.sleep(431.0)
        values = {
            "name": name,
            "domain": domain,
            "website": f"https://{domain}",
            "phone": phone,
            "city": "Portland",
            "state": "OR",
            "zip": postcode,
            "country": "United States",
            "industry": industry,
            "numberofemployees": size,
            "lifecyclestage": "customer" if number % 2 == 0 else "lead",
            "hubspot_owner_id": _OWNERS[number % 3][0],
        }
        companies.append(vendor.records["companies"].create(values, by="a person"))
    for number, (first, last, title, employer) in enumerate(_PEOPLE):
        clock.sleep(173.5)
        domain = "example.org" if employer is None else _COMPANIES[employer][1]
        word = last.casefold().replace("'", "").replace("-", "").encode("ascii", "ignore").decode()
        values = {
            "firstname": first,
            "lastname": last,
            "email": f"{first.split()[-1].casefold().encode('ascii', 'ignore').decode()}.{word}@{domain}",
            "jobtitle": title,
            "mobilephone": f"+1971555{number + 110:04d}",
            "lifecyclestage": "lead" if employer is None else "customer",
            "hubspot_owner_id": _OWNERS[number % 3][0],
        }
        person = vendor.records["contacts"].create(values, by="a person")
        people.append(person)
        if employer is not None:
            vendor.associations.add("contacts", person.id, "companies", companies[employer].id, primary=True)
    deals = []
    for number, (name, company, contact, stage, amount, close) in enumerate(_DEALS):
        clock.sleep(97.0)
        values = {
            "dealname": name,
            "pipeline": "default",
            "dealstage": stage,
            "amount": amount,
            "deal_currency_code": "USD",
            "closedate": f"{close}T17:00:00Z",
            "hubspot_owner_id": _OWNERS[number % 3][0],
        }
        deal = vendor.records["deals"].create(values, by="a person")
        vendor.associations.add("deals", deal.id, "companies", companies[company].id, primary=True)
        vendor.associations.add("deals", deal.id, "contacts", people[contact].id)
        deals.append(deal)
    for subject, company, contact, stage, priority in _TICKETS:
        clock.sleep(61.0)
        values = {"subject": subject, "hs_pipeline": "0", "hs_pipeline_stage": stage, "hs_ticket_priority": priority}
        ticket = vendor.records["tickets"].create(values, by="a person")
        vendor.associations.add("tickets", ticket.id, "companies", companies[company].id, primary=True)
        vendor.associations.add("tickets", ticket.id, "contacts", people[contact].id)
    for number, (object, company, contact, about, said) in enumerate(_ACTIVITIES):
        clock.sleep(83.0)
        due = clock.now() + timedelta(days=7) if object == "tasks" else clock.now()
        values = {"hs_timestamp": text_of(due), "hubspot_owner_id": _OWNERS[number % 3][0]}
        values |= {f"hs_{object.removesuffix('s')}_{name}": value for name, value in said.items()}
        record = vendor.records[object].create(values, by="a person")
        vendor.associations.add(object, record.id, "companies", companies[company].id)
        vendor.associations.add(object, record.id, "contacts", people[contact].id)
        if about is not None:
            vendor.associations.add(object, record.id, "deals", deals[about].id)
    clock.sleep(600.0)
    return vendor
