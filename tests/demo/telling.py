"""What tells the story: what happens, what the command line says, and what should be so and is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Aios", "Begun", "Story"]


class Story:
    """Tells what happens, and counts what did not happen as it should.

    Args:
        say: Takes a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.failed: list[str] = []
        self.checked = 0
        self._say = say
        self._began = time.monotonic()

    def act(self, title: str) -> None:
        """Something begins."""
        self._say(f"\n[{time.monotonic() - self._began:4.1f} s] {title}")

    def tell(self, text: str) -> None:
        """What a program said."""
        for line in text.splitlines():
            self._say(f"       {line}".rstrip())

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Check one thing."""
        self.checked += 1
        if found == wanted:
            self._say(f"    ok {what}")
        else:
            self.failed.append(what)
            self._say(f"    NO {what}\n       wanted {wanted!r}\n       found  {found!r}")

    def end(self) -> int:
        """The exit code."""
        self.act(f"{self.checked - len(self.failed)} of {self.checked} expectations were met")
        for what in self.failed:
            self._say(f"    NO {what}")
        return 1 if self.failed else 0


class Begun:
    """A command that runs."""

    def __init__(
        self, process: subprocess.Popen[str], words: tuple[str, ...], given: str, shown: int, fine: tuple[int, ...], story: Story
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._words = words
        self._given = given
        self._shown = shown
        self._fine = fine
        self._story = story

    def __call__(self) -> str:
        """Wait for its end; what it said on stdout."""
        out, err = self._process.communicate(self._given)
        command = f"aios {' '.join(self._words)}"
        if self._process.returncode not in self._fine:
            raise RuntimeError(f"{command} ended with {self._process.returncode}\n{out}{err}")
        lines = out.splitlines()
        more = [f"... {len(lines) - self._shown} more lines"] if 0 < self._shown < len(lines) else []
        self._story.tell("\n".join([f"$ {command}", *lines[: self._shown], *more]))
        return out


class Aios:
    """The command line in one project.

    Args:
        project: The project's folder.
        story: Is told what it says.
    """

    def __init__(self, project: Path, story: Story) -> None:
        self._project = project
        self._story = story

    def begin(self, *words: str, shown: int = 0, given: str = "", fine: tuple[int, ...] = (0,)) -> Begun:
        """Start a command; the answer waits for its end.

        Args:
            words: The command.
            shown: How many of its first lines are shown.
            given: What it reads on stdin.
            fine: The exit codes that are no failure.

        Returns:
            The process; called, it gives what the command said on stdout, and raises RuntimeError if it failed.
        """
        command = [str(Path(sys.executable).with_name("aios")), *words]
        own = {"AIOS_KEY_FILE": str(self._project / ".aios" / "key")}  # not the keyring of whoever watches
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, cwd=self._project, env=os.environ | own, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        return Begun(process, words, given, shown, fine, self._story)

    def __call__(self, *words: str, shown: int = 0, given: str = "") -> str:
        """Run a command; what it says on stdout."""
        return self.begin(*words, shown=shown, given=given)()

    def json(self, *words: str) -> Any:
        """Run a command; its JSON answer."""
        return json.loads(self(*words, "--json"))

    def begin_plan(self, job: str, file: str, *, shown: int) -> Callable[[], dict[str, dict[str, int]]]:
        """Start to plan; the answer is how often the plan writes what where, as its file says."""
        begun = self.begin("plan", job, "--out", file, shown=shown)

        def end() -> dict[str, dict[str, int]]:
            begun()
            *_, last = (self._project / file).read_text(encoding="utf-8").splitlines()
            counts = json.loads(last)["footer"]["counts"]
            written = {name: {what: n for what, n in of.items() if what != "link"} for name, of in counts.items() if name}
            return {name: of for name, of in written.items() if of}

        return end
