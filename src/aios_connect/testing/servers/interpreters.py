"""A Python for a server that needs a newer one than ours.

A command called ``python3.13`` may be there and refuse, as those of pyenv do where no project chose the version. So every candidate is
run, and only what it says of itself counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["python_of"]

_ASK: Final = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"
_PATIENCE: Final = 120.0


def python_of(*versions: str) -> str:
    """A Python of one of these versions, the preferred one first.

    It is looked for on the ``PATH``, among the versions of pyenv and with uv.

    Args:
        versions: ``"3.13"``.

    Returns:
        Its path.

    Raises:
        RuntimeError: There is none; the message says what to install.
    """
    for version in versions:
        for candidate in _candidates(version):
            if (found := _asked(candidate)) and found[0] == version:
                return found[1]
    wanted = " or ".join(versions)
    raise RuntimeError(
        f"no Python {wanted} here (on the PATH, in pyenv's versions, or known to uv); install one, for example with "
        f"'uv python install {versions[0]}', 'pyenv install {versions[0]}' or 'apt-get install python{versions[0]}-venv'"
    )


def _candidates(version: str) -> Iterator[str]:
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        yield sys.executable
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = Path(folder or ".", f"python{version}")
        if program.exists():
            yield str(program)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(program) for program in sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"), reverse=True))
    own_uv = Path(sys.prefix, "bin", "uv")
    uv = str(own_uv) if own_uv.exists() else shutil.which("uv")
    if uv and (path := _said([uv, "python", "find", "--no-project", "--no-python-downloads", version])):
        yield path


def _asked(program: str) -> tuple[str, str] | None:
    """Version and path, as it says itself; ``None`` if it does not run or cannot make a virtual environment."""
    version, _, path = _said([program, "-c", _ASK]).partition(" ")
    return (version, path) if path else None


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
