"""The worlds of the web form: senders who post to it, by its own door."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
from dataclasses import replace
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from aios_connect_webform import WebForm

from aios_connect.connectors import Raw, Request
from aios_connect.connectors.webhooks import Reply
from aios_connect.testing.conformance import Sample, World

__all__ = ["FormWorld", "PhoneWorld", "ShortWebForm", "twilio_signed"]

KEY = "key-of-the-form-7f3a"
TOKEN = "auth-token-of-twilio-1"
ADDRESS = "https://hooks.example.com/calls"
WHO_WRITES = "they come with what they send, and never change; see tests/connectors/test_webform_people.py"


class ShortWebForm(WebForm):
    """The web form with short pages, so that a few records make several."""

    spec = replace(
        WebForm.spec,
        objects={name: replace(spec, page_size=5, scan_size=5, lookup_size=20) for name, spec in WebForm.spec.objects.items()},
    )


class _Senders(World):
    connector = ShortWebForm

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.told: dict[str, Raw] = {}
        self.numbers = count(1)
        self.door = self.open()
        assert isinstance(self.door, WebForm)

    def transport(self) -> None:
        """It is not spoken to: it is the one that listens."""

    def truth(self, object: str) -> dict[str, Raw]:
        return {id: {"id": id, "fields": dict(fields)} for id, fields in self.told.items()}

    def remove(self, object: str, id: str) -> None:
        assert isinstance(self.door, WebForm)
        assert self.door.erase(id)
        del self.told[id]

    def spoil(self, object: str, id: str) -> None:
        with sqlite3.connect(self.folder / ".aios" / "inbox" / "crm.db") as inbox:
            inbox.execute("update delivery set body = x'7bff' where subject = ?", (id,))
        inbox.close()

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Reply:
        assert isinstance(self.door, WebForm)
        reply = self.door.answer(Request("POST", url, headers, body))
        assert 200 <= reply.status < 300, reply
        return reply


class FormWorld(_Senders):
    """A program that knows the key: it posts a form first, and JSON when it has more to say about the same enquiry."""

    settings = {"source": "form", "id_field": "ref"}
    secrets = {"key": KEY}
    samples = {
        "submissions": Sample(
            lambda n: {"fields": {"name": f"Ann {n}", "email": f"ann{n}@example.org", "message": f"Please ring, {n}"}},
            text="fields.message",
            empty="",
            clear="",
        )
    }
    left_out = {"calls": "a form tells of no calls; see PhoneWorld", "people": WHO_WRITES}

    def make(self, object: str, values: Raw) -> str:
        said = {"ref": f"enquiry {next(self.numbers)}", **values["fields"]}
        self._post("application/x-www-form-urlencoded", urlencode(said).encode())
        self.told[said["ref"]] = said
        return str(said["ref"])

    def change(self, object: str, id: str, values: Raw) -> None:
        self._post("application/json", json.dumps({"ref": id, **values["fields"]}).encode())
        self.told[id] |= values["fields"]

    def _post(self, kind: str, body: bytes) -> None:
        headers = {"authorization": f"Bearer {KEY}", "content-type": kind, "idempotency-key": f'"{next(self.numbers)}"'}
        self.post("https://hooks.example.com/enquiries", headers, body)


class PhoneWorld(_Senders):
    """Twilio: somebody rings, and later there is more to say about the call."""

    settings = {"source": "twilio", "address": ADDRESS}
    secrets = {"key": TOKEN}
    samples = {
        object: Sample(
            lambda n: {"fields": {"From": f"+1503555{n:04}", "To": "+15035550100", "name": f"ANN LEE {n}"}},
            text="fields.name",
            empty="",
            clear="",
        )
        for object in ("submissions", "calls")
    }
    left_out = {"people": WHO_WRITES}

    def make(self, object: str, values: Raw) -> str:
        id = f"CA{next(self.numbers):032x}"
        self.told[id] = {"CallSid": id, "Direction": "inbound", "CallStatus": "completed", "CallDuration": "42"}
        self.change(object, id, values)
        return id

    def change(self, object: str, id: str, values: Raw) -> None:
        later = {"Timestamp": format_datetime(self.clock.now()), "SequenceNumber": str(next(self.numbers))}
        self.told[id] |= {**values["fields"], **later}
        said = {"CallerName" if name == "name" else name: value for name, value in self.told[id].items()}
        body, signature = urlencode(said).encode(), twilio_signed(ADDRESS, said, TOKEN)
        headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
        self.post("http://127.0.0.1:8080/calls", headers, body)


def twilio_signed(address: str, said: Raw, token: str) -> str:
    """The header as Twilio makes it (https://www.twilio.com/docs/usage/webhooks/webhooks-security)."""
    signed = address + "".join(f"{name}{said[name]}" for name in sorted(said))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
