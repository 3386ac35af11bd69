"""The screens of setting up: what was laid down, whether a connection works, what a check found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

from rich.console import Console
from rich.text import Text

from aios_connect.connectors.contract import Identity
from aios_connect.connectors.spec import ConnectorSpec
from aios_connect.project.checks import Finding

from .phrases import counted, paragraph
from .screen import Answer

__all__ = ["CheckAnswer", "ConnectedAnswer", "ForgottenAnswer", "KeyAnswer", "LaidAnswer"]

_SIGNS = {"ok": ("ok", "green"), "warning": ("!", "yellow"), "error": ("x", "bold red")}


class LaidAnswer(Answer):
    """A project that was laid down."""

    def __init__(self, folder: Path, made: Sequence[Path]) -> None:
        self.folder = folder
        self.made = list(made)

    def document(self) -> Any:
        """The files that were made."""
        return {"folder": str(self.folder), "made": [str(path) for path in self.made]}

    def show(self, console: Console) -> None:
        """The files, and what to do next."""
        for path in self.made:
            console.print(f"made {path}", soft_wrap=True)
        console.print()
        paragraph(console, "next: aios connectors lists the providers; aios connect NAME --provider PROVIDER adds a connection")


class ConnectedAnswer(Answer):
    """A connection that was tried.

    Args:
        name: The connection.
        spec: Its provider's spec.
        identity: Who we are there.
        made: What was made there for us.
        stored: Secrets were kept.
    """

    def __init__(self, name: str, spec: ConnectorSpec, identity: Identity, made: Sequence[str], *, stored: bool) -> None:
        self.name = name
        self.spec = spec
        self.identity = identity
        self.made = list(made)
        self.stored = stored
        self.exit_code = 4 if identity.missing else 0

    def document(self) -> Any:
        """Who we are there, and what was made."""
        return {
            "connection": self.name,
            "provider": self.spec.provider,
            "identity": self.identity,
            "made": self.made,
            "stored": self.stored,
        }

    def show(self, console: Console) -> None:
        """The same for a person."""
        said = f"works: {self.spec.title}, {self.identity.account}, as {self.identity.user}"
        console.print(Text.assemble((f"{self.name} ", "bold"), said), soft_wrap=True)  # an account can be a path
        for name, fact in self.identity.details.items():
            console.print(Text(f"  {name}: {fact}", "dim"), soft_wrap=True)
        if self.stored:
            console.print("  the secret is kept encrypted in the store", style="dim")
        for sentence in self.made:
            console.print(Text(f"  made: {sentence}"), soft_wrap=True)
        for operation, need in self.identity.missing.items():
            console.print(Text.assemble(("! ", "bold red"), f"cannot {operation}: it needs {need}"))


class ForgottenAnswer(Answer):
    """A connection whose secrets were forgotten.

    Args:
        name: The connection.
        revoked: The provider confirmed that the grant is no longer good.
        left: What is left for the person to do.
    """

    def __init__(self, name: str, revoked: bool, left: Sequence[str]) -> None:
        self.name = name
        self.revoked = revoked
        self.left = list(left)
        self.exit_code = 4 if left else 0

    def document(self) -> Any:
        """The same."""
        return {"connection": self.name, "revoked": self.revoked, "left": self.left}

    def show(self, console: Console) -> None:
        """The same for a person."""
        said = "its secrets are forgotten, its settings stay"
        said += "; the provider took the consent back" if self.revoked else ""
        console.print(Text.assemble((f"{self.name} ", "bold"), said), soft_wrap=True)
        for sentence in self.left:
            console.print(Text.assemble(("! ", "bold red"), sentence), soft_wrap=True)


class KeyAnswer(Answer):
    """A new key.

    Args:
        sealed: How many connections were sealed with it.
        place: Where it is, or what is left to do.
    """

    def __init__(self, sealed: int, place: str) -> None:
        self.sealed = sealed
        self.place = place

    def document(self) -> Any:
        """How many, and where the key is."""
        return {"sealed": self.sealed, "key": self.place}

    def show(self, console: Console) -> None:
        """The same for a person."""
        secrets = counted(self.sealed, "connection")
        console.print(Text(f"the secrets of {secrets} are sealed with a new key; {self.place}"), soft_wrap=True)
        console.print("the old key opens nothing any more, but backups of the store from before", style="dim")


class CheckAnswer(Answer):
    """What a check found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        self.exit_code = max((finding.exit_code for finding in findings), default=0)

    def document(self) -> Any:
        """The findings."""
        return {"ok": not self.exit_code, "findings": self.findings}

    def show(self, console: Console) -> None:
        """One line a finding, the way out below what is wrong."""
        for finding in self.findings:
            sign, colour = _SIGNS[finding.severity]
            head = Text.assemble((f"{sign:<2} ", colour), (finding.subject, "bold"))
            if "\n" not in finding.message and len(head) + len(finding.message) + 2 <= console.width:
                console.print(head.append(f"  {finding.message}", ""))
            else:
                console.print(head)
                if "\n" in finding.message:  # lines of a file, with a caret below
                    console.print(Text(indent(finding.message, "   ")), soft_wrap=True)
                else:
                    paragraph(console, finding.message, indent=3)
            if finding.hint:
                paragraph(console, f"hint: {finding.hint}", indent=3, style="dim")
        wrong = sum(finding.severity == "error" for finding in self.findings)
        doubtful = sum(finding.severity == "warning" for finding in self.findings)
        said = [counted(wrong, "error")] if wrong else []
        said += [counted(doubtful, "warning")] if doubtful else []
        console.print("\n" + (", ".join(said) if said else "Everything is as it should be."), style="" if said else "green")
