"""The documentation runs: what a page shows is done in a folder of its own, in the order of the page, and must come out as shown.

A block of ``python`` is executed. A block of ``console`` is a transcript: behind ``$`` stands a command, below it what it says;
``...`` stands for what varies, and a word of a command that ends in ``...`` is the last such word that was shown (``run_...``).
``yaml`` and ``toml`` are loaded by the real loader: a mapping, an overlay over the mapping it is for, lines of ``fields``, a job, the
settings of a project. A comment before a block says what else it is::

    <!-- file: office/people.csv -->     the block is written there first; Python is then not executed
    <!-- printed -->                     the block is what the Python block before it prints
    <!-- live: a Tryton -->              it is run by ``make live`` only; here its commands are parsed
    <!-- not run: needs the index -->    it is shown only

What a page needs besides stands in ``tests/docs/<name of the page>/`` and is copied into the folder; the tools it talks to are in
``WORLDS``.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from cyclopts import CycloptsError

from aios_connect.cli import main
from aios_connect.cli.index import COMMANDS
from aios_connect.cli.program import parser
from aios_connect.connection import shipped_mappings
from aios_connect.connectors import registry
from aios_connect.errors import AiosError, ConfigError
from aios_connect.mappings import CompiledMapping, loads, run_examples
from aios_connect.model import KINDS
from aios_connect.project.settings import SettingsFile
from aios_connect.sync.jobs import load_job

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = [page for page in PAGES if page.parent.name not in ("reference", "decisions")]
"""Pages that say how something is done. The reference is written from the code (``tests/cli/test_cli_reference.py``)."""

NOT_RUN = 3
"""How many blocks are shown without being run; raise it only with a reason beside the block."""

LANGUAGES = {"python", "console", "yaml", "toml"}
"""Blocks that are held by themselves; any other is a file that is written, or what was printed."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (file|not run|live|printed)(?:: (.+))? -->\s*\Z")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
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
    for found in _BLOCK.finditer(text):
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
            return
        if block.mark == "file":
            path = self.folder / block.value
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.mark == "printed":
            assert fits(block.text, self.printed), f"{block.place}\nshown:\n{block.text}\nprinted:\n{self.printed}"
        elif block.mark == "live" and not self.live:
            for command, _ in transcript(block.text):
                if command.startswith("aios "):
                    understood(command)
        elif block.language == "python" and block.mark != "file":
            heard = io.StringIO()
            with redirect_stdout(heard):
                exec(compile("\n" * block.line + block.text, block.page, "exec"), self.names)
            self.printed = heard.getvalue()
        elif block.language == "console":
            for command, expected in transcript(block.text):
                said = self.say(command)
                assert fits(expected, said), f"{block.place}: $ {command}\nshown:\n{expected}\nsaid:\n{said}"
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


def loose(page: str, text: str) -> list[str]:
    """What looks like a snippet and is held by nothing."""
    found = [
        block.place
        for block in blocks(page, text)
        if block.language not in LANGUAGES and block.mark not in ("file", "printed", "not run")
    ]
    return found + _INDENTED.findall(re.sub(_BLOCK, "", text))


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@contextmanager
def _hubspot() -> Iterator[dict[str, str]]:
    from aios_connect_hubspot.sandbox import TOKEN, HubSpotVendor, furnish

    from aios_connect.sandbox import serve

    with serve(furnish(HubSpotVendor())) as server:
        yield {"AIOS_CRM_URL": server.url, "AIOS_CRM_KEY": TOKEN}


@contextmanager
def _google() -> Iterator[dict[str, str]]:
    from aios_connect_google.sandbox import TOKEN, GoogleVendor, Hazards, furnish

    from aios_connect.sandbox import serve

    with serve(furnish(GoogleVendor(hazards=Hazards.none()))) as server:
        yield {"AIOS_OFFICE_URL": server.url, "AIOS_OFFICE_ACCESS_TOKEN": TOKEN}


@contextmanager
def _salesforce() -> Iterator[dict[str, str]]:
    from aios_connect_salesforce.sandbox import TOKEN, Hazards, SalesforceVendor, furnish

    from aios_connect.sandbox import serve

    with serve(furnish(SalesforceVendor(hazards=Hazards.none()))) as server:
        yield {"AIOS_CRM_URL": server.url, "AIOS_CRM_ACCESS_TOKEN": TOKEN}


WORLDS: dict[str, Callable[[], AbstractContextManager[dict[str, str]]]] = {
    "connect-hubspot": _hubspot,
    "connect-google": _google,
    "connect-salesforce": _salesforce,
}
"""Page -> the tools that it talks to, and the environment that leads there."""


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("AIOS_")]:
        monkeypatch.delenv(name)
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "USER": "ann", "LOGNAME": "ann"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIOS_KEY_FILE", str(tmp_path.parent / f"{tmp_path.name}.key"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    yield Reader(tmp_path, sys.path)
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    registry._announced.cache_clear()


def _read(page: Path, reader: Reader) -> None:
    prepared = ROOT / "tests" / "docs" / page.stem
    if prepared.is_dir():
        shutil.copytree(prepared, reader.folder, dirs_exist_ok=True)
    for block in blocks(_named(page), page.read_text(encoding="utf-8")):
        reader.do(block)


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_what_a_page_shows_comes_out_as_shown(page: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    with WORLDS.get(page.stem, lambda: nullcontext({}))() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        _read(page, reader)


@pytest.mark.live
def test_what_the_page_on_tryton_shows_comes_out_as_shown_on_a_real_one(
    reader: Reader, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aios_connect.testing.servers import tryton

    with tryton(tmp_path_factory.mktemp("tryton")) as server:
        there = {"URL": server.url, "DATABASE": server.database, "USER": server.user, "PASSWORD": server.password}
        for name, value in there.items():
            monkeypatch.setenv(f"AIOS_CRM_{name}", value)
        reader.live = True
        _read(ROOT / "docs" / "how-to" / "connect-tryton.md", reader)


CONNECTOR = ROOT / "docs" / "tutorial" / "write-a-connector.md"


@pytest.mark.live
def test_the_connector_that_is_written_on_a_page_makes_its_first_record_on_a_real_server(
    reader: Reader, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aios_connect.testing.servers.kinto import PASSWORD, kinto

    with kinto(tmp_path_factory.mktemp("kinto")) as server:
        monkeypatch.setenv("AIOS_NOTES_URL", server.url)
        monkeypatch.setenv("AIOS_NOTES_PASSWORD", PASSWORD)
        reader.live = True
        _read(CONNECTOR, reader)


def test_a_connector_is_less_than_150_lines_of_python_in_all(reader: Reader) -> None:
    """Every line of every file that is there in the end: blank ones, tests, the sandbox, and what was laid down."""
    for block in blocks(_named(CONNECTOR), CONNECTOR.read_text(encoding="utf-8")):
        if block.mark == "file" or "aios new " in block.text:
            reader.do(replace(block, text=block.text.partition("$ pip")[0]))
    there = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in reader.folder.rglob("*.py")}
    assert len(there) >= 4
    assert sum(there.values()) < 150, there


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", GUIDES, ids=_named)
def test_every_snippet_of_a_page_is_held_by_something(page: Path) -> None:
    assert loose(_named(page), page.read_text(encoding="utf-8")) == []


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    silent = [
        block for page in PAGES for block in blocks(_named(page), page.read_text(encoding="utf-8")) if block.mark == "not run"
    ]
    assert len(silent) == NOT_RUN, [block.place for block in silent]
    assert all(block.value for block in silent)


def test_the_index_names_every_page() -> None:
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / target).resolve() for target in _LINK.findall(text)}
    named = {page for page in PAGES if page in linked or page.parent in linked}
    assert [_named(page) for page in PAGES if page.parent != ROOT and page.name != "README.md" and page not in named] == []


_ACME = "```yaml\nconnector: acme\nobject: people\nkind: person\nfields: {names.given: first}\n```\n"


@pytest.mark.parametrize(
    "wrong",
    [
        "```console\n$ aios version\naios-connect 99\n```\n",
        "```console\n$ aios undo run_...\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "<!-- live: a server -->\n```console\n$ aios connect crm --providr tryton\n```\n",
        "<!-- live: a server -->\n```console\n$ aios conect crm\n```\n",
        "```python\nassert 1 + 1 == 3\n```\n",
        "```python\nprint(1 + 1)\n```\n\n<!-- printed -->\n```text\n3\n```\n",
        "```yaml\nnames.given: {from: first, as: tekst}\n```\n",
        "```yaml\njob: two\nconnections: []\nkinds: {}\n```\n",
        "```yaml\nconnector: acme\nobject: people\nkind: person\nfields: {names.gven: first}\n```\n",
        _ACME + "\n```yaml\nconnector: acme\nobject: people\nfields: {names.gven: {null: ''}}\n```\n",
        "```yaml\nconnector: csv\nobject: people\nfields: {names.gven: First}\n```\n",
        "```yaml\n# yaml-language-server: $schema=./no-such.json\n```\n",
        '```toml\n[connections.crm]\nprovider = "tryton"\nurl = "https://tryton.example.com"\ndatabse = "acme"\nuser = "aios"\n```\n',
        '```toml\n[connections.crm]\nprovider = "tryton"\npassword = "secret"\n```\n',
    ],
)
def test_a_wrong_block_is_found(wrong: str, reader: Reader) -> None:
    *before, last = blocks("page.md", wrong)
    for block in before:
        reader.do(block)
    with pytest.raises((AssertionError, AiosError)):
        reader.do(last)


@pytest.mark.parametrize(
    "wrong", ["Then:\n\n    aios plan two-sheets\n\nDone.\n", "```\naios plan\n```\n", "```sh\naios plan\n```\n"]
)
def test_a_snippet_that_nothing_holds_is_found(wrong: str) -> None:
    assert len(loose("page.md", wrong)) == 1


def test_a_link_to_nowhere_is_found() -> None:
    page = ROOT / "README.md"
    text = "# One door\n[a](#one-door) [b](#two-doors) [c](docs/no-such-page.md) [d](LICENSE) [e](https://example.com)"
    assert broken_links(page, text.replace("#one-door", "LICENSE")) == ["#two-doors", "docs/no-such-page.md"]
    assert anchors(text) == {"one-door"}


def test_a_shown_line_that_is_missing_is_found() -> None:
    assert fits("made ...\nand more", "made plan_1  \nand more\n")
    assert not fits("made ...\nand more", "made plan_1\n")
    assert not fits("made", "made more")


def test_a_package_that_a_page_installs_is_found_by_its_entry_point(reader: Reader) -> None:
    (reader.folder / "acme").mkdir()
    group = '[project.entry-points."aios_connect.connectors"]\nacme = "acme:Acme"\n'
    (reader.folder / "acme" / "pyproject.toml").write_text(
        f'[project]\nname = "acme-x"\nversion = "1"\n{group}', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match="there is no connector"):
        registry.load("acme")
    reader.say("pip install --quiet --editable acme")
    assert "acme" in registry.available()
