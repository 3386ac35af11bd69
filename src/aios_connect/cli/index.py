"""The table of commands. The first page of help, the parser and the reference page are made from it; it imports nothing."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COMMANDS", "GROUPS", "Entry", "page"]


class Entry(NamedTuple):
    """One command.

    Attributes:
        name: As it is typed.
        place: ``module:function``, imported only when the command runs.
        help: One line.
    """

    name: str
    place: str
    help: str


_CLI = "aios_connect.cli"

GROUPS: dict[str, tuple[Entry, ...]] = {
    "Set up": (
        Entry("init", f"{_CLI}.setting_up:init", "Lay down a project: settings, mappings, a first job."),
        Entry("connect", f"{_CLI}.setting_up:connect", "Give a connection its credentials and see that it works."),
        Entry("check", f"{_CLI}.setting_up:check", "Check settings, mappings and jobs, against the live schema too."),
        Entry("new", f"{_CLI}.scaffolding:new", "Lay down a connector of your own, with its tests."),
        Entry("record", f"{_CLI}.recording:record", "Record how a connector reads an account, with nobody's name in it."),
        Entry("sandbox", f"{_CLI}.playing:sandbox", "Serve a fake of a provider on this machine, with a company in it."),
    ),
    "Look": (
        Entry("connectors", f"{_CLI}.looking:connectors", "List the providers that are installed."),
        Entry("describe", f"{_CLI}.looking:describe", "Show the objects of a connection, or the fields of one object."),
        Entry("read", f"{_CLI}.looking:read", "Read records through their mapping; nothing is stored."),
        Entry("map", f"{_CLI}.looking:map_", "Show what a mapping makes of a record, and back."),
    ),
    "Keep in step": (
        Entry("plan", f"{_CLI}.changing:plan", "Read, compare, and show what would be written where, and why."),
        Entry("apply", f"{_CLI}.changing:apply", "Write exactly what a plan shows."),
        Entry("run", f"{_CLI}.changing:run", "Read, plan and apply within the job's caps; for a scheduler."),
        Entry("undo", f"{_CLI}.changing:undo", "Plan the way back from a run."),
        Entry("reconcile", f"{_CLI}.changing:reconcile", "Compare the store with the tools and show the drift."),
    ),
    "Ask": (
        Entry("status", f"{_CLI}.asking:status", "Show what is connected, how fresh it is, and what needs a person."),
        Entry("exceptions", f"{_CLI}.asking:exceptions", "List what needs a person, and settle it."),
        Entry("why", f"{_CLI}.asking:why", "Explain one value: where it comes from and who changed it."),
        Entry("runs", f"{_CLI}.asking:runs", "List the runs, or everything that one run wrote."),
        Entry("version", f"{_CLI}.looking:version", "Show the version of aios-connect, and its connectors."),
    ),
}
"""Heading -> its commands, in the order a newcomer needs them."""

COMMANDS: tuple[Entry, ...] = tuple(entry for entries in GROUPS.values() for entry in entries)


def page() -> str:
    """The first page of help."""
    lines = ["aios keeps the tools of a company in step: it plans, applies, and takes back.", "", "Usage: aios COMMAND [OPTIONS]"]
    width = max(len(entry.name) for entry in COMMANDS)
    for heading, entries in GROUPS.items():
        lines += ["", heading, *(f"  {entry.name:<{width}}  {entry.help}" for entry in entries)]
    lines += ["", "aios COMMAND --help explains a command. Each takes --json and --project FOLDER."]
    return "\n".join(lines)
