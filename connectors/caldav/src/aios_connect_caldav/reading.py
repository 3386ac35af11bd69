"""Reading collections by what changed since a sync token (RFC 6578), each collection with a token of its own.

A collection is asked once which resources changed; they are fetched in pages, in the order of their paths. A pass that was broken off
asks again from the same token, goes on behind the last path it read, and ends with the token that the first asking gave: what changed
between the two askings comes with the next pass. A token that the server forgot, and a collection that went away, mean that
everything must be read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aios_connect.connectors import (
    Cursor,
    CursorGoneError,
    NotFoundError,
    Page,
    Progress,
    Quarantined,
    Raw,
    RejectedError,
    ScanPage,
    Tombstone,
    TruncatedError,
)

from .dav import DAV, TRUNCATED, Dav, Entry, xml
from .formats import Format, NotOursError, UnreadableError
from .places import Collection

__all__ = ["Resources"]


class Resources:
    """The resources of one kind: events in calendars, or contacts in address books.

    Args:
        object: Our name for them.
        dav: The way to the server.
        format: How they are written down.
        multiget: Name of the report that fetches several.
        data: Name of the property that holds the text.
    """

    def __init__(self, object: str, dav: Dav, format: Format, multiget: str, data: str) -> None:
        self.object = object
        self.dav = dav
        self.format = format
        self._multiget = multiget
        self._data = data

    def pages(self, collections: Sequence[Collection], since: Cursor, size: int) -> Iterator[Page]:
        """Everything that changed since a cursor.

        Args:
            collections: Where to look.
            since: ``tokens`` by path of a collection; within a pass also ``doing``: ``path``, ``after`` and ``token``.
            size: Records a page, at most.
        """
        tokens, doing = self._position(since, collections)
        if not collections:
            yield Page([], {"tokens": {}}, True)
        for place, one in enumerate(collections):
            changed, gone, now = self._changes(one, tokens.get(one.path, ""))
            token, after = (doing["token"], doing["after"]) if doing and doing["path"] == one.path else (now, "")
            paths = sorted(path for path in changed if path > after)
            stones = [Tombstone(path, "deleted") for path in gone]
            for start in range(0, max(len(paths), 1), size):
                part = paths[start : start + size]
                end = start + size >= len(paths)
                if end:
                    tokens[one.path] = token
                within = {} if end else {"doing": {"path": one.path, "after": part[-1], "token": token}}
                records, went, aside = self._page(one, part)
                complete = end and place == len(collections) - 1
                yield Page(records, {"tokens": dict(tokens), **within}, complete, [*stones, *went], aside)
                stones = []

    def scan(self, collections: Sequence[Collection]) -> Iterator[ScanPage]:
        """Every path with its revision."""
        if not collections:
            yield ScanPage([], True)
        for place, one in enumerate(collections):
            told = self.dav.find(one.path, "<getetag/><resourcetype/>", depth=1)
            items = [(entry.path, entry.text(f"{DAV}getetag")) for entry in told.entries if _is_resource(entry, one)]
            yield ScanPage(items, place == len(collections) - 1)

    def fetch(self, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Revision and text of resources by path; those that are gone are left out."""
        found: dict[str, tuple[str, str]] = {}
        by_collection: dict[str, list[str]] = {}
        for path in paths:
            by_collection.setdefault(f"{path.rpartition('/')[0]}/", []).append(path)
        for collection, some in by_collection.items():
            for entry in self._got(collection, some):
                if (text := self._text(entry)) is not None:
                    found[entry.path] = (entry.text(f"{DAV}getetag"), text)
        return found

    def record(self, path: str, revision: str, text: str) -> Raw:
        """A resource as a raw record.

        Raises:
            NotOursError: It is something else.
            UnreadableError: It cannot be read.
        """
        return {"id": path, "etag": revision, "collection": f"{path.rpartition('/')[0]}/", **self.format.read(text)}

    def _position(self, since: Cursor, collections: Sequence[Collection]) -> tuple[dict[str, str], dict[str, str] | None]:
        if not since:
            return {}, None
        tokens, doing = since.get("tokens"), since.get("doing")
        if not isinstance(tokens, dict) or not (doing is None or isinstance(doing, dict)):
            raise CursorGoneError("the cursor is not one of this connector", provider="caldav", object=self.object)
        if lost := sorted(tokens.keys() - {one.path for one in collections}):
            raise CursorGoneError(f"{lost[0]} is not read any more, or not there", provider="caldav", object=self.object)
        return dict(tokens), doing

    def _changes(self, one: Collection, token: str) -> tuple[set[str], list[str], str]:
        """The paths that changed and that went since a token, and the token now. A server may tell them in several answers."""
        if one.reports and "sync-collection" not in one.reports:
            raise RejectedError(
                f"the server does not tell what changed in {one.path}: it has no sync-collection (RFC 6578)",
                hint="keep this collection on a server that has it, or name others in the settings of the connection",
                provider="caldav",
                object=self.object,
            )
        changed: set[str] = set()
        gone: dict[str, None] = {}
        progress = Progress("caldav", self.object)
        while True:
            asked = f"<sync-token>{xml(token)}</sync-token>" if token else "<sync-token/>"
            body = f"<sync-collection>{asked}<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
            told = self.dav.report(one.path, body, object=self.object, partly=True)
            if not told.token:
                raise TruncatedError(f"changes of {one.path} came without a sync token", provider="caldav", object=self.object)
            for entry in told.entries:
                if entry.status == 404:
                    gone[entry.path] = None
                    changed.discard(entry.path)
                elif _is_resource(entry, one):
                    changed.add(entry.path)
                    gone.pop(entry.path, None)
            if not any(entry.status == TRUNCATED for entry in told.entries):
                return changed, list(gone), told.token
            progress.to(told.token)
            token = told.token

    def _page(self, one: Collection, paths: Sequence[str]) -> tuple[list[Raw], list[Tombstone], list[Quarantined]]:
        records: list[Raw] = []
        stones: list[Tombstone] = []
        aside: list[Quarantined] = []
        for entry in self._got(one.path, paths) if paths else ():
            text = self._text(entry)
            if text is None:
                stones.append(Tombstone(entry.path, "deleted"))  # it went while we read
                continue
            try:
                records.append(self.record(entry.path, entry.text(f"{DAV}getetag"), text))
            except NotOursError:
                continue
            except UnreadableError as error:
                aside.append(Quarantined(entry.path, str(error), text, entry.path))
        return records, stones, aside

    def _got(self, collection: str, paths: Sequence[str]) -> Sequence[Entry]:
        """What the server says of each of these resources, once."""
        hrefs = "".join(f"<href>{xml(path)}</href>" for path in paths)
        prefix, name = self._multiget.split(":")
        asked = f"<getetag/><{prefix}:{self._data}/>"
        question = f"<{prefix}:{name}><prop>{asked}</prop>{hrefs}</{prefix}:{name}>"
        told = {entry.path: entry for entry in self.dav.report(collection, question, object=self.object).entries}
        return [told.get(path) or self._alone(path) for path in dict.fromkeys(paths)]

    def _alone(self, path: str) -> Entry:
        """A resource that the server was asked for among others and did not tell about. RFC 4791, 7.9, has it say that it is gone;
        sabre/dav (https://github.com/sabre-io/dav/blob/master/lib/DAV/Tree.php, ``getMultipleNodes``) says nothing then.

        Raises:
            TruncatedError: It is there all the same.
        """
        try:
            gone = all(entry.status in (404, 410) for entry in self.dav.find(path, "<getetag/>").entries)
        except NotFoundError:
            gone = True
        if not gone:
            raise TruncatedError(
                f"{path} was asked for and not told about, though it is there", provider="caldav", object=self.object
            )
        return Entry(path, 404)

    def _text(self, entry: Entry) -> str | None:
        """The text of a resource that is there; ``None`` if it is gone."""
        if entry.status in (404, 410):
            return None
        found = next((prop for name, prop in entry.props.items() if name.endswith(f"}}{self._data}")), None)
        if found is not None:
            return found.text or ""
        if entry.status == 200 and not entry.props and entry.without and entry.without <= {404, 410}:
            return None  # the server put the 404 beside each property
        raise TruncatedError(f"{entry.path} came without its text", provider="caldav", object=self.object, status=entry.status)


def _is_resource(entry: Entry, collection: Collection) -> bool:
    """It is a resource in the collection, not the collection itself nor one within it."""
    return entry.path.rstrip("/") != collection.path.rstrip("/") and not entry.path.endswith("/")
