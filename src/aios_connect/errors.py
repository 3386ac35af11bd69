"""Every error aios-connect raises, grouped by what the caller does next.

    AiosError
    ├── ConfigError            fix a file or a setting (path, line, column)
    │   └── MappingError       fix a mapping file, or the record it does not fit
    ├── SyncError              a run stopped; says what was already done
    │   ├── PlanStaleError     make a new plan
    │   └── BusyError          somebody else holds the job or the token; try later
    └── ProviderError          the other side said no (provider, object, status, request_id)
        ├── AuthError          connect again, or grant the missing scope
        ├── NotFoundError      the record is not there
        ├── ConflictError      the record changed since it was read
        ├── RejectedError      the vendor refused the values; fix them
        ├── RateLimitedError   wait `retry_after` seconds
        ├── UnavailableError   try later
        ├── TruncatedError     the stream ended without its end marker; read again
        ├── AmbiguousWriteError  sent, outcome unknown; look it up, never resend
        └── CursorGoneError    the vendor forgot our cursor; read everything again

No message, attribute or hint ever carries a secret: texts from a vendor pass through
:func:`aios_connect.connectors.redaction.redact` before they get here.
"""

from __future__ import annotations

__all__ = [
    "AiosError",
    "AmbiguousWriteError",
    "AuthError",
    "BusyError",
    "ConfigError",
    "ConflictError",
    "CursorGoneError",
    "MappingError",
    "NotFoundError",
    "PlanStaleError",
    "ProviderError",
    "RateLimitedError",
    "RejectedError",
    "SyncError",
    "TruncatedError",
    "UnavailableError",
]


class AiosError(Exception):
    """Root of every error of this package.

    Args:
        message: One sentence that says what happened.
        hint: One sentence that says what to do next, shown as ``hint: ...``.

    Attributes:
        message: The sentence without the hint.
        hint: The way out, or an empty string.
        way_out: The hint of this kind of error, where nothing better is known.
    """

    exit_code = 1
    way_out = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.way_out


class ConfigError(AiosError):
    """The project, a YAML file or a setting is wrong.

    Attributes:
        file: The file as the user named it, or an empty string.
        line: 1-based line, or 0 when the error is not about a place.
        column: 1-based column, or 0.
        excerpt: The offending source line, without its line break.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str = "",
        line: int = 0,
        column: int = 0,
        excerpt: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line
        self.column = column
        self.excerpt = excerpt

    def __str__(self) -> str:
        if not self.file:
            return self.message
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {self.message}"
        if self.excerpt:
            text += f"\n    {self.excerpt}\n    {' ' * max(self.column - 1, 0)}^"
        return text


class MappingError(ConfigError):
    """A mapping file is wrong, breaks a law, or does not fit the vendor's schema."""


class SyncError(AiosError):
    """A run stopped.

    Attributes:
        run: The run's id, to be given to ``aios runs``, ``aios apply --resume`` or ``aios undo``.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", run: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run = run


class PlanStaleError(SyncError):
    """The plan no longer fits the store, the job or its own digest."""


class BusyError(SyncError):
    """Another process holds what this one needs."""

    exit_code = 5


class ProviderError(AiosError):
    """The other side said no.

    Attributes:
        provider: Slug of the provider, such as ``"tryton"``.
        object: The vendor's object, such as ``"opportunities"``, or an empty string.
        status: HTTP status, or 0 when there was none.
        request_id: The vendor's own id of the request, for its support.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        provider: str = "",
        object: str = "",
        status: int = 0,
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.object = object
        self.status = status
        self.request_id = request_id


class AuthError(ProviderError):
    """Credentials are missing, wrong, revoked or not permitted to do this."""

    way_out = "aios connect NAME gives the connection other credentials; aios check says what they may do"


class NotFoundError(ProviderError):
    """The record or object is not there."""


class ConflictError(ProviderError):
    """The record changed since it was read, or already exists."""


class RejectedError(ProviderError):
    """The vendor refused the values."""


class RateLimitedError(ProviderError):
    """Too many requests.

    Attributes:
        retry_after: Seconds to wait, as far as the vendor said; else ``None``.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        provider: str = "",
        object: str = "",
        status: int = 0,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            message,
            hint=hint,
            provider=provider,
            object=object,
            status=status,
            request_id=request_id,
        )
        self.retry_after = retry_after


class UnavailableError(ProviderError):
    """The other side did not answer, or answered that it cannot now."""


class TruncatedError(ProviderError):
    """A stream ended without its positive end marker, or a page did not have its shape."""


class AmbiguousWriteError(ProviderError):
    """A write was sent and its outcome is unknown. Look it up; never send it again blindly."""


class CursorGoneError(ProviderError):
    """The vendor no longer knows the cursor; the next read starts from the beginning."""
