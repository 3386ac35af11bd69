"""Signing in: once, in time, by whoever comes first; and no secret is ever seen anywhere."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from aios_connect.cassettes import Recorder
from aios_connect.connectors import Connector, Raw
from aios_connect.connectors.credentials import LEASE
from aios_connect.errors import AiosError, AuthError, ProviderError
from aios_connect.sandbox import FAULTS, Answer

from .issuer import Issuer
from .reading import assert_all_there
from .suite import CREATES, OAUTH, ROTATES, SCOPED, SECRET, WIRE, Suite, needs, once
from .wire import echoing, saying, too_many
from .world import World, stored

__all__ = ["Auth"]


def shapes(secret: str) -> tuple[str, ...]:
    """A secret as it is, and as it looks where it was wrapped."""
    return (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("="))


def assert_unseen(world: World, secrets: Iterable[str], said: Sequence[str]) -> None:
    """None of the secrets, nor what was made of them to sign a request, is anywhere in what was said."""
    signatures = {sent.headers.get("authorization", "").rpartition(" ")[2] for sent in world.wire.log}
    for secret in {*secrets, *signatures} - {""}:
        for shape in shapes(secret):
            assert not [text for text in said if shape in text], "a secret can be seen"


def signed_in_by_the_suite(world: World, life: int = 1800) -> Issuer:
    """From now on the suite gives out the access tokens, and the provider's own are put in behind it."""
    auth = world.auth("oauth2")
    auth = replace(auth, token_url=auth.token_url.format(**world.settings))
    plain = next(one for one in world.connector.spec.auth if one.kind != "oauth2" or world.secrets.get("access_token"))
    name, _, form = plain.header.partition(":")
    token = world.secrets.get("key") or world.secrets.get("access_token") or ""
    issuer = Issuer(auth, world.clock, life=life, inside={name.strip(): form.strip().replace("{token}", token)})
    world.wire.issuer = issuer
    return issuer


def by_oauth(world: World, secrets: dict[str, str] | None = None) -> Connector:
    """A connector of a process of its own; without secrets it finds them where the one before kept them."""
    return world.open(auth=world.auth("oauth2"), secrets=secrets, name="oauth")


class _DiedError(BaseException):
    """The process ended here."""


def _die(*_: object, **more: object) -> bool:
    raise _DiedError


class Auth(Suite):
    """How a connector signs in."""

    def test_good_credentials_pass_the_check(self, world: World) -> None:
        identity = world.provisioned().check()
        assert identity.account
        assert identity.user
        assert identity.missing == {}

    @needs(SECRET)
    def test_bad_credentials_fail_the_check_and_say_how_to_go_on(self, world: World) -> None:
        connector = world.open(secrets=dict.fromkeys(world.secrets, "wrong-secret-11"))
        with pytest.raises(AuthError) as caught:
            connector.check()
        assert caught.value.hint
        assert not world.over_http or len(world.wire.log) < 10, "credentials that are bad do not get better"

    @needs(SECRET)
    def test_missing_credentials_are_named_before_anything_is_sent(self, world: World) -> None:
        connector = world.open(secrets={"another": "thing"})
        with pytest.raises(AuthError) as caught:
            connector.check()
        assert caught.value.hint
        assert not world.over_http or not [sent for sent in world.wire.log if "authorization" in sent.headers]

    @needs(SECRET, WIRE)
    def test_nothing_is_sent_before_the_first_verb(self, world: World) -> None:
        world.open()
        assert world.wire.log == []

    @needs(SECRET, WIRE)
    def test_a_sign_in_that_ends_in_the_middle_of_a_read_is_renewed_or_said(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        world.wire.trouble(FAULTS["expired"], world.is_page, skip=1, times=1)
        try:
            told = world.read(world.open(), object)
        except AuthError as error:
            assert error.hint
        else:
            assert_all_there(world, object, told.records)

    @once
    @needs(SECRET, WIRE)
    def test_a_sign_in_that_is_never_good_is_not_tried_for_ever(self, world: World, object: str) -> None:
        world.fill(object, world.size(object) + 1)
        world.wire.trouble(FAULTS["expired"], world.is_page, skip=1)
        with pytest.raises(AuthError):
            world.read(world.open(), object)
        assert len(world.wire.log) < 20

    @once
    @needs(SECRET, WIRE)
    def test_what_is_not_permitted_is_said_with_a_way_out(self, world: World, object: str) -> None:
        world.fill(object, 1)
        world.wire.trouble(too_many("forbidden", 403), world.is_page)
        with pytest.raises(AuthError) as caught:
            world.read(world.open(), object)
        assert caught.value.hint

    @needs(SCOPED)
    def test_a_scope_that_is_missing_is_named_with_what_it_permits(self, world: World) -> None:
        scopes = next(auth.scopes for auth in world.connector.spec.auth if auth.scopes)
        named = {}
        for scope in scopes:
            world.permit(scopes.keys() - {scope})
            try:
                missing = world.open().check().missing
            except AuthError as error:  # without this one it cannot even look
                assert scope in error.hint + error.message
                continue
            named[scope] = {operation for operation, permits in missing.items() if scope in permits}
        told = {scope: operations for scope, operations in named.items() if operations}
        assert told == {scope: {scopes[scope]} for scope in told}
        assert len(named) - len(told) <= 1, "only the scope that signs in may go without saying"

    @needs(SECRET, WIRE, CREATES)
    def test_a_write_that_is_not_permitted_writes_nothing(self, world: World, object: str) -> None:
        connector = world.provisioned()
        before = sorted(world.truth(object))
        world.wire.trouble(too_many("forbidden", 403), world.is_write)
        with pytest.raises(AuthError):
            connector.write(object, [world.create(object)])
        assert sorted(world.truth(object)) == before

    @once
    @needs(SECRET, WIRE)
    @pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
    def test_no_secret_is_in_an_error_a_log_or_an_address_when_it_is_echoed(
        self, world: World, object: str, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        world.fill(object, 2)
        world.wire.trouble(echoing(world.wire, status), world.is_page)
        connector = world.open()
        said = [repr(connector), repr(connector.context), repr(connector.context.http)]
        try:
            world.read(connector, object)
        except AiosError as error:
            said += [str(error), repr(error), error.hint, error.message, str(vars(error))]
        said += [record.getMessage() for record in caplog.records]
        said += [one.url for one in world.wire.log]
        assert_unseen(world, world.secrets.values(), said)

    @once
    @needs(SECRET, WIRE)
    def test_no_secret_is_in_a_cursor_or_a_cassette(self, world: World, object: str, tmp_path: Path) -> None:
        world.fill(object, world.size(object) + 1)
        world.wait()
        path = tmp_path / "cassette.yaml"
        recorder = Recorder(path, origin="the conformance suite", inner=world.wire, now=world.clock.now)
        connector = world.open(transport=recorder)
        connector.check()
        pages = list(connector.read(object))
        recorder.close()
        kept = path.read_text("utf-8") + json.dumps([stored(page.cursor) for page in pages])
        for secret in world.secrets.values():
            assert not [shape for shape in shapes(secret) if shape in kept]

    @once
    @needs(SECRET, WIRE)
    def test_credentials_go_to_the_provider_and_to_nobody_else(self, world: World, object: str) -> None:
        """A redirect is not followed: the headers would go along."""
        world.fill(object, 1)
        world.wire.trouble(saying(Answer(302, b"", {"location": "https://elsewhere.example/api"})), world.is_page)
        with pytest.raises(ProviderError):
            world.read(world.open(), object)
        hosts = {httpx2.URL(sent.url).host for sent in world.wire.log}
        assert "elsewhere.example" not in hosts

    @once
    @needs(OAUTH)
    def test_an_access_token_is_renewed_before_it_is_used(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        issuer = signed_in_by_the_suite(world)
        assert_all_there(world, object, world.read(by_oauth(world, issuer.first()), object).records)
        assert issuer.refreshes == 1
        assert not [sent for sent in world.wire.log if sent.status == 401]

    @once
    @needs(OAUTH)
    def test_a_token_that_ended_early_is_renewed_once_and_nothing_is_lost(self, world: World, object: str) -> None:
        world.fill(object, 2 * world.size(object) + 1)
        world.wait()
        issuer = signed_in_by_the_suite(world)
        connector = by_oauth(world, issuer.first())
        seen: list[Raw] = []
        for number, page in enumerate(connector.read(object)):
            seen += page.records
            if number == 0:
                issuer.end_early()
        assert_all_there(world, object, seen)
        assert issuer.refreshes == 2

    @once
    @needs(OAUTH)
    def test_a_token_that_expires_during_a_wait_is_renewed_before_it_is_sent_again(self, world: World, object: str) -> None:
        world.fill(object, 1)
        world.wait()
        issuer = signed_in_by_the_suite(world, life=90)
        connector = by_oauth(world, issuer.first())
        world.wire.trouble(too_many("wait", retry_after="100"), world.is_page, times=1)
        assert_all_there(world, object, world.read(connector, object).records)
        assert not [sent for sent in world.wire.log if sent.status == 401]

    @once
    @needs(ROTATES)
    def test_a_refresh_token_that_was_replaced_is_kept_for_the_next_process(self, world: World, object: str) -> None:
        world.fill(object, 1)
        world.wait()
        issuer = signed_in_by_the_suite(world)
        by_oauth(world, issuer.first()).lookup(object, ["none"])
        for _ in range(3):
            world.clock.sleep(3600)
            by_oauth(world).lookup(object, ["none"])
        assert (issuer.refreshes, issuer.reused) == (4, 0)

    @once
    @needs(ROTATES)
    def test_a_crash_between_the_renewal_and_its_keeping_is_survived_or_said(
        self, world: World, object: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The provider has given a new token, and we died before we kept it: its grace decides."""
        issuer = signed_in_by_the_suite(world)
        by_oauth(world, issuer.first()).lookup(object, ["none"])
        world.clock.sleep(3600)
        with monkeypatch.context() as patch:
            patch.setattr(world.tokens, "put", _die)
            patch.setattr(world.tokens, "release", lambda *_: None)
            with pytest.raises(_DiedError):
                by_oauth(world).lookup(object, ["none"])
        assert issuer.refreshes == 2
        if world.auth("oauth2").grace > LEASE:  # the next one waits until the dead one may be replaced
            by_oauth(world).lookup(object, ["none"])
            assert issuer.reused == 0
        else:
            with pytest.raises(AuthError) as caught:
                by_oauth(world).lookup(object, ["none"])
            assert "connect" in caught.value.hint

    @once
    @needs(OAUTH)
    def test_a_token_that_another_process_renewed_is_taken_from_the_store(self, world: World, object: str) -> None:
        issuer = signed_in_by_the_suite(world)
        eight = [by_oauth(world, issuer.first()), *(by_oauth(world) for _ in range(7))]
        for connector in (*eight, *eight):
            connector.lookup(object, ["none"])
        world.clock.sleep(3600)
        for connector in (*eight, *eight):
            connector.lookup(object, ["none"])
        issuer.end_early()
        for connector in eight:
            connector.lookup(object, ["none"])
        assert (issuer.refreshes, issuer.reused) == (3, 0)

    @once
    @needs(OAUTH)
    def test_a_sign_in_that_is_refused_although_it_was_renewed_is_said(self, world: World, object: str) -> None:
        issuer = signed_in_by_the_suite(world)
        connector = by_oauth(world, issuer.first())
        world.wire.trouble(FAULTS["expired"], lambda sent: not issuer.is_asked(sent))
        world.wire.most = 30
        with pytest.raises(AuthError):
            connector.lookup(object, ["none"])
        assert issuer.refreshes <= 2

    @once
    @needs(OAUTH)
    def test_a_consent_that_was_withdrawn_asks_to_connect_again(self, world: World, object: str) -> None:
        issuer = signed_in_by_the_suite(world)
        if world.auth("oauth2").grant == "client":
            return
        connector = by_oauth(world, issuer.first() | {"refresh_token": "withdrawn-token-1"})
        with pytest.raises(AuthError) as caught:
            connector.lookup(object, ["none"])
        assert "connect" in caught.value.hint
        assert "withdrawn-token-1" not in str(caught.value)

    @once
    @needs(OAUTH)
    def test_no_token_that_was_given_out_is_in_a_log_or_a_cursor(
        self, world: World, object: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        world.fill(object, world.size(object) + 1)
        world.wait()
        issuer = signed_in_by_the_suite(world)
        connector = by_oauth(world, issuer.first())
        told = world.read(connector, object)
        said = [record.getMessage() for record in caplog.records] + [sent.url for sent in world.wire.log]
        said += [repr(connector.context), json.dumps(told.cursor)]
        world.wire.trouble(echoing(world.wire, 400))
        with pytest.raises(AiosError) as caught:
            connector.lookup(object, ["none"])
        said += [str(caught.value), repr(caught.value), caught.value.hint]
        assert_unseen(world, issuer.given, said)
