"""The two sides as people see them: the csv module on the files, JSON-RPC to Tryton. None of our code, on purpose."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, Final

from aios_connect.testing.servers import Rpc

__all__ = ["Sheet", "Tryton"]

_STAGES: Final = {"lead": "Lead", "opportunity": "Quote sent"}


class Sheet:
    """The office's sheet, as somebody with an editor sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def replace(self, file: str, old: str, new: str) -> None:
        """Change some text that stands there once."""
        path = self.folder / file
        text = path.read_bytes().decode("utf-8")
        assert text.count(old) == 1, (file, old)
        path.write_bytes(text.replace(old, new).encode("utf-8"))

    def add(self, file: str, line: str) -> None:
        """Type a row below the last one."""
        with (self.folder / file).open("ab") as sheet:
            sheet.write(f"{line}\r\n".encode())

    def bytes(self) -> dict[str, bytes]:
        """All files as they are."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("*.csv"))}

    def rows(self, file: str) -> list[dict[str, str]]:
        """The rows of a file."""
        with (self.folder / file).open(encoding="utf-8-sig", newline="") as sheet:
            return list(csv.DictReader(sheet))

    def truth(self) -> dict[str, dict[str, Any]]:
        """What it says about people, companies and deals, in the words of neither side."""
        people = {
            f"{row['First name']} {row['Last name']}": {
                "email": row["Email"], "mobile": _digits(row["Mobile"]), "phone": _digits(row["Desk phone"]),
            }
            for row in self.rows("people.csv")
        }  # fmt: skip
        companies = {
            row["Company"]: {"phone": _digits(row["Main phone"]), "website": row["Website"], "city": row["City"]}
            for row in self.rows("companies.csv")
        }
        deals = {
            row["Deal"]: {
                "company": row["Company"],
                "contact": row["Contact"],
                "stage": row["Stage"],
                "amount": f"{float(row['Amount']):.2f}" if row["Amount"] else "",
                "closes": row["Expected close"],
                "owner": row["Owner"],
            }
            for row in self.rows("deals.csv")
        }
        return {"people": people, "companies": companies, "deals": deals}


class Tryton:
    """Tryton, as somebody who works in it sees it.

    Args:
        rpc: A session.
    """

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def contact(self, party: str, type: str, value: str) -> None:
        """Change how a party is reached."""
        (found,) = self._rows("party.contact_mechanism", [["party.name", "=", party], ["type", "=", type]], ["id"])
        self._rpc("model.party.contact_mechanism.write", [found["id"]], {"value": value})

    def press(self, button: str, deal: str) -> None:
        """Press a button of an opportunity."""
        (found,) = self._rows("sale.opportunity", [["description", "=", deal]], ["id"])
        self._rpc(f"model.sale.opportunity.{button}", [found["id"]])

    def truth(self) -> dict[str, dict[str, Any]]:
        """What it says about people, companies and deals, in the words of neither side."""
        reached: dict[int, dict[str, str]] = {}
        for row in self._rows("party.contact_mechanism", [], ["party", "type", "value"]):
            reached.setdefault(row["party"], {}).setdefault(row["type"], row["value"])
        cities = {row["party"]: row["city"] or "" for row in self._rows("party.address", [], ["party", "city"])}
        people, companies = {}, {}
        for row in self._rows("party.party", [["categories.name", "=", "Person"]], ["name"]):
            at = reached.get(row["id"], {})
            people[row["name"]] = {
                "email": at.get("email", ""), "mobile": _digits(at.get("mobile", "")), "phone": _digits(at.get("phone", "")),
            }  # fmt: skip
        for row in self._rows("party.party", [["categories.name", "=", "Company"]], ["name"]):
            at = reached.get(row["id"], {})
            companies[row["name"]] = {
                "phone": _digits(at.get("phone", "")), "website": at.get("website", ""), "city": cities.get(row["id"], ""),
            }  # fmt: skip
        fields = ["description", "state", "amount", "end_date", "party.name", "contact.value", "employee.party.email"]
        deals = {
            row["description"]: {
                "company": row["party."]["name"],
                "contact": row["contact."]["value"] if row["contact."] else "",
                "stage": _STAGES[row["state"]],
                "amount": f"{float(row['amount']['decimal']):.2f}" if row["amount"] else "",
                "closes": "{year}-{month:02}-{day:02}".format_map(row["end_date"]) if row["end_date"] else "",
                "owner": row["employee."]["party."]["email"],
            }
            for row in self._rows("sale.opportunity", [], fields)
        }
        return {"people": people, "companies": companies, "deals": deals}

    def _rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._rpc(f"model.{model}.search_read", domain, 0, None, None, fields)
        return found


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)[-10:]
