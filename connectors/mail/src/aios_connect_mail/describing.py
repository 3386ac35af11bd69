"""What a record of a message holds. The standards say, not the server."""

from __future__ import annotations

from typing import Final

from aios_connect.connectors import FieldInfo
from aios_connect.connectors.messages import describing

__all__ = ["FIELDS"]

FIELDS: Final = (
    FieldInfo("id", "text", "Message-ID and a digest of From and Date", writable=False),
    FieldInfo("version", "text", "Version of the copy", writable=False),
    FieldInfo("folder", "text", "Folder", writable=False),
    FieldInfo("uid", "integer", "UID in the folder", writable=False),
    FieldInfo("flags", "list", "Flags", writable=False),
    FieldInfo("received", "instant", "When the server got it", writable=False),
    FieldInfo("size", "integer", "Bytes", writable=False),
    *describing.FIELDS,
)
