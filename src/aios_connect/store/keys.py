"""The key that secrets are sealed with: from the environment, from a file, or from the desktop's keyring.

Without a key nothing is kept: secrets never fall back to plain text. A key is made only while no secret is sealed yet; a key that
is lost is said to be lost.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aios_connect.errors import ConfigError

__all__ = ["FILE_VARIABLE", "VARIABLE", "Key", "Keyring", "Keys", "desktop_keyring"]

VARIABLE = "AIOS_KEY"
FILE_VARIABLE = "AIOS_KEY_FILE"
NEXT_VARIABLE = "AIOS_KEY_NEXT"

_SERVICE = "aios-connect"
_HINT = (
    f"set {FILE_VARIABLE} to a file that only you can read (it is made on first use), "
    f"or {VARIABLE} to the output of: openssl rand -base64 32"
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of 256 bits.

    Attributes:
        bytes: The key itself.
        id: Tells keys apart without giving them away.
    """

    bytes: bytes = field(repr=False)

    @classmethod
    def make(cls) -> Key:
        """A new one."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str, source: str) -> Key:
        """The key written as base64 or as hexadecimal digits.

        Args:
            text: The key.
            source: Where it stood, for the error.

        Raises:
            ConfigError: It is not one.
        """
        text = text.strip()
        try:
            raw = (
                bytes.fromhex(text)
                if len(text) == 64
                else base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
            )
        except (ValueError, binascii.Error):
            raw = b""
        if len(raw) != 32:
            raise ConfigError(
                f"{source} does not hold a key of 32 bytes in base64", hint="make one with: openssl rand -base64 32"
            )
        return cls(raw)

    @property
    def id(self) -> str:
        """The first twelve digits of a digest of the key."""
        return hashlib.sha256(b"aios-connect key id:" + self.bytes).hexdigest()[:12]

    def text(self) -> str:
        """The key in base64, as :meth:`parse` reads it."""
        return base64.urlsafe_b64encode(self.bytes).decode()


class Keyring(Protocol):
    """What is used of the package ``keyring``."""

    def get_password(self, service: str, username: str) -> str | None:
        """The secret kept under these names."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget one."""


def desktop_keyring() -> Keyring | None:
    """The keyring of this desktop; none on a machine without one, nor one that keeps secrets in plain text."""
    try:
        import keyring
        from keyring.backend import KeyringBackend
        from keyring.backends import chainer, fail, null
    except ImportError:
        return None

    def keeps(backend: KeyringBackend) -> bool:
        if isinstance(backend, chainer.ChainerBackend):
            return any(keeps(inner) for inner in backend.backends)
        plain = "plaintext" in type(backend).__name__.lower()
        return not plain and not isinstance(backend, (fail.Keyring, null.Keyring))

    backend = keyring.get_keyring()
    return backend if keeps(backend) else None


class Keys:
    """Finds the key, and makes one where that is safe.

    Args:
        environment: Environment variables: ``AIOS_KEY``, ``AIOS_KEY_FILE``.
        keyring: The desktop's, if there is one.
        project: Whose key it is in the keyring.
    """

    def __init__(self, environment: Mapping[str, str], *, keyring: Keyring | None, project: str) -> None:
        self._environment = environment
        self._keyring = keyring
        self._project = project

    def find(self) -> Key | None:
        """The key, if there is one.

        Raises:
            ConfigError: What is there is not a key.
        """
        return self._found(coming=False)

    def coming(self) -> Key | None:
        """The key that is to take the place of this one, while a change of key is under way.

        Raises:
            ConfigError: What is there is not a key.
        """
        return self._found(coming=True)

    def find_or_make(self) -> Key:
        """The key; a new one, kept where it belongs, if there is none.

        Raises:
            ConfigError: There is no place to keep one; the hint says how to give one.
        """
        return self.find() or self._made(coming=False)

    def find_or_make_coming(self) -> Key:
        """The key that is to come; a new one, kept beside the present one, if none is under way.

        Raises:
            ConfigError: The present one stands in the environment, and the one to come does not.
        """
        if found := self.coming():
            return found
        if self._environment.get(VARIABLE):
            raise ConfigError(
                f"the key stands in the environment variable {VARIABLE}, which cannot be changed from here",
                hint=f"set {NEXT_VARIABLE} to the new one, the output of: openssl rand -base64 32",
            )
        return self._made(coming=True)

    def promote(self) -> str:
        """Let the key that is to come take the place of the present one. Says, for a person, where it is or what is left to do."""
        if self._environment.get(VARIABLE):
            return f"from now on {VARIABLE} must be what {NEXT_VARIABLE} is"
        if name := self._environment.get(FILE_VARIABLE):
            os.replace(self._file(name, coming=True), self._file(name, coming=False))
        elif self._keyring is not None and (text := self._asked(self._keyring, coming=True)):
            self._keyring.set_password(_SERVICE, self._project, text)
            self._keyring.delete_password(_SERVICE, _next(self._project))
        return f"it is in {self.where()}"

    def where(self) -> str:
        """Where the key is looked for, for a person."""
        if self._environment.get(VARIABLE):
            return f"the environment variable {VARIABLE}"
        if name := self._environment.get(FILE_VARIABLE):
            return f"the file {name}"
        return (
            "the keyring of this desktop"
            if self._keyring is not None
            else f"{VARIABLE} or {FILE_VARIABLE} (this machine has no keyring)"
        )

    def _found(self, *, coming: bool) -> Key | None:
        if self._environment.get(VARIABLE):
            variable = NEXT_VARIABLE if coming else VARIABLE
            text = self._environment.get(variable)
            return Key.parse(text, f"the environment variable {variable}") if text else None
        if name := self._environment.get(FILE_VARIABLE):
            path = self._file(name, coming=coming)
            try:
                return Key.parse(path.read_text(encoding="ascii", errors="replace"), f"the key file {path}")
            except FileNotFoundError:
                return None
            except OSError as error:
                raise ConfigError(
                    f"the key file {path} cannot be read: {error.strerror}", hint="give this user the right to read it"
                ) from None
        if self._keyring is not None and (text := self._asked(self._keyring, coming=coming)):
            return Key.parse(text, "the keyring")
        return None

    def _made(self, *, coming: bool) -> Key:
        key = Key.make()
        if name := self._environment.get(FILE_VARIABLE):
            return self._into_file(self._file(name, coming=coming), key, coming=coming)
        if self._keyring is None:
            raise ConfigError("there is no key to seal secrets with, and this machine has no keyring", hint=_HINT)
        try:
            self._keyring.set_password(_SERVICE, _next(self._project) if coming else self._project, key.text())
        except Exception as error:  # every backend has errors of its own
            raise ConfigError(f"the keyring does not keep the key: {error}", hint=_HINT) from error
        if self._asked(self._keyring, coming=coming) != key.text():
            raise ConfigError("the keyring does not keep the key", hint=_HINT)
        return key

    def _file(self, name: str, *, coming: bool) -> Path:
        path = Path(name).expanduser()
        return path.with_name(f"{path.name}.next") if coming else path

    def _asked(self, keyring: Keyring, *, coming: bool) -> str | None:
        try:
            return keyring.get_password(_SERVICE, _next(self._project) if coming else self._project)
        except Exception as error:  # every backend has errors of its own
            raise ConfigError(f"the keyring does not answer: {error}", hint=f"unlock it; or {_HINT}") from error

    def _into_file(self, path: Path, key: Key, *, coming: bool) -> Key:
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(key.text() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # whole or not at all, and never over another
        except FileExistsError:  # another process was first: its key counts
            return self.find_or_make_coming() if coming else self.find_or_make()
        except OSError as error:
            raise ConfigError(
                f"the key file {path} cannot be made: {error.strerror}", hint="choose a folder this user may write to"
            ) from None
        finally:
            draft.unlink(missing_ok=True)
        return key


def _next(project: str) -> str:
    return f"{project} (next)"
