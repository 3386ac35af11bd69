"""The line to a real mail server is cut at everything that is said: no message is lost in reading, none is sent twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aios_connect_mail import Mail

from aios_connect.connectors import Cursor, ProviderError, Raw
from aios_connect.connectors.sending import Letter
from aios_connect.testing.servers.dovecot import dovecot
from aios_connect.testing.servers.mail import MailServer
from aios_connect.testing.servers.pymap import pymap

from .mail_office import MailOffice, deliver, note
from .mail_tap import MailTap, tapped

pytestmark = pytest.mark.live

SERVERS = {"pymap": pymap, "dovecot": dovecot}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with ExitStack() as stack:
        try:
            made: MailServer = stack.enter_context(SERVERS[request.param](tmp_path_factory.mktemp("mail")))
        except (OSError, RuntimeError) as error:
            (pytest.fail if os.environ.get("AIOS_LIVE") else pytest.skip)(f"no mail server here: {error}")
        yield made


@pytest.fixture
def office(server: MailServer, tmp_path: Path) -> Iterator[MailOffice]:
    office = MailOffice(server, tmp_path)
    yield office
    office.close()


def short_pages(mail: Mail, since: Cursor | None = None) -> Iterator[tuple[list[Raw], Cursor]]:
    """A read with three messages a page."""
    for page in mail._reading.pages(since or {}, 3):
        yield list(page.records), page.cursor


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_read_that_was_cut_at_any_word_goes_on_without_loss(office: MailOffice, how: str) -> None:
    for number in range(8):
        office.put(note(number), "INBOX" if number % 4 else "Sent")
    with tapped(office.account.imap) as tap:
        whole = [raw for records, _ in short_pages(office.open(port=str(tap.port))) for raw in records]
        assert len(whole) == 8
        words = len(tap.said)
        failed = 0
        for number in range(words):
            tap.cut(number, how)
            seen: list[Raw] = []
            cursor: Cursor | None = None
            try:
                for records, cursor in short_pages(office.open(port=str(tap.port))):  # noqa: B007
                    seen += records
            except ProviderError:
                failed += 1
                seen += [raw for records, _ in short_pages(office.open(port=str(tap.port)), cursor) for raw in records]
            assert [raw["id"] for raw in seen] == [raw["id"] for raw in whole], f"cut {how} {tap.said[number]!r}"
        assert failed > words / 2


def letter(to: str) -> Letter:
    return Letter((to,), "Your offer", "Here it is.", in_reply_to="<note1@northgate.example.com>")


def sent_through(office: MailOffice, taps: dict[str, MailTap], line: str, to: str) -> str:
    """What a process says of a letter that it sends through the taps; ``error`` if it says that nothing was sent."""
    mail = office.open(port=str(taps["imap"].port), smtp_port=str(taps["smtp"].port))
    try:
        return mail.send(letter(to), line).outcome
    except ProviderError:
        return "error"
    finally:
        mail.close()


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("where", ["imap", "smtp"])
def test_a_letter_whose_line_was_cut_at_any_word_is_never_sent_twice(office: MailOffice, where: str, how: str) -> None:
    with tapped(office.account.imap) as imap, tapped(office.account.smtp) as smtp:
        taps = {"imap": imap, "smtp": smtp}
        first = office.server.fresh()
        assert sent_through(office, taps, "plan.quiet", first.address) == "sent"
        office.server.settled()
        assert len(deliver(first)) == 1
        words = len(taps[where].said)
        outcomes = []
        for number in range(words):
            to = office.server.fresh()
            line = f"plan.{where}.{how}.{number}"
            taps[where].cut(number, how)
            said = sent_through(office, taps, line, to.address)
            office.server.settled()
            arrived = len(deliver(to))
            place = f"cut {how} {taps[where].said[number][:60]!r}: {said}"
            assert arrived == 1 if said == "sent" else arrived == 0 if said in ("error", "rejected") else arrived <= 1, place
            again = office.mail.send(letter(to.address), line).outcome
            office.server.settled()
            assert len(deliver(to)) == (1 if again in ("sent", "unchanged") else arrived), f"{place}, then {again}"
            assert again in {"sent": ("unchanged", "ambiguous"), "error": ("sent", "ambiguous")}.get(said, ("ambiguous",)), place
            outcomes.append((said, again))
        assert ("error", "sent") in outcomes
