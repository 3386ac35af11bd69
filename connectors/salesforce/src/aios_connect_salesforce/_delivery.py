"""Sending changes: in as few calls as there can be, and each told of by itself, whatever becomes of a call.

What was sent and not answered is looked up and never sent again; a row that another transaction keeps to itself is sent again; a list
that is refused as a whole is halved until the culprit is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    Change,
    Context,
    ProviderError,
    RateLimitedError,
    Receipt,
    RejectedError,
    TruncatedError,
    UnavailableError,
)

from ._refusals import CrashedError, said
from ._wire import COLLECTION, TOGETHER

__all__ = ["Answers", "Batch", "Delivery", "Receipts"]

Batch: TypeAlias = Sequence[Change]
Receipts: TypeAlias = dict[str, Receipt]
Answers: TypeAlias = list[list[dict[str, Any]] | ProviderError]
"""Of each list of changes Salesforce's results in their order, or why it has none."""

_Send: TypeAlias = Callable[[Sequence[Batch]], Answers]
_Lost: TypeAlias = Callable[[Batch], Receipts]

_LOCKED: Final = "UNABLE_TO_LOCK_ROW"
_GONE: Final = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})
_ATTEMPTS: Final = 4
"""How often a record is sent that another transaction keeps to itself
(https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm)."""


class Delivery:
    """Sends the changes of one connection.

    Args:
        context: Of the connection: how to wait.
    """

    def __init__(self, context: Context) -> None:
        self._sleep = context.sleep
        self._width = TOGETHER

    def send(
        self, changes: Sequence[Change], done: Receipts, send: _Send, lost: _Lost, width: int = TOGETHER, *, once: bool = False
    ) -> None:
        """Send changes, and again those whose row was locked.

        Args:
            changes: What is to be sent.
            done: Where the receipts go.
            send: Sends some lists of changes in one call; gives Salesforce's results, or an error, of each list.
            lost: Receipts of those that can be seen to be done, after no answer came.
            width: Lists in a call.
            once: What was done cannot be seen to be done, and would be done twice.
        """
        waiting = list(changes)
        for attempt in range(_ATTEMPTS):
            if not waiting:
                return
            if attempt:
                self._sleep(0.5 * 2**attempt)
            waiting = self._round(waiting, done, send, lost, width, once)

    def _round(self, changes: Sequence[Change], done: Receipts, send: _Send, lost: _Lost, width: int, once: bool) -> list[Change]:
        """Send changes in as few calls as there can be, in two halves where one spoils the request for the others; the locked ones."""
        locked: list[Change] = []
        calls = _calls([changes[at : at + COLLECTION] for at in range(0, len(changes), COLLECTION)], min(width, self._width))
        while calls:
            parts = calls.pop(0)
            try:
                answers = send(parts)
            except RejectedError as error:
                smaller = _smaller(parts)
                if not smaller:
                    done[parts[0][0].line] = Receipt("rejected", parts[0][0].id, reason=error.message)
                calls[:0] = [[part] for part in smaller]
                continue
            except (AmbiguousWriteError, TruncatedError) as error:
                self.keep(done, [change for part in parts for change in part], lost, error.message)
                if isinstance(error, CrashedError) and not once:
                    calls[:0] = [[part] for part in _smaller([_unsure(part, done) for part in parts])]
                elif len(parts) > 1:  # it may have been too much for our patience: triggers and flows run for each record
                    self._width = max(1, self._width // 2)
                    calls = _calls([part for later in calls for part in later], min(width, self._width))
                continue
            except ProviderError as error:
                self._give_up(done, parts, error)
                unsent = [change for later in calls for part in later for change in part]
                done |= {change.line: Receipt("rejected", change.id, reason=error.message) for change in unsent}
                return []
            again: list[Batch] = []
            failed: list[tuple[Batch, ProviderError]] = []
            for part, answer in zip(parts, answers, strict=True):
                if isinstance(answer, RejectedError) and len(part) > 1:
                    again += _smaller([part])
                elif isinstance(answer, RejectedError):
                    done[part[0].line] = Receipt("rejected", part[0].id, reason=answer.message)
                elif isinstance(answer, AuthError | RateLimitedError | UnavailableError):
                    failed.append((part, answer))
                elif isinstance(answer, ProviderError):
                    self.keep(done, part, lost, answer.message)
                    if isinstance(answer, CrashedError) and not once:
                        again += _smaller([_unsure(part, done)])
                elif len(answer) != len(part):
                    self.keep(done, part, lost, "salesforce does not say what became of it")
                else:
                    done |= {change.line: _receipt(change, result) for change, result in zip(part, answer, strict=True)}
                    locked += [change for change, result in zip(part, answer, strict=True) if _is_locked(result)]
            calls[:0] = _calls(again, min(width, self._width))
            for part, refused in failed:
                self._give_up(done, [part], refused)
        return locked

    def _give_up(self, done: Receipts, parts: Sequence[Batch], error: ProviderError) -> None:
        """What could not be sent, or was not let in.

        Raises:
            ProviderError: The error, if nothing of the batch was written.
        """
        if not any(receipt.outcome in ("written", "ambiguous") for receipt in done.values()):
            raise error
        certain = isinstance(error, AuthError | RateLimitedError | UnavailableError)  # a write that was begun is never the last
        for change in [change for part in parts for change in part]:
            done[change.line] = Receipt("rejected" if certain else "ambiguous", change.id, reason=error.message)

    def keep(self, done: Receipts, changes: Sequence[Change], lost: _Lost, reason: str = "") -> None:
        """Look up what became of changes; without a reason those that are not found keep the receipts they have."""
        try:
            seen = lost(changes)
        except ProviderError:
            seen = {}
        for change in changes:
            if change.line in seen:
                done[change.line] = seen[change.line]
            elif reason:
                done[change.line] = Receipt("ambiguous", change.id, reason=reason)


def _calls(parts: Sequence[Batch], width: int) -> list[Sequence[Batch]]:
    return [parts[at : at + width] for at in range(0, len(parts), width)]


def _smaller(parts: Sequence[Batch]) -> list[Batch]:
    """What is sent next, each by itself, if one change may spoil a call for the others: its lists, or the halves of the only one."""
    if len(parts) == 1:
        whole = parts[0]
        parts = [whole[: len(whole) // 2], whole[len(whole) // 2 :]] if len(whole) > 1 else []
    return [part for part in parts if part]


def _unsure(part: Batch, done: Receipts) -> Batch:
    return [change for change in part if done[change.line].outcome == "ambiguous"]


def _is_locked(result: Mapping[str, Any]) -> bool:
    return not result["success"] and _LOCKED in said(result.get("errors"))


def _receipt(change: Change, result: Mapping[str, Any]) -> Receipt:
    if result["success"]:
        return Receipt("written", str(result.get("id") or change.id))
    errors = result.get("errors") or [{"message": "salesforce refused it and does not say why"}]
    codes = {str(error.get("statusCode")) for error in errors if isinstance(error, dict)}
    if change.action == "delete" and codes & _GONE:
        return Receipt("unchanged", change.id)
    if change.action == "update" and "ENTITY_IS_DELETED" in codes:
        return Receipt("conflict", change.id, reason="it is not there any more")
    return Receipt("rejected", change.id, reason=said(errors))
