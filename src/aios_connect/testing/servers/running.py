"""Servers from the package index: installed once into a folder of their own, started on a free port, and never left behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Say", "fetched", "free_port", "installed", "nobody", "running", "version_of"]

_PATIENCE: Final = 180.0
_POLL: Final = 0.02
_PAUSES: Final = (5.0, 15.0)

Say = Callable[[str], None]


def nobody(text: str) -> None:
    """Tells nobody."""


def installed(title: str, pins: Path, progress: Say, python: str = sys.executable) -> Path:
    """The folder of a server's programs; it is installed first if this machine does not have it yet.

    It is kept under ``AIOS_CACHE``, or in ``.live`` beside the virtual environment, by the digest of its versions.

    Args:
        title: What it is called.
        pins: File with the exact version of every package.
        progress: Is told what is going on, a sentence at a time.
        python: The interpreter it runs in, where that is not ours.

    Raises:
        RuntimeError: It cannot be installed.
    """
    import fcntl

    kept = os.environ.get("AIOS_CACHE")
    beside = Path(sys.prefix).parent if sys.prefix != sys.base_prefix else Path.cwd()
    digest = sha256(pins.read_bytes() + (sys.version if python == sys.executable else python).encode()).hexdigest()[:12]
    home = (Path(kept) if kept else beside / ".live") / f"{pins.stem}-{digest}"
    done = home / "installed"
    if not done.exists():
        home.mkdir(parents=True, exist_ok=True)
        with open(home / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # only one process installs; the others wait for it
            if not done.exists():
                _install(title, home / "venv", _named(pins), progress, python)
                done.touch()
    return home / "venv" / "bin"


def version_of(package: str, pins: Path) -> str:
    """The version of a package, ``"26.5.0"``."""
    return next(pin.partition("==")[2] for pin in _named(pins) if pin.startswith(f"{package}=="))


def free_port() -> int:
    """A port that nobody has, for whoever takes it a little later.

    It lies below those that systems give away themselves, so that no connection and no port 0 gets it meanwhile.
    """
    for tries in range(200):
        port = 20000 + secrets.randbelow(12000)  # not random: tests seed it, alike in every process
        with contextlib.suppress(OSError) if tries < 199 else contextlib.nullcontext(), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the last try says why")


def fetched(step: Callable[..., None], *arguments: object) -> None:
    """What comes over a network, which may fail for a moment: three tries, and the words of the last one.

    A loop of our own: the demo makes its server while the packages of this project are still being installed.

    Args:
        step: What to try.
        *arguments: With what.

    Raises:
        RuntimeError: As the last try did.
    """
    for pause in _PAUSES:
        try:
            return step(*arguments)
        except RuntimeError:
            time.sleep(pause)
    return step(*arguments)


@contextlib.contextmanager
def running(title: str, command: Callable[[int], list[str]], folder: Path, *, ready: str) -> Iterator[tuple[str, int]]:
    """A server process on a free port, ready to answer. It ends with the block, and with this process however that ends.

    Args:
        title: What it is called.
        command: What to start, given the port.
        folder: Where its log goes; made if missing.
        ready: Path that is answered when it is ready; empty if it does not speak HTTP and it is enough that it listens.

    Yields:
        Address of the server, ``http://127.0.0.1:...``, and its process id.

    Raises:
        RuntimeError: It does not start; the log says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            command(port), cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        guard = _guard(process.pid)
        try:
            _await(title, f"http://127.0.0.1:{port}{ready}", process, folder)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            guard.communicate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _named(pins: Path) -> list[str]:
    return [line for line in pins.read_text().splitlines() if line and not line.startswith("#")]


def _install(title: str, place: Path, pins: list[str], progress: Say, interpreter: str) -> None:
    progress(f"installing {title} ({len(pins)} packages, once)")
    own_uv = Path(sys.prefix, "bin", "uv")
    uv = str(own_uv) if own_uv.exists() else shutil.which("uv")
    pip = not uv and find_spec("pip") is not None
    without = ["--without-pip"] if uv or pip else []
    subprocess.run(
        [interpreter, "-m", "venv", "--clear", "--symlinks", *without, str(place)], stdin=subprocess.DEVNULL, check=True
    )
    python = str(place / "bin" / "python")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    else:
        with_pip = [sys.executable, "-m", "pip", "--python", python] if pip else [python, "-m", "pip"]
        command = [*with_pip, "install", "--quiet", "--disable-pip-version-check"]
    fetched(_run, title, [*command, "--no-deps", "--only-binary", ":all:", *pins])


def _run(title: str, command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{title} could not be installed:\n{done.stdout.decode(errors='replace')[-2000:]}")


def _guard(pid: int) -> subprocess.Popen[bytes]:
    """Who stops the server when we let go of it, or when we are no more: a process that waits for the end of a pipe from us."""
    wait = "import contextlib, os, sys; sys.stdin.read()\nwith contextlib.suppress(ProcessLookupError): os.kill(int(sys.argv[1]), 15)"
    return subprocess.Popen([sys.executable, "-c", wait, str(pid)], stdin=subprocess.PIPE, start_new_session=True)


def _await(title: str, url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline, place = time.monotonic() + _PATIENCE, urlsplit(url)
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if place.path:
                urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 # loopback
            else:
                socket.create_connection(("127.0.0.1", int(place.port or 0)), timeout=5).close()
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                return
        except OSError:
            pass
        time.sleep(_POLL)
    raise RuntimeError(f"{title} did not start:\n{(folder / 'server.log').read_text(errors='replace')[-2000:]}")
