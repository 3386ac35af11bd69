"""A believable company in a fake organisation: a firm of facility services in Bergen, its users, customers, leads, deals and dates."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from ._vendor import SalesforceVendor

__all__ = ["furnish"]

_USERS: Final = (
    ("Sigrid", "Aas", "sigrid@example.com", True),
    ("Mikkel", "Borg", "mikkel@example.com", True),
    ("Leila", "Haddad", "leila@example.com", True),
    ("Tor", "Vik", "tor@example.com", False),
)
_ACCOUNTS: Final = (
    ("Bryggen Dental", "bryggendental.example.com", "+4755550101", "Bergen", "5003", "Healthcare", 14, "2400000"),
    ("Ulriken Coffee", "ulrikencoffee.example.com", "+4755550102", "Bergen", "5009", "Food & Beverage", 31, "18500000"),
    ("Fana Law", "fanalaw.example.com", "+4755550103", "Bergen", "5221", "Consulting", 9, None),
    ("Sotra Robotics", "sotrarobotics.example.com", "+4755550104", "Straume", "5353", "Machinery", 120, "139000000"),
    ("Nordnes School", "nordnesschool.example.com", "+4755550105", "Bergen", "5005", "Education", 64, None),
)
_CONTACTS: Final = (
    ("Dr.", "Åse", "Dahl", "Practice manager", 0),
    (None, "Jon", "O'Hara", "Owner", 1),
    ("Ms.", "Wen", "Zhao", "Facilities lead", 3),
    (None, "Priya", "Nair", "Office manager", 2),
    ("Mr.", "Olav", "Tveit", "Caretaker", 4),
    (None, "Anne-Marie", "Løvås", None, 3),
)
_LEADS: Final = (
    ("Kari", "Moe", "Moe Bakery", "Web", "Open - Not Contacted"),
    ("Samuel", "Adeyemi", "Adeyemi Architects", "Phone Inquiry", "Working - Contacted"),
    ("Ida", "Lie", "Lie & Lund", "Partner Referral", "Closed - Not Converted"),
)
_DEALS: Final = (
    ("Weekly cleaning, surgery", 0, 0, "Proposal/Price Quote", "27450.50", 21),
    ("Roastery deep clean", 1, 1, "Prospecting", "3200", 35),
    ("Clean-room contract", 3, 2, "Negotiation/Review", "1480000", 49),
    ("Summer floor care", 4, 4, "Closed Won", "62000.25", -10),
    ("Window cleaning", 2, 3, "Closed Lost", None, -3),
)


def furnish(vendor: SalesforceVendor) -> SalesforceVendor:
    """Put the company into an organisation, as people would have over some hours; gives the organisation back."""
    clock, records = vendor.clock, vendor.records
    users = []
    for number, (first, last, email, works) in enumerate(_USERS):
        facts = {"FirstName": first, "LastName": last, "Email": email, "Username": email, "Alias": first[:5].casefold()}
        more = {"IsActive": works, "UserType": "Standard", "TimeZoneSidKey": "Europe/Oslo", "LocaleSidKey": "nb_NO"}
        users.append(str(records["User"].create({**facts, **more, "ProfileId": f"00e5j00000000{number:02d}AAA"})["Id"]))
    accounts, contacts = [], []
    for number, (name, domain, phone, city, postcode, industry, size, revenue) in enumerate(_ACCOUNTS):
        clock.sleep(431.0)
        values: dict[str, Any] = {
            "Name": name,
            "Website": f"https://{domain}",
            "Phone": phone,
            "BillingStreet": f"Strandgaten {number + 2}",
            "BillingCity": city,
            "BillingPostalCode": postcode,
            "BillingCountry": "Norway",
            "Industry": industry,
            "NumberOfEmployees": size,
            "AnnualRevenue": None if revenue is None else Decimal(revenue),
            "Type": "Customer - Direct" if number % 2 == 0 else "Prospect",
            "OwnerId": users[number % 3],
        }
        accounts.append(_made(vendor, "Account", values))
    for number, (title, first, last, job, account) in enumerate(_CONTACTS):
        clock.sleep(173.5)
        domain = _ACCOUNTS[account][1]
        word = last.casefold().replace("'", "").replace("ø", "o").replace("å", "a")
        values = {
            "Salutation": title,
            "FirstName": first,
            "LastName": last,
            "Email": f"{word}@{domain}",
            "MobilePhone": f"+47912340{number + 10}",
            "Title": job,
            "AccountId": accounts[account],
            "OwnerId": users[number % 3],
        }
        contacts.append(_made(vendor, "Contact", values))
    leads = []
    for number, (first, last, company, source, status) in enumerate(_LEADS):
        clock.sleep(97.0)
        values = {"FirstName": first, "LastName": last, "Company": company, "LeadSource": source, "Status": status}
        more = {"Email": f"{last.casefold()}@example.org", "OwnerId": users[number % 3], "City": "Bergen"}
        leads.append(_made(vendor, "Lead", {**values, **more}))
    deals = []
    for number, (name, account, contact, stage, amount, days) in enumerate(_DEALS):
        clock.sleep(61.0)
        values = {
            "Name": name,
            "AccountId": accounts[account],
            "ContactId": contacts[contact],
            "StageName": stage,
            "Amount": None if amount is None else Decimal(amount),
            "CloseDate": (clock.now() + timedelta(days=days)).date().isoformat(),
            "OwnerId": users[number % 3],
        }
        deals.append(_made(vendor, "Opportunity", values))
    due = (clock.now() + timedelta(days=7)).date().isoformat()
    for number, (subject, who, what) in enumerate(
        (
            ("Call", contacts[0], deals[0]),
            ("Send Letter/Quote", contacts[1], accounts[1]),
            ("Call", leads[0], None),
            ("Order floor wax", None, deals[3]),
        )
    ):
        clock.sleep(83.0)
        values = {"Subject": subject, "WhoId": who, "WhatId": what, "ActivityDate": due, "OwnerId": users[number % 3]}
        _made(vendor, "Task", {**values, "Status": "Completed" if number == 3 else "Not Started"})
    for number, (subject, who, what) in enumerate(
        (("Walk through the plant", contacts[2], deals[2]), ("Meeting", leads[1], None))
    ):
        start = (clock.now() + timedelta(days=number + 2)).replace(hour=9, minute=30, second=0, microsecond=0)
        values = {"Subject": subject, "WhoId": who, "WhatId": what, "StartDateTime": start, "DurationInMinutes": 45}
        _made(vendor, "Event", {**values, "Location": "At the customer's", "OwnerId": users[number]})
    clock.sleep(600.0)
    return vendor


def _made(vendor: SalesforceVendor, object: str, values: dict[str, Any]) -> str:
    """One of the company's people makes a record."""
    if vendor.currencies and "CurrencyIsoCode" in vendor.tables[object].fields:
        values = {"CurrencyIsoCode": vendor.currencies[0], **values}
    return str(vendor.people_make(object, values)["Id"])
