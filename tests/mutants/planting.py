"""A pytest plugin that plants one edit: ``AIOS_EDIT`` holds the module, the old text and the new one, as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType


class _Edited(SourceFileLoader):
    """Loads a module with another text in one place."""

    def __init__(self, name: str, path: str, old: str, new: str) -> None:
        super().__init__(name, path)
        self._old = old
        self._new = new

    def get_code(self, name: str):  # type: ignore[no-untyped-def]
        text = self.get_data(self.path).decode()
        return compile(f"\n{text}".replace(f"\n{self._old}", f"\n{self._new}"), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, module: str, old: str, new: str) -> None:
        self._module = module
        self._old = old
        self._new = new

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._module:
            return None
        spec = PathFinder.find_spec(name, path)
        assert spec is not None and spec.origin is not None
        spec.loader = _Edited(name, spec.origin, self._old, self._new)
        return spec


if planned := os.environ.get("AIOS_EDIT"):
    sys.meta_path.insert(0, _Finder(*json.loads(planned)))
