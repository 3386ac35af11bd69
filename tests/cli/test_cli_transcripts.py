"""Whole sessions at the command line, as a person sees them: every file in ``transcripts/`` is played again and must read the same.

``$ aios ...`` is run; ``$ edit FILE OLD NEW`` is a person with an editor. Ids, instants and the folder stand under names of their own.
After a wanted change, ``WRITE_TRANSCRIPTS=1 pytest tests/cli`` writes them anew, to be read before they are kept.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from .conftest import Aios

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
_NAMED = {
    "plan": r"plan_\d{8}T\d{6}_[0-9a-f]{6}",
    "run": r"run_\d{8}T\d{6}_[0-9a-f]{6}",
    "person": r"person_[0-9a-f]{24}",
    "x": r"\bx[a-z2-7]{7}\b",
}


class Names:
    """Names for what is different every time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Names in place of ids."""
        text = text.replace(str(self._folder), "FOLDER")
        for kind, pattern in _NAMED.items():
            for found in re.findall(pattern, text):
                count = sum(name.startswith(f"{kind}-") for name in self._names.values())
                self._names.setdefault(found, f"{kind}-{count + 1}")
        for found, name in self._names.items():
            text = text.replace(found, name)
        return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm", text)

    def show(self, text: str) -> str:
        """Ids in place of names."""
        for found, name in self._names.items():
            text = re.sub(rf"\b{name}\b", found, text)
        return text


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_session_reads_as_written_down(transcript: Path, sheets: Path, aios: Aios, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "kim")
    expected = transcript.read_text(encoding="utf-8")
    names, played = Names(sheets), ""
    for line in (line for line in expected.splitlines() if line.startswith("$ ")):
        program, *words = shlex.split(names.show(line[2:]))
        played += line + "\n"
        if program == "edit":
            file, old, new = words
            text = (sheets / file).read_text(encoding="utf-8")
            assert old in text
            (sheets / file).write_text(text.replace(old, new), encoding="utf-8")
            continue
        ran = aios(*words)
        assert max(map(len, ran.out.splitlines()), default=0) <= 80 or "aios " in ran.out
        played += names.hide(ran.err + ran.out)
        played += f"[exit {ran.code}]\n" if ran.code else ""
        played += "\n"
    if os.environ.get("WRITE_TRANSCRIPTS"):
        transcript.write_text(played.rstrip() + "\n", encoding="utf-8")
    assert played.rstrip() == expected.rstrip()
