"""How Google refuses: the form of Calendar and Gmail, and the form of APIs that came later; a real answer has both.

Evidence: https://developers.google.com/workspace/calendar/api/guides/errors and https://google.aip.dev/193.
"""

from __future__ import annotations

from typing import Any

from aios_connect.sandbox import RefusedError

__all__ = ["invalid", "refusal"]

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def refusal(
    status: int, reason: str, message: str, *, domain: str = "global", rpc: str = "", info: str = "", **more: str
) -> RefusedError:
    """An error of Google's.

    Args:
        status: HTTP status.
        reason: Google's word for it.
        message: For people.
        domain: Which part of Google says so.
        rpc: The status in words, if not the usual one.
        info: Reason of an ``ErrorInfo``, where there is one.
        **more: ``location`` and ``locationType``.
    """
    said: dict[str, Any] = {"domain": domain, "reason": reason, "message": message, **more}
    error: dict[str, Any] = {"code": status, "message": message, "errors": [said]}
    if rpc or info:
        error["status"] = rpc or _STATUS.get(status, "UNKNOWN")
    if info:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": info, "domain": "googleapis.com"}]
    return RefusedError(status, {"error": error})


def invalid(message: str, location: str = "") -> RefusedError:
    """A value that does not fit."""
    more = {"locationType": "parameter", "location": location} if location else {}
    return refusal(400, "invalid", message, rpc="INVALID_ARGUMENT", **more)
