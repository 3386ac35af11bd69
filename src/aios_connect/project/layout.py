"""Laying down a new project, and writing a connection into its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aios_connect.connection.settings import secret_names, setting_names, way_of
from aios_connect.connectors import registry
from aios_connect.errors import ConfigError
from aios_connect.mappings.documents import did_you_mean

from .settings import FILE, find_settings, is_secret, valid_name, variable

__all__ = ["add_connection", "lay_down"]

_SETTINGS = """\
# The settings of this project. Secrets never stand here: `aios connect NAME` keeps them encrypted.

[store]
url = "sqlite:///.aios/store.db"

# A connection is a tool with one account. `aios connectors` lists the providers, `aios connect` adds a connection here.
#
# [connections.crm]
# provider = "tryton"
# url = "https://crm.example.com"
#
# [connections.sheet]
# provider = "csv"
# folder = "sheets"
"""

_MAPPINGS = """\
# Mappings

The mappings that come with aios-connect are in force without being here. A file `<provider>/<object>.yaml` in this folder is laid
over the one of the same name (custom fields, names of stages); `<connection>/<object>.yaml` over that, for one connection only.
`aios check` checks them, `aios map CONNECTION/OBJECT` shows what they make of a record.
"""

_JOB = """\
# A job keeps connections in step. Rename this file to sheet-and-crm.yaml once both connections are there.
job: sheet-and-crm
title: The sheet and the CRM say the same
connections: [sheet, crm]
kinds:
  company: {create: [crm, sheet]}
  person: {create: [crm], authority: {default: crm, "phones.*": sheet}}
  deal: {create: [crm], authority: {stage: only crm}, deletes: ask}
caps: {creates: 200, updates: 1000, deletes: 10}
"""

_FILES = {
    FILE: _SETTINGS,
    "mappings/README.md": _MAPPINGS,
    "sync/jobs/sheet-and-crm.yaml.example": _JOB,
    ".aios/.gitignore": "*\n",  # store and plans hold personal data
}


def lay_down(folder: Path) -> list[Path]:
    """Make a project; files that are there stay as they are.

    Args:
        folder: Where.

    Returns:
        The files that were made.

    Raises:
        ConfigError: There is a project already, or the folder cannot be written.
    """
    if (file := find_settings(folder.resolve())) is not None and file.parent == folder.resolve():
        raise ConfigError(f"there is a project in {folder} already", hint=f"its settings are in {file.name}")
    made = []
    try:
        for name, text in _FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                made.append(path)
    except OSError as error:
        raise ConfigError(f"the project cannot be laid down: {error}", hint="choose a folder you may write to") from error
    return made


def add_connection(file: Path, name: str, provider: str, settings: Mapping[str, str]) -> None:
    """Write a new connection at the end of a settings file.

    Raises:
        ConfigError: The name is no name, a setting is a secret or unknown, or there is no such way to sign in.
    """
    try:
        valid_name(name)
    except ValueError as error:
        raise ConfigError(str(error), hint="choose a name such as crm") from error
    spec = registry.load(provider).spec
    known = setting_names(spec)
    for setting in settings:
        if is_secret(setting) or setting in secret_names(spec):
            raise ConfigError(
                f"a secret does not belong in a file: {setting}",
                hint=f"leave it out; aios connect {name} asks for it, or takes it from --password-stdin or {variable(name, setting)}",
            )
        if setting not in known:
            raise ConfigError(f"{spec.title} has no setting {setting!r}", hint=did_you_mean(setting, known))
    way_of(spec, settings)
    section = f"connections.{name}" if file.name == FILE else f"tool.aios-connect.connections.{name}"
    lines = [f"[{section}]", f"provider = {_quoted(provider)}", *(f"{key} = {_quoted(value)}" for key, value in settings.items())]
    text = file.read_text(encoding="utf-8").rstrip("\n")
    file.write_text(text + "\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    """A basic string of TOML; it escapes as JSON does."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
