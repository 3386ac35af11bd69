"""A project, and everything in it put together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aios_connect.connection import Connection, Outside, open_connection
from aios_connect.connection.settings import secret_names
from aios_connect.connectors import ConnectorSpec, registry
from aios_connect.connectors.budget import Budget, MemoryBudget
from aios_connect.connectors.credentials import TokenStore
from aios_connect.errors import ConfigError
from aios_connect.mappings.documents import did_you_mean

from .secrets import EnvironmentTokens
from .settings import ConnectionSettings, Settings, SettingsFile, find_settings

if TYPE_CHECKING:
    import httpx2

    from aios_connect.store import Store
    from aios_connect.store.tokens import SealedTokens
    from aios_connect.sync import Job

    from .checks import Finding

__all__ = ["Project"]


def _now() -> datetime:
    return datetime.now(UTC)


class Project:
    """A folder with settings, mappings and jobs. Opens nothing before it is asked to.

    Args:
        file: Its settings file.
        environment: Environment variables; those of the process, if not given.
        now: The clock.
        sleep: How to wait, in seconds.
        transport: Instead of the network: a cassette, a sandbox.
        attempts: How often a request to a tool is tried at most; few, where a person waits for the answer.
    """

    def __init__(
        self,
        file: Path,
        *,
        environment: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
        attempts: int = 6,
    ) -> None:
        self.file = file
        self.folder = file.parent
        self._file = SettingsFile(file)
        self.now = now
        self._sleep = sleep
        self._environment = os.environ if environment is None else environment
        self._transport = transport
        self._attempts = attempts
        self._open: dict[str, Connection] = {}
        self._held = ExitStack()

    @classmethod
    def find(cls, start: Path | None = None, *, attempts: int = 6) -> Project:
        """The project that a folder belongs to.

        Args:
            start: Where to look, and above; the present folder, if not given.
            attempts: How often a request to a tool is tried at most.

        Raises:
            ConfigError: There is none, or its settings are wrong.
        """
        start = (start or Path.cwd()).resolve()
        file = find_settings(start)
        if file is None:
            raise ConfigError(
                f"there is no project in {start} or above it",
                hint="aios init lays one down; --project FOLDER names one elsewhere",
            )
        return cls(file, attempts=attempts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def settings(self) -> Settings:
        """What its settings file says."""
        return self._file.settings

    @property
    def connections(self) -> Mapping[str, ConnectionSettings]:
        """The settings of its connections by name."""
        return self.settings.connections

    @property
    def jobs(self) -> tuple[str, ...]:
        """The names of its jobs."""
        return tuple(sorted(file.stem for file in self._jobs_folder.glob("*.yaml")))

    @property
    def plans(self) -> Path:
        """The folder where plans are kept."""
        return self.folder / ".aios" / "plans"

    @property
    def _jobs_folder(self) -> Path:
        return self.folder / self.settings.sync / "jobs"

    def connection(self, name: str) -> Connection:
        """An open connection; the same one every time.

        Raises:
            ConfigError: There is no such connection, or its settings or mappings are wrong.
        """
        if name not in self._open:
            self._open[name] = self.connection_with(name, self.tokens)
            self._held.callback(self._open[name].close)
        return self._open[name]

    def connection_with(self, name: str, tokens: TokenStore) -> Connection:
        """A connection opened anew, with secrets from somewhere else: to try them before they are kept.

        Raises:
            ConfigError: There is no such connection, or its settings or mappings are wrong.
        """
        from aios_connect.mappings.verdicts import Verdicts

        told = self.connection_settings(name)
        budget = self._budget if self.spec(name).limits else MemoryBudget(now=self.now, sleep=self._sleep)
        verdicts = Verdicts(self.folder / ".aios" / "verdicts")
        outside = Outside(self.folder, tokens, budget, self.now, self._sleep, self._transport, self._attempts, verdicts)
        return open_connection(
            name,
            self.settings.connections[name].provider,
            told,
            outside,
            overlays=self.mapping_folders(name),
            functions=self.settings.functions,
        )

    def connection_settings(self, name: str) -> dict[str, str]:
        """What the connector of a connection is told.

        Raises:
            ConfigError: There is no such connection, or a setting is unknown or missing.
        """
        return self._file.told(self.spec(name), name, self._environment)

    def spec(self, name: str) -> ConnectorSpec:
        """The spec of a connection's provider.

        Raises:
            ConfigError: There is no such connection, or its connector is not installed.
        """
        if name not in self.settings.connections:
            raise ConfigError(
                f"there is no connection {name!r}",
                hint=did_you_mean(name, self.settings.connections) or f"aios connect {name} --provider PROVIDER makes one",
            )
        return registry.load(self.settings.connections[name].provider).spec

    def mapping_folders(self, name: str) -> list[Path]:
        """Where the company's own mappings of a connection are: its provider's, then its own, which counts more."""
        root = self.folder / self.settings.mappings
        provider = self.settings.connections[name].provider
        return list(dict.fromkeys([root / provider, root / name]))

    def connections_of(self, job: Job) -> dict[str, Connection]:
        """The open connections of a job.

        Raises:
            ConfigError: One of them does not exist or is wrong.
        """
        return {name: self.connection(name) for name in job.connections}

    def job(self, name: str) -> Job:
        """A job by name.

        Raises:
            ConfigError: There is none, or its file is wrong.
        """
        from aios_connect.sync import load_job

        path = self._jobs_folder / f"{name}.yaml"
        if not path.is_file():
            place = self._jobs_folder.relative_to(self.folder)
            raise ConfigError(f"there is no job {name!r}", hint=did_you_mean(name, self.jobs) or f"write {place}/{name}.yaml")
        return load_job(path)

    def store(self) -> Store:
        """The open store; the same one every time.

        Raises:
            ConfigError: Its address is wrong, or it cannot be opened.
        """
        return self._store

    def check(self, *, live: bool = True) -> list[Finding]:
        """Check everything: settings, mappings with their laws and examples, jobs.

        Args:
            live: Ask the tools too: who we are there, what we may do, and whether mappings fit the live schema.
        """
        from .checks import check

        return check(self, live=live)

    def change_key(self) -> tuple[int, str]:
        """Seal all secrets of the project with a new key.

        Returns:
            How many connections were sealed anew, and for a person where the new key is.

        Raises:
            ConfigError: There is no key, or a secret is sealed with another one; then nothing was changed.
        """
        return self._tokens.change_key()

    def prepare_key(self) -> None:
        """Make sure that secrets can be kept, before one is used that can be used once only.

        Raises:
            ConfigError: There is no key to seal them with, and none can be made; the hint says how to give one.
        """
        self._tokens.prepare()

    def close(self) -> None:
        """Give back connections and store. Safe to call twice."""
        self._open.clear()
        self._held.close()
        self.__dict__.pop("_store", None)

    @cached_property
    def tokens(self) -> TokenStore:
        """Where secrets are: the environment, then the store, encrypted."""
        return EnvironmentTokens(self._environment, lambda name: secret_names(self.spec(name)), lambda: self._tokens)

    @cached_property
    def _budget(self) -> Budget:
        from aios_connect.store.budgets import SharedBudget

        return SharedBudget(self.store(), now=self.now, sleep=self._sleep)

    @cached_property
    def _tokens(self) -> SealedTokens:
        from aios_connect.store.keys import FILE_VARIABLE, VARIABLE, Keys, desktop_keyring
        from aios_connect.store.tokens import SealedTokens

        told = self._environment.get(VARIABLE) or self._environment.get(FILE_VARIABLE)  # then the keyring need not be loaded
        keys = Keys(self._environment, keyring=None if told else desktop_keyring(), project=str(self.folder))
        return SealedTokens(self.store(), keys, now=self.now)

    @cached_property
    def _store(self) -> Store:
        from aios_connect.store import Store

        store = Store.open(self._store_url())
        self._held.callback(store.close)
        return store

    def _store_url(self) -> str:
        url = self._environment.get("AIOS_STORE_URL") or self.settings.store.url
        scheme, _, path = url.partition(":///")
        if scheme == "sqlite" and path and not Path(path).is_absolute():
            return f"sqlite:///{self.folder / path}"
        return url
