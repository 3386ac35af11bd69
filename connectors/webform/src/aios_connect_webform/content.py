"""What the body of a request says: a form's fields, its files, or a JSON object.

Three content types are read: ``application/x-www-form-urlencoded`` (https://url.spec.whatwg.org/#application/x-www-form-urlencoded),
``multipart/form-data`` (RFC 7578) and JSON (RFC 8259). A name that stands several times has the list of its values.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from aios_connect.connectors import RejectedError
from aios_connect.connectors.response import decode_json

__all__ = ["Content", "Upload", "read_content"]

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
_MOST: Final = 1000
"""Fields of one form; more are no form that a person filled in."""
_DEEPEST: Final = 50
"""Levels of JSON; whoever reads what was kept has to go down all of them again."""
_CHARSETS: Final = frozenset(
    {
        *("utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "koi8-u", "mac-roman", "cp866", "tis-620"),
        *("gbk", "gb18030", "big5", "big5hkscs", "shift_jis", "cp932", "euc_jp", "iso2022_jp", "euc_kr", "cp949"),
        *(f"iso8859-{part}" for part in range(1, 17)),
        *(f"cp{page}" for page in (874, *range(1250, 1259))),
    }
)
"""Python's names of what browsers write (https://encoding.spec.whatwg.org/#names-and-labels); Python knows more, and not all is text."""

_HARMFUL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_PARAMETER: Final = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came along with a form. Its bytes stay in the body as received.

    Attributes:
        field: The name of the field.
        name: What the sender calls the file, without folders.
        type: What the sender says it is.
        size: In bytes.
        digest: SHA-256 of the bytes, hex.
    """

    field: str
    name: str
    type: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Content:
    """A body, understood.

    Attributes:
        fields: Name -> text, or list of texts; of a JSON body, the object as it is.
        pairs: A form's names and values as sent, in order; none of a JSON body.
        files: The files that came along.
    """

    fields: Mapping[str, Any]
    pairs: Sequence[tuple[str, str]] = ()
    files: Sequence[Upload] = ()

    def text(self, name: str) -> str:
        """A field as one text; empty if it is not there or is no text."""
        value = self.fields.get(name)
        if isinstance(value, list):
            value = next(iter(value), "")
        return value.strip() if isinstance(value, str) else ""

    def digest(self, without: Collection[str] = ()) -> str:
        """The same for the same content, however it was wrapped: the boundary of a multipart body is another each time.

        Args:
            without: Fields that are not content, such as a trap.
        """
        said = {name: value for name, value in self.fields.items() if name not in without}
        files = [(file.field, file.name, file.digest) for file in self.files]
        whole = json.dumps([said, files], sort_keys=True, default=str, ensure_ascii=True)
        return hashlib.sha256(whole.encode()).hexdigest()


def read_content(body: bytes, content_type: str) -> Content:
    """Read a body as what its content type says it is.

    Args:
        body: The raw bytes.
        content_type: The header.

    Raises:
        RejectedError: It is of another type (status 415), or is not what it says (400). The message names the place.
    """
    kind = content_type.partition(";")[0].strip().lower()
    parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(content_type)}
    if kind == URLENCODED:
        return _form(list(_urlencoded(body, _charset(parameters))), ())
    if kind == MULTIPART:
        return _form(*_multipart(body, parameters.get("boundary", ""), _charset(parameters)))
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return Content(_object(body))
    raise RejectedError(
        f"a body of type {kind[:80] or 'nothing'!r} is not taken here",
        hint=f"send {URLENCODED}, {MULTIPART} or application/json",
        status=415,
    )


def clean(value: Any, depth: int = 0) -> Any:
    """A value that every database can keep: line feeds only, no control characters, no half characters.

    Raises:
        RejectedError: It is nested too deep.
    """
    if depth > _DEEPEST:
        raise _wrong(f"the body is nested deeper than {_DEEPEST} levels", "send what people say, and no tree")
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")
        return _HARMFUL.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", text)
    if isinstance(value, list):
        return [clean(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean(name): clean(item, depth + 1) for name, item in value.items()}
    return value


def _form(pairs: Sequence[tuple[str, str]], files: Sequence[Upload]) -> Content:
    if len(pairs) > _MOST:
        raise _wrong(f"the form has {len(pairs):,} fields", f"send at most {_MOST:,}")
    fields: dict[str, Any] = {}
    for name, value in pairs:
        name, value = clean(name), clean(value)
        before = fields.get(name)
        fields[name] = value if before is None else [*before, value] if isinstance(before, list) else [before, value]
    return Content(fields, tuple(pairs), tuple(files))


def _urlencoded(body: bytes, charset: str) -> Iterator[tuple[str, str]]:
    for number, part in enumerate(body.split(b"&"), 1):
        if not part:
            continue
        name, _, value = (unquote_to_bytes(half.replace(b"+", b" ")) for half in part.partition(b"="))
        yield _text(name, charset, f"the name of field {number}"), _text(value, charset, f"field {number} ({_shown(name)})")


def _multipart(body: bytes, boundary: str, charset: str) -> tuple[list[tuple[str, str]], list[Upload]]:
    """RFC 7578; names are UTF-8, with a double quote as ``%22`` (https://html.spec.whatwg.org/#multipart-form-data)."""
    if not boundary or len(boundary) > 70:
        raise _wrong("the content type names no boundary", "let the browser or the library write the Content-Type header itself")
    mark = b"\r\n--" + boundary.encode("latin-1", "replace")
    _before, *parts = (b"\r\n" + body).split(mark)
    if not parts or not parts[-1].startswith(b"--") or any(not part.startswith((b"\r\n", b" ", b"\t")) for part in parts[:-1]):
        raise _wrong("the form ends before its last boundary", "send it again, whole")
    pairs: list[tuple[str, str]] = []
    files: list[Upload] = []
    for number, part in enumerate(parts[:-1], 1):
        head, found, data = part.partition(b"\r\n\r\n")
        headers = dict(_headers(head))
        said = {
            name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(headers.get("content-disposition", ""))
        }
        if not found or "name" not in said:
            raise _wrong(f"part {number} of the form has no name", 'give it: Content-Disposition: form-data; name="..."')
        name = _plain(said["name"])
        if "filename" not in said:
            pairs.append((name, _text(data, charset, f"part {number} ({name[:40]})")))
        elif data or said["filename"]:  # a file field that was left empty comes as a file without name and bytes
            file = re.split(r"[/\\]", _plain(said["filename"]))[-1]
            digest = hashlib.sha256(data).hexdigest()
            files.append(Upload(clean(name), clean(file), headers.get("content-type", ""), len(data), digest))
    return pairs, files


def _headers(head: bytes) -> Iterator[tuple[str, str]]:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        yield name.strip().lower().decode("latin-1"), value.strip().decode("utf-8", "replace")


def _plain(quoted: str) -> str:
    return quoted.replace("%22", '"').replace("%0D%0A", " ").replace('\\"', '"')


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = decode_json(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        try:  # half a surrogate pair is allowed by RFC 8259, 8.2, and becomes U+FFFD
            value = json.loads(body, parse_float=Decimal, parse_constant=_not_json)
        except (ValueError, RecursionError) as error:
            place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "somewhere"
            raise _wrong(f"the body is not JSON: look at {place}", "send one JSON object in UTF-8") from None
    if not isinstance(value, dict):
        raise _wrong("the body is JSON, and no object", 'send one object: {"name": "...", "email": "..."}')
    whole: dict[str, Any] = clean(value)
    return whole


def _not_json(word: str) -> None:
    raise ValueError(word)


def _charset(parameters: Mapping[str, str]) -> str:
    name = parameters.get("charset") or "utf-8"
    try:
        if (known := codecs.lookup(name).name) in _CHARSETS:
            return known
    except (LookupError, ValueError):
        pass
    raise _wrong(f"the character set {name[:40]!r} is not known", "send UTF-8")


def _text(data: bytes, charset: str, place: str) -> str:
    try:
        return data.decode(charset)
    except UnicodeError:
        raise _wrong(f"{place} has characters that are not {charset}", 'send UTF-8: <meta charset="utf-8"> in the page') from None


def _shown(name: bytes) -> str:
    return clean(name[:40].decode("utf-8", "replace"))  # type: ignore[no-any-return]


def _wrong(message: str, hint: str) -> RejectedError:
    return RejectedError(message, hint=hint, status=400)
