"""Writing: as many changes as there are in one call, refused ones found by halving, none over a newer record.

A call is one transaction in Tryton: all of it happens or nothing. So a refused call is cut in halves until what is wrong stands
alone. What takes several calls (a new state is reached by pressing buttons) is taken back if a later one is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from aios_connect.connectors import AmbiguousWriteError, Change, ConflictError, ProviderError, Raw, Receipt, RejectedError

from .model import KEY, UNFINISHED, Seen
from .reading import Records
from .references import References
from .rpc import Rpc
from .wire import instant
from .workflow import ENDED, OPEN, START, path

__all__ = ["Writer"]

ATTACHMENT: Final = "ir.attachment"
_STALE: Final = "it was changed in Tryton since it was read"
_GONE: Final = "it is not in Tryton any more"


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing to do to one record; steps of a kind are done to many records with one call.

    Attributes:
        kind: What to do.
        values: What to create or write.
        button: What to press.
        leads: The state the record is in afterwards.
    """

    kind: Literal["create", "write", "press", "finish", "delete"]
    values: dict[str, Any] = field(default_factory=dict)
    button: str = ""
    leads: str = ""


@dataclass(slots=True, eq=False)
class _Task:
    """A change and how far it has come.

    Attributes:
        change: The change.
        place: Its place among the receipts.
        steps: What is left to do.
        before: The record as it was, if it had to be looked at.
        stamps: What the next step is checked against.
        id: The record's id, once there is one.
        begun: A step of it was done.
        reached: The state our last button led to, if we pressed one.
        returning: It takes back what another task did.
        found: It was made without an answer, and found afterwards.
    """

    change: Change
    place: int
    steps: list[_Step]
    before: Seen | None = None
    stamps: dict[str, str] = field(default_factory=dict)
    id: int | None = None
    begun: bool = False
    reached: str = ""
    returning: bool = False
    found: bool = False


class Writer:
    """Carries out the changes of one call of ``write``.

    Args:
        records: The object's records.
        rpc: The way to Tryton.
        references: Ids by code.
    """

    def __init__(self, records: Records, rpc: Rpc, references: References) -> None:
        self._records = records
        self._model = records.model
        self._rpc = rpc
        self._references = references
        self._receipts: dict[int, Receipt] = {}
        self._written: list[_Task] = []
        self._touched = False
        self._begun: dict[str, Seen] = {}

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in their order.

        Raises:
            ProviderError: Nothing was written.
        """
        before = self._look(changes)
        self._begun = self._look_for_unfinished(changes)
        people = [person for change in changes if (person := (change.patch.get("contact") or {}).get("person")) is not None]
        self._references.forget_contacts()
        self._references.load_contacts(people)
        tasks = []
        for place, change in enumerate(changes):
            outcome = self._begin(change, place, before)
            if isinstance(outcome, Receipt):
                self._receipts[place] = outcome
            else:
                tasks.append(outcome)
        try:
            self._run(tasks)
        except ProviderError as error:
            if not self._touched:
                raise
            stopped = f"Tryton stopped answering on the way: {error.message}"
        else:
            stopped = ""
        self._read_back(look=not stopped)
        for task in tasks:
            if task.place not in self._receipts:
                self._settle(task, "ambiguous", stopped)
        return [self._receipts[place] for place in range(len(changes))]

    def _look(self, changes: Sequence[Change]) -> dict[int, Seen] | None:
        """The records as they are, unless Tryton can do the comparing alone: one version, one row, one step."""
        if changes[0].action == "create":
            return {}
        plain = not self._model.parts and all(change.version and not self._staged(change) for change in changes)
        return None if plain else self._records.by_id([int(change.id) for change in changes if change.id])

    def _look_for_unfinished(self, changes: Sequence[Change]) -> dict[str, Seen]:
        """What an earlier call began to make and was stopped at, by key."""
        goals = {change.key: change.patch.get("state") for change in changes if change.action == "create" and change.key}
        return self._records.by_key([key for key, goal in goals.items() if goal not in (None, START)], unfinished=True)

    def _staged(self, change: Change) -> bool:
        """It touches what hangs together with the rest of the record: its state, or who it is with."""
        return change.action == "delete" or not change.patch.keys().isdisjoint({"state", "party", "contact"})

    def _begin(self, change: Change, place: int, known: dict[int, Seen] | None) -> Receipt | _Task:
        """What is to be done for a change; a receipt if that is nothing."""
        if change.action == "create":
            half = self._begun.get(change.key or "")
            if half is None:
                return self._with_steps(_Task(change, place, []))
            steps = self._rest(half.raw["state"], str(change.patch["state"]))
            return _Task(change, place, steps, half, dict(half.stamps), int(half.id), begun=True)
        id = int(change.id or 0)
        if known is None:
            stamps = {f"{self._model.name},{id}": change.version or ""}
            return self._with_steps(_Task(change, place, [], stamps=stamps, id=id))
        seen = known.get(id)
        if seen is None:
            if change.action == "delete":
                return Receipt("unchanged", change.id, reason=_GONE)
            return Receipt("conflict", change.id, reason=_GONE)
        if change.action == "update" and self._holds(seen.raw, change.patch):
            return Receipt("unchanged", change.id, seen.version, seen.raw)
        if change.version != seen.version if change.version else not self._holds(seen.raw, change.expect):
            return Receipt("conflict", change.id, seen.version, current=seen.raw, reason=_STALE)
        return self._with_steps(_Task(change, place, [], before=seen, stamps=dict(seen.stamps), id=id))

    def _with_steps(self, task: _Task) -> Receipt | _Task:
        try:
            task.steps = self._steps(task.change, task.before.raw if task.before else None)
        except ValueError as error:
            return Receipt("rejected", task.change.id, reason=str(error))
        return task if task.steps else Receipt("unchanged", task.change.id, reason="there is nothing to write")

    def _steps(self, change: Change, before: Raw | None) -> list[_Step]:
        """The steps of a change, in order.

        Raises:
            ValueError: There is no way; the text says why.
        """
        state = before.get("state") if before else None
        if change.action == "delete":
            presses = self._presses(str(state), "cancelled") if self._has_states() else []
            return [*presses, _Step("delete")]
        goal, patch = change.patch.get("state"), change.patch
        if before and state in ENDED and goal and goal not in ENDED:
            patch = {"end_date": self._planned_end(before["id"]), **patch}
        values = self._model.values(patch, before, self._records.fields(), self._references)
        if change.action == "create":
            presses = self._presses(START, goal) if goal else []
            new = {**values, **self._model.new(change.key, self._references, unfinished=bool(presses))}
            return [_Step("create", new, leads=START), *presses, *([_Step("finish")] if presses and change.key else [])]
        write = [_Step("write", values)] if values else []
        if not goal:
            return write
        presses = self._presses(str(state), goal)
        # Tryton lets the fields be written in some states only: the most permissive one on the way it is.
        way = [str(state), *(press.leads for press in presses)]
        at = min(range(len(way)), key=lambda index: OPEN.index(way[index]) if way[index] in OPEN else len(OPEN))
        return [*presses[:at], *write, *presses[at:]]

    def _planned_end(self, id: int) -> str | None:
        """The end date that stood before the record was ended, from Tryton's history."""
        name, object, context = f"model.{self._model.name}", self._model.object, self._records.context()
        for at, *_ in self._rpc.call(f"{name}.history_revisions", [id], object=object, context=context):
            then = {**context, "_datetime": instant(datetime.fromisoformat(at))}
            (row,) = self._rpc.call(f"{name}.read", [id], ["state", "end_date"], object=object, context=then)
            if row["state"] in OPEN:
                return str(row["end_date"]) if row["end_date"] else None
        return None

    def _has_states(self) -> bool:
        return "state" in self._records.fields()

    def _presses(self, start: str, goal: str) -> list[_Step]:
        buttons = path(start, goal)
        if buttons is None:
            why = "it is won when the sale that convert makes is confirmed" if goal == "won" else "no button leads there"
            raise ValueError(f"state: Tryton has no way from {start!r} to {goal!r}; {why}")
        return [_Step("press", button=button, leads=leads) for button, leads in buttons]

    def _rest(self, state: str, goal: str) -> list[_Step]:
        """What is left of making a record. One that somebody took elsewhere meanwhile stays there."""
        way = [START, *(press.leads for press in self._presses(START, goal))]
        return [*(self._presses(state, goal) if state in way else []), _Step("finish")]

    def _run(self, tasks: list[_Task]) -> None:
        """Do the next step of every task, those alike together, until none is left."""
        while tasks:
            groups: dict[tuple[str, str], list[_Task]] = {}
            for task in tasks:
                groups.setdefault((task.steps[0].kind, task.steps[0].button), []).append(task)
            tasks = [task for alike in groups.values() for task in self._do(alike)]

    def _do(self, tasks: list[_Task]) -> list[_Task]:
        """One step of tasks alike; those that have more to do come back."""
        try:
            self._send(tasks)
        except AmbiguousWriteError as error:
            return self._find_out(tasks, error)
        except (RejectedError, ConflictError) as error:
            if isinstance(error, ConflictError) and not tasks[0].begun and tasks[0].before is None:
                tasks = self._set_stale_aside(tasks)
                return self._do(tasks) if tasks else []
            if len(tasks) > 1:
                middle = len(tasks) // 2
                return [*self._do(tasks[:middle]), *self._do(tasks[middle:])]
            self._refused(tasks[0], error)
            return []
        unfinished = [task for task in tasks if self._advance(task)]
        if unfinished:
            there = self._records.by_id([task.id for task in unfinished if task.id])
            for task in unfinished:
                task.stamps = _stamps(there.get(task.id or 0))  # our own step changed them
        return unfinished

    def _advance(self, task: _Task) -> bool:
        """Take a step for done; True if there are more."""
        self._touched = task.begun = True
        step = task.steps.pop(0)
        task.reached = step.leads if step.kind == "press" else task.reached
        if not task.steps:
            self._written.append(task)
        return bool(task.steps)

    def _send(self, tasks: list[_Task]) -> None:
        step, name = tasks[0].steps[0], f"model.{self._model.name}"
        ids = [task.id for task in tasks]
        context, params = self._records.context(), list[Any]()
        match step.kind:
            case "create":
                method, params = f"{name}.create", [[task.steps[0].values for task in tasks]]
            case "write":
                method, params = f"{name}.write", [part for task in tasks for part in ([task.id], task.steps[0].values)]
            case "press":
                method, params = f"{name}.{step.button}", [ids]
                context |= self._rpc.company()  # whose hand it was
            case "finish":
                method, params = f"{name}.write", self._finished(tasks)
            case "delete":
                method, params = f"{name}.delete", [ids]
        made = self._rpc.call(
            method,
            *params,
            object=self._model.object,
            safe=False,
            lines=[task.change.line for task in tasks],
            context={**context, "_timestamp": {row: stamp for task in tasks for row, stamp in task.stamps.items()}},
        )
        if step.kind == "create":
            if not isinstance(made, list) or len(made) != len(tasks):
                raise AmbiguousWriteError("Tryton did not say what it made", provider="tryton", object=self._model.object)
            for task, id in zip(tasks, made, strict=True):
                task.id = id

    def _finished(self, tasks: list[_Task]) -> list[Any]:
        """The links of records that are made, as they are from now on: parameters of a write."""
        keys = {UNFINISHED + (task.change.key or ""): task for task in tasks}
        found = self._rpc.call(f"model.{ATTACHMENT}.search_read", [["link", "in", list(keys)]], 0, None, None, ["link"])
        links = [(keys[row["link"]], row["id"], {"link": KEY + (keys[row["link"]].change.key or "")}) for row in found]
        return [part for task, id, link in links for part in ([task.id], {"attachments": [["write", [id], link]]})]

    def _set_stale_aside(self, tasks: list[_Task]) -> list[_Task]:
        """Look which of the records were changed since; the others come back."""
        there = self._records.by_id([task.id for task in tasks if task.id])
        fresh = []
        for task in tasks:
            task.before = there.get(task.id or 0)
            if task.before is None or task.before.version != task.change.version:
                self._settle(task, "conflict", _STALE if task.before else _GONE, task.before)
            else:
                fresh.append(task)
        return fresh

    def _refused(self, task: _Task, error: ProviderError) -> None:
        """One record that Tryton does not take."""
        conflict = isinstance(error, ConflictError)
        look = task.begun or conflict or task.before is None
        current = self._records.by_id([task.id]).get(task.id) if task.id and look else task.before
        if task.returning:
            self._settle(task, "ambiguous", f"half done, and it could not be taken back: {error.message}", current)
        elif task.begun and current:
            self._take_back(task, current, error)
        elif conflict or (task.id and current is None):
            self._settle(task, "conflict", _STALE if current else _GONE, current)
        else:
            self._settle(task, "rejected", error.message)

    def _take_back(self, task: _Task, current: Seen, error: ProviderError) -> None:
        """Undo the steps that were done before one was refused, so that refused means that nothing was written."""
        outcome: Literal["conflict", "rejected"] = "conflict" if isinstance(error, ConflictError) else "rejected"
        if task.change.action == "create":
            back = Change("delete", task.change.line, current.id)
        else:
            assert task.before is not None  # what takes several steps was looked at before
            before = task.before.raw
            values = self._still_ours(task.change.patch, before, current.raw)
            if task.reached and current.raw["state"] == task.reached:
                values["state"] = before["state"]
            back = Change("update", task.change.line, current.id, values)
        way = self._with_steps(_Task(back, task.place, [], current, dict(current.stamps), task.id, returning=True))
        if isinstance(way, Receipt):
            if way.outcome == "unchanged":
                self._settle(task, outcome, error.message, current)
            else:
                self._settle(task, "ambiguous", f"half done: {error.message}; it could not be taken back: {way.reason}", current)
            return
        self._run([way])
        if way in self._written:
            self._written.remove(way)
            self._settle(task, outcome, error.message)

    def _still_ours(self, patch: Raw, before: Raw, current: Raw) -> Raw:
        """What stood before at the places where our values stand now; what somebody else wrote since is theirs."""
        ours: Raw = {}
        for name, value in patch.items():
            was, now = before.get(name), current.get(name)
            if isinstance(value, dict) and isinstance(was, dict) and isinstance(now, dict):
                if below := self._still_ours(value, was, now):
                    ours[name] = below
            elif name != "state" and self._holds(current, {name: value}) and not self._holds(before, {name: value}):
                ours[name] = was
        return ours

    def _find_out(self, tasks: list[_Task], error: AmbiguousWriteError) -> list[_Task]:
        """Sent, outcome unknown: what shows in Tryton was done; what does not may still come."""
        self._touched = True
        step = tasks[0].steps[0]
        keys = [task.change.key for task in tasks if task.change.key and step.kind in ("create", "finish")]
        made = self._records.by_key(keys)
        if step.kind == "create":
            made |= self._records.by_key(keys, unfinished=True)
        there = self._records.by_id([task.id for task in tasks if task.id])
        unfinished = []
        for task in tasks:
            seen = made.get(task.change.key or "") if step.kind in ("create", "finish") else there.get(task.id or 0)
            if not self._shows(task, seen):
                self._settle(task, "ambiguous", error.message, seen)
                continue
            task.id, task.stamps = int(seen.id) if seen else task.id, _stamps(seen)
            task.found = task.found or step.kind == "create"
            if self._advance(task):
                unfinished.append(task)
        return unfinished

    def _shows(self, task: _Task, seen: Seen | None) -> bool:
        """Whether a record is as the task's next step would make it."""
        step = task.steps[0]
        if step.kind == "delete" or seen is None:
            return (seen is None) == (step.kind == "delete")
        if step.kind == "press":
            return bool(seen.raw["state"] == step.leads)
        patch = {name: value for name, value in task.change.patch.items() if name != "state"}
        return step.kind in ("create", "finish") or self._holds(seen.raw, patch)

    def _read_back(self, look: bool) -> None:
        """Bring the records as they are after what was done, with one call."""
        kept = [task.id for task in self._written if task.change.action != "delete" and task.id]
        try:
            there = self._records.by_id(kept) if look else {}
        except ProviderError:
            there = {}  # it was written all the same; the next read brings the record
        for task in self._written:
            self._settle(task, "written", "", there.get(task.id or 0))

    def _holds(self, raw: Raw, values: Raw) -> bool:
        """True if a record has these values; nothing and empty text are the same, and so are numbers however they are written."""
        for name, value in values.items():
            there = raw.get(name)
            if isinstance(value, dict):
                same = self._holds(there if isinstance(there, dict) else {}, value)
            elif self._records.fields().get(name, {}).get("type") in ("numeric", "float") and there and value is not None:
                same = Decimal(str(there)) == Decimal(str(value))
            else:
                same = (None if there == "" else there) == (None if value == "" else value)
            if not same:
                return False
        return True

    def _settle(
        self, task: _Task, outcome: Literal["written", "conflict", "rejected", "ambiguous"], reason: str, seen: Seen | None = None
    ) -> None:
        written = outcome == "written"
        made = task.id if task.change.action != "create" or outcome in ("written", "ambiguous") else None
        self._receipts[task.place] = Receipt(
            outcome,
            str(made) if made else None,
            seen.version if seen else None,
            record=seen.raw if seen and written else None,
            current=seen.raw if seen and not written else None,
            reason=reason,
            found=written and task.found,
        )


def _stamps(seen: Seen | None) -> dict[str, str]:
    return dict(seen.stamps) if seen else {}
