"""The screen of the state: what is connected, how fresh it is, what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from aios_connect.project import Settings
from aios_connect.sync import Status

from .past import RunsAnswer
from .phrases import counted, short_instant
from .screen import Answer
from .tables import print_table

__all__ = ["StatusAnswer"]


class StatusAnswer(Answer):
    """The state of a project.

    Args:
        folder: The project.
        settings: Its settings.
        jobs: The names of its jobs.
        status: What the store says.
    """

    def __init__(self, folder: Path, settings: Settings, jobs: Sequence[str], status: Status) -> None:
        self.folder = folder
        self.settings = settings
        self.jobs = list(jobs)
        self.status = status

    def document(self) -> Any:
        """The state as JSON."""
        connections = {name: connection.provider for name, connection in self.settings.connections.items()}
        return {"project": str(self.folder), "connections": connections, "jobs": self.jobs, "store": self.status}

    def show(self, console: Console) -> None:
        """The state for a person."""
        status = self.status
        connections = ", ".join(f"{name} ({one.provider})" for name, one in self.settings.connections.items())
        console.print(Text.assemble(("connections  ", "dim"), connections or "none yet: aios connect NAME --provider PROVIDER"))
        jobs = [f"{job} (paused by {status.paused[job]})" if job in status.paused else job for job in self.jobs]
        console.print(Text.assemble(("jobs         ", "dim"), ", ".join(jobs) or "none yet: write sync/jobs/<job>.yaml"))
        if status.objects:
            console.print()
            rows = [
                (
                    f"{item.connection} {item.object}",
                    f"{item.records:,}",
                    f"{item.linked:,}",
                    f"{item.quarantined:,}" if item.quarantined else "",
                    f"{short_instant(item.finished_at)} UTC" if item.finished_at else "stopped half-way; the next goes on",
                )
                for item in status.objects
            ]
            print_table(console, ("object", ">records", ">linked", ">set aside", "last read to its end"), rows)
        if status.runs:
            console.print()
            RunsAnswer(status.runs).show(console)
        console.print()
        waiting = sum(status.exceptions.values())
        if waiting:
            kinds = ", ".join(f"{count} {code.replace('_', ' ')}" for code, count in sorted(status.exceptions.items()))
            console.print(f"{counted(waiting, 'exception')} for a person: {kinds}; aios exceptions lists them", style="yellow")
        else:
            console.print("Nothing waits for a person.", style="green")
        if any(item.quarantined for item in status.objects):
            console.print("Some records could not be read; aios exceptions aside lists them", style="yellow")
