"""The world of Google: its fake, with everything on that is hard about Google."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_connect_google import Google
from aios_connect_google._gmail import Messages
from aios_connect_google.sandbox import ADDRESS, REFRESH, TOKEN, GoogleVendor, Hazards
from aios_connect_google.sandbox._changes import Changes

from aios_connect.connectors import Context, Raw
from aios_connect.sandbox import Answer, Call, route
from aios_connect.testing.conformance import Sample, VendorWorld
from aios_connect.testing.conformance.wire import Sent
from tests.connectors.google_judge import SPECS, Judge

if TYPE_CHECKING:
    import httpx2

__all__ = ["GoogleWorld"]

_JUDGED: set[Any] = set()


def _limit(status: int, reason: str) -> Answer:
    said = {"domain": "usageLimits", "reason": reason, "message": "Rate Limit Exceeded"}
    return Answer.json({"error": {"code": status, "message": "Rate Limit Exceeded", "errors": [said]}}, status)


def _shortened(call: Call, name: str, by: int) -> Call:
    return replace(call, query={**call.query, name: str(max(1, int(call.query.get(name) or 100) // by))})


def _event(n: int) -> Raw:
    when = {"start": f"2026-03-{n % 28 + 1:02d}T09:00:00Z", "end": f"2026-03-{n % 28 + 1:02d}T10:00:00Z"}
    return {"summary": f"Event {n}", "location": f"{n} Pier Lane", "when": {**when, "timeZone": "Europe/Paris", "allDay": False}}


def _theirs(values: Raw) -> Raw:
    """An event in Google's own words."""
    told = dict(values)
    when = told.pop("when", None)
    if when:
        told |= {name: {"dateTime": when[name], "timeZone": when["timeZone"]} for name in ("start", "end")}
    return told


def _contact(n: int) -> Raw:
    return {
        "name": {"givenName": f"Ann {n}", "familyName": f"Lee {n}"},
        "email": {"work": f"ann{n}@example.com"},
        "phone": {"mobile": f"+1503555{n:04d}"},
        "organization": {"name": "Harbor Lane"},
    }


_ITEMS = {"name": "names", "email": "emailAddresses", "phone": "phoneNumbers", "organization": "organizations"}


def _person(values: Raw) -> Raw:
    """A contact in Google's own words; values that are none clear their list."""
    told: Raw = {}
    for place, inner in values.items():
        given = {name: value for name, value in inner.items() if value is not None}
        typed = place in ("email", "phone")
        told[_ITEMS[place]] = ([{"type": name, "value": value} for name, value in given.items()] if typed else [given]) or None
    return told


def _seen(person: Any) -> Raw:
    """And back, as far as the sample goes."""
    told: Raw = {"name": {"givenName": None, "familyName": None}, "organization": {"name": None}}
    for place, name in _ITEMS.items():
        for item in person.get(name) or ():
            told.setdefault(place, {}).update({item["type"]: item["value"]} if place in ("email", "phone") else item)
    return told


def _mail(values: Raw) -> bytes:
    """A message as a colleague's program writes it."""
    coded = b64encode((values["subject"] or "").encode()).decode()
    subject = f"=?utf-8?b?{coded}?=" if coded else ""
    head = f"Message-ID: {values['message_id']}\r\nFrom: {values['from']['email']}\r\nTo: {ADDRESS}\r\n"
    return f"{head}Date: Mon, 5 Jan 2026 09:00:00 +0000\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()


class _Small(GoogleVendor):
    """A fake whose lists are far shorter than they are asked to be, and whose owner has taken the own calendar off the list."""

    slowness = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, hazards=Hazards(lag=5.0), **options)
        self._own = self.calendar_entry_of(ADDRESS)
        self.list_of_calendars = Changes(self.clock, life=self.hazards.calendar_tokens * 86_400)

    @route("GET", "/calendar/v3/users/me/calendarList/{id}")
    def calendar_entry(self, call: Call, id: str) -> Any:
        if id != "primary":
            return super().calendar_entry(call, id)
        self.enter(call, "calendar")
        return self._own

    @route("GET", "/calendar/v3/users/me/calendarList")
    def calendar_list(self, call: Call) -> Any:
        return super().calendar_list(_shortened(call, "maxResults", 50))

    @route("GET", "/calendar/v3/calendars/{calendar}/events")
    def list_events(self, call: Call, calendar: str) -> Any:
        return super().list_events(_shortened(call, "maxResults", 500), calendar)

    @route("GET", "/v1/people/me/connections")
    def list_contacts(self, call: Call) -> Any:
        return super().list_contacts(_shortened(call, "pageSize", 200))

    def _lag(self) -> float:
        return self.slowness or super()._lag()


class _Short(Google):
    """Google with five messages in a batch, so that a few messages make several."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._resources["messages"] = Messages(self._wire, size=5)


class GoogleWorld(VendorWorld):
    """One fake account."""

    connector = _Short
    settings = {"oauth_url": "https://oauth2.googleapis.com"}
    secrets = {"access_token": TOKEN, "refresh_token": REFRESH, "client_secret": "sandbox-client-secret"}
    page_size = 5
    pages = (
        r"BATCH GET /gmail/|GET /(gmail/v1/users/me/(messages|history)|v1/people/me/connections"
        r"|calendar/v3/(users/me/calendarList|calendars/[^/]+/events))$"
    )
    lag = 50.0
    writes = r"(BATCH )?(POST|PUT|PATCH|DELETE) /(calendar/v3/calendars|v1/people)"
    plays = frozenset({"empty_page", "cursor_gone", "half_done", "all_or_nothing"})
    busy = (_limit(403, "rateLimitExceeded"), _limit(403, "userRateLimitExceeded"), _limit(429, "rateLimitExceeded"))
    samples = {
        "calendars": Sample(lambda n: {"summary": f"Calendar {n}", "description": f"number {n}"}, text="description"),
        "events": Sample(
            _event,
            text="summary",
            bad={"when": {"start": "2026-03-01T09:00:00Z", "end": "2026-03-01T08:00:00Z"}},
        ),
        "messages": Sample(
            lambda n: {
                "message_id": f"<m{n}@northgate.example.com>",
                "from": {"email": f"ada{n}@northgate.example.com"},
                "subject": f"Message {n}",
            },
            text="subject",
            clear="",
        ),
        "contacts": Sample(_contact, text="name.familyName", bad={"birthday": "1990-02-31"}),
    }

    def vendor(self) -> _Small:
        return _Small(clock=self.clock)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._letters: dict[str, Raw] = {}
        self.tokens.put("crm", self.secrets)  # with a token that is good, so that no request is about signing in

    def transport(self) -> httpx2.BaseTransport:
        """Where Google's documents are, they judge what is sent and answered."""
        straight = super().transport()
        return Judge(straight, _JUDGED).transport if SPECS.is_dir() and find_spec("openapi_core") else straight

    def label(self, sent: Sent) -> str:
        """Of a batch the first request in it."""
        inner = re.search(rb"^([A-Z]+) (/\S+) HTTP/", sent.body, re.MULTILINE) if sent.path.startswith("/batch") else None
        return f"BATCH {inner[1].decode()} {inner[2].decode()}" if inner else super().label(sent)

    def make(self, object: str, values: Raw) -> str:
        if object == "calendars":
            id = f"c{self._records_made}@group.calendar.example.com"
            self.provider.add_calendar(id, values["summary"])
            self.change(object, id, values)
            return id
        if object == "contacts":
            return str(self.provider.make_contact(_person(values)))
        if object == "messages":
            id = str(self.provider.receive_mail(_mail(values)))
            self._letters[id] = values
            return id
        return f"{ADDRESS}/{self.provider.make_event(_theirs(values))}"

    def change(self, object: str, id: str, values: Raw) -> None:
        if object == "calendars":
            self.provider.list_of_calendars.change(id, values, by="a person")
        elif object == "messages":
            self._rewrite(id, values)
        elif object == "contacts":
            name = {**self.provider.contacts.get(id).values["names"][0], **values["name"]}
            self.provider.contacts.change(id, _person({"name": name}), by="a person")
        else:
            self.provider.calendars[ADDRESS].events.change(id.rpartition("/")[2], _theirs(values), by="a person")

    def remove(self, object: str, id: str) -> None:
        if object == "calendars":
            self.provider.list_of_calendars.remove(id, by="a person")
        elif object == "messages":
            self.provider.delete_mail(id)
        elif object == "contacts":
            self.provider.contacts.remove(id, by="a person")
        else:
            self.provider.drop_event(id.rpartition("/")[2])

    def _rewrite(self, id: str, values: Raw) -> None:
        """What nobody can do at Gmail: another text in a message. Its people can only label it, which is how it is told here."""
        self._letters[id] = {**self._letters[id], **values}
        self.provider.mail[id] = replace(self.provider.mail[id], content=_mail(self._letters[id]))
        self.provider.label_mail(id, add=["STARRED"])

    def slow_index(self, seconds: float) -> None:
        self.provider.slowness = seconds

    def truth(self, object: str) -> dict[str, Raw]:
        if object == "calendars":
            return {one.id: {"id": one.id, "description": None, **one.values} for one in self.provider.list_of_calendars}
        if object == "messages":
            told = {id: self._letters[id] for id in self.provider.mail}
            return {id: {"id": id, **values, "subject": values["subject"] or None} for id, values in told.items()}
        if object == "contacts":
            return {one.id: {"id": one.id, **_seen(one.values)} for one in self.provider.contacts}
        return {f"{ADDRESS}/{one.id}": self._shown(one.values) for one in self.provider.calendars[ADDRESS].events}

    def _shown(self, values: Any) -> Raw:
        told = {"summary": None, "location": None, **values}
        start, end = told.pop("start"), told.pop("end")
        told["when"] = {"start": start["dateTime"], "end": end["dateTime"], "timeZone": start["timeZone"], "allDay": False}
        return told
