"""The connector of "plain": everything a connector must do, on a vendor that makes nothing more difficult than it is.

Read it beside ``plain_vendor.py``, whose first page says what the vendor promises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from aios_connect.connectors import (
    AmbiguousWriteError,
    Auth,
    Change,
    Connector,
    ConnectorSpec,
    Cursor,
    CursorGoneError,
    FieldInfo,
    Identity,
    Limit,
    ObjectSpec,
    Page,
    Progress,
    ProviderError,
    Quarantined,
    Raw,
    Receipt,
    RejectedError,
    Response,
    ScanPage,
    Schema,
    Setting,
    Tombstone,
    TruncatedError,
    UnavailableError,
    instant,
    redact,
)

__all__ = ["Plain"]

OVERLAP = timedelta(seconds=90)
"""Longer than the vendor's index lags and its instants are coarse: what was changed just before a read began is read again by the
next one."""


def _object(title: str, **references: str) -> ObjectSpec:
    return ObjectSpec(
        title=title,
        verbs=frozenset({"read", "create", "update", "delete"}),
        version="version",
        modified="updated",
        key="key",
        conditional="compare-and-set",
        incremental=True,
        deletes="tombstones",
        batch_size=10,
        references=references,
    )


class Plain(Connector):
    """One plain server."""

    spec = ConnectorSpec(
        provider="plain",
        title="Plain",
        docs="tests/torture/plain_vendor.py",
        auth=(
            Auth("key", help="The key of the server."),
            Auth(
                "oauth2",
                help="An app of your own.",
                authorize_url="http://plain.example/authorize",
                token_url="http://plain.example/token",
                rotates=True,
            ),
        ),
        settings=(Setting("url", help="Address of the server.", required=True),),
        objects={
            "companies": _object("Companies"),
            "people": _object("People", company="companies"),
            "deals": _object("Deals", company="companies", person="people"),
        },
        limits=(Limit(50, 1.0, source="tests/torture/plain_vendor.py", left="X-Plain-Left"),),
        proof="sandbox",
    )

    def check(self) -> Identity:
        me = self._get("me", "")
        return Identity(me["account"], me["user"])

    def describe(self, object: str) -> Schema:
        answer = self._get(f"{object}/fields", object)
        fields = {
            "id": FieldInfo("id", "text", writable=False),
            "version": FieldInfo("version", "text", writable=False),
            "updated": FieldInfo("updated", "instant", writable=False),
        }
        for name, kind in answer["fields"].items():
            if kind == "stage":
                fields[name] = FieldInfo(name, "choice", choices=tuple((stage, stage) for stage in answer["stages"]))
            elif kind in self.spec.objects:
                fields[name] = FieldInfo(name, "reference")
            else:
                fields[name] = FieldInfo(name, "decimal" if kind == "decimal" else "text")
        return Schema(object, fields)

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        position = dict(since or {})
        if not position.keys() <= {"since", "after", "start"}:
            raise CursorGoneError("this cursor is of another version", provider="plain", object=object)
        progress = Progress("plain", object)
        while True:
            answer = self._get(object, object, **{name: position[name] for name in ("since", "after") if name in position})
            items, gone, following = (
                self._listed(answer, "items", object),
                self._listed(answer, "gone", object),
                _next(answer, object),
            )
            # Where the next read begins: before this one did, for changes that come while it runs or lag behind.
            start = position.setdefault("start", _text(instant(answer["now"]) - OVERLAP))
            position = {"since": start} if following is None else {**position, "after": following}
            if following is not None:
                progress.to(following)
            whole = [item for item in items if _is_record(item)]
            yield Page(
                _in_order(whole, object),
                position,
                following is None,
                [_tombstone(stone) for stone in gone],
                [_set_aside(item, object) for item in items if not _is_record(item)],
            )
            if following is None:
                return

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        return self._ask(object, {"ids": list(ids)})

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        return {found["key"]: found for found in self._ask(object, {"keys": list(keys)})}

    def scan(self, object: str) -> Iterator[ScanPage]:
        after: dict[str, str] = {}
        progress = Progress("plain", object)
        while True:
            answer = self._get(f"{object}/ids", object, **after)
            items, following = self._listed(answer, "items", object), _next(answer, object)
            yield ScanPage([(id, version) for id, version in items], following is None)
            if following is None:
                return
            progress.to(following)
            after = {"after": following}

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        receipts: dict[str, Receipt] = {}
        if changes:
            self._send(object, list(changes), receipts)
        return [receipts[change.line] for change in changes]

    def close(self) -> None:
        self.context.http.close()

    def _send(self, object: str, changes: list[Change], receipts: dict[str, Receipt]) -> None:
        body = {"action": changes[0].action, "inputs": [self._input(change) for change in changes]}
        try:
            answer = self._post(f"{object}/batch", object, body, lines=[change.line for change in changes])
            results = {result["line"]: result for result in self._listed(answer, "results", object)}
        except RejectedError as error:
            if len(changes) == 1:
                receipts[changes[0].line] = Receipt("rejected", changes[0].id, reason=error.message)
            else:  # one of them spoils it for the others: find out which
                self._send(object, changes[: len(changes) // 2], receipts)
                self._send(object, changes[len(changes) // 2 :], receipts)
            return
        except (AmbiguousWriteError, TruncatedError) as error:  # done or not, and no answer that says so
            receipts.update(self._look_up(object, changes, error))
            return
        except ProviderError as error:
            if not receipts:
                raise  # nothing was written
            receipts.update({change.line: Receipt("ambiguous", change.id, reason=error.message) for change in changes})
            return
        left = [change for change in changes if results.get(change.line, {}).get("status") == "unprocessed"]
        for change in changes:
            if change not in left:
                receipts[change.line] = _receipt(change, results.get(change.line))
        if left and len(left) < len(changes):  # the vendor stopped in the middle, and says what it did not do
            self._send(object, left, receipts)
        else:
            receipts.update({change.line: Receipt("rejected", change.id, reason="plain did not process it") for change in left})

    def _input(self, change: Change) -> dict[str, Any]:
        values = {**change.patch, "key": change.key} if change.key else dict(change.patch)
        return {"line": change.line, "id": change.id, "version": change.version, "values": values}

    def _look_up(self, object: str, changes: Sequence[Change], error: ProviderError) -> dict[str, Receipt]:
        """Sent, and no answer: see what is there now. What cannot be seen stays ambiguous, and so does an update of a record that
        somebody changed: ours may have come before.
        """
        unsure = {change.line: Receipt("ambiguous", change.id, reason=error.message) for change in changes}
        try:
            if changes[0].action == "create":
                made = self.find(object, [change.key for change in changes if change.key])
                now = [made.get(change.key or "") for change in changes]
            else:
                there = {found["id"]: found for found in self.lookup(object, [change.id for change in changes if change.id])}
                now = [there.get(change.id or "") for change in changes]
        except ProviderError:
            return unsure
        for change, raw in zip(changes, now, strict=True):
            if change.action == "delete":
                if raw is None:
                    unsure[change.line] = Receipt("written", change.id)
            elif raw is not None and change.action == "create":
                unsure[change.line] = Receipt("written", raw["id"], raw["version"], raw, found=True)
            elif raw is not None and all(raw.get(name) == value for name, value in change.patch.items()):
                unsure[change.line] = Receipt("written", raw["id"], raw["version"], raw)
        return unsure

    def _ask(self, object: str, asked: dict[str, Any]) -> list[Raw]:
        return self._listed(self._post(f"{object}/lookup", object, asked, safe=True), "items", object)

    def _listed(self, answer: dict[str, Any], name: str, object: str) -> list[Any]:
        listed = answer.get(name)
        if not isinstance(listed, list):
            raise TruncatedError(f"an answer about {object} has no {name}", provider="plain", object=object)
        return listed

    def _get(self, path: str, object: str, **params: str) -> dict[str, Any]:
        return _body(self.context.http.request("GET", f"api/{path}", params=params, object=object, classify=_classify), object)

    def _post(self, path: str, object: str, body: Any, *, safe: bool = False, lines: Sequence[str] = ()) -> dict[str, Any]:
        response = self.context.http.request(
            "POST", f"api/{path}", json=body, object=object, safe=safe, lines=lines, classify=_classify
        )
        return _body(response, object)


def _body(response: Response, object: str) -> dict[str, Any]:
    body = response.json()
    if not isinstance(body, dict):
        raise TruncatedError("an answer is not an object", provider="plain", object=object)
    return body


def _classify(response: Response) -> ProviderError | None:
    """What only this vendor says: errors with status 200, and cursors that are gone."""
    if response.status == 410:
        return CursorGoneError("plain forgot the cursor", provider="plain")
    body = response.json_or_none() if response.status == 200 else None
    if isinstance(body, dict) and body.get("status") == "error":
        return UnavailableError(f"plain answered with an error: {redact(str(body.get('message')))}", provider="plain", status=200)
    return None


def _receipt(change: Change, result: dict[str, Any] | None) -> Receipt:
    if result is None:
        return Receipt("ambiguous", change.id, reason="plain does not say what became of it")
    item = result.get("item")
    if result["status"] == "ok":
        return Receipt("written", item["id"] if item else change.id, item["version"] if item else None, item)
    if result["status"] == "missing":
        if change.action == "delete":
            return Receipt("unchanged", change.id)
        return Receipt("conflict", change.id, reason="it is not there any more")
    return Receipt("conflict", change.id, current=item, reason="somebody else changed it")


def _next(answer: dict[str, Any], object: str) -> str | None:
    """The cursor behind a page; ``None`` behind the last one, which says so."""
    end, following = answer.get("end"), answer.get("next")
    if end is True:
        return None
    if end is False and isinstance(following, str):
        return following
    raise TruncatedError(f"a page of {object} has neither an end marker nor a cursor", provider="plain", object=object)


def _is_record(item: Any) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(name), str) for name in ("id", "version", "updated"))


def _set_aside(item: Any, object: str) -> Quarantined:
    id = item.get("id") if isinstance(item, dict) else None
    return Quarantined(f"{object}/{id}", "it lacks id, version or instant", str(item), id)


def _in_order(items: list[Raw], object: str) -> list[Raw]:
    """The items, if they are in the order that was asked for: else some may be missing."""
    if any(instant(later["updated"]) < instant(earlier["updated"]) for earlier, later in pairwise(items)):
        raise TruncatedError(f"a page of {object} is not in order", provider="plain", object=object)
    return items


def _tombstone(stone: dict[str, Any]) -> Tombstone:
    return Tombstone(stone["id"], stone["how"], stone["survivor"] or None, instant(stone["at"]))


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
