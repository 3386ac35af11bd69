"""What a connector is: the verbs, and the values that pass through them.

A connector speaks the provider's words. It knows nothing of the canonical model, of mappings or of the engine. It reads raw
records and writes raw patches; the mapping translates, the engine decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from .context import Context
    from .spec import ConnectorSpec

__all__ = [
    "Change",
    "Connector",
    "Cursor",
    "FieldInfo",
    "Identity",
    "Page",
    "Quarantined",
    "Raw",
    "Receipt",
    "ScanPage",
    "Schema",
    "Tombstone",
]

Raw: TypeAlias = dict[str, Any]
"""One vendor record as decoded JSON: the provider's own names and nesting."""

Cursor: TypeAlias = Mapping[str, Any]
"""A position in a stream: small, JSON-serialisable, meaningful only to the connector that made it.

An empty mapping means the beginning. A cursor is valid *after* its page: a reader that stores page and cursor together can
stop at any instant and go on without loss.
"""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record that is no longer there, as the vendor itself says.

    Attributes:
        id: The vendor's id of the record that went.
        reason: ``deleted``, ``archived`` (can come back) or ``merged`` (lives on in another record).
        survivor: For ``merged``, the id of the record it lives on in.
        at: When it happened, UTC, if the vendor says.
    """

    id: str
    reason: Literal["deleted", "archived", "merged"]
    survivor: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that could not be read as a record; set aside with a reason, never dropped.

    Attributes:
        place: Where it was found, for a person: ``"people.csv:17"``, ``"page 3, item 12"``.
        reason: Why it could not be read.
        raw: What was there, as text.
        id: The vendor's id, when that much could be read.
    """

    place: str
    reason: str
    raw: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a stream.

    Attributes:
        records: Raw records in the vendor's shape.
        cursor: The position after this page. Store it in the transaction that stores the records.
        complete: True only on the last page, and only because the vendor's positive end marker was there.
        tombstones: Records that went away.
        quarantined: What could not be read.
        total: How many records the whole stream has, if the vendor says.
    """

    records: Sequence[Raw]
    cursor: Cursor
    complete: bool
    tombstones: Sequence[Tombstone] = ()
    quarantined: Sequence[Quarantined] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Ids and versions only: the cheapest complete listing the vendor has.

    Attributes:
        items: Pairs of id and version (``""`` where the vendor has none in a listing).
        complete: As in :class:`Page`.
    """

    items: Sequence[tuple[str, str]]
    complete: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One write that a plan asks for.

    Attributes:
        action: ``create``, ``update`` or ``delete``.
        line: Id of the plan line; goes along with the request so that it can be found in the vendor's log.
        id: The vendor's id; ``None`` for a create.
        patch: The values to write, in the vendor's shape: only what changes. ``None`` and the vendor's own way to clear mean clear.
        expect: The values, in the vendor's shape, that the patched paths had when the plan was made. A connector without a
            conditional write reads and compares these before it writes.
        version: The version token the record had, where the vendor has one (``spec`` says so).
        key: Our unique key for a create, written where ``spec.objects[...].key`` says, so that an unknown outcome can be looked up.
    """

    action: Literal["create", "update", "delete"]
    line: str
    id: str | None = None
    patch: Raw = field(default_factory=dict)
    expect: Raw = field(default_factory=dict)
    version: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one change. Receipts come back one per change, in the order of the changes.

    Attributes:
        outcome: ``written``; ``unchanged`` (the values were already there); ``conflict`` (the record changed since, nothing was
            written); ``rejected`` (the vendor refused, see ``reason``); ``ambiguous`` (sent, outcome unknown, could not be looked up).
        id: The vendor's id of the record afterwards.
        version: The version token afterwards, when known.
        record: The raw record afterwards, when the vendor returned it whole.
        current: For ``conflict``: the raw record as it is now, when known.
        reason: For a person: the vendor's own words, redacted.
        found: For a create: no answer came, and the record was found afterwards by our key. Where ``record`` differs from what was sent,
            somebody may have changed it since.
    """

    outcome: Literal["written", "unchanged", "conflict", "rejected", "ambiguous"]
    id: str | None = None
    version: str | None = None
    record: Raw | None = None
    current: Raw | None = None
    reason: str = ""
    found: bool = False


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of the vendor's live schema.

    Attributes:
        path: Dotted path in the raw record, ``"properties.dealname"``.
        type: The vendor's type in our words: text, integer, decimal, boolean, date, instant, choice, choices, reference, list, object.
        label: As people see it in the vendor's screen.
        required: Must be given when creating.
        writable: Can be written at all.
        choices: Code and label of every choice, for ``choice`` and ``choices``.
        custom: Made by this account, not by the vendor.
        scale: Digits after the point that survive, for ``decimal``; ``None`` if unknown or unlimited.
        max_length: Characters that survive, for ``text``; ``None`` if unknown or unlimited.
    """

    path: str
    type: Literal[
        "text",
        "integer",
        "decimal",
        "boolean",
        "date",
        "instant",
        "choice",
        "choices",
        "reference",
        "list",
        "object",
    ]
    label: str = ""
    required: bool = False
    writable: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    custom: bool = False
    scale: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """The live schema of one object.

    Attributes:
        object: The vendor's object.
        fields: By dotted path.
        open: True where a record may hold paths that are not listed (then an unlisted path is not an error).
        lacking: What to do about a path that a mapping names and that is not there, where people lay out the fields themselves and
            need not have all of them; empty where such a path is a mistake.
    """

    object: str
    fields: Mapping[str, FieldInfo]
    open: bool = False
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are at the provider, and what we may do.

    Attributes:
        account: The account or company, for a person.
        user: The user or integration we act as.
        details: More facts worth showing, such as the server's version.
        missing: Operations this connection may not do, each with what would permit it: ``{"write deals": "scope crm.deals.write"}``.
    """

    account: str
    user: str
    details: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


class Connector(ABC):
    """One provider. Subclass it, set ``spec``, implement the verbs the spec claims.

    A connector is made for one account and used by one thread at a time. It opens nothing before its first verb.

    Args:
        context: What the connection hands in: settings, credentials, the HTTP client, clock.
    """

    spec: ClassVar[ConnectorSpec]

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def check(self) -> Identity:
        """Say who we are and what we may do.

        Raises:
            AuthError: The credentials are wrong; the hint says how to connect again.
            UnavailableError: Nobody answers there.
        """

    @abstractmethod
    def describe(self, object: str) -> Schema:
        """The live schema of one object, asked of the vendor where it can be asked."""

    @abstractmethod
    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """Everything that changed since the cursor, page by page; everything there is, from an empty one.

        The last page has ``complete`` set; an iterator that ends before it raised :class:`TruncatedError` instead of ending.
        Records may come twice; they are never left out.

        Raises:
            CursorGoneError: The vendor forgot the cursor; call again with ``None``.
            TruncatedError: The stream ended without its end marker, or a page did not have its shape.
        """

    @abstractmethod
    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """The records with these ids as they are now, in any order; those that are gone are left out."""

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """The records that carry our unique keys, by key. Strongly consistent, or the spec does not claim a key.

        Where a vendor still knows the key of a record that was merged, the survivor answers to it, with its own key in it.
        """
        raise NotImplementedError(f"{self.spec.provider} has no place for a unique key on {object}")

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every id with its version: for reconcile and for deletes the vendor does not announce."""
        raise NotImplementedError(f"{self.spec.provider} cannot list the ids of {object}")

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """Write changes of one action on one object; at most ``batch_size`` of them.

        One receipt per change, in the order given. A refused record does not take its neighbours with it. Nothing is written
        over a value that differs from ``expect`` or over a newer ``version``. A timeout after sending is looked up (by key or by
        comparing) and becomes ``ambiguous`` only when that fails too; it is never sent again.

        Raises:
            ProviderError: Nothing of the batch was written (no connection, wrong credentials, limit reached).
        """
        raise NotImplementedError(f"{self.spec.provider} cannot write {object}")

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        """API calls that :meth:`write` makes of these changes when all goes well, as the vendor counts them. Nobody is asked.

        By the spec it is one for the batch, and one before it to compare where the vendor does not. A connector whose writes take
        more or fewer says so here: a plan tells people what it costs.
        """
        spec = self.spec.objects[object]
        compared = spec.conditional == "read-compare-write" and changes[0].action != "create"
        return -(-len(changes) // spec.batch_size) + (-(-len(changes) // spec.lookup_size) if compared else 0)

    def provision(self) -> list[str]:
        """Make the places we need at the vendor (our unique key), once, from ``aios connect``. Says what it made, for a person."""
        return []

    def native(self) -> Any:
        """The vendor's own Python SDK client, authenticated, for what this connector does not cover."""
        raise NotImplementedError(f"{self.spec.provider} has no Python SDK of its own")

    def close(self) -> None:
        """Give back what the connector holds. Safe to call twice."""
