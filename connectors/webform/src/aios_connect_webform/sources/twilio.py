"""Twilio: what became of a call.

Status callbacks (https://www.twilio.com/docs/usage/webhooks/voice-webhooks), the request behind ``<Dial action>``
(https://www.twilio.com/docs/voice/twiml/dial#action), recording callbacks
(https://www.twilio.com/docs/voice/api/recording#recordingstatuscallback) and the verdict on who answered
(https://www.twilio.com/docs/voice/answering-machine-detection) all name the call. They come in any order, and more often than once.

Signature: https://www.twilio.com/docs/usage/webhooks/webhooks-security. It has no instant, so an old request could be sent again by who
has seen it; it is known by its content and adds nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from aios_connect.connectors import AuthError, Request
from aios_connect.connectors.webhooks import check_signature, from_base64
from aios_connect_webform.content import URLENCODED, Content, read_content
from aios_connect_webform.door import Door

from .source import CALLS, SUBMISSIONS, Event, Proof, Said, Source, Told, merged

__all__ = ["Twilio", "signed_bytes"]

_FINAL: Final = ("completed", "busy", "no-answer", "failed", "canceled")
_OUTCOMES: Final[Mapping[str, str]] = {
    "completed": "connected",
    "answered": "connected",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "abandoned",
}
"""What Twilio says of a call that is over (https://www.twilio.com/docs/voice/api/call-resource#call-status-values), or of the leg to
our people (``DialCallStatus``) -> what became of it."""

_PORTS: Final = {"https": 443, "http": 80}


class Twilio(Source):
    """A call is one record. Who rings us and is done, however it ended, is an enquiry besides."""

    title = "Twilio"
    channel = "phone_call"

    def prove(self, request: Request, door: Door, keys: Sequence[str], now: datetime) -> Proof:
        signature = from_base64(request.headers.get("x-twilio-signature", ""))
        if not signature:
            raise AuthError("the request has no signature of Twilio's (X-Twilio-Signature)", hint="only Twilio may send here")
        for address in _spellings(_address(request.url, door.address)):
            try:
                check_signature(signed_bytes(request, address), keys, [signature], hash="sha1")
            except AuthError:
                continue
            return Proof("verified")
        raise AuthError(
            "the signature is not Twilio's",
            hint="Twilio signs the address it calls: is it the one in the settings, and the key the primary Auth Token?",
        )

    def event(self, content: Content, headers: Mapping[str, str], door: Door, proof: Proof, now: datetime) -> Event:
        said = content.fields
        call = str(said.get("ParentCallSid") or said["CallSid"])
        over = said.get("Direction") == "inbound" and (said.get("CallStatus") in _FINAL or "DialCallStatus" in said)
        return Event((CALLS, SUBMISSIONS) if over else (CALLS,), call, key=f"content {content.digest()}")

    def said(self, told: Sequence[Told], object: str) -> Said:
        ours = [one for one in told if not one.content.fields.get("ParentCallSid")]  # the others are legs to our people
        ours.sort(key=_rank)
        fields = merged(ours)
        legs = sorted((one for one in told if one.content.fields.get("ParentCallSid")), key=_rank)
        leg = fields.get("DialCallStatus") or (legs[-1].content.fields.get("CallStatus") if legs else None)
        incoming = fields.get("Direction") == "inbound" if fields.get("Direction") else None
        call = {
            "direction": None if incoming is None else "in" if incoming else "out",
            "outcome": _outcome(fields, leg, incoming),
            "from": fields.get("From"),
            "to": fields.get("To"),
            "seconds": _whole(fields.get("CallDuration")),
            "recording": fields.get("RecordingUrl"),
            "answered_by": fields.get("AnsweredBy"),
        }
        other = fields.get("From") if incoming else fields.get("To")
        known = {"tel": other, "name": fields.get("CallerName") if incoming else None}
        instants = [at for at in (_instant(one.content.fields.get("Timestamp")) for one in told) if at]
        return Said({**known, **fields}, min(instants, default=None), (), {"call": call})


def signed_bytes(request: Request, address: str) -> bytes:
    """What Twilio signs: the address, and behind it every name and value of the form, sorted, each pair once.

    Of a body that is no form it signs the address alone, which has the body's SHA-256 in ``bodySHA256``.

    Raises:
        AuthError: The body is no form, and the address does not vouch for it.
    """
    asked = parse_qs(urlsplit(address).query).get("bodySHA256", [""])[0]
    if asked:
        if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), asked.lower().encode()):
            raise AuthError("the body is not the one that Twilio signed")
        return address.encode()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind != URLENCODED:
        raise AuthError("the body is no form, and the address has no bodySHA256 that vouches for it")
    pairs = read_content(request.body, URLENCODED).pairs
    return (address + "".join(f"{name}{value}" for name, value in sorted(set(pairs)))).encode()


def _address(url: str, configured: str) -> str:
    """The address as Twilio sees it: behind a proxy the configured one, with what was asked."""
    query = urlsplit(url).query
    return f"{configured.partition('?')[0]}?{query}" if configured and query else configured or url


def _spellings(address: str) -> Iterator[str]:
    """The address as it is, without its port, and with the port that goes without saying: Twilio's own library tries the same."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    yield address
    yield parts._replace(netloc=host).geturl()
    if parts.scheme in _PORTS:
        yield parts._replace(netloc=f"{host}:{parts.port or _PORTS[parts.scheme]}").geturl()


def _rank(one: Told) -> tuple[bool, int]:
    """Where a callback stands in the life of its call, whenever it came: the last word of a call is final, and has the highest number."""
    fields = one.content.fields
    return str(fields.get("CallStatus")) in _FINAL, _whole(fields.get("SequenceNumber")) or 0


def _outcome(fields: Mapping[str, Any], leg: Any, incoming: bool | None) -> str | None:
    """What became of a call; ``None`` while it goes on.

    ``completed`` only means that somebody or something answered: the leg to our people says whether one of them did. Without one, an
    incoming call that was recorded left a message.
    """
    status = fields.get("CallStatus")
    if status not in _FINAL and "DialCallStatus" not in fields:
        return None
    if str(fields.get("AnsweredBy", "")).startswith(("machine", "fax")):
        return "voicemail"
    if leg is None:
        recorded = incoming and status == "completed" and fields.get("RecordingUrl")
        return "voicemail" if recorded else _OUTCOMES.get(str(status))
    if _OUTCOMES.get(str(leg)) != "connected" and fields.get("RecordingUrl"):
        return "voicemail"
    return _OUTCOMES.get(str(leg)) or _OUTCOMES.get(str(status))


def _whole(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None


def _instant(text: Any) -> str | None:
    """Twilio writes instants as RFC 2822, in UTC; one that names no zone is no time of this machine's."""
    try:
        at = parsedate_to_datetime(str(text))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
