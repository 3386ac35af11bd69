"""How each behaviour of the fake is known: from Google's discovery documents, from a page of its, from somebody's report; or assumed.

Nothing is a recording. What is assumed says so, and says what it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["EVIDENCE"]

_CALENDAR: Final = "https://www.googleapis.com/discovery/v1/apis/calendar/v3/rest"
_PEOPLE: Final = "https://www.googleapis.com/discovery/v1/apis/people/v1/rest"
_GMAIL: Final = "https://gmail.googleapis.com/$discovery/rest?version=v1"
_GUIDES: Final = "https://developers.google.com/workspace/calendar/api/guides"

EVIDENCE: Final[Mapping[str, str]] = {
    # addresses: requests and answers are valid under the discovery documents
    **dict.fromkeys(("calendar_list", "calendar_entry", "list_events", "one_event", "insert_event"), _CALENDAR),
    **dict.fromkeys(("patch_event", "update_event", "delete_event", "list_instances", "free_busy"), _CALENDAR),
    **dict.fromkeys(("watch_events", "stop_channel"), f"{_CALENDAR}; {_GUIDES}/push"),
    **dict.fromkeys(
        ("list_contacts", "get_contacts", "one_person", "create_contact", "update_contact", "delete_contact"), _PEOPLE
    ),
    **dict.fromkeys(("batch_create", "batch_update", "batch_delete"), _PEOPLE),
    **dict.fromkeys(("mail_profile", "list_mail", "one_mail", "list_history", "list_labels", "send_mail"), _GMAIL),
    **dict.fromkeys(("list_drafts", "one_draft", "make_draft", "drop_draft", "send_draft"), _GMAIL),
    "token": "https://developers.google.com/identity/protocols/oauth2/web-server#offline",
    "revoke": "https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke",
    **dict.fromkeys(("batch", "batch_of"), f"{_GUIDES}/batch"),
    # Calendar
    "a sync token tells every change since the read before it began": f"assumed; {_GUIDES}/sync promises the changes since the answer",
    "a page is short or empty and not the last": f"{_CALENDAR}: events.list, maxResults",
    "a sync token is forgotten, with 410": f"{_GUIDES}/sync; that it happens after thirty days is assumed",
    "a page token that is none is refused with 400": "assumed",
    "cancelled instances of a living series are listed": f"{_CALENDAR}: events.list, showDeleted",
    "of a deleted event only the id is shown": f"{_CALENDAR}: Event.status",
    "a deleted event keeps its id": "https://stackoverflow.com/q/27542721",
    "a series takes its exceptions with it": "assumed",
    "the id of an instance": "its master's id and its first start in UTC: in every public export of Calendar, in no page of the documentation",
    "instances are worked out by days and weeks only": "no claim: the fake knows no other rules",
    "times come back in the zone of the calendar": f"{_CALENDAR}: events.list, timeZone",
    "a stale write is refused with 412": f"{_GUIDES}/version-resources",
    "limits are said with 403 and with 429": f"{_GUIDES}/quota; {_GUIDES}/errors",
    "shared properties are the organiser's": f"{_GUIDES}/errors",
    "a calendar that is shared for reading refuses writes with 403": "spatie/laravel-google-calendar#95",
    "notices": f"{_GUIDES}/push; that a channel lives for a week is assumed",
    # People
    "changes are told minutes late": f"{_PEOPLE}: people.connections.list",
    "a sync token is forgotten after seven days, with EXPIRED_SYNC_TOKEN": f"{_PEOPLE}: people.connections.list; with 400, "
    "as public clients handle it, who also know 410",
    "a linked contact has another name": f"{_PEOPLE}: PersonMetadata.previousResourceNames",
    "a stale update is refused with 400": "https://developers.google.com/people/api/rest/v1/people/updateContact; "
    "googleapis/google-api-python-client#2417",
    "one stale or missing contact refuses the whole batch": "assumed, as the single call is refused",
    "a batch of creates that stops tells a status for each": f"{_PEOPLE}: PersonResponse.status; that it happens is assumed",
    "answers to a batch of creates come in any order": "assumed: no page promises an order",
    "answers of a batch come in another order than asked": f"assumed, as the worse; {_GUIDES}/batch shows them in the same order, and promises "
    "no order of execution",
    "a limit of 90 a minute": "MrCaspan/GAS-Gmail-Signature-Templator#1; Google shows it in its console only",
    # Gmail
    "the history reaches back for a week": "https://developers.google.com/workspace/gmail/api/guides/sync",
    "the history has gaps in its ids": f"{_GMAIL}: history.list, startHistoryId",
    "a draft that is sent is gone": "https://developers.google.com/workspace/gmail/api/guides/drafts",
    "a letter goes out under a Message-ID of Gmail's": "FlowCrypt/flowcrypt-browser#4273",
    "a list is newest first, and at once complete": "assumed",
    "a page of a list begins below the last message of the page before, whatever was deleted meanwhile": "assumed",
    "a limit of 6,000 units a minute": "https://developers.google.com/workspace/gmail/api/reference/quota, for projects since May 2026",
    "how messages become conversations": "assumed: by In-Reply-To and References; the documentation names more conditions",
    "units": "https://developers.google.com/workspace/gmail/api/reference/quota; drafts.get as messages.get is assumed",
    # addresses
    "404 as a web page": "googleapis/google-api-php-client#2052",
}
"""A route by the name of its method, or a behaviour in words -> how it is known."""
