"""What is in a fake account: the week of somebody who sells cleaning in Portland."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from ._account import ADDRESS
from ._vendor import GoogleVendor

__all__ = ["furnish"]

_ZONE: Final = "America/Los_Angeles"
_EVENTS: Final = (
    ("Walk-through, Alder & Finch Dental", "2026-01-06T09:00:00-08:00", "2026-01-06T10:00:00-08:00", "9 Pier Lane"),
    ("Call with Northgate Robotics", "2026-01-06T14:30:00-08:00", "2026-01-06T15:00:00-08:00", "https://meet.example.com/abc"),
    ("Deep clean, Bluebird Coffee", "2026-01-10T06:00:00-08:00", "2026-01-10T12:00:00-08:00", "12 Mill Street"),
)
_PEOPLE: Final = (
    ("Miriam", "Alder", "miriam@alderfinch.example.com", "Alder & Finch Dental", "Owner", "(503) 555-0101"),
    ("Zoë", "O'Hara", "zoe.ohara@harborlane.example.com", "Harbor Lane Montessori", "Bursar", "(503) 555-0140"),
    ("Wen", "Zhao", "wen@northgate.example.com", "Northgate Robotics", "Facilities lead", "(503) 555-0106"),
)
_MAIL: Final = (
    (
        "m1@northgate.example.com",
        "Wen Zhao <wen@northgate.example.com>",
        "Clean room, floor 2",
        "",
        "Can you do nights in February?",
    ),
    (
        "m2@northgate.example.com",
        "Wen Zhao <wen@northgate.example.com>",
        "Re: Clean room, floor 2",
        "m1@northgate.example.com",
        "Or weekends.",
    ),
    ("m3@harborlane.example.com", "Zoë O'Hara <zoe.ohara@harborlane.example.com>", "Invoice", "", "It has the wrong floor."),
)


def furnish(vendor: GoogleVendor) -> GoogleVendor:
    """Put a company's calendars into an account."""
    team = vendor.add_calendar("team@group.calendar.example.com", "The team", zone=_ZONE)
    for summary, start, end, location in _EVENTS:
        when = {"start": {"dateTime": start, "timeZone": _ZONE}, "end": {"dateTime": end, "timeZone": _ZONE}}
        vendor.make_event({"summary": summary, "location": location, **when})
    weekly = {
        "start": {"dateTime": "2026-01-05T08:30:00-08:00", "timeZone": _ZONE},
        "end": {"dateTime": "2026-01-05T09:00:00-08:00", "timeZone": _ZONE},
        "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=10"],
    }
    vendor.make_event({"summary": "Monday round", **weekly})
    vendor.make_event({"summary": "Closed", "start": {"date": "2026-01-19"}, "end": {"date": "2026-01-20"}}, calendar=team.id)
    for given, family, address, company, title, number in _PEOPLE:
        vendor.make_contact(
            {
                "names": [{"givenName": given, "familyName": family}],
                "emailAddresses": [{"value": address, "type": "work"}],
                "phoneNumbers": [{"value": number, "type": "work"}],
                "organizations": [{"name": company, "title": title}],
            }
        )
    for id, sender, subject, answers, text in _MAIL:
        message = EmailMessage()
        message["Message-ID"], message["From"], message["To"], message["Subject"] = f"<{id}>", sender, ADDRESS, subject
        message["Date"] = format_datetime(vendor.clock.now())
        if answers:
            message["In-Reply-To"] = message["References"] = f"<{answers}>"
        message.set_content(text)
        vendor.receive_mail(message.as_bytes())
    return vendor
