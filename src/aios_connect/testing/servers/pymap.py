"""Real mail servers on loopback from the package index: pymap (IMAP) and aiosmtpd (SMTP), on the same maildirs.

    with pymap(folder, progress=print) as server:
        account = server.fresh()

pymap has neither CONDSTORE nor QRESYNC: what a connector does without them is tried on it.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .mail import PASSWORD, MailAccount, MailServer, certificate
from .running import Say, installed, nobody, running, version_of

__all__ = ["pymap"]

_PINS: Final = Path(__file__).with_suffix(".txt")
_SMTPD: Final = Path(__file__).with_name("mail_smtpd.py")
_HASH: Final = "import sys; from pysasl.hashing import BuiltinHash; print(BuiltinHash(rounds=1).hash(sys.argv[1]))"


class _Server(MailServer):
    """pymap knows its users from two files."""

    users: Path
    proof: str

    def fresh(self) -> MailAccount:
        account = super().fresh()
        for name, line in (("passwd", f"{account.user}:x::::{account.user}:"), ("shadow", f"{account.user}:{self.proof}:::::::")):
            with open(self.users / f"pymap-etc-{name}", "a") as file:
                file.write(f"{line}\n")
        return account


@contextlib.contextmanager
def pymap(folder: Path, *, progress: Say = nobody) -> Iterator[MailServer]:
    """Start a pymap and an aiosmtpd, and stop them in the end.

    Args:
        folder: Where their files and their logs go; made if missing.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: They cannot be installed or do not start; the log says why.
    """
    programs = installed("pymap and aiosmtpd", _PINS, progress)
    folder = folder.resolve()
    homes = folder / "homes"
    homes.mkdir(parents=True)
    tokens = folder / "tokens"
    tokens.touch()
    shown, key = certificate(folder)
    proof = subprocess.run(
        [programs / "python", "-c", _HASH, PASSWORD], check=True, capture_output=True, text=True
    ).stdout.strip()

    def imap(port: int) -> list[str]:
        place = ["--host", "127.0.0.1", "--port", str(port), "--cert", str(shown), "--key", str(key)]
        return [str(programs / "pymap"), *place, "maildir", str(homes)]

    def smtp(port: int) -> list[str]:
        return [str(programs / "python"), str(_SMTPD), str(port), str(homes), str(tokens), str(shown), str(key)]

    progress("starting pymap and aiosmtpd")
    with (
        running("pymap", imap, folder / "imap", ready="") as (imap_url, _),
        running("aiosmtpd", smtp, folder / "smtp", ready="") as (smtp_url, _),
    ):
        title = f"pymap {version_of('pymap', _PINS)} and aiosmtpd {version_of('aiosmtpd', _PINS)}"
        server = _Server(title, _port(imap_url), _port(smtp_url), homes, shown, tokens)
        server.users, server.proof = homes, proof
        yield server


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
