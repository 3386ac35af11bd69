"""What a mail server's answer means: codes and words in, outcome and cause out.

Codes are those of RFC 3463 (``5.1.1``) and RFC 5321 (``550``). Words are asked first where they are plain, because servers give one
code for many things (``5.0.0``, ``5.5.0``, ``550``), and a relay puts its own code over the one it was told. Addresses and links are
taken out before, as they are full of words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .shapes import Cause, Outcome

__all__ = ["Verdict", "is_late", "is_telling", "reply_in", "status_in", "verdict"]

_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_REPLY: Final = re.compile(r"(?<![\w.:/#-])([45][0-5]\d)(?=[\s:,;-]|$)")
_QUOTED: Final = re.compile(r"(?<![\w.:/#-])[45][0-5]\d[ -]['\"#(]{0,2}([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_ANSWER: Final = re.compile(r"(?<![\w.:/#-])[45][0-5]\d[ -]['\"#(]{0,2}([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_NAMES: Final = re.compile(
    r"https?://\S{1,2000}|<?[^\s<>()\"':;,@]{1,320}@[^\s<>()\"':;,@]{1,320}>?|unknown address error", re.IGNORECASE
)
"""Words that are no reason: links, addresses, and what IronPort says of every 5.1.0."""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_FULL: Final = _words(
    r"(mail ?box|inbox|account|user|postfach|boîte|quota).{0,40}\b(full|exceed\w*|over ?quota|too large|voll|pleine|überschritten)",
    r"over ?quota|quota (is |was )?(exceed|full|reached)|exceed\w* (the |its |his |their |your )?(\w+ ){0,3}(quota|storage|mailbox)",
    r"(mailbox|storage|disk) (size |space )?(limit|quota)|insufficient (system |disk )?(storage|space)|not enough (disk )?(storage|space)",
    r"number of messages in recipient's mailbox|out of (storage|disk) space|mailbox size|mailfolder is full|メールボックスが一杯",
)
_NOWHERE: Final = _words(r"NXDOMAIN", r"null MX", r"domain (name )?not found", r"doesn.t receive email")
"""The domain has no mail at all; that is final, whatever code goes with it."""
_GONE: Final = _words(
    r"(mailbox|user|account|address|recipient)\W.{0,60}\b(disabled|suspended|inactive|deactivated|locked|frozen|expired)\b",
    r"\b(disabled|suspended|inactive|deactivated) (mailbox|user|account|address|recipient)",
    r"not accepting (any )?(mail|messages)",
)
_ADDRESS: Final = _words(
    r"\b(unknown|invalid|illegal|unrecognized|nonexist\w*|no such|not a (valid|known)|no valid|bad|undeliverable)\W+(\w+\W+){0,2}?"
    r"(user|recipient|mailbox|address|account|alias|local[- ]part|person|domain|host|destination|name)",
    r"(user|recipient|mailbox|address|account|alias|e-?mail|person|domain|host|destination|name)s?\b[^.;\n]{0,80}?"
    r"\b(unknown|(do|does|did|is|was|were|could|can)(es)?(n.t| ?not)\b.{0,25}\b(exist|found|known|recogni[sz]ed|listed|valid|have)"
    r"|nonexistent|no longer|not (found|known|exist|listed|recogni[sz]ed|valid|on this server)|has moved|unrout\w+)",
    r"doesn.t have (an? |any )?\S{0,80} ?account|no mail ?box (here|by)|mailbox not here|unrout\w* address|NXDOMAIN|null MX",
    r"doesn.t receive email|not our (customer|user)|no ?such ?user|mailbox (is )?(currently )?unavailable|several matches found",
    r"RecipNotFound|RecipientNotFound|couldn.t find (any host|a mail exchanger)|user not local|#5\.1\.1|has moved to|no mailbox found",
    r"(domain name|host|email address|address) (\S+ )?(was |is )?(not|wasn.t|couldn.t be) found|unable to look ?up host|unknown local part",
    r"(empfänger|adresse|benutzer|konto)\W.{0,40}(unbekannt|existiert nicht|ungültig)|destinataire.{0,40}(inconnu|invalide)|n.existe pas",
    r"no existe|desconocid|宛先不明|存在しない|見つかりません|не (существует|найден)|unknown-user|user-unknown",
)
_SENDER: Final = _words(
    r"sender('s)? (\w+ )?(address|domain)", r"domain of sender", r"sender (was |is )?(rejected|denied|unknown|invalid)"
)
_POLICY: Final = _words(
    r"spam|black ?list|block ?list|\bblocked|\bbanned|reputation|dnsbl|\brbl\b|unsolicited|abus(e|ive)|phish|virus|malware|infected",
    r"dmarc|dkim|\bspf\b|\bptr\b|reverse dns|rdns|unverif\w+ (sending|sender)|invalid ip|authenticat|unauthori[sz]ed",
    r"not authori[sz]ed|relay(ing)? (access |is |was )?(denied|not|prohibited)|(no|not|cannot|unable to|open) relay",
    r"access denied|rcpthosts|permission|not (permitted|allowed)|policy|policies|sender (address )?(rejected|denied|verify)|sender was rejected",
    r"(rejected|refused|denied) (your|the) (message|mail|connection)|security|restricted|not accept.{0,20}from|administrative|content filter",
)
_CONTENT: Final = _words(
    r"(message|mail|letter|content|header|size|attachment) (size )?(is |was )?(too (big|large|long)|exceeds?|limit|not supported)",
    r"(header|content|format) (field )?(error|invalid)|malformed",
    r"\b(exceeds|maximum) .{0,40}(size|length)|8 ?bit|conversion|not (rfc|compliant)|syntax error",
)
_NETWORK: Final = _words(
    r"time[d ]?-? ?out|connection (was )?(refused|reset|dropped|lost|closed|failed|died)|(un|not )able to (connect|establish)|socket error",
    r"unreachable|no route|could not connect|did not accept our requests to connect|dns (error|lookup|failure)|name service|lookup fail",
    r"temporar|try (again|later)|later|greylist|graylist|too many (connections|hops|concurrent)|queue too long|retry timeout|loop",
    r"service (is )?(currently )?(unavailable|not available)|server (is )?(busy|down)|upstream|expired|deferred|resources|configuration|overload",
)

_PLAIN: Final[dict[tuple[int, int], Cause]] = {
    (1, 1): "address", (1, 2): "address", (1, 3): "address", (1, 4): "address", (1, 6): "address", (1, 10): "address", (1, 351): "address",
    (1, 7): "policy", (1, 8): "policy", (1, 9): "content",
    (2, 1): "address", (2, 2): "full", (2, 3): "content", (3, 4): "content",
    (4, 1): "network", (4, 2): "network", (4, 3): "network", (4, 5): "network", (4, 6): "network", (4, 7): "network",
}  # fmt: skip
"""Subject and detail of a status that say one thing only (RFC 3463, 3; Exchange's own 5.1.10 and 5.1.351)."""

_ONLY_FINAL: Final = frozenset({(1, 1), (1, 2), (1, 3)})
"""Subjects and details that are "only useful for permanent failures" (RFC 3463, 3.2). Servers say 4.1.1 all the same: of an address they
could not check yet, and of one that is not there, where all refusals are made temporary
(https://www.postfix.org/postconf.5.html#soft_bounce). Their words tell the one from the other."""

_LATE: Final = re.compile(r"(in reply to|after) (the )?end of data\b", re.IGNORECASE)
"""How Postfix and Exim say that an address was taken and the message refused afterwards.

Such an answer is about no recipient in particular (RFC 5321, 3.3, last paragraph), and whoever gives it has seen the message: NTT DOCOMO
says "Unknown user" then to those whom its customers do not want
(https://support.ntt.com/mail/faq/detail/pid2300000e64)."""

_VAGUE: Final[dict[int, Cause]] = {1: "address", 3: "network", 4: "network", 6: "content", 7: "policy"}
"""Subject of a status -> what it is about at large."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it, and why."""

    outcome: Outcome
    cause: Cause


def status_in(text: str) -> str | None:
    """The enhanced status code in a text: of those beside a reply code, then of all, the first that says more than ``5.0.0``."""
    found = _ANSWER.findall(text) + _STATUS.findall(text)
    return next((one for one in found if not one.endswith(".0.0")), next(iter(found), None))


def reply_in(text: str) -> int | None:
    """The first SMTP reply code in a text."""
    found = _REPLY.search(text)
    return int(found[1]) if found else None


def is_telling(text: str) -> bool:
    """True if a text says why."""
    bare = _NAMES.sub(" ", text)
    return bool(_STATUS.search(bare) or _REPLY.search(bare) or _cause_in(bare)[0] != "unknown")


def is_late(told: str) -> bool:
    """True if a report says that the answer came after the whole message."""
    return _LATE.search(" ".join(told.split())) is not None


def verdict(text: str, status: str | None, reply: int | None, *, delayed: bool = False, late: bool = False) -> Verdict:
    """Judge one failed or delayed delivery.

    Args:
        text: What the server or the report says of it.
        status: The enhanced status code, or ``None``.
        reply: The SMTP reply code, or ``None``.
        delayed: The report says that nothing is decided yet.
        late: The answer came after the whole message; see :func:`is_late`.
    """
    said, gone = _cause_in(_NAMES.sub(" ", text))
    subject, detail = _split(status)
    coded = _PLAIN.get((subject, detail), "unknown")
    cause = said if said in ("full", "address") or coded in ("unknown", "network") else coded
    if cause == "unknown":
        cause = coded if coded != "unknown" else _VAGUE.get(subject, "unknown")
    if delayed:
        return Verdict("delayed", cause)
    final = _NOWHERE.search(text) is not None or (status[0] == "5" if status else not reply or reply >= 500)
    known = (subject, detail) in _ONLY_FINAL and said == "address"
    disabled = gone or ((subject, detail) == (2, 1) and said != "address") or (late and coded != "address")
    return Verdict("hard" if cause == "address" and (final or known) and not disabled else "soft", cause)


def _cause_in(bare: str) -> tuple[Cause, bool]:
    """The cause that some words name, and whether they say that the mailbox is there and takes no mail."""
    if _FULL.search(bare):
        return "full", False
    if _SENDER.search(bare):
        return "policy", False
    if _GONE.search(bare):
        return "address", True
    causes: tuple[tuple[re.Pattern[str], Cause], ...] = (
        (_ADDRESS, "address"), (_POLICY, "policy"), (_CONTENT, "content"), (_NETWORK, "network"),
    )  # fmt: skip
    return next((cause for words, cause in causes if words.search(bare)), "unknown"), False


def _split(status: str | None) -> tuple[int, int]:
    if not status:
        return 0, 0
    _, subject, detail = status.split(".")
    return int(subject), int(detail)
