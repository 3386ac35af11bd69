"""Somebody who reads the documentation: what a page shows is done in a folder of its own, in the order of the page, and must come out as shown.

A block of ``python`` is executed. A block of ``console`` is a transcript: behind ``$`` stands a command, below it what it says;
``...`` stands for what varies, and a word of a command that ends in ``...`` is the last such word that was shown (``run_...``).
``yaml`` and ``toml`` are loaded by the real loader: a mapping, an overlay over the mapping it is for, lines of ``fields``, a job, the
settings of a project; ``json`` is JSON. A comment before a block says what else it is::

    <!-- file: office/people.csv -->     the block is written there first; Python is then not executed
    <!-- printed -->                     the block is what the Python block before it prints
    <!-- live: a Tryton -->              it is run by ``make live`` only; here its commands are parsed
    <!-- not run: needs the index -->    it is shown only; its commands are parsed
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from cyclopts import CycloptsError

from aios_connect.cli import main
from aios_connect.cli.index import COMMANDS
from aios_connect.cli.program import parser
from aios_connect.connection import shipped_mappings
from aios_connect.connectors import registry
from aios_connect.errors import AiosError
from aios_connect.mappings import CompiledMapping, loads, run_examples
from aios_connect.model import KINDS
from aios_connect.project.settings import SettingsFile
from aios_connect.sync.jobs import load_job

ROOT = Path(__file__).parents[1]

LANGUAGES = {"python", "console", "yaml", "toml", "json"}
"""Blocks that are held by themselves; any other is a file that is written, or what was printed."""

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (file|not run|live|printed)(?:: (.+))? -->\s*\Z")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SAID = re.compile(r"`([^`\n]+)`")
_INDENTED = re.compile(r"^(?:\A|(?<=\n\n))(?: {4}|\t)\S.*", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    Attributes:
        page: Its page, from the root.
        line: Where it begins there.
        language: What stands behind its fence.
        text: What stands in it.
        mark: What the comment before it says it is, or an empty string.
        value: What stands behind that.
    """

    page: str
    line: int
    language: str
    text: str
    mark: str = ""
    value: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, with what the comment before each says."""
    for found in BLOCK.finditer(text):
        said = _COMMENT.search(text, 0, found.start())
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found[1], found[2], *((said[1], said[2] or "") if said else ()))


class Reader:
    """Somebody who does what a page says, in one folder.

    Args:
        folder: Where.
        path: Where Python looks for packages.
        live: Do the blocks that need a real server, too.
    """

    def __init__(self, folder: Path, path: list[str], *, live: bool = False) -> None:
        self.folder = folder
        self.live = live
        self.names: dict[str, object] = {"__name__": "docs"}
        self.shown = ""
        self.printed = ""
        self._path = path
        self._mappings: dict[tuple[str, str], str] = {}

    def do(self, block: Block) -> None:
        """Do one block.

        Raises:
            AssertionError: It does not come out as shown.
            AiosError: It cannot be loaded.
        """
        if block.mark == "not run":
            if block.language == "console":
                _parse(block)
            return
        if block.mark == "file":
            path = self.folder / block.value
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.mark == "printed":
            assert fits(block.text, self.printed), f"{block.place}\nshown:\n{block.text}\nprinted:\n{self.printed}"
        elif block.mark == "live" and not self.live:
            _parse(block)
        elif block.language == "python" and block.mark != "file":
            heard = io.StringIO()
            with redirect_stdout(heard):
                exec(compile("\n" * block.line + block.text, block.page, "exec"), self.names)
            self.printed = heard.getvalue()
        elif block.language == "console":
            for command, expected in transcript(block.text):
                said = self.say(command)
                assert fits(expected, said), f"{block.place}: $ {command}\nshown:\n{expected}\nsaid:\n{said}"
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            self._load(block)
        elif block.language == "toml" and Path(block.value).name != "pyproject.toml":
            self._settle(block)

    def say(self, command: str) -> str:
        """Run one command and return all that it says."""
        words = [self._whole(word) for word in command.split(" ")]
        if words[0] == "aios":
            heard = io.StringIO()
            with redirect_stdout(heard), redirect_stderr(heard):
                main(words[1:])
            said = heard.getvalue()
        elif words[:2] == ["pip", "install"]:
            said = self._install(self.folder / words[-1])
        elif words[0] == "pytest":
            said = self._test(words[1:])
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

    def _install(self, package: Path) -> str:
        """What an editable install leaves behind; pip itself would go to the package index."""
        project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        information = self.folder / "installed" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        information.mkdir(parents=True)
        named = f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
        (information / "METADATA").write_text(named, encoding="utf-8")
        lines = [
            line
            for group, entries in project["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {place}" for name, place in entries.items()))
        ]
        (information / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._path[:0] = [str(package / "src"), str(information.parent)]
        registry._announced.cache_clear()  # a process of its own would look anew
        return ""

    def _test(self, words: list[str]) -> str:
        """The tests that lie in the folder, in a process of their own."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={self.folder / '.temporary'}", *words]
        ran = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
        return ran.stdout + ran.stderr

    def _settle(self, block: Block) -> None:
        """Load the settings of a project, and those of each connection as its connector takes them."""
        path = self.folder / "settings" / "aios-connect.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        file = SettingsFile(path)
        assert file.settings.connections, f"{block.place} has no connection"
        for name, connection in file.settings.connections.items():
            file.told(registry.load(connection.provider).spec, name, {})

    def _load(self, block: Block) -> None:
        content = yaml.safe_load(block.text)
        if content is None:  # a comment for an editor: the schema that it names is there
            assert (self.folder / block.text.split("$schema=")[1].strip()).is_file(), block.place
        elif "job" in content:
            path = self.folder / f"{content['job']}.yaml"
            path.write_text(block.text, encoding="utf-8")
            load_job(path)
        elif "connector" not in content:
            load_fields(block.text, block.place)
        else:
            mapping = self._mapping(content, block)
            failed = [result for result in run_examples(mapping) if result.differences]
            assert not failed, f"{block.place}: {failed}"

    def _mapping(self, content: dict[str, Any], block: Block) -> CompiledMapping:
        """A whole mapping, or one with an overlay: over the one that the page showed before, or else the shipped one."""
        of = (content["connector"], content["object"])
        if "kind" in content and of not in self._mappings and not (shipped_mappings(of[0]) / f"{of[1]}.yaml").is_file():
            self._mappings[of] = block.text
        below = self._mappings.get(of)
        if below is None:
            below = (shipped_mappings(of[0]) / f"{of[1]}.yaml").read_text(encoding="utf-8")
        return loads(below, file=block.place, overlay=None if below == block.text else block.text)


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


def _parse(block: Block) -> None:
    for command, _ in transcript(block.text):
        if command.startswith("aios "):
            understood(command)


def understood(command: str) -> None:
    """See that ``aios`` has such a command with such options, without running it."""
    program, name, *words = command.split(" ")
    assert program == "aios", command
    entry = next((entry for entry in COMMANDS if entry.name == name), None)
    assert entry is not None, command
    try:
        parser(entry).parse_args([name, *words], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise AssertionError(f"{command}: {error}") from error


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
    headings = re.findall(r"^#+ (.+)$", re.sub(BLOCK, "", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere inside the repository."""
    found = []
    for target in LINK.findall(re.sub(BLOCK, "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def missing(text: str) -> list[str]:
    """Commands and files that a text names in the middle of a sentence, and that are not there."""
    found = []
    for said in _SAID.findall(text):
        if said.startswith("aios ") and " " not in said.removeprefix("aios "):  # the command by its name
            found += [] if said.removeprefix("aios ") in [entry.name for entry in COMMANDS] else [said]
        elif said.startswith("aios "):
            try:
                understood(said)
            except AssertionError:
                found.append(said)
        elif target := re.fullmatch(r"make ([a-z-]+)", said):
            found += [] if re.search(rf"^{target[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE) else [said]
        elif re.fullmatch(r"(docs|tests|connectors|cassettes|sync|src)/[\w./-]+", said):
            found += [] if (ROOT / said).exists() else [said]
    return found


def loose(page: str, text: str) -> list[str]:
    """What looks like a snippet and is held by nothing."""
    found = [
        block.place
        for block in blocks(page, text)
        if block.language not in LANGUAGES and block.mark not in ("file", "printed", "not run")
    ]
    return found + _INDENTED.findall(re.sub(BLOCK, "", text))
