"""The plan file: a header, one line a record, a footer. JSON lines, streamed both ways, sealed by a digest.

What stands here and nothing else is what apply does.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Literal, TypeAlias

import msgspec

from aios_connect.errors import ConfigError, PlanStaleError

__all__ = [
    "Action",
    "Agreement",
    "FieldChange",
    "Footer",
    "Header",
    "Plan",
    "PlanLine",
    "PlanSummary",
    "PlanWriter",
    "Price",
    "load_plan",
]

Action: TypeAlias = Literal["link", "note", "create", "update", "delete", "restore"]
"""``link`` and ``note`` and ``restore`` change only our own store; the others write to a vendor."""


class FieldChange(msgspec.Struct, omit_defaults=True):
    """One field of a line: ``old -> new (rule, source, at)``.

    Attributes:
        leaf: The canonical field.
        old: What is there now, canonical; ``None`` for nothing.
        new: What will be there.
        rule: Why.
        source: The record the value comes from.
        at: When that record changed, or was read.
    """

    leaf: str
    old: Any = None
    new: Any = None
    rule: str = ""
    source: str = ""
    at: str = ""


class Agreement(msgspec.Struct, omit_defaults=True):
    """A record whose present state becomes the agreed one.

    Attributes:
        connection: Where.
        object: The vendor's object.
        id: The vendor's id.
        seen: Digest of its leaves when the plan was made.
        open: Leaves that are not agreed: in conflict, or pointing at something unknown.
        in_step: It needs no write of its own, and nothing of it waits for a person.
        owed: There is something it was to be told; until it is, it is not in step, though it may know this very version.
    """

    connection: str
    object: str
    id: str
    seen: str
    open: list[str] = []
    in_step: bool = True
    owed: bool = False


class PlanLine(msgspec.Struct, omit_defaults=True):
    """One step of a plan.

    Attributes:
        line: Unique id; travels with the vendor request.
        action: What is done.
        kind: Canonical kind.
        entity: Our id of the record.
        label: What a person calls it.
        connection: Where; empty for ``note`` and ``restore``.
        object: The vendor's object.
        id: The vendor's id; ``None`` for a create.
        fields: What changes, for a person.
        patch: What is sent, in the vendor's shape.
        expect: What the patched places hold now, in the vendor's shape.
        version: The vendor's version token now.
        key: Our unique key of a create.
        later: Reference leaf -> entity that this plan makes first.
        entity_version: The entity's version when this line's turn comes.
        seen: Digest of the record's leaves now.
        evidence: Why it is linked.
        agreements: For ``note``: records whose state becomes the agreed one.
        waiting: Other leaves of the record wait for a person.
        undoes: Journal entry that this line takes back.
        retire: The entity has no living record any more.
    """

    line: str
    action: Action
    kind: str
    entity: str
    label: str = ""
    connection: str = ""
    object: str = ""
    id: str | None = None
    fields: list[FieldChange] = []
    patch: dict[str, Any] = {}
    expect: dict[str, Any] = {}
    version: str = ""
    key: str | None = None
    later: dict[str, str] = {}
    entity_version: int = 0
    seen: str = ""
    evidence: str = ""
    agreements: list[Agreement] = []
    waiting: bool = False
    undoes: int | None = None
    retire: bool = False

    @property
    def local(self) -> bool:
        """True if no vendor is written to."""
        return self.action in ("link", "note", "restore")


class Header(msgspec.Struct):
    """What a plan belongs to.

    Attributes:
        plan: Its id.
        job: The job.
        at: When it was made, UTC.
        job_digest: The job's meaning when it was made.
        mappings: ``connection/kind`` -> digest of the mapping.
        undoes: The run it takes back, if it is an undo.
    """

    plan: str
    job: str
    at: str
    job_digest: str
    mappings: dict[str, str]
    undoes: str | None = None
    format: int = 1


class Price(msgspec.Struct):
    """What a plan costs one account at a vendor that counts calls by the day.

    Attributes:
        connections: The connections that share the account.
        calls: API calls the plan will cost.
        daily: Calls the vendor allows a day.
        used: Of these, used up when the plan was made.
        reserve: Of these, left to the company's other tools.
        share: ``calls`` as percent of what is ours in a day, ``daily - reserve``.
        enough: What is left today of ours is enough.
    """

    connections: list[str]
    calls: int
    daily: int
    used: int
    reserve: int
    share: float
    enough: bool


class Footer(msgspec.Struct):
    """What a plan amounts to.

    Attributes:
        lines: How many.
        counts: Connection -> action -> lines; links and notes of the store under ``""``.
        calls: Connection -> API calls it will cost.
        conflicts: Fields that wait for a person.
        reviews: Records that wait for a person.
        over: Caps it would break, each a sentence.
        skipped: What an undo cannot take back, each a sentence.
        digest: Of everything before the footer.
        prices: Account at a vendor -> what the plan costs it; only of vendors that count by the day.
    """

    lines: int
    counts: dict[str, dict[str, int]]
    calls: dict[str, int]
    conflicts: int
    reviews: int
    over: list[str]
    skipped: list[str]
    digest: str
    prices: dict[str, Price] = {}


class PlanSummary(msgspec.Struct):
    """A plan that was made: where it lies, and what it amounts to."""

    path: Path
    header: Header
    footer: Footer

    @property
    def empty(self) -> bool:
        """Nothing to do, neither at a vendor nor in the store."""
        return self.footer.lines == 0


_encode = msgspec.json.Encoder(decimal_format="number").encode
_line_decoder = msgspec.json.Decoder(PlanLine)
_BLOCK = 1 << 16


class PlanWriter:
    """Writes a plan in the order it is to be applied, however the lines come.

    Lines are sorted by kind (parents first), then store before creates before updates; deletes come last, children first. Only one
    spool file per group is kept open, so memory stays flat.

    Args:
        path: Where the plan goes. It appears there only when it is whole.
        header: What it belongs to.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._header = header
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = TemporaryDirectory(dir=path.parent, prefix=".plan-")
        self._spools: dict[tuple[Any, ...], IO[bytes]] = {}
        self._count = 0
        self.counts: dict[str, dict[str, int]] = {}

    def __enter__(self) -> PlanWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for spool in self._spools.values():
            spool.close()
        self._folder.cleanup()

    def next_line(self) -> str:
        """An id for the next line."""
        self._count += 1
        return f"{self._header.plan}-{self._count}"

    def add(self, line: PlanLine, order: int) -> None:
        """Add a line; ``order`` is the place of its kind, parents first."""
        if line.action == "restore":
            group: tuple[Any, ...] = (2, 0, 0, "", "")
        elif line.action == "delete":
            group = (1, -order, 0, line.connection, line.object)
        else:
            rank = ("link", "note", "create", "update").index(line.action)
            group = (0, order, rank, line.connection, line.object)
        if group not in self._spools:
            self._spools[group] = open(Path(self._folder.name) / str(len(self._spools)), "w+b")
        self._spools[group].write(_encode(line) + b"\n")
        of = self.counts.setdefault(line.connection, {})
        of[line.action] = of.get(line.action, 0) + 1

    def finish(
        self,
        *,
        calls: dict[str, int],
        prices: dict[str, Price] | None = None,
        conflicts: int = 0,
        reviews: int = 0,
        over: list[str] | None = None,
        skipped: list[str] | None = None,
    ) -> PlanSummary:
        """Put the parts together, seal them, and move the file to its place."""
        whole = Path(self._folder.name) / "whole"
        digest, lines = sha256(), sum(sum(of.values()) for of in self.counts.values())
        with open(whole, "wb") as out:

            def put(data: bytes) -> None:
                digest.update(data)
                out.write(data)

            put(_encode({"header": self._header}) + b"\n")
            for group in sorted(self._spools):
                with self._spools[group] as spool:
                    spool.seek(0)
                    while block := spool.read(_BLOCK):
                        put(block)
                    Path(spool.name).unlink()  # a part takes the room twice only while it moves
            footer = Footer(
                lines, self.counts, calls, conflicts, reviews, over or [], skipped or [], digest.hexdigest(), prices or {}
            )
            out.write(_encode({"footer": footer}) + b"\n")
        whole.replace(self._path)
        return PlanSummary(self._path, self._header, footer)


class Plan:
    """A plan file that was checked: whole, unaltered.

    Attributes:
        path: Where it lies.
        header: What it belongs to.
        footer: What it amounts to.
    """

    def __init__(self, path: Path, header: Header, footer: Footer) -> None:
        self.path = path
        self.header = header
        self.footer = footer

    def lines(self) -> Iterator[PlanLine]:
        """The steps in the order they are applied, read from the file as they are asked for."""
        with open(self.path, "rb") as file:
            next(file)
            for data in file:
                if not data.startswith(b'{"footer"'):
                    yield _line_decoder.decode(data)


def load_plan(path: Path) -> Plan:
    """Open a plan file and prove that it is whole and unaltered.

    Raises:
        ConfigError: There is no such file, or it is no plan.
        PlanStaleError: It was cut short or edited.
    """
    digest, previous, first = sha256(), b"", b""
    try:
        with open(path, "rb") as file:
            for data in file:
                first = first or data
                digest.update(previous)
                previous = data
    except OSError as error:
        raise ConfigError(f"the plan {path} cannot be read: {error.strerror}", hint="aios plan JOB makes one") from error
    try:
        header = msgspec.convert(msgspec.json.decode(first)["header"], Header)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not a plan", hint="aios plan JOB makes one") from error
    try:
        footer = msgspec.convert(msgspec.json.decode(previous)["footer"], Footer)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise PlanStaleError(f"the plan {path} is cut short", hint=f"aios plan {header.job} makes a new one") from error
    if footer.digest != digest.hexdigest():
        raise PlanStaleError(f"the plan {path} was changed after it was made", hint=f"aios plan {header.job} makes a new one")
    return Plan(path, header, footer)
