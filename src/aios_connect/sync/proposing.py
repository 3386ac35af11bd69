"""From one merged entity to the lines of a plan, and to the questions only a person can answer. Pure but for the references."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Raw
from aios_connect.errors import MappingError
from aios_connect.store.records import RecordRow, loads

from .jobs import Job, KindRule
from .merging import Leaves
from .paths import at_path, leaf_paths, put_at, value_at
from .plans import Agreement, FieldChange, PlanLine
from .references import References
from .restless import TIMES, as_written
from .subjects import Subject, allowed_writes, seen_digest

__all__ = ["Question", "agreed_base", "expected", "lines_of"]


@dataclass(frozen=True, slots=True)
class Question:
    """Something a plan must leave to a person."""

    code: str
    entity: str
    leaf: str | None
    summary: str
    choices: dict[str, Any]

    def dedupe(self, job: str) -> str:
        """The same question has the same name."""
        return f"{self.code}:{job}:{self.entity}:{self.leaf or ''}"

    def as_exception(self, job: str) -> dict[str, Any]:
        """Arguments of ``raise_exception``."""
        return {
            "code": self.code,
            "severity": "warn",
            "dedupe": self.dedupe(job),
            "summary": self.summary,
            "choices": self.choices,
            "entity": self.entity,
            "leaf": self.leaf,
        }


def lines_of(
    subject: Subject,
    parts: Sequence[Connection],
    job: Job,
    references: References,
    decided: str | None,
    held: Collection[tuple[str, str]] = (),
) -> Iterator[PlanLine | Question]:
    """Everything that comes of one entity, in no particular order; line ids are given later.

    Args:
        subject: The merged entity.
        parts: The connections that take part.
        job: The job.
        references: Knows how each connection calls the entities this one points at.
        decided: What a person decided about its delete on one side: ``delete``, ``keep`` or ``recreate``.
        held: Entities and connections where a person must first tell whether it is there already.
    """
    rule = job.kinds[subject.entity.kind]
    for conflict in subject.merged.conflicts:
        said = "; ".join(f"{name} says {_short(value)}" for name, value in conflict.values.items())
        yield Question(
            "conflict", subject.entity.id, conflict.leaf, f"{_title(subject)}: {conflict.leaf}: {said}", dict(conflict.values)
        )
    fate = _fate(subject, parts, rule, decided)
    if isinstance(fate, Question):
        yield fate
        return
    if fate == "delete":
        for connection in parts:
            if connection.name in subject.living:
                yield _delete(subject, connection)
        return
    if not subject.living:
        yield from filter(None, [_note(subject, references, set())])
        return
    outstanding = set()
    for connection in parts:
        record = subject.living.get(connection.name)
        if record is not None:
            if not record.linked:
                yield _link(subject, record)
            told = _update(subject, connection, record, rule, references)
        elif (
            connection.name in rule.create
            and (connection.name not in subject.dead or fate == "recreate")
            and (subject.entity.id, connection.name) not in held
        ):
            told = _create(subject, connection, rule, references)
        else:
            continue
        for code, reasons in (("unwritable", told.refused), ("echo_loop", told.restless)):
            for leaf, reason in reasons.items():
                yield Question(code, subject.entity.id, leaf, f"{_title(subject)} in {connection.name}: {reason}", {})
        if told.line is not None or told.refused or told.restless:
            outstanding.add(connection.name)
        if told.line is not None:
            yield told.line
    for name, seen in subject.seen.items():
        for leaf in references.unresolved(name, seen):
            if references.kind_of(leaf) not in job.kinds:
                continue  # the job does not keep what it points at
            summary = f"{subject.living[name].place} ({_title(subject)}): its {leaf} {_short(seen[leaf])} is nobody we know"
            yield Question("unresolved_reference", subject.entity.id, leaf, summary, {})
    note = _note(subject, references, outstanding)
    if note is not None:
        yield note


def _fate(
    subject: Subject, parts: Sequence[Connection], rule: KindRule, decided: str | None
) -> Literal["go on", "delete", "recreate"] | Question:
    """What becomes of an entity that is gone on one side."""
    if not subject.living or not subject.dead or rule.deletes == "ignore" or decided == "keep":
        return "go on"
    if decided == "delete" or decided == "recreate":
        return "delete" if decided == "delete" else "recreate"
    edited = [name for name in subject.living if subject.edited(name)]
    doubtful = any(record.gone == "merged" or _nameless(record, parts) for record in subject.dead.values())
    doubtful = doubtful or any(subject.entity.gone and record.linked for record in subject.living.values())  # it came back
    if rule.deletes == "follow" and not edited and not doubtful:
        return "delete"
    how = "; ".join(
        f"{record.gone} in {name}" + (f" into {record.survivor}" if record.survivor else "")
        for name, record in subject.dead.items()
    )
    where = ", ".join(subject.living) + (f" (edited in {', '.join(edited)} since)" if edited else "")
    choices = {"delete": f"delete it in {', '.join(subject.living)} too", "keep": "leave it as it is"}
    if any(name in rule.create for name in subject.dead):
        choices["recreate"] = f"make it again in {', '.join(name for name in subject.dead if name in rule.create)}"
    return Question("deleted_elsewhere", subject.entity.id, None, f"{_title(subject)}: {how}, still in {where}", choices)


def _nameless(record: RecordRow, parts: Sequence[Connection]) -> bool:
    """True for a row that never got a key: it is known by its content only, so a corrected row looks like a deleted one."""
    spec = next(part.connector.spec.objects[record.object] for part in parts if part.name == record.connection)
    return spec.deletes == "file" and bool(spec.key) and at_path(spec.key)(loads(record.raw)) in (None, "")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a connection is to be told: a line, if anything changes there, and the leaves it cannot be told, or is not told again."""

    line: PlanLine | None
    refused: dict[str, str]
    restless: dict[str, str] = field(default_factory=dict)


def _update(subject: Subject, connection: Connection, record: RecordRow, rule: KindRule, references: References) -> _Told:
    resolved, allowed = subject.resolved[connection.name], allowed_writes(connection, subject.entity.kind, rule)
    unknown = references.unresolved(connection.name, subject.seen[connection.name])  # it says something, we know not what
    cleared = subject.still(subject.cleared[connection.name])
    lost = {leaf for leaf in cleared if not references.is_at(connection.name, subject.merged.leaves[leaf])}
    silent = lost | subject.still(subject.unclear[connection.name])
    told = {
        leaf: value
        for leaf, value in subject.merged.leaves.items()
        if leaf in allowed
        and leaf not in subject.open_leaves
        and leaf not in unknown
        and leaf not in silent
        and value != resolved.get(leaf)
        and (value is not None or leaf in resolved)
    }
    restless = _restless(subject, connection, told, references)
    told = {leaf: value for leaf, value in told.items() if leaf not in restless}
    if not told:
        return _Told(None, {}, restless)
    seen, raw = subject.seen[connection.name], loads(record.raw)
    line = _line("update", subject, connection)
    line.id, line.version, line.seen = record.id, record.version, seen_digest(record.seen)
    line.waiting = bool(subject.open_leaves & seen.keys() or restless)
    refused = _fill(line, subject, connection, told, seen, raw, references)
    line.expect = expected(raw, line.patch)
    return _Told(line if line.patch or line.later else None, refused, restless)


def _restless(subject: Subject, connection: Connection, told: Leaves, references: References) -> dict[str, str]:
    """Leaves whose value was written there again and again, and never stayed -> a sentence for a person."""
    written = subject.written.get(connection.name)
    if not written:
        return {}
    named = {leaf: references.named(leaf, value) for leaf, value in told.items()}
    return {
        leaf: f"its {leaf} was written {written[leaf, as_written(value)]} times within a day as {_short(value)} and changed there each time; "
        "is there an automation that changes it? It is left alone until a day has passed"
        for leaf, value in named.items()
        if written[leaf, as_written(value)] >= TIMES
    }


def _create(subject: Subject, connection: Connection, rule: KindRule, references: References) -> _Told:
    mapping = connection.mapping(subject.entity.kind)
    spec = connection.connector.spec.objects[mapping.object]
    told = {
        leaf: value
        for leaf, value in subject.merged.leaves.items()
        if value is not None and leaf in mapping.writes and leaf not in subject.open_leaves and not rule.leaves_alone(leaf)
    }
    if "create" not in spec.verbs or not told:
        return _Told(None, {})
    line = _line("create", subject, connection)
    line.key = subject.entity.id if spec.key else None
    refused = _fill(line, subject, connection, told, {}, None, references)
    return _Told(line if line.patch else None, refused)


def _line(action: Literal["create", "update"], subject: Subject, connection: Connection) -> PlanLine:
    return PlanLine(
        line="",
        action=action,
        kind=subject.entity.kind,
        entity=subject.entity.id,
        label=_title(subject),
        connection=connection.name,
        object=connection.mapping(subject.entity.kind).object,
        entity_version=subject.version_after,
    )


def _fill(
    line: PlanLine, subject: Subject, connection: Connection, told: Leaves, seen: Leaves, raw: Raw | None, references: References
) -> dict[str, str]:
    """Put patch, pending references and fields into a line; returns the leaves that cannot be said there, with the reason."""
    mapping = connection.mapping(subject.entity.kind)
    spelled, later, lacking = references.spelled(mapping, connection.name, told)
    refused = {leaf: f"its {leaf} {references.label(told[leaf])} is not there, and the job makes none there" for leaf in lacking}
    try:
        line.patch = mapping.put(spelled, seen, raw)
    except MappingError:  # one value cannot be said: find it, and say the others
        for leaf, value in list(spelled.items()):
            try:
                mapping.put({leaf: value}, seen, raw)
            except MappingError as error:
                refused[leaf] = error.message
                del spelled[leaf]
        line.patch = mapping.put(spelled, seen, raw)
    line.waiting = line.waiting or bool(refused)
    line.later = {leaf: pending.entity for leaf, pending in later.items()}
    line.fields = [
        _field(subject, leaf, seen.get(leaf), value, references)
        for leaf, value in told.items()
        if leaf in spelled or leaf in later
    ]
    return refused


def _delete(subject: Subject, connection: Connection) -> PlanLine:
    record = subject.living[connection.name]
    return PlanLine(
        line="",
        action="delete",
        kind=subject.entity.kind,
        entity=subject.entity.id,
        label=_title(subject),
        connection=connection.name,
        object=record.object,
        id=record.id,
        expect=loads(record.raw),
        version=record.version,
        entity_version=subject.entity.version,
        seen=seen_digest(record.seen),
        evidence=", ".join(f"{dead.gone} in {name}" for name, dead in subject.dead.items()),
    )


def _link(subject: Subject, record: RecordRow) -> PlanLine:
    return PlanLine(
        line="",
        action="link",
        kind=subject.entity.kind,
        entity=subject.entity.id,
        label=_title(subject),
        connection=record.connection,
        object=record.object,
        id=record.id,
        evidence=record.evidence or "",
        seen=seen_digest(record.seen),
    )


def _note(subject: Subject, references: References, outstanding: set[str]) -> PlanLine | None:
    """What the store takes note of: new values of the entity, and records that are now as agreed."""
    after, agreements = subject.version_after, []
    for name, record in subject.living.items():
        waiting, unknown = subject.open_leaves & subject.seen[name].keys(), references.unresolved(name, subject.seen[name])
        unheard = subject.merged.leaves.keys() & set(unknown)  # who points at somebody unknown is told nothing else meanwhile
        in_step = name not in outstanding and not waiting and not unheard
        silent = subject.still(subject.cleared[name]) | subject.still(subject.unclear[name])
        open_ = sorted(waiting | silent) + unknown
        agreement = Agreement(name, record.object, record.id, seen_digest(record.seen), open_, in_step, name in outstanding)
        known = loads(record.base) if record.base else {}
        news = record.base is None or agreed_base(subject.seen[name], known, open_) != known
        if news or (record.given != after and agreement.in_step):
            agreements.append(agreement)
    fields = [FieldChange(d.leaf, d.old, d.new, d.rule, d.source, d.at) for d in subject.merged.decisions]
    retire = not subject.living and bool(subject.dead)
    revived = bool(subject.entity.gone and subject.living)
    if not (fields or agreements or subject.entity.proposed or retire or revived):
        return None
    return PlanLine(
        line="",
        action="note",
        kind=subject.entity.kind,
        entity=subject.entity.id,
        label=_title(subject),
        fields=fields,
        entity_version=subject.entity.version,
        agreements=agreements,
        retire=retire,
    )


def agreed_base(seen: Leaves, known: Leaves, open_: Collection[str]) -> Leaves:
    """The base of a record once its present state is agreed: what it shows now, and what was agreed before for the open leaves.

    Args:
        seen: What it shows.
        known: What was agreed before.
        open_: Leaves that wait for a person, that nobody can resolve, or that the record is silent about.
    """
    agreed = {leaf: known[leaf] if leaf in open_ else value for leaf, value in seen.items() if leaf not in open_ or leaf in known}
    return agreed | {leaf: known[leaf] for leaf in open_ if leaf not in seen and leaf in known}


def expected(raw: Raw, patch: dict[str, Any]) -> Raw:
    """What the patched places hold now, in the shape of the patch."""
    result: Raw = {}
    for path in leaf_paths(patch):
        put_at(result, path, value_at(raw, path))
    return result


def _field(subject: Subject, leaf: str, old: Any, new: Any, references: References) -> FieldChange:
    rule, source, at = subject.told_by(leaf)
    return FieldChange(leaf, old, references.named(leaf, new), rule, source, at)


def _title(subject: Subject) -> str:
    return subject.label or subject.entity.id


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
