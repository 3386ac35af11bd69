"""Salesforce's objects as this connector knows them: what they are called, how their records go, and what they point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aios_connect.connectors import ObjectSpec

__all__ = ["KEY", "OBJECTS", "PEOPLE", "STAMP", "ObjectType"]

KEY: Final = "aios_key__c"
"""The custom field that holds our key: an external id whose values are unique."""

STAMP: Final = "SystemModstamp"
"""The instant of the last change, by a person or by Salesforce itself; indexed, in whole seconds."""

PEOPLE: Final = "people"
"""Leads and contacts as one object."""

_USER: Final = (
    "Id", "Username", "Name", "FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title", "Department", "CompanyName",
    "Alias", "IsActive", "UserType", "TimeZoneSidKey", "LocaleSidKey", "ManagerId", "CreatedDate", "LastModifiedDate", STAMP,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object.

    Attributes:
        title: As people see it.
        key: There is a place for our key: a custom field that is an external id with unique values.
        merges: People merge its records; the one that goes names the one that stays.
        about: It has a ``WhatId``, which points at a record of one of many objects.
        writes: Its records can be made, changed and deleted.
        announced: Its deletes are told; else they are found by listing what there is.
        names: The fields that are read, where not all are.
        references: Field -> the object it points at.
    """

    title: str
    key: bool = False
    merges: bool = False
    about: bool = False
    writes: bool = True
    announced: bool = True
    names: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)

    @property
    def gone(self) -> str:
        """The field that says that a record is no longer there, with the value it has then."""
        return "IsDeleted = true" if self.writes else "IsActive = false"

    def is_gone(self, row: Mapping[str, object]) -> bool:
        """A row is of a record that is no longer there. Users are never deleted, they are made inactive
        (https://help.salesforce.com/s/articleView?id=sf.deactivating_users.htm)."""
        return row.get("IsDeleted") is True if self.writes else row.get("IsActive") is False

    def spec(self) -> ObjectSpec:
        """What the connector claims about it."""
        return ObjectSpec(
            title=self.title,
            verbs=frozenset({"read", "create", "update", "delete"} if self.writes else {"read"}),
            id="Id",
            version=STAMP,
            modified=STAMP,
            key=KEY if self.key else "",
            incremental=True,
            deletes="tombstones" if self.announced else "scan",
            page_size=2000,
            batch_size=1000,
            lookup_size=2000,
            scan_size=2000,
            references=self.references,
        )


OBJECTS: Final[Mapping[str, ObjectType]] = {
    "Account": ObjectType("Accounts", key=True, merges=True, references={"ParentId": "Account", "OwnerId": "User"}),
    "Contact": ObjectType(
        "Contacts", key=True, merges=True, references={"AccountId": "Account", "ReportsToId": "Contact", "OwnerId": "User"}
    ),
    "Lead": ObjectType("Leads", key=True, merges=True, references={"OwnerId": "User"}),
    "Opportunity": ObjectType(
        "Opportunities", key=True, references={"AccountId": "Account", "ContactId": PEOPLE, "OwnerId": "User"}
    ),
    "OpportunityContactRole": ObjectType(
        "Contact roles", announced=False, references={"ContactId": "Contact", "OpportunityId": "Opportunity"}
    ),
    "Task": ObjectType(
        "Tasks",
        about=True,
        references={"WhoId": PEOPLE, "about.Account": "Account", "about.Opportunity": "Opportunity", "OwnerId": "User"},
    ),
    "Event": ObjectType(
        "Events",
        about=True,
        references={"WhoId": PEOPLE, "about.Account": "Account", "about.Opportunity": "Opportunity", "OwnerId": "User"},
    ),
    "User": ObjectType("Users", writes=False, names=_USER, references={"ManagerId": "User"}),
}
"""By Salesforce's own name, parents first."""
