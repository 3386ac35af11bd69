"""Which folders count: all that hold what was written and received, unless the settings name some."""

from __future__ import annotations

from typing import Final

from aios_connect.connectors import ConfigError, Context, NotFoundError

from .imap import Imap

__all__ = ["Folders"]

_LEFT_OUT: Final = frozenset(
    {"\\drafts", "\\junk", "\\trash", "\\all", "\\flagged", "\\important", "\\noselect", "\\nonexistent"}
)
"""Special uses (RFC 6154, RFC 8457) that are not read: what was not sent, what nobody wants, and views of what lies elsewhere."""
_LABELS: Final = "X-GM-EXT-1"
"""Who says so is Gmail, whose folders are labels: what was archived lies in the folder of all mail only
(https://developers.google.com/workspace/gmail/imap/imap-extensions). That folder has neither junk nor trash."""
_KNOWN: Final = {
    "\\drafts": ("drafts", "draft"),
    "\\junk": ("junk", "spam", "junk e-mail", "junk email", "bulk mail"),
    "\\trash": ("trash", "deleted items", "deleted messages", "bin"),
    "\\sent": ("sent", "sent items", "sent mail", "sent messages", "sent-mail"),
}
"""How such folders are called on servers that do not mark them."""


class Folders:
    """The folders of a connection.

    Args:
        imap: The way to the server.
        context: The settings ``folders`` and ``sent``.
    """

    def __init__(self, imap: Imap, context: Context) -> None:
        self._imap = imap
        self._wanted = [name.strip() for name in context.settings.get("folders", "").split(",") if name.strip()]
        self._sent = context.settings.get("sent", "").strip()

    def read(self) -> list[str]:
        """The folders that are read, as they are now, always in the same order.

        Raises:
            ConfigError: One that the settings name is not there.
        """
        there = {folder.name: folder for folder in self._imap.folders(again=True)}
        if self._wanted:
            for name in self._wanted:
                if name not in there:
                    raise ConfigError(f"folders: there is no {name!r}", hint=f"there are {', '.join(sorted(there))}")
            return self._wanted
        uses = self._uses()
        found = sorted(name for name in there if not uses[name] & _LEFT_OUT)
        if not self._imap.has(_LABELS):
            return found
        return sorted(name for name in there if "\\all" in uses[name]) + found  # first: of copies the last one counts

    def sent(self) -> str:
        """The folder of what was sent.

        Raises:
            NotFoundError: The server has none.
        """
        uses = self._uses()
        if self._sent in uses:
            return self._sent
        found = sorted(name for name, marks in uses.items() if "\\sent" in marks and not self._sent)
        if not found:
            name = repr(self._sent) if self._sent else "for what was sent"
            raise NotFoundError(f"there is no folder {name}", hint="name one in the setting sent", provider="mail")
        return found[0]

    def _uses(self) -> dict[str, frozenset[str]]:
        """Name -> what the folder is for: as the server marks it, else by its name."""
        folders = self._imap.folders()
        marked = {mark for folder in folders for mark in folder.marks}
        uses = {}
        for folder in folders:
            last = folder.name.rpartition(folder.delimiter)[2] if folder.delimiter else folder.name
            guessed = {use for use, names in _KNOWN.items() if use not in marked and last.lower() in names}
            uses[folder.name] = folder.marks | guessed
        return uses
