"""Kinto without a Kinto: a recorded story, and a scripted server that misbehaves."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from aios_connect_kinto import Kinto
from aios_connect_kinto.layout import LAYOUT, schema_of
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.cassettes import Player
from aios_connect.connectors import (
    AuthError,
    Change,
    ConfigError,
    CursorGoneError,
    NotFoundError,
    Raw,
    TruncatedError,
    UnavailableError,
)
from aios_connect.mappings import check, load, run_examples

from .kinto_story import ADDRESS, CASSETTE, connector, outcomes, tell

MAPPINGS = sorted((Path(__file__).parents[2] / "mappings" / "kinto").glob("*.yaml"))
RECORD: Raw = {"id": "p1", "last_modified": 20, "notes": "old"}

Script = Callable[[httpx2.Request], httpx2.Response]


def scripted(script: Script, url: str = f"{ADDRESS}/v1") -> tuple[Kinto, list[httpx2.Request]]:
    """A connector whose Kinto is a function, and what it was asked."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return script(request)

    return connector(httpx2.MockTransport(answer), url, "aios", "correct-horse-battery", attempts=1), asked


def listed(*items: Raw, revision: int = 20, more: bool = False) -> httpx2.Response:
    following = {"next-page": "https://elsewhere.example.com/"} if more else {}
    return httpx2.Response(200, json={"data": list(items)}, headers={"etag": f'"{revision}"', **following})


def batched(*answers: tuple[int, Any]) -> httpx2.Response:
    return httpx2.Response(200, json={"responses": [{"status": status, "body": body, "headers": {}} for status, body in answers]})


def always(response: Callable[[], httpx2.Response]) -> Script:
    return lambda request: response()


def by_method(post: httpx2.Response, get: httpx2.Response) -> Script:
    return lambda request: post if request.method == "POST" else get


def update(patch: Raw | None = None) -> Change:
    return Change("update", "l1", "p1", patch or {"notes": "new"}, version="20")


# The recorded story


def test_the_recorded_story_is_told_again_without_a_network() -> None:
    with Player(CASSETTE) as transport:
        told = tell(connector(transport, f"{ADDRESS}/v1", "admin", "any"))
    assert set(told["before"].missing) == {"read people", "read companies", "read deals", "read tasks"}
    assert len(told["made"]) == 5
    assert told["after"].missing == {}
    assert outcomes(told["receipts"]) == {
        "company": "written",
        "person": "written",
        "twice": "written",
        "deal": "written",
        "refused": "rejected",
        "moved": "written",
        "stale": "conflict",
        "gone": "written",
    }


def test_in_the_story_a_stale_write_brings_the_deal_as_it_is() -> None:
    with Player(CASSETTE) as transport:
        told = tell(connector(transport, f"{ADDRESS}/v1", "admin", "any"))
    moved, stale = told["receipts"]["moved"], told["receipts"]["stale"]
    assert stale.current == moved.record
    assert moved.record["amount"] == {"value": "26000", "currency": "EUR"}
    assert moved.record["person"] is None


def test_in_the_story_a_delete_is_a_tombstone_in_the_next_read() -> None:
    with Player(CASSETTE) as transport:
        told = tell(connector(transport, f"{ADDRESS}/v1", "admin", "any"))
    assert told["people"].records == [told["receipts"]["person"].record]
    assert (told["later"].records, [stone.id for stone in told["later"].tombstones]) == ([], ["person_1"])
    assert list(told["found"]) == ["deal_1"]
    assert [id for id, _ in told["scan"]] == ["deal_1"]


def test_the_cassette_says_where_it_was_recorded_and_holds_no_credentials() -> None:
    text = CASSETTE.read_text("utf-8")
    assert "origin: live Kinto" in text
    assert "authorization" not in text.lower()
    assert "127.0.0.1" not in text


# The mappings


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_examples_hold(file: Path) -> None:
    results = run_examples(load(file))
    assert results
    assert [(result.name, result.differences) for result in results if result.differences] == []


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_mappings_fit_the_layout_of_a_new_collection(file: Path) -> None:
    loaded = load(file)
    closed = {**LAYOUT[loaded.object], "additionalProperties": False}
    schema = schema_of(loaded.object, closed, Kinto.spec.objects[loaded.object].references)
    assert not schema.open
    assert [str(finding.error) for finding in check(loaded, schema, spec=Kinto.spec)] == []


@pytest.mark.parametrize(
    ("told", "type"),
    [
        ({"type": "string"}, "text"),
        ({"type": ["null", "string"], "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "instant"),
        ({"type": "number"}, "decimal"),
        ({"type": "integer"}, "integer"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "array"}, "list"),
        ({"type": "string", "enum": ["a", "b"]}, "choice"),
        ({}, "text"),
    ],
)
def test_a_json_schema_is_told_in_our_words(told: Raw, type: str) -> None:
    schema = schema_of("people", {"properties": {"x": told}}, {})
    assert (schema.fields["x"].type, schema.fields["x"].custom, schema.open) == (type, True, True)


# Reading what is no list


@pytest.mark.parametrize(
    "response",
    [
        lambda: httpx2.Response(200, json={"data": []}),
        lambda: httpx2.Response(200, json={"data": []}, headers={"etag": '"new"'}),
        lambda: httpx2.Response(200, json={"data": None}, headers={"etag": '"20"'}),
        lambda: httpx2.Response(200, json=[], headers={"etag": '"20"'}),
        lambda: httpx2.Response(200, content=b'{"data": [{"id"', headers={"etag": '"20"'}),
        lambda: httpx2.Response(200, content=b"", headers={"etag": '"20"'}),
        lambda: listed({"id": "a", "last_modified": 20}, {"id": "b", "last_modified": 10}),
        lambda: listed({"id": "a"}),
        lambda: listed({"last_modified": 20}),
        lambda: listed({"id": "a", "last_modified": "20"}),
    ],
)
def test_what_is_no_list_in_the_order_of_changes_never_ends_a_read(response: Callable[[], httpx2.Response]) -> None:
    kinto, _ = scripted(always(response))
    with pytest.raises(TruncatedError):
        next(iter(kinto.read("people")))
    with pytest.raises(TruncatedError):
        next(iter(kinto.scan("people")))


def test_a_revision_that_a_proxy_made_weak_is_the_revision() -> None:
    """As nginx does when it packs an answer (https://nginx.org/en/CHANGES, 1.7.3)."""
    weak = httpx2.Response(200, json={"data": [RECORD]}, headers={"etag": 'W/"20"'})
    (page,) = scripted(always(lambda: weak))[0].read("people")
    assert (page.records, page.complete, page.cursor) == ([RECORD], True, {"since": 20})


def test_a_maintenance_page_is_no_empty_collection() -> None:
    page = "<html><title>Back soon</title></html>"
    kinto, _ = scripted(always(lambda: httpx2.Response(200, text=page, headers={"etag": '"20"', "content-type": "text/html"})))
    with pytest.raises(UnavailableError, match="Back soon"):
        list(kinto.read("people"))


def test_a_server_that_gives_the_same_page_for_ever_is_noticed() -> None:
    kinto, asked = scripted(always(lambda: listed(RECORD, revision=99)))
    with pytest.raises(TruncatedError):
        list(kinto.read("people"))
    assert len(asked) == 2


def test_a_short_page_that_does_not_reach_the_revision_is_not_the_end() -> None:
    answers = [listed(RECORD, revision=30), listed({"id": "p2", "last_modified": 30}, revision=30)]
    kinto, asked = scripted(lambda request: answers.pop(0))
    assert [page.complete for page in kinto.read("people")] == [False, True]
    assert asked[1].url.params["_since"] == '"20"'


def test_more_records_with_one_instant_than_a_page_holds_are_told_and_not_passed_over() -> None:
    kinto, _ = scripted(always(lambda: listed(RECORD, revision=99, more=True)))
    with pytest.raises(TruncatedError, match="share one instant"):
        list(kinto.read("people"))


@pytest.mark.parametrize("cursor", [{"mark": "x"}, {"since": "20"}, {"since": None}])
def test_a_cursor_of_another_shape_is_gone(cursor: dict[str, Any]) -> None:
    kinto, _ = scripted(always(listed))
    with pytest.raises(CursorGoneError):
        list(kinto.read("people", cursor))


def test_a_collection_that_is_not_there_is_told_with_the_way_out() -> None:
    kinto, _ = scripted(always(lambda: httpx2.Response(404, json={"code": 404, "errno": 111, "error": "Not Found"})))
    for act in (lambda: list(kinto.read("people")), lambda: kinto.describe("people")):
        with pytest.raises(NotFoundError) as caught:
            act()
        assert "'people' in the bucket 'crm'" in caught.value.message
        assert "aios connect" in caught.value.hint


def test_a_look_up_that_is_answered_in_pages_is_asked_in_halves() -> None:
    def script(request: httpx2.Request) -> httpx2.Response:
        ids = json.loads(f"[{request.url.params['in_id']}]")
        found = [{"id": id, "last_modified": 1} for id in ids]
        return listed(*found[:2], more=len(ids) > 2)

    kinto, asked = scripted(script)
    assert [raw["id"] for raw in kinto.lookup("people", list("abcdef"))] == list("abcdef")
    assert all(request.url.host == "kinto.example.com" for request in asked)


@pytest.mark.parametrize("url", [ADDRESS, f"{ADDRESS}/", f"{ADDRESS}/v1", f"{ADDRESS}/v1/", f"{ADDRESS}/store/v1"])
def test_the_address_may_name_the_version_or_not(url: str) -> None:
    kinto, asked = scripted(always(lambda: listed(revision=0)), url)
    list(kinto.read("people"))
    base = url.rstrip("/") if url.rstrip("/").endswith("/v1") else f"{ADDRESS}/v1"
    assert str(asked[0].url).startswith(f"{base}/buckets/crm/collections/people/records?")


# Writing


def test_what_kinto_answers_is_what_the_receipt_says() -> None:
    stale = {"details": {"existing": {**RECORD, "last_modified": 30, "notes": "theirs"}}}
    there = {"details": {"existing": {**RECORD, "last_modified": 30, "notes": "new"}}}
    for answer, outcome in [
        ((200, {"data": {**RECORD, "last_modified": 30}}), "written"),
        ((412, stale), "conflict"),
        ((412, there), "unchanged"),
        ((412, {}), "conflict"),
        ((404, {}), "conflict"),
        ((400, {"message": "Invalid", "details": [{"description": "notes is too long"}]}), "rejected"),
        ((403, {"message": "This user cannot access this resource."}), "rejected"),
    ]:
        kinto, asked = scripted(always(lambda answer=answer: batched(answer)))  # type: ignore[misc]
        assert (kinto.write("people", [update()])[0].outcome, len(asked)) == (outcome, 1)


def test_the_vendors_words_are_the_reason() -> None:
    body = {"message": "Invalid", "details": [{"description": "notes is too long"}]}
    kinto, _ = scripted(always(lambda: batched((400, body))))
    assert kinto.write("people", [update()])[0].reason == "notes is too long"


@pytest.mark.parametrize(
    ("post", "now", "outcome"),
    [
        (batched((503, {})), listed({**RECORD, "last_modified": 30, "notes": "new"}), "written"),
        (batched((503, {})), listed({**RECORD, "last_modified": 30, "notes": "theirs"}), "ambiguous"),
        (batched((503, {})), listed(RECORD), "ambiguous"),
        (batched((200, None)), listed({**RECORD, "notes": "new"}), "written"),
        (batched(), listed({**RECORD, "notes": "new"}), "written"),
        (httpx2.Response(200, json=[]), listed({**RECORD, "notes": "new"}), "written"),
        (httpx2.Response(502, text="bad gateway"), listed({**RECORD, "notes": "new"}), "written"),
        (httpx2.Response(502, text="bad gateway"), httpx2.Response(502), "ambiguous"),
        (httpx2.Response(502, text="bad gateway"), listed(), "conflict"),
    ],
)
def test_what_kinto_does_not_tell_is_looked_up_and_not_sent_again(
    post: httpx2.Response, now: httpx2.Response, outcome: str
) -> None:
    kinto, asked = scripted(by_method(post, now))
    assert kinto.write("people", [update()])[0].outcome == outcome
    assert [request.method for request in asked].count("POST") == 1


@pytest.mark.parametrize("status", [409, 500, 503])
def test_beside_a_failure_that_undoes_the_batch_no_answer_is_believed(status: int) -> None:
    post = batched((200, {"data": {**RECORD, "last_modified": 30, "notes": "new"}}), (status, {}))
    kinto, asked = scripted(by_method(post, listed(RECORD, {**RECORD, "id": "p2"})))
    receipts = kinto.write("people", [update(), Change("update", "l2", "p2", {"notes": "new"}, version="20")])
    assert [receipt.outcome for receipt in receipts] == ["ambiguous", "ambiguous"]
    assert [request.method for request in asked].count("POST") == 1


def test_a_change_that_was_refused_unsent_does_not_make_its_neighbours_sent() -> None:
    kinto, _ = scripted(always(lambda: httpx2.Response(401, json={"message": "Please authenticate yourself"})))
    with pytest.raises(AuthError):
        kinto.write("people", [update(), update({"id": "x"})])


def test_wrong_credentials_are_an_error_and_not_a_receipt() -> None:
    kinto, _ = scripted(always(lambda: httpx2.Response(401, json={"message": "Please authenticate yourself"})))
    with pytest.raises(AuthError):
        kinto.write("people", [update()])


def test_every_write_names_its_condition_and_its_plan_lines() -> None:
    kinto, asked = scripted(by_method(batched((201, {"data": RECORD}), (412, {})), listed()))
    kinto.write("people", [Change("create", f"plan.{number}", patch={"notes": "x"}, key=f"p{number}") for number in (1, 2)])
    sent = json.loads(asked[0].content)["requests"]
    assert [request["headers"] for request in sent] == [{"If-None-Match": "*"}] * 2
    assert [request["path"] for request in sent] == [f"/buckets/crm/collections/people/records/p{number}" for number in (1, 2)]
    assert asked[0].headers["aios-plan-line"] == "plan.1,plan.2"


def test_any_text_can_be_a_key_and_gives_one_id() -> None:
    kinto, asked = scripted(by_method(batched((201, {"data": RECORD}), (201, {"data": RECORD})), listed()))
    kinto.write("people", [Change("create", f"l{number}", patch={}, key="a key/of ä") for number in (1, 2)])
    first, second = json.loads(asked[0].content)["requests"]
    assert first["path"] == second["path"]
    assert re.fullmatch(r"/buckets/crm/collections/people/records/[0-9a-f]{32}", first["path"])
    assert first["body"]["data"] == {"aios_key": "a key/of ä"}


def test_a_record_of_somebody_else_under_our_id_is_not_taken_for_ours() -> None:
    theirs = {"details": {"existing": {"id": "person_1", "last_modified": 5, "notes": "theirs"}}}
    kinto, _ = scripted(always(lambda: batched((412, theirs))))
    (receipt,) = kinto.write("people", [Change("create", "l", patch={"notes": "ours"}, key="person_1")])
    assert (receipt.outcome, (receipt.current or {})["notes"]) == ("conflict", "theirs")


def test_ids_and_fields_that_kinto_would_refuse_are_not_sent() -> None:
    kinto, asked = scripted(always(batched))
    changes = [
        Change("create", "l1", patch={"aios_key": "mine"}, key="p1"),
        Change("create", "l2", patch={"last_modified": 5}, key="p1"),
    ]
    assert [receipt.outcome for receipt in kinto.write("people", changes)] == ["rejected", "rejected"]
    assert kinto.write("people", [Change("delete", "l3", "a/b", version="1")])[0].outcome == "rejected"
    assert asked == []


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3)


def merged(target: Any, patch: Any) -> Any:
    """The patch over the target: an object goes into an object, all else takes the place of what was there."""
    if not isinstance(patch, dict):
        return patch
    below = target if isinstance(target, dict) else {}
    return {**below, **{name: merged(below.get(name), value) for name, value in patch.items()}}


@given(OBJECTS, OBJECTS)
def test_a_change_leaves_the_neighbours_of_what_it_names_alone(data: Raw, patch: Raw) -> None:
    record = {**data, "id": "p1", "last_modified": 20, "schema": 3, "aios_key": "k"}
    puts: list[Raw] = []

    def script(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return listed(record)
        puts.append(json.loads(request.content)["requests"][0])
        return batched((200, {"data": record}))

    kinto, _ = scripted(script)
    kinto.write("people", [update({**patch, "z": None, "y": {"x": 1}})])
    assert [(put["method"], put["headers"]["If-Match"]) for put in puts] == [("PUT", '"20"')]
    assert puts[0]["body"]["data"] == {**merged(data, patch), "z": None, "y": {"x": 1}, "aios_key": "k"}


def test_a_change_of_plain_values_needs_no_look_up() -> None:
    kinto, asked = scripted(always(lambda: batched((200, {"data": RECORD}))))
    kinto.write("people", [update({"notes": None, "tags": ["a"]})])
    (request,) = asked
    sent = json.loads(request.content)["requests"][0]
    assert (sent["method"], sent["body"]["data"]) == ("PATCH", {"notes": None, "tags": ["a"]})


def test_an_object_that_is_not_there_is_named() -> None:
    kinto, _ = scripted(always(listed))
    with pytest.raises(ConfigError, match="'leads'"):
        kinto.lookup("leads", ["1"])


def test_the_vendors_own_client_is_given_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    kinto, _ = scripted(always(listed))
    monkeypatch.setitem(sys.modules, "kinto_http", None)
    with pytest.raises(ConfigError) as caught:
        kinto.native()
    assert "aios-connect-kinto[native]" in caught.value.hint
    monkeypatch.setitem(sys.modules, "kinto_http", SimpleNamespace(Client=lambda **told: told))
    assert kinto.native() == {"server_url": f"{ADDRESS}/v1", "bucket": "crm", "auth": ("aios", "correct-horse-battery")}
