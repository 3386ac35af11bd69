"""What a source is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from aios_connect.connectors import Request
from aios_connect_webform.content import Content
from aios_connect_webform.door import Door

__all__ = ["CALLS", "SUBMISSIONS", "Event", "Proof", "Said", "Source", "Told", "attribution", "merged"]

SUBMISSIONS = "submissions"
CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Proof:
    """How far a sender has proved to be who it is.

    Attributes:
        trust: ``verified``: it knows the key. ``unverified``: a browser on a page that may send here; anybody can say so.
        event: The id of the event, where it is signed with it.
    """

    trust: Literal["verified", "unverified"]
    event: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What a request is about.

    Attributes:
        objects: Where it shows; nowhere, if it is no enquiry and no call.
        subject: The sender's own id of that; empty for one that stands for itself.
        follows: The id of the subject that this one goes on under a new id.
        key: The same for every delivery of the event; empty if the sender gives none.
        strict: The key promises the same content.
        caught: Why it is to be kept aside; empty for a good one.
    """

    objects: tuple[str, ...] = (SUBMISSIONS,)
    subject: str = ""
    follows: str = ""
    key: str = ""
    strict: bool = False
    caught: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery, read again.

    Attributes:
        content: What its body says.
        headers: Those that were kept.
        received: When it came, ISO 8601.
    """

    content: Content
    headers: Mapping[str, str]
    received: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the deliveries of one subject come to.

    Attributes:
        fields: What was said, by name. Names that mean something everywhere are those of the HTML standard's autofill: ``name``,
            ``given-name``, ``family-name``, ``email``, ``tel``, ``organization``, ``postal-code``; besides ``subject`` and ``message``.
        occurred: When it happened at the sender, as the sender spells it; ``None`` if it does not say.
        origins: What led somebody here, of each delivery that says so, the oldest first.
        more: Further parts of the record, by name: ``call``, ``booking``, ``files``, ``body``.
    """

    fields: Mapping[str, Any]
    occurred: str | None = None
    origins: Sequence[Mapping[str, str]] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


class Source(ABC):
    """One kind of sender.

    Attributes:
        title: What people call it.
        channel: How its enquiries reach us.
        keyed: Nothing is taken without a key.
    """

    title: ClassVar[str]
    channel: ClassVar[str]
    keyed: ClassVar[bool] = True

    @abstractmethod
    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        """Believe a request, or not. The raw bytes count; nothing has parsed them yet.

        Raises:
            AuthError: It does not prove itself.
        """

    @abstractmethod
    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        """What a request is about.

        Raises:
            LookupError: Something that this source always sends is not there.
        """

    @abstractmethod
    def said(self, told: Sequence[Told], object: str) -> Said:
        """What the deliveries of one subject come to, in whatever order they came.

        Raises:
            LookupError: Something that this source always sends is not there.
        """


def merged(told: Sequence[Told]) -> dict[str, Any]:
    """The fields of deliveries, a later one's over an earlier one's."""
    fields: dict[str, Any] = {}
    for one in told:
        fields |= one.content.fields
    return fields


def attribution(said: Mapping[str, Any], page: str = "", referrer: str = "") -> dict[str, str]:
    """What led somebody here: the campaign in what was said or in the page's address; the page, and the one before it.

    Args:
        said: May hold ``utm_source``, ``utm_medium``, ``utm_campaign``.
        page: Address of the page with the form.
        referrer: Address of the page before it.
    """
    try:
        parts = urlsplit(page)
    except ValueError:  # it is no address
        parts = urlsplit("")
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = {part: str(said.get(f"utm_{part}") or asked.get(f"utm_{part}") or "") for part in ("source", "medium", "campaign")}
    found |= {"landing": parts._replace(query="", fragment="").geturl(), "referrer": referrer}
    return {name: value for name, value in found.items() if value}
