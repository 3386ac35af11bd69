"""The company whose Tryton it is."""

from __future__ import annotations

from typing import Any

from .rpc import Rpc, number

__all__ = ["set_up"]


def set_up(rpc: Rpc) -> dict[str, Any]:
    """What a Tryton needs before it takes an opportunity: a currency, a company, and people who work there.

    Returns:
        ``company``: its id; ``employees``: their ids by e-mail address.
    """
    dollar, *_ = rpc(
        "model.currency.currency.create",
        [
            {"name": name, "code": code, "numeric_code": numeric, "symbol": symbol, "digits": 2, "rounding": number("0.01")}
            for name, code, numeric, symbol in (("US Dollar", "USD", "840", "$"), ("Euro", "EUR", "978", "€"))
        ],
    )
    rpc(
        "model.country.country.create",
        [{"name": name, "code": code} for name, code in (("United States", "US"), ("United Kingdom", "GB"), ("Germany", "DE"))],
    )
    mailboxes = {"nora@example.com": "Nora Lindqvist", "ines@example.com": "Ines Duarte"}
    own, *staff = rpc(
        "model.party.party.create",
        [{"name": "Brightwater Cleaning"}]
        + [
            {"name": name, "contact_mechanisms": [["create", [{"type": "email", "value": at}]]]} for at, name in mailboxes.items()
        ],
    )
    (company,) = rpc("model.company.company.create", [{"party": own, "currency": dollar}])
    employees = rpc("model.company.employee.create", [{"party": party, "company": company} for party in staff])
    rpc(
        "model.res.user.write",
        [1],
        {"companies": [["add", [company]]], "company": company, "employees": [["add", employees]], "employee": employees[0]},
    )
    return {"company": company, "employees": dict(zip(mailboxes, employees, strict=True))}
