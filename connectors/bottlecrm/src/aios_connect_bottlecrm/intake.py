"""BottleCRM's lead webhook: an address that takes enquiries, each once.

It is made in BottleCRM (Settings > Lead webhooks), has an address and a key of its own, and needs no token. An enquiry whose sender's id
came before is answered with the lead it became; so it may be sent again when nobody answers. One from an e-mail address or a
telephone number that a lead has already is added to that lead. Fields that are none of a lead's go into its notes.

That is what an enquiry should do, and not what a planned create may do, so :meth:`BottleCRM.write` does not come here.

Source: django-crm 1.35.0, ``leads.views.intake_public_views`` and ``leads.intake``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aios_connect.connectors import AuthError, ConfigError, Context, RejectedError, TruncatedError

from .wire import ID, meaning

__all__ = ["Enquiry", "enquire"]

_RESULTS: Final = ("created", "merged", "duplicate")


@dataclass(frozen=True, slots=True)
class Enquiry:
    """What became of an enquiry.

    Attributes:
        lead: Id of the lead.
        result: ``created``; ``merged`` (added to a lead of the same person); ``duplicate`` (it had come before).
    """

    lead: str
    result: Literal["created", "merged", "duplicate"]


def enquire(context: Context, values: Mapping[str, str], external_id: str) -> Enquiry:
    """Hand in an enquiry.

    Args:
        context: Settings, credentials and the HTTP client.
        values: Fields of a lead by name, ``{"email": "..."}``.
        external_id: The sender's own id of it, never empty.

    Raises:
        ConfigError: The connection names no lead webhook.
        AuthError: The key of the webhook is wrong.
        RejectedError: BottleCRM refuses a value, or there is no id.
    """
    address = context.settings.get("intake", "")
    if not address:
        raise ConfigError(
            "the connection names no lead webhook", hint="set intake to its address, from BottleCRM: Settings > Lead webhooks"
        )
    if not external_id.strip():
        raise RejectedError(
            "an enquiry without an id of its sender would be made anew each time", provider="bottlecrm", object="leads"
        )
    key = context.credentials.secret("intake_key")
    try:
        response = context.http.request(
            "POST",
            address,
            json={**values, "external_id": external_id},
            headers={"authorization": f"Bearer {key}"},
            object="leads",
            safe=True,
            classify=meaning,
        )
    except AuthError as error:
        error.hint = "the key of the lead webhook may have been replaced: copy it again from BottleCRM, and connect again"
        raise
    told = response.json()
    if not isinstance(told, dict) or told.get("result") not in _RESULTS or not ID.fullmatch(str(told.get("lead"))):
        raise TruncatedError("the lead webhook did not say what became of it", provider="bottlecrm", object="leads")
    return Enquiry(str(told["lead"]), told["result"])
