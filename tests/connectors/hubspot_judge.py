"""A judge of HubSpot's own making: its specs, between the connector and the fake."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import httpx2

from .judging import Answered, Asked, form, specs

__all__ = ["SPECS", "Judge"]

SPECS = specs("hubspot")
_UNSPECIFIED = ("/account-info/", "/oauth/v2/")  # HubSpot publishes no spec for these


class Judge:
    """A transport around a fake account that refuses what the vendor's specs do not know.

    The specs are stricter with unknown fields of a body here than as they were published. In one thing they are relaxed: the values
    of properties may be null, as every example of HubSpot's documentation shows them.

    Args:
        straight: The transport to the account.
        known: Forms of requests and answers that were judged; who gives the same set again has each form judged once only.

    Attributes:
        judged: How many requests were judged.
        transport: The transport.
    """

    def __init__(self, straight: httpx2.BaseTransport, known: set[Any] | None = None) -> None:
        self.judged = 0
        self._straight = straight
        self._known = known
        self.transport = httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers, ImmutableMultiDict

        response = self._straight.handle_request(request)
        path = request.url.path
        if path.startswith(_UNSPECIFIED):
            return response
        self.judged += 1
        body, content = request.read(), response.read()
        query = ImmutableMultiDict(list(request.url.params.multi_items()))
        told = (request.method, re.sub(r"\d+", "0", path), frozenset(query), form(body), response.status_code, form(content))
        if self._known is not None:
            if told in self._known:
                return response
            self._known.add(told)
        openapi, queries = _spec(_file(path))
        asked = Asked(
            "https://api.hubapi.com",
            path,
            request.method.lower(),
            request.headers.get("content-type", ""),
            body or None,
            RequestParameters(query=query, header=Headers(dict(request.headers))),
        )
        openapi.validate_request(asked)
        unknown = set(query) - {name for method, name in queries if method == request.method.lower()}
        assert not unknown, f"{request.method} {path} has no parameter {unknown}"
        headers = dict(response.headers)
        kind = headers.get("content-type", "")
        if response.status_code != 404 or "html" not in kind:  # a hazard of the fake's: what is not there is a web page
            openapi.validate_response(asked, Answered(response.status_code, kind, headers, content))
        return response


@cache
def _spec(name: str) -> tuple[Any, set[tuple[str, str]]]:
    """A spec, made stricter, and the names of its query parameters by method."""
    from openapi_core import Config, OpenAPI

    document = json.loads((SPECS / f"{name}.openapi.json").read_text())
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        values = schema.get("properties", {}).get("properties", {})
        if values.get("additionalProperties") == {"type": "string"}:
            values["additionalProperties"] = {"type": "string", "nullable": True}
    queries = set()
    for operations in document["paths"].values():
        for method, operation in operations.items():
            queries |= {(method, one["name"]) for one in operation.get("parameters", ()) if one["in"] == "query"}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                _close(content["schema"], schemas, set())
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None)), queries


def _close(schema: dict[str, Any], schemas: dict[str, Any], seen: set[str]) -> None:
    """No fields but those that the schema names, in it and in all that it holds."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            _close(schemas[name], schemas, seen)
        return
    if schema.get("properties"):
        schema.setdefault("additionalProperties", False)
    for inner in (*schema.get("properties", {}).values(), schema.get("items")):
        if isinstance(inner, dict):
            _close(inner, schemas, seen)


def _file(path: str) -> str:
    _, api, version, area, *rest = path.split("/")
    if api == "oauth":
        return api
    if version == "v4":
        return "crm-associations-v4"
    if area == "objects":
        plain = ("contacts", "companies", "deals", "tickets")
        return f"crm-{rest[0]}" if rest[0] in plain else f"crm-objects-{rest[0]}"
    return f"crm-{area}"
