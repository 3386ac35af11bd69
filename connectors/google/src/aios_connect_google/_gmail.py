"""The messages of one mailbox: all of them once, then by its history.

https://developers.google.com/workspace/gmail/api/guides/sync. A list gives ids only; each message is asked for by itself, fifty in a
batch. The history is asked from where the mailbox stood before the list began, so that what comes meanwhile is told the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import (
    Change,
    Cursor,
    CursorGoneError,
    NotFoundError,
    ObjectSpec,
    Page,
    Quarantined,
    Raw,
    Receipt,
    RejectedError,
    ScanPage,
    Schema,
    Tombstone,
    TruncatedError,
)

from ._apis import GMAIL
from ._batch import MOST, Ask
from ._calendars import answers
from ._gmail_record import FIELDS, is_hidden, record
from ._paging import refuse
from ._wire import Wire

__all__ = ["SPEC", "Messages"]

SPEC: Final = ObjectSpec(
    title="Messages",
    verbs=frozenset({"read"}),
    version="version",
    incremental=True,
    deletes="tombstones",
    page_size=MOST,
    lookup_size=MOST,
    scan_size=500,
)

_LISTED: Final = 500
_UNITS: Final[Mapping[str, int]] = {"list": 5, "get": 20, "history": 2, "profile": 1, "labels": 1}
"""What calls count as since May 2026 (https://developers.google.com/workspace/gmail/api/reference/quota); a get was five before."""

_TOO_LARGE: Final = "larger than"
"""How :class:`aios_connect.connectors.Http` says that an answer has more bytes than it takes."""

_CHANGES: Final = ("messagesAdded", "labelsAdded", "labelsRemoved")
_DELETED: Final = "messagesDeleted"
"""For good, not into the bin (discovery document, ``History.messagesDeleted``): there is nothing to ask for any more."""


class Messages:
    """The messages of one mailbox.

    Args:
        wire: The way to Google.
        size: Messages in a batch.
    """

    def __init__(self, wire: Wire, size: int = MOST) -> None:
        self._wire = wire
        self._size = size
        self._address = ""

    def account(self) -> str:
        """The address of the mailbox."""
        return str(self.profile()["emailAddress"])

    def profile(self) -> dict[str, Any]:
        """The mailbox, and the place of its last change."""
        told = self._wire.get(GMAIL, "users/me/profile", "messages", cost=_UNITS["profile"])
        if not told.get("emailAddress") or not told.get("historyId"):
            raise TruncatedError("gmail does not say whose mailbox it is", provider="google", object="messages")
        self._address = str(told["emailAddress"])
        return told

    def labels(self) -> dict[str, str]:
        """Names of labels, by their ids."""
        told = self._wire.get(GMAIL, "users/me/labels", "messages", cost=_UNITS["labels"])
        if not isinstance(told.get("labels"), list):
            raise TruncatedError("gmail does not list the labels", provider="google", object="messages")
        return {str(one["id"]): str(one.get("name") or one["id"]) for one in told["labels"]}

    def schema(self) -> Schema:
        return Schema("messages", {field.path: field for field in FIELDS})

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """Everything, newest first; or what came, went and was labelled otherwise."""
        position = refuse(since, {"history", "page", "next", "list", "after"}, "messages")
        if "history" in position:
            return self._changed(str(position["history"]), str(position.get("page") or ""), position.get("next"))
        return self._all(position)

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        return [one for _, one in self._got(ids) if isinstance(one, dict)]

    def scan(self) -> Iterator[ScanPage]:
        """Every id, without versions: a list has none. Drafts and chats are listed among the rest, and taken out by their labels."""
        hidden = {id for label in ("DRAFT", "CHAT") for ids, _ in self._listed("", {"labelIds": label}) for id in ids}
        for ids, following in self._listed("", {}):
            yield ScanPage([(id, "") for id in ids if id not in hidden], not following)

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        raise RejectedError("messages are sent, not written", hint="use send()", provider="google", object="messages")

    def _all(self, position: dict[str, Any]) -> Iterator[Page]:
        """The cursor behind a page: where the mailbox stood at first, the list's token, and the last id of that list that was read."""
        start = str(position.get("next") or self.profile()["historyId"])
        token, after = str(position.get("list") or ""), str(position.get("after") or "")
        for ids, following in self._listed(token, {}):
            left = ids[ids.index(after) + 1 :] if after in ids else ids
            after = ""
            for number in range(0, max(len(left), 1), self._size):
                part = left[number : number + self._size]
                cursor = {"next": start, "list": token} | ({"after": part[-1]} if part else {})
                behind = number + self._size >= len(left)
                if behind:
                    cursor = {"next": start, "list": following} if following else {"history": start}
                yield self._page(self._got(part), cursor, behind and not following, gone=False)
            token = following

    def _changed(self, start: str, token: str, following: str | None) -> Iterator[Page]:
        seen = {token}
        while True:
            answer = self._history(start, token)
            following = following or str(answer["historyId"])
            changed, deleted = dict.fromkeys(_ids(answer, _CHANGES)), dict.fromkeys(_ids(answer, (_DELETED,)))
            got = self._got([id for id in changed if id not in deleted])
            token = str(answer.get("nextPageToken") or "")
            if token in seen and token:
                raise TruncatedError("a page token came twice in the history", provider="google", object="messages")
            seen.add(token)
            cursor = {"history": start, "page": token, "next": following} if token else {"history": following}
            yield self._page(chain(((id, None) for id in deleted), got), cursor, not token, gone=True)
            if not token:
                return

    def _history(self, start: str, token: str) -> dict[str, Any]:
        params = {"startHistoryId": start, "maxResults": str(_LISTED)} | ({"pageToken": token} if token else {})
        try:
            answer = self._wire.get(GMAIL, "users/me/history", "messages", params=params, cost=_UNITS["history"])
        except (NotFoundError, RejectedError) as error:
            if isinstance(error, NotFoundError) or "history" in error.message.lower() or "token" in error.message.lower():
                raise CursorGoneError(
                    "gmail has forgotten the history before; everything must be read again", provider="google", object="messages"
                ) from None
            raise
        if not answer.get("historyId") or not isinstance(answer.get("history", []), list):
            raise TruncatedError("an answer of gmail is no page of the history", provider="google", object="messages")
        return answer

    def _listed(self, token: str, params: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
        """The pages of a list: ids, and the token of the next page, empty at the end.

        A list says how many there may be even if there are none: an answer without that is no list.
        """
        seen = {token}
        while True:
            asked = {**params, "maxResults": str(_LISTED)} | ({"pageToken": token} if token else {})
            try:
                answer = self._wire.get(GMAIL, "users/me/messages", "messages", params=asked, cost=_UNITS["list"])
            except RejectedError as error:
                if token and "token" in error.message.lower():
                    raise CursorGoneError(
                        "gmail does not know the place any more at which the read stopped", provider="google", object="messages"
                    ) from None
                raise
            items, told = answer.get("messages", []), answer.get("resultSizeEstimate")
            if not isinstance(items, list) or not isinstance(told, int) or not all(_id(item) for item in items):
                raise TruncatedError("an answer of gmail is no list of messages", provider="google", object="messages")
            following = str(answer.get("nextPageToken") or "")
            if following in seen and following:
                raise TruncatedError("a page token came twice in the list", provider="google", object="messages")
            yield [str(item["id"]) for item in items], following
            if not following:
                return
            seen.add(following)
            token = following

    def _got(self, ids: Sequence[str]) -> Iterable[tuple[str, Raw | Quarantined | None]]:
        """Each message as a record; ``None`` for one that is gone, or none for us."""
        asked = list(dict.fromkeys(ids))
        told = self._fetched(asked)
        if any(told) and not self._address:
            self.profile()
        for id, message in zip(asked, told, strict=True):
            if isinstance(message, Quarantined):
                yield id, message
            elif message is not None and message.get("id") != id:
                raise TruncatedError(f"gmail gave another message than {id}", provider="google", object="messages")
            else:
                yield id, None if message is None or is_hidden(message) else record(message, self._address)

    def _fetched(self, ids: Sequence[str]) -> list[dict[str, Any] | Quarantined | None]:
        """Messages as Gmail has them. A batch that is larger than we take is halved: fifty messages may be fifty films."""
        if not ids:
            return []
        asks = [Ask("GET", f"users/me/messages/{quote(id, safe='')}", {"format": "raw"}) for id in ids]
        try:
            return [*answers(self._wire.batch(GMAIL, asks, "messages", safe=True, cost=_UNITS["get"]))]
        except TruncatedError as error:
            if _TOO_LARGE not in error.message:
                raise
            if len(ids) == 1:
                return [Quarantined(f"message {ids[0]}", error.message, "", ids[0])]
            half = len(ids) // 2
            return [*self._fetched(ids[:half]), *self._fetched(ids[half:])]

    def _page(
        self, got: Iterable[tuple[str, Raw | Quarantined | None]], cursor: Mapping[str, str], last: bool, *, gone: bool
    ) -> Page:
        """A page; with ``gone``, what is not there is told by a tombstone."""
        records: list[Raw] = []
        aside: list[Quarantined] = []
        stones: list[Tombstone] = []
        for id, one in got:
            if isinstance(one, Quarantined):
                aside.append(one)
            elif one is not None:
                records.append(one)
            elif gone:
                stones.append(Tombstone(id, "deleted"))
        return Page(records, cursor, last, stones, aside)


def _id(item: object) -> str:
    return str(item.get("id") or "") if isinstance(item, dict) else ""


def _ids(answer: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[str]:
    """The messages that the history is about, in its order."""
    for entry in answer.get("history") or ():
        for kind in kinds:
            for change in entry.get(kind) or ():
                if id := _id(change.get("message")):
                    yield id
