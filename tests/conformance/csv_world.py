"""The world of CSV: a folder of sheets, and people who edit them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from aios_connect_csv import CSV

from aios_connect.connectors import Raw
from aios_connect.testing.conformance import Sample, World

__all__ = ["CSVWorld"]

COLUMNS = {
    "companies": ("id", "Company", "Website", "Main phone", "City", "Notes"),
    "people": ("id", "First name", "Last name", "Email", "Mobile", "Company", "Job title", "Notes"),
    "deals": ("id", "Deal", "Company", "Stage", "Amount", "Currency"),
    "users": ("id", "Name", "Email"),
}
MISSING = {"Nickname": "there is no such column"}


class ShortCSV(CSV):
    """CSV with short pages, so that a few rows make several."""

    spec = replace(
        CSV.spec,
        objects={
            name: replace(spec, page_size=5, scan_size=5, lookup_size=20, batch_size=20)
            for name, spec in CSV.spec.objects.items()
        },
    )


class CSVWorld(World):
    """Four sheets in a folder."""

    connector = ShortCSV
    settings = {"folder": "."}
    samples = {
        "companies": Sample(
            lambda n: {"Company": f"Company {n}", "Website": f"https://c{n}.example.com", "City": "Oslo"},
            text="Company",
            empty="",
            clear="",
            bad=MISSING,
        ),
        "people": Sample(
            lambda n: {"First name": f"Ann {n}", "Last name": "Lee", "Email": f"ann{n}@example.com"},
            text="First name",
            empty="",
            clear="",
            bad=MISSING,
        ),
        "deals": Sample(
            lambda n: {"Deal": f"Deal {n}", "Stage": "Won", "Amount": f"{n}.5", "Currency": "EUR"},
            text="Deal",
            empty="",
            clear="",
            bad=MISSING,
        ),
        "users": Sample(
            lambda n: {"Name": f"Nora {n}", "Email": f"nora{n}@example.com"}, text="Name", empty="", clear="", bad=MISSING
        ),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.columns = dict(COLUMNS)
        for object in COLUMNS:
            self._save(object, [])

    def transport(self) -> None:
        """A sheet is read and written where it lies."""

    def make(self, object: str, values: Raw) -> str:
        id = f"{object[0]}-{self._path(object).stat().st_size}"
        with open(self._path(object), "a", encoding="utf-8", newline="") as file:
            file.write(self._lines(object, [{"id": id, **values}]))
        return id

    def change(self, object: str, id: str, values: Raw) -> None:
        self._save(object, [{**row, **values} if row["id"] == id else row for row in self._rows(object)])

    def remove(self, object: str, id: str) -> None:
        self._save(object, [row for row in self._rows(object) if row["id"] != id])

    def spoil(self, object: str, id: str) -> None:
        lines = self._path(object).read_text("utf-8").splitlines()
        spoilt = [f"{line},one cell,too many" if line.startswith(f"{id},") else line for line in lines]
        self._path(object).write_text("\n".join(spoilt) + "\n", "utf-8")

    def add_field(self, object: str, path: str) -> None:
        rows = self._rows(object)
        self.columns[object] = (*self.columns[object], path)
        self._save(object, rows)

    def truth(self, object: str) -> dict[str, Raw]:
        return {str(row["id"]): row for row in self._rows(object)}

    def _path(self, object: str) -> Path:
        return self.folder / f"{object}.csv"

    def _rows(self, object: str) -> list[Raw]:
        with open(self._path(object), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _save(self, object: str, rows: list[Raw]) -> None:
        self._path(object).write_text(f"{','.join(self.columns[object])}\n{self._lines(object, rows)}", "utf-8", newline="")

    def _lines(self, object: str, rows: list[Raw]) -> str:
        text = io.StringIO()
        csv.DictWriter(text, self.columns[object], lineterminator="\n").writerows(rows)
        return text.getvalue()
