"""WebDAV over the HTTP seam: requests in XML, answers of several statuses, and refusals that name the condition that did not hold.

A 412 does not mean that a record changed: it also refuses a second resource with one UID, and sync tokens that were forgotten. What is
meant stands in the body (RFC 4918, 16).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit
from xml.etree import ElementTree
from xml.parsers import expat

from aios_connect.connectors import Context, CursorGoneError, ProviderError, RejectedError, Response, TruncatedError

__all__ = ["CALDAV", "CARDDAV", "DAV", "TRUNCATED", "Dav", "Entry", "Multistatus", "RefusedError", "path_of", "xml"]

DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"
CARDDAV: Final = "{urn:ietf:params:xml:ns:carddav}"
_NAMESPACES: Final = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"'
_XML: Final = {"content-type": "application/xml; charset=utf-8", "accept": "application/xml, text/xml, text/calendar, text/vcard"}
TRUNCATED: Final = 507
"""Status of the collection in an answer that leaves out the rest."""
_REFUSING: Final = frozenset({403, 405, 409, 412, 415, 422, 423, 507})


class RefusedError(RejectedError):
    """The server refused a request and named the condition.

    Attributes:
        condition: The condition's name, ``no-uid-conflict``, without its namespace; empty if there is none in the answer.
    """

    condition = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource in an answer.

    Attributes:
        path: Its path, see :func:`path_of`.
        status: Status of the resource; 200 if only its properties have any.
        props: The properties that were found, by name with namespace.
        without: Statuses of the properties that were not.
    """

    path: str
    status: int
    props: Mapping[str, ElementTree.Element] = field(default_factory=dict)
    without: frozenset[int] = frozenset()

    def text(self, name: str) -> str:
        """The text of a property; an empty one if it is not there."""
        found = self.props.get(name)
        return (found.text or "").strip() if found is not None else ""

    def hrefs(self, name: str) -> list[str]:
        """The paths that a property holds."""
        found = self.props.get(name)
        return [path_of(href.text or "") for href in found.iter(f"{DAV}href")] if found is not None else []

    def names(self, name: str) -> set[str]:
        """The names of the elements within a property, at any depth."""
        found = self.props.get(name)
        return {part.tag for part in found.iter()} if found is not None else set()


@dataclass(frozen=True, slots=True)
class Multistatus:
    """An answer about several resources (RFC 4918, 13).

    Attributes:
        entries: One each.
        token: The sync token after it, if it was asked for changes (RFC 6578).
    """

    entries: Sequence[Entry]
    token: str = ""


class Dav:
    """The way to one server.

    Args:
        context: Settings and the HTTP client.
    """

    def __init__(self, context: Context) -> None:
        self._http = context.http
        parts = urlsplit(context.settings["url"])
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self.start = path_of(parts.path or "/")

    def find(self, path: str, props: str, *, depth: int = 0) -> Multistatus:
        """Properties of a resource, or of what is in a collection (``PROPFIND``).

        Args:
            path: Its path.
            props: What is asked for, as XML: ``<getetag/>``.
            depth: 0 for itself, 1 for what is in it as well.
        """
        body = f"<propfind {_NAMESPACES}><prop>{props}</prop></propfind>"
        return self._several("PROPFIND", path, body, {"depth": str(depth)}, "")

    def report(self, path: str, body: str, *, depth: int = 0, object: str = "", partly: bool = False) -> Multistatus:
        """What a collection says to a question (``REPORT``, RFC 3253, 3.6).

        Args:
            path: Of the collection.
            body: The question, as XML.
            depth: 0 for the collection, 1 for what is in it.
            object: For errors.
            partly: An answer may leave out the rest, and says so by an entry with status 507 (RFC 6578, 3.6); else it is refused.
        """
        return self._several("REPORT", path, _with_namespaces(body), {"depth": str(depth)}, object, partly=partly)

    def text(self, path: str, body: str, *, object: str = "") -> str:
        """The same, for a question that is not answered in XML."""
        return self._ask("REPORT", path, _with_namespaces(body), {"depth": "1"}, object).text

    def put(self, path: str, text: str, type: str, condition: Mapping[str, str], line: str, object: str) -> Response:
        """Write a resource."""
        headers = {"content-type": type, "accept": "*/*", **condition}
        return self._http.request(
            "PUT",
            self._origin + path,
            content=text.encode("utf-8"),
            headers=headers,
            lines=[line],
            object=object,
            safe=False,
            classify=_refused,
        )

    def delete(self, path: str, condition: Mapping[str, str], line: str, object: str) -> None:
        """Delete a resource."""
        self._http.request(
            "DELETE",
            self._origin + path,
            headers={"accept": "*/*", **condition},
            lines=[line],
            object=object,
            safe=False,
            classify=_refused,
        )

    def _several(
        self, method: str, path: str, body: str, headers: Mapping[str, str], object: str, *, partly: bool = False
    ) -> Multistatus:
        response = self._ask(method, path, body, headers, object)
        if response.status != 207:
            raise self._shapeless(response, f"status {response.status}")
        try:
            root = ElementTree.fromstring(response.content)  # noqa: S314 # no entities: see _ask
        except ElementTree.ParseError as error:
            raise self._shapeless(response, str(error)) from None
        if root.tag != f"{DAV}multistatus":
            raise self._shapeless(response, root.tag)
        token = root.findtext(f"{DAV}sync-token") or ""
        entries = [entry for element in root.iter(f"{DAV}response") for entry in _entries(element)]
        if not partly and any(entry.status == TRUNCATED for entry in entries):
            raise self._shapeless(response, f"status {TRUNCATED}: it is not all there is")
        return Multistatus(entries, token.strip())

    def _ask(self, method: str, path: str, body: str, headers: Mapping[str, str], object: str) -> Response:
        told = f'<?xml version="1.0" encoding="utf-8"?>\n{body}'.encode()
        response = self._http.request(
            method,
            self._origin + path,
            content=told,
            headers={**_XML, **headers},
            safe=True,
            object=object,
            classify=_refused,
        )
        if response.is_web_page:
            raise response.web_page()
        if _declares_a_type(response.content):
            raise self._shapeless(response, "a document type declaration")
        return response

    def _shapeless(self, response: Response, why: str) -> ProviderError:
        return TruncatedError(
            f"the server's answer is cut off or no multistatus: {why[:120]}",
            provider=response.provider,
            object=response.object,
            status=response.status,
            request_id=response.request_id,
        )


def xml(text: str) -> str:
    """Text as it stands between the elements of a question."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def path_of(href: str) -> str:
    """The path of an address, spelt in one way: servers differ in what they escape, and some give whole addresses.

    A slash that is escaped is part of a name and stays so (RFC 3986, 2.2), and so do bytes that are no UTF-8.
    """
    names = urlsplit(href.strip()).path.split("/")
    return "/".join(quote(unquote_to_bytes(name), safe="@:+,;=!$&'()*~-._") for name in names)


def _with_namespaces(body: str) -> str:
    """The question, its first element naming the namespaces."""
    end = re.search(r"[\s/>]", body)
    assert end is not None  # it is an element
    return f"{body[: end.start()]} {_NAMESPACES}{body[end.start() :]}"


def _entries(element: ElementTree.Element) -> Iterator[Entry]:
    """What a response says; of several resources that have one status at once (RFC 4918, 14.24)."""
    props: dict[str, Any] = {}
    without: set[int] = set()
    for propstat in element.iter(f"{DAV}propstat"):
        if (status := _status(propstat.findtext(f"{DAV}status"))) == 200:
            props |= {prop.tag: prop for prop in propstat.findall(f"{DAV}prop/*")}
        else:
            without.add(status)
    status = _status(element.findtext(f"{DAV}status")) or 200
    for href in element.findall(f"{DAV}href"):
        yield Entry(path_of(href.text or ""), status, props, frozenset(without))


def _status(line: str | None) -> int:
    parts = (line or "").split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0


def _refused(response: Response) -> ProviderError | None:
    """What only WebDAV says: a refusal whose body names the condition."""
    if response.status not in _REFUSING:
        return None
    condition = next(_conditions(response.content), "")
    if condition == "valid-sync-token":
        return CursorGoneError("the server forgot the sync token", provider=response.provider, status=response.status)
    if response.status == 403 and condition in ("", "need-privileges"):
        return None  # not permitted, which the status says
    error = RefusedError(
        f"the server refused it ({response.status}{', ' + condition if condition else ''})",
        provider=response.provider,
        status=response.status,
        request_id=response.request_id,
    )
    error.condition = condition
    return error


class _BegunError(Exception):
    """The document begins: what stands before its first element was read."""


def _declares_a_type(content: bytes) -> bool:
    """A document type is declared, and entities perhaps, before the first element: in whatever encoding, behind whatever comment."""
    found = False

    def declared(*_: Any) -> None:
        nonlocal found
        found = True
        raise _BegunError

    def begun(*_: Any) -> None:
        raise _BegunError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = declared, begun
    with suppress(_BegunError, expat.ExpatError, ValueError):
        parser.Parse(content, True)
    return found


def _conditions(content: bytes) -> Iterator[str]:
    if _declares_a_type(content):
        return
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 # no entities: see above
    except ElementTree.ParseError:
        return
    for error in [root] if root.tag == f"{DAV}error" else root.iter(f"{DAV}error"):
        for condition in error:
            yield condition.tag.rpartition("}")[2]
