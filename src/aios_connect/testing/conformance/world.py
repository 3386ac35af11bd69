"""A world: one provider in a box, as the suite needs to see it.

It says how the provider's own people make, change and remove records, and what is really there. Everything else is made of the
connector's ``spec``.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aios_connect.connection import Connection, shipped_mappings
from aios_connect.connectors import Auth, Change, Connector, Context, Credentials, Cursor, Http, ObjectSpec, Page, Raw, Tombstone
from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.oauth import token_http
from aios_connect.mappings import CompiledMapping, load
from aios_connect.sandbox import Answer, Fault, Schedule, SimClock, Vendor
from aios_connect.sandbox import transport as in_process

from .wire import Sent, Wire

if TYPE_CHECKING:
    import httpx2

__all__ = ["Sample", "ShelfWorld", "Told", "VendorWorld", "World", "at", "leaves", "nested"]

_PAGES = 2000
"""Pages in one read of a test. What gives more goes round in a circle."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the suite writes into one object.

    Attributes:
        new: Makes the values of the n-th record, in the vendor's shape; no two alike.
        text: Dotted path of a text among them that anybody may change and clear.
        empty: What a cleared text reads as.
        clear: What is written to clear it.
        bad: Values that the provider refuses.
        link: Dotted path of a reference, and the object it points at.
    """

    new: Callable[[int], Raw]
    text: str
    empty: Any = None
    clear: Any = None
    bad: Raw = field(default_factory=dict)
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one read told, from its first page to its last.

    Attributes:
        pages: In order.
        records: Of all pages.
        tombstones: Of all pages.
        cursor: Behind the last page, as it comes back from a database.
    """

    pages: Sequence[Page]
    records: Sequence[Raw]
    tombstones: Sequence[Tombstone]
    cursor: Cursor


class World(ABC):
    """Subclass it for a provider: the attributes that are marked, and the five methods that are abstract.

    Args:
        folder: An empty folder of its own.

    Attributes:
        connector: The connector that is tried.
        samples: What is written, by object, parents first. An object that nobody can write has one too: its people make them.
        settings: Of the connection.
        secrets: Of the connection, good ones.
        page_size: Records per page here, if the box gives fewer than ``spec`` says.
        pages: Requests that bring a page of a list, as a pattern for :meth:`label`.
        writes: Requests that change something at the provider, the same.
        plays: Of the faults that only the provider can play (:data:`aios_connect.sandbox.FAULTS`, ``inside``), those it can.
        busy: More answers by which this provider asks to come later, besides 429.
        mappings: Folder of the mapping files; those that come with the package, if not given.
        lag: Seconds by which an index can be made to lag behind; 0 if the provider has no such thing.
        calls_to_read: Requests that a full read of an object needs besides one a page: the bin, associations.
        left_out: Objects that cannot be tried here, each with the reason.
        unmerged: Objects whose records nobody can merge, where those of others can be.
        offline: Nothing may reach for a network. A world around a real server on loopback says False.
        over_http: The provider is spoken to over HTTP, so that the suite can stand in between; else :meth:`transport` gives ``None``.
    """

    connector: ClassVar[type[Connector]]
    samples: ClassVar[Mapping[str, Sample]]
    settings: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}
    page_size: ClassVar[int] = 0
    pages: ClassVar[str] = "GET "
    writes: ClassVar[str] = "(POST|PUT|PATCH|DELETE) "
    plays: ClassVar[frozenset[str]] = frozenset()
    busy: ClassVar[Sequence[Answer]] = ()
    mappings: ClassVar[Path | None] = None
    lag: ClassVar[float] = 0.0
    calls_to_read: ClassVar[int] = 2
    left_out: ClassVar[Mapping[str, str]] = {}
    unmerged: ClassVar[frozenset[str]] = frozenset()
    offline: ClassVar[bool] = True
    over_http: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SimClock()
        self._records_made = 0
        self._lines_given = 0
        self._connectors_opened: list[Connector] = []
        self.tokens = MemoryTokenStore(now=self.clock.now)
        self.budget = MemoryBudget(now=self.clock.now, sleep=self.clock.sleep)

    # what a world is made of

    @abstractmethod
    def transport(self) -> httpx2.BaseTransport | None:
        """The way to the provider; ``None`` for one that is not spoken to over HTTP."""

    @abstractmethod
    def make(self, object: str, values: Raw) -> str:
        """One of the provider's people makes a record; its id."""

    @abstractmethod
    def change(self, object: str, id: str, values: Raw) -> None:
        """One of the provider's people changes some values of a record."""

    @abstractmethod
    def remove(self, object: str, id: str) -> None:
        """One of the provider's people deletes a record."""

    @abstractmethod
    def truth(self, object: str) -> dict[str, Raw]:
        """Every record that is there, by id, with the paths of its sample at least, as a connector should show them."""

    def merge(self, object: str, id: str, survivor: str) -> str:
        """One of the provider's people merges a record into another; the id under which it lives on."""
        raise NotImplementedError

    def refused(self) -> int:
        """Calls that the provider refused as too many so far, each of a batch by itself; 0 if it does not count them."""
        return 0

    def spoil(self, object: str, id: str) -> None:
        """Make one record unreadable, such as by a stray quote or a missing part."""
        raise NotImplementedError

    def add_field(self, object: str, path: str) -> None:
        """One of the provider's people adds a field for texts to an object."""
        raise NotImplementedError

    def permit(self, scopes: Set[str]) -> None:
        """From now on what we signed in with has these scopes, of those that ``spec`` names, and no others."""
        raise NotImplementedError

    def play(self, fault: Fault | None) -> None:
        """From now on the provider plays this wherever it fits, or nothing. For the faults of ``plays``."""
        raise NotImplementedError

    def slow_index(self, seconds: float) -> None:
        """From now on what is written shows in lists only after so many seconds. For a world with ``lag``."""
        raise NotImplementedError

    def label(self, sent: Sent) -> str:
        """What a request is, for ``pages`` and ``writes``: method and path, unless a world knows better."""
        return f"{sent.method} {sent.path}"

    # what the suite does with it

    @cached_property
    def wire(self) -> Wire:
        """What stands between the connector and the provider."""
        inner = self.transport()
        assert inner is not None, "this provider is not spoken to over HTTP"
        return Wire(inner, self.clock)

    @classmethod
    def has(cls, hook: str) -> bool:
        """The world can do one of the things it may leave out."""
        return getattr(cls, hook) is not getattr(World, hook)

    def is_page(self, sent: Sent) -> bool:
        """A request brings a page of a list."""
        return re.match(self.pages, self.label(sent)) is not None

    def is_write(self, sent: Sent) -> bool:
        """A request changes something at the provider."""
        return re.match(self.writes, self.label(sent)) is not None

    def size(self, object: str) -> int:
        """Records on a page here."""
        return self.page_size or self.connector.spec.objects[object].page_size

    def auth(self, kind: str) -> Auth:
        """The first way to sign in of this kind."""
        return next(auth for auth in self.connector.spec.auth if auth.kind == kind)

    def open(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        now: Callable[[], datetime] | None = None,
        name: str = "crm",
        attempts: int = 6,
        transport: httpx2.BaseTransport | None = None,
    ) -> Connector:
        """A connector as a fresh process opens it: nothing is remembered but what is in the token store.

        Args:
            secrets: Others than the good ones.
            auth: Another way to sign in than the first one.
            now: Another clock than the provider's.
            name: Of the connection.
            attempts: How often a request is tried.
            transport: Instead of :attr:`wire`.
        """
        auth = auth or self.connector.spec.auth[0]
        kept = self.secrets if secrets is None else secrets
        if kept and (secrets is not None or self.tokens.get(name) is None):
            self.tokens.put(name, kept, expires_at=0.0 if auth.kind == "oauth2" else None)
        now, sleep = now or self.clock.now, self.clock.sleep
        wire = transport or (self.wire if self._is_spoken_to() else _nowhere())
        signing = token_http(self.connector.spec.provider, transport=wire, now=now, sleep=sleep)
        credentials = Credentials(name, auth, self.tokens, settings=self.settings, http=signing, now=now, sleep=sleep)
        http = Http(
            provider=self.connector.spec.provider,
            base_url=self.settings.get("url", ""),
            credentials=credentials,
            limits=self.connector.spec.limits,
            budget=self.budget,
            account=name,
            transport=wire,
            now=now,
            sleep=sleep,
            attempts=attempts,
            jitter=lambda: 0.5,
            trust_env=False,
        )
        opened = self.connector(Context(name, dict(self.settings), credentials, http, now, sleep, self.folder))
        self._connectors_opened.append(opened)
        return opened

    def connection(self, connector: Connector | None = None) -> Connection:
        """The connection with its mappings."""
        return Connection("crm", connector or self.open(), self.mapped())

    @classmethod
    def mapped(cls) -> list[CompiledMapping]:
        """The mapping files of the provider."""
        return _mappings(cls._mappings_folder())

    @classmethod
    def mapping_files(cls) -> list[Path]:
        """Where they stand."""
        return sorted(cls._mappings_folder().glob("*.yaml"))

    @classmethod
    def _mappings_folder(cls) -> Path:
        return cls.mappings or shipped_mappings(cls.connector.spec.provider)

    def close(self) -> None:
        """Give everything back."""
        for connector in self._connectors_opened:
            connector.close()

    def provisioned(self) -> Connector:
        """A connector that has made its places at the provider, as ``aios connect`` does."""
        connector = self.open()
        connector.provision()
        return connector

    def fill(self, object: str, count: int, *, apart: float = 0.0) -> list[str]:
        """The provider's people make so many records, so many seconds apart; their ids."""
        ids = []
        for _ in range(count):
            ids.append(self.make(object, self.fresh(object)))
            self.clock.sleep(apart)
        return ids

    def fresh(self, object: str) -> Raw:
        """Values of a record that nobody has made yet."""
        self._records_made += 1
        return self.samples[object].new(self._records_made)

    def wait(self, seconds: float = 86_400.0) -> None:
        """Time goes by: a day, unless said otherwise; longer than anything lags."""
        self.clock.sleep(seconds)

    def read(self, connector: Connector, object: str, since: Cursor | None = None) -> Told:
        """One read to its end, which must come."""
        pages = list(islice(connector.read(object, since), _PAGES + 1))
        assert len(pages) <= _PAGES, f"more than {_PAGES} pages: this does not end"
        assert pages, "a read has at least one page"
        assert pages[-1].complete, "the read ended without a page that says so"
        assert not any(page.complete for page in pages[:-1]), "a page before the last one said that it was the last"
        records = [raw for page in pages for raw in page.records]
        tombstones = [stone for page in pages for stone in page.tombstones]
        return Told(pages, records, tombstones, stored(pages[-1].cursor))

    def id(self, object: str, raw: Raw) -> str:
        """The id of a record as read."""
        return str(at(raw, self.spec(object).id))

    def by_id(self, object: str, records: Sequence[Raw]) -> dict[str, Raw]:
        """Records as read, by id; of one that came twice the later one."""
        return {self.id(object, raw): raw for raw in records}

    def spec(self, object: str) -> ObjectSpec:
        """What the connector claims about an object."""
        return self.connector.spec.objects[object]

    def line(self) -> str:
        """The name of a plan line that no other has."""
        self._lines_given += 1
        return f"plan.{self._lines_given}"

    def create(self, object: str, values: Raw | None = None) -> Change:
        """A plan's line that makes a record."""
        line = self.line()
        key = f"aios-{line}" if self.spec(object).key else None
        return Change("create", line, None, self.fresh(object) if values is None else values, key=key)

    def update(self, object: str, raw: Raw, values: Raw) -> Change:
        """A plan's line that changes a record which was read as ``raw``."""
        return Change("update", self.line(), self.id(object, raw), values, expected(raw, values), self._version(object, raw))

    def delete(self, object: str, raw: Raw) -> Change:
        """A plan's line that deletes a record which was read as ``raw``."""
        return Change("delete", self.line(), self.id(object, raw), {}, dict(raw), self._version(object, raw))

    def there(self, object: str, path: str) -> dict[str, Any]:
        """Id -> what is truly at a path."""
        return {id: at(raw, path) for id, raw in self.truth(object).items()}

    def _version(self, object: str, raw: Raw) -> str | None:
        version = at(raw, self.spec(object).version) if self.spec(object).version else None
        return None if version is None else str(version)

    def _is_spoken_to(self) -> bool:
        return "wire" in self.__dict__ or self.transport() is not None


class VendorWorld(World):
    """A world around a :class:`~aios_connect.sandbox.Vendor`; :meth:`vendor` makes it, with the world's clock."""

    plays: ClassVar[frozenset[str]] = frozenset({"empty_page", "cursor_gone", "half_done", "all_or_nothing"})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.provider = self.vendor()

    @abstractmethod
    def vendor(self) -> Any:
        """The fake provider: a :class:`~aios_connect.sandbox.Vendor`, anew for every test."""

    def transport(self) -> httpx2.BaseTransport:
        """In this process."""
        vendor: Vendor = self.provider
        return in_process(vendor)

    def refused(self) -> int:
        """As it counts them itself."""
        return int(getattr(self.provider, "refused", 0))

    def play(self, fault: Fault | None) -> None:
        """The provider plays it with every request."""
        self.provider.schedule = _Always(fault)


class ShelfWorld(VendorWorld):
    """A world whose vendor keeps each object on a shelf, ``shelves[object]``, and says by ``shown(item)`` what its API shows.

    Attributes:
        fake: Makes the vendor with the world's clock.
    """

    fake: ClassVar[Callable[..., Any]]
    plays: ClassVar[frozenset[str]] = frozenset()

    def vendor(self) -> Any:
        """A new one."""
        return type(self).fake(clock=self.clock)

    def make(self, object: str, values: Raw) -> str:
        """A new item on the shelf."""
        return str(self.provider.shelves[object].create(values, by="a person").id)

    def change(self, object: str, id: str, values: Raw) -> None:
        """Its item with other values."""
        self.provider.shelves[object].change(id, values, by="a person")

    def remove(self, object: str, id: str) -> None:
        """Its item is taken off."""
        self.provider.shelves[object].remove(id, by="a person")

    def truth(self, object: str) -> dict[str, Raw]:
        """What stands on the shelf, as the API shows it."""
        return {item.id: self.provider.shown(item) for item in self.provider.shelves[object]}


class _Always(Schedule):
    """Every request meets the same fault."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__(only={})
        self._fault = fault

    def fault(self, index: int) -> Fault | None:
        return self._fault


def at(raw: Any, path: str) -> Any:
    """What stands at a dotted path; ``None`` if nothing does."""
    for name in path.split("."):
        raw = raw.get(name) if isinstance(raw, Mapping) else None
    return raw


def nested(path: str, value: Any) -> Raw:
    """A record that has one value."""
    for name in reversed(path.split(".")):
        value = {name: value}
    whole: Raw = value
    return whole


def leaves(raw: Raw, above: str = "") -> dict[str, Any]:
    """Dotted path -> value, of everything in a record."""
    found: dict[str, Any] = {}
    for name, value in raw.items():
        inside = isinstance(value, Mapping) and value
        found |= leaves(value, f"{above}{name}.") if inside else {f"{above}{name}": value}
    return found


def expected(raw: Raw, patch: Raw) -> Raw:
    """What the patched places hold in a record, in the shape of the patch."""
    return {
        name: expected(raw.get(name) or {}, value) if isinstance(value, dict) and value else raw.get(name)
        for name, value in patch.items()
    }


def stored(cursor: Cursor) -> Cursor:
    """A cursor as it comes back from a database."""
    back: Cursor = json.loads(json.dumps(cursor))
    return back


@cache
def _mappings(folder: Path) -> list[CompiledMapping]:
    return [load(file) for file in sorted(folder.glob("*.yaml"))]


def _nowhere() -> httpx2.BaseTransport:
    import httpx2

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(f"a connector that needs no network asked for {request.url}")

    return httpx2.MockTransport(refuse)
