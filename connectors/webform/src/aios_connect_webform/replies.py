"""What a sender is told: a page for a person, JSON for a program, nothing for Twilio."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence

from aios_connect.connectors import AiosError, AuthError, ConflictError, Hint, ProviderError, Request, UnavailableError
from aios_connect.connectors.webhooks import Reply

from .door import Door

__all__ = ["preflight", "refused", "taken"]

_STATUSES = ((AuthError, 401), (ConflictError, 409), (UnavailableError, 503))
_PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def taken(request: Request, door: Door, id: str, hints: Sequence[Hint]) -> Reply:
    """It is kept. What was caught is answered the same, so that a machine learns nothing."""
    headers = {**_PLAIN, **_cors(request, door)}
    if door.source == "twilio":  # a body would be taken for instructions to the call
        return Reply(204, headers, b"", hints)
    if _is_browser(request):
        if door.thanks:
            return Reply(303, {**headers, "location": door.thanks}, b"", hints)
        return Reply(200, {**headers, **_HTML}, _page("Thank you", "We have received it.", ""), hints)
    return Reply(200, {**headers, "content-type": "application/json"}, json.dumps({"id": id}).encode(), hints)


def refused(request: Request, door: Door, error: AiosError) -> Reply:
    """It is not kept; what is wrong, and the way out."""
    status = (error.status if isinstance(error, ProviderError) else 0) or _status(error)
    headers = {**_PLAIN, **_cors(request, door)}
    if status == 401:
        headers["www-authenticate"] = "Bearer"  # RFC 9110, 11.6.1
    elif status == 405:
        headers["allow"] = "POST, OPTIONS"  # RFC 9110, 15.5.6
    elif status == 503:
        headers["retry-after"] = "60"
    if _is_browser(request):
        return Reply(status, {**headers, **_HTML}, _page("This was not received", error.message, error.hint))
    body = json.dumps({"error": error.message, "hint": error.hint}, ensure_ascii=False).encode()
    return Reply(status, {**headers, "content-type": "application/json"}, body)


def preflight(request: Request, door: Door) -> Reply:
    """May a page of this origin post here? (https://fetch.spec.whatwg.org/#http-cors-protocol)"""
    allowed = _cors(request, door)
    if not allowed:
        return Reply(403, _PLAIN)
    more = {"access-control-allow-methods": "POST", "access-control-allow-headers": "content-type, idempotency-key"}
    return Reply(204, {**_PLAIN, **allowed, **more, "access-control-max-age": "600"})


def _cors(request: Request, door: Door) -> Mapping[str, str]:
    origin = request.headers.get("origin", "")
    if origin.lower() not in door.origins:
        return {}
    return {"access-control-allow-origin": origin, "vary": "Origin"}


def _status(error: AiosError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


def _is_browser(request: Request) -> bool:
    """A page is asked for, as a form does that is sent by hand."""
    return "text/html" in request.headers.get("accept", "")


_HTML = {"content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'"}


def _page(title: str, message: str, hint: str) -> bytes:
    said = "".join(f"<p>{html.escape(text)}</p>" for text in (message, hint) if text)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{said}</html>'.encode()
