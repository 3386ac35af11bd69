"""Tryton as a provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from aios_connect.connectors import (
    Auth,
    AuthError,
    Change,
    ConfigError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    Identity,
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    RejectedError,
    ScanPage,
    Schema,
    Setting,
    Verb,
)

from .costs import calls_of
from .describing import schema
from .opportunities import Opportunities
from .parties import RELATIONS, Parties
from .reading import Records
from .references import CATEGORY, RELATION, References
from .rpc import Rpc
from .staff import Employees, OwnCompany
from .writing import Writer

__all__ = ["Tryton"]

_ALL: Final[frozenset[Verb]] = frozenset({"read", "create", "update", "delete"})
REVERSE: Final = "Employs"
"""How the relation to an employer is called from the other side, where we make it."""
_READ: Final[frozenset[Verb]] = frozenset({"read"})


def _written(title: str, **more: Any) -> ObjectSpec:
    return ObjectSpec(
        title=title,
        verbs=_ALL,
        version="version",
        modified="modified",
        key="key",
        conditional="compare-and-set",
        incremental=True,
        deletes="scan",
        page_size=500,
        batch_size=200,
        lookup_size=500,
        scan_size=2000,
        **more,
    )


def _read(title: str, **more: Any) -> ObjectSpec:
    return ObjectSpec(
        title=title,
        verbs=_READ,
        version="version",
        modified="modified",
        incremental=True,
        deletes="scan",
        page_size=500,
        lookup_size=500,
        scan_size=2000,
        **more,
    )


class Tryton(Connector):
    """A company's Tryton: parties, opportunities and employees in one database."""

    spec = ConnectorSpec(
        provider="tryton",
        title="Tryton",
        docs="https://docs.tryton.org/latest/server/topics/backend_rpc.html",
        auth=(
            Auth(
                "password",
                "A Tryton user with access to parties, sales opportunities and employees; best one of its own.",
                header="",
            ),
        ),
        settings=(
            Setting("url", "Address of the server, such as https://tryton.example.com.", required=True),
            Setting("database", "Name of the database.", required=True),
            Setting("user", "Login name.", required=True),
            Setting("people_category", "Party category of people.", default="Person"),
            Setting("companies_category", "Party category of companies.", default="Company"),
            Setting(
                "employment",
                "Type of the relation that leads from a person to the employer, where the module party_relationship is activated.",
                default="Works for",
            ),
            Setting(
                "overlap", "Seconds that a read goes back before the last one began; longer than any transaction.", default="60"
            ),
        ),
        objects={
            "people": _written("People", references={"employer": "companies"}),
            "companies": _written("Companies"),
            "opportunities": _written(
                "Opportunities",
                references={
                    "party.company": "companies",
                    "party.person": "people",
                    "contact.person": "people",
                    "employee": "employees",
                    "company": "company",
                },
            ),
            "employees": _read("Employees", references={"company": "company", "supervisor": "employees"}),
            "company": _read("Own company"),
        },
        proof="live Tryton 8.2",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = {setting.name: context.settings.get(setting.name) or setting.default for setting in self.spec.settings}
        people, companies = str(settings["people_category"]), str(settings["companies_category"])
        if people == companies:
            raise ConfigError(
                "people_category and companies_category are the same",
                hint="name two party categories that tell people and companies apart",
            )
        self._overlap = _seconds(str(settings["overlap"]))
        self._rpc = Rpc(context)
        self._references = References(self._rpc)
        self._people = Parties("people", people, str(settings["employment"]))
        self._parties = (self._people, Parties("companies", companies))
        models = (*self._parties, Opportunities(people, companies), Employees(), OwnCompany())
        self._records = {model.object: Records(model, self._rpc) for model in models}

    def check(self) -> Identity:
        """Sign in, and see what the user may do and what the database lacks."""
        preferences = self._rpc.preferences()
        rights = self._rights()
        missing: dict[str, str] = {}
        for object, records in self._records.items():
            may = rights.get(records.model.name)
            if may is None:
                missing[f"read {object}"] = f"the Tryton module {records.model.module}, activated in this database"
                continue
            for verb, right in (("read", "read"), ("create", "create"), ("update", "write"), ("delete", "delete")):
                if verb in self.spec.objects[object].verbs and not may[right]:
                    missing[f"{verb} {object}"] = f"the right to {right} {records.model.name}"
        if preferences.get("company") is None:
            missing["create opportunities"] = "a company among the user's preferences"
        details = {"server": f"Tryton {self._rpc.series()}", "database": self.context.settings["database"]}
        if "party.party" in rights:
            for model in self._lacking():
                missing.setdefault(f"create {model.object}", f"the party category {model.category!r}; aios connect makes it")
            if self._lacks_employment():
                missing["write employers of people"] = f"the relation type {self._people.employment!r}; aios connect makes it"
            if others := self._neither():
                details["other parties"] = f"{others} are neither in a category of people nor of companies, and are left alone"
        account = preferences.get("company.rec_name") or self.context.settings["database"]
        return Identity(account=str(account), user=self.context.settings["user"], details=details, missing=missing)

    def describe(self, object: str) -> Schema:
        """The live fields of an object, and what is nested in its records."""
        return schema(self._of(object), self._rpc)

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """What changed, page by page; archived and replaced parties are tombstones."""
        return self._of(object).pages(since or {}, self.spec.objects[object].page_size, self._overlap)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """Records by id; archived ones are gone."""
        numbers = [int(id) for id in ids if id.isdecimal()]
        return [seen.raw for seen in self._of(object).by_id(numbers).values() if seen.raw.get("active", True)]

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """Records by our key; archived ones count, for they were made."""
        return {key: seen.raw for key, seen in self._of(object).by_key(keys).items()}

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every id with its version."""
        return self._of(object).scan(self.spec.objects[object].scan_size)

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """Write changes of one action, all with one call if Tryton takes them all."""
        if not changes:
            return []
        if changes[0].action not in self.spec.objects[object].verbs:
            raise NotImplementedError(f"tryton cannot {changes[0].action} {object}")
        return Writer(self._of(object), self._rpc, self._references).write(changes)

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        return calls_of(changes, parts=bool(self._of(object).model.parts))

    def provision(self) -> list[str]:
        """Make what this database lacks: two party categories, and the relation type of employers if it knows relations."""
        lacking = self._lacking()
        if lacking:
            names = [model.category for model in lacking]
            self._make(CATEGORY, names, "party categories", "Party > Configuration > Categories")
        done = [f"added the party category {model.category!r}" for model in lacking]
        if self._lacks_employment():
            names = [self._people.employment, REVERSE]
            ids = self._make(RELATION, names, "relation types", "Party > Configuration > Relation Types")
            pairs = [part for id, other in zip(ids, reversed(ids), strict=True) for part in ([id], {"reverse": other})]
            self._rpc.call(f"model.{RELATION}.write", *pairs, safe=False)
            done.append(f"added the relation types {names[0]!r} and {names[1]!r}")
        return done

    def _make(self, model: str, names: list[str], what: str, where: str) -> list[int]:
        try:
            ids: list[int] = self._rpc.call(f"model.{model}.create", [{"name": name} for name in names], safe=False)
        except RejectedError as error:
            raise AuthError(
                f"{self.context.settings['user']!r} may not make {what}: {error.message}",
                hint=f"make {' and '.join(map(repr, names))} in Tryton ({where}), or let the user do it: "
                "the group Party Administration permits it",
                provider="tryton",
            ) from None
        self._references.forget(model)
        return ids

    def _of(self, object: str) -> Records:
        if object not in self._records:
            raise ConfigError(f"tryton has no object {object!r}", hint=f"it has {', '.join(self._records)}")
        return self._records[object]

    def _rights(self) -> dict[str, dict[str, bool]]:
        """What the user may do with each model; models that the database does not have are left out."""
        names = sorted({records.model.name for records in self._records.values()})
        try:
            return dict(self._rpc.call("model.ir.model.access.get_access", names))
        except RejectedError:
            pass
        rights: dict[str, dict[str, bool]] = {}
        for name in names:  # one of them is not there
            try:
                rights |= self._rpc.call("model.ir.model.access.get_access", [name])
            except RejectedError:
                continue
        return rights

    def _lacking(self) -> list[Parties]:
        there = self._rpc.call(f"model.{CATEGORY}.search_read", [], 0, None, None, ["name"])
        names = {row["name"] for row in there}
        return [model for model in self._parties if model.category not in names]

    def _lacks_employment(self) -> bool:
        """True if this database knows relations between parties, and not the type that leads to an employer."""
        if RELATIONS not in self._of("people").fields():
            return False
        return not self._rpc.call(f"model.{RELATION}.search_count", [["name", "=", self._people.employment]])

    def _neither(self) -> int:
        """How many parties are in neither category, ourselves left out."""
        names = [model.category for model in self._parties]
        domain: list[Any] = [["categories", "not where", [["name", "in", names]]]]
        parties = int(self._rpc.call("model.party.party.search_count", domain))
        own = self._rpc.call("model.company.company.search_read", [], 0, None, None, ["party", "employees.party"])
        return parties - len({party for row in own for party in (row["party"], *(one["party"] for one in row["employees."]))})


def _seconds(text: str) -> timedelta:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 86_400:
        raise ConfigError(f"overlap: {text!r} is no number of seconds", hint="write a number from 0 to 86400, such as 60")
    return timedelta(seconds=seconds)
