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
    fit_score: int | None = Field(default=None, description="How well they fit us, 0 to 100.")
    intent_score: int | None = Field(default=None, description="How much they want it, by what they did, 0 to 100.")
    score_version: str | None = Field(default=None, description="Which rules made the scores.")
    score_reasons: tuple[str, ...] | None = Field(default=None, description="What the scores are made of.")
    postal_code: str | None = Field(default=None, description="Where the work would be, as text.")
    territory: str | None = Field(default=None, description="The area the postal code lies in; empty when it is on no map.")
    status: IntakeStatus | None = None
    disqualify_reason: DisqualifyReason | None = None
    received_at: Instant | None = Field(default=None, description="When it arrived here.")
    occurred_at: Instant | None = Field(default=None, description="When it happened at the sender.")
    accepted_at: Instant | None = Field(default=None, description="When we acknowledged it.")
    idempotency_key: str | None = Field(default=None, description="The same for every delivery of one enquiry.")
    delivery_count: int | None = Field(default=None, description="How often it was delivered, a count.")
    raw_ref: str | None = Field(default=None, description="Where the payload is kept as it came.")
    trust: Trust | None = None
    person: PersonRef | None = Field(default=None, description="Who asks.")
    company: CompanyRef | None = Field(default=None, description="For which company.")
    owner: UserRef | None = Field(default=None, description="Who of our staff sees to it.")


class Activity(Record):
    """Something that happened between us and somebody."""

    kind: ClassVar[Kind] = "activity"

    type: ActivityType | None = None
    direction: ActivityDirection | None = None
    author_kind: ActivityAuthor | None = None
    automatic: ActivityAutomatic | None = None
    counts_as_response: bool | None = Field(default=None, description="Whether it answers an enquiry.")
    occurred_at: Instant | None = Field(default=None, description="When it happened.")
    outcome: str | None = Field(default=None, description="What came of it.")
    thread_key: str | None = Field(default=None, description="The same for all messages of one conversation.")
    message_id: str | None = Field(default=None, description="Message-ID of a mail (RFC 5322).")
    in_reply_to: str | None = Field(default=None, description="Message-ID it answers (RFC 5322).")
    references: tuple[str, ...] | None = Field(default=None, description="Message-IDs of the conversation (RFC 5322).")
    subject: str | None = Field(default=None, description="Its subject line.")
    body_ref: str | None = Field(default=None, description="Where the text is kept.")
    sentiment: Sentiment | None = None
    intake: IntakeRef | None = Field(default=None, description="The enquiry it belongs to.")
    person: PersonRef | None = Field(default=None, description="With whom.")
    company: CompanyRef | None = Field(default=None, description="With which company.")
    deal: DealRef | None = Field(default=None, description="The deal it belongs to.")
    owner: UserRef | None = Field(default=None, description="Who of our staff took part.")


class TaskOrigin(Part):
    """What made a task."""

    automation: str | None = Field(default=None, description="The automation that made it.")
    rule: str | None = Field(default=None, description="The rule that made it.")
    version: str | None = Field(default=None, description="The version of that rule.")


class Task(Record):
    """Something a member of staff is to do."""

    kind: ClassVar[Kind] = "task"

    subject: str | None = Field(default=None, description="What is to be done, in a line.")
    type: TaskKind | None = None
    status: TaskStatus | None = None
    priority: TaskPriority | None = None
    due_at: Instant | None = Field(default=None, description="By when.")
    assignee: UserRef | None = Field(default=None, description="Who is to do it.")
    origin: TaskOrigin = Field(default_factory=TaskOrigin)
    result: str | None = Field(default=None, description="What came of it.")
    blocks_step: str | None = Field(default=None, description="The step of a sequence that waits for it.")
    notes: str | None = Field(default=None, description="Free text.")
    intake: IntakeRef | None = Field(default=None, description="The enquiry it belongs to.")
    person: PersonRef | None = Field(default=None, description="The person it is about.")
    company: CompanyRef | None = Field(default=None, description="The company it is about.")
    deal: DealRef | None = Field(default=None, description="The deal it belongs to.")


class Event(Record):
    """An entry in a calendar."""

    kind: ClassVar[Kind] = "event"

    title: str | None = Field(default=None, description="What it is called.")
    status: EventStatus | None = None
    show_as: ShowAs | None = None
    start: Instant | None = Field(default=None, description="When it begins.")
    end: Instant | None = Field(default=None, description="When it ends.")
    timezone: str | None = Field(default=None, description="Time zone, IANA name, such as Europe/Paris.")
    all_day: bool | None = Field(default=None, description="Whether it takes whole days.")
    attendees: tuple[Attendee, ...] = ()
    organiser: UserRef | None = Field(default=None, description="Who of our staff invites.")
    booking_ref: str | None = Field(default=None, description="The booking it was made by.")
    location: str | None = Field(default=None, description="Where it is: a place or a URL.")
    series_ref: str | None = Field(default=None, description="The series it belongs to.")
    notes: str | None = Field(default=None, description="Free text.")
    person: PersonRef | None = Field(default=None, description="The person it is with.")
    company: CompanyRef | None = Field(default=None, description="The company it is with.")
    deal: DealRef | None = Field(default=None, description="The deal it belongs to.")
