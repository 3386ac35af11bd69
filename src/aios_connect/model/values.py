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

    given: str | None = Field(default=None, description="First name.")
    family: str | None = Field(default=None, description="Last name.")
    full: str | None = Field(default=None, description="The whole name as the person writes it, never put together by us.")
    salutation: str | None = Field(default=None, description="How the person is addressed, such as Dr.")


class Emails(Part):
    """A person's addresses by kind. ``role`` is a mailbox that several people read, such as info@."""

    work: Email | None = Field(default=None, description="The address at work.")
    personal: Email | None = Field(default=None, description="The private address.")
    role: Email | None = Field(default=None, description="A mailbox that several people read, such as info@.")
    alias: Email | None = Field(default=None, description="Another address of the same mailbox.")
    other: Email | None = Field(default=None, description="An address of no known kind.")


class EmailStatuses(Part):
    """Whether each of a person's addresses can be reached."""

    work: AddressStatus | None = None
    personal: AddressStatus | None = None
    role: AddressStatus | None = None
    alias: AddressStatus | None = None
    other: AddressStatus | None = None


class Phones(Part):
    """A person's numbers by kind. ``landline`` is a fixed line not known to be at home or at work."""

    mobile: Phone | None = Field(default=None, description="The mobile number.")
    work: Phone | None = Field(default=None, description="The number at work.")
    home: Phone | None = Field(default=None, description="The number at home.")
    landline: Phone | None = Field(default=None, description="A fixed line not known to be at home or at work.")
    switchboard: Phone | None = Field(default=None, description="The company's exchange, behind which the person is.")
    fax: Phone | None = Field(default=None, description="The fax number.")
    other: Phone | None = Field(default=None, description="A number of no known kind.")


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

    street: str | None = Field(default=None, description="street and number; may have several lines.")
    postal_code: str | None = Field(default=None, description="postal code, as text.")
    city: str | None = Field(default=None, description="city.")
    region: str | None = Field(default=None, description="state, province or county.")
    country: str | None = Field(default=None, description="country, ISO 3166-1 alpha-2 code.")


class Addresses(Part):
    """A person's addresses by kind."""

    main: Address = Field(default_factory=Address, description="Main address")
    home: Address = Field(default_factory=Address, description="Home address")
    work: Address = Field(default_factory=Address, description="Address at work")
    billing: Address = Field(default_factory=Address, description="Address for invoices")
    service: Address = Field(default_factory=Address, description="Where the work is done")


class CompanyEmails(Part):
    """A company's own mailboxes."""

    main: Email | None = Field(default=None, description="The mailbox for everything.")
    billing: Email | None = Field(default=None, description="The mailbox for invoices.")
    other: Email | None = Field(default=None, description="A mailbox of no known kind.")


class CompanyPhones(Part):
    """A company's own numbers."""

    main: Phone | None = Field(default=None, description="The number of the exchange.")
    mobile: Phone | None = Field(default=None, description="A mobile number of the company.")
    fax: Phone | None = Field(default=None, description="The fax number.")
    other: Phone | None = Field(default=None, description="A number of no known kind.")


class CompanyAddresses(Part):
    """A company's addresses by kind. ``service`` is where the work is done."""

    main: Address = Field(default_factory=Address, description="Main address")
    billing: Address = Field(default_factory=Address, description="Address for invoices")
    service: Address = Field(default_factory=Address, description="Where the work is done")


class Domains(Part):
    """A company's internet domains. Free-mail and shared ones never identify it."""

    primary: str | None = Field(default=None, description="The domain that identifies the company.")
    alias: tuple[str, ...] | None = Field(default=None, description="Further domains of its own.")
    free_mail: tuple[str, ...] | None = Field(
        default=None, description="Domains of mail providers it uses; they never identify it."
    )
    shared: tuple[str, ...] | None = Field(default=None, description="Domains it shares with others; they never identify it.")


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

    medium: str | None = Field(default=None, description="medium, such as email or referral.")
    campaign: str | None = Field(default=None, description="campaign.")
    referrer: str | None = Field(default=None, description="the page somebody came from, a URL.")
    landing: str | None = Field(default=None, description="the page somebody came to, a URL.")
    referred_by: str | None = Field(default=None, description="who recommended us.")


class Origins(Part):
    """What led somebody to us the first time, which is never overwritten, and the last time."""

    first: Attribution = Field(
        default_factory=Attribution, description="What led somebody to us the first time, never overwritten"
    )
    last: Attribution = Field(default_factory=Attribution, description="What led somebody to us the last time")


class Capacity(Part):
    """How much work a member of staff takes."""

    open_intakes: int | None = Field(default=None, description="How many enquiries may be open at once.")
    per_day: int | None = Field(default=None, description="How many enquiries may come in a day.")


class Attendee(Value):
    """Somebody invited to a calendar event: a person, a member of staff, or an address only."""

    person: PersonRef | None = None
    user: UserRef | None = None
    email: Email | None = None
    response: Response | None = None
