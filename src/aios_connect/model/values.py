"""What the records are made of: values without an identity of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from .canonical import RAW_PREFIX, LeafType, decimal_text, is_canonical, money_value
from .choices import AddressStatus, Channel, ConsentStatus, Origin, Response

__all__ = [
    "Address",
    "Addresses",
    "Attendee",
    "Attribution",
    "Capacity",
    "CompanyAddresses",
    "CompanyEmails",
    "CompanyLink",
    "CompanyPhones",
    "CompanyRef",
    "Consent",
    "DealRef",
    "Domains",
    "Email",
    "EmailStatuses",
    "Emails",
    "ExternalRef",
    "Instant",
    "IntakeRef",
    "Money",
    "Names",
    "OfType",
    "Origins",
    "Part",
    "PersonRef",
    "Phone",
    "PhoneStatuses",
    "Phones",
    "Provenance",
    "StageChange",
    "UserRef",
    "Value",
]


@dataclass(frozen=True, slots=True)
class OfType:
    """Marks an annotation whose leaf type its Python type does not tell: ``Annotated[str, OfType("phone")]``.

    Attributes:
        type: The leaf type.
        to: For a reference, the kind it points at.
    """

    type: LeafType
    to: str = ""


class Value(BaseModel):
    """A frozen value in which a field has three states: absent (not in ``model_fields_set``), ``None``, or a value.

    Two values are equal only if the same fields are absent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and isinstance(other, Value)
            and self.model_fields_set == other.model_fields_set
            and self.__dict__ == other.__dict__
        )

    @model_validator(mode="after")
    def _empty_parts_are_absent(self) -> Self:
        for name in list(self.model_fields_set):
            part = getattr(self, name)
            if isinstance(part, Part) and not part.model_fields_set:
                self.model_fields_set.discard(name)
        return self


class Part(Value):
    """A group of leaves inside a record, such as the names of a person. Never null: its leaves are."""


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the instant lies outside the years 1 to 9999 in UTC") from None


def _finite(value: Decimal) -> Decimal:
    decimal_text(value)
    return value


def _canonical(type: LeafType, form: str) -> Any:
    def check(value: str) -> str:
        if not is_canonical(type, value):
            raise ValueError(f"{value!r} is not {form}")
        return value

    return AfterValidator(check)


def _domain_in_lower_case(value: str) -> str:
    name, at, domain = value.rpartition("@")
    return value if value.startswith(RAW_PREFIX) else f"{name}{at}{domain.lower()}"


Instant = Annotated[AwareDatetime, OfType("instant"), AfterValidator(_in_utc)]
"""A point in time, aware; any time zone is accepted and turned into UTC."""

Number = Annotated[Decimal, AfterValidator(_finite)]
"""A decimal of at most 100 digits."""

Email = Annotated[
    str,
    OfType("email"),
    AfterValidator(_domain_in_lower_case),
    _canonical("email", "an e-mail address; keep what is none behind raw:"),
]
"""An e-mail address, its domain in lower case; or ``raw:`` and what was written there."""

Phone = Annotated[
    str, OfType("phone"), _canonical("phone", "a number such as +442079460958;ext=12; keep what is none behind raw:")
]
"""A phone number as E.164, an extension behind ``;ext=``; or ``raw:`` and what was written there."""

_A_REFERENCE = _canonical("reference", "a reference: object:id, ?leaf=value or an entity id")
PersonRef = Annotated[str, OfType("reference", to="person"), _A_REFERENCE]
CompanyRef = Annotated[str, OfType("reference", to="company"), _A_REFERENCE]
DealRef = Annotated[str, OfType("reference", to="deal"), _A_REFERENCE]
UserRef = Annotated[str, OfType("reference", to="user"), _A_REFERENCE]
IntakeRef = Annotated[str, OfType("reference", to="intake"), _A_REFERENCE]


class Money(Value):
    """An exact amount in one currency (ISO 4217)."""

    amount: Number
    currency: str

    @field_validator("currency")
    @classmethod
    def _iso_4217(cls, value: str) -> str:
        money_value(Decimal(0), value)
        return value


class ExternalRef(Value):
    """Where a record lives in one connected tool."""

    connector: str
    object: str
    id: str
    url: str | None = None
    version: str | None = None
    last_seen_at: Instant | None = None


class Provenance(Value):
    """Where the value of one leaf comes from."""

    origin: Origin
    at: Instant
    by: str = ""
    evidence: str = ""


class Consent(Value):
    """What a person permitted or took back, for one channel and purpose, with the words that were shown."""

    person: PersonRef
    channel: Channel
    purpose: str
    status: ConsentStatus
    wording: str = ""
    source: str = ""
    at: Instant
    evidence: str = ""


class Names(Part):
    """The names of a human being. ``full`` is as the person writes it, never put together by us."""

    given: str | None = None
    family: str | None = None
    full: str | None = None
    salutation: str | None = None


class Emails(Part):
    """A person's addresses by kind. ``role`` is a mailbox that several people read, such as info@."""

    work: Email | None = None
    personal: Email | None = None
    role: Email | None = None
    alias: Email | None = None
    other: Email | None = None


class EmailStatuses(Part):
    """Whether each of a person's addresses can be reached."""

    work: AddressStatus | None = None
    personal: AddressStatus | None = None
    role: AddressStatus | None = None
    alias: AddressStatus | None = None
    other: AddressStatus | None = None


class Phones(Part):
    """A person's numbers by kind. ``landline`` is a fixed line not known to be at home or at work."""

    mobile: Phone | None = None
    work: Phone | None = None
    home: Phone | None = None
    landline: Phone | None = None
    switchboard: Phone | None = None
    fax: Phone | None = None
    other: Phone | None = None


class PhoneStatuses(Part):
    """Whether each of a person's numbers can be reached."""

    mobile: AddressStatus | None = None
    work: AddressStatus | None = None
    home: AddressStatus | None = None
    landline: AddressStatus | None = None
    switchboard: AddressStatus | None = None
    fax: AddressStatus | None = None
    other: AddressStatus | None = None


class Address(Part):
    """A postal address. ``postal_code`` is text, ``street`` may have several lines, ``country`` is an ISO 3166-1 alpha-2 code."""

    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class Addresses(Part):
    """A person's addresses by kind."""

    main: Address = Field(default_factory=Address)
    home: Address = Field(default_factory=Address)
    work: Address = Field(default_factory=Address)
    billing: Address = Field(default_factory=Address)
    service: Address = Field(default_factory=Address)


class CompanyEmails(Part):
    """A company's own mailboxes."""

    main: Email | None = None
    billing: Email | None = None
    other: Email | None = None


class CompanyPhones(Part):
    """A company's own numbers."""

    main: Phone | None = None
    mobile: Phone | None = None
    fax: Phone | None = None
    other: Phone | None = None


class CompanyAddresses(Part):
    """A company's addresses by kind. ``service`` is where the work is done."""

    main: Address = Field(default_factory=Address)
    billing: Address = Field(default_factory=Address)
    service: Address = Field(default_factory=Address)


class Domains(Part):
    """A company's internet domains. Free-mail and shared ones never identify it."""

    primary: str | None = None
    alias: tuple[str, ...] | None = None
    free_mail: tuple[str, ...] | None = None
    shared: tuple[str, ...] | None = None


class CompanyLink(Value):
    """A person's time at one company."""

    company: CompanyRef
    role: str | None = None
    since: Instant | None = None
    until: Instant | None = None


class StageChange(Value):
    """One move of a deal between stages."""

    before: str | None = None
    after: str
    at: Instant
    by: str = ""
    seconds: int | None = None


class Attribution(Part):
    """What led somebody to us."""

    medium: str | None = None
    campaign: str | None = None
    referrer: str | None = None
    landing: str | None = None
    referred_by: str | None = None


class Origins(Part):
    """What led somebody to us the first time, which is never overwritten, and the last time."""

    first: Attribution = Field(default_factory=Attribution)
    last: Attribution = Field(default_factory=Attribution)


class Capacity(Part):
    """How much work a member of staff takes."""

    open_intakes: int | None = None
    per_day: int | None = None


class Attendee(Value):
    """Somebody invited to a calendar event: a person, a member of staff, or an address only."""

    person: PersonRef | None = None
    user: UserRef | None = None
    email: Email | None = None
    response: Response | None = None
