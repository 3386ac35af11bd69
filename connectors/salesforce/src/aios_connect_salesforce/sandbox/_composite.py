"""Several requests to a fake organisation in one call."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from aios_connect.sandbox import Answer, Call, RefusedError, route

from ._deeds import Deeds, body_of
from ._organisation import encoded
from ._soql import error

__all__ = ["Composite"]

_MOST: Final = 25
_FEW: Final = 5
_HEAVY: Final = re.compile(r"/services/data/[^/]+/(query|queryAll|composite/sobjects)(/|\?|$)")
_SERVED: Final = re.compile(r"/services/data/[^/]+/(sobjects/|query|queryAll|composite/sobjects)")
_REFERENCE: Final = re.compile(r"@\{([^}]*)\}")
_INHERITED: Final = ("accept", "authorization", "content-type")


class Composite(Deeds):
    """One fake organisation that takes several requests in one call.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite_post.htm. References to the answers
    of other requests lead to nothing here (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/requests_composite.htm).
    """

    @route("POST", "/services/data/{version}/composite/?")
    def composite(self, call: Call, version: str) -> Any:
        import msgspec

        self.enter(call)
        asked = body_of(call)
        parts = asked["compositeRequest"]
        named = [str(one["referenceId"]) for one in parts]
        if len(parts) > _MOST:
            raise _refused(f"The maximum number of subrequests is {_MOST}")
        if sum(bool(_HEAVY.match(one["url"])) for one in parts) > _FEW:
            raise _refused(f"No more than {_FEW} subrequests can be queries or sObject Collections")
        if len(set(named)) < len(named):
            raise _refused("A referenceId is used more than once")
        if any(name.lower() in _INHERITED for one in parts for name in one.get("httpHeaders", {})):
            raise _refused("Accept, Authorization and Content-Type are inherited from the call")
        if not all(_SERVED.match(one["url"]) for one in parts):
            raise _refused("The resource is not supported in a composite request")
        before = {name: records.kept() for name, records in self.records.items()} if asked.get("allOrNone") else {}
        with self.inside():
            answers = [self._part(call, one) for one in parts]
        if before and any(answer.status >= 400 for answer in answers):
            for name, held in before.items():
                self.records[name].put_back(held)
            halted = encoded(error("PROCESSING_HALTED", "The transaction was rolled back since another operation failed."), 400)
            answers = [answer if answer.status >= 400 else halted for answer in answers]
        told: list[dict[str, Any]] = [
            {
                "body": msgspec.Raw(answer.body) if answer.body else None,
                "httpHeaders": {},
                "httpStatusCode": answer.status,
                "referenceId": name,
            }
            for name, answer in zip(named, answers, strict=True)
        ]
        return encoded({"compositeResponse": told})

    def _part(self, call: Call, one: dict[str, Any]) -> Answer:
        parts = urlsplit(one["url"])
        if found := _REFERENCE.search(f"{one['url']} {encoded(one.get('body')).body.decode()}"):
            words = f"Invalid reference specified. No value for {found[1]} found in {found[1].partition('.')[0]}"
            return encoded(error("PROCESSING_HALTED", words), 400)
        headers = {name: call.headers[name] for name in _INHERITED if name in call.headers}
        headers |= {name.lower(): str(value) for name, value in one.get("httpHeaders", {}).items()}
        body = encoded(one["body"]).body if "body" in one else b""
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return self._answer(Call(call.index, one["method"], unquote(parts.path), query, headers, body, call.fault))


def _refused(words: str) -> RefusedError:
    return RefusedError(400, error("LIMIT_EXCEEDED" if "maximum" in words or "more than" in words else "INVALID_INPUT", words))
