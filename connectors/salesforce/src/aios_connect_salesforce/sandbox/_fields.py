"""The objects of a fake organisation, and how they are described.

Names, types, lengths and rights are those of the describes of a live organisation, as far as there is one; for Task and User they are
those of the object reference
(https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_list.htm). An
organisation has more fields than these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

__all__ = ["STAGES", "Field", "Table", "described", "listed", "tables"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: Its name.
        type: Salesforce's type.
        length: Characters it holds.
        precision: Digits of a number, with those behind the point.
        scale: Digits behind the point.
        creatable: Can be given to a new record.
        updatable: Can be changed.
        nillable: May be empty.
        defaulted: A new record gets a value by itself.
        to: Objects that a reference points at.
        compound: The field it is a part of.
        choices: Values of a picklist.
        external: An external id, whose values are unique.
        restricted: A picklist that takes no other value.
    """

    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    creatable: bool = False
    updatable: bool = False
    nillable: bool = False
    defaulted: bool = False
    to: tuple[str, ...] = ()
    compound: str | None = None
    choices: tuple[str, ...] = ()
    external: bool = False
    restricted: bool = False

    @property
    def custom(self) -> bool:
        """Made by this organisation."""
        return self.name.endswith("__c")


@dataclass(frozen=True, slots=True)
class Table:
    """One object.

    Attributes:
        name: Its name.
        prefix: The first three characters of its ids.
        label: As people see it.
        plural: Several of it.
        merges: Its records can be merged.
        fields: By name.
    """

    name: str
    prefix: str
    label: str
    plural: str
    merges: bool
    fields: dict[str, Field] = field(default_factory=dict)


STAGES: Final[Mapping[str, tuple[int, str, bool, bool]]] = {
    "Prospecting": (10, "Pipeline", False, False),
    "Qualification": (10, "Pipeline", False, False),
    "Needs Analysis": (20, "Pipeline", False, False),
    "Value Proposition": (50, "Pipeline", False, False),
    "Id. Decision Makers": (60, "Pipeline", False, False),
    "Perception Analysis": (70, "Pipeline", False, False),
    "Proposal/Price Quote": (75, "Pipeline", False, False),
    "Negotiation/Review": (90, "Pipeline", False, False),
    "Closed Won": (100, "Closed", True, True),
    "Closed Lost": (0, "Omitted", True, False),
}
"""Stage of a new organisation -> probability in percent, forecast category, closed, won."""

_CHOICES: Final[Mapping[str, str]] = {
    "Salutation": "Mr.|Ms.|Mrs.|Dr.|Prof.|Mx.",
    "LeadSource": "Web|Phone Inquiry|Partner Referral|Purchased List|Other",
    "AccountSource": "Web|Phone Inquiry|Partner Referral|Purchased List|Other",
    "Rating": "Hot|Warm|Cold",
    "Account.Type": "Prospect|Customer - Direct|Customer - Channel|Channel Partner / Reseller|Installation Partner|"
    "Technology Partner|Other",
    "Opportunity.Type": "Existing Customer - Upgrade|Existing Customer - Replacement|Existing Customer - Downgrade|New Customer",
    "Industry": "Construction|Consulting|Education|Engineering|Food & Beverage|Healthcare|Machinery|Manufacturing|Other",
    "StageName": "|".join(STAGES),
    "Lead.Status": "Open - Not Contacted|Working - Contacted|Closed - Converted|Closed - Not Converted",
    "Task.Status": "Not Started|In Progress|Completed|Waiting on someone else|Deferred",
    "Priority": "High|Normal|Low",
    "Role": "Business User|Decision Maker|Economic Buyer|Evaluator|Executive Sponsor|Influencer|Technical Buyer|Other",
    "ShowAs": "Busy|OutOfOffice|Free",
    "Subject": "Call|Email|Meeting|Send Letter/Quote|Other",
    "TaskSubtype": "Task|Email|ListEmail|Cadence|Call|LinkedIn",
    "ForecastCategoryName": "Omitted|Pipeline|Best Case|Commit|Closed",
    "UserType": "Standard|PowerPartner|CSPLitePortal|AutomatedProcess|Guest",
}

_SYSTEM: Final = """
CreatedDate datetime d; CreatedById reference:18 d >User; LastModifiedDate datetime d; LastModifiedById reference:18 d >User;
SystemModstamp datetime d
"""
_GONE: Final = "IsDeleted boolean d;"


def _address(prefix: str) -> str:
    of = f"@{prefix}Address"
    return f"""{prefix}Street textarea:255 cun {of}; {prefix}City string:40 cun {of}; {prefix}State string:80 cun {of};
    {prefix}PostalCode string:20 cun {of}; {prefix}Country string:80 cun {of}; {prefix}Latitude double:18.15 cun {of};
    {prefix}Longitude double:18.15 cun {of}; {prefix}Address address n;"""


_SPECS: Final[Mapping[str, tuple[str, str, str, bool, str]]] = {
    "Account": (
        "001",
        "Account",
        "Accounts",
        True,
        f"""Id id:18 d; {_GONE} MasterRecordId reference:18 n >Account; Name string:255 cu @Name; Type picklist:40 cun;
        ParentId reference:18 cun >Account; {_address("Billing")} {_address("Shipping")} Phone phone:40 cun; Fax phone:40 cun;
        AccountNumber string:40 cun; Website url:255 cun; Sic string:20 cun; Industry picklist:40 cun; AnnualRevenue currency:18.0 cun;
        NumberOfEmployees int cun; Description textarea:32000 cun; Rating picklist:40 cun; Site string:80 cun;
        OwnerId reference:18 cud >User; {_SYSTEM}; LastActivityDate date n; LastViewedDate datetime n;
        AccountSource picklist:40 cun""",
    ),
    "Contact": (
        "003",
        "Contact",
        "Contacts",
        True,
        f"""Id id:18 d; {_GONE} MasterRecordId reference:18 n >Contact; AccountId reference:18 cun >Account;
        LastName string:80 cu @Name; FirstName string:40 cun @Name; Salutation picklist:40 cun @Name; Name string:121 -;
        {_address("Other")} {_address("Mailing")} Phone phone:40 cun; Fax phone:40 cun; MobilePhone phone:40 cun; HomePhone phone:40 cun;
        ReportsToId reference:18 cun >Contact; Email email:80 cun; Title string:128 cun; Department string:80 cun;
        LeadSource picklist:255 cun; Birthdate date cun; Description textarea:32000 cun; OwnerId reference:18 cud >User; {_SYSTEM};
        LastActivityDate date n; LastViewedDate datetime n; IsEmailBounced boolean d""",
    ),
    "Lead": (
        "00Q",
        "Lead",
        "Leads",
        True,
        f"""Id id:18 d; {_GONE} MasterRecordId reference:18 n >Lead; LastName string:80 cu @Name; FirstName string:40 cun @Name;
        Salutation picklist:40 cun @Name; Name string:121 -; Title string:128 cun; Company string:255 cu; {_address("")}
        Phone phone:40 cun; MobilePhone phone:40 cun; Fax phone:40 cun; Email email:80 cun; Website url:255 cun;
        Description textarea:32000 cun; LeadSource picklist:255 cun; Status picklist:255 cud; Industry picklist:255 cun;
        Rating picklist:255 cun; AnnualRevenue currency:18.0 cun; NumberOfEmployees int cun; OwnerId reference:18 cud >Group,User;
        IsConverted boolean cd; ConvertedDate date n; ConvertedAccountId reference:18 n >Account;
        ConvertedContactId reference:18 n >Contact; ConvertedOpportunityId reference:18 n >Opportunity; {_SYSTEM};
        LastActivityDate date n; LastViewedDate datetime n""",
    ),
    "Opportunity": (
        "006",
        "Opportunity",
        "Opportunities",
        False,
        f"""Id id:18 d; {_GONE} AccountId reference:18 cun >Account; IsPrivate boolean cud; Name string:120 cu;
        Description textarea:32000 cun; StageName picklist:255 cu; Amount currency:18.2 cun; Probability percent:3.0 cund;
        ExpectedRevenue currency:18.2 n; CloseDate date cu; Type picklist:255 cun; NextStep string:255 cun;
        LeadSource picklist:255 cun; IsClosed boolean d; IsWon boolean d; ForecastCategoryName picklist:255 cund;
        OwnerId reference:18 cud >User; {_SYSTEM}; LastActivityDate date n; ContactId reference:18 cn >Contact;
        LastViewedDate datetime n""",
    ),
    "OpportunityContactRole": (
        "00K",
        "Opportunity Contact Role",
        "Opportunity Contact Role",
        False,
        f"""Id id:18 d; OpportunityId reference:18 c >Opportunity; ContactId reference:18 cu >Contact; Role picklist:40 cun;
        IsPrimary boolean cud; {_SYSTEM}; IsDeleted boolean d""",
    ),
    "Task": (
        "00T",
        "Task",
        "Tasks",
        False,
        f"""Id id:18 d; WhoId reference:18 cun >Contact,Lead; WhatId reference:18 cun >Account,Opportunity;
        Subject combobox:255 cun; ActivityDate date cun; Status picklist:255 cud; Priority picklist:255 cud; IsHighPriority boolean d;
        OwnerId reference:18 cud >Group,User; Description textarea:32000 cun; {_GONE} AccountId reference:18 n >Account;
        IsClosed boolean d; {_SYSTEM}; IsArchived boolean d; TaskSubtype picklist:40 cn""",
    ),
    "Event": (
        "00U",
        "Event",
        "Events",
        False,
        f"""Id id:18 d; WhoId reference:18 cun >Contact,Lead; WhatId reference:18 cun >Account,Opportunity;
        Subject combobox:255 cun; Location string:255 cun; IsAllDayEvent boolean cud; ActivityDateTime datetime cun;
        ActivityDate date cun; DurationInMinutes int cun; StartDateTime datetime cun; EndDateTime datetime cun; EndDate date n;
        Description textarea:32000 cun; AccountId reference:18 n >Account; OwnerId reference:18 cud >Calendar,User;
        IsPrivate boolean cud; ShowAs picklist:40 cund; {_GONE} IsChild boolean d; {_SYSTEM}; IsArchived boolean d;
        IsRecurrence boolean cd""",
    ),
    "User": (
        "005",
        "User",
        "Users",
        False,
        f"""Id id:18 d; Username string:80 cu; LastName string:80 cu @Name; FirstName string:40 cun @Name; Name string:121 -;
        CompanyName string:80 cun; Department string:80 cun; Title string:80 cun; Email email:128 cu; Phone phone:40 cun;
        MobilePhone phone:40 cun; Alias string:8 cu; IsActive boolean cud; TimeZoneSidKey picklist:40 cu; LocaleSidKey picklist:40 cu;
        ProfileId reference:18 cu >Profile; UserType picklist:40 n; ManagerId reference:18 cun >User; {_SYSTEM}""",
    ),
    "Organization": (
        "00D",
        "Organization",
        "Organizations",
        False,
        f"Id id:18 d; Name string:80 u; OrganizationType picklist:40 n; IsSandbox boolean d; {_SYSTEM}",
    ),
    "PermissionSet": (
        "0PS",
        "Permission Set",
        "Permission Sets",
        False,
        f"Id id:18 d; Name string:80 cu; ProfileId reference:18 cn >Profile; IsOwnedByProfile boolean d; {_SYSTEM}",
    ),
    "UserPermissionAccess": (
        "000",
        "User Permission Access",
        "User Permission Access",
        False,
        "Id id:18 d; LastCacheUpdate datetime n; PermissionsViewAllData boolean d",
    ),
    "FieldPermissions": (
        "01k",
        "Field Permissions",
        "Field Permissions",
        False,
        """Id id:18 d; ParentId reference:18 c >PermissionSet; SobjectType picklist:40 c; Field picklist:40 c;
        PermissionsEdit boolean cu; PermissionsRead boolean cu; SystemModstamp datetime d""",
    ),
}
"""Object -> prefix, labels, merges, fields: type with length or precision.scale; c creatable, u updatable, n nillable, d defaulted;
``>`` what a reference points at, ``@`` the compound it is part of."""


def _field(object: str, text: str) -> Field:
    name, kind, flags, *more = text.split()
    type, _, size = kind.partition(":")
    precision, _, scale = size.partition(".")
    number = "." in size
    said = {one[0]: one[1:] for one in more}
    choices = (_CHOICES.get(f"{object}.{name}") or _CHOICES.get(name) or "") if type in ("picklist", "combobox") else ""
    return Field(
        name,
        type,
        length=0 if number else int(size or 0),
        precision=int(precision) if number else 0,
        scale=int(scale or 0) if number else 0,
        creatable="c" in flags,
        updatable="u" in flags,
        nillable="n" in flags,
        defaulted="d" in flags,
        to=tuple(said[">"].split(",")) if ">" in said else (),
        compound=said.get("@"),
        choices=tuple(choices.split("|")) if choices else (),
    )


def tables() -> dict[str, Table]:
    """All objects of a new organisation, by name; made anew, as each may add fields."""
    return {
        name: Table(name, prefix, label, plural, merges, {one.name: one for one in _fields(name)})
        for name, (prefix, label, plural, merges, _) in _SPECS.items()
    }


@cache
def _fields(object: str) -> tuple[Field, ...]:
    """The fields of an object of a new organisation, read once."""
    return tuple(_field(object, " ".join(part.split())) for part in _SPECS[object][-1].split(";") if part.strip())


_SOAP: Final[Mapping[str, str]] = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "int": "xsd:int",
    "address": "urn:address",
}


def described(table: Table, version: str) -> dict[str, Any]:
    """The answer to a describe, with every key that a live one has."""
    told = listed(table, version)
    none = ("defaultImplementation", "extendedBy", "extendsInterfaces", "implementedBy", "implementsInterfaces", "listviewable")
    return {
        **told,
        **dict.fromkeys((*none, "lookupLayoutable", "networkScopeFieldName")),
        **{
            name: []
            for name in ("actionOverrides", "childRelationships", "namedLayoutInfos", "recordTypeInfos", "supportedScopes")
        },
        "compactLayoutable": True,
        "fields": [_told(one) for one in table.fields.values()],
        "searchLayoutable": True,
    }


def listed(table: Table, version: str) -> dict[str, Any]:
    """An object as the list of all objects has it."""
    root = f"/services/data/{version}/sobjects/{table.name}"
    writes = table.name not in ("Organization", "User")
    false = ("activateable", "custom", "customSetting", "deepCloneable", "deprecatedAndHidden", "feedEnabled", "hasSubtypes")
    true = ("layoutable", "mruEnabled", "queryable", "replicateable", "retrieveable", "searchable", "triggerable")
    return {
        **dict.fromkeys((*false, "isInterface", "isSubtype"), False),
        **dict.fromkeys(true, True),
        "createable": writes,
        "deletable": writes,
        "updateable": writes,
        "undeletable": writes and table.name != "OpportunityContactRole",
        "mergeable": table.merges,
        "keyPrefix": table.prefix,
        "label": table.label,
        "labelPlural": table.plural,
        "name": table.name,
        "urls": {"sobject": root, "describe": f"{root}/describe", "rowTemplate": f"{root}/{{ID}}"},
    }


@cache
def _told(one: Field) -> dict[str, Any]:
    false = (
        "aiPredictionField autoNumber calculated cascadeDelete dependentPicklist deprecatedAndHidden displayLocationInDecimal "
        "encrypted formulaTreatNullNumberAsZero highScaleNumber htmlFormatted restrictedDelete writeRequiresMasterRead"
    )
    none = (
        "calculatedFormula controllerName defaultValueFormula extraTypeInfo filteredLookupInfo inlineHelpText mask maskType "
        "referenceTargetField relationshipOrder"
    )
    comparable = one.type not in ("address", "textarea")
    several = len(one.to) > 1
    return {
        **dict.fromkeys(false.split(), False),
        **dict.fromkeys(none.split()),
        "aggregatable": comparable and one.type != "boolean",
        "byteLength": 18 if one.type in ("id", "reference") else 3 * one.length,
        "caseSensitive": one.external,
        "compoundFieldName": one.compound,
        "createable": one.creatable,
        "custom": one.custom,
        "defaultValue": False if one.type == "boolean" else None,
        "defaultedOnCreate": one.defaulted,
        "digits": 8 if one.type == "int" else 0,
        "externalId": one.external,
        "filterable": one.type != "textarea" or one.length <= 255,
        "groupable": comparable and one.type not in ("datetime", "double", "currency", "percent"),
        "idLookup": one.type in ("id", "email") or one.external,
        "label": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", one.name.removesuffix("__c")).replace("_", " "),
        "length": one.length,
        "name": one.name,
        "nameField": one.name == "Name",
        "namePointing": several,
        "nillable": one.nillable,
        "permissionable": one.nillable and not one.defaulted,
        "picklistValues": [
            {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value} for value in one.choices
        ],
        "polymorphicForeignKey": several,
        "precision": one.precision,
        "queryByDistance": one.type == "address",
        "referenceTo": [*one.to],
        "relationshipName": one.name.removesuffix("Id") if one.to else None,
        "restrictedPicklist": one.restricted,
        "scale": one.scale,
        "searchPrefilterable": bool(one.to),
        "soapType": _SOAP.get(one.type, "xsd:string"),
        "sortable": comparable or (one.type == "textarea" and one.length <= 255),
        "type": one.type,
        "unique": one.external,
        "updateable": one.updatable,
    }
