"""What may stand in a cassette: headers by an allow-list, bodies and addresses without secrets, JSON laid out in lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from aios_connect.connectors.redaction import MASK, is_secret_name, redact
from aios_connect.connectors.response import decode_json

__all__ = ["scrub_body", "scrub_headers", "scrub_uri", "scrub_value"]

_HEADERS: Final = re.compile(
    r"accept|aios-plan-line|content-type|date|etag|if-match|if-none-match|last-modified|link|location|next-page|retry-after"
    r"|(x-)?ratelimit-[a-z-]+|(x-)?request-id|x-correlation-id"
)


def scrub_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter and hold no secret, by lower-cased name, in alphabetical order."""
    kept = {name.lower(): redact(value) for name, value in headers.items() if _HEADERS.fullmatch(name.lower())}
    return dict(sorted(kept.items()))


def scrub_uri(uri: str) -> str:
    """An address without user, password and secrets in its query."""
    return redact(re.sub(r"://[^/@]*@", "://", uri)).replace(MASK, quote(MASK))


def scrub_body(body: bytes, content_type: str = "") -> bytes:
    """A body without secrets. JSON comes out in lines, its numbers digit by digit as they were."""
    if not body:
        return body
    if "x-www-form-urlencoded" in content_type:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return urlencode([(name, _masked(name, value)) for name, value in pairs]).encode()
    try:
        value = decode_json(body)
    except (ValueError, RecursionError):
        try:
            return redact(body.decode("utf-8")).encode("utf-8")
        except UnicodeDecodeError:
            return redact(body.decode("latin-1")).encode("latin-1")  # every byte is a character there and back
    import msgspec

    encoded = msgspec.json.Encoder(decimal_format="number").encode(scrub_value(value))
    return msgspec.json.format(encoded, indent=1)


def scrub_value(value: Any, name: str = "") -> Any:
    """A JSON value without secrets.

    Args:
        value: Decoded JSON.
        name: The key it stands under.
    """
    if isinstance(value, dict):
        # Everywhere but in an exchange for a token a code is a country's, a currency's, an error's.
        open_code = "grant_type" not in value
        return {key: scrub_value(item, "" if key == "code" and open_code else key) for key, item in value.items()}
    if isinstance(value, list):
        return [scrub_value(item, name) for item in value]
    return _masked(name, value) if isinstance(value, str) else value


def _masked(name: str, value: str) -> str:
    return MASK if value and is_secret_name(name) else redact(value)
