"""What is written to a fake Salesforce, held against its describes, which are held against those of a live organisation."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from aios_connect_salesforce.sandbox import SalesforceVendor

from aios_connect.sandbox import Call

__all__ = ["Judge"]

_PLACE = re.compile(r"/sobjects(?:/(?P<object>\w+))?(?:/(?P<id>[^/]+)(?P<keyed>/[^/]+)?)?/?$")


class Judge:
    """Looks at every request before the fake does: a new record has only fields that may be given to one, a change only those that change.

    Args:
        vendor: The fake.

    Attributes:
        judged: Records that were judged, by method.
    """

    def __init__(self, vendor: SalesforceVendor) -> None:
        self.judged: Counter[str] = Counter()
        self._vendor = vendor
        vendor.before = self._look

    def _look(self, call: Call) -> None:
        if call.path.endswith("/composite"):
            for part in call.json()["compositeRequest"]:
                self._judge(part["method"], part["url"], part.get("body"))
        elif call.method in ("POST", "PATCH") and "/tooling/" not in call.path and "/sobjects" in call.path:
            self._judge(call.method, call.path, json.loads(call.body))

    def _judge(self, method: str, url: str, body: Any) -> None:
        place = _PLACE.search(url.partition("?")[0])
        if method not in ("POST", "PATCH") or place is None or "/tooling/" in url:
            return
        together = "/composite/" in url and place["object"]
        if together and method == "POST":  # many are asked for by their ids
            return
        for record in body.get("records", [body]):
            object = record.get("attributes", {}).get("type") or place["object"]
            fields = self._vendor.tables[object].fields
            both = ("/composite/" in url and place["object"]) or place["keyed"]  # an upsert makes or changes
            right = "creatable" if method == "POST" or both else "updatable"
            wrong = [name for name in record if name not in ("attributes", "Id", "id") and not getattr(fields[name], right)]
            assert not wrong, f"{method} {url}: {object} has {wrong}, which the describe calls not {right}"
            self.judged[method] += 1
