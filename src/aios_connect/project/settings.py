"""The settings file of a project: ``aios-connect.toml``, or ``[tool.aios-connect]`` in ``pyproject.toml``.

::

    [store]
    url = "sqlite:///.aios/store.db"

    [connections.crm]
    provider = "tryton"
    url = "https://crm.example.com"
    database = "acme"

Secrets never stand in it. Every setting may come from the environment instead: ``AIOS_<CONNECTION>_<SETTING>``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aios_connect.connection.settings import plain_settings, secret_names, setting_names
from aios_connect.connectors.spec import ConnectorSpec
from aios_connect.errors import ConfigError
from aios_connect.mappings.documents import Document, Place, Steps

__all__ = [
    "FILE",
    "ConnectionSettings",
    "Settings",
    "SettingsFile",
    "StoreSettings",
    "find_settings",
    "is_secret",
    "valid_name",
    "variable",
]

FILE = "aios-connect.toml"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_SECRET = re.compile(r"(\A|_)(password|passwd|secret|token|(api|access|private)_?key)\Z")
_OURS = ("key", "store")
_HEADER = re.compile(r"\s*\[+([^\]]+)\]")
_SETTING = re.compile(r"\s*([A-Za-z0-9_.\"'-]+?)\s*=")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Closed):
    """Where the store is.

    Attributes:
        url: ``sqlite:///path`` (relative to the project) or ``postgresql://host/database``.
    """

    url: str = "sqlite:///.aios/store.db"


class ConnectionSettings(_Closed):
    """One connection of the project.

    Attributes:
        provider: Slug of its connector.
        settings: What the connector needs to know, by name.
    """

    provider: str
    settings: Annotated[dict[str, str], Field(default_factory=dict)]

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, table: Any) -> Any:
        if not isinstance(table, dict):
            return table
        rest = {name: _text(name, value) for name, value in table.items() if name != "provider"}
        return {**({"provider": table["provider"]} if "provider" in table else {}), "settings": rest}


class Settings(_Closed):
    """What the settings file says.

    Attributes:
        mappings: Folder of the company's own mappings, ``<provider>/<object>.yaml`` or ``<connection>/<object>.yaml``.
        sync: Folder of what runs: ``jobs/<job>.yaml``.
        functions: Python modules that mappings may take functions from.
        store: Where the store is.
        connections: The connections by name.
    """

    mappings: str = "mappings"
    sync: str = "sync"
    functions: tuple[str, ...] = ()
    store: StoreSettings = StoreSettings()
    connections: Annotated[dict[str, ConnectionSettings], Field(default_factory=dict)]

    @field_validator("connections")
    @classmethod
    def _names(cls, connections: dict[str, ConnectionSettings]) -> dict[str, ConnectionSettings]:
        for name in connections:
            valid_name(name)
        return connections


class SettingsFile:
    """A settings file that was read and checked; it can point at each of its settings.

    Args:
        path: The file.

    Attributes:
        path: The file.
        settings: What it says.

    Raises:
        ConfigError: With file, line and the way out. A secret in the file is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._document = _document(path)
        self._refuse_secrets()
        self.settings = self._document.validated(Settings)

    def told(self, spec: ConnectorSpec, connection: str, environment: Mapping[str, str]) -> dict[str, str]:
        """What the connector of a connection is told: the file's settings, the environment's over them, defaults under them.

        Raises:
            ConfigError: A setting is unknown, missing, or a secret.
        """
        given = self.settings.connections[connection].settings
        over = {name: variable(connection, name) for name in setting_names(spec)}
        told = {**given, **{name: environment[key] for name, key in over.items() if environment.get(key)}}

        def wrong(message: str, hint: str, setting: str) -> ConfigError:
            if setting not in told:
                hint = f'write {setting} = "..." under [connections.{connection}], or set {variable(connection, setting)}'
            return self._pointing(message, ("connections", connection, setting), hint)

        for name in secret_names(spec):
            if name in given:
                raise self._secret(connection, name)
        return plain_settings(spec, told, wrong)

    def _refuse_secrets(self) -> None:
        data = self._document.data
        connections = data.get("connections")
        for name, table in connections.items() if isinstance(connections, dict) else ():
            for setting in table if isinstance(table, dict) else ():
                if is_secret(setting):
                    raise self._secret(name, setting)
        store = data.get("store")
        url = store.get("url") if isinstance(store, dict) else None
        if isinstance(url, str) and "://" in url and urlsplit(url).password:
            hint = "take it out of the address, and set AIOS_STORE_URL to the whole one"
            raise self._pointing("store.url: a password does not belong in a file", ("store", "url"), hint)

    def _secret(self, connection: str, name: str) -> ConfigError:
        hint = f"take it out; aios connect {connection} keeps it encrypted, or set {variable(connection, name)}"
        path = ("connections", connection, name)
        return self._pointing(f"{'.'.join(path)}: a secret does not belong in a file", path, hint)

    def _pointing(self, message: str, path: Steps, hint: str) -> ConfigError:
        """An error that names a line without showing it: a secret may stand there under a misspelt name."""
        place = self._document.place(path, key=True)
        return ConfigError(message, hint=hint, file=place.file, line=place.line, column=place.column)


def find_settings(start: Path) -> Path | None:
    """The settings file of the project that a folder belongs to: in it, or in the nearest folder above."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
        pyproject = folder / "pyproject.toml"
        if pyproject.is_file() and b"[tool.aios-connect" in pyproject.read_bytes():
            return pyproject
    return None


def valid_name(name: str) -> None:
    """Refuse what cannot be the name of a connection.

    Raises:
        ValueError: It has other characters, or too many.
    """
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is no name for a connection: small letters, digits, - and _, a letter first")
    if name in _OURS:
        raise ValueError(f"{name!r} cannot be the name of a connection: AIOS_{name.upper()}_... means something else")


def is_secret(setting: str) -> bool:
    """True for the name of a setting that must never stand in a file."""
    return _SECRET.search(setting) is not None


def variable(connection: str, setting: str) -> str:
    """The environment variable that gives a setting or a secret of a connection: ``AIOS_CRM_URL``."""
    return f"AIOS_{connection}_{setting}".upper().replace("-", "_")


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{name} must be text, a number, or true or false")


def _document(path: Path) -> Document:
    """The file's data, and where each setting stands: the parser of TOML does not tell, so the lines are looked through."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError("the file cannot be read", hint="check its name and its permissions", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("the file is not UTF-8 text", hint="save it as UTF-8", file=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(error, path, text) from error
    prefix: Steps = ()
    if path.name == "pyproject.toml":
        prefix = ("tool", "aios-connect")
        data = data["tool"]["aios-connect"]
    document = Document(data)
    section: Steps = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            found = section = _keys(header[1])
        elif setting := _SETTING.match(line):
            found = (*section, *_keys(setting[1]))
        else:
            continue
        if found[: len(prefix)] == prefix:
            place = Place(str(path), number, len(line) - len(line.lstrip()) + 1, line)
            for length in range(len(prefix) + 1, len(found) + 1):
                document.keys.setdefault(found[len(prefix) : length], place)
    _fill(document, (), data, Place(str(path), 1, 1, text.split("\n", 1)[0]))
    return document


def _fill(document: Document, path: Steps, data: Any, around: Place) -> None:
    """Give every value the place of its key, or of what is around it."""
    place = document.values[path] = document.keys.get(path, around)
    for name, value in data.items() if isinstance(data, dict) else ():
        _fill(document, (*path, name), value, place)


def _keys(dotted: str) -> Steps:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _not_toml(error: tomllib.TOMLDecodeError, path: Path, text: str) -> ConfigError:
    message, _, place = str(error).partition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", place)
    lines = text.splitlines() or [""]
    line, column = (int(found[1]), int(found[2])) if found else (len(lines), 1)
    hint = 'write sections as [connections.crm] and settings as name = "value"'
    excerpt = "" if is_secret(lines[line - 1].partition("=")[0].strip()) else lines[line - 1]
    return ConfigError(f"this is not TOML: {message}", hint=hint, file=str(path), line=line, column=column, excerpt=excerpt)
