"""What happens around the records: enquiries, conversations, tasks and calendar events."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .choices import (
    ActivityAuthor,
    ActivityAutomatic,
    ActivityDirection,
    ActivityType,
    CallOutcome,
    Channel,
    DisqualifyReason,
    EventStatus,
    IntakeStatus,
    Intent,
    Sentiment,
    ShowAs,
    TaskKind,
    TaskPriority,
    TaskStatus,
    Trust,
    Urgency,
    UrgencyReason,
)
from .record import Kind, Record
from .values import Attendee, CompanyRef, DealRef, Instant, IntakeRef, Origins, Part, PersonRef, UserRef

__all__ = ["Activity", "Event", "Intake", "Task", "TaskOrigin"]


class Intake(Record):
    """One enquiry, however many touches it comes in."""

    kind: ClassVar[Kind] = "intake"

    channel: Channel | None = None
    source: Origins = Field(default_factory=Origins)
    call_outcome: CallOutcome | None = None
    intent: Intent | None = None
    urgency: Urgency | None = None
    urgency_reason: UrgencyReason | None = None
    fit_score: int | None = Field(default=None, description="0 to 100: who they are.")
    intent_score: int | None = Field(default=None, description="0 to 100: what they did.")
    score_version: str | None = None
    score_reasons: tuple[str, ...] | None = None
    postal_code: str | None = None
    territory: str | None = Field(default=None, description="Empty when the postal code is on no map.")
    status: IntakeStatus | None = None
    disqualify_reason: DisqualifyReason | None = None
    received_at: Instant | None = Field(default=None, description="When it arrived here.")
    occurred_at: Instant | None = Field(default=None, description="When it happened at the sender.")
    accepted_at: Instant | None = Field(default=None, description="When we acknowledged it.")
    idempotency_key: str | None = None
    delivery_count: int | None = None
    raw_ref: str | None = Field(default=None, description="Where the payload is kept as it came.")
    trust: Trust | None = None
    person: PersonRef | None = None
    company: CompanyRef | None = None
    owner: UserRef | None = None


class Activity(Record):
    """Something that happened between us and somebody."""

    kind: ClassVar[Kind] = "activity"

    type: ActivityType | None = None
    direction: ActivityDirection | None = None
    author_kind: ActivityAuthor | None = None
    automatic: ActivityAutomatic | None = None
    counts_as_response: bool | None = None
    occurred_at: Instant | None = None
    outcome: str | None = None
    thread_key: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] | None = None
    subject: str | None = None
    body_ref: str | None = Field(default=None, description="Where the text is kept.")
    sentiment: Sentiment | None = None
    intake: IntakeRef | None = None
    person: PersonRef | None = None
    company: CompanyRef | None = None
    deal: DealRef | None = None
    owner: UserRef | None = None


class TaskOrigin(Part):
    """What made a task."""

    automation: str | None = None
    rule: str | None = None
    version: str | None = None


class Task(Record):
    """Something a member of staff is to do."""

    kind: ClassVar[Kind] = "task"

    subject: str | None = None
    type: TaskKind | None = None
    status: TaskStatus | None = None
    priority: TaskPriority | None = None
    due_at: Instant | None = None
    assignee: UserRef | None = None
    origin: TaskOrigin = Field(default_factory=TaskOrigin)
    result: str | None = None
    blocks_step: str | None = Field(default=None, description="The step of a sequence that waits for it.")
    notes: str | None = None
    intake: IntakeRef | None = None
    person: PersonRef | None = None
    company: CompanyRef | None = None
    deal: DealRef | None = None


class Event(Record):
    """An entry in a calendar."""

    kind: ClassVar[Kind] = "event"

    title: str | None = None
    status: EventStatus | None = None
    show_as: ShowAs | None = None
    start: Instant | None = None
    end: Instant | None = None
    timezone: str | None = Field(default=None, description="IANA name, such as Europe/Paris.")
    all_day: bool | None = None
    attendees: tuple[Attendee, ...] = ()
    organiser: UserRef | None = None
    booking_ref: str | None = None
    location: str | None = None
    series_ref: str | None = None
    notes: str | None = None
    person: PersonRef | None = None
    company: CompanyRef | None = None
    deal: DealRef | None = None
