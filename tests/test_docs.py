"""The documentation runs: what a page shows is done in a folder of its own, in the order of the page, and must come out as shown.

A block of ``python`` is executed. A block of ``console`` or ``sh`` is a transcript: behind ``$`` stands a command, below it what it says;
``...`` stands for what varies, and a word of a command that ends in ``...`` is the last such word that was shown (``run_...``). A block of
``yaml`` is loaded by the real loader. A comment before a block says what else it is::

    <!-- file: office/people.csv -->      the block is written there first
    <!-- not run: needs an account -->    it is shown only

What a page needs besides stands in ``tests/docs/<name of the page>/`` and is copied into the folder.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from aios_connect.cli import main
from aios_connect.errors import AiosError
from aios_connect.mappings import loads, run_examples
from aios_connect.model import KINDS
from aios_connect.sync.jobs import load_job

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = 0
"""How many blocks are shown without being run; raise it only with a reason beside the block."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (file|not run): (.+) -->\s*\Z")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    text: str
    file: str = ""
    reason: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, with what the comment before each says."""
    for found in _BLOCK.finditer(text):
        said = _COMMENT.search(text, 0, found.start())
        kind, value = said.groups() if said else ("", "")
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1], found[2], value if kind == "file" else "", value if kind == "not run" else "")


class Reader:
    """Somebody who does what a page says, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {"__name__": "docs"}
        self.shown = ""

    def do(self, block: Block) -> None:
        """Do one block.

        Raises:
            AssertionError: It does not come out as shown.
        """
        if block.reason:
            return
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.language == "python" and not block.file.endswith(".csv"):
            exec(compile("\n" * block.line + block.text, block.page, "exec"), self.names)
        elif block.language in ("console", "sh"):
            for command, expected in transcript(block.text):
                said = self.say(command)
                assert fits(expected, said), f"{block.place}: $ {command}\nshown:\n{expected}\nsaid:\n{said}"
        elif block.language == "yaml":
            self._load(block)

    def say(self, command: str) -> str:
        """Run one command and return all that it says."""
        words = [self._whole(word) for word in command.split(" ")]
        if words[0] == "aios":
            heard = io.StringIO()
            with redirect_stdout(heard), redirect_stderr(heard):
                main(words[1:])
            said = heard.getvalue()
        else:
            ran = subprocess.run(
                ["/bin/sh", "-c", " ".join(words)], cwd=self.folder, capture_output=True, text=True, check=True, timeout=60
            )
            said = ran.stdout + ran.stderr
        self.shown += said
        return said

    def _whole(self, word: str) -> str:
        if not word.endswith("..."):
            return word
        found = re.findall(r"(?<!\w)" + re.escape(word[:-3]) + r"[\w./-]*\d[\w./-]*\b", self.shown)
        assert found, f"nothing that begins with {word[:-3]!r} was shown"
        return str(found[-1])

    def _load(self, block: Block) -> None:
        content = yaml.safe_load(block.text)
        if content is None:
            return  # a comment for an editor
        if "job" in content:
            path = self.folder / f"{content['job']}.yaml"
            path.write_text(block.text, encoding="utf-8")
            load_job(path)
        elif "fields" in content and "kind" in content:
            failed = [result for result in run_examples(loads(block.text, file=block.place)) if result.differences]
            assert not failed, f"{block.place}: {failed}"
        elif "connector" not in content:
            load_fields(block.text, block.place)


_AROUND = "\namount: {from: value, as: money, currency: USD}\nprobability: {from: chance, as: decimal}\n"
"""What an expression over a deal computes with."""


def load_fields(text: str, place: str) -> None:
    """Load some lines of ``fields`` as the mapping of the first kind that takes them."""
    errors = []
    for kind, around in [*((kind, "") for kind in KINDS), ("deal", _AROUND)]:
        whole = f"connector: acme\nobject: things\nkind: {kind}\nfields:\n{textwrap.indent(text + around, '  ')}"
        try:
            loads(whole, file=place, functions=("acme.locales",))
        except AiosError as error:
            errors.append(str(error))
        else:
            return
    raise AssertionError(f"{place}: no kind takes it: {errors[0]}")


def transcript(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a transcript, each with what it is shown to say."""
    assert text.startswith("$ "), "a transcript begins with a command"
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield command, said


def fits(expected: str, said: str) -> bool:
    """True if both are the same but for ``...``; where lines break does not count, since folders differ in length."""
    expected, said = (" ".join(text.split()) for text in (expected, said))
    return re.fullmatch(".*?".join(re.escape(part) for part in expected.split("...")), said) is not None


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(_BLOCK, "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere inside the repository."""
    found = []
    for target in _LINK.findall(re.sub(_BLOCK, "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(tmp_path)
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "USER": "ann", "LOGNAME": "ann"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIOS_KEY_FILE", str(tmp_path.parent / f"{tmp_path.name}.key"))
    monkeypatch.delenv("AIOS_DEBUG", raising=False)
    return Reader(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_what_a_page_shows_comes_out_as_shown(page: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = ROOT / "tests" / "docs" / page.stem
    if prepared.is_dir():
        shutil.copytree(prepared, reader.folder, dirs_exist_ok=True)
        monkeypatch.syspath_prepend(str(reader.folder))
    for block in blocks(_named(page), page.read_text(encoding="utf-8")):
        reader.do(block)


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    silent = [block.place for page in PAGES for block in blocks(_named(page), page.read_text(encoding="utf-8")) if block.reason]
    assert len(silent) == NOT_RUN, silent


def test_the_index_names_every_page() -> None:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / target).resolve() for target in _LINK.findall(text)}
    assert [_named(page) for page in PAGES if page.parent != ROOT and page.name != "README.md" and page not in linked] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "```console\n$ aios version\naios-connect 99\n```\n",
        "```console\n$ aios undo run_...\n```\n",
        "```sh\n$ echo one\ntwo\n```\n",
        "```python\nassert 1 + 1 == 3\n```\n",
        "```yaml\nnames.given: {from: first, as: tekst}\n```\n",
        "```yaml\njob: two\nconnections: []\nkinds: {}\n```\n",
        "```yaml\nconnector: acme\nobject: people\nkind: person\nfields: {names.gven: first}\n```\n",
    ],
)
def test_a_wrong_block_is_found(wrong: str, reader: Reader) -> None:
    (block,) = blocks("page.md", wrong)
    with pytest.raises((AssertionError, AiosError)):
        reader.do(block)


def test_a_link_to_nowhere_is_found() -> None:
    page = ROOT / "README.md"
    text = "# One door\n[a](#one-door) [b](#two-doors) [c](docs/no-such-page.md) [d](LICENSE) [e](https://example.com)"
    assert broken_links(page, text.replace("#one-door", "LICENSE")) == ["#two-doors", "docs/no-such-page.md"]
    assert anchors(text) == {"one-door"}


def test_a_shown_line_that_is_missing_is_found() -> None:
    assert fits("made ...\nand more", "made plan_1  \nand more\n")
    assert not fits("made ...\nand more", "made plan_1\n")
    assert not fits("made", "made more")
