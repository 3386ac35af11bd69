"""BottleCRM's objects: where they are, in what envelopes they come, and what of a record is kept.

Every object has an envelope of its own. Two lists come in halves: leads (open, closed) and accounts (active, inactive). A record is
told with much that is worked out when it is asked for ("3 minutes ago", totals of other records): that is left out, so that a record is
the same as long as nobody changed it. What a record points at stands there as an id, which is also how BottleCRM takes it.

Two things are said twice. A deal, a task or a lead may have any number of contacts: where it has one or none, ``contact`` says which;
where it has several, nothing stands there, as none of them is the first. A task is due on a day: ``due_at`` is the first instant of it in
UTC, and any instant of a day may be written there.

Source: the server's own description, ``/schema/?format=json``, and django-crm 1.35.0 on https://pypi.org/project/django-crm/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from aios_connect.connectors import Raw, instant

__all__ = ["CONTACT", "CUSTOM", "KEY", "OBJECTS", "SAID_TWICE", "Field", "Half", "Kind"]

CUSTOM: Final = "custom_fields"
KEY: Final = "aios_key"
"""The custom field that holds our key."""

CONTACT: Final = "contact"
SAID_TWICE: Final[Mapping[str, str]] = {CONTACT: "contacts", "due_at": "due_date"}
"""Our name for something -> BottleCRM's."""

_Type = Literal["text", "integer", "decimal", "boolean", "date", "instant", "choice", "reference", "list", "object"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Attributes:
        type: As in :class:`aios_connect.connectors.FieldInfo`.
        label: As people see it.
        write: It can be written.
        required: Must be given when creating.
        choices: Its codes, where they are the same for everybody.
        ids: BottleCRM tells whole objects here, of which we keep the id.
    """

    type: _Type = "text"
    label: str = ""
    write: bool = True
    required: bool = False
    choices: tuple[str, ...] = ()
    ids: bool = False


@dataclass(frozen=True, slots=True)
class Half:
    """One list of an object's records.

    Attributes:
        filter: What to ask for.
        rows: Path of the records in the answer.
        count: Path of how many there are in all.
    """

    filter: Mapping[str, str]
    rows: tuple[str, ...]
    count: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One object.

    Attributes:
        path: Its address below ``/api/``, which is also its name among the scopes of a token.
        model: What custom fields call it.
        event: What webhooks call it.
        one: Where the record stands in the answer about one.
        halves: Its lists.
        order: Field by which the lists are ordered, descending; it never changes.
        fields: By name.
        whole: The list tells whole records; else each must be asked for.
    """

    path: str
    model: str
    event: str
    one: str
    halves: tuple[Half, ...]
    order: str
    fields: Mapping[str, Field]
    whole: bool = True

    def raw(self, told: Mapping[str, Any]) -> Raw:
        """The record without what is worked out."""
        raw = {name: _plain(told[name], field) for name, field in self.fields.items() if name in told}
        contacts, day = raw.get("contacts"), raw.get("due_date")
        if contacts is not None and len(contacts) < 2:
            raw[CONTACT] = contacts[0] if contacts else None
        if "due_date" in raw:
            raw["due_at"] = None if day is None else f"{day}T00:00:00Z"
        return raw

    def body(self, patch: Raw) -> Raw:
        """What is sent for values of a record.

        Raises:
            ValueError: What is due at an instant is due at none.
        """
        body = {name: value for name, value in patch.items() if name not in SAID_TWICE}
        if CONTACT in patch:
            body["contacts"] = [] if patch[CONTACT] is None else [patch[CONTACT]]
        if "due_at" in patch:
            body["due_date"] = None if patch["due_at"] is None else instant(patch["due_at"]).date().isoformat()
        return body


def _plain(value: Any, field: Field) -> Any:
    if not field.ids:
        return value
    if isinstance(value, list):
        return sorted(_id(item) for item in value)
    return None if value is None else _id(value)


def _id(item: Any) -> str:
    return str(item["id"] if isinstance(item, Mapping) else item)


def _text(label: str, *, required: bool = False) -> Field:
    return Field("text", label, required=required)


def _choice(label: str, *codes: str) -> Field:
    return Field("choice", label, choices=codes)


def _stamp(label: str) -> Field:
    return Field("instant", label, write=False)


_MANY: Final = Field("list", ids=True)
_CONTACTS: Final[Mapping[str, Field]] = {"contacts": _MANY, CONTACT: Field("reference", "Contact")}
_ID: Final = Field("text", "Id", write=False)
_PERSON: Final[Mapping[str, Field]] = {
    "first_name": _text("First name"),
    "last_name": _text("Last name"),
    "email": _text("Email"),
    "phone": _text("Phone"),
}
_ADDRESS: Final[Mapping[str, Field]] = {
    "address_line": _text("Address"),
    "city": _text("City"),
    "state": _text("State"),
    "postcode": _text("Postal code"),
    "country": _text("Country"),
}
_ORIGIN: Final[Mapping[str, Field]] = {
    "source_detail": _text("Sub-source"),
    "source_ref": _text("Reference"),
}
_COMMON: Final[Mapping[str, Field]] = {
    "description": _text("Notes"),
    "assigned_to": _MANY,
    "teams": _MANY,
    "tags": _MANY,
    "custom_fields": Field("object", "Custom fields"),
    "created_at": _stamp("Created"),
}
_ACTIVE: Final = Field("boolean", "Active")

OBJECTS: Final[Mapping[str, Kind]] = {
    "accounts": Kind(
        path="accounts",
        model="Account",
        event="account",
        one="account_obj",
        halves=(
            Half({"is_active": "true"}, ("active_accounts", "open_accounts"), ("active_accounts", "open_accounts_count")),
            Half({"is_active": "false"}, ("closed_accounts", "close_accounts"), ("closed_accounts", "close_accounts_count")),
        ),
        order="id",
        fields={
            "id": _ID,
            "name": _text("Account name", required=True),
            "email": _text("Email"),
            "phone": _text("Phone"),
            "website": _text("Website"),
            "industry": Field("choice", "Industry"),
            "number_of_employees": Field("integer", "Number of employees"),
            "annual_revenue": Field("decimal", "Annual revenue"),
            "currency": Field("choice", "Currency"),
            **_ADDRESS,
            **_COMMON,
            "is_active": _ACTIVE,
        },
    ),
    "contacts": Kind(
        path="contacts",
        model="Contact",
        event="contact",
        one="contact_obj",
        halves=(Half({}, ("results",), ("count",)),),
        order="created_at",
        fields={
            "id": _ID,
            **_PERSON,
            "first_name": _text("First name", required=True),
            "last_name": _text("Last name", required=True),
            "source": Field("choice", "Source"),
            **_ORIGIN,
            "organization": _text("Company"),
            "title": _text("Job title"),
            "department": _text("Department"),
            "do_not_call": Field("boolean", "Do not call"),
            "linkedin_url": _text("LinkedIn URL"),
            **_ADDRESS,
            "account": Field("reference", "Account", ids=True),
            **_COMMON,
            "updated_at": _stamp("Last changed"),
            "is_active": _ACTIVE,
        },
    ),
    "leads": Kind(
        path="leads",
        model="Lead",
        event="lead",
        one="lead_obj",
        halves=(
            Half({"open": "true"}, ("open_leads", "open_leads"), ("open_leads", "leads_count")),
            Half({"status": "closed"}, ("close_leads", "close_leads"), ("close_leads", "leads_count")),
        ),
        order="id",
        fields={
            "id": _ID,
            "title": _text("Title"),
            "salutation": _text("Salutation"),
            **_PERSON,
            "job_title": _text("Job title"),
            "company_name": _text("Company"),
            "website": _text("Website"),
            "linkedin_url": _text("LinkedIn URL"),
            "status": _choice("Status", "assigned", "in process", "recycled", "closed", "converted"),
            "source": Field("choice", "Source"),
            **_ORIGIN,
            "industry": Field("choice", "Industry"),
            "rating": _choice("Rating", "HOT", "WARM", "COLD"),
            "opportunity_amount": Field("decimal", "Deal value"),
            "currency": Field("choice", "Currency"),
            "probability": Field("integer", "Win probability, %"),
            "close_date": Field("date", "Expected close date"),
            **_ADDRESS,
            "last_contacted": Field("date", "Last contacted"),
            "next_follow_up": Field("date", "Next follow-up"),
            **_CONTACTS,
            **_COMMON,
            "stage": Field("text", "Stage", write=False),
            "external_source": Field("text", "Intake", write=False),
            "external_id": Field("text", "Id at the sender", write=False),
            "updated_at": _stamp("Last changed"),
            "is_active": _ACTIVE,
        },
    ),
    "deals": Kind(
        path="opportunities",
        model="Opportunity",
        event="deal",
        one="opportunity_obj",
        halves=(Half({}, ("opportunities",), ("opportunities_count",)),),
        order="id",
        fields={
            "id": _ID,
            "name": _text("Deal name", required=True),
            "account": Field("reference", "Account", ids=True),
            "pipeline": Field("text", "Pipeline"),
            "stage": Field("choice", "Stage"),
            "opportunity_type": _choice("Type", "NEW_BUSINESS", "EXISTING_BUSINESS", "RENEWAL", "UPSELL", "CROSS_SELL"),
            "currency": Field("choice", "Currency"),
            "amount": Field("decimal", "Amount"),
            "amount_source": Field("text", "Where the amount comes from", write=False),
            "probability": Field("integer", "Probability, %"),
            "closed_on": Field("date", "Expected close date"),
            "lead_source": Field("choice", "Source"),
            **_ORIGIN,
            **_CONTACTS,
            **_COMMON,
            "stage_changed_at": _stamp("In this stage since"),
            "is_active": _ACTIVE,
        },
    ),
    "tasks": Kind(
        path="tasks",
        model="Task",
        event="task",
        one="task_obj",
        halves=(Half({"slim": "true"}, ("tasks",), ("tasks_count",)),),
        order="id",
        whole=False,
        fields={
            "id": _ID,
            "title": _text("Title", required=True),
            "status": Field("choice", "Status", required=True, choices=("New", "In Progress", "Completed")),
            "priority": Field("choice", "Priority", required=True, choices=("Low", "Medium", "High")),
            "due_date": Field("date", "Due date"),
            "due_at": Field("instant", "Due date"),
            "account": Field("reference", "Account", ids=True),
            "opportunity": Field("reference", "Deal", ids=True),
            "lead": Field("reference", "Lead", ids=True),
            "case": Field("text", "Ticket", ids=True),
            "project": Field("text", "Project", ids=True),
            **_CONTACTS,
            **_COMMON,
        },
    ),
}
"""Object -> what it is in BottleCRM."""
