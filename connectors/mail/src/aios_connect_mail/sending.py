r"""Sending once.

Before a letter goes out, it is put into the folder of what was sent, marked as a draft: a note that it is about to go. When the server has
taken it, a copy without the mark takes the note's place; when the server refused it, the note is removed. So the folder says what
happened, to this process or another: no note, and it was never begun; a copy, and it went out; a note, and nobody knows, unless an answer
or a copy that came back shows it. Of two that send the same line at once the one whose note came first goes on.
"""

from __future__ import annotations

import logging
from typing import Final
from uuid import uuid4

from aios_connect.connectors import AmbiguousWriteError, ConfigError, Context, ProviderError
from aios_connect.connectors.composing import Composed, UnsendableError, compose, mailbox
from aios_connect.connectors.sending import Letter, Sent, message_id

from .folders import Folders
from .imap import Imap
from .smtp import Smtp

__all__ = ["Sender"]

_log = logging.getLogger("aios_connect.mail")
_NOTE: Final = "X-Aios-Attempt"
"""Header of a note, which tells it from those of others; what is sent has none."""
_UNKNOWN: Final = "it was begun, and nobody can tell whether it went out; look for it with its recipient before it is sent again"


class Sender:
    """Sends letters.

    Args:
        context: The connection.
        author: The address of the mailbox, with or without a name.
        imap: The way to the folder of what was sent.
        folders: Which folder that is.
    """

    def __init__(self, context: Context, author: str, imap: Imap, folders: Folders) -> None:
        self._context = context
        self._author = author
        self._imap = imap
        self._folders = folders
        self._smtp = Smtp(context) if context.settings.get("smtp_host") else None

    @property
    def address(self) -> str:
        """The plain address of the mailbox; what was given for it, if that is none."""
        try:
            return mailbox(self._author).addr_spec
        except UnsendableError:
            return self._author

    def check(self) -> str:
        """Sign in, and say where."""
        smtp = self._way()
        self._folders.sent()
        with smtp.session() as client:
            offered = ", ".join(name.upper() for name in ("dsn", "smtputf8") if client.has_extn(name))
        return f"{smtp.place}{f' ({offered})' if offered else ''}"

    def send(self, letter: Letter, line: str) -> Sent:
        """Send a letter, once."""
        smtp, id = self._way(), self._id(line)
        try:
            composed = compose(letter, self._author, id, self._context.now())
        except UnsendableError as error:
            return Sent("rejected", id, reason=str(error))
        before = self.sent(line)
        if before.outcome != "unsent":
            return Sent("unchanged", id, reason="it was sent before") if before.outcome == "sent" else before
        with smtp.session() as client:  # a server that does not answer must not leave a note
            note = uuid4().hex
            if not self._noted(composed, id, note):
                return Sent("ambiguous", id, reason="another process is sending it just now")
            try:
                refused = smtp.transmit(client, composed, id, letter.notify)
            except AmbiguousWriteError as error:
                return self._found_out(id, error.message)
            except ProviderError:
                self._withdraw(note)
                raise
        if refused is not None:
            self._withdraw(note)
            return Sent("rejected", id, refused.recipients, refused.reason)
        self._settle(note, composed, id)
        return Sent("sent", id)

    def sent(self, line: str) -> Sent:
        """What became of a letter."""
        id = self._id(line)
        notes, copies = self._there(id)
        if copies:
            return Sent("sent", id)
        return self._found_out(id, _UNKNOWN) if notes else Sent("unsent", id)

    def _way(self) -> Smtp:
        if self._smtp is None:
            raise ConfigError("this mailbox has no SMTP server", hint="give smtp_host in the settings of the connection")
        return self._smtp

    def _id(self, line: str) -> str:
        try:
            return message_id(line, self._context.connection, mailbox(self._author).addr_spec)
        except UnsendableError as error:
            raise ConfigError(f"address: {error}", hint="give the address of the mailbox in the setting address") from None

    def _there(self, id: str) -> tuple[list[int], list[int]]:
        """The UIDs of the notes and of the copies in the folder of what was sent."""
        self._imap.open(self._folders.sent(), again=True)
        uids = self._imap.search("HEADER", "MESSAGE-ID", f'"{id}"', "UNDELETED")
        marks = self._imap.fetch(uids, "FLAGS")
        notes = [uid for uid, told in marks.items() if b"\\draft" in (flag.lower() for flag in told.get("FLAGS") or ())]
        return notes, [uid for uid in marks if uid not in notes]

    def _noted(self, composed: Composed, id: str, note: str) -> bool:
        """Leave a note; false if somebody else left one before us."""
        try:
            self._imap.append(self._folders.sent(), f"{_NOTE}: {note}\r\n".encode() + composed.content, r"(\Draft \Seen)")
            notes, copies = self._there(id)
            first = not copies and self._own(note) == [min(notes, default=0)]
        except ProviderError:
            self._withdraw(note)
            raise
        if not first:
            self._withdraw(note)
        return first

    def _own(self, note: str) -> list[int]:
        """The UID of our own note, in the open folder."""
        return self._imap.search("HEADER", _NOTE, note, "UNDELETED")

    def _withdraw(self, note: str) -> None:
        """Nothing was sent: the note says so by not being there."""
        place = self._folders.sent()
        try:
            self._imap.open(place, again=True)
            for uid in self._own(note):
                self._imap.expunge(place, uid)
        except ProviderError as error:
            _log.warning("a note of a letter that was not sent may stay in the folder: %s", error.message)

    def _settle(self, note: str, composed: Composed, id: str) -> None:
        """A copy takes the note's place, unless the server has put one there itself."""
        place = self._folders.sent()
        try:
            if not self._there(id)[1]:
                self._imap.append(place, composed.content, r"(\Seen)")
        except ProviderError as error:
            _log.warning("a letter was sent, and its copy could not be filed: %s", error.message)
            return
        self._withdraw(note)

    def _found_out(self, id: str, why: str) -> Sent:
        """It may have gone out: an answer to it, or a copy that came back, shows that it did."""
        try:
            for name in self._folders.read():
                self._imap.open(name, again=True)
                seen = ("OR", "HEADER", "IN-REPLY-TO", f'"{id}"', "OR", "HEADER", "REFERENCES", f'"{id}"', "HEADER", "MESSAGE-ID")
                if self._imap.search(*seen, f'"{id}"', "UNDRAFT"):
                    return Sent("sent", id)
        except ProviderError:
            pass
        return Sent("ambiguous", id, reason=why)
