"""The field for our key: made where the user may make fields, and else described to somebody who may.

A custom field is made by the Tooling API
(https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/sforce_api_objects_customfield.htm). Nobody sees a
new one until a permission says so, not even who made it; the permission is given to the user's own profile
(https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm).
"""

from __future__ import annotations

import logging
from typing import Final

from aios_connect.connectors import AuthError, ConfigError, NotFoundError, RejectedError

from ._objects import KEY, OBJECTS
from ._reading import Reader
from ._schema import Schemas
from ._wire import Part, Wire, literal

__all__ = ["missing_keys", "provision"]

_log = logging.getLogger("aios_connect.salesforce")

_FIELD: Final = {
    "type": "Text",
    "label": "aios key",
    "length": 80,
    "externalId": True,
    "unique": True,
    "caseSensitive": True,
    "description": "Made by aios-connect: keeps a record from being made twice. Please leave it as it is.",
}


def provision(wire: Wire, schemas: Schemas, reader: Reader, user: str) -> list[str]:
    """Make the field where it is missing; says what was made. Where the user may not, nothing is: ``check`` tells how it is done.

    Raises:
        ConfigError: There is a field of that name that does not keep its values unique.
    """
    made: list[str] = []
    keyed = [name for name, kind in OBJECTS.items() if kind.key]
    schemas.learn(keyed)
    for object in keyed:
        held = schemas.fields(object).get(KEY)
        if held is not None and not (held.get("unique") and held.get("externalId")):
            raise ConfigError(
                f"Salesforce has a field {KEY} on {object} that is no external id with unique values",
                hint="delete or rename it in Object Manager, then connect again",
            )
        if held is None:
            try:
                wire.make("tooling/sobjects/CustomField", object, {"FullName": f"{object}.{KEY}", "Metadata": _FIELD})
            except (AuthError, NotFoundError, RejectedError) as refused:
                _log.info("the field %s.%s is to be made by an administrator: %s", object, KEY, refused.message)
                continue
            made.append(object)
    if made:
        try:
            _permit(wire, reader, user, made)
        except (AuthError, NotFoundError, RejectedError) as refused:
            _log.info("the field %s is to be made visible by an administrator: %s", KEY, refused.message)
        schemas.forget()
        schemas.learn(made)
    return [f"field {KEY} on {object}" for object in made if KEY in schemas.fields(object)]


def missing_keys(schemas: Schemas, objects: list[str]) -> dict[str, str]:
    """What cannot be done without our key -> what an administrator has to do."""
    keyed = [object for object in objects if OBJECTS[object].key]
    schemas.learn(keyed)
    return {
        f"create {object} without the risk of making one twice": (
            f"a custom field {KEY} on {object}: Setup > Object Manager > {object} > Fields & Relationships > New: Text, 80 "
            "characters, Unique (case sensitive), External ID; visible and editable for the user's profile"
        )
        for object in keyed
        if KEY not in schemas.fields(object)
    }


def _permit(wire: Wire, reader: Reader, user: str, objects: list[str]) -> None:
    """Let the user's own profile see and fill the field."""
    profiles = reader.rows("User", f"SELECT Id, ProfileId FROM User WHERE Id = {literal(user)}")
    profile = str(profiles[0].get("ProfileId")) if profiles else ""
    sets = reader.rows("PermissionSet", f"SELECT Id FROM PermissionSet WHERE ProfileId = {literal(profile)}")
    records = [
        {
            "attributes": {"type": "FieldPermissions"},
            "ParentId": one["Id"],
            "SobjectType": object,
            "Field": f"{object}.{KEY}",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        for one in sets
        for object in objects
    ]
    if records:
        wire.write([Part("POST", "composite/sobjects", {"allOrNone": False, "records": records})], "FieldPermissions")
