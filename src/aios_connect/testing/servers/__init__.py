"""Real servers on this machine, for the live tests and the demo. Needs nothing but the standard library and the package index."""

from __future__ import annotations

from .rpc import Rpc, RpcError
from .tryton import TrytonDatabase, TrytonServer, tryton

__all__ = ["Rpc", "RpcError", "TrytonDatabase", "TrytonServer", "tryton"]
