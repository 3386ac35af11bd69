"""Tryton without a Tryton: its JSON and back, its refusals, its workflow, and a scripted server that misbehaves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_tryton import Tryton
from aios_connect_tryton.wire import decoded, encoded, refusal
from aios_connect_tryton.workflow import path
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.cassettes import Player
from aios_connect.connectors import (
    AuthError,
    Change,
    ConfigError,
    ConflictError,
    Context,
    Http,
    NotFoundError,
    ProviderError,
    RejectedError,
    UnavailableError,
    redact,
)
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore

from .tryton_story import ADDRESS, CASSETTE, outcomes, tell
from .tryton_story import connector as replayed

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "correct-horse-battery"

Handler = Callable[[str, list[Any]], Any]


class Script:
    """A Tryton that says what a test wants.

    Args:
        handler: Takes method and parameters; returns the result, or a whole response.
    """

    def __init__(self, handler: Handler) -> None:
        self.calls: list[str] = []
        self.signed: list[str] = []
        self.logins = 0
        self._handler = handler

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        method = body["method"]
        self.calls.append(method)
        self.signed.append(request.headers.get("authorization", ""))
        if method == "common.db.login":
            self.logins += 1
            answer = self._handler(method, body["params"]) or [1, f"token-{self.logins}", None]
        else:
            answer = self._handler(method, body["params"])
        if isinstance(answer, httpx2.Response):
            return answer
        return httpx2.Response(200, json={"id": body["id"], "result": answer}, headers={"date": "Sat, 21 Nov 2026 12:00:05 GMT"})


def connector(handler: Handler, **settings: str) -> tuple[Tryton, Script]:
    """A connector whose Tryton is a script."""
    script = Script(handler)

    def now() -> datetime:
        return NOON

    tokens = MemoryTokenStore(now=now)
    tokens.put("crm", {"password": SECRET})
    plain = {"url": "https://tryton.example.com", "database": "acme", "user": "api", **settings}
    credentials = Credentials("crm", Tryton.spec.auth[0], tokens, now=now, sleep=lambda _: None)
    http = Http(
        provider="tryton",
        base_url=plain["url"],
        credentials=credentials,
        transport=httpx2.MockTransport(script),
        now=now,
        sleep=lambda _: None,
    )
    return Tryton(Context("crm", plain, credentials, http, now, lambda _: None, Path())), script


FIELDS = {
    "id": {"type": "integer", "loading": "eager", "readonly": True, "required": True, "string": "ID"},
    "name": {"type": "char", "loading": "eager", "readonly": False, "required": False, "string": "Name"},
    "active": {"type": "boolean", "loading": "eager", "readonly": False, "required": False, "string": "Active"},
}


def party(id: int) -> dict[str, Any]:
    """A row as Tryton sends it."""
    return {
        "id": id,
        "name": f"P{id}",
        "active": 1,
        "_timestamp": "1795262400.5",
        "lang.": None,
        "tax_identifier.": None,
        "categories.": [{"id": 1, "name": "Person"}],
        "contact_mechanisms.": [],
        "addresses.": [],
        "identifiers.": [],
    }


def parties(count: int) -> Handler:
    """A Tryton with so many people."""

    def answer(method: str, params: list[Any]) -> Any:
        if method.endswith("fields_get"):
            return FIELDS
        if method.endswith("search_read"):
            (_, _, after) = params[0][-1]
            return [party(id) for id in range(after + 1, count + 1)][: params[2]]
        return None

    return answer


def broken(*error: Any) -> httpx2.Response:
    """A 200 that is an error. Every request of a script is the first or the second of its connector."""
    return httpx2.Response(200, json={"id": 2, "error": list(error)})


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ({"__class__": "Decimal", "decimal": "12500.00"}, "12500.00"),
        ({"__class__": "Decimal", "decimal": "1E+3"}, "1000"),
        ({"__class__": "date", "year": 2026, "month": 2, "day": 3}, "2026-02-03"),
        (
            {"__class__": "datetime", "year": 2026, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6, "microsecond": 70},
            "2026-02-03T04:05:06.000070Z",
        ),
        (
            {"__class__": "datetime", "year": 2026, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6, "microsecond": 0},
            "2026-02-03T04:05:06Z",
        ),
        ({"__class__": "timedelta", "seconds": Decimal("90.5")}, "90.5"),
        ({"__class__": "bytes", "base64": "aGk=\n"}, "aGk="),
        (Decimal("0.1"), "0.1"),
        ([{"a": {"__class__": "Decimal", "decimal": "0.10"}}, 7, True, None], [{"a": "0.10"}, 7, True, None]),
    ],
)
def test_trytons_values_become_plain_json(sent: Any, plain: Any) -> None:
    assert decoded(sent) == plain


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_digit_of_an_amount_is_lost_on_the_way_there_and_back(number: Decimal) -> None:
    text = format(number, "f")
    assert decoded(json.loads(json.dumps(encoded(text, "numeric")))) == text


@given(st.datetimes(min_value=datetime(1900, 1, 1)), st.dates())
def test_instants_and_dates_come_back_as_they_went(at: datetime, day: Any) -> None:
    instant = encoded(at.isoformat() + "Z", "timestamp")
    assert datetime.fromisoformat(decoded(instant)) == at.replace(tzinfo=UTC)
    assert decoded(encoded(day.isoformat(), "date")) == day.isoformat()


@pytest.mark.parametrize(
    ("value", "type", "why"),
    [
        ("NaN", "numeric", "not a number"),
        (True, "numeric", "not a number"),
        ("1.5", "integer", "not a whole number"),
        (1, "boolean", "not true or false"),
        (7, "char", "not text"),
        ("2026-02-30", "date", "day"),
        ("x", "one2many", "cannot be written"),
    ],
)
def test_a_value_of_another_type_is_refused(value: Any, type: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encoded(value, type)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (["UserError", ['To delete opportunity "2", you must cancel it.', "", None]], RejectedError, "you must cancel it."),
        (["UserWarning", ["similar", "Is this the same party?", ""]], RejectedError, "asks for a confirmation"),
        (["ConcurrencyException", "Records were modified in the meanwhile"], ConflictError, "changed in Tryton"),
        (["LoginException", ["sms", "Code"]], AuthError, "more than a password"),
        (["'sale.opportunity'", ""], RejectedError, "no model or field 'sale.opportunity'"),
        (["database is locked", "Traceback ..."], UnavailableError, "busy"),
        (["unsupported operand type(s)", "Traceback ..."], RejectedError, "failed inside"),
    ],
)
def test_an_error_in_a_200_is_what_the_caller_does_about_it(error: list[Any], kind: type[ProviderError], said: str) -> None:
    found = refusal(error, "tryton", "people")
    assert type(found) is kind
    assert said in found.message
    assert "Traceback" not in found.message


def test_every_way_through_the_workflow_is_made_of_buttons_that_join() -> None:
    states = ("lead", "opportunity", "converted", "lost", "cancelled")
    for start in states:
        for goal in states:
            way = path(start, goal)
            if start == "converted" and goal != "converted":
                assert way is None
                continue
            assert way is not None
            through = [start, *(state for _, state in way)]
            assert through[-1] == goal
            assert len(set(through)) == len(through)
            assert all(path(here, there) == [step] for (here, there), step in zip(pairwise(through), way, strict=True))
    assert path("lead", "won") is None


def test_the_end_of_a_stream_is_that_nothing_follows() -> None:
    for count, sizes in ((0, [0]), (499, [499]), (500, [500]), (501, [500, 1])):
        tryton, _ = connector(parties(count))
        pages = list(tryton.read("people"))
        assert [len(page.records) for page in pages] == sizes
        assert [page.complete for page in pages] == [False] * (len(sizes) - 1) + [True]
        assert [raw["id"] for page in pages for raw in page.records] == list(range(1, count + 1))


def test_a_server_that_permits_fewer_records_gets_smaller_questions() -> None:
    there = parties(600)

    def few(method: str, params: list[Any]) -> Any:
        if method.endswith("search_read") and params[2] > 200:
            return httpx2.Response(413)
        return there(method, params)

    tryton, script = connector(few)
    pages = list(tryton.read("people"))
    assert [len(page.records) for page in pages] == [125, 125, 125, 125, 100]
    assert [raw["id"] for page in pages for raw in page.records] == list(range(1, 601))
    assert pages[-1].complete
    assert script.calls.count("model.party.party.search_read") == 7


def test_booleans_are_booleans_whatever_the_database_makes_of_them() -> None:
    tryton, _ = connector(parties(1))
    ((raw,),) = [page.records for page in tryton.read("people")]
    assert raw["active"] is True


def test_a_pass_is_marked_with_the_servers_clock() -> None:
    tryton, _ = connector(parties(1))
    (page,) = tryton.read("people")
    assert datetime.fromisoformat(page.cursor["mark"]) == NOON + timedelta(seconds=5)


def test_a_new_pass_begins_before_the_last_one_did_and_keeps_its_bounds_when_it_is_interrupted() -> None:
    domains: list[Any] = []
    there = parties(900)

    def note(method: str, params: list[Any]) -> Any:
        if method.endswith("search_read"):
            domains.append(params[0])
        return there(method, params)

    tryton, _ = connector(note, overlap="60")
    first = next(tryton.read("people", {"mark": "2026-11-21T11:00:00+00:00"}))
    since = {
        "__class__": "datetime",
        "year": 2026,
        "month": 11,
        "day": 21,
        "hour": 10,
        "minute": 59,
        "second": 0,
        "microsecond": 0,
    }
    assert domains[0][1][1] == ["last_modified_at", ">=", since]
    assert list(tryton.read("people", first.cursor))[-1].cursor == {"mark": first.cursor["mark"]}
    assert domains[1][1] == domains[0][1]


def test_the_password_is_sent_once_and_no_secret_is_ever_shown() -> None:
    tryton, script = connector(parties(3))
    list(tryton.read("people"))
    list(tryton.read("people"))
    assert script.logins == 1
    token = base64.b64encode(b"api:1:token-1").decode()
    assert script.signed == ["", *[f"Session {token}"] * 3]
    assert token not in redact(f"sent {script.signed[-1]}")


def test_a_session_that_ended_is_opened_once_and_the_call_is_made_again() -> None:
    there, ended = parties(1), [httpx2.Response(401)]

    def answer(method: str, params: list[Any]) -> Any:
        return ended.pop() if ended and method.endswith("search_read") else there(method, params)

    tryton, script = connector(answer)
    (page,) = tryton.read("people")
    assert (len(page.records), script.logins) == (1, 2)


def test_a_password_that_does_not_fit_is_not_tried_again() -> None:
    tryton, script = connector(lambda method, _: httpx2.Response(401) if method == "common.db.login" else None)
    with pytest.raises(AuthError, match="did not accept the password of 'api'") as caught:
        tryton.check()
    assert (caught.value.hint, script.logins) == ("aios connect crm", 1)
    assert SECRET not in str(caught.value)


def test_a_server_that_was_just_started_is_woken_and_then_signed_in_to() -> None:
    there, asleep = parties(1), [broken("'res.user'", "")]
    asleep[0] = httpx2.Response(200, json={"id": 1, "error": ["'res.user'", ""]})
    tryton, script = connector(lambda method, params: asleep.pop() if asleep else there(method, params))
    (page,) = tryton.read("people")
    assert len(page.records) == 1
    assert script.calls[:3] == ["common.db.login", "model.res.user.get_preferences", "common.db.login"]
    assert script.signed[1].startswith("Basic ")


def test_a_database_that_is_not_there_is_named_and_not_asked_for_again() -> None:
    page = "<!doctype html><title>503 Service Unavailable</title><p>Database &#39;acme&#39; doesn&#39;t exist!</p>"
    tryton, script = connector(lambda *_: httpx2.Response(503, text=page))
    with pytest.raises(NotFoundError, match="no database 'acme'"):
        tryton.check()
    assert len(script.calls) == 1


def test_a_module_that_is_missing_is_named_with_what_it_blocks() -> None:
    yes = dict.fromkeys(("read", "write", "create", "delete"), True)

    def answer(method: str, params: list[Any]) -> Any:
        match method:
            case "model.ir.model.access.get_access":
                if "sale.opportunity" in params[0]:
                    return httpx2.Response(200, json={"id": script.calls.__len__(), "error": ["'sale.opportunity'", ""]})
                return dict.fromkeys(params[0], yes)
            case "model.res.user.get_preferences":
                return {"company": 1, "company.rec_name": "Acme"}
            case "model.party.category.search_read":
                return [{"id": 1, "name": "Person"}, {"id": 2, "name": "Company"}]
            case "model.party.party.search_count":
                return 0
            case "common.server.version":
                return "8.2"
        return None if method == "common.db.login" else []

    tryton, script = connector(answer)
    assert tryton.check().missing == {"read opportunities": "the Tryton module sale_opportunity, activated in this database"}


def test_a_batch_of_which_nothing_was_sent_raises() -> None:
    there = parties(0)

    def answer(method: str, params: list[Any]) -> Any:
        if method == "model.party.category.search_read":
            return [{"id": 1, "name": "Person"}]
        return httpx2.Response(429, headers={"retry-after": "1"}) if method.endswith(".create") else there(method, params)

    tryton, _ = connector(answer)
    with pytest.raises(ProviderError, match="too many requests"):
        tryton.write("people", [Change("create", "l", patch={"name": "Ada"})])


def test_what_came_after_the_last_answer_is_ambiguous_and_what_came_before_it_is_written() -> None:
    """Halving a batch, the server goes away in the middle: the half that was written stays written."""
    made: list[str] = []

    def answer(method: str, params: list[Any]) -> Any:
        if method == "model.party.category.search_read":
            return [{"id": 1, "name": "Person"}]
        if method.endswith("fields_get"):
            return FIELDS
        if method.endswith(".create"):
            names = [values["name"] for values in params[0]]
            if made:
                return httpx2.Response(429, headers={"retry-after": "1"})
            if "bad" in names:
                return httpx2.Response(200, json={"id": len(script.calls), "error": ["UserError", ["no", "", None]]})
            made.extend(names)
            return list(range(1, len(names) + 1))
        return None if method == "common.db.login" else []

    tryton, script = connector(answer)
    changes = [Change("create", "l", patch={"name": name}) for name in ("a", "b", "bad", "c")]
    receipts = tryton.write("people", changes)
    assert [receipt.outcome for receipt in receipts] == ["written", "written", "ambiguous", "ambiguous"]
    assert made == ["a", "b"]


@pytest.mark.parametrize("settings", [{"overlap": "soon"}, {"overlap": "-1"}, {"people_category": "Company"}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        connector(parties(0), **settings)
    assert caught.value.hint


def test_the_recorded_story_of_a_deal_is_told_again_offline() -> None:
    with Player(CASSETTE) as player:
        told = tell(replayed(player, ADDRESS, "crm1", "admin", SECRET))
    assert player.cassette.origin.startswith("live Tryton 8.2")
    assert told["identity"].account == "Brightwater Cleaning"
    assert told["made"] == ["added the party category 'Person'", "added the party category 'Company'"]
    receipts = told["receipts"]
    assert outcomes(receipts) == {
        "company": "written",
        "person": "written",
        "deal": "written",
        "refused": "rejected",
        "moved": "written",
        "stale": "conflict",
    }
    moved = receipts["moved"].record
    assert (moved["state"], moved["amount"], moved["key"]) == ("opportunity", "26000", "deal-1")
    assert (str(moved["party"]["company"]), str(moved["contact"]["person"])) == (receipts["company"].id, receipts["person"].id)
    assert receipts["stale"].current == moved
    assert [raw["name"] for raw in told["people"].records] == ["Zoë O'Hara"]
    assert told["later"].complete
    assert told["scan"] == [(str(moved["id"]), moved["version"])]
