"""Keeping secrets out of every text a person or a log may see.

Two nets: patterns that look like secrets, and the very secrets in use, which are made known when they are read
(:func:`remember`) and are then found in whatever form a vendor echoes them.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "RedactingFilter", "guard_loggers", "is_secret_name", "redact", "remember"]

MASK = "[secret]"
"""What stands where a secret stood."""

_SHORTEST = 6  # shorter ones would mask words of every sentence
_KEPT = 4096  # access tokens of a long-lived process come and go; the newest matter

_NAMED = (
    r"access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token|api[_-]?token|session[_-]?token|token|api[_-]?key|apikey|hapikey"
    r"|client[_-]?secret|secret|password|passwd|pwd|(?:new)?signature|code[_-]?verifier|x-api-key"
)
_NAME = re.compile(rf"{_NAMED}|code|authorization|assertion", re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(authorization[\"']?\s*[:=]\s*[\"']?)(?:(\w+) +)?[^\s\"',;]+", re.IGNORECASE), rf"\1\2 {MASK}"),
    (
        re.compile(r"\b(bearer|basic|session|zoho-oauthtoken)( +)(?=[\w+/.~=-]*[\d=._-])[\w+/.~=-]{8,}", re.IGNORECASE),
        rf"\1\2{MASK}",
    ),
    (re.compile(rf"([?&;](?:{_NAMED}|code|key|sig|auth)=)[^&;#\s\"'<>]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"((?<![a-z0-9])(?:{_NAMED})\\?[\"']?\s*[:=]\s*\\?[\"'])(?:\\.|[^\"'\\])+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"((?<![a-z0-9])(?:{_NAMED})=)[^&;\s\"'<>]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"), rf"\1{MASK}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),
)


class _Remembered:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: OrderedDict[str, None] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secrets: Iterable[str]) -> None:
        with self._lock:
            before = len(self._secrets)
            for secret in secrets:
                self._secrets[secret] = None
            while len(self._secrets) > _KEPT:
                self._secrets.popitem(last=False)
            if len(self._secrets) != before or before == _KEPT:
                self._pattern = None

    def mask(self, text: str) -> str:
        with self._lock:
            if self._pattern is None and self._secrets:
                longest_first = sorted(self._secrets, key=len, reverse=True)
                self._pattern = re.compile("|".join(re.escape(secret) for secret in longest_first))
            pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text


_remembered = _Remembered()


def remember(*secrets: str) -> None:
    """Make secrets known, so that :func:`redact` finds them wherever and however they are echoed.

    Args:
        *secrets: Passwords, keys, tokens. Those under six characters are passed over.
    """
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            raw = secret.encode("utf-8", "surrogatepass")
            forms |= {secret, quote(secret, safe=""), quote_plus(secret, safe=""), json.dumps(secret)[1:-1]}
            forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    _remembered.add(forms)


def is_secret_name(name: str) -> bool:
    """True if a field of this name holds a secret: ``client_secret``, ``refreshToken``, ``api-key``."""
    return _NAME.fullmatch(name) is not None


def redact(text: str) -> str:
    """A text with every secret masked: those made known, and what looks like one.

    Args:
        text: Anything a vendor said, a URL, a log line.

    Returns:
        The same text with ``[secret]`` where secrets stood.
    """
    text = _remembered.mask(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactingFilter(logging.Filter):
    """Masks secrets in log records before any handler sees them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            return True  # a malformed record: logging itself reports it
        record.msg, record.args = redact(message), None
        return True


def guard_loggers() -> None:
    """Mask secrets in what the HTTP client logs of itself: it writes whole URLs and headers."""
    for name in (
        "httpx2",
        "httpcore2.connection",
        "httpcore2.http11",
        "httpcore2.proxy",
        "aios_connect.http",
        "aios_connect.auth",
    ):
        logger = logging.getLogger(name)
        if not any(isinstance(filter, RedactingFilter) for filter in logger.filters):
            logger.addFilter(RedactingFilter())
