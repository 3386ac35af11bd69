"""The screens of providers: which there are, their objects, the live fields of one object."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from aios_connect.connection.settings import SIGN_IN, settings_of
from aios_connect.connectors.contract import FieldInfo, Schema
from aios_connect.connectors.spec import ConnectorSpec, ObjectSpec
from aios_connect.errors import ConfigError

from .phrases import paragraph
from .screen import Answer
from .tables import print_table

__all__ = ["ConnectorsAnswer", "ObjectsAnswer", "SchemaAnswer", "VersionAnswer"]

_VERBS = ("read", "create", "update", "delete")


class ConnectorsAnswer(Answer):
    """The providers whose connectors are installed.

    Args:
        specs: Their specs.
        broken: Those that are installed and do not load.
    """

    def __init__(self, specs: Sequence[ConnectorSpec], broken: Mapping[str, ConfigError]) -> None:
        self.specs = list(specs)
        self.broken = dict(broken)
        self.exit_code = ConfigError.exit_code if broken else 0

    def document(self) -> Any:
        """Their specs, and what is wrong with the others."""
        return {
            "connectors": [_spec(spec) for spec in self.specs],
            "broken": {name: str(why) for name, why in self.broken.items()},
        }

    def show(self, console: Console) -> None:
        """One line a provider."""
        for error in self.broken.values():
            paragraph(console, f"! {error}", style="red")
            paragraph(console, f"hint: {error.hint}", indent=2, style="dim")
        if not self.specs:
            console.print("No connector is installed: pip install 'aios-connect[csv]', for one.")
            return
        rows = [
            (spec.provider, spec.title, " or ".join(auth.kind for auth in spec.auth), ", ".join(spec.objects))
            for spec in self.specs
        ]
        print_table(console, ("provider", "title", "sign-in", "objects"), rows, wrap="objects")


class ObjectsAnswer(Answer):
    """The objects of a connection or a provider.

    Args:
        name: The connection, or the provider.
        spec: The provider's spec.
        mapped: Object -> the kind of record it is mapped to.
    """

    def __init__(self, name: str, spec: ConnectorSpec, mapped: Mapping[str, str]) -> None:
        self.name = name
        self.spec = spec
        self.mapped = dict(mapped)

    def document(self) -> Any:
        """The spec, and what is mapped."""
        return {"name": self.name, "mapped": self.mapped, **_spec(self.spec)}

    def show(self, console: Console) -> None:
        """One line an object, then the settings."""
        spec = self.spec
        console.print(Text.assemble((spec.title, "bold"), f"  {spec.docs}"), soft_wrap=True)
        console.print()
        rows = [
            (name, self.mapped.get(name, ""), " ".join(verb for verb in _VERBS if verb in one.verbs), _manners(one))
            for name, one in spec.objects.items()
        ]
        print_table(console, ("object", "kind", "verbs", "reads and writes"), rows, wrap="reads and writes")
        if settings_of(spec):
            console.print()
            settings = [
                (one.name, "needed" if one.required else f"else {one.default}" if one.default else "", one.help)
                for one in settings_of(spec)
            ]
            print_table(console, ("setting", "", "what it is"), settings, wrap="what it is")
        console.print()
        for auth in spec.auth:
            how = (
                ""
                if len(spec.auth) == 1
                else " (unless said otherwise)"
                if auth is spec.auth[0]
                else f' ({SIGN_IN} = "{auth.kind}")'
            )
            paragraph(console, f"sign-in: {auth.kind}{how}. {auth.help}")
        if spec.proof:
            paragraph(console, f"proved on: {spec.proof}")
        for limit in spec.limits:
            time = "a day" if limit.seconds == 86_400 else f"{limit.seconds:g} s"
            console.print(f"limit: {limit.calls:,} calls in {time}" + (f" ({limit.scope})" if limit.scope else ""))


class SchemaAnswer(Answer):
    """The live fields of one object."""

    def __init__(self, name: str, schema: Schema) -> None:
        self.name = name
        self.schema = schema

    def document(self) -> Any:
        """The schema as it is."""
        return {"connection": self.name, **asdict(self.schema)}

    def show(self, console: Console) -> None:
        """One line a field."""
        rows = [(path, info.type, _marks(info), info.label, _choices(info)) for path, info in self.schema.fields.items()]
        print_table(console, ("field", "type", "", "label", "choices"), rows, wrap="choices")
        if self.schema.open:
            console.print("\nA record may hold fields that are not listed.", style="dim")


class VersionAnswer(Answer):
    """What is installed."""

    def __init__(self, version: str, connectors: Sequence[str]) -> None:
        self.version = version
        self.connectors = list(connectors)

    def document(self) -> Any:
        """Version, Python, connectors."""
        return {"aios-connect": self.version, "python": platform.python_version(), "connectors": self.connectors}

    def show(self, console: Console) -> None:
        """One sentence."""
        paragraph(
            console,
            f"aios-connect {self.version}, Python {platform.python_version()}, {', '.join(self.connectors) or 'no connectors'}",
        )


def _spec(spec: ConnectorSpec) -> dict[str, Any]:
    """All of a spec but the machinery of OAuth."""
    return {
        "provider": spec.provider,
        "title": spec.title,
        "docs": spec.docs,
        "proof": spec.proof,
        "sign_in": [{"kind": auth.kind, "help": auth.help, "scopes": dict(auth.scopes)} for auth in spec.auth],
        "settings": [asdict(setting) for setting in settings_of(spec)],
        "objects": {name: {**asdict(one), "verbs": sorted(one.verbs)} for name, one in spec.objects.items()},
        "limits": [asdict(limit) for limit in spec.limits],
    }


def _manners(object: ObjectSpec) -> str:
    reads = "changes only" if object.incremental else "everything each time"
    deletes = {
        "tombstones": "deletes told",
        "scan": "deletes by listing",
        "file": "deletes by absence",
        "none": "deletes not seen",
    }
    writes = {"compare-and-set": "refuses stale writes", "read-compare-write": "compared before writing"}
    parts = [reads, deletes[object.deletes]]
    if object.verbs - {"read"}:
        parts.append(writes[object.conditional])
    return ", ".join(parts)


def _marks(info: FieldInfo) -> str:
    marks = {"needed": info.required, "read only": not info.writable, "custom": info.custom}
    return ", ".join(mark for mark, is_so in marks.items() if is_so)


def _choices(info: FieldInfo) -> str:
    return ", ".join(code if label in ("", code) else f"{code} ({label})" for code, label in info.choices)
