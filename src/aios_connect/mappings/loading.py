"""Loading a mapping: file, company overlay, the checks that need nobody's answer, compilation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from aios_connect.errors import ConfigError, MappingError
from aios_connect.expressions import Expression
from aios_connect.expressions import compile as compile_expression
from aios_connect.model import CUSTOM_PREFIX
from aios_connect.model import leaf as model_leaf
from aios_connect.model.canonical import LeafType, is_canonical

from .compile import Field
from .computed import Constant, Custom, Expr, Function
from .contacts import PersonName
from .documents import Document, Steps, did_you_mean, parse_document
from .mapping import CompiledMapping
from .spec import TRANSFORMS, MappingFile
from .transform import Single, Transform
from .values import Enum, Reference

__all__ = ["load", "loads"]

_WHAT: Final = ("from", "const", "expr", "prefix")
"""Options that say what a field is; an overlay's entry with one of them stands for itself."""


_VALUES: Final = tuple(transform for transform in TRANSFORMS if transform not in (PersonName, Constant, Expr, Custom, Function))


def load(path: Path, *, overlay: Path | None = None, functions: Collection[str] = ()) -> CompiledMapping:
    """Read, check and compile a mapping file.

    Args:
        path: The file.
        overlay: The company's own file for the same object: adds and replaces fields, rows of tables, defaults. Of the examples
            its own count.
        functions: Modules that ``as: function`` may name.

    Raises:
        MappingError: It is wrong; with file, line, column and the way out.
    """
    return _compiled(_merged(_parsed(path), _parsed(overlay) if overlay else None), functions)


def loads(text: str, *, file: str = "", overlay: str | None = None, functions: Collection[str] = ()) -> CompiledMapping:
    """The same for text. ``file`` is what errors call it; its overlay is called the overlay."""
    over = parse_document(overlay, file="overlay", kind=MappingError) if overlay is not None else None
    return _compiled(_merged(parse_document(text, file=file, kind=MappingError), over), functions)


def _parsed(path: Path) -> Document:
    return parse_document(path, kind=MappingError)


def _merged(document: Document, overlay: Document | None) -> Document:
    """The document with the company's laid over it, every piece at the place of the file it comes from.

    Examples belong to the file they stand in: those below say what is true without an overlay.
    """
    if overlay is None or not isinstance(document.data, dict):
        return document
    if not isinstance(overlay.data, dict):
        raise overlay.error("an overlay is a mapping file", hint="write connector:, object: and fields:", kind=MappingError)
    for name in ("connector", "object"):
        if overlay.data.get(name) != document.data.get(name):
            raise overlay.error(
                f"{name}: this overlay is for {overlay.data.get(name)!r}, not for {document.data.get(name)!r}",
                (name,),
                hint=f"write {name}: {document.data.get(name)}",
                kind=MappingError,
            )
    merged = Document(document.data, dict(document.keys), dict(document.values))
    below = {name: value for name, value in document.data.items() if name != "examples"}
    merged.data = _laid_over(merged, overlay, below, overlay.data, ())
    return merged


def _laid_over(merged: Document, overlay: Document, below: Any, above: Any, path: Steps) -> Any:
    one_field = len(path) == 2 and path[0] == "fields"
    if isinstance(below, str) and one_field and isinstance(above, dict):
        below = {"from": below}
    together = isinstance(below, dict) and isinstance(above, dict) and (not one_field or not any(name in above for name in _WHAT))
    if not together:
        for places, from_places in ((merged.keys, overlay.keys), (merged.values, overlay.values)):
            for steps in [steps for steps in places if steps[: len(path)] == path]:
                del places[steps]
            places.update({steps: place for steps, place in from_places.items() if steps[: len(path)] == path})
        return above
    for steps, place in overlay.keys.items():
        if steps == path:
            merged.keys[path] = place
    return {
        **below,
        **{name: _laid_over(merged, overlay, below.get(name), value, (*path, name)) for name, value in above.items()},
    }


def _compiled(document: Document, functions: Collection[str]) -> CompiledMapping:
    spec = document.validated(MappingFile, kind=MappingError)
    fields = {name: _field(document, spec, name, transform) for name, transform in spec.fields.items()}
    for field in fields.values():
        if isinstance(field.transform, Function):
            field.transform.bind(partial(_function, field, functions))
    for fault in _faults(list(fields.values())):
        raise fault
    expressions = {name: _expression(field, fields) for name, field in fields.items() if isinstance(field.transform, Expr)}
    return CompiledMapping(spec, fields, expressions, document)


def _field(document: Document, spec: MappingFile, name: str, transform: Transform) -> Field:
    """The field of an entry, its leaves looked up in the model."""
    path = ("fields", name)
    parts = {steps[2:]: place for steps, place in document.values.items() if steps[:2] == path and len(steps) > 2}
    if isinstance(document.data["fields"][name], str):
        parts = {("from",): document.values[path]}
    field = Field(name, (), transform, document.place(path, key=True), parts)
    if isinstance(transform, Custom):
        if name != CUSTOM_PREFIX.rstrip("."):
            raise field.error(f"{name}: a prefix gives custom fields", hint="call it custom")
        return field
    names = (f"{name}.given", f"{name}.family") if isinstance(transform, PersonName) else (name,)
    try:
        leaves = tuple(model_leaf(spec.kind, leaf) for leaf in names)
    except MappingError as error:
        raise field.error(error.message, hint=error.hint) from None
    for leaf in leaves:
        if leaf.type not in transform.accepts:
            fits = [one.model_fields["as_"].default for one in _VALUES if leaf.type in one.accepts]
            raise field.error(
                f"{name} is of type {leaf.type}, which {transform.as_} does not give", "as", hint=f"write as: {' or '.join(fits)}"
            )
    return replace(field, leaves=leaves)


def _faults(fields: Sequence[Field]) -> Iterator[MappingError]:
    """What is wrong in itself, whatever the vendor's schema says."""
    written: dict[str, str] = {}
    given: dict[str, str] = {}
    for field in fields:
        transform = field.transform
        for leaf in field.leaves:
            if (other := given.setdefault(leaf.name, field.name)) != field.name:
                yield field.error(f"{field.name} gives {leaf.name}, and so does {other}", hint="keep one of the two")
        if transform.writing and transform.loses and transform.lossy != "allow":
            yield field.error(
                f"{field.name}: writing it loses {transform.loses}",
                hint="write access: read; or lossy: allow, if that does not matter",
            )
        for number, path in enumerate(transform.paths if transform.writing else ()):
            if (other := written.setdefault(path, field.name)) != field.name:
                message = f"{field.name} writes {path}, and so does {other}"
                yield field.error(message, "from", number, hint="write access: read on one of them")
        match transform:
            case Single(empty="keep", clear="") if transform.writing:
                message = f'{field.name}: empty text is kept, and clearing writes "": the two cannot be told apart'
                yield field.error(message, "empty", hint="write clear: null, or leave empty out")
            case Constant(const=value) if not is_canonical(field.leaves[0].type, value, field.leaves[0].choices):
                yield field.error(f"{field.name}: {value!r} is no canonical {field.leaves[0].type}", "const")
            case Reference(by=str()):
                yield from _reference_faults(field, transform)
            case Enum():
                yield from _enum_faults(field, transform)


def _reference_faults(field: Field, transform: Reference) -> Iterator[MappingError]:
    wanted = field.leaves[0].to
    if wanted and transform.to != wanted:
        message = f"{field.name} points at a {wanted}, not at a {transform.to}"
        yield field.error(message, "to", hint=f"with by, to names the kind: to: {wanted}")
        return
    try:
        model_leaf(transform.to, transform.by or "")
    except ConfigError as error:
        yield field.error(f"{field.name}: {error.message}", "by", hint=error.hint)


def _enum_faults(field: Field, transform: Enum) -> Iterator[MappingError]:
    leaf = field.leaves[0]
    if leaf.type == "choice":
        for word in transform.values:
            if word not in leaf.choices:
                yield field.error(f"{word!r} is no {field.name}", "values", word, hint=did_you_mean(word, leaf.choices))
    if transform.writing and transform.ambiguous is not None:
        first, second, code = transform.ambiguous
        yield field.error(
            f"{field.name}: {first!r} and {second!r} are both {code!r}; what is written as {second!r} is read as {first!r}",
            "values",
            second,
            hint="give each word a code of its own, or write access: read",
        )


def _function(field: Field, allowed: Collection[str], name: str) -> Callable[[Any], Any]:
    option = "get" if isinstance(field.transform, Function) and field.transform.read == name else "put"
    module, _, attribute = name.partition(":")
    if module not in allowed:
        raise field.error(
            f"{field.name}: the module {module!r} is not on the list of allowed modules",
            option,
            hint="a person who trusts it adds it to functions in the project's settings",
        )
    try:
        loaded = import_module(module)
    except ImportError as error:
        raise field.error(f"{field.name}: the module {module!r} cannot be imported: {error}", option) from error
    found = getattr(loaded, attribute, None)
    if not callable(found):
        known = [name for name in dir(loaded) if not name.startswith("_")]
        raise field.error(f"{field.name}: {module!r} has no function {attribute!r}", option, hint=did_you_mean(attribute, known))
    return found  # type: ignore[no-any-return]


def _expression(field: Field, fields: Mapping[str, Field]) -> Expression:
    """The compiled expression of a field; it may use every leaf that is read and is no expression itself."""
    transform = field.transform
    assert isinstance(transform, Expr)
    known = {
        leaf.name: _plainly(other.type(leaf))
        for other in fields.values()
        if other.transform.reading and not isinstance(other.transform, Expr)
        for leaf in other.leaves
    }
    try:
        expression = compile_expression(transform.expr, known)
    except ConfigError as error:
        raise _inside(field, error) from None
    leaf = field.leaves[0]
    if leaf.type != "any" and expression.type not in (_plainly(leaf.type), "any"):
        raise field.error(f"{field.name} is of type {leaf.type}, and the expression gives {expression.type}", "expr")
    return expression


def _plainly(type: LeafType) -> LeafType:
    """The type an expression knows a leaf by."""
    return "text" if type in ("choice", "phone", "email", "reference", "date") else type


def _inside(field: Field, error: ConfigError) -> MappingError:
    """An expression's error at its place in the file, down to the character if the expression stands there as it is."""
    wrong = field.error(f"{field.name}: {error.message}", "expr", hint=error.hint)
    begin = wrong.excerpt.find(error.excerpt, max(wrong.column - 1, 0)) if error.excerpt and error.line == 1 else -1
    if begin >= 0:
        wrong.column = begin + error.column
    return wrong
