"""The reference page of a connector, written from its ``spec`` and the mappings that come with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aios_connect.connection import shipped_mappings
from aios_connect.connection.settings import NETWORK, settings_of
from aios_connect.connectors import Auth, ConnectorSpec, ObjectSpec
from aios_connect.mappings import CompiledMapping, load

__all__ = ["connector_page"]

_WAYS = {"none": "Without signing in", "password": "User and password", "key": "A key", "oauth2": "OAuth 2"}
_GRANTS = {
    "code": "A person consents in a browser (`aios connect`).",
    "given": "There is no consent in a browser: `aios connect` asks for a refresh token that the provider gave.",
    "client": "The integration is a user of its own.",
}
_STALE = {
    "compare-and-set": "refused by the provider",
    "read-compare-write": "compared just before; a small window stays",
}
_CHANGES = {True: "what changed", False: "everything, each time"}
_DELETES = {
    "tombstones": "reads tell",
    "scan": "by a list of all ids, with every read of a job",
    "file": "every read is the whole truth",
    "none": "not found",
}
_SCAN = (
    "A list of all ids costs as many calls as the column `list ids` below makes of them, each time, however few records changed; what "
    "the list lacks is looked up. `deletes: ignore` at a kind of the job leaves it out, and deletes are then not found."
)
_WAY = {(True, True): "both ways", (True, False): "read", (False, True): "written"}


def connector_page(spec: ConnectorSpec) -> str:
    """The page of one connector, in Markdown.

    Args:
        spec: What it says of itself.
    """
    parts = [
        f"# {spec.title}",
        f"Written from the code by `make docs`: what the connector says of itself, which the conformance suite holds it to. "
        f"How it is used, and what is odd about it, stands in [its README](../../../connectors/{spec.provider}/README.md).",
        _table(("", ""), _about(spec)),
        *(part for auth in spec.auth for part in _signing_in(auth)),
        "## Settings",
        _settings(spec),
        f"Every connection may have {_codes(NETWORK)}, too.",
        "## Objects",
        _table(
            ("object", "what it is", "verbs", "id", "version", "our key", "points at"),
            ((f"`{name}`", *_object(one)) for name, one in spec.objects.items()),
        ),
        _table(
            ("object", "a read brings", "a delete is found", "can come back", "a stale write is"),
            ((f"`{name}`", *_claims(one)) for name, one in spec.objects.items()),
        ),
        *([_SCAN] if any(one.deletes == "scan" for one in spec.objects.values()) else []),
        "At most so many records in a call:",
        _table(
            ("object", "read", "write", "look up", "list ids"),
            ((f"`{name}`", *_sizes(one)) for name, one in spec.objects.items()),
        ),
        *_limits(spec),
        *_mappings(spec),
    ]
    return "\n\n".join(parts) + "\n"


def _about(spec: ConnectorSpec) -> Iterator[tuple[str, str]]:
    yield "provider", f"`{spec.provider}`"
    yield "their documentation", f"<{spec.docs}>"
    yield "proved on", spec.proof
    yield "webhooks", "signed ones are taken" if spec.webhooks else "none"
    yield "to play with", f"`aios sandbox {spec.provider}`" if spec.sandbox else "no fake"


def _signing_in(auth: Auth) -> Iterator[str]:
    yield f"## {_WAYS[auth.kind]}"
    yield auth.help
    if auth.kind != "oauth2":
        return
    facts = [_GRANTS["given" if auth.grant == "code" and not auth.authorize_url else auth.grant]]
    if auth.rotates:
        grace = f"; the last one still works for {auth.grace:g} s" if auth.grace else ""
        facts.append(f"A refresh token works once, and each refresh brings another{grace}.")
    facts += ["A grant can be given back."] if auth.revoke_url else []
    facts += ["Without a browser on this machine, another device will do."] if auth.device_url else []
    yield " ".join(facts)
    if auth.scopes:
        yield _table(("scope", "permits"), ((f"`{scope}`", what) for scope, what in auth.scopes.items()))
    if auth.uses:
        yield _table(("in `uses`", "asks for"), ((f"`{use}`", _codes(scopes)) for use, scopes in auth.uses.items()))


def _settings(spec: ConnectorSpec) -> str:
    rows = []
    for one in settings_of(spec):
        need = "required" if one.required else f"`{one.default}`" if one.default else ""
        rows.append((f"`{one.name}`", one.help, "; ".join(filter(None, (need, "asked for, and kept" if one.secret else "")))))
    return _table(("setting", "means", "default"), rows)


def _object(one: ObjectSpec) -> tuple[str, ...]:
    verbs = [verb for verb in ("read", "create", "update", "delete") if verb in one.verbs]
    points = "; ".join(f"`{path}`: `{to}`" for path, to in one.references.items())
    return one.title, ", ".join(verbs), _code(one.id), _code(one.version), _code(one.key), points


def _claims(one: ObjectSpec) -> tuple[str, ...]:
    writes = _STALE[one.conditional] if one.verbs & {"update", "delete"} else ""
    return _CHANGES[one.incremental], _DELETES[one.deletes], "yes" if one.undelete else "no", writes


def _sizes(one: ObjectSpec) -> tuple[str, ...]:
    write = str(one.batch_size) if one.verbs - {"read"} else ""
    return str(one.page_size), write, str(one.lookup_size), str(one.scan_size)


def _limits(spec: ConnectorSpec) -> Iterator[str]:
    if not spec.limits:
        return
    yield "## Limits"
    told = " How many it is a day, the account itself says in its answers; until it does, this counts."
    yield "What all processes on one account keep to together." + (told if any(one.most for one in spec.limits) else "")
    yield _table(
        ("calls", "in", "of", "left to other tools", "source"),
        (
            (f"{one.calls:,}", _stretch(one.seconds), one.scope or "the account", f"{one.reserve:.0%}", _source(one.source))
            for one in spec.limits
        ),
    )


def _mappings(spec: ConnectorSpec) -> Iterator[str]:
    files = sorted(shipped_mappings(spec.provider).glob("*.yaml"))
    if not files:
        return
    yield "## Mappings"
    yield "What comes with it, and can be changed by a file of the same name in `mappings/` of the project."
    for file in files:
        mapping = load(file)
        yield f"### {mapping.object}: {mapping.kind}"
        yield _table(("leaf", "in the record", "as", ""), _leaves(mapping))


def _leaves(mapping: CompiledMapping) -> Iterator[tuple[str, ...]]:
    for name, field in mapping.fields.items():
        one = field.transform
        yield f"`{name}`", _codes(one.paths), one.as_.replace("_", " "), _WAY[one.reading, one.writing]


def _stretch(seconds: float) -> str:
    return "a day" if seconds == 86_400 else "an hour" if seconds == 3_600 else "a minute" if seconds == 60 else f"{seconds:g} s"


def _source(text: str) -> str:
    return f"<{text}>" if text.startswith("https://") else text


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
