"""The commands that answer questions: status, exceptions, why, runs, version."""

from __future__ import annotations

import getpass
import json
from typing import Any

from cyclopts import App

from aios_connect.errors import ConfigError, NotFoundError
from aios_connect.model import record_type
from aios_connect.project import Project
from aios_connect.sync import open_exceptions, settle
from aios_connect.sync import runs as list_runs
from aios_connect.sync import status as state_of
from aios_connect.sync import why as explain
from aios_connect.sync.history import done_in, set_aside, undone_in

from .past import RunAnswer, RunsAnswer, WhyAnswer
from .screen import Answer
from .state import StatusAnswer
from .waiting import AsideAnswer, ExceptionsAnswer
from .words import All, Common, Switch

__all__ = ["exceptions", "runs", "status", "why"]

exceptions = App(name="exceptions", help="List what needs a person, and settle it.", help_format="plaintext", version_flags=[])


def status(*, common: Common = Common()) -> Answer:
    """Show what is connected, how fresh it is, and what needs a person.

    No tool is asked.

    Args:
        common: What every command takes.
    """
    with Project.find(common.project) as project:
        return StatusAnswer(project.folder, project.settings, project.jobs, state_of(project.store()))


@exceptions.default
def exceptions_list(*, job: str | None = None, everything: All = False, common: Common = Common()) -> Answer:
    """List what needs a person, and the command that settles each.

    Args:
        job: Of this job only.
        everything: The settled ones too.
        common: What every command takes.
    """
    with Project.find(common.project) as project:
        return ExceptionsAnswer(open_exceptions(project.store(), job=job, everything=everything))


exceptions.command(exceptions_list, name="list", help="List what needs a person.")


@exceptions.command(name="show")
def exceptions_show(id: str, /, *, common: Common = Common()) -> Answer:
    """Show one exception with all that is known about it.

    Args:
        id: Its id.
        common: What every command takes.
    """
    with Project.find(common.project) as project:
        found = [item for item in open_exceptions(project.store(), everything=True) if item.id == id]
    if not found:
        raise NotFoundError(f"there is no exception {id}", hint="aios exceptions lists the open ones")
    return ExceptionsAnswer(found, in_full=True)


@exceptions.command(name="settle")
def exceptions_settle(
    id: str,
    /,
    *,
    take: str | None = None,
    value: str | None = None,
    dismiss: Switch = False,
    by: str | None = None,
    common: Common = Common(),
) -> Answer:
    """Decide an exception. The decision takes effect with the next plan.

    Args:
        id: Its id.
        take: One of its choices: a connection whose value is right, or a word such as same or different.
        value: A value of your own: JSON, or plain text.
        dismiss: It needs nothing.
        by: Who decides; the user of this machine, if not given.
        common: What every command takes.
    """
    if sum([take is not None, value is not None, dismiss]) > 1:
        raise ConfigError("only one decision can be taken", hint="give one of --take, --value and --dismiss")
    with Project.find(common.project) as project:
        decided = settle(
            project.store(),
            id,
            by=by or getpass.getuser(),
            now=project.now(),
            take=take,
            value=None if value is None else _value(value),
            dismiss=dismiss,
        )
    return ExceptionsAnswer([decided], in_full=True)


@exceptions.command(name="aside")
def exceptions_aside(*, common: Common = Common()) -> Answer:
    """List what could not be read as a record, with its place and the reason.

    Args:
        common: What every command takes.
    """
    with Project.find(common.project) as project:
        return AsideAnswer(set_aside(project.store()))


def why(place: str, /, *, common: Common = Common()) -> Answer:
    """Explain one value: where it comes from and who changed it.

    Args:
        place: KIND/ID.FIELD, such as deal/42.stage or person/P-007.phones.mobile; the id is ours or a tool's.
        common: What every command takes.
    """
    kind, slash, rest = place.partition("/")
    id, dot, leaf = rest.partition(".")
    if not (slash and dot and id and leaf):
        raise ConfigError(f"{place!r} names no field of a record", hint="write KIND/ID.FIELD, such as deal/42.stage")
    kind = record_type(kind).kind
    with Project.find(common.project) as project:
        return WhyAnswer(explain(project.store(), kind, id, leaf))


def runs(run: str | None = None, /, *, limit: int = 20, everything: All = False, common: Common = Common()) -> Answer:
    """List the runs, or everything that one run wrote.

    Args:
        run: Id of a run.
        limit: How many runs to list.
        everything: Show every record and every field of the run.
        common: What every command takes.
    """
    with Project.find(common.project) as project:
        store = project.store()
        if run is None:
            return RunsAnswer(list_runs(store, limit))
        found = list_runs(store, id=run)
        if not found:
            raise NotFoundError(f"there is no run {run}", hint="aios runs lists the runs")
        return RunAnswer(found[0], list(done_in(store, run)), undone_in(store, run), everything=everything)


def _value(text: str) -> Any:
    """A value as a person types it: JSON where it is JSON, else text. Numbers are text in canonical form, unless whole."""
    try:
        value = json.loads(text, parse_float=str)
    except json.JSONDecodeError:
        return text
    return value
