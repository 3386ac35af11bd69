"""The closed sets of the canonical model.

Every set has ``unknown``: what a vendor says and no table translates becomes ``unknown`` on the record, with the vendor's own
word kept in :attr:`aios_connect.model.Record.raw`.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "ActivityAuthor",
    "ActivityAutomatic",
    "ActivityDirection",
    "ActivityType",
    "AddressStatus",
    "CallOutcome",
    "Channel",
    "CompanyLifecycle",
    "CompanyTier",
    "ConsentStatus",
    "DisqualifyReason",
    "EmployeesBand",
    "EventStatus",
    "HandoffState",
    "IntakeStatus",
    "Intent",
    "Origin",
    "PersonLifecycle",
    "ProbabilityBasis",
    "Response",
    "Sentiment",
    "ShowAs",
    "StageCategory",
    "TaskKind",
    "TaskPriority",
    "TaskStatus",
    "TimezoneBasis",
    "Trust",
    "Urgency",
    "UrgencyReason",
    "UserRole",
    "UserStatus",
]


class Origin(StrEnum):
    """Who or what gave a value."""

    payload = "payload"
    rule = "rule"
    enrichment = "enrichment"
    llm = "llm"
    human = "human"
    unknown = "unknown"


class AddressStatus(StrEnum):
    """Whether an e-mail address or a phone number can be reached."""

    valid = "valid"
    risky = "risky"
    bounced = "bounced"
    invalid = "invalid"
    unknown = "unknown"


class TimezoneBasis(StrEnum):
    """How a person's time zone is known, the surest first."""

    stated = "stated"
    address = "address"
    company = "company"
    area_code = "area_code"
    default = "default"
    unknown = "unknown"


class PersonLifecycle(StrEnum):
    """What a person is to us."""

    lead = "lead"
    contact = "contact"
    customer = "customer"
    former = "former"
    partner = "partner"
    vendor = "vendor"
    staff = "staff"
    unknown = "unknown"


class ConsentStatus(StrEnum):
    """Whether a consent holds."""

    given = "given"
    withdrawn = "withdrawn"
    expired = "expired"
    unknown = "unknown"


class CompanyTier(StrEnum):
    """The service level a company has with us."""

    none = "none"
    bronze = "bronze"
    silver = "silver"
    gold = "gold"
    vip = "vip"
    unknown = "unknown"


class CompanyLifecycle(StrEnum):
    """What a company is to us."""

    prospect = "prospect"
    customer = "customer"
    former = "former"
    partner = "partner"
    vendor = "vendor"
    competitor = "competitor"
    unknown = "unknown"


class EmployeesBand(StrEnum):
    """How many people work there."""

    to_10 = "1-10"
    to_50 = "11-50"
    to_200 = "51-200"
    to_500 = "201-500"
    to_1000 = "501-1000"
    over_1000 = "1000+"
    unknown = "unknown"


class StageCategory(StrEnum):
    """What a stage means, whatever the company calls it."""

    open = "open"
    on_hold = "on_hold"
    won = "won"
    lost = "lost"
    unknown = "unknown"


class ProbabilityBasis(StrEnum):
    """Where a deal's probability comes from."""

    stage = "stage"
    model = "model"
    human = "human"
    unknown = "unknown"


class HandoffState(StrEnum):
    """How far a won deal is on its way to delivery."""

    none = "none"
    blocked = "blocked"
    offered = "offered"
    accepted = "accepted"
    returned = "returned"
    done = "done"
    unknown = "unknown"


class UserRole(StrEnum):
    """What a member of staff does."""

    founder = "founder"
    manager = "manager"
    sales = "sales"
    delivery = "delivery"
    support = "support"
    ops = "ops"
    finance = "finance"
    readonly = "readonly"
    unknown = "unknown"


class UserStatus(StrEnum):
    """Whether a member of staff can be given work."""

    active = "active"
    away = "away"
    on_leave = "on_leave"
    suspended = "suspended"
    deactivated = "deactivated"
    unknown = "unknown"


class Channel(StrEnum):
    """How an enquiry, or a consent, reached us."""

    web_form = "web_form"
    phone_call = "phone_call"
    email = "email"
    sms = "sms"
    chat = "chat"
    social_message = "social_message"
    referral = "referral"
    booking = "booking"
    walk_in = "walk_in"
    import_ = "import"
    api = "api"
    unknown = "unknown"


class CallOutcome(StrEnum):
    """What became of a call."""

    connected = "connected"
    voicemail = "voicemail"
    no_answer = "no_answer"
    busy = "busy"
    wrong_number = "wrong_number"
    failed = "failed"
    abandoned = "abandoned"
    unknown = "unknown"


class Intent(StrEnum):
    """What an enquiry wants."""

    new_work = "new_work"
    quote = "quote"
    booking = "booking"
    question = "question"
    support = "support"
    complaint = "complaint"
    billing = "billing"
    referral_given = "referral_given"
    partnership = "partnership"
    job_application = "job_application"
    vendor_pitch = "vendor_pitch"
    opt_out = "opt_out"
    wrong_number = "wrong_number"
    spam = "spam"
    unknown = "unknown"


class Urgency(StrEnum):
    """How soon an enquiry needs somebody."""

    emergency = "emergency"
    high = "high"
    normal = "normal"
    low = "low"
    unknown = "unknown"


class UrgencyReason(StrEnum):
    """Why an enquiry has its urgency."""

    stated_date = "stated_date"
    safety = "safety"
    outage = "outage"
    tier = "tier"
    keyword = "keyword"
    human = "human"
    unknown = "unknown"


class IntakeStatus(StrEnum):
    """How far an enquiry has come."""

    received = "received"
    normalised = "normalised"
    quarantined = "quarantined"
    matched = "matched"
    assigned = "assigned"
    responded = "responded"
    qualified = "qualified"
    nurturing = "nurturing"
    disqualified = "disqualified"
    merged = "merged"
    closed = "closed"
    unknown = "unknown"


class DisqualifyReason(StrEnum):
    """Why an enquiry is not for us."""

    out_of_area = "out_of_area"
    out_of_scope = "out_of_scope"
    budget = "budget"
    duplicate = "duplicate"
    no_contact = "no_contact"
    spam = "spam"
    competitor = "competitor"
    job_seeker = "job_seeker"
    vendor = "vendor"
    opted_out = "opted_out"
    other = "other"
    unknown = "unknown"


class Trust(StrEnum):
    """How far the sender of an enquiry can be trusted."""

    verified = "verified"
    unverified = "unverified"
    hostile_suspected = "hostile_suspected"
    unknown = "unknown"


class ActivityType(StrEnum):
    """What happened."""

    email = "email"
    call = "call"
    sms = "sms"
    chat = "chat"
    social_message = "social_message"
    meeting = "meeting"
    note = "note"
    form = "form"
    document = "document"
    system = "system"
    unknown = "unknown"


class ActivityDirection(StrEnum):
    """Who turned to whom."""

    in_ = "in"
    out = "out"
    internal = "internal"
    unknown = "unknown"


class ActivityAuthor(StrEnum):
    """What kind of author an activity has."""

    customer = "customer"
    human = "human"
    agent = "agent"
    system = "system"
    unknown = "unknown"


class ActivityAutomatic(StrEnum):
    """What kind of automatic message an activity is; ``none`` if a person wrote it."""

    none = "none"
    out_of_office = "out_of_office"
    acknowledgement = "acknowledgement"
    bounce = "bounce"
    list = "list"
    notification = "notification"
    unknown = "unknown"


class Sentiment(StrEnum):
    """The mood of a message."""

    positive = "positive"
    neutral = "neutral"
    negative = "negative"
    mixed = "mixed"
    unknown = "unknown"


class TaskKind(StrEnum):
    """What is to be done."""

    call = "call"
    email = "email"
    message = "message"
    meeting_prep = "meeting_prep"
    review = "review"
    data_fix = "data_fix"
    decision = "decision"
    other = "other"
    unknown = "unknown"


class TaskStatus(StrEnum):
    """How far a task is."""

    open = "open"
    in_progress = "in_progress"
    waiting = "waiting"
    done = "done"
    cancelled = "cancelled"
    unknown = "unknown"


class TaskPriority(StrEnum):
    """How important a task is."""

    low = "low"
    normal = "normal"
    high = "high"
    urgent = "urgent"
    unknown = "unknown"


class EventStatus(StrEnum):
    """Whether a calendar event takes, or took, place."""

    tentative = "tentative"
    confirmed = "confirmed"
    cancelled = "cancelled"
    completed = "completed"
    no_show = "no_show"
    unknown = "unknown"


class ShowAs(StrEnum):
    """How a calendar event blocks the time of its owner."""

    free = "free"
    tentative = "tentative"
    busy = "busy"
    out_of_office = "out_of_office"
    working_elsewhere = "working_elsewhere"
    unknown = "unknown"


class Response(StrEnum):
    """What an attendee answered."""

    needs_action = "needs_action"
    accepted = "accepted"
    declined = "declined"
    tentative = "tentative"
    unknown = "unknown"
