"""A few lines of JSON-RPC to play somebody else who works in Tryton. Shares nothing with the connector, on purpose."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.error
import urllib.request
from typing import Any

__all__ = ["Rpc", "RpcError", "number"]

_GZIP = b"\x1f\x8b"


class RpcError(Exception):
    """Tryton said no.

    Attributes:
        kind: Tryton's own word for it, ``UserError``, or the HTTP status.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Rpc:
    """Somebody's session in a Tryton database. Signs in when it is first used.

    Args:
        url: Address of the server.
        database: Name of the database.
        user: Login name.
        password: Password.
        context: Goes along with every call: ``company``, ``employee``.

    Example:
        rpc("model.party.party.write", [4], {"name": "ACME"})
    """

    def __init__(self, url: str, database: str, user: str, password: str, **context: Any) -> None:
        self._url = f"{url}/{database}/rpc/"
        self._user = user
        self._password = password
        self._session = ""
        self.context = context

    def __call__(self, method: str, *params: Any, **context: Any) -> Any:
        """Call a method; the last parameters become its context.

        Raises:
            RpcError: Tryton refused.
        """
        if not self._session:
            id, token, _ = self._post("common.db.login", [self._user, {"password": self._password}])
            self._session = base64.b64encode(f"{self._user}:{id}:{token}".encode()).decode()
        return self._post(method, [*params, {**self.context, **context}])

    def _post(self, method: str, params: list[Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = f"Session {self._session}"
        body = json.dumps({"id": 0, "method": method, "params": params}).encode()
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310 # loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                content = response.read()
            if content.startswith(_GZIP):  # the header alone cannot be trusted: Tryton sets it on plain answers, too
                content = gzip.decompress(content)
        except urllib.error.HTTPError as error:
            raise RpcError(str(error.code), error.reason) from None
        answer = json.loads(content)
        if "error" in answer:
            kind, *rest = answer["error"]
            raise RpcError(str(kind), str(rest[0][0] if rest and isinstance(rest[0], list) else rest))
        return answer["result"]


def number(text: str) -> dict[str, str]:
    """A decimal as Tryton's JSON has it."""
    return {"__class__": "Decimal", "decimal": text}
