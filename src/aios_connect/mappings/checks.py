"""What can be said of a mapping once the other side is known: its connector, its live schema; and whether the mapping keeps the laws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aios_connect.connectors.contract import FieldInfo, Schema
from aios_connect.connectors.spec import ConnectorSpec
from aios_connect.errors import MappingError

from .compile import Field
from .computed import Custom
from .documents import did_you_mean
from .laws import check_laws
from .mapping import CompiledMapping
from .values import Enum, ListOf, Reference

__all__ = ["Finding", "check"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a mapping.

    Attributes:
        severity: ``error``: it must not be used as it is; ``warning``: some records or writes will fail; ``note``: good to know.
        error: What it is, where, and what to do.
    """

    severity: Literal["error", "warning", "note"]
    error: MappingError


_ANYTHING: Final = frozenset(("enum", "function"))
_FITTING: Final[Mapping[str, frozenset[str]]] = {
    "integer": _ANYTHING | {"integer", "decimal", "money", "boolean", "reference", "instant", "date"},
    "decimal": _ANYTHING | {"decimal", "money"},
    "boolean": _ANYTHING | {"boolean"},
    "date": _ANYTHING | {"date"},
    "instant": _ANYTHING | {"instant", "date"},
    "choice": _ANYTHING | {"text", "boolean"},
    "choices": _ANYTHING | {"list"},
    "reference": _ANYTHING | {"reference", "text"},
    "list": _ANYTHING | {"list"},
    "object": _ANYTHING,
}
"""Type of a vendor's field -> the transforms that can stand there. Text can hold anything."""


def check(
    mapping: CompiledMapping, schema: Schema | None = None, *, spec: ConnectorSpec | None = None, laws: bool = True
) -> list[Finding]:
    """Everything to know about a mapping, errors first.

    Args:
        mapping: The mapping; what is wrong in itself was refused when it was loaded.
        schema: The live schema of its object, if it was asked for.
        spec: The connector's own words about itself.
        laws: Try the laws too (some 10 ms).
    """
    found = [
        *(_against_spec(mapping, spec) if spec is not None else ()),
        *(_against(mapping, schema) if schema is not None else ()),
    ]
    if laws:
        try:
            check_laws(mapping, schema)
        except MappingError as error:
            found.append(Finding("error", error))
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


def _against_spec(mapping: CompiledMapping, spec: ConnectorSpec) -> Iterator[Finding]:
    document = mapping.document
    if mapping.provider != spec.provider:
        message = f"the mapping is for {mapping.provider!r}, and the connector is {spec.provider!r}"
        yield Finding("error", document.error(message, ("connector",), kind=MappingError))
        return
    if mapping.object not in spec.objects:
        message = f"{spec.title} has no object {mapping.object!r}"
        hint = did_you_mean(mapping.object, spec.objects)
        yield Finding("error", document.error(message, ("object",), hint=hint, kind=MappingError))
        return
    references = spec.objects[mapping.object].references
    for field in mapping.fields.values():
        match field.transform:
            case Reference(to=to, by=None) if to not in spec.objects:
                hint = did_you_mean(to, spec.objects)
                yield Finding("error", field.error(f"{spec.title} has no object {to!r}", "to", hint=hint))
            case Reference(to=to, by=None, sources=(path, *_)) if references.get(path, to) != to:
                yield Finding("error", field.error(f"{path} points at {references[path]}, not at {to}", "to"))


def _against(mapping: CompiledMapping, schema: Schema) -> Iterator[Finding]:
    lacking: dict[str, str] = {}
    for field in mapping.fields.values():
        if isinstance(field.transform, Custom):
            if not any(path.startswith(field.transform.prefix) for path in schema.fields):
                message = f"no field of {schema.object} begins with {field.transform.prefix}"
                yield Finding("warning", field.error(message, "prefix"))
            continue
        for number, path in enumerate(field.transform.paths):
            info = schema.fields.get(path)
            if info is not None:
                yield from _against_field(field, number, info)
            elif schema.open or _inside_an_object(path, schema):
                continue
            elif schema.lacking and not field.transform.required:
                lacking[path] = field.name
            else:
                hint = did_you_mean(path, schema.fields)
                yield Finding("error", field.error(f"{schema.object} has no field {path!r}", "from", number, hint=hint))
    if lacking:
        leaves = ", ".join(dict.fromkeys(lacking.values()))
        message = (
            f"{schema.object} has no {', '.join(lacking)}: nothing is read there for {leaves}, and no record with one is written"
        )
        hint = f"{schema.lacking}; or name the leaf under skip in the job"
        yield Finding("warning", MappingError(message, hint=hint))
    yield from _missing(mapping, schema)
    if mapping.spec.unmapped == "report":
        named = {path for field in mapping.fields.values() for path in field.transform.paths}
        if rest := [path for path in schema.fields if path not in named]:
            message = f"{len(rest)} fields of {schema.object} are not mapped: {', '.join(rest)}"
            yield Finding("note", mapping.document.error(message, ("unmapped",), kind=MappingError))


def _against_field(field: Field, number: int, info: FieldInfo) -> Iterator[Finding]:
    transform = field.transform
    if transform.writing and not info.writable:
        message = f"{field.name} cannot be written: {info.path} is read-only at the vendor"
        yield Finding("error", field.error(message, "from", number, hint="write access: read"))
    fitting = _FITTING.get(info.type)
    amount = transform.as_ != "money" or number == 0
    if fitting is not None and transform.as_ not in fitting and amount:
        severity: Literal["error", "warning"] = "warning" if transform.as_ == "text" else "error"
        hint = f"write as: {info.type}" if info.type in fitting else ""
        yield Finding(
            severity,
            field.error(f"{field.name}: {info.path} is {_a(info.type)}, which {transform.as_} does not read", "as", hint=hint),
        )
    if isinstance(transform, ListOf) and transform.sep is None and info.type == "text":
        message = f"{field.name}: {info.path} is one text, not a JSON list"
        yield Finding("error", field.error(message, "from", number, hint="say sep, what stands between the items"))
    if isinstance(transform, Enum) and info.choices:
        yield from _against_choices(field, transform, info)


def _against_choices(field: Field, transform: Enum, info: FieldInfo) -> Iterator[Finding]:
    known = {code: label for code, label in info.choices}
    for word, codes in transform.values.items():
        for code in codes:
            if str(code) not in known:
                by_label = [code_ for code_, label in known.items() if label.casefold() == str(code).casefold()]
                hint = f"did you mean {by_label[0]!r}?" if by_label else did_you_mean(str(code), known)
                yield Finding(
                    "error", field.error(f"{field.name}: {info.path} has no choice {code!r}", "values", word, hint=hint)
                )
    mapped = {str(code) for codes in transform.values.values() for code in codes}
    if transform.on_error == "error" and (rest := [code for code in known if code not in mapped]):
        message = f"{field.name}: no word stands for {', '.join(rest)}; records that hold one of these are set aside"
        yield Finding("warning", field.error(message, "values", hint="add rows, or write otherwise: keep"))


def _missing(mapping: CompiledMapping, schema: Schema) -> Iterator[Finding]:
    if not mapping.writes:
        return
    written = {path for field in mapping.fields.values() if field.transform.writing for path in field.transform.paths[:1]}
    written |= {path for field in mapping.fields.values() if field.transform.as_ == "money" for path in field.transform.paths}
    for path, info in schema.fields.items():
        if info.required and info.writable and path not in written and path not in mapping.spec.create:
            message = f"{path} must be given for a new {schema.object}, and nothing here writes it"
            hint = f"map it, or write create: {{{path}: <value>}}"
            yield Finding("warning", mapping.document.error(message, ("fields",), hint=hint, key=True, kind=MappingError))


def _inside_an_object(path: str, schema: Schema) -> bool:
    steps = path.split(".")
    above = (schema.fields.get(".".join(steps[:length])) for length in range(1, len(steps)))
    return any(info is not None and info.type == "object" for info in above)


def _a(type: str) -> str:
    return f"an {type}" if type[0] in "aio" else f"a {type}"
