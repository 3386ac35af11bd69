"""One object that says all about a connector.

From the spec come the parsing of settings, ``aios describe``, the README table, the docs page, the conformance parameters and the
lint of ``mappings/<provider>/``. Be honest in it: the suite tests both the claim and, where a claim is not made, the fallback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aios_connect.errors import ConfigError

__all__ = ["Auth", "ConnectorSpec", "Limit", "ObjectSpec", "Setting", "Verb"]

Verb: TypeAlias = Literal["read", "create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a connection, given in ``aios-connect.toml`` or by ``aios connect``.

    Attributes:
        name: Key in the file, snake case.
        help: One sentence for a person.
        required: A connection without it does not load. A secret that is not required may be left out by who connects.
        default: Used when it is not given.
        secret: Kept in the token store, never in a file.
    """

    name: str
    help: str
    required: bool = False
    default: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Auth:
    """One way to sign in.

    Attributes:
        kind: ``none``, ``password`` (user and password), ``key`` (one secret token) or ``oauth2``.
        help: Where a person finds or makes the credentials.
        authorize_url: For ``oauth2``.
        token_url: For ``oauth2``.
        revoke_url: For ``oauth2``, where offered: where a grant is given back (RFC 7009).
        device_url: For ``oauth2``, where offered: where a person's consent on another device is asked for (RFC 8628).
        scopes: For ``oauth2``: scope -> the operation it permits.
        uses: For ``oauth2``, where a connection need not ask for all scopes: what it can be for, in the words of its setting ``uses``
            (which the connector declares) -> the scopes of that.
        rotates: The refresh token is single-use: each refresh returns a new one.
        grace: Seconds for which the old refresh token still works after a rotation.
        grant: For ``oauth2``: ``code`` (a person consents in a browser) or ``client`` (the integration is its own user).
        loopback: For ``oauth2``: what this machine is called in the address to which the browser comes back. RFC 8252, 7.3 and 8.3,
            wants ``127.0.0.1``; some vendors take plain http from ``localhost`` only.
        client_auth: For ``oauth2``: how the client proves itself at the token address: in the ``Authorization`` header
            (``basic``), in the form (``post``), or not at all (``none``).
        header: The header line that signs a request; ``{token}`` is the access token or the key, ``{basic}`` is user and password
            as in RFC 7617. Without one the connector signs its requests itself.
    """

    kind: Literal["none", "password", "key", "oauth2"]
    help: str
    authorize_url: str = ""
    token_url: str = ""
    revoke_url: str = ""
    device_url: str = ""
    scopes: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rotates: bool = False
    grace: float = 0.0
    grant: Literal["code", "client"] = "code"
    loopback: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    client_auth: Literal["basic", "post", "none"] = "basic"
    header: str = "Authorization: Bearer {token}"

    def asked(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """The scopes to ask for: those of what the connection is for; all of them, if it does not say.

        Args:
            settings: Plain settings of the connection.

        Raises:
            ConfigError: The setting ``uses`` names something else.
        """
        named = [one.strip() for one in settings.get("uses", "").split(",") if one.strip()] if self.uses else []
        for one in named:
            if one not in self.uses:
                raise ConfigError(f"uses: {one!r} is nothing that can be asked for", hint=f"some of {', '.join(self.uses)}")
        return tuple(dict.fromkeys(scope for one in named for scope in self.uses[one])) or tuple(self.scopes)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``calls`` requests in any window of ``seconds``.

    Attributes:
        calls: Requests allowed, until the vendor says another number.
        seconds: Length of the window; 86400 for a daily quota.
        scope: What shares it: requests with this label only, or all of the account (``""``).
        source: Where the vendor says so.
        reserve: Share of the calls that is left to other tools on the same account, 0 to 1.
        left: Header of an answer that says how many calls of this limit are left; the usual ones need not be named.
        most: Header of an answer that says how many calls of this limit the account is allowed, if the vendor tells.
    """

    calls: int
    seconds: float
    scope: str = ""
    source: str = ""
    reserve: float = 0.0
    left: str = ""
    most: str = ""


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """One object of the provider.

    Attributes:
        title: As people see it.
        verbs: What can be done with it here.
        id: Dotted path of the id in a raw record.
        version: Dotted path of the version token, ``""`` if there is none. A version changes whenever the record does.
        modified: Dotted path of the instant of the last change, ``""`` if there is none.
        key: Dotted path where our unique key is kept, ``""`` if the vendor has no place for one.
        merged: Dotted path of the ids of the records that were merged into this one, joined by ``;``, if a merge makes a new record
            that takes over the key of one of them; ``""`` otherwise.
        conditional: ``compare-and-set`` (the vendor refuses a stale write) or ``read-compare-write`` (we compare; a small window stays).
        incremental: True if ``read`` with a cursor returns changes only; else every read is a full one.
        deletes: ``tombstones`` (read tells), ``scan`` (found by listing ids), ``file`` (every read is the whole truth) or ``none``.
        undelete: A delete can be taken back.
        page_size: Records per read call.
        batch_size: Changes per write call.
        lookup_size: Ids per lookup call.
        scan_size: Ids per scan call.
        references: Dotted path of a reference -> the object it points at.
    """

    title: str
    verbs: frozenset[Verb]
    id: str = "id"
    version: str = ""
    modified: str = ""
    key: str = ""
    merged: str = ""
    conditional: Literal["compare-and-set", "read-compare-write"] = "read-compare-write"
    incremental: bool = False
    deletes: Literal["tombstones", "scan", "file", "none"] = "none"
    undelete: bool = False
    page_size: int = 100
    batch_size: int = 1
    lookup_size: int = 100
    scan_size: int = 100
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """All about one connector.

    Attributes:
        provider: The slug: folder, entry point, ``mappings/<slug>``, ``cassettes/<slug>``, extra.
        title: The provider as it spells itself.
        docs: Address of the provider's own API documentation.
        auth: Ways to sign in, each of another kind, the preferred one first; the setting ``sign_in`` takes another one by its
            kind. ``none`` among them says that one may do without signing in.
        settings: What a connection must or may say. ``sign_in``, and for ``oauth2`` ``client_id``, are there without being named.
        objects: By the provider's own name.
        limits: Rates and quotas.
        webhooks: It can receive signed webhooks.
        sandbox: What makes its fake for people to play with, ``module:function``; ``""`` if there is none. The function takes ``seed``
            and ``hazards``, and returns a :class:`aios_connect.sandbox.Playground`.
        proof: How the connector was proved, for its README: "live Tryton 8.2", "sandbox + vendor spec".
        ids: Regular expression of the ids that the provider gives out, where they are neither numbers nor UUIDs and say nothing of what
            they are of: on a cassette they stay as they are.
    """

    provider: str
    title: str
    docs: str
    auth: tuple[Auth, ...]
    settings: tuple[Setting, ...]
    objects: Mapping[str, ObjectSpec]
    limits: tuple[Limit, ...] = ()
    webhooks: bool = False
    sandbox: str = ""
    proof: str = ""
    ids: str = ""
