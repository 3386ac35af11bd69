"""The conformance suite on real mail servers: pymap with aiosmtpd, and Dovecot with Exim."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from aios_connect.testing.conformance import Conformance
from aios_connect.testing.servers.dovecot import dovecot
from aios_connect.testing.servers.pymap import pymap

from .mail_world import MailWorld

pytestmark = pytest.mark.live


class PymapWorld(MailWorld):
    pass


class DovecotWorld(MailWorld):
    pass


@pytest.fixture(scope="module", autouse=True)
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("mail")
    with ExitStack() as stack:
        try:
            PymapWorld.server = stack.enter_context(pymap(folder / "pymap"))
            DovecotWorld.server = stack.enter_context(dovecot(folder / "dovecot"))
        except (OSError, RuntimeError) as error:
            (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no mail server here: {error}")
        yield


class TestPymap(Conformance):
    world = PymapWorld


class TestDovecot(Conformance):
    world = DovecotWorld
