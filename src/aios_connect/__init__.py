"""aios-connect: the space between the tools a small company already has.

The public face: everything an integrator needs is here, and loads when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .connection import Connection, Reading, connect
    from .connectors.contract import Quarantined, Receipt, Tombstone
    from .errors import (
        AiosError,
        AmbiguousWriteError,
        AuthError,
        BusyError,
        ConfigError,
        ConflictError,
        CursorGoneError,
        MappingError,
        NotFoundError,
        PlanStaleError,
        ProviderError,
        RateLimitedError,
        RejectedError,
        SyncError,
        TruncatedError,
        UnavailableError,
    )
    from .model import Activity, Company, Deal, Event, ExternalRef, Intake, Money, Person, Record, Task, User
    from .project import Project

__all__ = [
    "Activity",
    "AiosError",
    "AmbiguousWriteError",
    "AuthError",
    "BusyError",
    "Company",
    "ConfigError",
    "ConflictError",
    "Connection",
    "CursorGoneError",
    "Deal",
    "Event",
    "ExternalRef",
    "Intake",
    "MappingError",
    "Money",
    "NotFoundError",
    "Person",
    "PlanStaleError",
    "Project",
    "ProviderError",
    "Quarantined",
    "RateLimitedError",
    "Reading",
    "Receipt",
    "Record",
    "RejectedError",
    "SyncError",
    "Task",
    "Tombstone",
    "TruncatedError",
    "UnavailableError",
    "User",
    "connect",
]

_HOMES = {
    **dict.fromkeys(("Connection", "Reading", "connect"), "connection"),
    **dict.fromkeys(("Quarantined", "Receipt", "Tombstone"), "connectors.contract"),
    **dict.fromkeys(
        ("Activity", "Company", "Deal", "Event", "ExternalRef", "Intake", "Money", "Person", "Record", "Task", "User"), "model"
    ),
    "Project": "project",
}


if not TYPE_CHECKING:  # a type checker is to find misspelt names

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__]
