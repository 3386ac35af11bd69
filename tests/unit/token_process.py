"""A process of its own that the tests of tokens start: ``hold`` takes a lease and waits to be killed; ``renew`` asks for a token."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime

from aios_connect.connectors.credentials import Credentials
from aios_connect.connectors.owners import this_process
from aios_connect.connectors.spec import Auth
from aios_connect.errors import AiosError
from aios_connect.store.engine import Store
from aios_connect.store.keys import Keys
from aios_connect.store.tokens import SealedTokens


def now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    what, store_url, token_url, grace = sys.argv[1:]
    store = Store.open(store_url)
    tokens = SealedTokens(store, Keys(os.environ, keyring=None, project="p"), now=now)
    if what == "hold":
        kept = tokens.get("crm")
        assert kept is not None
        assert tokens.lease("crm", this_process(), version=kept.version, seconds=3600)
        print("held", flush=True)
        signal.pause()
    if what == "die":  # after the vendor rotated the token, before it is stored
        tokens.put = _die  # type: ignore[method-assign]
    auth = Auth("oauth2", "", token_url=token_url, rotates=True, grace=float(grace))
    crm = Credentials("crm", auth, tokens, now=now, sleep=time.sleep)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print(crm.access_token(), flush=True)
    except AiosError as error:
        print(f"{type(error).__name__}: {error.message} | {error.hint}", flush=True)
    store.close()


def _die(*values: object, **more: object) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return False


if __name__ == "__main__":
    main()
