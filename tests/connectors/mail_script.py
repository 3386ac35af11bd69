"""Servers that follow a script: they say what real ones say seldom, or never. Knows nothing of our code."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["HANG_UP", "SILENCE", "imap_server", "line_server"]

HANG_UP = b"<hang up>"
SILENCE = b"<say nothing any more>"

Answer = Callable[[str], bytes]
"""What is said to a line; ends it all with :data:`HANG_UP`, or says nothing with :data:`SILENCE`."""


@contextmanager
def line_server(greeting: bytes, answer: Answer) -> Iterator[int]:
    """A server that answers line by line; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError), client.makefile("rb") as file:
            client.sendall(greeting)
            for line in file:
                said = answer(line.decode("utf-8", "surrogateescape").rstrip("\r\n"))
                if said == SILENCE:
                    continue
                if said.endswith(HANG_UP):
                    client.sendall(said.removesuffix(HANG_UP))
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(said)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                lines.append(client)
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for client in lines:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(30)


@contextmanager
def imap_server(script: dict[str, bytes | list[bytes]], heard: list[str] | None = None) -> Iterator[int]:
    """An IMAP server with one folder; its port.

    Args:
        script: Beginning of a command -> what is said before ``OK``, or ``NO ...``/``BAD ...`` instead; a list is used up one by one.
        heard: Every command is written down here, without its tag.
    """
    usual: dict[str, bytes] = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS AUTH=PLAIN AUTH=XOAUTH2\r\n",
        "LIST": b'* LIST (\\HasNoChildren) "/" INBOX\r\n',
        "EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] \r\n* OK [UIDNEXT 4] \r\n",
        "UID SEARCH": b"* SEARCH 1 2 3\r\n",
        "AUTHENTICATE": b"+ \r\n",
    }
    waiting: list[str] = []

    def answer(line: str) -> bytes:
        if waiting:  # the proof that was asked for
            tag = waiting.pop()
            if heard is not None:
                heard.append(line)
            told = script.get("PROOF", b"")
            if isinstance(told, bytes) and told.startswith(b"+ "):
                del script["PROOF"]
                script["PROOF"] = b"NO [AUTHENTICATIONFAILED] not you"
                waiting.append(tag)
                return told
            return f"{tag} ".encode() + (told if isinstance(told, bytes) and told else b"OK done") + b"\r\n"
        tag, _, command = line.partition(" ")
        if heard is not None:
            heard.append(command)
        known = {**usual, **script}
        begin = max((one for one in known if command.startswith(one)), key=len, default="")
        said = known.get(begin, b"")
        if isinstance(said, list):
            said = said.pop(0) if said else b""
        if command.startswith("AUTHENTICATE"):
            waiting.append(tag)
            return said
        if said in (SILENCE,) or said.endswith(HANG_UP):
            return said
        if said.startswith((b"NO", b"BAD")):
            return tag.encode() + b" " + said + b"\r\n"
        bye = b"* BYE\r\n" if command == "LOGOUT" else b""
        return bye + said + tag.encode() + b" OK done\r\n"

    with line_server(b"* OK ready\r\n", answer) as port:
        yield port
