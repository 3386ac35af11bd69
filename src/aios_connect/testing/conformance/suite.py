"""How a test comes to its objects: it names the claims it needs, and ``spec`` says where they are made."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import pytest

from aios_connect.connectors import ObjectSpec

from .world import World

__all__ = [
    "BUSY",
    "CREATES",
    "CREATES_WITHOUT_A_KEY",
    "DAILY",
    "DELETES",
    "GROWS",
    "INCREMENTAL",
    "KEYED",
    "LAGS",
    "LIMITED",
    "LINKED",
    "MAPPED",
    "MERGES",
    "NOT_INCREMENTAL",
    "OAUTH",
    "READ_ONLY",
    "REFUSES",
    "ROTATES",
    "SCANS",
    "SCOPED",
    "SECRET",
    "SPOILS",
    "TELLS_WHAT_IS_LEFT",
    "TOMBSTONES",
    "UNANNOUNCED",
    "UPDATES",
    "VERSIONED",
    "WIRE",
    "Claim",
    "Suite",
    "each",
    "needs",
    "once",
    "plays",
]

_Test = TypeVar("_Test", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that is so with an object, or with a whole provider.

    Attributes:
        holds: True if it is so.
        lack: What is said where it is not.
    """

    holds: Callable[[type[World], str], bool]
    lack: str


def _of_object(test: Callable[[ObjectSpec], bool], lack: str) -> Claim:
    return Claim(lambda world, object: test(world.connector.spec.objects[object]), lack)


def _of_world(test: Callable[[type[World]], bool], lack: str) -> Claim:
    return Claim(lambda world, object: test(world), lack)


def _may(*verbs: str) -> Callable[[ObjectSpec], bool]:
    return lambda spec: spec.verbs.issuperset(verbs)


CREATES: Final = _of_object(_may("create"), "spec: it creates nothing")
UPDATES: Final = _of_object(_may("create", "update"), "spec: it updates nothing")
DELETES: Final = _of_object(_may("create", "delete"), "spec: it deletes nothing")
READ_ONLY: Final = _of_object(lambda spec: not _may("create", "update", "delete")(spec), "spec: it has every verb")
INCREMENTAL: Final = _of_object(lambda spec: spec.incremental, "spec: it reads no changes")
NOT_INCREMENTAL: Final = _of_object(lambda spec: not spec.incremental, "spec: it reads changes everywhere")
TOMBSTONES: Final = _of_object(lambda spec: spec.deletes == "tombstones", "spec: it has no tombstones")
UNANNOUNCED: Final = _of_object(lambda spec: spec.deletes in ("scan", "file"), "spec: it announces its deletes, or knows none")
KEYED: Final = _of_object(lambda spec: bool(spec.key) and _may("create")(spec), "spec: it has no place for our key")
CREATES_WITHOUT_A_KEY: Final = _of_object(
    lambda spec: not spec.key and _may("create")(spec), "spec: it has a place for our key wherever it creates"
)
VERSIONED: Final = _of_object(lambda spec: bool(spec.version), "spec: it has no versions")
SCANS: Final = _of_object(lambda spec: spec.deletes in ("scan", "tombstones", "file"), "spec: it lists no ids")
LINKED: Final = Claim(lambda world, object: world.samples[object].link is not None, "spec: it writes no references")
REFUSES: Final = Claim(lambda world, object: bool(world.samples[object].bad), "world: it refuses no values")
WIRE: Final = _of_world(
    lambda world: world.over_http and any(auth.kind != "none" for auth in world.connector.spec.auth),
    "spec: it is not spoken to over HTTP",
)
SECRET: Final = _of_world(lambda world: world.connector.spec.auth[0].kind != "none", "spec: nobody signs in")
OAUTH: Final = _of_world(
    lambda world: world.over_http and any(auth.kind == "oauth2" for auth in world.connector.spec.auth), "spec: it has no OAuth"
)
ROTATES: Final = _of_world(
    lambda world: world.over_http and any(auth.rotates for auth in world.connector.spec.auth), "spec: it rotates no tokens"
)
LIMITED: Final = _of_world(
    lambda world: any(limit.seconds <= 60 for limit in world.connector.spec.limits), "spec: it names no limit of a minute or less"
)
TELLS_WHAT_IS_LEFT: Final = _of_world(
    lambda world: any(limit.left and limit.seconds <= 60 for limit in world.connector.spec.limits),
    "spec: nobody says what is left",
)
DAILY: Final = _of_world(
    lambda world: any(limit.left and limit.seconds >= 86_400 and not limit.scope for limit in world.connector.spec.limits),
    "spec: nobody says what is left of a day",
)
GROWS: Final = Claim(
    lambda world, object: world.has("add_field") and _may("create")(world.connector.spec.objects[object]),
    "world: nobody adds fields to it",
)
BUSY: Final = _of_world(lambda world: bool(world.busy), "world: it says 429 when it is busy")
SCOPED: Final = _of_world(
    lambda world: world.has("permit") and any(auth.scopes for auth in world.connector.spec.auth),
    "world: it permits all or nothing",
)
MERGES: Final = Claim(
    lambda world, object: (
        world.has("merge") and object not in world.unmerged and _may("delete")(world.connector.spec.objects[object])
    ),
    "world: its people merge nothing",
)
SPOILS: Final = _of_world(lambda world: world.has("spoil"), "world: nothing in it can be unreadable")
MAPPED: Final = _of_world(lambda world: bool(world.mapped()), "world: it has no mapping files")
LAGS: Final = _of_world(lambda world: world.lag > 0, "world: no index of it lags")


def plays(fault: str) -> Claim:
    """The world can play a fault that only the provider can."""
    return _of_world(lambda world: fault in world.plays, f"world: it does not play {fault!r}")


def needs(*claims: Claim) -> Callable[[_Test], _Test]:
    """The test makes sense where these claims are made; with ``object``, for one object of each profile that makes them."""

    def mark(test: _Test) -> _Test:
        test.__dict__["needs"] = claims
        return test

    return mark


def each(test: _Test) -> _Test:
    """The test is for every object, not for one of each profile."""
    test.__dict__["each"] = True
    return test


def once(test: _Test) -> _Test:
    """One object is enough: the test is about the account, or about the way to it."""
    test.__dict__["once"] = True
    return test


class Suite:
    """The base of every part of the suite.

    Attributes:
        world: The provider in a box.
    """

    world: ClassVar[type[World]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each object that makes the claims the test is about."""
        if "object" not in metafunc.fixturenames:
            return
        claims: tuple[Claim, ...] = getattr(metafunc.function, "needs", ())
        objects = [name for name in self.world.samples if all(claim.holds(self.world, name) for claim in claims)]
        if getattr(metafunc.function, "once", False):
            objects = objects[:1]
        elif not getattr(metafunc.function, "each", False):
            objects = list({_profile(self.world, name): name for name in reversed(objects)}.values())[::-1]
        if objects:
            metafunc.parametrize("object", objects)
        else:
            lacking = next(claim for claim in claims if not any(claim.holds(self.world, name) for name in self.world.samples))
            metafunc.parametrize("object", [pytest.param("", marks=pytest.mark.skip(reason=lacking.lack))])

    @pytest.fixture(autouse=True)
    def _offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No test reaches for a network, and none waits by the clock on the wall."""

        if not self.world.offline:
            return

        def refuse(*_: Any) -> None:
            raise AssertionError("a conformance test is offline")

        def impatient(seconds: float) -> None:
            raise AssertionError("a conformance test waits by the clock it is given")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        monkeypatch.setattr(time, "sleep", impatient)

    @pytest.fixture(name="world")
    def _world(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
        """The world, new for every test."""
        for claim in getattr(request.function, "needs", ()):
            if "object" not in request.fixturenames and not claim.holds(self.world, next(iter(self.world.samples))):
                pytest.skip(claim.lack)
        world = self.world(tmp_path)
        yield world
        world.close()


def _profile(world: type[World], object: str) -> tuple[Any, ...]:
    """What an object claims, whatever it is called: objects of one profile are of one kind to the suite."""
    spec, sample = world.connector.spec.objects[object], world.samples[object]
    claims = (spec.verbs, spec.version, spec.modified, spec.key, spec.conditional, spec.incremental, spec.deletes)
    return (*claims, sample.link is not None, bool(sample.bad))
