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
}
"""A route by the name of its method, or a behaviour in words -> how it is known."""
