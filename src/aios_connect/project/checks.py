"""Checking a project: everything that can be known before the first record is read, and on request what the tools say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aios_connect.connection import Connection, shipped_mappings
from aios_connect.connection.opening import load_mapping, mapping_files
from aios_connect.connection.settings import way_of
from aios_connect.connectors import ConnectorSpec, registry
from aios_connect.errors import AiosError, ConfigError, ProviderError
from aios_connect.mappings import check as check_mapping
from aios_connect.mappings import run_examples
from aios_connect.mappings.documents import did_you_mean
from aios_connect.model import CUSTOM_PREFIX, leaves

if TYPE_CHECKING:
    from aios_connect.sync import Job, KindRule

    from .wiring import Project

__all__ = ["Finding", "check"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes:
        severity: ``ok``, ``warning`` (it works, and somebody should know) or ``error``.
        subject: What was checked: ``connection crm``, ``mapping crm/people``, ``job sheet-and-crm``.
        message: What was found.
        hint: The way out.
        exit_code: What the command ends with if this is the worst.
    """

    severity: Literal["ok", "warning", "error"]
    subject: str
    message: str
    hint: str = ""
    exit_code: int = 0

    @classmethod
    def of(cls, subject: str, error: AiosError) -> Finding:
        """What an error says."""
        return cls("error", subject, str(error), error.hint, error.exit_code)


def check(project: Project, *, live: bool) -> list[Finding]:
    """Check a project; see :meth:`Project.check`."""
    findings = _collected("store", _check_store(project))
    if not project.connections:
        hint = "aios connect NAME --provider PROVIDER makes one"
        findings.append(Finding("warning", "connections", "there is no connection yet", hint))
    for name in project.connections:
        findings += _collected(f"connection {name}", _check_connection(project, name, live))
    for provider in _unconnected(project):
        for files in mapping_files(shipped_mappings(provider), [project.folder / project.settings.mappings / provider]).values():
            findings += _collected(
                _subject(provider, files[0]), _check_file(project, provider, registry.load(provider).spec, files)
            )
    for name in project.jobs:
        findings += _collected(f"job {name}", _check_job(project, name))
    return findings


def _collected(subject: str, found: Iterator[Finding]) -> list[Finding]:
    """What was found, up to an error that ends the checking of this subject."""
    findings = []
    try:
        for finding in found:  # what came before an error counts
            findings.append(finding)
    except AiosError as error:
        findings.append(Finding.of(subject, error))
    return findings


def _check_store(project: Project) -> Iterator[Finding]:
    yield Finding("ok", "store", f"{project.store().dialect}, its schema is up to date")


def _check_connection(project: Project, name: str, live: bool) -> Iterator[Finding]:
    spec = project.spec(name)
    told = project.connection_settings(name)
    files = mapping_files(shipped_mappings(spec.provider), project.mapping_folders(name))
    if not files:
        hint = f"write {project.settings.mappings}/{spec.provider}/<object>.yaml"
        yield Finding("warning", f"connection {name}", f"{spec.title} has no mapping yet", hint)
    found = [
        one for pair in files.values() for one in _collected(_subject(name, pair[0]), _check_file(project, name, spec, pair))
    ]
    yield from found
    if any(finding.severity == "error" for finding in found):
        return
    connection = project.connection(name)
    way = f", signed in to by {way_of(spec, told).kind}" if len(spec.auth) > 1 else ""
    if not live:
        yield Finding("ok", f"connection {name}", f"{spec.title}{way}, not asked")
        return
    identity = connection.connector.check()
    yield Finding("ok", f"connection {name}", f"{spec.title}, {identity.account}, as {identity.user}{way}")
    for operation, need in identity.missing.items():
        hint = f"grant it, then aios connect {name}"
        yield Finding("error", f"connection {name}", f"cannot {operation}: it needs {need}", hint, ProviderError.exit_code)
    used = {kind for job in _jobs(project) if name in job.connections for kind in job.kinds}
    for kind in connection.kinds:
        subject = f"live {connection.name}/{connection.mapping(kind).object}"
        for finding in _collected(subject, _check_live(connection, kind, subject)):
            idle = finding.severity != "ok" and kind not in used
            yield replace(finding, severity="warning", exit_code=0, hint=f"no job uses it; {finding.hint}") if idle else finding


def _check_file(project: Project, name: str, spec: ConnectorSpec, files: tuple[Path, Path | None]) -> Iterator[Finding]:
    """A mapping by itself: the file, the laws, the examples."""
    mapping = load_mapping(*files, spec, project.settings.functions)
    results = run_examples(mapping)
    for result in results:
        if not result.ok:
            raise result.error()
    said = f"{mapping.kind}: reads {len(mapping.reads)} leaves, writes {len(mapping.writes)}"
    yield Finding("ok", _subject(name, files[0]), f"{said}, {len(results)} example{'' if len(results) == 1 else 's'}")


def _check_live(connection: Connection, kind: str, subject: str) -> Iterator[Finding]:
    """A mapping against the fields that the tool really has."""
    mapping = connection.mapping(kind)
    found = check_mapping(mapping, connection.connector.describe(mapping.object), spec=connection.connector.spec)
    for one in found:
        error = one.severity == "error"
        yield Finding(
            "error" if error else "warning", subject, str(one.error), one.error.hint, one.error.exit_code if error else 0
        )
    if not found:
        yield Finding("ok", subject, "every field is there and can hold what is written")


def _subject(name: str, file: Path) -> str:
    return f"mapping {name}/{file.stem}"


def _unconnected(project: Project) -> list[str]:
    """Providers the project has mappings for and no connection to."""
    connected = {*project.connections, *(connection.provider for connection in project.connections.values())}
    folders = sorted(folder.name for folder in (project.folder / project.settings.mappings).glob("*/") if folder.is_dir())
    return [name for name in folders if name in registry.available() and name not in connected]


def _jobs(project: Project) -> Iterator[Job]:
    """The jobs that load; what is wrong with the others is found in its place."""
    for name in project.jobs:
        with suppress(AiosError):
            yield project.job(name)


def _check_job(project: Project, name: str) -> Iterator[Finding]:
    job = project.job(name)
    wrong = list(_job_errors(project, job))
    yield from wrong
    if not wrong:
        yield Finding("ok", f"job {name}", f"keeps {', '.join(job.ordered_kinds())} of {' and '.join(job.connections)} in step")


def _job_errors(project: Project, job: Job) -> Iterator[Finding]:
    def wrong(message: str, hint: str) -> Finding:
        return Finding("error", f"job {job.job}", message, hint, ConfigError.exit_code)

    unknown = [one for one in job.connections if one not in project.connections]
    for one in unknown:
        hint = did_you_mean(one, project.connections) or f"aios connect {one} --provider PROVIDER makes it"
        yield wrong(f"there is no connection {one!r}", hint)
    if unknown:
        return
    if not job.kinds:
        yield wrong("it keeps no kind of record in step", "name them: kinds: {person: {}}")
    connections = project.connections_of(job)
    for kind, rule in job.kinds.items():
        named = job.connections if rule.between is None else rule.between
        mapped = [one for one in named if kind in connections[one].kinds]
        if not mapped:
            yield wrong(f"{kind}: none of {', '.join(named)} has a mapping for it", "write one, or take the kind out of the job")
        for one in rule.create:
            if one not in mapped:
                yield wrong(f"{kind}: {one} has no mapping to create it with", f"write one, or take {one} out of create")
            elif "create" not in connections[one].object(kind).verbs:
                yield wrong(f"{kind}: {one} cannot create it", f"take {one} out of create")
        for leaf, hint in _unknown_leaves(kind, rule):
            yield wrong(f"{kind}: there is no leaf {leaf!r}", hint)


def _unknown_leaves(kind: str, rule: KindRule) -> Iterator[tuple[str, str]]:
    """The leaves and patterns of a rule that fit nothing, each with a hint."""
    known = leaves(kind)
    for pattern in {*rule.authority, *rule.skip, *rule.match} - {"default"}:
        if not pattern.startswith(CUSTOM_PREFIX) and not any(fnmatchcase(leaf, pattern) for leaf in known):
            yield pattern, did_you_mean(pattern, known)
