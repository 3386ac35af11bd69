"""The connector as a whole: its spec is honest, and it keeps to itself."""

from __future__ import annotations

import socket
import time

import pytest

from aios_connect.connectors import Receives
from aios_connect.errors import AiosError

from .suite import WIRE, Suite, each, needs
from .world import World, at, nested

__all__ = ["Kit"]


class Kit(Suite):
    """What holds for a connector whatever it does."""

    def test_every_object_of_the_spec_is_tried(self, world: World) -> None:
        assert {*world.samples, *world.left_out} == set(world.connector.spec.objects)

    def test_the_spec_says_who_it_is_and_how_it_was_proved(self, world: World) -> None:
        spec = world.connector.spec
        assert spec.provider and spec.title and spec.docs and spec.proof
        assert spec.auth
        assert [setting.name for setting in spec.settings if not setting.help] == []
        assert [auth.kind for auth in spec.auth if not auth.help] == []
        assert len({auth.kind for auth in spec.auth}) == len(spec.auth)  # the setting sign_in names them by it
        assert [limit for limit in spec.limits if not limit.source or limit.calls < 1 or limit.seconds <= 0] == []
        for auth in spec.auth:
            assert auth.kind != "oauth2" or auth.token_url

    @each
    def test_the_spec_of_an_object_is_sound(self, world: World, object: str) -> None:
        spec = world.spec(object)
        assert spec.title and spec.id and spec.verbs
        assert min(spec.page_size, spec.batch_size, spec.lookup_size, spec.scan_size) >= 1
        assert set(spec.references.values()) <= set(world.connector.spec.objects)
        assert spec.conditional != "compare-and-set" or spec.version or "update" not in spec.verbs
        link = world.samples[object].link
        assert link is None or spec.references[link[0]] == link[1]

    @each
    def test_a_reference_leads_to_a_record(self, world: World, object: str) -> None:
        link = world.samples[object].link
        if link is None:
            return
        path, to = link
        (target,) = world.fill(to, 1)
        (id,) = world.fill(object, 1)
        world.change(object, id, nested(path, target))
        world.wait()
        connector = world.open()
        raw = world.by_id(object, world.read(connector, object).records)[id]
        assert [world.id(to, found) for found in connector.lookup(to, [str(at(raw, path))])] == [target]

    @needs(WIRE)
    def test_two_accounts_do_not_see_each_other(self, world: World, object: str) -> None:
        """Nothing of an account is kept where another connector of the process finds it."""
        other = type(world)(world.folder)
        world.fill(object, 3)
        other.fill(object, 2)
        world.wait()
        other.wait()
        mine, theirs = world.open(), other.open()
        try:
            assert len(world.read(mine, object).records) - len(other.read(theirs, object).records) == 1
            assert len(world.read(mine, object).records) == len(world.truth(object))
        finally:
            other.close()

    def test_closing_twice_is_as_good_as_once(self, world: World) -> None:
        connector = world.open()
        connector.check()
        connector.close()
        connector.close()

    def test_an_object_that_is_not_there_is_a_sentence_and_no_traceback(self, world: World) -> None:
        with pytest.raises((AiosError, KeyError, NotImplementedError)):
            world.open().describe("no such object!")

    def test_the_vendors_own_client_is_handed_out_or_said_to_be_missing(self, world: World) -> None:
        try:
            client = world.open().native()
        except (AiosError, NotImplementedError) as error:
            assert str(error)
        else:
            assert client is not None

    def test_webhooks_are_received_where_they_are_claimed(self, world: World) -> None:
        assert isinstance(world.open(), Receives) == world.connector.spec.webhooks

    def test_the_suite_itself_is_offline_and_never_waits(self, world: World) -> None:
        if not world.offline:
            pytest.skip("world: it is a real server")
        with socket.socket() as one, pytest.raises(AssertionError, match="offline"):
            one.connect(("127.0.0.1", 9))
        with pytest.raises(AssertionError, match="clock"):
            time.sleep(0)
