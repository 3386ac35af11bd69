"""The command that makes a cassette against a live account: record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from aios_connect.cassettes import Cassette, CassetteError, Told, save, tell
from aios_connect.cassettes.pseudonyms import Pseudonyms, known_ids, known_words
from aios_connect.cassettes.rehearsing import BY_HAND, Rehearsal, Tape, clean, compare
from aios_connect.cassettes.steps import reading
from aios_connect.connection import Outside, open_connection
from aios_connect.connection.settings import NETWORK, SIGN_IN, secret_names, settings_of, way_of
from aios_connect.connectors import ConnectorSpec
from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.exchange import Timeouts, Wire
from aios_connect.errors import ConfigError
from aios_connect.project import Project

from .phrases import counted, paragraph
from .screen import Answer, Screen
from .words import Common, OnScreen, Switch

__all__ = ["record"]

_MEANINGLESS = "cassette"
"""The secrets of the second connector."""


def record(
    name: str,
    /,
    *objects: str,
    into: Path,
    origin: str,
    pages: int = 2,
    again: Switch = False,
    yes: Switch = False,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Record how a connector reads an account, with nobody's name in it.

    It checks the connection, and of each object reads the schema and the first
    pages. Every text that the connector's source or the schema does not know
    gets a stand-in: names, addresses, notes. Then the conversation is had
    again with stand-ins only, and that is what the cassette holds. Before it
    is written, it is shown which texts stay. Nothing is written to the account.

    Args:
        name: A connection of the project.
        objects: Objects of its provider, such as contacts; aios describe lists them.
        into: The cassette, such as cassettes/kinto/read-people.yaml.
        origin: Who answered, truthfully: "live Kinto 26.5.0, made-up data", "sandbox hubspot".
        pages: The first pages of each object.
        again: Write over a cassette that is there.
        yes: Write it without a question.
        common: What every command takes.
        screen: Handed in.
    """
    if into.exists() and not again:
        raise ConfigError(f"{into} is there already", hint="give --again to record it again")
    if pages < 1:
        raise ConfigError(f"--pages {pages} is nothing to read", hint="give 1 or more")
    found = Project.find(common.project)
    spec = found.spec(name)
    unknown = [object for object in objects if object not in spec.objects]
    if unknown or not objects:
        said = f"{spec.title} has no object {unknown[0]!r}" if unknown else "which objects?"
        raise ConfigError(said, hint=f"{name} has {', '.join(spec.objects)}")
    steps, settings = reading(objects, pages), found.connection_settings(name)
    with _tape(found, spec, settings) as tape, Project(found.file, transport=tape, attempts=2) as project:
        connection = project.connection(name)
        live = tell(connection.connector, steps)
        answers = list(tape.heard)  # a mapping may ask for more
        mapped = [
            path for kind in connection.kinds for one in connection.mapping(kind).fields.values() for path in one.transform.paths
        ]
        known, ids = known_words(connection.connector, live.schemas, mapped), known_ids(spec.objects, live.pages)
    if not answers:
        raise ConfigError(f"{spec.title} is not spoken to over HTTP", hint="there is nothing to record")
    pseudonyms = Pseudonyms(
        known, ids, _address(spec, settings), [value for setting, value in settings.items() if setting != SIGN_IN]
    )
    harmless = _harmless(spec, settings, pseudonyms)
    rehearsal = Rehearsal([clean(heard, pseudonyms) for heard in answers])
    once_more = _have_again(spec, harmless, rehearsal, steps, project.now())
    cassette = Cassette(origin, project.now().date().isoformat(), tuple(rehearsal.exchanges), harmless, steps)
    answer = RecordedAnswer(into, cassette, live, pseudonyms)
    compare(live, once_more, pseudonyms)
    if not screen.json:
        answer.preview(screen)
    screen.confirm(f"write {into}?", yes=yes)
    save(cassette, into)
    return answer


@contextmanager
def _tape(project: Project, spec: ConnectorSpec, settings: Mapping[str, str]) -> Iterator[Tape]:
    """The way to the live account, with the proxy and the certificates of the connection."""
    certificates = settings.get("certificates")
    wire = Wire(
        agent="aios-connect",
        transport=None,
        timeouts=Timeouts(),
        verify=project.folder / certificates if certificates else True,
        proxy=settings.get("proxy"),
        trust_env=True,
        largest=0,
    )
    client = wire.open()
    try:
        yield Tape(lambda request: client.send(request), way_of(spec, settings).token_url.format(**settings))
    finally:
        client.close()


def _address(spec: ConnectorSpec, settings: Mapping[str, str]) -> tuple[str, str]:
    parts = urlsplit(settings.get("url", ""))
    return f"{parts.scheme}://{parts.netloc}", f"https://{spec.provider}.example"


def _harmless(spec: ConnectorSpec, settings: Mapping[str, str], pseudonyms: Pseudonyms) -> dict[str, str]:
    """Settings for the second connector: what is no default gets a stand-in."""
    own = {setting.name: setting.default for setting in settings_of(spec)}
    told = {}
    for name, value in settings.items():
        if name in NETWORK:
            continue
        ours = name == SIGN_IN or (name != "url" and value == own.get(name))
        told[name] = value if ours else pseudonyms.text(value)
    return told


def _have_again(
    spec: ConnectorSpec, settings: Mapping[str, str], rehearsal: Rehearsal, steps: tuple[str, ...], at: datetime
) -> Told:
    """The same steps by a connector that knows nothing of the live account."""

    def now() -> datetime:
        return at

    def sleep(seconds: float) -> None:
        """Nobody is waited for."""

    tokens = MemoryTokenStore(now=now)
    secrets = [secret for secret in secret_names(spec) if secret != "refresh_token"]  # noqa: S105 # a name
    tokens.put(spec.provider, dict.fromkeys(secrets, _MEANINGLESS))
    outside = Outside(Path(), tokens, MemoryBudget(now=now, sleep=sleep), now, sleep, rehearsal, attempts=2)
    with open_connection(spec.provider, spec.provider, settings, outside) as connection:
        try:
            told = tell(connection.connector, steps)
        except CassetteError:
            raise
        except Exception as error:
            raise CassetteError(
                f"with stand-ins for answers the connector comes to another end: {type(error).__name__}: {error}", hint=BY_HAND
            ) from error
    if rehearsal.left:
        raise CassetteError(f"with stand-ins for answers the connector asks {rehearsal.left} times less", hint=BY_HAND)
    return told


class RecordedAnswer(Answer):
    """A cassette that was made."""

    def __init__(self, path: Path, cassette: Cassette, live: Told, pseudonyms: Pseudonyms) -> None:
        self.path = path
        self.exchanges = len(cassette.exchanges)
        self.records = {object: sum(len(page.records) for page in pages) for object, pages in live.pages.items()}
        self.replaced = dict(sorted(pseudonyms.replaced.items()))
        self.kept = {place: sorted(texts) for place, texts in sorted(pseudonyms.kept.items())}

    def document(self) -> Any:
        """The same as JSON."""
        return {
            "cassette": str(self.path),
            "exchanges": self.exchanges,
            "records": self.records,
            "replaced": self.replaced,
            "kept": self.kept,
        }

    def preview(self, screen: Screen) -> None:
        """What was scrubbed, and what stays; for a person, before it is written."""
        talk = screen.talk
        talk.print("These got stand-ins, the same text the same one everywhere:")
        for place, count in self.replaced.items():
            talk.print(Text(f"  {place}  {counted(count, 'text')}"), soft_wrap=True)
        talk.print()
        paragraph(talk, "These stay, for the connector or the schema knows them. No name may be among them:")
        paragraph(talk, ", ".join(sorted({text for texts in self.kept.values() for text in texts})), indent=2)
        talk.print()
        paragraph(
            talk,
            "Numbers, instants, field names, and ids that are numbers or of the provider's own shape stay too. "
            "Headers not known to be harmless are left out.",
        )

    def show(self, console: Console) -> None:
        """Where it is."""
        records = ", ".join(f"{object} {count}" for object, count in self.records.items())
        console.print(f"recorded {self.path}: {counted(self.exchanges, 'exchange')}, {records}", soft_wrap=True)
