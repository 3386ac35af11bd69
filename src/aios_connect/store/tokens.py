"""Secrets at rest: sealed with AES-GCM, each bound to its connection, so that a row moved to another one does not open.

The lease that makes a refresh happen once is part of the row; see :mod:`aios_connect.connectors.credentials`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from aios_connect.connectors.credentials import Secrets
from aios_connect.connectors.owners import has_ended
from aios_connect.errors import ConfigError

from .engine import Store
from .keys import Key, Keys
from .tables import token

__all__ = ["SealedTokens"]

_FORMAT: Final = b"\x01"
_NONCE: Final = 12
_FIRST: Final = (
    1_767_225_600  # 2026-01-01: versions begin at the second they are made, so that a row made anew never has an old one
)


class SealedTokens:
    """The secrets of a project's connections; a :class:`~aios_connect.connectors.credentials.TokenStore`.

    Args:
        store: Where they are kept.
        keys: Where the key is.
        now: The clock, for leases.
    """

    def __init__(self, store: Store, keys: Keys, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._keys = keys
        self._now = now

    def get(self, connection: str) -> Secrets | None:
        """See :meth:`TokenStore.get`.

        Raises:
            ConfigError: The key is lost or another one, or the row was damaged; the hint says the way out.
        """
        with self._store.read() as transaction:
            row = transaction.execute(select(token).where(token.c.connection == connection)).first()
        if row is None:
            return None
        return Secrets(_open(row, self._key(connection, row.key_id)), row.expires_at, row.version)

    def put(
        self, connection: str, values: Mapping[str, str], *, expires_at: float | None = None, version: int | None = None
    ) -> bool:
        """See :meth:`TokenStore.put`.

        Raises:
            ConfigError: There is no key, and none can be made.
        """
        key = self.prepare()
        sealed = {
            "sealed": _seal(connection, values, key),
            "key_id": key.id,
            "expires_at": expires_at,
            "lease_until": 0.0,
            "lease_by": "",
        }
        there = update(token).where(token.c.connection == connection)
        if version is not None:
            there = there.where(token.c.version == version)
        try:
            with self._store.begin() as transaction:
                if transaction.execute(there.values(version=token.c.version + 1, **sealed)).rowcount:
                    return True
                if version:
                    return False
                first = max(1, int(self._now().timestamp()) - _FIRST)
                transaction.execute(insert(token).values(connection=connection, version=first, **sealed))
                return True
        except IntegrityError:  # it was made in the meantime
            return False if version is not None else self.put(connection, values, expires_at=expires_at)

    def delete(self, connection: str) -> None:
        """See :meth:`TokenStore.delete`."""
        with self._store.begin() as transaction:
            transaction.execute(delete(token).where(token.c.connection == connection))

    def lease(self, connection: str, owner: str, *, version: int, seconds: float) -> bool:
        """See :meth:`TokenStore.lease`."""
        now = self._now().timestamp()
        row = update(token).where(token.c.connection == connection, token.c.version == version)
        ours = {"lease_by": owner, "lease_until": now + seconds}
        with self._store.begin() as transaction:
            free = row.where((token.c.lease_until <= now) | (token.c.lease_by == owner))
            if transaction.execute(free.values(ours)).rowcount:
                return True
            holder = transaction.execute(select(token.c.lease_by).where(token.c.connection == connection)).scalar()
            if holder is None or not has_ended(holder):
                return False
            return transaction.execute(row.where(token.c.lease_by == holder).values(ours)).rowcount == 1

    def release(self, connection: str, owner: str) -> None:
        """See :meth:`TokenStore.release`."""
        with self._store.begin() as transaction:
            ours = update(token).where(token.c.connection == connection, token.c.lease_by == owner)
            transaction.execute(ours.values(lease_by="", lease_until=0.0))

    def change_key(self) -> tuple[int, str]:
        """Seal all secrets with a new key. Stopped at any instant, it is finished by calling it again, and everything opens meanwhile.

        Returns:
            How many connections were sealed anew, and for a person where the new key is.

        Raises:
            ConfigError: There is no key, or a row is sealed with another one; then nothing was changed.
        """
        old = self._keys.find()
        if old is None:
            self._refuse_lost_key()
            raise ConfigError(
                "there is no key yet, for no secret is kept", hint="aios connect NAME makes one when it keeps a secret"
            )
        new = self._keys.find_or_make_coming()
        sealed = self.rotate(old, new)
        place = self._keys.promote()
        return sealed + self.rotate(old, new), place  # another process may have sealed one with the old key meanwhile

    def rotate(self, old: Key, new: Key) -> int:
        """Seal everything that the old key opens with the new one, in one transaction.

        Returns:
            How many connections were sealed anew; those sealed with the new key already are left as they are.

        Raises:
            ConfigError: A row is sealed with a third key; then nothing was changed.
        """
        with self._store.begin() as transaction:
            rows = transaction.execute(select(token).order_by(token.c.connection).with_for_update()).all()
            moved = [row for row in rows if row.key_id != new.id]
            for row in moved:
                if row.key_id != old.id:
                    raise _sealed_otherwise(row.connection, row.key_id, old.id)
                sealed = _seal(row.connection, _open(row, old), new)
                transaction.execute(
                    update(token).where(token.c.connection == row.connection).values(sealed=sealed, key_id=new.id)
                )
        return len(moved)

    def _key(self, connection: str, sealed_with: str) -> Key:
        key = self._keys.find()
        if key is None:
            raise ConfigError(
                f"the key that opens the secrets of {connection!r} is not there; it is looked for in {self._keys.where()}",
                hint=f"give it back; if it is lost, make a new one (openssl rand -base64 32) and run `aios connect {connection}`",
            )
        if key.id == sealed_with:
            return key
        coming = self._keys.coming()
        if coming is None or coming.id != sealed_with:
            raise _sealed_otherwise(connection, sealed_with, key.id)
        return coming

    def prepare(self) -> Key:
        """The key that secrets are sealed with now; a new one, if none is sealed yet.

        To be asked before a secret is used that can be used once only.

        Raises:
            ConfigError: There is no key, and none can be made; or it is lost, and a new one must be somebody's decision.
        """
        found = self._keys.find()
        if found is None:
            self._refuse_lost_key()
        return found or self._keys.find_or_make()

    def _refuse_lost_key(self) -> None:
        with self._store.read() as transaction:
            sealed = transaction.execute(select(token.c.connection, token.c.key_id).limit(1)).first()
        if sealed is not None:
            self._key(sealed.connection, sealed.key_id)


def _seal(connection: str, values: Mapping[str, str], key: Key) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    plain = json.dumps(dict(values), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return _FORMAT + nonce + AESGCM(key.bytes).encrypt(nonce, plain, _bound_to(connection))


def _open(row: Row[tuple[object, ...]], key: Key) -> dict[str, str]:
    sealed = bytes(row.sealed)
    nonce, rest = sealed[1 : _NONCE + 1], sealed[_NONCE + 1 :]
    try:
        if sealed[:1] != _FORMAT:
            raise InvalidTag
        plain = AESGCM(key.bytes).decrypt(nonce, rest, _bound_to(row.connection))
    except InvalidTag:
        raise ConfigError(
            f"the secrets of {row.connection!r} do not open: the row was damaged, or belongs to another connection",
            hint=f"put a backup in its place, or run `aios connect {row.connection}`",
        ) from None
    values: dict[str, str] = json.loads(plain.decode("utf-8", "surrogatepass"))
    return values


def _bound_to(connection: str) -> bytes:
    return b"aios-connect token 1:" + connection.encode()


def _sealed_otherwise(connection: str, sealed_with: str, given: str) -> ConfigError:
    return ConfigError(
        f"the secrets of {connection!r} are sealed with key {sealed_with}, and the key given is {given}",
        hint=f"give back key {sealed_with}; if it is lost, run `aios connect {connection}`",
    )
