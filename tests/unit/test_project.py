"""A project is found, its settings are read with file and line, and everything in it is put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.spec import Auth, ConnectorSpec, Setting
from aios_connect.errors import ConfigError
from aios_connect.project import Project
from aios_connect.project.checks import Finding
from aios_connect.project.layout import add_connection, lay_down
from aios_connect.project.secrets import EnvironmentTokens
from aios_connect.project.settings import SettingsFile, is_secret, variable

SETTINGS = """\
[connections.sheet]
provider = "csv"
folder = "sheets"
key = "Ref"
"""
JOB = "job: one\nconnections: [sheet]\nkinds:\n  person: {}\n"
SPEC = ConnectorSpec(
    provider="box",
    title="Box",
    docs="",
    auth=(Auth("password", "ask the box"),),
    settings=(
        Setting("url", "Where it is.", required=True),
        Setting("user", "Who we are."),
        Setting("lang", "Words.", default="en"),
        Setting("pin", "Its number.", secret=True),
    ),
    objects={},
)


def project(folder: Path, settings: str = SETTINGS, environment: dict[str, str] | None = None) -> Project:
    (folder / "sheets").mkdir(exist_ok=True)
    (folder / "sheets" / "people.csv").write_text(
        "Ref,First name,Last name,Email,Mobile,Desk phone,Company,Job title,Notes\nP-1,Ann,,,,,,,\n", encoding="utf-8"
    )
    (folder / "aios-connect.toml").write_text(settings, encoding="utf-8")
    return Project(folder / "aios-connect.toml", environment=environment or {})


def refused(folder: Path, settings: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        project(folder, settings)
    return caught.value


# finding


def test_a_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    project(tmp_path).close()
    (tmp_path / "sync" / "jobs").mkdir(parents=True)
    with Project.find(tmp_path / "sync" / "jobs") as found:
        assert found.folder == tmp_path
        assert list(found.connections) == ["sheet"]


def test_a_table_in_pyproject_is_a_project_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "acme"\n\n[tool.aios-connect.connections.sheet]\nprovider = "csv"\nfoldr = "."\n', encoding="utf-8"
    )
    with Project.find(tmp_path) as found:
        assert found.connections["sheet"].provider == "csv"
        with pytest.raises(ConfigError, match="no setting 'foldr'") as caught:
            found.connection("sheet")
    assert caught.value.line == 6


def test_no_project_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="there is no project") as caught:
        Project.find(tmp_path)
    assert "aios init" in caught.value.hint


# settings


@pytest.mark.parametrize(
    ("settings", "line", "said", "hint"),
    [
        ("[store]\nurk = 'x'\n", 2, "there is no 'urk' in store", "did you mean 'url'?"),
        ("\n[conections.crm]\n", 2, "there is no 'conections' in this file", "did you mean 'connections'?"),
        ("[connections.crm]\nurl = 'x'\n", 1, "needs 'provider'", "add provider"),
        ("[connections.CRM]\nprovider = 'csv'\n", 1, "'CRM' is no name for a connection", ""),
        ("[connections.store]\nprovider = 'csv'\n", 1, "'store' cannot be the name", ""),
        ("[connections.crm]\nprovider = 'csv'\nkey = ['a']\n", 1, "key must be text", ""),
        ("store = {urk = 'x'}\n", 1, "there is no 'urk' in store", "did you mean 'url'?"),
        ("[connections.crm\n", 1, "this is not TOML", "write sections as"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_way_out(tmp_path: Path, settings: str, line: int, said: str, hint: str) -> None:
    error = refused(tmp_path, settings)
    assert said in error.message
    assert error.line == line
    assert error.hint.startswith(hint)


@pytest.mark.parametrize("name", ["password", "api_key", "client_secret", "token", "refresh_token"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, name: str) -> None:
    error = refused(tmp_path, f"[connections.crm]\nprovider = 'csv'\n{name} = 'hunter2'\n")
    assert (error.line, "does not belong in a file" in error.message) == (3, True)
    assert f"AIOS_CRM_{name.upper()}" in error.hint
    assert "hunter2" not in f"{error} {error.hint} {error.excerpt}"


def test_a_secret_under_a_misspelt_name_is_not_repeated(tmp_path: Path) -> None:
    with (
        project(tmp_path, SETTINGS + "pasword = 'hunter2'\n") as found,
        pytest.raises(ConfigError, match="no setting 'pasword'") as caught,
    ):
        found.connection("sheet")
    assert caught.value.line == 5
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.excerpt}"


def test_a_password_in_the_address_of_the_store_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, '[store]\nurl = "postgresql://ann:hunter2@db/aios"\n')
    assert "AIOS_STORE_URL" in error.hint
    assert "hunter2" not in f"{error} {error.hint}"


def test_a_column_called_key_is_no_secret() -> None:
    assert [name for name in ("key", "people_key", "api_key", "private_key", "monkey") if is_secret(name)] == [
        "api_key",
        "private_key",
    ]


def test_settings_come_from_the_environment_over_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "aios-connect.toml"
    file.write_text('[connections.my-box]\nprovider = "box"\nurl = "a"\nuser = "ann"\nproxy = "p"\n', encoding="utf-8")
    told = SettingsFile(file).told(SPEC, "my-box", {"AIOS_MY_BOX_URL": "b", "AIOS_MY_BOX_USER": ""})
    assert told == {"url": "b", "user": "ann", "lang": "en", "proxy": "p"}


def test_a_missing_setting_says_where_to_write_it(tmp_path: Path) -> None:
    file = tmp_path / "aios-connect.toml"
    file.write_text('[connections.box]\nprovider = "box"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="Box needs url: Where it is") as caught:
        SettingsFile(file).told(SPEC, "box", {})
    assert caught.value.hint == 'write url = "..." under [connections.box], or set AIOS_BOX_URL'
    assert caught.value.line == 1


def test_a_secret_of_the_connector_itself_is_refused_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "aios-connect.toml"
    file.write_text('[connections.box]\nprovider = "box"\nurl = "a"\npin = "1234"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="does not belong in a file") as caught:
        SettingsFile(file).told(SPEC, "box", {})
    assert caught.value.line == 4


# secrets


def test_a_password_in_the_environment_is_used_without_opening_the_store() -> None:
    def unopened() -> MemoryTokenStore:
        raise AssertionError("the store was opened")

    tokens = EnvironmentTokens({"AIOS_CRM_PASSWORD": "hunter2"}, lambda name: ("password",), unopened)
    found = tokens.get("crm")
    assert found is not None
    assert found.values == {"password": "hunter2"}


def test_a_token_in_the_environment_only_begins() -> None:
    from datetime import UTC, datetime

    kept = MemoryTokenStore(now=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    tokens = EnvironmentTokens({"AIOS_CRM_REFRESH_TOKEN": "first"}, lambda name: ("refresh_token",), lambda: kept)
    found = tokens.get("crm")
    assert found is not None
    assert tokens.put("crm", {"refresh_token": "second"}, version=found.version)
    again = tokens.get("crm")
    assert again is not None
    assert again.values == {"refresh_token": "second"}


def test_variables_are_named_after_connection_and_setting() -> None:
    assert variable("my-crm", "url") == "AIOS_MY_CRM_URL"


# what is in it


def test_a_connection_is_opened_once_and_reads_through_its_mapping(tmp_path: Path) -> None:
    with project(tmp_path) as found:
        sheet = found.connection("sheet")
        assert found.connection("sheet") is sheet
        assert [person.names.given for person in sheet.read("person")] == ["Ann"]


def test_an_unknown_connection_or_job_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    with project(tmp_path) as found:
        (tmp_path / "sync" / "jobs").mkdir(parents=True)
        (tmp_path / "sync" / "jobs" / "one.yaml").write_text(JOB, encoding="utf-8")
        with pytest.raises(ConfigError, match="no connection 'shet'") as caught:
            found.connection("shet")
        assert caught.value.hint == "did you mean 'sheet'?"
        with pytest.raises(ConfigError, match="no job 'on'") as caught:
            found.job("on")
        assert caught.value.hint == "did you mean 'one'?"
        assert found.jobs == ("one",)
        assert list(found.connections_of(found.job("one"))) == ["sheet"]


def test_the_companys_mapping_is_laid_over_the_shipped_one(tmp_path: Path) -> None:
    for folder, title in (("csv", "A"), ("sheet", "B")):
        (tmp_path / "mappings" / folder).mkdir(parents=True)
        text = f"connector: csv\nobject: people\nkind: person\nfields: {{source: {{const: {title}}}}}\n"
        (tmp_path / "mappings" / folder / "people.yaml").write_text(text, encoding="utf-8")
    with project(tmp_path) as found:
        ann = found.connection("sheet").get("person", "P-1")
    assert (ann.source, ann.names.given) == ("B", "Ann")


def test_the_store_lies_in_the_project_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    with project(tmp_path) as found:
        assert found.store() is found.store()
    assert (tmp_path / ".aios" / "store.db").is_file()


def test_the_address_of_the_store_may_come_from_the_environment(tmp_path: Path) -> None:
    with project(tmp_path, environment={"AIOS_STORE_URL": "sqlite:///other.db"}) as found:
        found.store()
    assert (tmp_path / "other.db").is_file()


def test_closing_gives_back_the_connections(tmp_path: Path) -> None:
    found = project(tmp_path)
    sheet = found.connection("sheet")
    found.close()
    found.close()
    assert found.connection("sheet") is not sheet
    found.close()


# checking


def test_a_project_that_is_right_has_no_errors(tmp_path: Path) -> None:
    with project(tmp_path) as found:
        (tmp_path / "sync" / "jobs").mkdir(parents=True)
        (tmp_path / "sync" / "jobs" / "one.yaml").write_text(JOB, encoding="utf-8")
        for live in (True, False):
            findings = found.check(live=live)
            assert [finding for finding in findings if finding.severity == "error"] == []
            assert {"store", "connection sheet", "mapping sheet/people", "job one"} <= {finding.subject for finding in findings}


def test_a_check_finds_every_mistake_and_not_only_the_first(tmp_path: Path) -> None:
    settings = SETTINGS + '\n[connections.crm]\nprovider = "nothing"\n'
    with project(tmp_path, settings) as found:
        (tmp_path / "sync" / "jobs").mkdir(parents=True)
        (tmp_path / "sync" / "jobs" / "one.yaml").write_text(
            "job: one\nconnections: [shet]\nkinds: {person: {}}\n", encoding="utf-8"
        )
        (tmp_path / "sync" / "jobs" / "two.yaml").write_text("job: two\nconnctions: [sheet]\n", encoding="utf-8")
        (tmp_path / "sync" / "jobs" / "three.yaml").write_text(
            "job: three\nconnections: [sheet]\nkinds:\n  user: {create: [sheet]}\n  person: {authority: {job_titel: sheet}}\n",
            encoding="utf-8",
        )
        errors = {finding.subject: finding for finding in found.check(live=False) if finding.severity == "error"}
    assert errors["connection crm"].message.startswith("there is no connector 'nothing'")
    assert errors["job one"].hint == "did you mean 'sheet'?"
    assert "two.yaml:2" in errors["job two"].message
    assert errors["job three"].hint == "did you mean 'job_title'?"
    assert {finding.exit_code for finding in errors.values()} == {2}


def test_an_object_that_no_job_uses_and_is_not_there_is_only_a_warning(tmp_path: Path) -> None:
    with project(tmp_path) as found:
        (tmp_path / "sync" / "jobs").mkdir(parents=True)
        (tmp_path / "sync" / "jobs" / "one.yaml").write_text(JOB, encoding="utf-8")
        severities = {finding.subject: finding.severity for finding in found.check()}
        assert (severities["live sheet/people"], severities["live sheet/deals"]) == ("ok", "warning")
        (tmp_path / "sheets" / "people.csv").unlink()
        findings = {finding.subject: finding for finding in found.check()}
    assert (findings["live sheet/people"].severity, findings["live sheet/people"].exit_code) == ("error", 4)


def test_a_mapping_is_checked_by_its_laws_its_examples_and_the_live_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_words.py").write_text("shout = str.upper\nkeep = str\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "sync" / "jobs").mkdir(parents=True)
    (tmp_path / "sync" / "jobs" / "one.yaml").write_text(JOB, encoding="utf-8")

    def finding(fields: str, subject: str) -> Finding:
        text = f"connector: csv\nobject: people\nkind: person\n{fields}\n"
        (tmp_path / "mappings" / "csv" / "people.yaml").write_text(text, encoding="utf-8")
        with project(tmp_path, 'functions = ["acme_words"]\n' + SETTINGS) as found:
            return next(one for one in found.check() if one.subject == subject and one.severity == "error")

    (tmp_path / "mappings" / "csv").mkdir(parents=True)
    shouting = "{from: Notes, as: function, get: acme_words:shout, put: acme_words:keep}"
    liar = finding(f"fields:\n  notes: {shouting}", "mapping sheet/people")
    assert "people.yaml:5" in liar.message
    wrong = "fields: {}\nexamples: [{name: one, record: {First name: Ann}, reads: {names.given: Bo}}]"
    assert "example 'one': names.given reads as" in finding(wrong, "mapping sheet/people").message
    absent = finding("fields: {website: {from: Web site, required: true}}", "live sheet/people")
    assert "people has no field 'Web site'" in absent.message


def test_columns_that_a_sheet_need_not_have_are_one_warning_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "mappings" / "csv").mkdir(parents=True)
    text = "connector: csv\nobject: people\nkind: person\nfields: {notes: Remarks, website: Web site}\n"
    (tmp_path / "mappings" / "csv" / "people.yaml").write_text(text, encoding="utf-8")
    with project(tmp_path) as found:
        (lacking,) = [one for one in found.check() if one.subject == "live sheet/people"]
    assert (lacking.severity, lacking.exit_code) == ("warning", 0)
    assert "people has no " in lacking.message
    assert "Remarks, Web site: nothing is read there for " in lacking.message
    assert "add the column to people.csv, or set add_columns = yes; or name the leaf under skip in the job" in lacking.hint


def test_mappings_of_a_provider_without_a_connection_are_checked_too(tmp_path: Path) -> None:
    (tmp_path / "mappings" / "csv").mkdir(parents=True)
    (tmp_path / "mappings" / "csv" / "people.yaml").write_text("connector: csv\nobject: people\nkind: persn\n", encoding="utf-8")
    with project(tmp_path, "") as found:
        findings = {finding.subject: finding for finding in found.check(live=False)}
    assert findings["mapping csv/people"].severity == "error"
    assert findings["mapping csv/deals"].severity == "ok"


# laying one down


def test_a_project_laid_down_is_found_and_checks_well(tmp_path: Path) -> None:
    made = lay_down(tmp_path / "acme")
    assert tmp_path / "acme" / "aios-connect.toml" in made
    with Project.find(tmp_path / "acme") as found:
        assert [finding.severity for finding in found.check() if finding.severity == "error"] == []
        assert found.jobs == ()
    with pytest.raises(ConfigError, match="there is a project"):
        lay_down(tmp_path / "acme")


def test_laying_down_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "README.md").write_text("mine", encoding="utf-8")
    lay_down(tmp_path)
    assert (tmp_path / "mappings" / "README.md").read_text(encoding="utf-8") == "mine"


def test_a_job_that_keeps_nothing_in_step_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sync" / "jobs").mkdir(parents=True)
    (tmp_path / "sync" / "jobs" / "one.yaml").write_text("job: one\nconnections: [sheet]\nkinds: {}\n", encoding="utf-8")
    with project(tmp_path) as found:
        (finding,) = [one for one in found.check(live=False) if one.subject == "job one"]
    assert (finding.severity, finding.hint) == ("error", "name them: kinds: {person: {}}")


def test_the_example_of_a_job_that_is_laid_down_is_a_job(tmp_path: Path) -> None:
    from aios_connect.sync import load_job

    lay_down(tmp_path)
    example = tmp_path / "sync" / "jobs" / "sheet-and-crm.yaml.example"
    job = load_job(example.rename(example.with_suffix("")))
    assert job.connections == ("sheet", "crm")


def test_a_connection_added_is_read_back_whatever_its_settings_hold(tmp_path: Path) -> None:
    lay_down(tmp_path)
    add_connection(tmp_path / "aios-connect.toml", "sheet", "csv", {"folder": 'a "b" \\ c\tü\x7f', "key": "Ref"})
    with Project.find(tmp_path) as found:
        assert found.connections["sheet"].settings == {"folder": 'a "b" \\ c\tü\x7f', "key": "Ref"}
    for name, settings in (("Sheet", {}), ("crm", {"password": "x"})):
        with pytest.raises(ConfigError):
            add_connection(tmp_path / "aios-connect.toml", name, "csv", settings)


def test_the_repository_is_a_project_in_which_every_mapping_is_right(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    store = {"AIOS_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}"}
    with Project(root / "aios-connect.toml", environment=store) as repository:
        findings = repository.check(live=False)
    assert [finding for finding in findings if finding.severity == "error"] == []
    checked = {finding.subject for finding in findings if finding.subject.startswith("mapping ")}
    assert checked == {f"mapping {file.parent.name}/{file.stem}" for file in (root / "mappings").glob("*/*.yaml")}
