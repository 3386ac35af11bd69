"""The commands that look: connectors, describe, read, map. Nothing is stored, nothing is written."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from aios_connect.connectors import registry
from aios_connect.connectors.contract import Connector, Raw
from aios_connect.errors import ConfigError, NotFoundError
from aios_connect.mappings import CompiledMapping, load
from aios_connect.project import Project

from .providers import ConnectorsAnswer, ObjectsAnswer, SchemaAnswer, VersionAnswer
from .records import ExportAnswer, MappedAnswer, RecordsAnswer
from .screen import Answer
from .words import Common, OnScreen

__all__ = ["connectors", "describe", "map_", "read", "version"]


def connectors(*, common: Common = Common()) -> Answer:
    """List the providers that are installed.

    Args:
        common: What every command takes.
    """
    specs, broken = [], {}
    for name in registry.available():
        try:
            specs.append(registry.load(name).spec)
        except ConfigError as error:
            broken[name] = error
    return ConnectorsAnswer(specs, broken)


def describe(name: str, object: str | None = None, /, *, common: Common = Common()) -> Answer:
    """Show the objects of a connection, or the fields of one object.

    Args:
        name: A connection of the project, or a provider.
        object: One of its objects.
        common: What every command takes.
    """
    try:
        project = Project.find(common.project, attempts=2)
    except ConfigError:
        if object is None and name in registry.available():
            return ObjectsAnswer(name, registry.load(name).spec, {})
        raise
    with project:
        if name not in project.settings.connections and name in registry.available() and object is None:
            return ObjectsAnswer(name, registry.load(name).spec, {})
        connection = project.connection(name)
        mapped = {connection.mapping(kind).object: kind for kind in connection.kinds}
        if object is None:
            return ObjectsAnswer(name, connection.connector.spec, mapped)
        return SchemaAnswer(name, connection.connector.describe(_known_object(connection.connector, object)))


def read(
    name: str,
    kind: str,
    /,
    *,
    limit: int | None = None,
    out: Path | None = None,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Read records through their mapping; nothing is stored.

    With --json each record is a line, and at the end each that could not be
    read. With --out they go into a file, with a checkpoint after every page:
    stopped anywhere, the same command goes on.

    Args:
        name: A connection of the project.
        kind: person, company, deal, user, ...
        limit: Stop after so many records.
        out: A file for the records as JSON lines.
        common: What every command takes.
        screen: Handed in.
    """
    project = Project.find(common.project)
    if out is not None:
        from aios_connect.sync import export  # the engine takes its time to load, and only this needs it

        with project:
            return ExportAnswer(str(out), export(project.connection(name), kind, out, progress=screen))
    try:
        return RecordsAnswer(project.connection(name), kind, limit, close=project.close)
    except BaseException:
        project.close()
        raise


def map_(
    mapping: str,
    record: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    common: Common = Common(),
) -> Answer:
    """Show what a mapping makes of a record, and back.

    Args:
        mapping: A mapping file; or connection/object, for the mapping in force there, overlays and all; or connection/object/id.
        record: A JSON file with one record, - for stdin, or connection/object/id; the examples of the mapping, if not given.
        common: What every command takes.
    """
    found = _mapping(mapping, common)
    if record is None and not Path(mapping).is_file() and mapping.count("/") > 1:
        record = mapping
    if record is None:
        return MappedAnswer(found, [example.record for example in found.spec.examples if example.record is not None])
    return MappedAnswer(found, [_record(record, common)])


def version(*, common: Common = Common()) -> Answer:
    """Show the version of aios-connect, and its connectors.

    Args:
        common: What every command takes.
    """
    return VersionAnswer(version_of("aios-connect"), registry.available())


def _mapping(place: str, common: Common) -> CompiledMapping:
    """The mapping of a file, or the one in force for an object of a connection."""
    if Path(place).is_file() or "/" not in place or place.endswith((".yaml", ".yml")):
        return load(Path(place), functions=_functions(common))
    name, object = place.split("/", 2)[:2]
    with Project.find(common.project, attempts=2) as project:
        connection = project.connection(name)
        mapped = {connection.mapping(kind).object: kind for kind in connection.kinds}
        if object not in mapped:
            raise ConfigError(f"{name} has no mapping for {object!r}", hint=f"it maps {', '.join(mapped) or 'nothing'}")
        return connection.mapping(mapped[object])


def _functions(common: Common) -> tuple[str, ...]:
    """The modules that mappings may take functions from, if there is a project."""
    try:
        return Project.find(common.project).settings.functions
    except ConfigError:
        return ()


def _record(place: str, common: Common) -> Raw:
    parts = place.split("/", 2)
    if place == "-":
        return _decoded(sys.stdin.buffer.read(), "what came on stdin")
    if Path(place).is_file():
        return _decoded(Path(place).read_bytes(), place)
    if len(parts) != 3:
        raise ConfigError(f"there is no file {place}", hint="give a JSON file, -, or connection/object/id such as crm/party/7")
    name, object, id = parts
    with Project.find(common.project) as project:
        connector = project.connection(name).connector
        found = connector.lookup(_known_object(connector, object), [id])
    if not found:
        raise NotFoundError(f"{name} has no {object}/{id}", hint="aios read shows the ids")
    return found[0]


def _decoded(data: bytes, place: str) -> Raw:
    try:
        value: Any = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{place} is not JSON: {error}", hint="give one record as a JSON object") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{place} is not one record", hint="give one record as a JSON object")
    return value


def _known_object(connector: Connector, object: str) -> str:
    objects = connector.spec.objects
    if object not in objects:
        raise ConfigError(f"{connector.spec.title} has no object {object!r}", hint=f"it has {', '.join(objects)}")
    return object
