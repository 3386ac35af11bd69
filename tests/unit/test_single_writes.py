"""A change sent by itself: whatever happens to it, the receipt says what is so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    Change,
    ConflictError,
    NotFoundError,
    ObjectSpec,
    ProviderError,
    Raw,
    RejectedError,
    TruncatedError,
    UnavailableError,
    carried_out,
)

SPEC = ObjectSpec("People", frozenset({"read", "create", "update", "delete"}), version="meta.rev", key="ref")
CREATE = Change("create", "p.1", patch={"name": {"first": "Ann", "last": None}}, key="k-1")
UPDATE = Change("update", "p.2", "7", {"name": {"first": "Ann"}}, version="3")
DELETE = Change("delete", "p.3", "7", version="3")
ANN = {"id": 7, "meta": {"rev": 4}, "name": {"first": "Ann"}}
BO = {"id": 7, "meta": {"rev": 5}, "name": {"first": "Bo"}}
LOST = (AmbiguousWriteError("no answer"), TruncatedError("cut off"))


def doing(error: ProviderError | None, raw: Raw | None = None) -> Callable[[Change], Raw | None]:
    def do(change: Change) -> Raw | None:
        if error is not None:
            raise error
        return raw

    return do


def never(change: Change) -> Raw | None:
    raise AssertionError("there is nothing to look for")


def test_what_came_back_is_the_receipt() -> None:
    receipt = carried_out(CREATE, SPEC, send=doing(None, ANN), look=never)
    assert (receipt.outcome, receipt.id, receipt.version, receipt.record) == ("written", "7", "4", ANN)


def test_a_provider_that_shows_nothing_after_a_change_is_believed() -> None:
    for change in (UPDATE, DELETE):
        receipt = carried_out(change, SPEC, send=doing(None), look=never)
        assert (receipt.outcome, receipt.id, receipt.version) == ("written", "7", None)


def test_a_new_record_without_an_id_is_looked_for() -> None:
    for raw in (None, {"ok": True}):
        assert carried_out(CREATE, SPEC, send=doing(None, raw), look=doing(None, ANN)).id == "7"
        assert carried_out(CREATE, SPEC, send=doing(None, raw), look=doing(None)).outcome == "ambiguous"


@pytest.mark.parametrize("change", [CREATE, UPDATE, DELETE])
def test_what_is_refused_is_said_in_the_words_of_the_provider(change: Change) -> None:
    receipt = carried_out(change, SPEC, send=doing(RejectedError("no such stage")), look=never)
    assert (receipt.outcome, receipt.reason) == ("rejected", "no such stage")


def test_what_is_gone_is_a_conflict_and_was_deleted_already() -> None:
    assert carried_out(UPDATE, SPEC, send=doing(NotFoundError("gone")), look=never).outcome == "conflict"
    assert carried_out(DELETE, SPEC, send=doing(NotFoundError("gone")), look=never).outcome == "unchanged"


def test_a_conflict_shows_what_is_there_now() -> None:
    for change in (UPDATE, DELETE):
        receipt = carried_out(change, SPEC, send=doing(ConflictError("stale")), look=doing(None, BO))
        assert (receipt.outcome, receipt.current, receipt.reason) == ("conflict", BO, "stale")
    blind = carried_out(UPDATE, SPEC, send=doing(ConflictError("stale")), look=doing(UnavailableError("away")))
    assert (blind.outcome, blind.current) == ("conflict", None)


def test_a_key_that_is_taken_by_the_same_record_was_ours() -> None:
    assert carried_out(CREATE, SPEC, send=doing(ConflictError("taken")), look=doing(None, ANN)).outcome == "written"
    assert carried_out(CREATE, SPEC, send=doing(ConflictError("taken")), look=doing(None, BO)).outcome == "conflict"


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_answer_is_looked_for(lost: ProviderError) -> None:
    for change in (CREATE, UPDATE):
        assert carried_out(change, SPEC, send=doing(lost), look=doing(None, ANN)).outcome == "written"
        assert carried_out(change, SPEC, send=doing(lost), look=doing(None, BO)).outcome == "ambiguous"
        assert carried_out(change, SPEC, send=doing(lost), look=doing(None)).outcome == "ambiguous"
    assert carried_out(DELETE, SPEC, send=doing(lost), look=doing(None)).outcome == "written"
    assert carried_out(DELETE, SPEC, send=doing(lost), look=doing(None, ANN)).outcome == "ambiguous"


@pytest.mark.parametrize("change", [CREATE, UPDATE, DELETE])
def test_what_cannot_be_looked_for_is_ambiguous(change: Change) -> None:
    receipt = carried_out(change, SPEC, send=doing(LOST[0]), look=doing(AuthError("no")))
    assert (receipt.outcome, receipt.reason) == ("ambiguous", "no answer")


@pytest.mark.parametrize("error", [UnavailableError("away"), AuthError("no")])
def test_where_nothing_was_written_there_is_no_receipt(error: ProviderError) -> None:
    with pytest.raises(type(error)):
        carried_out(CREATE, SPEC, send=doing(error), look=never)


def test_what_the_spec_does_not_claim_is_not_sent() -> None:
    read_only = ObjectSpec("People", frozenset({"read"}))
    receipt = carried_out(DELETE, read_only, send=never, look=never)
    assert receipt.outcome == "rejected"
    assert "delete" in receipt.reason
