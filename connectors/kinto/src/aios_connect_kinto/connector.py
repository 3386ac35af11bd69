"""Kinto as a provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from aios_connect.connectors import (
    Auth,
    AuthError,
    Change,
    ConfigError,
    ConflictError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    Identity,
    NotFoundError,
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Setting,
    Verb,
)

from .layout import LAYOUT, schema_of
from .reading import pages, scan
from .wire import ID, Wire, quoted
from .writing import KEY, Writer, id_of, rests_on_the_record

__all__ = ["Kinto"]

_ALL: Final[frozenset[Verb]] = frozenset({"read", "create", "update", "delete"})
_BATCH: Final = 25
"""Requests in a batch, unless the server is set up otherwise (``batch_max_requests``)."""
_PERMITS: Final = (
    ("read", {"read", "write"}),
    ("create", {"record:create", "write"}),
    ("update", {"write"}),
    ("delete", {"write"}),
)
"""Verb -> the permissions on a collection that allow it; see https://kinto.readthedocs.io/en/latest/api/1.x/permissions.html."""


def _object(title: str, **references: str) -> ObjectSpec:
    return ObjectSpec(
        title=title,
        verbs=_ALL,
        version="last_modified",
        modified="last_modified",
        key=KEY,
        conditional="compare-and-set",
        incremental=True,
        deletes="tombstones",
        page_size=1000,
        batch_size=_BATCH,
        lookup_size=100,
        scan_size=5000,
        references=references,
    )


class Kinto(Connector):
    """One bucket of a Kinto server."""

    spec = ConnectorSpec(
        provider="kinto",
        title="Kinto",
        docs="https://kinto.readthedocs.io/en/latest/api/",
        auth=(
            Auth(
                "password",
                "An account of the server's accounts plugin, best one of its own; it needs to write to the bucket.",
                header="Authorization: Basic {basic}",
            ),
        ),
        settings=(
            Setting("url", "Address of the server, such as https://kinto.example.com/v1.", required=True),
            Setting("user", "Name of the account.", required=True),
            Setting("bucket", "The bucket that holds the company's records.", default="crm"),
        ),
        objects={
            "people": _object("People", company="companies"),
            "companies": _object("Companies"),
            "deals": _object("Deals", company="companies", person="people"),
            "tasks": _object("Tasks", company="companies", person="people", deal="deals"),
        },
        proof="live Kinto 26.5",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wire = Wire(context)

    def check(self) -> Identity:
        """Sign in, and see which collections are there and what we may do with them."""
        hello = self._wire.hello()
        user = hello.get("user")
        if not isinstance(user, dict):  # Kinto greets strangers too
            raise AuthError("Kinto does not know this account or its password", provider="kinto", status=401)
        missing: dict[str, str] = {}
        may = self._may() if "permissions_endpoint" in hello.get("capabilities", {}) else None
        for object in self.spec.objects:
            if self._wire.look(object) is None:
                missing[f"read {object}"] = f"{self._nowhere(object)}; aios connect makes it"
                continue
            for verb, permits in _PERMITS:
                if may is not None and not may[object] & permits:
                    missing[f"{verb} {object}"] = f"{' or '.join(sorted(permits))} on the collection {object!r}"
        server = f"Kinto {hello.get('project_version', '')}".strip()
        account = f"{self._wire.bucket} at {hello.get('url', '')}"
        return Identity(account, self.context.settings["user"], {"server": server}, missing)

    def describe(self, object: str) -> Schema:
        """The collection's own JSON Schema; records without one may hold anything."""
        self._known(object)
        data = self._wire.look(object)
        if data is None:
            raise NotFoundError(
                f"Kinto does not show {self._nowhere(object)}", provider="kinto", object=object, hint="aios connect makes it"
            )
        live = data.get("schema")
        return schema_of(object, live if isinstance(live, dict) else {}, self.spec.objects[object].references)

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """What changed, in the order in which it did; deletes are tombstones."""
        self._known(object)
        return pages(self._wire, object, since or {}, self.spec.objects[object].page_size)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """Records by id."""
        self._known(object)
        ids = [id for id in ids if ID.fullmatch(id)]
        if not ids:
            return []
        told = self._wire.page(object, in_id=quoted(ids))
        if told.more and len(ids) > 1:  # a server may be set up to give fewer at a time
            half = len(ids) // 2
            return self.lookup(object, ids[:half]) + self.lookup(object, ids[half:])
        return told.items

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """Records by our key, which gives them their id."""
        return {raw[KEY]: raw for raw in self.lookup(object, [id_of(key) for key in keys]) if raw.get(KEY) in keys}

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every id with its version."""
        self._known(object)
        return scan(self._wire, object, self.spec.objects[object].scan_size)

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """Write changes, all with one call, each under its own condition."""
        self._known(object)
        return Writer(self._wire, object, lambda ids: self.lookup(object, ids)).write(changes)

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        """One, and one before it where something rests on the record."""
        return 1 + any(rests_on_the_record(change) for change in changes)

    def provision(self) -> list[str]:
        """Make the bucket and its collections, each with the JSON Schema of its layout."""
        made = []
        places: list[tuple[str, str, dict[str, Any]]] = [("bucket", self._wire.collection(), {})]
        places += [("collection", self._wire.collection(object), {"schema": LAYOUT[object]}) for object in self.spec.objects]
        for kind, address, data in places:
            try:
                self._wire.make(address, data)
            except ConflictError:
                continue
            made.append(f"made the {kind} {address.rpartition('/')[2]!r}")
        return made

    def native(self) -> Any:
        """Kinto's own client (PyPI: kinto-http) for the bucket."""
        try:
            client = import_module("kinto_http").Client
        except ImportError as error:
            raise ConfigError("Kinto's own client is not installed", hint="pip install 'aios-connect-kinto[native]'") from error
        password = self.context.credentials.password()
        return client(
            server_url=self.context.settings["url"], bucket=self._wire.bucket, auth=(self.context.settings["user"], password)
        )

    def _known(self, object: str) -> None:
        if object not in self.spec.objects:
            raise ConfigError(f"kinto has no object {object!r}", hint=f"it has {', '.join(self.spec.objects)}")

    def _nowhere(self, object: str) -> str:
        return f"the collection {object!r} in the bucket {self._wire.bucket!r}"

    def _may(self) -> dict[str, set[str]]:
        """Collection -> our permissions on it, those on the whole bucket included."""
        told = self._wire.permissions()
        everywhere = {name for entry in told if entry.get("resource_name") == "bucket" for name in entry["permissions"]}
        whole = everywhere & {"read", "write"}
        may = {object: set(whole) for object in self.spec.objects}
        for entry in told:
            if entry.get("collection_id") in may:
                may[entry["collection_id"]] |= set(entry["permissions"])
        return may
