"""What a connection hands to its connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .credentials import Credentials
    from .http import Http

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, credentials and the ways to the outside of one connection.

    Attributes:
        connection: The connection's name in the project, ``"crm"``.
        settings: Plain settings by name, defaults filled in, secrets left out.
        credentials: Gives passwords, keys and fresh access tokens when asked; never stored on the connector.
        http: The one way to the network.
        now: The clock: the present instant, UTC, aware.
        sleep: How to wait, in seconds; a simulated clock in tests.
        folder: Where relative paths in settings start.
    """

    connection: str
    settings: Mapping[str, str]
    credentials: Credentials
    http: Http
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    folder: Path
