"""The records a CRM keeps: people, companies, deals, and the staff who own them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from .choices import (
    CompanyLifecycle,
    CompanyTier,
    EmployeesBand,
    HandoffState,
    PersonLifecycle,
    ProbabilityBasis,
    StageCategory,
    TimezoneBasis,
    UserRole,
    UserStatus,
)
from .record import Kind, Record
from .values import (
    Addresses,
    Capacity,
    CompanyAddresses,
    CompanyEmails,
    CompanyLink,
    CompanyPhones,
    CompanyRef,
    Consent,
    Domains,
    Emails,
    EmailStatuses,
    Instant,
    IntakeRef,
    Money,
    Names,
    Number,
    PersonRef,
    Phones,
    PhoneStatuses,
    StageChange,
    UserRef,
)

__all__ = ["Company", "Deal", "Person", "User"]


class Person(Record):
    """A human being outside our company.

    Whether the person may be written to now (suppression, quiet hours) is not kept here: it is worked out from consents,
    suppressions and the time zone at the instant of asking.
    """

    kind: ClassVar[Kind] = "person"

    names: Names = Field(default_factory=Names)
    emails: Emails = Field(default_factory=Emails)
    email_status: EmailStatuses = Field(default_factory=EmailStatuses)
    phones: Phones = Field(default_factory=Phones)
    phone_status: PhoneStatuses = Field(default_factory=PhoneStatuses)
    company: CompanyRef | None = Field(default=None, description="The company the person works at now.")
    job_title: str | None = Field(default=None, description="What the person does at the company.")
    company_links: tuple[CompanyLink, ...] = ()
    addresses: Addresses = Field(default_factory=Addresses)
    timezone: str | None = Field(default=None, description="Time zone, IANA name, such as Europe/Paris.")
    timezone_basis: TimezoneBasis | None = None
    locale: str | None = Field(default=None, description="Language, BCP 47 tag, such as en-GB.")
    state_region: str | None = Field(default=None, description="Where the person is, ISO 3166-2 code; decides on quiet hours.")
    lifecycle: PersonLifecycle | None = None
    owner: UserRef | None = Field(default=None, description="Who of our staff sees to the person.")
    website: str | None = Field(default=None, description="The person's own page, a URL.")
    source: str | None = Field(default=None, description="Where the person came from, in the company's own words.")
    tags: tuple[str, ...] | None = Field(default=None, description="Labels.")
    notes: str | None = Field(default=None, description="Free text.")
    consents: tuple[Consent, ...] = ()


class Company(Record):
    """An organisation outside our company."""

    kind: ClassVar[Kind] = "company"

    name: str | None = Field(default=None, description="The name as the company writes it.")
    name_normalised: str | None = Field(default=None, description="The name as it is compared, worked out by us.")
    domains: Domains = Field(default_factory=Domains)
    emails: CompanyEmails = Field(default_factory=CompanyEmails)
    phones: CompanyPhones = Field(default_factory=CompanyPhones)
    addresses: CompanyAddresses = Field(default_factory=CompanyAddresses)
    website: str | None = Field(default=None, description="Its page, a URL.")
    industry: str | None = Field(default=None, description="What it does, in the company's own words.")
    tier: CompanyTier | None = None
    lifecycle: CompanyLifecycle | None = None
    employees: int | None = Field(default=None, description="How many people work there, a count.")
    employees_band: EmployeesBand | None = None
    tax_id: str | None = Field(default=None, description="Its number with the tax office, as text.")
    locale: str | None = Field(default=None, description="Language, BCP 47 tag, such as en-GB.")
    owner: UserRef | None = Field(default=None, description="Who of our staff sees to the company.")
    parent: CompanyRef | None = Field(default=None, description="The company it belongs to.")
    source: str | None = Field(default=None, description="Where the company came from, in the company's own words.")
    tags: tuple[str, ...] | None = Field(default=None, description="Labels.")
    notes: str | None = Field(default=None, description="Free text.")


class Deal(Record):
    """A piece of work we might win."""

    kind: ClassVar[Kind] = "deal"

    name: str | None = Field(default=None, description="What the deal is called.")
    pipeline: str | None = Field(default=None, description="The row of stages it goes through, in the company's own words.")
    stage: str | None = Field(default=None, description="The stage in the company's own words.")
    stage_category: StageCategory | None = None
    stage_entered_at: Instant | None = Field(default=None, description="Since when it is in its stage.")
    stage_log: tuple[StageChange, ...] = ()
    amount: Money | None = Field(default=None, description="What it is worth.")
    probability: Number | None = Field(default=None, description="How likely it is to be won, 0 to 1.")
    probability_basis: ProbabilityBasis | None = None
    expected_close: date | None = Field(default=None, description="The day it is expected to be won or lost.")
    next_step: str | None = Field(default=None, description="What is to be done next.")
    next_step_due: date | None = Field(default=None, description="The day by which the next step is to be done.")
    has_future_meeting: bool | None = Field(default=None, description="Whether a meeting lies ahead.")
    last_inbound_at: Instant | None = Field(default=None, description="When somebody last turned to us.")
    last_human_outbound_at: Instant | None = Field(
        default=None, description="When one of us, no automation, last turned to them."
    )
    owner: UserRef | None = Field(default=None, description="Who of our staff sees to the deal.")
    company: CompanyRef | None = Field(default=None, description="The company it is with.")
    person: PersonRef | None = Field(default=None, description="The person we deal with.")
    intake: IntakeRef | None = Field(default=None, description="The enquiry it came from.")
    lost_reason: str | None = Field(default=None, description="Why it was lost.")
    won_reason: str | None = Field(default=None, description="Why it was won.")
    scope: str | None = Field(default=None, description="What is to be done, in words.")
    start_date: date | None = Field(default=None, description="The day the work begins.")
    handoff_state: HandoffState | None = None
    source: str | None = Field(default=None, description="Where the deal came from, in the company's own words.")
    tags: tuple[str, ...] | None = Field(default=None, description="Labels.")
    notes: str | None = Field(default=None, description="Free text.")


class User(Record):
    """A member of our own staff, who can own things."""

    kind: ClassVar[Kind] = "user"

    names: Names = Field(default_factory=Names)
    emails: Emails = Field(default_factory=Emails)
    phones: Phones = Field(default_factory=Phones)
    role: UserRole | None = None
    status: UserStatus | None = None
    status_until: Instant | None = Field(default=None, description="Until when the status holds.")
    manager: UserRef | None = Field(default=None, description="Whom this user reports to.")
    backup: UserRef | None = Field(default=None, description="Who stands in while this user is away.")
    calendar: str | None = Field(default=None, description="The calendar that tells when the user is free, as its tool names it.")
    timezone: str | None = Field(default=None, description="Time zone, IANA name, such as Europe/Paris.")
    locale: str | None = Field(default=None, description="Language, BCP 47 tag, such as en-GB.")
    territories: tuple[str, ...] | None = Field(default=None, description="The areas the user looks after.")
    skills: tuple[str, ...] | None = Field(default=None, description="What the user can be given.")
    capacity: Capacity = Field(default_factory=Capacity)
    weight: Number | None = Field(default=None, description="Share of rotating work, 1 for a full one.")
    seats: dict[str, str] = Field(default_factory=dict, description="Licence held, by connector.")
    approves: tuple[str, ...] | None = Field(default=None, description="What the user may approve.")
