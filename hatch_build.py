"""Wheels carry the reference project; editable installs read it from the checkout."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ReferenceProject(BuildHookInterface[Any]):
    """Copies ``mappings/`` and ``sync/`` into the wheel, where ``aios init`` finds them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders unless the build is an editable one."""
        if version != "editable":
            for folder in ("mappings", "sync"):
                build_data["force_include"][folder] = f"aios_connect/_project/{folder}"
