"""Writing: one resource after another, each under the condition that it is as it was read.

A new one is put under our key, as its name and as its ``UID``, with ``If-None-Match: *``. A changed one is fetched, put together with the
patch, and put with ``If-Match``. A server that refuses says why in words that differ: a second resource with one UID is a 409, a 412 or a
403 (RFC 4791, 5.3.2.1), and what counts is the condition it names. When no answer comes, the resource is looked at; nothing is sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import uuid4

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    Change,
    ConflictError,
    Context,
    NotFoundError,
    ProviderError,
    Raw,
    Receipt,
    RejectedError,
)

from .dav import RefusedError, path_of
from .places import Collection
from .reading import Resources

__all__ = ["Writer", "holds"]

_GONE: Final = "it is not there any more"
_STALE: Final = "it was changed since it was read"
_LOCKED: Final = "somebody else is writing it just now"  # https://www.rfc-editor.org/rfc/rfc4918#section-11.3
_UID: Final = frozenset({"no-uid-conflict", "unique-scheduling-object-resource"})
_NAME: Final = re.compile(r"[A-Za-z0-9_.@+-]+")


class Writer:
    """Carries out the changes of one call of ``write``.

    Args:
        resources: The resources of a kind.
        home: Where new ones go; asked for only when there are some.
        find: The records that carry our keys, by key.
        context: The clock.
    """

    def __init__(
        self,
        resources: Resources,
        home: Callable[[], Collection],
        find: Callable[[Sequence[str]], dict[str, Raw]],
        context: Context,
    ) -> None:
        self._resources = resources
        self._home = home
        self._find = find
        self._now = context.now

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in their order.

        Raises:
            ProviderError: Nothing was written.
        """
        ids = [path_of(change.id) for change in changes if change.id and change.action != "create"]
        there = self._resources.fetch(ids) if ids else {}
        receipts: list[Receipt] = []
        for change in changes:
            try:
                receipts.append(self._one(change, there.get(path_of(change.id or ""))))
            except ProviderError as error:
                if not any(receipt.outcome in ("written", "ambiguous") for receipt in receipts):
                    raise
                receipts.append(Receipt("ambiguous", change.id, reason=error.message))
        return receipts

    def _one(self, change: Change, there: tuple[str, str] | None) -> Receipt:
        if change.action == "create":
            return self._create(change)
        if there is None:
            return Receipt("unchanged" if change.action == "delete" else "conflict", change.id, reason=_GONE)
        revision, text = there
        path = path_of(change.id or "")
        try:
            raw = self._resources.record(path, revision, text)
        except ValueError as error:
            return Receipt("conflict", change.id, revision, reason=f"what is there cannot be read: {error}")
        if change.action == "update" and holds(raw, change.patch):
            return Receipt("unchanged", path, revision, raw)
        if change.version != revision if change.version else not holds(raw, change.expect):
            return Receipt("conflict", path, revision, current=raw, reason=_STALE)
        return self._delete(change, raw) if change.action == "delete" else self._update(change, raw, text)

    def _create(self, change: Change) -> Receipt:
        uid = change.key or uuid4().hex
        if not _NAME.fullmatch(uid):
            return Receipt("rejected", reason=f"{uid!r} cannot be the name of a resource")
        path = path_of(f"{self._home().path.rstrip('/')}/{uid}{self._resources.format.suffix}")
        try:
            text = self._resources.format.made(uid, change.patch, self._now())
        except ValueError as error:
            return Receipt("rejected", reason=str(error))
        return self._put(change, path, text, {"if-none-match": "*"}, uid)

    def _update(self, change: Change, raw: Raw, text: str) -> Receipt:
        try:
            text = self._resources.format.changed(text, change.patch, self._now())
        except ValueError as error:
            return Receipt("rejected", change.id, raw["etag"], reason=str(error))
        return self._put(change, raw["id"], text, {"if-match": raw["etag"]}, "")

    def _put(self, change: Change, path: str, text: str, condition: dict[str, str], uid: str) -> Receipt:
        resources = self._resources
        try:
            answer = resources.dav.put(path, text, resources.format.type, condition, change.line, resources.object)
        except AmbiguousWriteError as error:
            return self._found(change, path, error)
        except (ConflictError, RefusedError, NotFoundError, RejectedError, AuthError) as error:
            return self._refused(change, path, uid, error)
        revision = answer.headers.get("etag", "")
        if not revision or revision.startswith("W/"):  # what stands there is not byte for byte what we sent
            return self._found(change, path, None)
        return Receipt("written", path, revision, resources.record(path, revision, text))

    def _delete(self, change: Change, raw: Raw) -> Receipt:
        resources = self._resources
        try:
            resources.dav.delete(raw["id"], {"if-match": raw["etag"]}, change.line, resources.object)
        except NotFoundError:
            return Receipt("unchanged", raw["id"], reason=_GONE)
        except AmbiguousWriteError as error:
            return self._found(change, raw["id"], error)
        except (ConflictError, RefusedError, RejectedError, AuthError) as error:
            return self._refused(change, raw["id"], "", error)
        return Receipt("written", raw["id"])

    def _refused(self, change: Change, path: str, uid: str, error: ProviderError) -> Receipt:
        """The server said no: because of what stands there, or because of what we sent."""
        if isinstance(error, AuthError):
            raise error
        condition = error.condition if isinstance(error, RefusedError) else ""
        if change.action == "create":
            if condition in _UID or (error.status == 412 and not condition):
                made = self._find([uid]).get(uid) if change.key else None
                if made is not None:
                    return Receipt("written", made["id"], made["etag"], made, found=True)  # made before, under this key
                return Receipt("conflict", reason="there is one with this UID or name already")
        elif error.status in (404, 412, 423) and condition not in _UID:
            current = self._now_there(path)
            reason = _LOCKED if error.status == 423 else _STALE if current else _GONE
            return Receipt("conflict", path, current["etag"] if current else None, current=current, reason=reason)
        return Receipt("rejected", change.id, reason=error.message)

    def _found(self, change: Change, path: str, error: ProviderError | None) -> Receipt:
        """It was sent: see what is there now. What cannot be seen stays ambiguous."""
        unsure = Receipt("ambiguous", change.id, reason=error.message if error else "the server does not show what it wrote")
        try:
            current = self._now_there(path)
        except ProviderError:
            return unsure
        if change.action == "delete":
            return Receipt("written", path) if current is None else unsure
        if current is None:
            return unsure
        if holds(current, change.patch) or (change.action == "create" and current.get("uid") == change.key):
            return Receipt("written", path, current["etag"], current, found=change.action == "create")
        return unsure  # somebody may have written over ours

    def _now_there(self, path: str) -> Raw | None:
        there = self._resources.fetch([path]).get(path)
        if there is None:
            return None
        try:
            return self._resources.record(path, *there)
        except ValueError:
            return {"id": path, "etag": there[0]}


def holds(raw: Raw, values: Raw) -> bool:
    """True if a record has these values; nothing, empty text and an empty list are the same."""
    for name, value in values.items():
        there: Any = raw.get(name)
        if isinstance(value, dict):
            if not holds(there if isinstance(there, dict) else {}, value):
                return False
        elif (there or None) != (value or None) and not (value is False and there is False):
            return False
    return True
