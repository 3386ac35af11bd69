"""The command that serves a fake vendor for anybody to play with: sandbox."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from threading import Event
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from aios_connect.errors import ConfigError
from aios_connect.sandbox import Entry, Outbox, Playground, Schedule, Server, at_url, load_playground, serve

from .phrases import paragraph
from .screen import Answer, Lines
from .tables import print_table
from .words import Common

__all__ = ["sandbox"]

_TICK = 0.2
"""Seconds between two looks at what came and what is to be sent."""

_FAULTS = "web pages, errors with status 200, answers that are cut off or lost, limits, lines that break."


def sandbox(
    provider: str,
    /,
    *,
    port: int = 0,
    seed: int = 0,
    hazards: Annotated[bool, Parameter(name="--hazards", negative="--quiet")] = True,
    faults: float = 0.0,
    webhooks: str = "",
    common: Common = Common(),
) -> Answer:
    """Serve a fake of a provider on this machine, with a company in it.

    What it holds is as hard as the real one; its wire is quiet, unless --faults
    says how much of it goes wrong. Every request is shown as it comes.
    Nothing is kept: it ends with Ctrl-C, and begins anew the next time.

    Args:
        provider: The provider, such as hubspot.
        port: The port on 127.0.0.1; 0 takes a free one.
        seed: The same seed gives the same account.
        hazards: All that is hard about what the real one holds is on; --quiet turns it off.
        faults: Share of the requests that go wrong on the wire, such as 0.05: web pages, errors with status 200, lost answers.
        webhooks: An address on this machine that webhooks are sent to.
        common: What every command takes.
    """
    if not 0 <= faults <= 1:
        raise ConfigError(f"--faults {faults:g} is no share", hint="give a number from 0 to 1")
    ground = load_playground(provider, seed=seed, hazards=hazards)
    ground.vendor.patient = True
    ground.vendor.schedule = Schedule(seed, rate=faults)
    outbox = _outbox(ground, webhooks) if webhooks else None
    try:
        server = serve(ground.vendor, port)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"port {port} cannot be had: {error}", hint="leave --port out to take a free one") from error
    return SandboxAnswer(ground, server, outbox, faults)


def _outbox(ground: Playground, url: str) -> Outbox:
    if ground.subscribe is None:
        raise ConfigError(f"the sandbox of {ground.provider} sends no webhooks", hint="leave --webhooks out")
    try:
        return ground.subscribe(at_url(url), url)
    except ValueError as error:
        raise ConfigError(str(error), hint="give an address such as http://127.0.0.1:8000/hooks") from error


class SandboxAnswer(Lines):
    """A fake that is served until somebody stops it; what it is, then every request that it takes."""

    def __init__(self, ground: Playground, server: Server, outbox: Outbox | None, faults: float) -> None:
        self._ground = ground
        self._server = server
        self._outbox = outbox
        self._faults = faults
        self._stop = Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda number, frame: self._stop.set())

    def lines(self) -> Iterator[Any]:
        """What it is, then what comes."""
        ground = self._ground
        yield {
            "provider": ground.provider,
            "url": self._server.url,
            "key": ground.secret,
            "connect": self._connect,
            "contents": dict(ground.contents),
            "hazards": {name: {"value": value, "why": why} for name, (value, why) in ground.hazards.items()},
            "faults": self._faults,
        }
        sys.stdout.flush()
        for entry in self._entries():
            call = entry.call
            yield {"at": entry.at, "method": call.method, "path": call.path, "status": entry.status}

    def show(self, console: Console) -> None:
        """The same for a person."""
        ground = self._ground
        console.print(Text.assemble((f"{ground.provider} sandbox", "bold"), f"  {self._server.url}"), soft_wrap=True)
        paragraph(console, ", ".join(f"{object} {count}" for object, count in ground.contents.items()), indent=2)
        console.print("\nIn another terminal:")
        for line in ("aios init", self._connect, f"aios read hub {ground.kind}"):
            console.print(f"  {line}", soft_wrap=True)
        if ground.hazards:
            console.print("\nWhat is hard about what it holds (--quiet turns it off):")
            rows = [(name, value, why) for name, (value, why) in ground.hazards.items()]
            print_table(
                console,
                ("hazard", "", "what it is, and where that is known from"),
                rows,
                wrap="what it is, and where that is known from",
            )
        console.print()
        paragraph(console, f"{self._wire} {_FAULTS}")
        console.print("\nCtrl-C stops it. What comes:")
        console.file.flush()
        for entry in self._entries():
            console.print(
                f"  {entry.at:%H:%M:%S} {entry.status or 'no answer'} {entry.call.method} {entry.call.path}", soft_wrap=True
            )

    @property
    def _wire(self) -> str:
        if not self._faults:
            return "The wire is quiet. With --faults 0.05, one request in twenty goes wrong there:"
        return f"On the wire {self._faults:.3g} of the requests go wrong (--faults):"

    @property
    def _connect(self) -> str:
        ground, url = self._ground, self._server.url
        secrets = ground.secret.split("\n")
        said = f"echo {secrets[0]}" if len(secrets) == 1 else f"printf '%s\\n' {' '.join(secrets)}"
        settings = {"url": url} | {name: text.format(url=url) for name, text in ground.settings.items()}
        given = " ".join(f"--set {name}={text}" for name, text in settings.items())
        return f"{said} | aios connect hub --provider {ground.provider} {given} --password-stdin"

    def _entries(self) -> Iterator[Entry]:
        """Every request, as it comes, until somebody stops the program."""
        log, seen, stopped = self._ground.vendor.log, 0, False
        while not stopped:
            stopped = self._stop.wait(_TICK)
            while seen < len(log):
                yield log[seen]
                seen += 1
            sys.stdout.flush()
            if self._outbox is not None:
                self._outbox.deliver()
        self._server.close()
