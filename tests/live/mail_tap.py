"""A tap on the line to a mail server: counts what the client says, and cuts the line where it is told. Knows nothing of our code."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["MailTap", "tapped"]

_END = b"\r\n.\r\n"


class MailTap:
    """A tap.

    Attributes:
        port: Where it listens on 127.0.0.1.
        said: What clients said, one entry for each time they spoke; the dot that ends a message is one of its own.
    """

    def __init__(self, port: int, server: int) -> None:
        self.port = port
        self.said: list[bytes] = []
        self._server = server
        self._cut: tuple[int, str] | None = None
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []

    def close(self) -> None:
        """End all lines."""
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def cut(self, number: int, how: str) -> None:
        """Cut the line once, at what is said as number so and so from now on: ``before`` it arrives, or ``after``, so that its answer is lost."""
        with self._lock:
            self._cut = (len(self.said) + number, how)

    def _heard(self, said: bytes) -> str:
        """Write down what was said; how the line is cut now, if it is."""
        with self._lock:
            number = len(self.said)
            self.said.append(said)
            if self._cut is None or self._cut[0] != number:
                return ""
            how, self._cut = self._cut[1], None
            return how

    def serve(self, client: socket.socket) -> None:
        """One connection, until one side ends it or it is cut."""
        self._lines.append(client)
        with (
            client,
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self._server), timeout=60) as server,
            selectors.DefaultSelector() as ready,
        ):
            ready.register(client, selectors.EVENT_READ)
            ready.register(server, selectors.EVENT_READ)
            deaf = False
            while True:
                for key, _ in ready.select():
                    chunk = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not chunk:
                        return
                    if key.fileobj is server and deaf:
                        return  # it was done, and nobody hears of it
                    if key.fileobj is server:
                        client.sendall(chunk)
                        continue
                    for part in (chunk[:-3], chunk[-3:]) if chunk.endswith(_END) else (chunk,):
                        how = self._heard(part)
                        if how == "before":
                            return
                        deaf = deaf or how == "after"
                        server.sendall(part)


@contextmanager
def tapped(server: int) -> Iterator[MailTap]:
    """Listen on a free port and pass everything on to a server's port."""
    listener = socket.create_server(("127.0.0.1", 0))
    tap = MailTap(listener.getsockname()[1], server)
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=tap.serve, args=(client,)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield tap
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        tap.close()
        for thread in threads:
            thread.join(60)
