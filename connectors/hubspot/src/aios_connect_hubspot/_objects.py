"""What HubSpot has, and what of it is read: objects, their standard properties, the associations between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aios_connect.connectors import ObjectSpec, Verb

__all__ = ["KEY", "MERGED", "OBJECTS", "Association", "ObjectType"]

KEY: Final = "aios_key"
"""Our own property, made by ``aios connect`` with unique values, so that no create can ever be done twice."""

MERGED: Final = "hs_merged_object_ids"
"""The ids that were merged into a record, with semicolons between."""


@dataclass(frozen=True, slots=True)
class Association:
    """Another record that a record points at, shown at ``associations.<name>``.

    Attributes:
        name: In a raw record: ``company``.
        to: The other object: ``companies``.
        type: Number of the association type that is written.
        primary: Number of the type that marks one of several as the primary one; 0 if there is no such type.
    """

    name: str
    to: str
    type: int
    primary: int = 0


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One of HubSpot's CRM objects.

    Attributes:
        title: As people see it.
        properties: Standard properties that are read; properties made by the account come on top.
        associations: What it points at.
        modified: The property with the instant of the last change.
        group: The group of properties that ours goes into; empty if it has no place for ours.
        pipeline: The properties with pipeline and stage, if it moves through one.
        dated_bin: HubSpot tells truly when a record was put into the bin.
        required: Properties that a new record must have, which HubSpot documents and its schema does not tell.
    """

    title: str
    properties: tuple[str, ...]
    associations: tuple[Association, ...] = ()
    modified: str = "hs_lastmodifieddate"
    group: str = ""
    pipeline: tuple[str, str] | None = None
    dated_bin: bool = True
    required: tuple[str, ...] = ()

    @property
    def read(self) -> tuple[str, ...]:
        """The properties that every read asks for."""
        own = (KEY,) if self.group else ()
        return (*self.properties, "createdate", self.modified, MERGED, *own)

    def spec(self) -> ObjectSpec:
        """The object as the connector declares it."""
        verbs: frozenset[Verb] = frozenset({"read", "create", "update", "delete"})
        return ObjectSpec(
            title=self.title,
            verbs=verbs,
            version="updatedAt",
            modified="updatedAt",
            key=f"properties.{KEY}" if self.group else "",
            merged=f"properties.{MERGED}" if self.group else "",
            conditional="read-compare-write",
            incremental=True,
            deletes="tombstones",
            undelete=False,  # the API archives; only a person restores
            batch_size=100,
            references={f"associations.{one.name}": one.to for one in self.associations}
            | {"properties.hubspot_owner_id": "owners"},
        )


# Numbers of types: https://developers.hubspot.com/docs/guides/api/crm/associations/associations-v4#association-type-id-values
OBJECTS: Final[Mapping[str, ObjectType]] = {
    "companies": ObjectType(
        "Companies",
        (
            "name", "domain", "website", "phone", "address", "address2", "city", "state", "zip", "country", "industry",
            "numberofemployees", "annualrevenue", "description", "lifecyclestage", "hubspot_owner_id",
        ),
        group="companyinformation",
    ),
    "contacts": ObjectType(
        "Contacts",
        (
            "email", "firstname", "lastname", "phone", "mobilephone", "jobtitle", "company", "website", "address", "city", "state",
            "zip", "country", "hs_language", "lifecyclestage", "hs_lead_status", "hubspot_owner_id", "message",
        ),
        (Association("company", "companies", 279, 1),),
        modified="lastmodifieddate",
        group="contactinformation",
        dated_bin=False,  # https://developers.hubspot.com/changelog/new-definition-for-archivedat
    ),
    "deals": ObjectType(
        "Deals",
        (
            "dealname", "pipeline", "dealstage", "amount", "deal_currency_code", "closedate", "dealtype", "description",
            "hs_next_step", "hs_deal_stage_probability", "closed_lost_reason", "closed_won_reason", "hubspot_owner_id",
        ),
        (Association("company", "companies", 341, 5), Association("contact", "contacts", 3)),
        group="dealinformation",
        pipeline=("pipeline", "dealstage"),
    ),
    "tickets": ObjectType(
        "Tickets",
        (
            "subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "hs_ticket_category", "source_type",
            "closed_date", "hubspot_owner_id",
        ),
        (Association("company", "companies", 339, 26), Association("contact", "contacts", 16)),
        group="ticketinformation",
        pipeline=("hs_pipeline", "hs_pipeline_stage"),
    ),
    "notes": ObjectType(
        "Notes",
        ("hs_timestamp", "hs_note_body", "hubspot_owner_id"),
        (Association("contact", "contacts", 202), Association("company", "companies", 190), Association("deal", "deals", 214)),
        required=("hs_timestamp",),
    ),
    "tasks": ObjectType(
        "Tasks",
        (
            "hs_timestamp", "hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_priority", "hs_task_type",
            "hs_task_completion_date", "hubspot_owner_id",
        ),
        (Association("contact", "contacts", 204), Association("company", "companies", 192), Association("deal", "deals", 216)),
        required=("hs_timestamp",),
    ),
    "calls": ObjectType(
        "Calls",
        (
            "hs_timestamp", "hs_call_title", "hs_call_body", "hs_call_direction", "hs_call_disposition", "hs_call_duration",
            "hs_call_from_number", "hs_call_to_number", "hs_call_status", "hubspot_owner_id",
        ),
        (Association("contact", "contacts", 194), Association("company", "companies", 182), Association("deal", "deals", 206)),
        required=("hs_timestamp",),
    ),
    "meetings": ObjectType(
        "Meetings",
        (
            "hs_timestamp", "hs_meeting_title", "hs_meeting_body", "hs_meeting_start_time", "hs_meeting_end_time",
            "hs_meeting_location", "hs_meeting_outcome", "hubspot_owner_id",
        ),
        (Association("contact", "contacts", 200), Association("company", "companies", 188), Association("deal", "deals", 212)),
        required=("hs_timestamp",),
    ),
    "emails": ObjectType(
        "E-mails",
        (
            "hs_timestamp", "hs_email_subject", "hs_email_text", "hs_email_direction", "hs_email_status", "hs_email_from_email",
            "hs_email_to_email", "hs_email_message_id", "hs_email_thread_id", "hubspot_owner_id",
        ),
        (Association("contact", "contacts", 198), Association("company", "companies", 186), Association("deal", "deals", 210)),
        required=("hs_timestamp",),
    ),
}  # fmt: skip
"""By HubSpot's own name, parents first."""
