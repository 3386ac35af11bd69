"""Sending once.

Gmail puts a Message-ID of its own in place of ours (FlowCrypt/flowcrypt-browser#4273), and searches no other header. So a letter is marked
by a header of ours, and goes out by way of a draft: a draft that is sent is gone, and cannot be sent a second time. A letter of ours among
what was sent says that it went out. A draft of ours says that it did not, and whoever finds it sends that one and no other. Neither, and
nothing was begun.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import (
    AmbiguousWriteError,
    Context,
    NotFoundError,
    ProviderError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)
from aios_connect.connectors.composing import UnsendableError, compose, mailbox
from aios_connect.connectors.sending import Letter, Sent, message_id

from ._apis import GMAIL
from ._batch import Ask
from ._calendars import answers
from ._gmail import Messages
from ._wire import Wire

__all__ = ["Sender"]

_MARK: Final = "X-Aios-Letter"
_LISTED: Final = 500
_SEEN: Final = timedelta(days=30)
"""How far back a letter of ours is looked for among what was sent."""

_NEWEST: Final = 50
"""Of what was sent, looked at first once the rest is known."""

_UNITS: Final[Mapping[str, int]] = {"list": 5, "get": 20, "create": 10, "send": 100}
"""What calls count as, as in :mod:`._gmail`; of a draft a get is assumed to count as much as of a message."""

_UNKNOWN: Final = "it was begun, and nobody can tell whether it went out; look for it with its recipient before it is sent again"


class Sender:
    """Sends letters of one mailbox.

    Args:
        wire: The way to Google.
        messages: Knows whose mailbox it is.
        context: The connection and the clock.
    """

    def __init__(self, wire: Wire, messages: Messages, context: Context) -> None:
        self._wire = wire
        self._messages = messages
        self._context = context
        self._address = ""
        self._went_out: dict[str, tuple[str, str]] = {}  # message -> its mark, and the Message-ID that Gmail gave it
        self._complete = False  # all that was sent lately is known, but for the newest
        self._begun: dict[str, str] = {}  # draft -> its mark

    def send(self, letter: Letter, line: str) -> Sent:
        """Send a letter, once; see :class:`aios_connect.connectors.sending.Sends`. Of ``notify`` Gmail knows nothing: it tells of failures."""
        mark = self._mark(line)
        try:
            content = self._composed(letter, mark)
        except UnsendableError as error:
            return Sent("rejected", mark, reason=str(error))
        found, drafts = self._among_sent(mark), self._drafts(mark)
        if found is not None:
            for draft in drafts:  # of a process that came too late, and was killed: nobody shall send it
                self._withdraw(draft)
            return Sent("unchanged", found, reason="it was sent before")
        try:
            draft = min(drafts) if drafts else self._drafted(content, letter, mark)
        except RejectedError as error:
            return Sent("rejected", mark, reason=error.message)
        meanwhile = self._among_sent(mark)  # by a process that was ahead of us, and whose draft is gone
        if meanwhile is not None:
            self._withdraw(draft)
            return Sent("unchanged", meanwhile, reason="it was sent before")
        return self._go(draft, mark)

    def sent(self, line: str) -> Sent:
        """What became of a letter: looked for among what was sent in the last thirty days."""
        mark = self._mark(line)
        found = self._among_sent(mark)
        return Sent("unsent", mark) if found is None else Sent("sent", found)

    def _mark(self, line: str) -> str:
        if not self._address:
            self._address = self._messages.account()
        return message_id(line, self._context.connection, self._address)

    def _composed(self, letter: Letter, mark: str) -> bytes:
        """With the recipients of ``bcc``, which Gmail takes from the message and leaves out of it."""
        composed = compose(letter, self._address, mark, self._context.now())
        hidden = ", ".join(mailbox(one).addr_spec for one in letter.bcc)
        lines = [f"{_MARK}: {mark}", *([f"Bcc: {hidden}"] if hidden else []), ""]
        return "\r\n".join(lines).encode() + composed.content

    def _drafted(self, content: bytes, letter: Letter, mark: str) -> str:
        """The draft of a letter: of several the first one, so that all who send the same line send the same draft."""
        message: dict[str, Any] = {"raw": base64.urlsafe_b64encode(content).decode()}
        if thread := self._thread(letter):
            message["threadId"] = thread
        try:
            told = self._wire.send(GMAIL, "POST", "users/me/drafts", "messages", {"message": message}, cost=_UNITS["create"])
            own = str(told.get("id") or "")
        except (AmbiguousWriteError, TruncatedError):
            own = ""  # it is there or not; nothing went out
        drafts = self._drafts(mark)
        if not drafts:
            raise UnavailableError(
                "gmail did not keep the draft of a letter; nothing was sent", provider="google", object="messages"
            )
        first = min(drafts)
        if own not in ("", first):
            self._withdraw(own)
        return first

    def _go(self, draft: str, mark: str) -> Sent:
        try:
            told = self._wire.send(GMAIL, "POST", "users/me/drafts/send", "messages", {"id": draft}, cost=_UNITS["send"])
        except NotFoundError:  # somebody else sent it, or threw it away
            return self._found_out(draft, mark, _UNKNOWN)
        except (AmbiguousWriteError, TruncatedError) as error:
            return self._found_out(draft, mark, error.message)
        except RejectedError as error:
            self._withdraw(draft)
            return Sent("rejected", mark, reason=error.message)
        id = str(told.get("id") or "")
        return Sent("sent", self._real_id(id) or mark) if id else self._found_out(draft, mark, _UNKNOWN)

    def _found_out(self, draft: str, mark: str, why: str) -> Sent:
        """It may have gone out: it did if it is among what was sent. A draft that is gone went out, too, wherever its copy is."""
        try:
            found = self._among_sent(mark)
            if found is not None:
                return Sent("sent", found)
            if draft not in self._drafts(mark):
                return Sent("ambiguous", mark, reason=_UNKNOWN)
        except ProviderError:
            pass
        return Sent("ambiguous", mark, reason=why)

    def _thread(self, letter: Letter) -> str:
        """The conversation of the message that a letter answers, if that is in the mailbox."""
        if not letter.in_reply_to:
            return ""
        query = {"q": f"rfc822msgid:{letter.in_reply_to.strip('<>')}", "maxResults": "1", "includeSpamTrash": "true"}
        told = self._wire.get(GMAIL, "users/me/messages", "messages", params=query, cost=_UNITS["list"])
        return next((str(one["threadId"]) for one in told.get("messages") or () if one.get("threadId")), "")

    def _among_sent(self, mark: str) -> str | None:
        """The Message-ID under which a letter went out; ``None`` if it is not there.

        Read by the label and not by a search, whose index may be late. The newest come first: who finds only old ones, or after a first
        look some that are known, has seen enough.
        """
        oldest = self._context.now() - _SEEN
        asked = {"labelIds": "SENT", "includeSpamTrash": "true"}  # who threw a copy away has sent the letter all the same
        for ids in self._ids("users/me/messages", "messages", asked, _NEWEST if self._complete else _LISTED):
            new = [id for id in ids if id not in self._went_out]
            enough = not new or (self._complete and len(new) < len(ids))
            old = True
            for path, message in self._metas([f"users/me/messages/{quote(id, safe='')}" for id in new]):
                headers = _headers(message)
                self._went_out[path.rpartition("/")[2]] = (headers.get(_MARK.lower(), ""), headers.get("message-id", ""))
                old = old and _received(message) < oldest
            if enough or old:
                break
        self._complete = True
        return next((given or mark for one, given in self._went_out.values() if one == mark), None)

    def _drafts(self, mark: str) -> list[str]:
        ids = [id for part in self._ids("users/me/drafts", "drafts", {}, _LISTED) for id in part]
        new = [f"users/me/drafts/{quote(id, safe='')}" for id in ids if id not in self._begun]
        for path, draft in self._metas(new):
            self._begun[path.rpartition("/")[2]] = _headers(draft.get("message") or {}).get(_MARK.lower(), "")
        return [id for id in ids if self._begun.get(id) == mark]

    def _ids(self, path: str, name: str, params: Mapping[str, str], size: int) -> Iterator[list[str]]:
        token, seen = "", {""}
        while True:
            asked = {**params, "maxResults": str(size)} | ({"pageToken": token} if token else {})
            told = self._wire.get(GMAIL, path, "messages", params=asked, cost=_UNITS["list"])
            if not isinstance(told.get("resultSizeEstimate"), int):
                raise TruncatedError(f"an answer of gmail is no list of {name}", provider="google", object="messages")
            yield [str(one["id"]) for one in told.get(name) or ()]
            token = str(told.get("nextPageToken") or "")
            if not token:
                return
            if token in seen:
                raise TruncatedError(f"a page token came twice in the list of {name}", provider="google", object="messages")
            seen.add(token)

    def _metas(self, paths: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """What there is at each path, without its content. Of a draft Gmail leaves no choice of headers."""
        chosen = {"format": "metadata", "metadataHeaders": [_MARK, "Message-ID"]}
        asks = [Ask("GET", path, chosen if "/messages/" in path else {"format": "metadata"}) for path in paths]
        told = answers(self._wire.batch(GMAIL, asks, "messages", safe=True, cost=_UNITS["get"])) if asks else []
        for path, one in zip(paths, told, strict=True):
            if one is not None:
                yield path, one

    def _real_id(self, id: str) -> str:
        try:
            told = [_headers(message) for _, message in self._metas([f"users/me/messages/{quote(id, safe='')}"])]
        except ProviderError:
            return ""
        return told[0].get("message-id", "") if told else ""

    def _withdraw(self, draft: str) -> None:
        """Nothing went out: no draft shall say that something may."""
        try:
            self._wire.send(GMAIL, "DELETE", f"users/me/drafts/{quote(draft, safe='')}", "messages", cost=_UNITS["create"])
        except ProviderError:
            return  # it stays, and is found by the next one who sends the same line


def _headers(message: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a message by their names in lower case."""
    told = (message.get("payload") or {}).get("headers") or ()
    return {str(header["name"]).lower(): str(header["value"]) for header in told}


def _received(message: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(int(message["internalDate"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)  # not known to be old
