"""BottleCRM's addresses and answers, over the HTTP seam."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aios_connect.connectors import (
    AuthError,
    Context,
    NotFoundError,
    ProviderError,
    Raw,
    RejectedError,
    Response,
    TruncatedError,
    redact,
)

from .objects import OBJECTS, Half, Kind

__all__ = ["ID", "Wire", "meaning"]

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""An id that no record has."""
_STRANGER: Final = "organization context is required"


class Wire:
    """The way to one organization.

    Args:
        context: The HTTP client.
    """

    def __init__(self, context: Context) -> None:
        self._http = context.http

    def get(self, path: str, object: str = "", **params: str) -> dict[str, Any]:
        """Ask for something below ``/api/``.

        Raises:
            TruncatedError: The answer is no JSON object.
        """
        return _body(self._http.request("GET", f"api/{path}", params=params, object=object, classify=meaning))

    def send(self, method: str, path: str, values: Raw | None = None, *, object: str = "", line: str = "") -> dict[str, Any]:
        """Change something below ``/api/``. It is sent once.

        Raises:
            AmbiguousWriteError: Nobody knows whether it was done.
            TruncatedError: The same, as the answer says nothing.
        """
        return _body(
            self._http.request(
                method,
                f"api/{path}",
                json=values,
                object=object,
                lines=[line] if line else (),
                safe=False,
                classify=meaning,
            )
        )

    def one(self, object: str, id: str) -> Raw | None:
        """One record; ``None`` if there is none with this id, or none for us."""
        if not ID.fullmatch(id):
            return None
        kind = OBJECTS[object]
        try:
            body = self.get(f"{kind.path}/{id}/", object)
        except NotFoundError:
            return None
        told = body.get(kind.one)
        if not isinstance(told, dict) or told.get("id") != id:
            raise TruncatedError(f"the answer about one of {object} came without it", provider="bottlecrm", object=object)
        return kind.raw(told)

    def listed(self, object: str, half: Half, offset: int, limit: int, **params: str) -> tuple[list[Raw], int]:
        """Rows of a list as they come, and how many the list has in all.

        Raises:
            TruncatedError: The answer has not the shape of a list.
        """
        kind = OBJECTS[object]
        told = self.get(f"{kind.path}/", object, limit=str(limit), offset=str(offset), **half.filter, **params)
        rows, count = _at(told, half.rows), _at(told, half.count)
        if not isinstance(rows, list) or type(count) is not int or not all(_is_row(row, kind) for row in rows):
            raise TruncatedError(
                f"a list of {object} came without its records or their number", provider="bottlecrm", object=object
            )
        return rows, count

    def may(self, method: str, object: str) -> str:
        """What forbids reading (``GET``) or writing (``PATCH``) an object; empty if nothing does.

        It is asked about a record that nobody has: a token's scopes are looked at before the record is.
        """
        kind = OBJECTS[object]
        try:
            self._http.request(
                method,
                f"api/{kind.path}/{NOBODY}/",
                json=None if method == "GET" else {},
                object=object,
                classify=meaning,
                safe=True,
            )
        except AuthError as error:
            if error.status != 403:
                raise
            return error.message
        except (NotFoundError, RejectedError):
            pass
        return ""


def meaning(response: Response) -> ProviderError | None:
    """What only BottleCRM says: that it does not know a token (with 403), what it refuses, and that it failed (with 200)."""
    facts: dict[str, Any] = {
        "provider": response.provider,
        "object": response.object,
        "status": response.status,
        "request_id": response.request_id,
    }
    if response.status == 404 and response.is_web_page:
        return response.web_page()  # BottleCRM itself says in JSON that a record is gone
    if response.status not in (200, 400, 403):
        return None
    body = response.json_or_none()
    if not isinstance(body, dict):
        return None
    if response.status == 403:
        if _STRANGER not in str(body.get("detail", "")).lower():
            return None
        return AuthError(
            "BottleCRM does not know this token, or it was revoked or has expired",
            hint="make a new one in BottleCRM (Settings > API tokens) and connect again",
            **{**facts, "status": 401},
        )
    if response.status == 400 or body.get("error") is True:
        told = body.get("errors", body.get("detail", body))
        return RejectedError(f"BottleCRM refused it: {'; '.join(_words(told))[:300]}", **facts)
    return None


def _words(told: Any, field: str = "") -> Iterator[str]:
    if isinstance(told, Mapping):
        for name, value in told.items():
            yield from _words(value, f"{field}.{name}" if field else str(name))
    elif isinstance(told, list):
        for value in told:
            yield from _words(value, field)
    else:
        yield redact(f"{field}: {told}" if field else str(told))


def _body(response: Response) -> dict[str, Any]:
    body = response.json()
    if not isinstance(body, dict):
        raise TruncatedError("the answer is no JSON object", provider="bottlecrm", object=response.object, status=response.status)
    return body


def _at(told: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    return told


def _is_row(row: Any, kind: Kind) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get(kind.order), str)
