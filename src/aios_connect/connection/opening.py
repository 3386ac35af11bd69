"""Opening a connection: settings, secrets, network and mappings put together, with a project or without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aios_connect.connectors import Connector, ConnectorSpec, Context, Credentials, Http, Limit, registry
from aios_connect.connectors.budget import Budget, MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore, TokenStore
from aios_connect.connectors.oauth import token_http
from aios_connect.connectors.redaction import remember
from aios_connect.errors import ConfigError

from .records import Connection
from .settings import NETWORK, plain_settings, secret_names, way_of

if TYPE_CHECKING:
    import httpx2

    from aios_connect.mappings import CompiledMapping
    from aios_connect.mappings.verdicts import Verdicts

__all__ = ["Outside", "connect", "open_connection", "shipped_mappings"]

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Outside:
    """What a connection needs of the world around it.

    Attributes:
        folder: Where relative paths in settings start.
        tokens: Where secrets are.
        budget: Who keeps the vendor's limits.
        now: The clock: the present instant, UTC, aware.
        sleep: How to wait, in seconds.
        transport: Instead of the network: a cassette, a sandbox.
        attempts: How often a request is tried at most; few, where a person waits for the answer.
        verdicts: Which mappings were seen to keep the laws; without it all are tried.
    """

    folder: Path
    tokens: TokenStore
    budget: Budget
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    transport: httpx2.BaseTransport | None = None
    attempts: int = 6
    verdicts: Verdicts | None = None


def connect(
    provider: str,
    *,
    mappings: Path | None = None,
    functions: Collection[str] = (),
    relative_to: Path | None = None,
    transport: httpx2.BaseTransport | None = None,
    **settings: str,
) -> Connection:
    """Open a connection without a project and without a store.

    Args:
        provider: Slug of an installed connector, ``"tryton"``.
        mappings: Folder of your own mapping files, ``<object>.yaml``, laid over those that come with the package.
        functions: Modules that your mappings may take functions from.
        relative_to: Where relative paths in settings start; the present folder, if not given.
        transport: Instead of the network: a cassette, a sandbox.
        **settings: What the connector needs: its settings and its secrets, ``url="https://..."``, ``password="..."``. Where there
            are several ways to sign in, ``sign_in="oauth2"`` takes another one than the first; ``client_id`` is for that one.

    Raises:
        ConfigError: The connector is not installed, or a setting is unknown or missing.
    """
    spec = registry.load(provider).spec
    names = secret_names(spec)
    secrets = {name: settings.pop(name) for name in names if name in settings}
    plain = plain_settings(spec, settings)
    remember(*secrets.values())

    def now() -> datetime:
        return datetime.now(UTC)

    tokens = MemoryTokenStore(now=now)
    if secrets:
        tokens.put(provider, secrets)
    outside = Outside(relative_to or Path.cwd(), tokens, MemoryBudget(now=now, sleep=time.sleep), now, time.sleep, transport)
    return open_connection(provider, provider, plain, outside, overlays=[mappings] if mappings else [], functions=functions)


def open_connection(
    name: str,
    provider: str,
    settings: Mapping[str, str],
    outside: Outside,
    *,
    overlays: Sequence[Path] = (),
    functions: Collection[str] = (),
) -> Connection:
    """Open a connection whose settings are known to be good. Nothing is sent yet.

    Args:
        name: What the project calls it.
        provider: Slug of its connector.
        settings: Its settings, without secrets.
        outside: The world around it.
        overlays: Folders of the company's own mapping files; of two with the same name the one in the later folder counts.
        functions: Modules that mappings may take functions from.
    """
    made = registry.load(provider)
    files = mapping_files(shipped_mappings(provider), overlays)
    mappings = [load_mapping(file, overlay, made.spec, functions, outside.verdicts) for file, overlay in files.values()]
    held = ExitStack()
    connector, http = _connector(name, made, settings, outside, held)
    return Connection(name, connector, mappings, on_close=held.close, allowance=http.allowance)


def shipped_mappings(provider: str) -> Path:
    """The folder of the mappings that come with the package: inside the wheel, or in the checkout."""
    package = Path(__file__).parents[1]
    inside = package / "_project" / "mappings"
    return (inside if inside.is_dir() else package.parents[1] / "mappings") / provider


def mapping_files(shipped: Path, overlays: Sequence[Path]) -> dict[str, tuple[Path, Path | None]]:
    """The mapping files of a connection: object -> file, and the company's own that is laid over it.

    Args:
        shipped: The folder that comes with the package.
        overlays: Folders of the company; of two files with the same name the one in the later folder counts.
    """
    below = {file.stem: file for file in shipped.glob("*.yaml")}
    above = {file.stem: file for folder in overlays for file in folder.glob("*.yaml")}
    files: dict[str, tuple[Path, Path | None]] = {}
    for name in sorted({*below, *above}):
        file, own = below.get(name), above.get(name)
        if file is None or own is None or file.samefile(own):  # the reference project is its own overlay
            files[name] = (own or below[name], None)
        else:
            files[name] = (file, own)
    return files


def load_mapping(
    file: Path, overlay: Path | None, spec: ConnectorSpec, functions: Collection[str] = (), verdicts: Verdicts | None = None
) -> CompiledMapping:
    """Load a mapping, and refuse one that breaks a law or does not fit its connector.

    Args:
        file: The file.
        overlay: The company's own, laid over it.
        spec: The connector's.
        functions: Modules that it may take functions from.
        verdicts: Which mappings need not be tried again.

    Raises:
        MappingError: With file, line, column and the way out.
    """
    from aios_connect.mappings import check, load

    mapping = load(file, overlay=overlay, functions=functions)
    known = verdicts is not None and verdicts.passed(mapping)
    for finding in check(mapping, spec=spec, laws=not known):
        if finding.severity == "error":
            raise finding.error
    if verdicts is not None and not known:
        verdicts.remember(mapping)
    return mapping


def _connector(
    name: str, made: type[Connector], settings: Mapping[str, str], outside: Outside, held: ExitStack
) -> tuple[Connector, Http]:
    spec = made.spec
    plain = {key: value for key, value in settings.items() if key not in NETWORK}
    certificates, proxy = settings.get("certificates"), settings.get("proxy")
    verify = outside.folder / certificates if certificates else True
    now, sleep, transport = outside.now, outside.sleep, outside.transport
    tokens = token_http(spec.provider, transport=transport, verify=verify, proxy=proxy, now=now, sleep=sleep)
    credentials = Credentials(name, way_of(spec, plain), outside.tokens, settings=plain, http=tokens, now=now, sleep=sleep)
    http = Http(
        provider=spec.provider,
        base_url=plain.get("url", ""),
        credentials=credentials,
        limits=_keeping(spec.limits, settings.get("reserve")),
        budget=outside.budget,
        transport=transport,
        verify=verify,
        proxy=proxy,
        now=now,
        sleep=sleep,
        attempts=outside.attempts,
    )
    held.callback(tokens.close)
    held.callback(http.close)
    return made(Context(name, plain, credentials, http, now, sleep, outside.folder)), http


def _keeping(limits: Sequence[Limit], reserve: str | None) -> Sequence[Limit]:
    """The limits with another share of the day kept for others, if one was given."""
    if reserve is None:
        return limits
    text = reserve.removesuffix("%").strip()
    if not text.isdigit() or int(text) > 95:
        raise ConfigError(f"reserve: {reserve!r} is not a percentage from 0 to 95", hint='write reserve = "20%"')
    return [replace(limit, reserve=int(text) / 100) if limit.seconds >= _DAY else limit for limit in limits]
