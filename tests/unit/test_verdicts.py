"""A mapping that kept the laws is not tried again, until anything that the laws depend on is another."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aios_connect.connection.opening import load_mapping
from aios_connect.connectors.spec import ConnectorSpec, ObjectSpec
from aios_connect.errors import MappingError
from aios_connect.mappings import checks, loads, verdicts
from aios_connect.mappings.laws import check_laws
from aios_connect.mappings.verdicts import Verdicts
from aios_connect.project import Project

FOLK = ObjectSpec("Folk", frozenset({"read", "create", "update"}))
SPEC = ConnectorSpec(provider="shelf", title="Shelf", docs="", auth=(), settings=(), objects={"folk": FOLK})
MAPPING = "connector: shelf\nobject: folk\nkind: person\nfields:\n  job_title: title\n"
FUNCTION = "  locale: {from: lang, as: function, get: 'acme_tongues:read', put: 'acme_tongues:write'}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folk.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The objects whose mappings were put before the laws."""
    objects: list[str] = []

    def counted(mapping: Any, schema: Any = None) -> None:
        objects.append(mapping.object)
        check_laws(mapping, schema)

    monkeypatch.setattr(checks, "check_laws", counted)
    return objects


@pytest.fixture(autouse=True)
def forget_what_is_around() -> Iterator[None]:
    verdicts._surroundings.cache_clear()
    yield
    verdicts._surroundings.cache_clear()


@pytest.fixture
def remembered(tmp_path: Path) -> Verdicts:
    return Verdicts(tmp_path / "verdicts")


def test_a_mapping_that_passed_is_not_tried_again(file: Path, tried: list[str], remembered: Verdicts) -> None:
    for _ in range(3):
        load_mapping(file, None, SPEC, (), remembered)
    assert tried == ["folk"]
    load_mapping(file, None, SPEC, (), Verdicts(file.parent / "verdicts"))
    assert tried == ["folk"]
    load_mapping(file, None, SPEC)
    assert tried == ["folk", "folk"]


@pytest.mark.parametrize(
    "changed",
    [
        MAPPING.replace("title\n", "role\n"),
        MAPPING + "  names.family: name\n",
        MAPPING.replace(": title", ": {from: title, empty: keep}"),
        MAPPING + "defaults: {missing: null}\n",
        MAPPING + "create: {folder: 7}\n",
    ],
)
def test_a_changed_mapping_is_tried_again(file: Path, tried: list[str], remembered: Verdicts, changed: str) -> None:
    load_mapping(file, None, SPEC, (), remembered)
    file.write_text(changed, encoding="utf-8")
    load_mapping(file, None, SPEC, (), remembered)
    assert tried == ["folk", "folk"]


def test_so_is_one_with_another_overlay(file: Path, tried: list[str], remembered: Verdicts) -> None:
    load_mapping(file, None, SPEC, (), remembered)
    overlay = file.with_name("own.yaml")
    overlay.write_text("connector: shelf\nobject: folk\nfields: {names.family: name}\n", encoding="utf-8")
    load_mapping(file, overlay, SPEC, (), remembered)
    assert tried == ["folk", "folk"]


def test_a_liar_is_refused_every_time(
    file: Path, remembered: Verdicts, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_mapping(file, None, SPEC, (), remembered)
    file.write_text(MAPPING.replace("title\n", "{from: title, required: true}\n"), encoding="utf-8")

    def lie(mapping: Any, schema: Any = None) -> None:
        tried.append("a lie")
        raise MappingError("job_title breaks the law of put-get")

    monkeypatch.setattr(checks, "check_laws", lie)
    for _ in range(2):
        with pytest.raises(MappingError, match="breaks the law"):
            load_mapping(file, None, SPEC, (), remembered)
    assert tried == ["folk", "a lie", "a lie"]


def test_other_code_of_ours_tries_all_again(
    file: Path, tried: list[str], remembered: Verdicts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_mapping(file, None, SPEC, (), remembered)
    copy = tmp_path / "other"
    shutil.copytree(verdicts._PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(verdicts, "_PACKAGE", copy)
    verdicts._surroundings.cache_clear()
    load_mapping(file, None, SPEC, (), remembered)
    assert tried == ["folk"]
    for number, place in enumerate(("mappings/laws.py", "mappings/values.py", "model/canonical.py", "expressions.py"), 2):
        with (copy / place).open("a", encoding="utf-8") as code:
            code.write("\n")
        verdicts._surroundings.cache_clear()
        load_mapping(file, None, SPEC, (), remembered)
        assert len(tried) == number


def test_another_package_or_interpreter_tries_all_again(
    file: Path, tried: list[str], remembered: Verdicts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_mapping(file, None, SPEC, (), remembered)
    (tmp_path / "site" / "phonenumbers-99.0.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "site")
    verdicts._surroundings.cache_clear()
    load_mapping(file, None, SPEC, (), remembered)
    monkeypatch.setattr(sys, "version", "3.99.0")
    verdicts._surroundings.cache_clear()
    load_mapping(file, None, SPEC, (), remembered)
    assert tried == ["folk"] * 3


def test_a_mapping_with_python_functions_is_always_tried(
    tmp_path: Path, tried: list[str], remembered: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_tongues.py").write_text("def read(value): return value\ndef write(value): return value\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "folk.yaml"
    file.write_text(MAPPING + FUNCTION.replace("locale", "custom.tongue"), encoding="utf-8")
    for _ in range(2):
        load_mapping(file, None, SPEC, ["acme_tongues"], remembered)
    assert tried == ["folk", "folk"]


def test_only_the_laws_are_spared_and_not_the_look_at_the_connector(file: Path, remembered: Verdicts) -> None:
    load_mapping(file, None, SPEC, (), remembered)
    other = replace(SPEC, objects={})
    with pytest.raises(MappingError, match="has no object 'folk'"):
        load_mapping(file, None, other, (), remembered)


@pytest.mark.parametrize("kept", [b"\xff\xfe\x00", b"0123\n\n", b""])
def test_a_file_that_makes_no_sense_is_no_verdict(file: Path, tried: list[str], tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "verdicts").write_bytes(kept)
    for _ in range(2):
        load_mapping(file, None, SPEC, (), Verdicts(tmp_path / "verdicts"))
    assert tried == ["folk"]


def test_where_nothing_can_be_kept_every_mapping_is_tried(file: Path, tried: list[str], tmp_path: Path) -> None:
    for _ in range(2):
        load_mapping(file, None, SPEC, (), Verdicts(tmp_path / "no such folder" / "verdicts"))
    assert tried == ["folk", "folk"]
    assert not (tmp_path / "no such folder").exists()


def test_the_file_does_not_grow_for_ever(tmp_path: Path, remembered: Verdicts) -> None:
    for number in range(300):
        remembered.remember(loads(MAPPING.replace("title\n", f"title{number}\n")))
    assert len((tmp_path / "verdicts").read_text(encoding="ascii").splitlines()) == 256
    assert remembered.passed(loads(MAPPING.replace("title\n", "title299\n")))
    assert not remembered.passed(loads(MAPPING.replace("title\n", "title0\n")))


def test_a_project_remembers_beside_its_store_and_its_check_tries_everything(tmp_path: Path, tried: list[str]) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / ".aios").mkdir()
    (tmp_path / "aios-connect.toml").write_text('[connections.sheet]\nprovider = "csv"\nfolder = "sheets"\n', encoding="utf-8")
    for _ in range(2):
        with Project(tmp_path / "aios-connect.toml") as project:
            project.connection("sheet")
    once = len(set(tried))
    assert len(tried) == once > 0
    with Project(tmp_path / "aios-connect.toml") as project:
        project.check(live=False)
    assert len(tried) == 2 * once
