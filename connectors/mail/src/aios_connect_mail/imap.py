"""The wire to the IMAP server (RFC 3501), on the standard library's client: one connection, folders read without changing anything.

CONDSTORE (RFC 7162) is switched on where it is offered. The connection is opened when it is first needed, and again when a folder is
opened and the server has hung up meanwhile; a connection that breaks in the middle of something is an error.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aios_connect.connectors import (
    AuthError,
    Context,
    NotFoundError,
    ProviderError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)

from .answers import atoms, from_wire, number, quoted, to_wire
from .reaching import PATIENCE, Place, coded, place, proven, reached, said

__all__ = ["Folder", "Imap", "Opened"]

_Result = TypeVar("_Result")
_MOST: Final = 60_000
"""UIDs in one answer to a search: the standard library takes no line of more than a million bytes."""
_PAUSE: Final = 60.0
"""Seconds between two looks where the server has no IDLE."""
_LATER: Final = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT)\]")  # RFC 5530; of a dead access token Dovecot says the first as well
_NEWS: Final = re.compile(rb"\* (\d+ (EXISTS|EXPUNGE|FETCH)|VANISHED)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder.

    Attributes:
        name: As people see it.
        marks: What the server says about it, in lower case: ``\\sent``, ``\\noselect``.
        delimiter: What separates it from the folders within it; empty if there are none.
    """

    name: str
    marks: frozenset[str]
    delimiter: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder as it was when it was opened.

    Attributes:
        name: Its name.
        validity: UIDVALIDITY: with another value every UID means something else.
        next: UIDNEXT: all messages that are there have a lower UID.
        modseq: HIGHESTMODSEQ; 0 where the server keeps none for it.
        count: Messages in it.
    """

    name: str
    validity: int
    next: int
    modseq: int
    count: int


class Imap:
    """A connection to the server.

    Args:
        context: The connection's settings and credentials.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.place: Place = place(context, "", "IMAP", (993, 143))
        self._client: imaplib.IMAP4 | None = None
        self._opened: Opened | None = None
        self._folders: list[Folder] | None = None
        self._wires: dict[str, bytes] = {}

    def has(self, extension: str) -> bool:
        """The server offers an extension."""
        return extension in self._connected().capabilities

    def server(self) -> str:
        """The server's greeting, which often says what it is."""
        welcome: bytes = self._connected().welcome
        return said(re.sub(rb"^\* \w+ (\[[^\]]*\] )?", b"", welcome))

    def folders(self, *, again: bool = False) -> list[Folder]:
        """All folders, in the server's order; asked for once in the life of a connection, or ``again``."""
        if self._folders is None or again:
            told = self._afresh(lambda: self._ask(lambda client: client.list()))
            if not all(len(line) == 3 and isinstance(line[0], list) and isinstance(line[2], bytes) for line in told):
                raise TruncatedError(f"{self.place} sent an answer that is none to LIST", provider="mail")
            self._wires = {from_wire(name): quoted(name) for _, _, name in told}
            self._folders = [
                Folder(from_wire(name), frozenset(mark.decode().lower() for mark in marks), (delimiter or b"").decode())
                for marks, delimiter, name in told
            ]
        return self._folders

    def open(self, name: str, *, again: bool = False) -> Opened:
        """Open a folder for reading.

        Args:
            name: The folder.
            again: Look at it anew if it is open already.

        Raises:
            NotFoundError: It is not there, or not for us.
        """
        if self._opened is not None and self._opened.name == name and not again:
            return self._opened
        self._opened = self._afresh(lambda: self._open(name))
        return self._opened

    def search(self, *criteria: str, charset: str | None = None) -> list[int]:
        """The UIDs in the open folder that meet the criteria, ascending."""
        opened = self._opened
        assert opened is not None, "a folder is opened first"
        found: set[int] = set()
        last = opened.next - 1
        span = _MOST if opened.count > _MOST else max(last, 1)
        for start in range(1, max(last, 1) + 1, span):
            among = ("UID", f"{start}:{min(start + span - 1, last)}") if opened.count > _MOST else ()
            told = self._ask(lambda client, among=among: client.uid("SEARCH", *among, *criteria))  # type: ignore[misc]
            found.update(self._number(word) for line in told for word in line if isinstance(word, bytes))
        return sorted(found)

    def fetch(self, uids: Sequence[int], *items: str) -> dict[int, dict[str, Any]]:
        """Items of messages in the open folder, by UID; messages that are gone are left out.

        Raises:
            RejectedError: The server could not give all of it; what it gave is lost.
        """
        found: dict[int, dict[str, Any]] = {}
        if not uids:
            return found
        told = self._ask(lambda client: client.uid("FETCH", _set(uids), f"(UID {' '.join(items)})"))
        for line in told:
            if len(line) < 2 or not isinstance(line[1], list):
                raise TruncatedError(f"{self.place} sent an answer that is none to FETCH", provider="mail")
            pairs = zip(line[1][::2], line[1][1::2], strict=False)
            values = {name.decode().upper(): value for name, value in pairs if isinstance(name, bytes)}
            if "UID" in values:  # others tell what changed meanwhile
                found.setdefault(self._number(values["UID"]), {}).update(values)
        return {uid: found[uid] for uid in uids if uid in found}

    def append(self, folder: str, message: bytes, flags: str) -> None:
        """Put a message into a folder, with ``CRLF`` at its line ends.

        Raises:
            RejectedError: The server did not take it.
            UnavailableError: The connection broke; it may be there or not.
        """
        self._run(lambda client: client.append(self._written(folder), flags, "", message))

    def mark(self, folder: str, uid: int, change: str, flags: str) -> None:
        """Change the flags of a message: ``+FLAGS.SILENT`` or ``-FLAGS.SILENT``."""
        self._opened = None
        self._run(lambda client: client.select(self._written(folder)))
        self._run(lambda client: client.uid("STORE", str(uid), change, flags))

    def expunge(self, folder: str, uid: int) -> None:
        """Take one message out of a folder, and no other: without UIDPLUS (RFC 4315) it is only marked as deleted."""
        self.mark(folder, uid, "+FLAGS.SILENT", r"(\Deleted)")
        if self.has("UIDPLUS"):
            self._run(lambda client: client.uid("EXPUNGE", str(uid)))

    def wait(self, name: str, known: Callable[[Opened], bool], seconds: float) -> bool:
        """Wait until something happens in a folder (IDLE, RFC 2177), on a connection of its own.

        Args:
            name: The folder.
            known: Whether what the folder says of itself is what is known already.
            seconds: How long to wait at most.

        Returns:
            True if something happened, or had happened before.
        """
        now = self._context.now
        until = now().timestamp() + seconds
        own = Imap(self._context)
        try:
            if not known(own.open(name)):
                return True
            if not own.has("IDLE"):
                while (left := until - now().timestamp()) > 0:
                    self._context.sleep(min(left, _PAUSE))
                    if not known(own.open(name, again=True)):
                        return True
                return False
            client = own._connected()
            with own._told():
                client.send(b"AIOS1 IDLE\r\n")
                while (left := until - now().timestamp()) > 0:
                    client.sock.settimeout(min(left, 25 * 60))  # RFC 2177 asks for a new IDLE every 29 minutes
                    try:
                        line = client.readline()
                    except TimeoutError:
                        return False
                    if not line:
                        raise UnavailableError(f"{self.place} hung up", provider="mail")
                    if _NEWS.match(line):
                        return True
            return False
        finally:
            own.drop()

    def close(self) -> None:
        """Take leave of the server."""
        if self._client is not None:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                self._client.logout()
        self.drop()

    def drop(self) -> None:
        """Hang up."""
        client, self._client, self._opened, self._folders = self._client, None, None, None
        if client is not None:
            with contextlib.suppress(OSError):
                client.shutdown()

    def _afresh(self, ask: Callable[[], _Result]) -> _Result:
        """Ask; if the server hung up since we last heard of it, ask on a new connection."""
        heard = self._client is not None
        try:
            return ask()
        except UnavailableError:
            if not heard:
                raise
            return ask()

    def _written(self, name: str) -> Any:
        """The name of a folder as this server writes it: bytes, which the client takes although its types do not say so."""
        return self._wires.get(name) or to_wire(name).encode()

    def _number(self, value: Any) -> int:
        try:
            return number(value)
        except ValueError as error:
            raise TruncatedError(f"{self.place} sent what cannot be: {error}", provider="mail", object="messages") from None

    def _open(self, name: str) -> Opened:
        self._opened = None
        client = self._connected()
        with self._told():
            kind, data = client.select(self._written(name), readonly=True)
        if kind != "OK":
            raise NotFoundError(f"there is no folder {name!r} for us: {said(data[-1])}", provider="mail", object="messages")
        told = {word: client.response(word)[1] for word in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ")}
        values = {word: self._number(found[-1]) if found and found[-1] else 0 for word, found in told.items()}
        count = self._number(data[-1])
        if not values["UIDVALIDITY"] or not values["UIDNEXT"]:
            raise TruncatedError(f"{self.place} opened {name!r} without UIDVALIDITY and UIDNEXT", provider="mail")
        return Opened(name, values["UIDVALIDITY"], values["UIDNEXT"], values["HIGHESTMODSEQ"], count)

    def _connected(self) -> imaplib.IMAP4:
        if self._client is None:
            self._client = proven(self._context, self._context.credentials.auth.kind, self._signed_in)
        return self._client

    def _signed_in(self, proof: str) -> imaplib.IMAP4:
        """A new connection on which we are who we say."""
        where, user = self.place, self._context.settings.get("user", "")
        client: imaplib.IMAP4 | None = None
        try:
            with reached(where), _refused(where):
                if where.security == "tls":
                    client = imaplib.IMAP4_SSL(where.host, where.port, ssl_context=where.context, timeout=PATIENCE)
                else:
                    client = imaplib.IMAP4(where.host, where.port, timeout=PATIENCE)
                    if where.security == "starttls":
                        client.starttls(where.context)
                self._sign_in(client, user, proof)
                client.capabilities = tuple(client.capability()[1][-1].decode().upper().split())  # others than before
                if {"CONDSTORE", "ENABLE"} <= {*client.capabilities}:
                    client.enable("CONDSTORE")
        except BaseException:
            if client is not None:
                with contextlib.suppress(OSError):
                    client.shutdown()
            raise
        return client

    def _sign_in(self, client: imaplib.IMAP4, user: str, proof: str) -> None:
        try:
            if self._context.credentials.auth.kind == "oauth2":
                told = f"user={user}\1auth=Bearer {proof}\1\1"
                coded(told)
                client.authenticate("XOAUTH2", lambda challenge: b"" if challenge else told.encode())  # a challenge is a refusal
            elif "AUTH=PLAIN" in client.capabilities:
                told = f"\0{user}\0{proof}"
                coded(told)
                client.authenticate("PLAIN", lambda _: told.encode())
            else:
                client.login(user, proof)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeError) as error:
            if self._context.credentials.auth.kind == "password" and _LATER.search(str(error)):
                raise UnavailableError(f"{self.place} lets nobody in now: {said(error)}", provider="mail") from None
            raise AuthError(
                f"{self.place} does not let {user!r} in: {said(error)}",
                hint=f"aios connect {self._context.connection}; some providers want an app password, or OAuth",
                provider="mail",
            ) from None

    def _run(self, command: Callable[[imaplib.IMAP4], tuple[str, list[Any]]]) -> list[Any]:
        client = self._connected()
        with self._told():
            kind, data = command(client)
        if kind != "OK":
            raise RejectedError(f"{self.place}: {said(data[-1] if data else '')}", provider="mail", object="messages")
        return data

    def _ask(self, command: Callable[[imaplib.IMAP4], tuple[str, list[Any]]]) -> list[list[Any]]:
        """The answers to a command, taken apart."""
        data = self._run(command)
        try:
            return list(atoms(data))
        except ValueError as error:
            self.drop()
            raise TruncatedError(f"{self.place} sent what is no answer: {error}", provider="mail") from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A connection that broke is not used again."""
        try:
            with reached(self.place), _refused(self.place):
                yield
        except ProviderError as error:
            if not isinstance(error, RejectedError):
                self.drop()
            raise


@contextmanager
def _refused(place: Place) -> Iterator[None]:
    """What the errors of the standard library's client mean."""
    try:
        yield
    except imaplib.IMAP4.abort as error:
        raise UnavailableError(f"{place} broke off: {said(error)}", provider="mail") from None
    except imaplib.IMAP4.error as error:
        raise RejectedError(f"{place}: {said(error)}", provider="mail", object="messages") from None


def _set(uids: Iterable[int]) -> str:
    """UIDs as IMAP writes them: ``1:4,7``."""
    spans: list[list[int]] = []
    for uid in sorted(uids):
        if spans and spans[-1][1] == uid - 1:
            spans[-1][1] = uid
        else:
            spans.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in spans)
