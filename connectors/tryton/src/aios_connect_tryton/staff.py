"""Ourselves in Tryton: our company and who works there."""

from __future__ import annotations

from collections.abc import Mapping

from aios_connect.connectors import Raw

from .model import Model, Row, along, code_of, plain
from .parties import contacts_of

__all__ = ["Employees", "OwnCompany"]


class Employees(Model):
    """Our own staff. Read only."""

    object = "employees"
    name = "company.employee"
    module = "company"
    of_company = True
    parts: Mapping[str, str] = {"party": "party.party", "party.contact_mechanisms": "party.contact_mechanism"}
    nested = (
        "party.name",
        *(f"party.contact_mechanisms.{name}" for name in ("type", "value", "name", "active")),
        "company.party.name",
        "active",
    )
    derived = Model.derived | {"active", "name", "contacts", "company_name"}

    def shape(self, row: Row) -> Raw:
        return {
            "active": bool(row["active"]),
            "name": row["party."]["name"],
            "contacts": contacts_of(plain(along(row, "party.contact_mechanisms"))),
            "company_name": row["company."]["party."]["name"],
        }


class OwnCompany(Model):
    """The companies this Tryton keeps the books of: our own, not our customers. Read only."""

    object = "company"
    name = "company.company"
    module = "company"
    parts: Mapping[str, str] = {"party": "party.party"}
    nested = ("party.name", "currency.code")
    derived = Model.derived | {"name"}

    def shape(self, row: Row) -> Raw:
        return {"name": row["party."]["name"], "currency": code_of(row, "currency", "code")}
