"""Many requests as one: ``multipart/mixed`` with a request in every part, answers known by their names and not by their order.

A batch counts as all that is in it; what it saves is connections (https://developers.google.com/workspace/calendar/api/guides/batch).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from aios_connect.connectors import Response, TruncatedError

__all__ = ["BOUNDARY", "MOST", "Ask", "decode", "encode"]

MOST: Final = 50
"""Requests in a batch. Pages differ: 1,000 for Calendar, 100 for Gmail with a warning above 50; 50 is right for all."""

BOUNDARY: Final = "part_of_a_batch"
"""No body can hold it at the start of a line: JSON is written in one line."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a batch.

    Attributes:
        method: ``GET``, ``PATCH``, ...
        path: Below the root of the API.
        params: Query parameters.
        body: As JSON, if there is one.
        headers: More headers.
        line: Id of the plan line that it carries out.
    """

    method: str
    path: str
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    line: str = ""


def encode(asks: Sequence[Ask], root: str) -> bytes:
    """The body of a batch; each part is known by its number."""
    lines: list[str] = []
    for number, ask in enumerate(asks):
        query = f"?{urlencode(ask.params, doseq=True)}" if ask.params else ""
        lines += [f"--{BOUNDARY}", "Content-Type: application/http", f"Content-ID: <{number}>", ""]
        lines += [f"{ask.method} /{root}/{ask.path}{query} HTTP/1.1", *(f"{name}: {text}" for name, text in ask.headers.items())]
        if ask.body is None:
            lines += ["", ""]
        else:
            text = json.dumps(ask.body)
            lines += ["Content-Type: application/json", f"Content-Length: {len(text)}", "", text]
    return "\r\n".join([*lines, f"--{BOUNDARY}--", ""]).encode("ascii")


def decode(response: Response, object: str) -> dict[int, Response]:
    """The answers of a batch, by the number of their part. Those that are not there are left out.

    Raises:
        TruncatedError: It is no batch, or it does not end as one.
    """
    named = re.search(r"boundary=\"?([^\";]+)", response.headers.get("content-type", ""))
    if named is None or response.is_web_page:
        raise _broken("the answer to a batch is none", response, object)
    # No JSON has a line break in a text, so it does no harm to make them all alike.
    content = b"\n" + response.content.replace(b"\r\n", b"\n")
    _, *parts = content.split(b"\n--" + named[1].encode("latin-1", "replace"))
    if not parts or not parts.pop().startswith(b"--"):
        raise _broken("the answer to a batch ends early", response, object)
    found: dict[int, Response] = {}
    for part in parts:
        head, _, inner = part.strip(b"\n").partition(b"\n\n")
        number = re.search(rb"^content-id:\s*<?response-(?:.*\+\s*)?(\d+)>?\s*$", head, re.IGNORECASE | re.MULTILINE)
        line, _, rest = inner.partition(b"\n")
        status = re.match(rb"HTTP/[\d.]+ (\d{3})", line)
        if number is None or status is None:
            continue
        named_lines, _, body = (b"\n" + rest).partition(b"\n\n")
        headers = dict(_header(one) for one in named_lines.decode("latin-1").split("\n") if ":" in one)
        found[int(number[1])] = Response(int(status[1]), headers, body, provider="google", object=object)
    return found


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _broken(message: str, response: Response, object: str) -> TruncatedError:
    return TruncatedError(message, provider="google", object=object, status=response.status)
