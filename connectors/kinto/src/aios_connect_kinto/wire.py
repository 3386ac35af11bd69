"""Kinto's addresses, lists and batches, over the HTTP seam."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aios_connect.connectors import AuthError, Context, NotFoundError, Raw, Response, TruncatedError, redact

__all__ = ["ID", "Listed", "Wire", "quoted", "words"]

ID: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]*")
"""What an id in Kinto may be (https://kinto.readthedocs.io/en/latest/api/1.x/records.html)."""


class Listed:
    """One answer to a list.

    Attributes:
        items: Records and tombstones, in the order asked for.
        newest: The collection's own revision: the instant of its last change, in milliseconds.
        more: Kinto says that it has more.
    """

    __slots__ = ("items", "more", "newest")

    def __init__(self, response: Response, object: str) -> None:
        body = response.json()
        items = body.get("data") if isinstance(body, dict) else None
        revision = (
            response.headers.get("etag", "").removeprefix("W/").strip('"')
        )  # a proxy that packs answers makes it a weak one
        if not isinstance(items, list) or not revision.isdecimal():
            raise TruncatedError(
                f"a list of {object} came without its records or its revision", provider="kinto", object=object, status=200
            )
        self.items: list[Raw] = items
        self.newest = int(revision)
        self.more = "next-page" in response.headers


class Wire:
    """The way to one bucket.

    Args:
        context: Settings and the HTTP client.
    """

    def __init__(self, context: Context) -> None:
        self._http = context.http
        self.bucket = context.settings["bucket"]
        versioned = urlsplit(context.settings["url"]).path.rstrip("/").endswith("/v1")
        self._root = "" if versioned else "v1/"

    def hello(self) -> dict[str, Any]:
        """What the server says of itself and of us."""
        return _body(self._http.request("GET", self._root or "/"))

    def place(self, object: str, id: str = "") -> str:
        """The address of a collection's records, or of one of them, as batches name it."""
        records = f"{self.collection(object)}/records"
        return f"{records}/{quote(id, safe='')}" if id else records

    def collection(self, object: str = "") -> str:
        """The address of a collection, or of the bucket."""
        bucket = f"/buckets/{quote(self.bucket, safe='')}"
        return f"{bucket}/collections/{object}" if object else bucket

    def look(self, object: str) -> dict[str, Any] | None:
        """A collection's own data; ``None`` if it is not there, or not for us: of a bucket that is not there Kinto says the latter."""
        try:
            answer = self._http.request("GET", self._root + self.collection(object)[1:], object=object)
        except NotFoundError:
            return None
        except AuthError as error:
            if error.status != 403:
                raise
            return None
        data: dict[str, Any] = _body(answer)["data"]
        return data

    def permissions(self) -> list[dict[str, Any]]:
        """What we may do to the bucket and its collections."""
        params = {"bucket_id": self.bucket, "in_resource_name": "bucket,collection"}
        told: list[dict[str, Any]] = _body(self._http.request("GET", f"{self._root}permissions", params=params))["data"]
        return told

    def page(self, object: str, **params: str) -> Listed:
        """One page of a collection's records.

        Raises:
            NotFoundError: The collection is not there.
            TruncatedError: The answer has not the shape of a list.
        """
        try:
            answer = self._http.request("GET", self._root + self.place(object)[1:], params=params, object=object)
        except NotFoundError as error:
            raise self._without_place(error, object) from None
        return Listed(answer, object)

    def make(self, address: str, data: Mapping[str, Any]) -> None:
        """Make a bucket or a collection.

        Raises:
            ConflictError: It is there already.
        """
        self._http.request(
            "PUT", self._root + address[1:], json={"data": data}, headers={"if-none-match": "*"}, safe=True
        )  # made twice, the second is refused

    def batch(self, object: str, requests: Sequence[Mapping[str, Any]], lines: Sequence[str]) -> list[dict[str, Any]]:
        """Several writes in one call (https://kinto.readthedocs.io/en/latest/api/1.x/batch.html).

        Returns:
            Status, body and headers of each, in order.

        Raises:
            TruncatedError: There is not one answer for each.
        """
        body = {"requests": list(requests)}
        answer = _body(self._http.request("POST", f"{self._root}batch", json=body, object=object, lines=lines, safe=False))
        told = answer.get("responses")
        if not isinstance(told, list) or len(told) != len(requests):
            raise TruncatedError("a batch came back without an answer for each of its requests", provider="kinto", object=object)
        return told

    def _without_place(self, error: NotFoundError, object: str) -> NotFoundError:
        return NotFoundError(
            f"Kinto has no collection {object!r} in the bucket {self.bucket!r}",
            hint="aios connect makes it; or name another bucket in the settings of the connection",
            provider="kinto",
            object=object,
            status=error.status,
        )


def quoted(values: Sequence[str]) -> str:
    """Texts for a filter: Kinto reads ``123`` as a number and ``"123"`` as text."""
    return ",".join(f'"{value}"' for value in values)


def words(body: Any) -> str:
    """What Kinto says is wrong, for a person."""
    if not isinstance(body, dict):
        return "Kinto does not say why"
    details = body.get("details")
    told = [str(part["description"]) for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    return redact("; ".join(told) or str(body.get("message") or body.get("error") or "Kinto does not say why"))


def _body(response: Response) -> dict[str, Any]:
    body = response.json()
    if not isinstance(body, dict):
        raise TruncatedError("an answer is not an object", provider="kinto", status=response.status)
    return body
