"""Enquiries that come in by HTTP, kept as received and read from there."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from aios_connect.connectors import (
    AiosError,
    Auth,
    AuthError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    CursorGoneError,
    Hint,
    Identity,
    NotFoundError,
    ObjectSpec,
    Page,
    Quarantined,
    Raw,
    RejectedError,
    Request,
    ScanPage,
    Schema,
    Tombstone,
    UnavailableError,
    instant,
)
from aios_connect.connectors.webhooks import Reply

from .content import Content, read_content
from .door import SETTINGS, Door, keys_of
from .inbox import PEOPLE, Arrival, Entry, Inbox, Kept
from .records import MISSHAPEN, SCHEMAS, address, record
from .replies import preflight, refused, taken
from .sources import SOURCES, Event, Proof, Told
from .sources.source import CALLS, SUBMISSIONS

__all__ = ["WebForm"]

_log = logging.getLogger("aios_connect.webform")

_HEADERS: Final = (
    "accept-language",
    "content-type",
    "idempotency-key",
    "origin",
    "referer",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
)
"""Headers that are kept. No cookie, no key, no signature, no address of a network is among them."""

_SHORTEST: Final = 16
"""Characters of a key that nobody guesses."""

_OBJECT: Final = partial(
    ObjectSpec,
    verbs=frozenset({"read"}),
    version="version",
    modified="changed_at",
    incremental=True,
    deletes="tombstones",
    page_size=50,
    lookup_size=100,
    scan_size=1000,
)


class WebForm(Connector):
    """One address that a form, a program or a vendor sends to."""

    spec = ConnectorSpec(
        provider="webform",
        title="Web form",
        docs="https://html.spec.whatwg.org/multipage/form-control-infrastructure.html",
        auth=(Auth("none", "Nobody is signed in to: the senders show a key, or sign with it."),),
        settings=SETTINGS,
        objects={
            SUBMISSIONS: _OBJECT(title="Enquiries"),
            CALLS: _OBJECT(title="Calls", references={"submission": SUBMISSIONS}),
            PEOPLE: _OBJECT(title="People who write"),
        },
        webhooks=True,
        proof="real HTTP on loopback, kills between keeping and answering; signatures by the vendors' own test vectors",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._door = Door.of(context, SOURCES)
        self._source = SOURCES[self._door.source]
        self._inbox = Inbox(self._door.inbox, context.now)

    def check(self) -> Identity:
        """Open the inbox, count what is in it, and say what is missing for anything to come in."""
        keys, counted = keys_of(self.context), self._inbox.counted()
        missing = {}
        if self._source.keyed and not keys:
            missing["receive"] = f"the key that {self._source.title} signs with: aios connect {self.context.connection}"
        elif not keys and not self._door.origins:
            missing["receive"] = f"a key (aios connect {self.context.connection}), or origins = the sites whose pages may send"
        elif not self._source.keyed and any(len(key) < _SHORTEST for key in keys):
            missing["receive"] = f"a key of at least {_SHORTEST} characters: aios connect {self.context.connection}"
        details = {name: str(count) for name, count in counted.items()}
        return Identity(str(self._door.inbox), self._source.title, details, missing)

    def describe(self, object: str) -> Schema:
        """What every record has. What was said may have any name besides."""
        return SCHEMAS[self._known(object)]

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """Records in the order of their last change. What comes in while this reads is for the next read."""
        inbox, after, upto = self._inbox.id, 0, self._inbox.top
        if since:
            if since.keys() != {"inbox", "after"} or since["inbox"] != inbox or not 0 <= since["after"] <= upto:
                raise CursorGoneError("this cursor is not one of this inbox", provider="webform", object=object)
            after = since["after"]
        size = self.spec.objects[self._known(object)].page_size
        entries = self._inbox.page(object, after, upto, size + 1)
        while True:
            some, complete = entries[:size], len(entries) <= size
            after = upto if complete else some[-1].changed
            found = [record(entry, object, self._door, self.context.connection) for entry in some if not entry.gone]
            yield Page(
                records=[one for one in found if not isinstance(one, Quarantined)],
                cursor={"inbox": inbox, "after": after},
                complete=complete,
                tombstones=[_tombstone(entry) for entry in some if entry.gone],
                quarantined=[one for one in found if isinstance(one, Quarantined)],
            )
            if complete:
                return
            entries = self._inbox.page(object, after, upto, size + 1)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        entries = self._inbox.entries(self._known(object), ids)
        found = [record(entry, object, self._door, self.context.connection) for entry in entries if not entry.gone]
        return [one for one in found if not isinstance(one, Quarantined)]

    def scan(self, object: str) -> Iterator[ScanPage]:
        size = self.spec.objects[self._known(object)].scan_size
        listed = [(id, str(changed)) for id, changed in self._inbox.listed(object)]
        for start in range(0, len(listed), size):
            yield ScanPage(listed[start : start + size], complete=start + size >= len(listed))
        if not listed:
            yield ScanPage([], complete=True)

    def receive(self, request: Request) -> Sequence[Hint]:
        """Take a request: believe it, keep it on the disk, and say what there is to read.

        Raises:
            AuthError: The sender does not prove itself.
            RejectedError: It is no POST, too big, or not what it says it is; ``status`` is what the sender is to be told.
            ConflictError: Its Idempotency-Key came before with another content.
            UnavailableError: It could not be kept.
        """
        return self._hints(self._take(request))

    def answer(self, request: Request) -> Reply:
        """See :meth:`aios_connect.connectors.webhooks.Answers.answer`. What is answered with success is on the disk."""
        if request.method == "OPTIONS":
            return preflight(request, self._door)
        try:
            kept = self._take(request)
        except UnavailableError as error:  # what is wrong here is no business of who sends
            _log.error("%s: a sender was told to send again later: %s", self.context.connection, error.message)
            later = UnavailableError("it could not be kept just now", hint="send it again later", status=503)
            return refused(request, self._door, later)
        except AiosError as error:
            return refused(request, self._door, error)
        return taken(request, self._door, kept.id, self._hints(kept))

    def release(self, id: str) -> bool:
        """Take an enquiry that was kept aside for a good one; False if there is none with this id."""
        return self._inbox.release(id)

    def erase(self, id: str) -> bool:
        """Forget all that was sent for a record, for good, as somebody may ask; the next read tells it by a tombstone."""
        return self._inbox.erase(id)

    def close(self) -> None:
        self._inbox.close()

    def _take(self, request: Request) -> Kept:
        received = self.context.now()
        self._look_at(request)
        keys = keys_of(self.context)
        if not keys and (self._source.keyed or "authorization" in request.headers):
            raise UnavailableError(
                "this address has no key yet, so nothing can be believed", hint="send it again later", status=503
            )
        if not self._source.keyed:
            _refuse_key_in(request.url, keys)
        proof = self._source.prove(request, self._door, keys, received)
        headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        content = read_content(request.body, request.headers.get("content-type", ""))
        event = self._event(content, headers, proof)
        arrival = Arrival(
            via=self._door.source,
            received=received,
            headers=headers,
            body=request.body,
            objects=event.objects,
            subject=event.subject,
            follows=event.follows,
            key=event.key,
            strict=event.strict,
            digest=content.digest({self._door.trap, self._door.shown}),
            person=address(self._source, Told(content, headers, received.isoformat())) if SUBMISSIONS in event.objects else "",
            within=self._door.same_within,
            trust=proof.trust,
            aside=event.caught,
        )
        return self._inbox.keep(arrival)

    def _event(self, content: Content, headers: dict[str, str], proof: Proof) -> Event:
        now = self.context.now()
        try:
            return self._source.event(content, headers, self._door, proof, now)
        except RejectedError:
            raise
        except MISSHAPEN as error:  # it is signed, so it is kept: a vendor that is refused may stop sending
            said = f"{type(error).__name__}: {error}"
            return Event((SUBMISSIONS,), caught=f"it is signed, and is not what {self._source.title} sends ({said})")

    def _look_at(self, request: Request) -> None:
        try:
            _ = urlsplit(request.url).port
        except ValueError:
            raise RejectedError("the address is none", hint="look at the header Host", status=400) from None
        if request.method != "POST":
            raise RejectedError(f"{request.method[:20]} is not taken here", hint="send a POST", status=405)
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() not in self._door.origins:
            raise AuthError(
                f"a page of {origin[:200] or 'nowhere'} may not send here",
                hint="whoever runs this can name the site in the setting origins",
                status=403,
            )
        if len(request.body) > self._door.max_bytes:
            raise RejectedError(
                f"the body has {len(request.body):,} bytes, and {self._door.max_bytes:,} are taken",
                hint="send less; a file can be sent as a link",
                status=413,
            )

    def _hints(self, kept: Kept) -> list[Hint]:
        return [Hint(object, kept.id, kept.key) for object in kept.objects]

    def _known(self, object: str) -> str:
        if object not in self.spec.objects:
            raise NotFoundError(
                f"there is no object {object!r} here", hint=", ".join(self.spec.objects), provider="webform", object=object
            )
        return object


def _tombstone(entry: Entry) -> Tombstone:
    return Tombstone(entry.id, "merged" if entry.survivor else "deleted", entry.survivor, instant(entry.at))


def _refuse_key_in(url: str, keys: Sequence[str]) -> None:
    """Addresses are written into logs everywhere: a key that stands in one is no secret any more."""
    if any(key in unquote(url) for key in keys):
        raise RejectedError(
            "the key stands in the address, where logs keep it",
            hint="send the header Authorization: Bearer KEY, and have this key replaced",
            status=400,
        )
