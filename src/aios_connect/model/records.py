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
    job_title: str | None = None
    company_links: tuple[CompanyLink, ...] = ()
    addresses: Addresses = Field(default_factory=Addresses)
    timezone: str | None = Field(default=None, description="IANA name, such as Europe/Paris.")
    timezone_basis: TimezoneBasis | None = None
    locale: str | None = Field(default=None, description="BCP 47 tag, such as en-GB.")
    state_region: str | None = Field(default=None, description="ISO 3166-2 code; decides on quiet hours.")
    lifecycle: PersonLifecycle | None = None
    owner: UserRef | None = None
    website: str | None = None
    source: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    consents: tuple[Consent, ...] = ()


class Company(Record):
    """An organisation outside our company."""

    kind: ClassVar[Kind] = "company"

    name: str | None = None
    name_normalised: str | None = Field(default=None, description="The name as it is compared, worked out by us.")
    domains: Domains = Field(default_factory=Domains)
    emails: CompanyEmails = Field(default_factory=CompanyEmails)
    phones: CompanyPhones = Field(default_factory=CompanyPhones)
    addresses: CompanyAddresses = Field(default_factory=CompanyAddresses)
    website: str | None = None
    industry: str | None = None
    tier: CompanyTier | None = None
    lifecycle: CompanyLifecycle | None = None
    employees: int | None = None
    employees_band: EmployeesBand | None = None
    tax_id: str | None = None
    locale: str | None = Field(default=None, description="BCP 47 tag, such as en-GB.")
    owner: UserRef | None = None
    parent: CompanyRef | None = None
    source: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None


class Deal(Record):
    """A piece of work we might win."""

    kind: ClassVar[Kind] = "deal"

    name: str | None = None
    pipeline: str | None = None
    stage: str | None = Field(default=None, description="The stage in the company's own words.")
    stage_category: StageCategory | None = None
    stage_entered_at: Instant | None = None
    stage_log: tuple[StageChange, ...] = ()
    amount: Money | None = None
    probability: Number | None = Field(default=None, description="0 to 1.")
    probability_basis: ProbabilityBasis | None = None
    expected_close: date | None = None
    next_step: str | None = None
    next_step_due: date | None = None
    has_future_meeting: bool | None = None
    last_inbound_at: Instant | None = None
    last_human_outbound_at: Instant | None = None
    owner: UserRef | None = None
    company: CompanyRef | None = None
    person: PersonRef | None = Field(default=None, description="The person we deal with.")
    intake: IntakeRef | None = None
    lost_reason: str | None = None
    won_reason: str | None = None
    scope: str | None = None
    start_date: date | None = None
    handoff_state: HandoffState | None = None
    source: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None


class User(Record):
    """A member of our own staff, who can own things."""

    kind: ClassVar[Kind] = "user"

    names: Names = Field(default_factory=Names)
    emails: Emails = Field(default_factory=Emails)
    phones: Phones = Field(default_factory=Phones)
    role: UserRole | None = None
    status: UserStatus | None = None
    status_until: Instant | None = None
    manager: UserRef | None = None
    backup: UserRef | None = Field(default=None, description="Who stands in while this user is away.")
    calendar: str | None = None
    timezone: str | None = Field(default=None, description="IANA name, such as Europe/Paris.")
    locale: str | None = Field(default=None, description="BCP 47 tag, such as en-GB.")
    territories: tuple[str, ...] | None = None
    skills: tuple[str, ...] | None = None
    capacity: Capacity = Field(default_factory=Capacity)
    weight: Number | None = Field(default=None, description="Share of rotating work, 1 for a full one.")
    seats: dict[str, str] = Field(default_factory=dict, description="Licence held, by connector.")
    approves: tuple[str, ...] | None = None
