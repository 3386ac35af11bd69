"""The file: exchanges in vcrpy's format, JSON bodies laid out for people as block text, nothing in it that is a secret."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from aios_connect.errors import ConfigError

__all__ = ["Cassette", "Exchange", "load", "save"]

_VERSION = 1

_LINE = 'metadata: {origin: "live Acme 4.2, made-up data"}'


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, scrubbed.

    Attributes:
        method: ``GET``.
        uri: The whole address.
        sent: Headers of the request, by lower-cased name.
        question: Body of the request.
        status: HTTP status.
        got: Headers of the answer, by lower-cased name.
        answer: Body of the answer, decompressed.
    """

    method: str
    uri: str
    sent: Mapping[str, str]
    question: bytes
    status: int
    got: Mapping[str, str]
    answer: bytes


@dataclass(frozen=True, slots=True)
class Cassette:
    """A conversation.

    Attributes:
        origin: Who answered: ``"live Tryton 8.2, demo data"``, ``"sandbox hubspot"``.
        recorded: The day, ISO 8601.
        exchanges: In the order of their answers.
        settings: What a connection is opened with to have the conversation again; without secrets.
        steps: What the connector did; see :func:`aios_connect.cassettes.tell`. Empty where that stands in code.
    """

    origin: str
    recorded: str
    exchanges: tuple[Exchange, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()


def save(cassette: Cassette, path: Path) -> None:
    """Write a cassette; the file is whole or as it was before."""
    more: dict[str, Any] = {"settings": dict(cassette.settings), "steps": list(cassette.steps)}
    told = {
        "version": _VERSION,
        "metadata": {
            "origin": cassette.origin,
            "recorded": cassette.recorded,
            **{name: value for name, value in more.items() if value},
        },
        "interactions": [_told(exchange) for exchange in cassette.exchanges],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    text = yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9)
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def load(path: Path) -> Cassette:
    """Read a cassette: ours, or one that ``vcrpy`` recorded and somebody wrote the origin into; packed answers are unpacked.

    Raises:
        ConfigError: It is not there, is no cassette, or does not say where it comes from.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        exchanges = tuple(_exchange(item) for item in told["interactions"])
        metadata = told.get("metadata") or {}
    except OSError as error:
        raise ConfigError(f"there is no cassette: {error.strerror}", hint="record it first", file=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f"this is no cassette: {error}", hint="record it again", file=str(path)) from None
    if told.get("version") != _VERSION:
        raise ConfigError(f"this is no cassette of version {_VERSION}", hint="record it again", file=str(path))
    if not metadata.get("origin"):
        raise ConfigError(
            "the cassette does not say where it was recorded",
            hint=f"write who answered, truthfully, into a line of its own at its top: {_LINE}",
            file=str(path),
        )
    settings, steps = metadata.get("settings") or {}, metadata.get("steps") or ()
    return Cassette(str(metadata["origin"]), str(metadata.get("recorded", "")), exchanges, settings, tuple(steps))


def _told(exchange: Exchange) -> dict[str, Any]:
    try:
        reason = HTTPStatus(exchange.status).phrase
    except ValueError:
        reason = ""
    return {
        "request": {
            "method": exchange.method,
            "uri": exchange.uri,
            "headers": {name: [value] for name, value in exchange.sent.items()},
            "body": _text(exchange.question) if exchange.question else None,
        },
        "response": {
            "status": {"code": exchange.status, "message": reason},
            "headers": {name: [value] for name, value in exchange.got.items()},
            "body": {"string": _text(exchange.answer)},
        },
    }


def _exchange(told: Mapping[str, Any]) -> Exchange:
    request, response = told["request"], told["response"]
    got = {name.lower(): ", ".join(values) for name, values in response["headers"].items()}
    return Exchange(
        method=request["method"],
        uri=request["uri"],
        sent={name.lower(): ", ".join(values) for name, values in request["headers"].items()},
        question=_bytes(request["body"]),
        status=int(response["status"]["code"]),
        got=got,
        answer=_unpacked(_bytes(response["body"]["string"]), got.pop("content-encoding", "").strip().lower()),
    )


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode("utf-8") if isinstance(body, str) else body or b""


def _is_text(body: bytes) -> bool:
    return isinstance(_text(body), str)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """A body as it was before its server packed it: vcrpy keeps it packed."""
    try:
        match encoding:
            case "gzip" | "x-gzip" if body[:2] == b"\x1f\x8b":
                return gzip.decompress(body)
            case "deflate" if body:
                return zlib.decompress(body, 15 if body[:1] == b"\x78" else -15)
            case _ if not body or encoding in ("", "identity") or _is_text(body):  # some of vcrpy's ways keep it unpacked
                return body
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"an answer packed with {encoding} cannot be unpacked: {error}") from None
    raise ValueError(f"an answer is packed with {encoding!r}, and only gzip and deflate are read")


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)
