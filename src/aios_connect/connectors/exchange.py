"""One exchange on the wire: a request goes out, an answer comes back whole, or it is said which of the two failed."""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from aios_connect.errors import ConfigError, ProviderError, TruncatedError, UnavailableError

from .redaction import guard_loggers, redact

if TYPE_CHECKING:
    import ssl

    import httpx2

__all__ = ["Answer", "BrokenError", "Params", "Timeouts", "UnreachedError", "Wire"]

_Value: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, _Value | Sequence[_Value]] | list[tuple[str, _Value]]
"""Query parameters; a sequence repeats its name."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to be patient, in seconds.

    Attributes:
        connect: Until the connection stands.
        read: Between two pieces of the answer.
        total: For the whole answer, so that one that drips in does not last for ever.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: By name, whatever its case.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class UnreachedError(Exception):
    """Nothing was sent: nobody took the connection.

    Attributes:
        hint: What to do about it.
        again: Trying again may help.
    """

    def __init__(self, message: str, hint: str, again: bool) -> None:
        super().__init__(message)
        self.hint = hint
        self.again = again


class BrokenError(Exception):
    """Something was sent, and no whole answer came.

    Attributes:
        kind: The error it is, where asking again does no harm.
        answer: Status and headers, if they came.
        again: Trying again may help.
    """

    def __init__(self, message: str, kind: type[ProviderError], answer: Answer | None = None, again: bool = True) -> None:
        super().__init__(message)
        self.kind = kind
        self.answer = answer
        self.again = again


class Wire:
    """An httpx2 client, opened when first used.

    Args:
        agent: What we call ourselves.
        transport: Instead of the network.
        timeouts: How long to be patient.
        verify: Check certificates with the machine's authorities, those of a PEM file or folder, or not.
        proxy: Address of a proxy.
        trust_env: Let the environment have a say in proxy and certificates.
        largest: Bytes of the largest answer, decompressed.
    """

    def __init__(
        self,
        *,
        agent: str,
        transport: httpx2.BaseTransport | None,
        timeouts: Timeouts,
        verify: bool | str | Path,
        proxy: str | None,
        trust_env: bool,
        largest: int,
    ) -> None:
        self._agent = agent
        self._transport = transport
        self._timeouts = timeouts
        self._verify = verify
        self._proxy = proxy
        self._trust_env = trust_env
        self._largest = largest
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None

    def open(self) -> httpx2.Client:
        """Get ready to send; nothing is connected yet."""
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> httpx2.Client:
        import httpx2

        guard_loggers()
        times = self._timeouts
        return httpx2.Client(
            transport=self._transport,
            timeout=httpx2.Timeout(times.read, connect=times.connect, pool=times.connect),
            verify=self._authorities(),
            proxy=self._proxy,
            trust_env=self._trust_env,
            follow_redirects=False,
            headers={"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate"},
        )

    def close(self) -> None:
        """Give back the connections; the next exchange opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def exchange(
        self,
        method: str,
        url: str,
        params: Params | None,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        """Send one request and read its answer to the end.

        Raises:
            UnreachedError: Nothing was sent.
            BrokenError: It was sent, and no whole answer came.
            ConfigError: The address or a setting is wrong.
        """
        import httpx2

        client = self.open()
        started = time.monotonic()
        try:
            request = client.build_request(method, url, params=params, content=content, headers=dict(headers))
            response = client.send(request, stream=True)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, ValueError) as error:
            raise ConfigError(
                f"a request to {redact(url)!r} cannot be made: {redact(str(error))}", hint="correct the url of the connection"
            ) from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
            raise _unreached(request.url, error) from None
        except httpx2.TransportError as error:
            raise BrokenError(_ending(error), UnavailableError) from None
        except httpx2.DecodingError as error:
            raise BrokenError(f"the answer is damaged: {error}", TruncatedError) from None
        answer = Answer(response.status_code, response.headers, b"")
        try:
            return Answer(answer.status, answer.headers, self._body(response, method, started))
        except httpx2.RemoteProtocolError:
            raise BrokenError("the answer ended before its end", TruncatedError, answer) from None
        except httpx2.TransportError as error:
            raise BrokenError(f"{_ending(error)} in the middle of the answer", UnavailableError, answer) from None
        except (EOFError, zlib.error) as error:
            raise BrokenError(f"the answer is damaged: {error}", TruncatedError, answer) from None
        except OverflowError:
            raise BrokenError(f"the answer is larger than {self._largest} bytes", TruncatedError, answer, again=False) from None
        except TimeoutError:
            message = f"the answer was not whole after {self._timeouts.total:g} s"
            raise BrokenError(message, UnavailableError, answer) from None
        finally:
            response.close()

    def _body(self, response: httpx2.Response, method: str, started: float) -> bytes:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        loaded = response.is_stream_consumed  # a transport that answers from memory has decompressed the body, too
        raw = response.content if loaded else self._raw(response, started)
        declared = response.headers.get("content-length", "")
        bodiless = method == "HEAD" or response.status_code in (204, 304)
        if declared.isdigit() and int(declared) != len(raw) and not bodiless and not (loaded and encoding):
            raise EOFError(f"it has {len(raw)} bytes and not the {declared} it announced")
        return raw if loaded or not raw or encoding in ("", "identity") else self._inflate(raw, encoding)

    def _raw(self, response: httpx2.Response, started: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > self._largest:
                raise OverflowError
            if time.monotonic() - started > self._timeouts.total:
                raise TimeoutError
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _inflate(self, raw: bytes, encoding: str) -> bytes:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise EOFError(f"it is compressed with {encoding!r}, which was not asked for")
        parts: list[bytes] = []
        left = self._largest
        while raw:
            stream = zlib.decompressobj(31 if "gzip" in encoding else 15 if raw[:1] == b"\x78" else -15)
            part = stream.decompress(raw, left + 1)
            left -= len(part)
            if left < 0:
                raise OverflowError
            if not stream.eof:
                raise EOFError("its compressed form is cut off")
            parts.append(part)
            raw = stream.unused_data  # gzip may come in several members
        return b"".join(parts)

    def _authorities(self) -> ssl.SSLContext | bool:
        if isinstance(self._verify, bool):
            return self._verify
        import ssl

        path = Path(self._verify)
        try:
            return ssl.create_default_context(capath=str(path)) if path.is_dir() else ssl.create_default_context(cafile=str(path))
        except OSError as error:  # ssl.SSLError is one
            raise ConfigError(
                f"the certificates in {path} cannot be read: {error}", hint="name a PEM file with the authority's certificate"
            ) from None


def _unreached(url: httpx2.URL, error: Exception) -> UnreachedError:
    place = f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
    text = re.sub(r"^\[Errno -?\d+\] ", "", redact(str(error))) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        hint = "name the authority that signed it (certificates in the settings, or SSL_CERT_FILE), or correct the address"
        return UnreachedError(f"the certificate of {place} is not trusted ({text})", hint, again=False)
    return UnreachedError(f"nobody answers at {place} ({text})", "is it running, and is the address right?", again=True)


def _ending(error: Exception) -> str:
    return "no answer came in time" if "Timeout" in type(error).__name__ else "the connection broke"
