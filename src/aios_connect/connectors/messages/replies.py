"""What a person wrote themselves: the text without what it quotes and without the signature.

Quotation is what begins with ``>`` with the line that introduces it, and everything below the head of a message that a mail program
put there (``From:``, ``Sent:``, ``To:``, ``Subject:``). Answers between the lines of a quotation stay. A signature is what follows
``-- `` (RFC 3676, 4.3), a line like ``Sent from my iPhone``, a name after a dash, or a last paragraph of telephone numbers and links.
In doubt a line stays: a signature too many does less harm than a sentence too few.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["reply_in"]

LONGEST: Final = 1 << 18
"""Characters of a text that are looked at."""

_WROTE: Final = re.compile(
    r"^(-{2,}\s*)?(on|am|le|el|il|em|op|den|dne|w dniu|på|at|vào|tarihinde)\b.{4,300}?"
    r"\b(wrote|schrieb|a écrit|écrit|escribió|ha scritto|escreveu|schreef|skrev|napsal|napisał\w*|kirjoitti|đã viết|yazdı)\b.{0,200}?:?$"
    r"|^.{0,120}\d.{0,200}(написал\(?а?\)?|пишет|写道|のメール|は書きました|작성|כתב)\s*[:：]?$",
    re.IGNORECASE,
)
_INTRODUCES: Final = re.compile(r"^(?=.*(\d[./:]\d|@)).{6,400}[:：]$")
_RULED: Final = re.compile(
    r"^[\s>]*[-_=*]{2,}\s*(original message|forwarded (message|by)|original appointment|reply message"
    r"|ursprüngliche nachricht|weitergeleitete nachricht|message d.origine|message transféré|mensaje original|mensagem original"
    r"|messaggio originale|oorspronkelijk bericht|originalmeddelande|исходное сообщение|пересылаемое сообщение"
    r")\s*[-_=*]*\s*$|^begin forwarded message:$",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"^\s*([-_=*]\s?){5,}$")
_FROM: Final = "from|von|de|da|van|fra|från|lähettäjä|od|от|发件人|差出人|보낸 사람"
_SENT: Final = (
    "sent|date|gesendet|datum|envoyé|enviado( el| em)?|fecha|data|inviato|verzonden|sendt|skickat|lähetetty|wysłano|отправлено|дата"
    "|发送时间|日時|送信日時"
)
_TO: Final = "to|cc|an|à|para|a|aan|til|till|vastaanottaja|do|кому|收件人|宛先"
_SUBJECT: Final = "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|emne|ämne|aihe|temat|тема|主题|件名"
_HEAD: Final = tuple(
    re.compile(rf"^[\s>*_]{{0,8}}({names})\s?[*_]{{0,2}}\s?[:：]", re.IGNORECASE) for names in (_FROM, _SENT, _TO, _SUBJECT)
)
_DELIMITER: Final = re.compile(r"^(--|—|–) ?$")
_FOOTER: Final = re.compile(r"^_{20,}$")
_SENT_FROM: Final = re.compile(
    r"^\W{0,2}(sent|envoyé|enviado|inviato|verzonden|gesendet|skickat|sendt|отправлено)\s"
    r"(from|via|with|using|de|depuis|desde|da|vanaf|von|från|fra|с|из)\s[^.,!?]{2,60}\.?$"
    r"|^von meinem .{2,40} gesendet\.?$|^diese nachricht wurde von .{2,60} gesendet\.?$"
    r"|^get outlook for \w+|^(sent|written) (on|by) my \w+|iPhoneから送信",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"^[-–—~]\s?[^\W\d_][\w'.]*(\s[^\W\d_][\w'.]*){0,3}$")
_CONTACT: Final = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.|https?://|www\.|(?:\+|\(\d|\b\d)[\d\s().-]{7,}\d"
    r"|^\s*(tel|phone|mobile|cell|fax|skype|t|f|m)\b\s*[.:]",
    re.IGNORECASE,
)
_MOST_LINES: Final = 12


def reply_in(text: str) -> str:
    """The reply in a text. Line feeds only; no blank lines at its ends."""
    lines = text[:LONGEST].split("\n")
    return "\n".join(_unsigned(_unquoted(_above(lines)))).strip("\n").rstrip()


def _above(lines: list[str]) -> list[str]:
    """The lines above the head of a message that a mail program appended unquoted."""
    first = next((place for place, line in enumerate(lines) if line.strip() and not _RULE.match(line)), 0)
    last = max((place for place, line in enumerate(lines) if _is_quoted(line)), default=-1)
    for place, line in enumerate(lines):
        if _RULED.match(line):
            return lines[:place]
        if _HEAD[0].match(line) or _HEAD[1].match(line) or _HEAD[3].match(line):
            near = lines[place : place + 8]
            heads = [any(head.match(other) for other in near) for head in _HEAD]
            if place > first and heads[0] and heads[1] and (heads[2] or heads[3]):
                return _without_rule(lines[:place])
        if place > last and _wrote(lines, place):
            return lines[:place]
    return lines


def _without_rule(lines: list[str]) -> list[str]:
    """The lines without a rule, and blank lines, at their end."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or _RULE.match(lines[end - 1])):
        end -= 1
    return lines[:end]


def _wrote(lines: list[str], place: int) -> int:
    """How many lines, from one on, introduce a quotation in words; 0 if they do not. Mail programs break such a line in two or three."""
    if not lines[place].strip() or not lines[place][:1].strip():
        return 0
    for count in (1, 2, 3):
        joined = " ".join(line.strip() for line in lines[place : place + count])
        if _WROTE.match(joined):
            return count
    return 0


def _unquoted(lines: list[str]) -> list[str]:
    """The lines that are not quoted, without those that introduce a quotation."""
    quoted = [_is_quoted(line) for line in lines]
    dropped = set()
    for place, is_quoted in enumerate(quoted):
        if is_quoted and not (place and quoted[place - 1]):
            dropped |= _introduction(lines, quoted, place)
    kept = [line for place, line in enumerate(lines) if not quoted[place] and place not in dropped]
    return (
        [line for place, line in enumerate(kept) if line.strip() or not place or kept[place - 1].strip()] if any(quoted) else kept
    )


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith((">", "＞"))


def _introduction(lines: list[str], quoted: list[bool], place: int) -> set[int]:
    """The lines that introduce the quotation that begins at a line."""
    last = place - 1
    while last >= 0 and not lines[last].strip():
        last -= 1
    if last < 0 or quoted[last]:
        return set()
    for first in range(last, max(last - 3, -1), -1):
        if quoted[first]:
            break
        count = _wrote(lines, first)
        if count and first + count - 1 == last:
            return set(range(first, last + 1))
    return {last} if _INTRODUCES.match(lines[last].strip()) else set()


def _unsigned(lines: list[str]) -> list[str]:
    """The lines above the signature."""
    lines = _without_rule(lines)
    for place, line in enumerate(lines):
        if _DELIMITER.match(line) or (_FOOTER.match(line.strip()) and len(lines) - place <= _MOST_LINES):
            lines = _without_rule(lines[:place])
            break
    if lines and _SENT_FROM.search(lines[-1].strip()):
        lines = _without_rule(lines[:-1])
    if len(lines) > 1 and _NAME.match(lines[-1].strip()) and not lines[-2].strip():
        lines = _without_rule(lines[:-1])
    return _without_contacts(lines)


def _without_contacts(lines: list[str]) -> list[str]:
    """The lines without a last paragraph that says how to reach somebody, or what follows a rule and does."""
    ruled = [place for place in range(max(0, len(lines) - 2 * _MOST_LINES), len(lines)) if _RULE.match(lines[place])]
    blank = next((place for place in range(len(lines) - 1, -1, -1) if not lines[place].strip()), -1)
    for start in (*ruled[-1:], blank):
        below = [line for line in lines[start + 1 :] if line.strip()]
        contacts = sum(1 for line in below if _CONTACT.search(line))
        if start > 0 and 2 <= len(below) <= _MOST_LINES and contacts >= 2 and all(len(line) < 60 for line in below):
            return _without_rule(lines[:start])
    return lines
