"""Reading: folder after folder, by UID; what came and, where the server has CONDSTORE, what was marked since.

The cursor has UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ of each folder as they were when reading it began, and within a folder the last UID
that was read. A folder with another UIDVALIDITY, or one that lies behind our position, is read again; its messages have the ids they had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from aios_connect.connectors import (
    ConfigError,
    Context,
    Cursor,
    CursorGoneError,
    NotFoundError,
    Page,
    Quarantined,
    Raw,
    RejectedError,
    ScanPage,
)

from .folders import Folders
from .identity import FIELDS, by_header, by_message_id, message_id_in
from .imap import Imap, Opened
from .records import Copy, Records, version

__all__ = ["Reading"]

_BYTES: Final = 8_000_000
"""What is fetched in one call, unless a single message is larger."""
_LARGEST: Final = 64_000_000
"""Bytes of a message beyond which it is set aside."""
_AT_ONCE: Final = 20
"""Message-IDs in one search."""
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass through a folder: from what was known to what was there when it began.

    Attributes:
        name: The folder.
        validity: UIDVALIDITY in it.
        known: UIDs below it are known, unless they changed since ``seen``.
        seen: MODSEQ that is known.
        next: UIDNEXT when the pass began.
        modseq: HIGHESTMODSEQ when the pass began.
        after: The last UID that was read.
    """

    name: str
    validity: int
    known: int
    seen: int
    next: int
    modseq: int
    after: int

    def at(self, uid: int) -> list[Any]:
        """As it stands in a cursor, once this UID was read."""
        return [self.name, self.validity, self.known, self.seen, self.next, self.modseq, uid]

    def done(self) -> list[int]:
        """As it stands in a cursor, at its end."""
        return [self.validity, self.next, self.modseq]


class Reading:
    """Reads messages.

    Args:
        imap: The way to the server.
        folders: Which folders count.
        records: What messages are as records.
        context: The setting ``since``.
    """

    def __init__(self, imap: Imap, folders: Folders, records: Records, context: Context) -> None:
        self._imap = imap
        self._folders = folders
        self._records = records
        self._since = context.settings.get("since", "").strip()
        self._criteria = ("UNDRAFT", *_criterion(self._since))  # what is a draft was not sent, or nobody knows yet

    def pages(self, since: Cursor, size: int) -> Iterator[Page]:
        """What came or changed since the cursor; see :meth:`aios_connect.connectors.Connector.read`."""
        settled, doing = self._position(since)
        names = self._folders.read()
        settled = {name: settled[name] for name in names if name in settled}
        for name in names:
            try:
                opened = self._imap.open(name, again=True)
            except NotFoundError:  # it went after the list was made
                settled.pop(name, None)
                continue
            this = _begun(opened, settled.get(name), doing if doing and doing.name == name else None)
            uids = [uid for uid in self._changed(opened, this) if this.after < uid < this.next]
            for start in range(0, len(uids), size):
                part = uids[start : start + size]
                records, aside = self._messages(name, part)
                yield Page(records, self._cursor(settled, this.at(part[-1])), complete=False, quarantined=aside)
            settled[name] = this.done()
        yield Page([], self._cursor(settled), complete=True)

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        """Messages by id. Of several copies the one that a full read comes to last."""
        wanted, found = set(ids), dict[str, Raw]()
        searched = {id: told for id in wanted if (told := message_id_in(id))}
        listed = wanted - searched.keys()
        for name in self._folders.read():
            opened = self._imap.open(name, again=True)
            uids = set(self._with_message_ids(list(searched.values())))
            if listed:
                uids.update(uid for uid, id, _ in self._listed(opened, self._there()) if id in listed)
            for part in _parts(sorted(uids), 100):
                records, _ = self._messages(name, part)
                found |= {raw["id"]: raw for raw in records if raw["id"] in wanted}
        return list(found.values())

    def scan(self, size: int) -> Iterator[ScanPage]:
        """Every id with its version. Of several copies the later one counts, as in a read."""
        told: dict[str, str] = {}
        for name in self._folders.read():
            opened = self._imap.open(name, again=True)
            told.update((id, version) for _, id, version in self._listed(opened, self._there()))
        items = list(told.items())
        for part in _parts(items, size):
            yield ScanPage(part, complete=False)
        yield ScanPage([], complete=True)

    def unsettled(self, opened: Opened, since: Cursor) -> bool:
        """A folder has what a cursor does not know."""
        settled, doing = self._position(since)
        return doing is not None or settled.get(opened.name) != [opened.validity, opened.next, opened.modseq]

    def raws(self, name: str, uids: Sequence[int]) -> list[Raw]:
        """The records of messages in a folder that is open; what cannot be read is left out."""
        return [raw for part in _parts(uids, 100) for raw in self._messages(name, part)[0]]

    def _position(self, since: Cursor) -> tuple[dict[str, list[int]], _Pass | None]:
        if not since:
            return {}, None
        folders, doing = since.get("folders"), since.get("doing")
        if not isinstance(folders, Mapping) or not (doing is None or (isinstance(doing, list) and len(doing) == 7)):
            raise CursorGoneError("the cursor is not one of this connector", provider="mail", object="messages")
        if since.get("since", "") != self._since:
            raise CursorGoneError("the setting since is another one now", provider="mail", object="messages")
        return {name: list(told) for name, told in folders.items()}, _Pass(*doing) if doing else None

    def _cursor(self, settled: Mapping[str, list[int]], doing: list[Any] | None = None) -> Cursor:
        cursor: dict[str, Any] = {"folders": dict(settled)}
        if self._since:
            cursor["since"] = self._since
        return {**cursor, "doing": doing} if doing else cursor

    def _changed(self, opened: Opened, this: _Pass) -> list[int]:
        """The UIDs that a pass is about."""
        marked = self._imap.has("CONDSTORE") and opened.modseq > this.seen
        if not this.known or (marked and not this.seen):
            return self._there()
        found: set[int] = set()
        if opened.next > this.known:  # n:* always names the last message, whatever its UID
            found.update(uid for uid in self._imap.search("UID", f"{this.known}:*", *self._criteria) if uid >= this.known)
        if marked:
            found.update(self._imap.search("MODSEQ", str(this.seen + 1), *self._criteria))
        return sorted(found)

    def _there(self) -> list[int]:
        return self._imap.search(*self._criteria)

    def _with_message_ids(self, told: Sequence[str]) -> Iterator[int]:
        for part in _parts(told, _AT_ONCE):
            criteria: list[str] = []
            for place, message_id in enumerate(part, 1):
                criteria += [*(["OR"] if place < len(part) else []), "HEADER", "MESSAGE-ID", f'"{message_id}"']
            yield from self._imap.search(*criteria, *self._criteria)

    def _listed(self, opened: Opened, uids: Sequence[int]) -> Iterator[tuple[int, str, str]]:
        """UID, id and version of messages in the open folder."""
        for part in _parts(uids, 1000):
            told = self._imap.fetch(part, "FLAGS", FIELDS)
            ids = {uid: by_message_id(_body(values) or b"") for uid, values in told.items()}
            nameless = [uid for uid, id in ids.items() if id is None]
            headers = self._imap.fetch(nameless, "BODY.PEEK[HEADER]")
            for uid, values in told.items():
                id = ids[uid] or by_header(_body(headers.get(uid, {})) or b"")
                yield uid, id, version(Copy.of(opened, uid, values))

    def _messages(self, name: str, uids: Sequence[int]) -> tuple[list[Raw], list[Quarantined]]:
        """The records of messages in a folder, and those that could not be read. What went meanwhile is in neither."""
        opened = self._imap.open(name)
        facts = self._fetched(uids, "FLAGS", "INTERNALDATE", "RFC822.SIZE")
        records: list[Raw] = []
        aside: list[Quarantined] = []
        sizes = {uid: _size(values) for uid, values in facts.items()}
        left = {uid for uid in uids if sizes.get(uid, _LARGEST + 1) > _LARGEST}
        for part in _by_size({uid: size for uid, size in sizes.items() if size <= _LARGEST}):
            bodies = self._fetched(part, "BODY.PEEK[]")
            for uid in part:
                body = _body(bodies.get(uid, {}))
                if body is None:
                    left.add(uid)
                    continue
                told = self._records.read(Copy.of(opened, uid, facts[uid]), body)
                (aside if isinstance(told, Quarantined) else records).append(told)  # type: ignore[arg-type]
        for uid in self._still_there(left):
            aside.append(self._withheld(opened, uid, facts.get(uid, {})))
        return records, aside

    def _fetched(self, uids: Sequence[int], *items: str) -> dict[int, dict[str, Any]]:
        """Items of messages; if the server fails at one of them, without that one."""
        try:
            return self._imap.fetch(uids, *items)
        except RejectedError:
            if len(uids) == 1:
                return {}
            half = len(uids) // 2
            return self._fetched(uids[:half], *items) | self._fetched(uids[half:], *items)

    def _still_there(self, uids: Iterable[int]) -> list[int]:
        asked = sorted(uids)
        there = set(self._imap.search("UID", ",".join(map(str, asked)))) if asked else set()
        return [uid for uid in asked if uid in there]

    def _withheld(self, opened: Opened, uid: int, facts: Mapping[str, Any]) -> Quarantined:
        size = _size(facts)
        header = _body(self._fetched([uid], "BODY.PEEK[HEADER]").get(uid, {})) or b""
        reason = "the server lists it and does not give it"
        if size > _LARGEST:
            reason = f"it has {size:,} bytes, more than the {_LARGEST:,} that are read"
        return self._records.set_aside(Copy.of(opened, uid, facts), header, reason)


def _begun(opened: Opened, settled: Sequence[int] | None, doing: _Pass | None) -> _Pass:
    """The pass through a folder that goes on, or the next one."""
    if doing is not None and doing.validity == opened.validity and doing.next <= opened.next:
        return doing
    known, seen = 0, 0
    if settled and settled[0] == opened.validity and settled[1] <= opened.next:
        known, seen = settled[1], settled[2]
    if seen > opened.modseq > 0:  # the server was set back
        known, seen = 0, 0
    return _Pass(opened.name, opened.validity, known, seen, opened.next, opened.modseq, 0)


def _body(values: Mapping[str, Any]) -> bytes | None:
    """What was fetched of the message itself."""
    for name, value in values.items():
        if name.startswith("BODY["):
            return value if isinstance(value, bytes) else b""
    return None


def _size(values: Mapping[str, Any]) -> int:
    told = values.get("RFC822.SIZE")
    return int(told) if isinstance(told, bytes) and told.isdigit() else 0


def _by_size(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """UIDs in parts that can be fetched at once."""
    part: list[int] = []
    total = 0
    for uid, size in sizes.items():
        if part and total + size > _BYTES:
            yield part
            part, total = [], 0
        part.append(uid)
        total += size
    if part:
        yield part


def _parts(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def _criterion(since: str) -> tuple[str, ...]:
    """The search for what arrived from a day on."""
    if not since:
        return ()
    try:
        day = date.fromisoformat(since)
    except ValueError:
        raise ConfigError(f"since: {since!r} is no day", hint="write it as 2026-01-31") from None
    return ("SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}")
