"""Secrets at rest: sealed, bound to their connection, with a key that is never made in place of a lost one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from aios_connect.connectors.credentials import MemoryTokenStore, TokenStore
from aios_connect.connectors.owners import this_process
from aios_connect.errors import ConfigError
from aios_connect.store.engine import Store
from aios_connect.store.keys import Key, Keys, desktop_keyring
from aios_connect.store.tables import token
from aios_connect.store.tokens import SealedTokens

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


class Drawer:
    """A keyring."""

    def __init__(self, forgets: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.forgets = forgets

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def keys(key: Key | None = None, **environment: str) -> Keys:
    return Keys({"AIOS_KEY": key.text()} if key else environment, keyring=None, project="p")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sealed"])
def tokens(request: pytest.FixtureRequest, store: Store, clock: Clock) -> TokenStore:
    """Both stores of secrets."""
    return MemoryTokenStore(now=clock) if request.param == "memory" else SealedTokens(store, keys(Key.make()), now=clock)


# What every store of secrets does


def test_what_is_put_comes_back(tokens: TokenStore) -> None:
    assert tokens.get("crm") is None
    assert tokens.put("crm", {"password": "päss\ud800"}, expires_at=12.5)
    kept = tokens.get("crm")
    assert kept is not None
    assert (kept.values, kept.expires_at) == ({"password": "päss\ud800"}, 12.5)
    tokens.delete("crm")
    assert tokens.get("crm") is None


def test_a_write_counts_only_at_the_version_that_was_read(tokens: TokenStore) -> None:
    assert tokens.put("crm", {"a": "1"}, version=0)
    assert not tokens.put("crm", {"a": "2"}, version=0)
    first = tokens.get("crm")
    assert first is not None
    assert tokens.put("crm", {"a": "2"}, version=first.version)
    assert not tokens.put("crm", {"a": "3"}, version=first.version)
    second = tokens.get("crm")
    assert second is not None
    assert second.values == {"a": "2"}
    assert tokens.put("crm", {"a": "4"})


def test_secrets_made_anew_never_have_a_version_of_before(tokens: TokenStore, clock: Clock) -> None:
    tokens.put("crm", {"a": "old"})
    old = tokens.get("crm")
    assert old is not None
    tokens.delete("crm")
    clock.at += timedelta(seconds=1)
    tokens.put("crm", {"a": "new"})
    assert not tokens.put("crm", {"a": "late"}, version=old.version)


def test_one_at_a_time_may_renew_until_the_lease_is_over(tokens: TokenStore, clock: Clock) -> None:
    tokens.put("crm", {"a": "1"})
    kept = tokens.get("crm")
    assert kept is not None
    one, two = this_process(), this_process()
    assert tokens.lease("crm", one, version=kept.version, seconds=60)
    assert not tokens.lease("crm", two, version=kept.version, seconds=60)
    assert tokens.lease("crm", one, version=kept.version, seconds=60)
    clock.at += timedelta(seconds=61)
    assert tokens.lease("crm", two, version=kept.version, seconds=60)
    tokens.release("crm", one)
    assert not tokens.lease("crm", one, version=kept.version, seconds=60)
    tokens.release("crm", two)
    assert tokens.lease("crm", one, version=kept.version, seconds=60)
    assert tokens.put("crm", {"a": "2"}, version=kept.version)
    assert not tokens.lease("crm", two, version=kept.version, seconds=60), "that version is gone"
    assert not tokens.lease("sheet", two, version=0, seconds=60)


# Sealing


def rows(store: Store) -> dict[str, bytes]:
    with store.read() as transaction:
        return {row.connection: bytes(row.sealed) for row in transaction.execute(select(token))}


def test_a_secret_does_not_stand_in_the_database(store: Store, clock: Clock) -> None:
    sealed = SealedTokens(store, keys(Key.make()), now=clock)
    sealed.put("crm", {"password": "pl4nted-secret"})
    first = rows(store)["crm"]
    assert b"pl4nted" not in first
    sealed.put("crm", {"password": "pl4nted-secret"})
    assert rows(store)["crm"] != first, "a nonce is never used twice"
    kept = sealed.get("crm")
    assert "pl4nted" not in f"{kept!r} {Key.make()!r}"


def test_a_row_that_was_moved_or_damaged_does_not_open(store: Store, clock: Clock) -> None:
    sealed = SealedTokens(store, keys(Key.make()), now=clock)
    for name in ("crm", "sheet"):
        sealed.put(name, {"password": name})
    ours = rows(store)
    with store.begin() as transaction:
        transaction.execute(update(token).where(token.c.connection == "sheet").values(sealed=ours["crm"]))
    with pytest.raises(ConfigError, match="'sheet' do not open") as caught:
        sealed.get("sheet")
    assert "aios connect sheet" in caught.value.hint
    for damaged in (ours["crm"][:-1] + bytes([ours["crm"][-1] ^ 1]), b"\x02" + ours["crm"][1:], b""):
        with store.begin() as transaction:
            transaction.execute(update(token).where(token.c.connection == "crm").values(sealed=damaged))
        with pytest.raises(ConfigError, match="'crm' do not open"):
            sealed.get("crm")


def test_the_loss_of_the_key_is_said_with_the_way_out(store: Store, clock: Clock, tmp_path: Path) -> None:
    key = Key.make()
    SealedTokens(store, keys(key), now=clock).put("crm", {"password": "x"})
    folder = tmp_path / "keys"
    lost = SealedTokens(store, keys(AIOS_KEY_FILE=str(folder / "key")), now=clock)
    for attempt in (lambda: lost.get("crm"), lambda: lost.put("sheet", {"password": "y"})):
        with pytest.raises(ConfigError, match="not there; it is looked for in the file") as caught:
            attempt()
        assert "aios connect crm" in caught.value.hint
    assert not folder.exists(), "no new key in place of a lost one"
    other = Key.make()
    with pytest.raises(ConfigError, match=f"sealed with key {key.id}, and the key given is {other.id}"):
        SealedTokens(store, keys(other), now=clock).get("crm")
    SealedTokens(store, keys(other), now=clock).put("crm", {"password": "again"})
    kept = SealedTokens(store, keys(other), now=clock).get("crm")
    assert kept is not None
    assert kept.values == {"password": "again"}


def test_the_key_can_be_changed(store: Store, clock: Clock) -> None:
    old, new = Key.make(), Key.make()
    sealed = SealedTokens(store, keys(old), now=clock)
    for name in ("crm", "sheet"):
        sealed.put(name, {"password": name}, expires_at=1.0)
    assert sealed.rotate(old, new) == 2
    assert sealed.rotate(old, new) == 0
    after = SealedTokens(store, keys(new), now=clock)
    for name in ("crm", "sheet"):
        kept = after.get(name)
        assert kept is not None
        assert (kept.values, kept.expires_at) == ({"password": name}, 1.0)
    with pytest.raises(ConfigError, match="sealed with key"):
        sealed.get("crm")


def test_a_change_of_key_is_whole_or_not_at_all(store: Store, clock: Clock) -> None:
    old, new, third = Key.make(), Key.make(), Key.make()
    SealedTokens(store, keys(old), now=clock).put("crm", {"password": "x"})
    SealedTokens(store, keys(third), now=clock).put("sheet", {"password": "y"})
    before = rows(store)
    with pytest.raises(ConfigError, match=f"'sheet' are sealed with key {third.id}"):
        SealedTokens(store, keys(new), now=clock).rotate(old, new)
    assert rows(store) == before


def places(tmp_path: Path, given: str) -> Keys:
    if given == "file":
        return keys(AIOS_KEY_FILE=str(tmp_path / "key"))
    if given == "keyring":
        return Keys({}, keyring=Drawer(), project="p")
    return keys(AIOS_KEY=Key.make().text(), AIOS_KEY_NEXT=Key.make().text())


@pytest.mark.parametrize("given", ["file", "keyring"])
def test_a_new_key_takes_the_place_of_the_old_one(store: Store, clock: Clock, tmp_path: Path, given: str) -> None:
    place = places(tmp_path, given)
    sealed = SealedTokens(store, place, now=clock)
    sealed.put("crm", {"password": "x"})
    old = place.find()
    count, where = sealed.change_key()
    assert (count, given in where, place.coming()) == (1, True, None)
    assert place.find() not in (None, old)
    kept = sealed.get("crm")
    assert kept is not None
    assert kept.values == {"password": "x"}
    again = place.find()
    assert sealed.change_key()[0] == 1
    assert place.find() != again


def test_a_key_in_the_environment_is_changed_by_whoever_sets_it(store: Store, clock: Clock, tmp_path: Path) -> None:
    place = places(tmp_path, "environment")
    sealed = SealedTokens(store, place, now=clock)
    sealed.put("crm", {"password": "x"})
    count, where = sealed.change_key()
    assert (count, where) == (1, "from now on AIOS_KEY must be what AIOS_KEY_NEXT is")
    new = place.coming()
    assert new is not None
    kept = SealedTokens(store, keys(new), now=clock).get("crm")
    assert kept is not None
    with pytest.raises(ConfigError, match="cannot be changed from here") as caught:
        SealedTokens(store, keys(new), now=clock).change_key()
    assert "AIOS_KEY_NEXT" in caught.value.hint


@pytest.mark.parametrize("given", ["file", "keyring"])
def test_a_change_of_key_that_was_stopped_half_way_opens_everything_and_is_finished(
    store: Store, clock: Clock, tmp_path: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places(tmp_path, given)
    sealed = SealedTokens(store, place, now=clock)
    sealed.put("crm", {"password": "x"})
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Keys, "promote", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        sealed.change_key()
    sealed.put("sheet", {"password": "y"})
    opened = [sealed.get(name) for name in ("crm", "sheet")]
    assert [kept and kept.values["password"] for kept in opened] == ["x", "y"]
    assert sealed.change_key()[0] == 1
    opened = [sealed.get(name) for name in ("crm", "sheet")]
    assert [kept and kept.values["password"] for kept in opened] == ["x", "y"]


def test_what_is_sealed_with_the_old_key_while_it_is_changed_is_sealed_anew(
    store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places(tmp_path, "file")
    sealed = SealedTokens(store, place, now=clock)
    sealed.put("crm", {"password": "x"})
    promote = Keys.promote
    monkeypatch.setattr(Keys, "promote", lambda self: (sealed.put("sheet", {"password": "y"}), promote(self))[1])
    assert sealed.change_key()[0] == 2
    kept = sealed.get("sheet")
    assert kept is not None


def test_a_lost_key_cannot_be_changed(store: Store, clock: Clock, tmp_path: Path) -> None:
    place = places(tmp_path, "file")
    sealed = SealedTokens(store, place, now=clock)
    with pytest.raises(ConfigError, match="there is no key yet"):
        sealed.change_key()
    sealed.put("crm", {"password": "x"})
    (tmp_path / "key").unlink()
    with pytest.raises(ConfigError, match="the key that opens the secrets of 'crm' is not there") as caught:
        sealed.change_key()
    assert "if it is lost, make a new one" in caught.value.hint


# Where the key comes from


def test_without_a_place_for_a_key_nothing_is_kept(store: Store, clock: Clock) -> None:
    sealed = SealedTokens(store, keys(), now=clock)
    with pytest.raises(ConfigError, match="no keyring") as caught:
        sealed.put("crm", {"password": "x"})
    assert "AIOS_KEY_FILE" in caught.value.hint
    assert rows(store) == {}


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    found = keys(AIOS_KEY_FILE=str(path)).find_or_make()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys(AIOS_KEY_FILE=str(path)).find_or_make() == found
    assert [file.name for file in path.parent.iterdir()] == ["key"]


def test_the_environment_comes_before_the_file_and_the_file_before_the_keyring(tmp_path: Path) -> None:
    given, drawer, path = Key.make(), Drawer(), tmp_path / "key"
    in_drawer = Keys({}, keyring=drawer, project="p").find_or_make()
    in_file = Keys({"AIOS_KEY_FILE": str(path)}, keyring=drawer, project="p").find_or_make()
    assert Keys({"AIOS_KEY": given.text(), "AIOS_KEY_FILE": str(path)}, keyring=drawer, project="p").find() == given
    assert Keys({"AIOS_KEY_FILE": str(path)}, keyring=drawer, project="p").find() == in_file
    assert Keys({}, keyring=drawer, project="p").find_or_make() == in_drawer
    assert Keys({}, keyring=drawer, project="other").find() is None
    assert len({given, in_drawer, in_file}) == 3


def test_a_keyring_that_forgets_is_no_place_for_a_key() -> None:
    with pytest.raises(ConfigError, match="does not keep the key"):
        Keys({}, keyring=Drawer(forgets=True), project="p").find_or_make()


@pytest.mark.parametrize("text", ["", "short", "x" * 44, "é" * 44])
def test_what_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(ConfigError, match="does not hold a key of 32 bytes"):
        keys(AIOS_KEY_FILE=str(path)).find()


def test_a_key_is_read_in_every_usual_form() -> None:
    key = Key.make()
    assert Key.parse(key.bytes.hex(), "x") == Key.parse(key.text().rstrip("=") + "\n", "x") == key


def test_a_machine_without_a_keyring_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends import fail, null

    for backend in (fail.Keyring(), null.Keyring()):  # type: ignore[no-untyped-call]
        monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
        assert desktop_keyring() is None


# A holder that was killed


def test_a_process_that_was_killed_while_it_held_the_lease_is_replaced_at_once(store_url: str) -> None:
    store, key = Store.open(store_url), Key.make()
    sealed = SealedTokens(store, keys(key), now=lambda: datetime.now(UTC))
    sealed.put("crm", {"password": "x"})
    kept = sealed.get("crm")
    assert kept is not None
    command = [sys.executable, str(Path(__file__).with_name("token_process.py")), "hold", store_url, "", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "AIOS_KEY": key.text()}) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert not sealed.lease("crm", this_process(), version=kept.version, seconds=60)
        finally:
            holder.kill()
    assert sealed.lease("crm", this_process(), version=kept.version, seconds=60)
    store.close()
