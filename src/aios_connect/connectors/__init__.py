"""What a connector is made of: the contract, the spec, and the ways to the outside."""

from __future__ import annotations

from aios_connect.errors import (
    AiosError,
    AmbiguousWriteError,
    AuthError,
    ConfigError,
    ConflictError,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)

from .context import Context
from .contract import (
    Change,
    Connector,
    Cursor,
    FieldInfo,
    Identity,
    Page,
    Quarantined,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Tombstone,
)
from .credentials import Credentials
from .http import Http, Timeouts
from .paging import Keyset, Progress, Watermark, instant
from .redaction import redact
from .response import Response
from .single import carried_out
from .spec import Auth, ConnectorSpec, Limit, ObjectSpec, Setting, Verb
from .webhooks import Hint, Receives, Request

__all__ = [
    "AiosError",
    "AmbiguousWriteError",
    "Auth",
    "AuthError",
    "Change",
    "ConfigError",
    "ConflictError",
    "Connector",
    "ConnectorSpec",
    "Context",
    "Credentials",
    "Cursor",
    "CursorGoneError",
    "FieldInfo",
    "Hint",
    "Http",
    "Identity",
    "Keyset",
    "Limit",
    "NotFoundError",
    "ObjectSpec",
    "Page",
    "Progress",
    "ProviderError",
    "Quarantined",
    "RateLimitedError",
    "Raw",
    "Receipt",
    "Receives",
    "RejectedError",
    "Request",
    "Response",
    "ScanPage",
    "Schema",
    "Setting",
    "Timeouts",
    "Tombstone",
    "TruncatedError",
    "UnavailableError",
    "Verb",
    "Watermark",
    "carried_out",
    "instant",
    "redact",
]
