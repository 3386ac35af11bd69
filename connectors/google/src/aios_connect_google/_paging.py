"""Lists that tell what changed: pages with a token each, and a token for the next time on the last one only.

https://developers.google.com/workspace/calendar/api/guides/sync. A page may be short or empty and is not the last one for that; the
end is where the token for the next time is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aios_connect.connectors import Cursor, CursorGoneError, RejectedError, TruncatedError

from ._apis import Api
from ._wire import Wire

__all__ = ["Pager", "refuse"]


class Pager:
    """One list.

    Args:
        wire: The way to Google.
        api: Which API.
        path: Of the list.
        object: What it lists.
        items: The field of an answer with the records.
        kind: What ``kind`` says in every answer; empty if there is no such field.
        size: Records on a page.
        limit: The parameter that asks for so many.
    """

    def __init__(
        self, wire: Wire, api: Api, path: str, object: str, items: str, kind: str, size: int, limit: str = "maxResults"
    ) -> None:
        self._wire = wire
        self._api = api
        self._path = path
        self._object = object
        self._items = items
        self._kind = kind
        self._size = size
        self._limit = limit

    def pages(
        self, position: Mapping[str, Any], params: Mapping[str, str | Sequence[str]]
    ) -> Iterator[tuple[list[dict[str, Any]], dict[str, str], bool]]:
        """Records, the cursor behind them, and whether these were the last.

        Args:
            position: ``{}``, or a cursor that came from here: ``sync`` is the token from which on changes are told, ``page`` goes on
                with a read that stopped.
            params: The same ones every time, or the tokens mean nothing.

        Raises:
            CursorGoneError: Google does not know a token any more.
            TruncatedError: A page is none, or pages go round in a circle.
        """
        sync, page = str(position.get("sync") or ""), str(position.get("page") or "")
        seen = {page}
        while True:
            tokens = {name: token for name, token in (("syncToken", sync), ("pageToken", page)) if token}
            answer = self._ask({**params, self._limit: str(self._size), **tokens}, bool(tokens))
            items, following, done = answer.get(self._items, []), answer.get("nextPageToken"), answer.get("nextSyncToken")
            wrong = not isinstance(items, list) or (self._kind and answer.get("kind") != self._kind)
            if wrong or not (following or done) or not all(isinstance(item, dict) for item in items):
                raise self._broken("an answer of google is no page of")
            if not following:
                yield items, {"sync": str(done)}, True
                return
            if following in seen:
                raise self._broken(f"a page token came twice ({str(following)[:40]}) in a list of")
            page = str(following)
            seen.add(page)
            yield items, ({"sync": sync} if sync else {}) | {"page": page}, False

    def _ask(self, params: Mapping[str, str | Sequence[str]], begun: bool) -> dict[str, Any]:
        try:
            return self._wire.get(self._api, self._path, self._object, params=params)
        except RejectedError as refused:
            if begun and refused.status == 400 and "token" in refused.message.lower():
                raise CursorGoneError(
                    "google does not know the place any more at which the read stopped", provider="google", object=self._object
                ) from None
            raise

    def _broken(self, what: str) -> TruncatedError:
        return TruncatedError(f"{what} {self._object}", provider="google", object=self._object)


def refuse(since: Cursor | None, known: set[str] | frozenset[str], object: str) -> dict[str, Any]:
    """A cursor, if it was made by this connector.

    Raises:
        CursorGoneError: It was not.
    """
    position = dict(since or {})
    if not position.keys() <= known:
        raise CursorGoneError("this cursor was not made by this connector", provider="google", object=object)
    return position
