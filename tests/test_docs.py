"""The documentation runs, as ``page_reader`` reads it.

What a page needs besides stands in ``tests/docs/<name of the page>/`` and is copied into the folder; the tools it talks to are in
``WORLDS``. The pages of the connectors are held as well: there ``url`` and ``token`` are those of the tool, and ``connect`` goes to it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import aios_connect
from aios_connect.connection.settings import secret_names, settings_of
from aios_connect.connectors import registry
from aios_connect.errors import AiosError, ConfigError

from .page_reader import BLOCK, LINK, ROOT, Reader, anchors, blocks, broken_links, fits, loose, missing

READMES = sorted((ROOT / "connectors").glob("*/README.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *READMES]
GUIDES = [page for page in PAGES if page.parent.name not in ("reference", "decisions")]
"""Pages that say how something is done. The reference is written from the code (``tests/cli/test_cli_reference.py``)."""

NOT_RUN = 15
"""How many blocks are shown without being run; raise it only with a reason beside the block."""


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


@contextmanager
def _simple_salesforce() -> Iterator[dict[str, str]]:
    """The same for simple-salesforce, which makes https of every address."""
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def plainly(self: HTTPAdapter, request: PreparedRequest, **more: Any) -> Response:
        request.url = (request.url or "").replace("https://127.0.0.1", "http://127.0.0.1")
        answer = send(self, request, **more)
        self.close()
        return answer

    with _salesforce() as environment, pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", plainly)
        yield environment


WORLDS: dict[str, Callable[[], AbstractContextManager[dict[str, str]]]] = {
    "connect-hubspot": _hubspot,
    "connect-google": _google,
    "connect-salesforce": _salesforce,
    "connectors/hubspot": _hubspot,
    "connectors/google": _google,
    "connectors/salesforce": _simple_salesforce,
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


def _key(page: Path) -> str:
    return f"connectors/{page.parent.name}" if page in READMES else page.stem


def _read(page: Path, reader: Reader) -> None:
    prepared = ROOT / "tests" / "docs" / _key(page)
    if prepared.is_dir():
        shutil.copytree(prepared, reader.folder, dirs_exist_ok=True)
    for block in blocks(_named(page), page.read_text(encoding="utf-8")):
        reader.do(block)


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_what_a_page_shows_comes_out_as_shown(page: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    with WORLDS.get(_key(page), lambda: nullcontext({}))() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if environment and page in READMES:
            (url,) = (value for name, value in environment.items() if name.endswith("_URL"))
            (token,) = (value for name, value in environment.items() if not name.endswith("_URL"))
            reader.names |= {"url": url, "token": token}
            monkeypatch.setattr(aios_connect, "connect", partial(aios_connect.connect, url=url))
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


@pytest.mark.parametrize("page", READMES, ids=_named)
def test_commands_and_files_that_the_page_of_a_connector_names_are_there(page: Path) -> None:
    assert missing(re.sub(BLOCK, "", page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", READMES, ids=_named)
def test_the_settings_of_a_connector_are_those_of_its_page(page: Path) -> None:
    spec = registry.load(page.parent.name).spec
    text = page.read_text(encoding="utf-8")
    table = text.partition("## Settings\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    known = {one.name for one in settings_of(spec)}
    assert named <= known | set(secret_names(spec))
    assert {name for name in known if f"`{name}`" not in text} == set()


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
    linked = {(ROOT / "docs" / target).resolve() for target in LINK.findall(text)}
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


def test_a_command_and_a_file_that_are_not_there_are_found() -> None:
    wrong = ["aios conect", "aios conect crm", "aios connect crm --portt 1", "make marvels", "docs/no-such-page.md"]
    right = ["aios connect", "aios connect crm --port 8765", "make live", "docs/README.md", "no command"]
    assert missing(" ".join(f"`{one}`" for one in wrong + right)) == wrong


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
