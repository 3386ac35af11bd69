"""The properties of a fake account, and what HubSpot says to a value that does not fit one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aios_connect.sandbox import RefusedError

__all__ = ["DEFAULTS", "STAGES", "absent", "definitions", "error", "problems_of", "refuse"]

LONGEST: Final = 65_536
"""https://knowledge.hubspot.com/properties/property-field-types-in-hubspot: characters of a text. That the API keeps to it as the
screens do, and counts as Java counts (two for an emoji), is assumed."""

LIFECYCLE: Final = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other".split()

STAGES: Final[Mapping[str, tuple[tuple[str, str, float], ...]]] = {
    "deals": (
        ("appointmentscheduled", "Walk-through booked", 0.2),
        ("qualifiedtobuy", "Qualified", 0.4),
        ("presentationscheduled", "Quote sent", 0.6),
        ("decisionmakerboughtin", "Negotiating", 0.8),
        ("contractsent", "Contract sent", 0.9),
        ("closedwon", "Won", 1.0),
        ("closedlost", "Lost", 0.0),
    ),
    "tickets": (("1", "New", 0.0), ("2", "Waiting on contact", 0.0), ("3", "Waiting on us", 0.0), ("4", "Closed", 1.0)),
}
"""Object -> stages of its only pipeline: id, label, probability."""

DEFAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
    "deals": ("dealname", "amount", "closedate", "dealstage", "pipeline"),
    "tickets": ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "hs_ticket_category"),
}
"""Properties that come when none are asked for."""

_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "companies": {
        "string": "name domain website phone address address2 city state zip country description",
        "number": "numberofemployees annualrevenue",
        "enumeration": "industry lifecyclestage hubspot_owner_id",
    },
    "contacts": {
        "string": "email firstname lastname phone mobilephone jobtitle company website address city state zip country message",
        "enumeration": "hs_language lifecyclestage hs_lead_status hubspot_owner_id",
    },
    "deals": {
        "string": "dealname description hs_next_step closed_lost_reason closed_won_reason",
        "number": "amount hs_deal_stage_probability",
        "datetime": "closedate",
        "enumeration": "pipeline dealstage deal_currency_code dealtype hubspot_owner_id",
    },
    "tickets": {
        "string": "subject content",
        "datetime": "closed_date",
        "enumeration": "hs_pipeline hs_pipeline_stage hs_ticket_priority hs_ticket_category source_type hubspot_owner_id",
    },
    "notes": {"datetime": "hs_timestamp", "string": "hs_note_body", "enumeration": "hubspot_owner_id"},
    "tasks": {
        "datetime": "hs_timestamp hs_task_completion_date",
        "string": "hs_task_subject hs_task_body",
        "enumeration": "hs_task_status hs_task_priority hs_task_type hubspot_owner_id",
    },
    "calls": {
        "datetime": "hs_timestamp",
        "string": "hs_call_title hs_call_body hs_call_from_number hs_call_to_number hs_call_disposition",
        "number": "hs_call_duration",
        "enumeration": "hs_call_direction hs_call_status hubspot_owner_id",
    },
    "meetings": {
        "datetime": "hs_timestamp hs_meeting_start_time hs_meeting_end_time",
        "string": "hs_meeting_title hs_meeting_body hs_meeting_location",
        "enumeration": "hs_meeting_outcome hubspot_owner_id",
    },
    "emails": {
        "datetime": "hs_timestamp",
        "string": (
            "hs_email_subject hs_email_text hs_email_from_email hs_email_to_email hs_email_message_id hs_email_thread_id "
            "hs_email_headers"
        ),
        "enumeration": "hs_email_direction hs_email_status hubspot_owner_id",
    },
}
_CLOSED: Final[Mapping[str, Iterable[str]]] = {
    "lifecyclestage": LIFECYCLE,
    "pipeline": ("default",),
    "hs_pipeline": ("0",),
    "dealstage": [id for id, _, _ in STAGES["deals"]],
    "hs_pipeline_stage": [id for id, _, _ in STAGES["tickets"]],
    "deal_currency_code": ("USD", "EUR", "GBP"),
    "hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", "URGENT"),
    "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
    "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
    "hs_task_type": ("TODO", "CALL", "EMAIL"),
    "hs_call_direction": ("INBOUND", "OUTBOUND"),
    "hs_call_status": (
        *("BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING"),
        *("FAILED", "IN_PROGRESS", "NO_ANSWER", "QUEUED", "RINGING"),
    ),
    "hs_email_direction": ("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
    "hs_email_status": ("BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"),
    "hs_meeting_outcome": ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO SHOW", "CANCELED"),
    "source_type": ("CHAT", "EMAIL", "FORM", "PHONE"),
}
_FIELDS: Final = {"string": "text", "number": "number", "datetime": "date", "enumeration": "select", "bool": "booleancheckbox"}
_READ_ONLY: Final = frozenset(
    {
        *("hs_deal_stage_probability", "createdate", "hs_object_id", "hs_merged_object_ids"),
        # of an e-mail, taken from its headers: https://developers.hubspot.com/docs/guides/api/crm/engagements/email
        *("hs_email_from_email", "hs_email_to_email", "hs_email_message_id", "hs_email_thread_id"),
    }
)
REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("calls", "emails", "meetings", "notes", "tasks"), frozenset({"hs_timestamp"})),
}
"""Object -> properties that a new record must have: https://developers.hubspot.com/docs/guides/api/crm/engagements/engagement-details"""

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?|-?\d{1,15}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def definitions(object: str, stamp: str) -> dict[str, dict[str, Any]]:
    """The properties that HubSpot itself gives an object, by name, in its own JSON."""
    typed = {name: type for type, names in _TYPES[object].items() for name in names.split()}
    typed |= {"createdate": "datetime", stamp: "datetime", "hs_object_id": "number", "hs_merged_object_ids": "string"}
    group = "companyinformation" if object == "companies" else f"{object.removesuffix('s')}information"
    return {
        name: {
            "name": name,
            "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
            "type": type,
            "fieldType": _FIELDS[type],
            "description": "",
            "groupName": group,
            "options": [{"label": value, "value": value, "hidden": False} for value in _CLOSED.get(name, ())],
            "hubspotDefined": True,
            "hasUniqueValue": (object, name) == ("contacts", "email"),
            "calculated": name == "hs_deal_stage_probability",
            "modificationMetadata": {
                "archivable": False,
                "readOnlyDefinition": True,
                "readOnlyValue": name in _READ_ONLY or name == stamp,
            },
        }
        for name, type in typed.items()
    }


def problems_of(known: Mapping[str, Mapping[str, Any]], values: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is wrong with values, each in the words of HubSpot's validation errors."""
    found = []
    for name, value in values.items():
        kind = known.get(name)
        if kind is None:
            found.append(_problem(name, f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST"))
        elif kind["modificationMetadata"]["readOnlyValue"]:
            found.append(_problem(name, f'"{name}" is a read only property; its value cannot be set.', "READ_ONLY_VALUE"))
        elif value and (code := _misfit(kind, value)):
            found.append(_problem(name, f"{value!r} was not valid for {name}", code))
    return found


def absent(object: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a new record lacks. That it is required is documented; the words of the refusal are assumed."""
    missing = sorted(name for name in REQUIRED.get(object, ()) if not values.get(name))
    return [_problem(name, f"{name} is required for a new record", "REQUIRED_FIELD") for name in missing]


def _misfit(kind: Mapping[str, Any], value: str) -> str:
    # https://developers.hubspot.com/changelog/breaking-change-enhanced-validations-for-non-string-properties-in-hubspots-crmobject-apis
    if kind["type"] != "string" and value != value.strip():
        return (
            "INVALID_OPTION" if kind["type"] == "enumeration" else "INVALID_LONG" if kind["type"] == "number" else "INVALID_DATE"
        )
    if kind["name"] == "hubspot_owner_id" and not (value.isascii() and value.isdigit()):
        return "INVALID_OWNER_ID"  # that it is refused is certain, the word for it is assumed
    options = {option["value"] for option in kind["options"]}
    if kind["type"] == "number" and not _NUMBER.fullmatch(value):
        return "INVALID_LONG"
    if kind["type"] == "datetime" and not _INSTANT.fullmatch(value):
        return "INVALID_DATE"
    if kind["type"] == "enumeration" and options and not options >= set(value.split(";")):
        return "INVALID_OPTION"
    if kind["type"] == "bool" and value not in ("true", "false"):
        return "INVALID_OPTION"
    if kind["name"] == "email" and not _EMAIL.fullmatch(value):
        return "INVALID_EMAIL"
    return "PROPERTY_VALUE_TOO_LONG" if len(value.encode("utf-16-le", "surrogatepass")) > 2 * LONGEST else ""


def _problem(name: str, message: str, code: str) -> dict[str, Any]:
    return {"isValid": False, "message": message, "error": code, "name": name}


def error(message: str, category: str, **more: Any) -> dict[str, Any]:
    """The body of an error of HubSpot's."""
    return {
        "status": "error",
        "message": message,
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "category": category,
        **more,
    }


def refuse(problems: Iterable[Mapping[str, Any]], status: int = 400, category: str = "VALIDATION_ERROR") -> RefusedError:
    """The refusal of values that do not fit."""
    return RefusedError(status, error(f"Property values were not valid: {json.dumps([*problems])}", category))
