"""An answer, and its body read as JSON without losing a digit or a character."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aios_connect.errors import ProviderError, TruncatedError, UnavailableError

from .redaction import redact

__all__ = ["Response", "decode_json"]

_log = logging.getLogger("aios_connect.http")

_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-hubspot-correlation-id",
    "x-ms-request-id",
    "x-trace-id",
    "cf-ray",
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Response:
    """One answer, read whole.

    Args:
        status: HTTP status.
        headers: By name, whatever its case.
        content: The body, decompressed.
        provider: Slug of who answered.
        object: The vendor's object it is about, or an empty string.
        odd: Called when the body had to be read leniently.
    """

    __slots__ = ("_odd", "content", "headers", "object", "provider", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        *,
        provider: str = "",
        object: str = "",
        odd: Callable[[], None] = lambda: None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self.provider = provider
        self.object = object
        self._odd = odd

    def __repr__(self) -> str:
        return f"<Response {self.status} from {self.provider}, {len(self.content)} bytes>"

    @property
    def request_id(self) -> str:
        """The vendor's own id of the request, for its support; an empty string if it gives none."""
        return redact(next((self.headers[name] for name in _REQUEST_IDS if name in self.headers), ""))

    @property
    def text(self) -> str:
        """The body as text, in the charset the answer names, else UTF-8; what does not fit becomes U+FFFD."""
        named = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        try:
            return self.content.decode(named[1] if named else "utf-8-sig", "replace")
        except LookupError:
            return self.content.decode("utf-8-sig", "replace")

    def json(self) -> Any:
        """The body as JSON. Numbers with a point or an exponent are :class:`~decimal.Decimal`, as written; others are ``int``.

        A body with what JSON forbids but vendors send (half a surrogate pair, ``NaN``, raw control characters, a wrong byte) is
        read all the same: half pairs and wrong bytes become U+FFFD, ``NaN`` and ``Infinity`` stay text, and a warning is logged.

        Raises:
            TruncatedError: The body is empty, cut off, or not JSON.
            UnavailableError: The body is a web page.
        """
        try:
            return decode_json(self.content)
        except (ValueError, RecursionError):
            pass
        try:
            value = _lenient(self.text)
        except (ValueError, RecursionError) as error:
            raise self._not_json(str(error)) from None
        self._odd()
        _log.warning(
            "%s sent JSON that breaks the rules (%s); it was read leniently", self.provider, self.request_id or "no request id"
        )
        return value

    def json_or_none(self) -> Any:
        """The body as JSON, or ``None`` if it is not."""
        try:
            return self.json()
        except ProviderError:
            return None

    @property
    def is_web_page(self) -> bool:
        """The body is HTML: a maintenance page, a sign-in page, a proxy."""
        start = self.content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return start.startswith((b"<!doctype html", b"<html"))

    def web_page(self) -> UnavailableError:
        """The error for an answer that is a web page where data was asked for."""
        title = re.search(r"<title[^>]*>(.*?)</title>", self.text, re.IGNORECASE | re.DOTALL)
        named = f" ({redact(' '.join(title[1].split()))[:80]})" if title else ""
        return UnavailableError(
            f"{self.provider} answered with a web page{named} instead of data",
            hint="it may be under maintenance, behind a proxy, or the address of the connection may be wrong",
            **self._facts(),
        )

    def _not_json(self, why: str) -> ProviderError:
        if self.is_web_page:
            return self.web_page()
        if not self.content.strip():
            return TruncatedError(f"{self.provider} answered with an empty body instead of JSON", **self._facts())
        return TruncatedError(f"{self.provider} answered with a body that is cut off or not JSON: {why[:120]}", **self._facts())

    def _facts(self) -> dict[str, Any]:
        return {"provider": self.provider, "object": self.object, "status": self.status, "request_id": self.request_id}


class _Decoder:
    """msgspec's decoder, loaded when it is first needed."""

    def __init__(self) -> None:
        self._decode: Callable[[bytes], Any] | None = None

    def __call__(self, content: bytes) -> Any:
        if self._decode is None:
            import msgspec

            self._decode = msgspec.json.Decoder(float_hook=Decimal).decode
        return self._decode(content)


decode_json: Callable[[bytes], Any] = _Decoder()
"""Strict JSON from bytes: floats as :class:`~decimal.Decimal`, whole numbers of any length. Raises ``ValueError``."""


def _lenient(text: str) -> Any:
    return _whole(json.loads(text.removeprefix("\ufeff"), parse_float=Decimal, parse_constant=str, strict=False))


def _whole(value: Any) -> Any:
    """The value with halves of surrogate pairs replaced: they are no characters and no database takes them."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
