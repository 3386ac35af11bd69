"""Gmail: the mailbox of a fake account, with its history."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from aios_connect.sandbox import Answer, Call, RefusedError, route

from ._account import ADDRESS, Account
from ._errors import invalid, refusal

__all__ = ["GmailPart"]

_READ: Final = ("gmail.readonly", "gmail.modify")
_COMPOSE: Final = ("gmail.compose", "gmail.modify")
_FIRST: Final = 0x19A0_0000_0000_0001
_SYSTEM: Final = ("INBOX", "SENT", "DRAFT", "TRASH", "SPAM", "UNREAD", "STARRED", "IMPORTANT", "CHAT")
_WHEN: Final = {"d": 1, "m": 30, "y": 365}


@dataclass(frozen=True, slots=True)
class Mail:
    """One message.

    Attributes:
        id: Its id, hexadecimal.
        thread: The id of the first message of its conversation.
        content: As it is, byte by byte.
        labels: Its labels.
        received: When Gmail got it.
        history: The last record of the history that is about it.
    """

    id: str
    thread: str
    content: bytes
    labels: frozenset[str]
    received: datetime
    history: int

    @property
    def parsed(self) -> EmailMessage:
        """For its headers."""
        return message_from_bytes(self.content, policy=policy.default)


class GmailPart(Account):
    """The routes of Gmail.

    Attributes:
        mail: Every message that is not deleted for good, by id; drafts among them.
        drafts: Draft id -> message id.
        posted: Every message that went out, in order: content and recipients.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.mail: dict[str, Mail] = {}
        self.drafts: dict[str, str] = {}
        self.posted: list[bytes] = []
        self._mail_made = 0
        self._mail_place = 1000
        self._mail_history: list[tuple[int, datetime, str, str, tuple[str, ...]]] = []

    def receive_mail(self, content: bytes, *, labels: Iterable[str] = ("INBOX", "UNREAD"), thread: str = "") -> str:
        """A message arrives; its id."""
        self._mail_made += 1
        id = f"{_FIRST + self._mail_made:x}"
        self.mail[id] = Mail(id, thread or self._thread_of(content) or id, content, frozenset(labels), self.clock.now(), 0)
        self._changed("messagesAdded", id)
        return id

    def label_mail(self, id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """A person files a message otherwise."""
        self.mail[id] = replace(self.mail[id], labels=(self.mail[id].labels | {*add}) - {*remove})
        for kind, labels in (("labelsAdded", tuple(add)), ("labelsRemoved", tuple(remove))):
            if labels:
                self._changed(kind, id, labels)

    def delete_mail(self, id: str) -> None:
        """A message is deleted for good."""
        self._changed("messagesDeleted", id)
        del self.mail[id]

    @route("GET", "/gmail/v1/users/me/profile")
    def mail_profile(self, call: Call) -> Any:
        self.enter(call, "gmail", *_READ, "gmail.compose", cost=1)
        threads = len({one.thread for one in self.mail.values()})
        return {
            "emailAddress": ADDRESS,
            "messagesTotal": len(self.mail),
            "threadsTotal": threads,
            "historyId": str(self._mail_place),
        }

    @route("GET", "/gmail/v1/users/me/messages")
    def list_mail(self, call: Call) -> Any:
        """Newest first; without spam and trash, unless they are asked for."""
        self.enter(call, "gmail", *_READ, cost=5)
        query = call.query
        wanted = set(filter(None, query.get("labelIds", "").split(",")))
        hidden = set() if query.get("includeSpamTrash") == "true" else {"SPAM", "TRASH"} - wanted
        found = [one for one in self.mail.values() if wanted <= one.labels and not hidden & one.labels]
        return self._mail_listed(call, [one for one in found if self._fits(one, query.get("q", ""))], "messages", _brief)

    @route("GET", "/gmail/v1/users/me/messages/{id}")
    def one_mail(self, call: Call, id: str) -> Any:
        self.enter(call, "gmail", *_READ, cost=20)
        one = self.mail.get(id)
        if one is None:
            raise _missing()
        return _shown(one, call.query)

    @route("GET", "/gmail/v1/users/me/history")
    def list_history(self, call: Call) -> Any:
        """It reaches back for a while only (https://developers.google.com/workspace/gmail/api/guides/sync, limitations).

        Its pages end where the mailbox stood when the first one was asked for: assumed, as the worse of the two ways.
        """
        self.enter(call, "gmail", *_READ, cost=2)
        query = call.query
        start = query.get("startHistoryId", "")
        if not start.isdigit():
            raise invalid("Invalid value at 'start_history_id' (TYPE_UINT64)")
        oldest = self.clock.now() - timedelta(days=self.hazards.history)
        first = min((place for place, at, *_ in self._mail_history if at >= oldest), default=self._mail_place)
        if call.fault == "cursor_gone" or not min(first - 1, self._mail_place) <= int(start) <= self._mail_place:
            raise _missing()
        size, token = min(500, int(query.get("maxResults") or 100)), query.get("pageToken", "")
        if token and not re.fullmatch(r"\d+-\d+", token):
            raise invalid("Invalid pageToken", "pageToken")
        after, to = (int(part) for part in token.split("-")) if token else (int(start), self._mail_place)
        rest = [entry for entry in self._mail_history if after < entry[0] <= to]
        if call.fault == "empty_page" and rest:
            return {"historyId": str(self._mail_place), "nextPageToken": f"0{after}-{to}" if not token else f"0{token}"}
        shown = [self._told(*entry) for entry in rest[:size]]
        told: dict[str, Any] = {"historyId": str(self._mail_place)} | ({"history": shown} if shown else {})
        return told | ({"nextPageToken": f"{rest[size - 1][0]}-{to}"} if len(rest) > size else {})

    @route("GET", "/gmail/v1/users/me/labels")
    def list_labels(self, call: Call) -> Any:
        self.enter(call, "gmail", *_READ, cost=1)
        names = [*_SYSTEM, *sorted({label for one in self.mail.values() for label in one.labels} - {*_SYSTEM})]
        return {"labels": [{"id": name, "name": name, "type": "system" if name in _SYSTEM else "user"} for name in names]}

    @route("GET", "/gmail/v1/users/me/drafts")
    def list_drafts(self, call: Call) -> Any:
        self.enter(call, "gmail", *_READ, *_COMPOSE, cost=5)
        by_message = {message: draft for draft, message in self.drafts.items()}
        found = [self.mail[message] for message in self.drafts.values()]
        return self._mail_listed(call, found, "drafts", lambda one: {"id": by_message[one.id], "message": _brief(one)})

    @route("GET", "/gmail/v1/users/me/drafts/{id}")
    def one_draft(self, call: Call, id: str) -> Any:
        self.enter(call, "gmail", *_READ, *_COMPOSE, cost=20)
        return {"id": id, "message": _shown(self.mail[self._drafted(id)], call.query)}

    @route("POST", "/gmail/v1/users/me/drafts")
    def make_draft(self, call: Call) -> Any:
        self.enter(call, "gmail", *_COMPOSE, cost=10)
        asked = call.json()["message"]
        message = self.receive_mail(_content(asked), labels=("DRAFT",), thread=self._asked_thread(asked))
        id = f"r{int(message, 16)}"
        self.drafts[id] = message
        return {"id": id, "message": {**_brief(self.mail[message]), "labelIds": ["DRAFT"]}}

    @route("DELETE", "/gmail/v1/users/me/drafts/{id}")
    def drop_draft(self, call: Call, id: str) -> Any:
        self.enter(call, "gmail", *_COMPOSE, cost=10)
        self.delete_mail(self._drafted(id))
        del self.drafts[id]
        return Answer(204)

    @route("POST", "/gmail/v1/users/me/drafts/send")
    def send_draft(self, call: Call) -> Any:
        """The draft is gone, and a message of another id is there (.../gmail/api/guides/drafts)."""
        self.enter(call, "gmail", *_COMPOSE, cost=100)
        id = call.json()["id"]
        old = self.mail[self._drafted(id)]
        told = self._posted(old.content, old.thread)
        self.delete_mail(old.id)
        del self.drafts[id]
        return told

    @route("POST", "/gmail/v1/users/me/messages/send")
    def send_mail(self, call: Call) -> Any:
        self.enter(call, "gmail", *_COMPOSE, "gmail.send", cost=100)
        asked = call.json()
        return self._posted(_content(asked), self._asked_thread(asked))

    def _posted(self, content: bytes, thread: str) -> dict[str, Any]:
        """A message goes out, under a Message-ID of Gmail's own: FlowCrypt/flowcrypt-browser#4273."""
        message = message_from_bytes(content, policy=policy.SMTP)
        if not any(message[name] for name in ("to", "cc", "bcc")):
            raise refusal(400, "invalidArgument", "Recipient address required", rpc="INVALID_ARGUMENT")
        del message["message-id"]
        message["Message-ID"] = f"<CA{self._mail_made:06d}+fake@mail.gmail.com>"
        content = message.as_bytes()
        self.posted.append(content)
        id = self.receive_mail(content, labels=("SENT",), thread=thread)
        return {**_brief(self.mail[id]), "labelIds": ["SENT"]}

    def _asked_thread(self, asked: Mapping[str, Any]) -> str:
        thread = str(asked.get("threadId") or "")
        if thread and not any(one.thread == thread for one in self.mail.values()):
            raise _missing()
        return thread

    def _thread_of(self, content: bytes) -> str:
        """The conversation of a message that answers one that is here; how Gmail groups is not documented in full."""
        message = message_from_bytes(content, policy=policy.compat32)
        named = set(re.findall(r"<[^<>\s]+>", f"{message['in-reply-to'] or ''} {message['references'] or ''}"))
        if not named:
            return ""
        known = (one for one in self.mail.values() if str(one.parsed["message-id"] or "").strip() in named)
        return next((one.thread for one in known), "")

    def _drafted(self, id: str) -> str:
        if id not in self.drafts:
            raise _missing()
        return self.drafts[id]

    def _changed(self, kind: str, id: str, labels: tuple[str, ...] = ()) -> None:
        """Ids of the history rise, with gaps (discovery document, ``history.list``)."""
        self._mail_place += 1 + self.random.randrange(5)
        self._mail_history.append((self._mail_place, self.clock.now(), kind, id, labels))
        self.mail[id] = replace(self.mail[id], history=self._mail_place)

    def _told(self, place: int, at: datetime, kind: str, id: str, labels: tuple[str, ...]) -> dict[str, Any]:
        one = self.mail.get(id)
        brief = {"id": id, "threadId": one.thread if one else id}
        return {"id": str(place), "messages": [brief], kind: [{"message": brief} | ({"labelIds": [*labels]} if labels else {})]}

    def _mail_listed(self, call: Call, found: list[Mail], name: str, show: Any) -> dict[str, Any]:
        """A page is told to begin below the message before it, so that new ones move nothing."""
        order = sorted(found, key=lambda one: one.id, reverse=True)
        token, size = call.query.get("pageToken", ""), min(500, int(call.query.get("maxResults") or 100))
        if call.fault == "cursor_gone" and token:
            raise invalid("Invalid pageToken", "pageToken")
        if token and not re.fullmatch("[0-9a-f]{16,}", token):
            raise invalid("Invalid pageToken", "pageToken")
        rest = [one for one in order if not token or one.id < token[-16:]]
        told: dict[str, Any] = {"resultSizeEstimate": len(order)}
        if call.fault == "empty_page" and rest:
            return {**told, "nextPageToken": f"0{token or 'f' * 16}"}
        part = rest[:size]
        told |= {name: [show(one) for one in part]} if part else {}
        return told | ({"nextPageToken": part[-1].id} if len(rest) > size else {})

    def _fits(self, one: Mail, q: str) -> bool:
        """The words of a search that are understood here; the real one knows many more."""
        for name, value in re.findall(r"(\w+):(\S+)", q):
            match name:
                case "in":
                    if value.upper() not in one.labels:
                        return False
                case "rfc822msgid":
                    if str(one.parsed["message-id"] or "").strip("<> ") != value.strip("<>"):
                        return False
                case "to":
                    everybody = ",".join(str(one.parsed[field] or "") for field in ("to", "cc", "bcc"))
                    if value.lower() not in everybody.lower():
                        return False
                case "newer_than":
                    if self.clock.now() - one.received > timedelta(days=int(value[:-1]) * _WHEN[value[-1]]):
                        return False
        return True


def _content(asked: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64decode(str(asked["raw"]) + "===")


def _brief(one: Mail) -> dict[str, Any]:
    return {"id": one.id, "threadId": one.thread}


def _shown(one: Mail, query: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        **_brief(one),
        "labelIds": sorted(one.labels),
        "snippet": "",
        "historyId": str(one.history),
        "internalDate": str(int(one.received.timestamp() * 1000)),
        "sizeEstimate": len(one.content),
    }
    form = query.get("format", "full").lower()
    if form == "raw":
        return {**told, "raw": base64.urlsafe_b64encode(one.content).decode()}
    if form == "minimal":
        return told
    wanted = {name.lower() for name in query.get("metadataHeaders", "").split(",") if name}
    headers = [{"name": name, "value": str(value)} for name, value in one.parsed.items() if not wanted or name.lower() in wanted]
    return {**told, "payload": {"mimeType": one.parsed.get_content_type(), "headers": headers}}


def _missing() -> RefusedError:
    return refusal(404, "notFound", "Requested entity was not found.", rpc="NOT_FOUND")
