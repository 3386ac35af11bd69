"""A judge of Google's own making: the discovery documents, as OpenAPI, between the connector and the fake.

Every request of ours and every answer of the fake has to be valid, those in a batch each by itself. Fields that the documents do not
know are refused in both directions. Bytes are in base64 for addresses (RFC 4648, 5) with Google, which OpenAPI has no word for. In two
things they are relaxed: ``null`` in a body of PATCH clears
(https://developers.google.com/workspace/calendar/api/guides/performance#patch), which no schema of theirs says; and ``metadata`` of a
contact may be sent, as the same document demands it of ``people.updateContact`` and calls it output only.
"""

from __future__ import annotations

import json
import re
from email.parser import BytesParser
from email.policy import compat32
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2

from .judging import Answered, Asked, form, specs

__all__ = ["SPECS", "Judge"]

SPECS = specs("google")
_UNSPECIFIED = ("/token", "/revoke")


class Judge:
    """A transport around a fake account that refuses what the discovery documents do not know.

    Args:
        straight: The transport to the account.
        known: Forms of requests and answers that were judged; who gives the same set again has each form judged once only.

    Attributes:
        judged: How many requests were judged, each of a batch by itself.
        operations: Which of Google's operations were called, by their ids.
        transport: The transport.
    """

    def __init__(self, straight: httpx2.BaseTransport, known: set[Any] | None = None) -> None:
        self.judged = 0
        self.operations: set[str] = set()
        self._straight = straight
        self._known = known
        self.transport = httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        response = self._straight.handle_request(request)
        body, content = request.read(), response.read()
        path = request.url.raw_path.decode()
        if path.startswith(_UNSPECIFIED):
            return response
        if not path.startswith("/batch"):
            self._judge(request.method, path, body, response.status_code, content)
            return response
        assert response.status_code == 200
        questions = _parts(request.headers["content-type"], body)
        answers = _parts(response.headers["content-type"], content)
        assert {f"response-{name}" for name in questions} == answers.keys()
        for name, question in questions.items():
            first, _, inner = _split(question)
            status, _, data = _split(answers[f"response-{name}"])
            method, url, _ = first.split(" ")
            self._judge(method, url, inner, int(status.split(" ")[1]), data)
        return response

    def _judge(self, method: str, url: str, body: bytes, status: int, content: bytes) -> None:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers, ImmutableMultiDict

        parts = urlsplit(url)
        host, openapi, operations = _spec(_document(parts.path))
        operation = next(one for verb, form, one in operations if verb == method.lower() and form.fullmatch(parts.path))
        query = ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True))
        unknown = set(query) - {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        assert not unknown, f"{method} {parts.path} has no parameter {unknown}"
        self.judged += 1
        self.operations.add(operation["operationId"])
        told = (host, operation["operationId"], frozenset(query), form(body), status, form(content))
        if self._known is not None:
            if told in self._known:
                return
            self._known.add(told)
        data = json.dumps(_without_null(json.loads(body))).encode() if method == "PATCH" else body
        kind = "application/json" if body else ""
        parameters = RequestParameters(query=query, header=Headers({}))
        asked = Asked(host, unquote(parts.path), method.lower(), kind, data or None, parameters)
        openapi.validate_request(asked)
        if status < 300 and content:
            openapi.validate_response(asked, Answered(status, "application/json", {}, content))
        elif status >= 400:
            error = json.loads(content)["error"]
            assert (error["code"], bool(error["message"])) == (status, True)


@cache
def _spec(name: str) -> tuple[str, Any, list[tuple[str, re.Pattern[str], dict[str, Any]]]]:
    """Where an API is, its spec, made stricter, and its operations by method and form of the path."""
    from openapi_core import Config, OpenAPI

    document = json.loads((SPECS / f"{name}.openapi.json").read_text())
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        _close(schema)
    if name == "people.v1":
        schemas["Person"]["properties"]["metadata"].pop("readOnly", None)
    operations = []
    for path, methods in document["paths"].items():
        form = re.compile(re.sub(r"\\{\w+\\}", "[^/]+?", re.escape(path)))
        operations += [(method, form, operation) for method, operation in methods.items() if method != "parameters"]
    fixed_first = sorted(operations, key=lambda one: one[1].pattern.count("[^/]"))
    openapi = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))
    return document["servers"][0]["url"], openapi, fixed_first


def _close(schema: dict[str, Any]) -> None:
    """No fields but those that the schema names, in it and in all that it holds."""
    if schema.get("properties"):
        schema.setdefault("additionalProperties", False)
    if schema.get("format") == "byte":
        del schema["format"]
        schema["pattern"] = "^[A-Za-z0-9_-]*=*$"
    for inner in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            _close(inner)


def _document(path: str) -> str:
    return {"calendar": "calendar.v3", "gmail": "gmail.v1", "v1": "people.v1"}[path.split("/")[1]]


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(inner) for name, inner in value.items() if inner is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


@lru_cache(64)  # the same is asked and answered again and again where rates are tried
def _parts(kind: str, content: bytes) -> dict[str, bytes]:
    """The parts of a ``multipart/mixed`` body, by their names."""
    message = BytesParser(policy=compat32).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + content)
    found: dict[str, bytes] = {}
    for part in message.walk():
        if not part.is_multipart():
            inner = part.get_payload(decode=True)
            assert isinstance(inner, bytes)
            found[part["content-id"].strip("<>")] = inner.replace(b"\r\n", b"\n")
    return found


def _split(message: bytes) -> tuple[str, str, bytes]:
    """First line, headers and body of a request or an answer."""
    head, _, body = message.partition(b"\n\n")
    first, _, headers = head.decode("latin-1").partition("\n")
    return first, headers, body.strip(b"\n")
