"""HTML to plain text, as a person reads it: blocks become lines, what is quoted begins with ``>``, what is hidden is left out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import unescape
from typing import Final

from .texts import clean

__all__ = ["Plain", "plain"]

LARGEST: Final = 1 << 21
"""Characters of HTML that are looked at."""

_BLOCKS: Final = frozenset(
    "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header html "
    "li main nav ol p pre section table tbody tfoot thead tr ul".split()
)
_SPACED: Final = frozenset("p h1 h2 h3 h4 h5 h6 blockquote ul ol table".split())
_VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_UNSEEN: Final = frozenset("head script style template title noscript object iframe svg".split())
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE
)
_QUOTING: Final = re.compile(r"\b(?:gmail_quote|yahoo_quoted|moz-cite-prefix|OLK_SRC_BODY_SECTION|protonmail_quote)\b")
_TAG: Final = re.compile(r"""</?([a-zA-Z][^\s/>]{0,40})((?>[^>"']+|"[^"]{0,2000}"|'[^']{0,2000}')*+)>""")
_ATTRIBUTE: Final = re.compile(r"""([a-zA-Z-]{1,40})(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_LONGEST_TAG: Final = 4000
_DEEPEST: Final = 400
_MOST_MARKS: Final = 5


@dataclass(frozen=True, slots=True)
class Plain:
    """What became of some HTML.

    Attributes:
        text: Line feeds only, no blank line twice.
        hidden: True if some of it is hidden from a reader; that is not in the text.
        cut: True if it was too long and its end is missing.
    """

    text: str
    hidden: bool
    cut: bool


class _Reader:
    """Collects lines. Each open element is remembered with what it began: a quotation, something hidden, or neither."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.hidden = False
        self._line: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._counts: Counter[str] = Counter()
        self._quotes = 0
        self._unseen = 0
        self._pre = 0

    def opens(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self._end_line()
            return
        if tag == "hr":
            self._end_line()
            self._line.append("-" * 20)
            self._end_line()
            return
        if tag in _VOID or len(self._open) >= _DEEPEST:
            return
        if tag in ("p", "li", "tr", "td", "th", "dt", "dd", "option"):
            self._close_implied(tag)
        effect = self._effect(tag, attributes)
        if tag in _BLOCKS or effect == "quote":
            self._end_block(tag)
        elif tag in ("td", "th") and self._line:
            self._line.append(" ")
        self._open.append((tag, effect))
        self._counts[tag] += 1
        self._quotes += effect == "quote"
        self._unseen += effect == "unseen"
        self._pre += tag == "pre"
        if tag == "li":
            self._line.append("* ")

    def closes(self, tag: str) -> None:
        if self._counts[tag]:
            while self._shut() != tag:
                pass
        if tag in _BLOCKS:
            self._end_block(tag)

    def says(self, data: str) -> None:
        if self._unseen:
            return
        if self._pre:
            *whole, last = data.split("\n")
            for line in whole:
                self._line.append(line)
                self._end_line()
            self._line.append(last)
        else:
            self._line.append(data)

    def finished(self) -> str:
        self._end_line()
        while self.lines and not self.lines[-1].strip("> "):
            self.lines.pop()
        text = "\n".join(self.lines).strip("\n")
        return re.sub(r"\n((?:> )*)\n(?:\1\n)+", r"\n\1\n", text)

    def _effect(self, tag: str, attributes: str) -> str:
        if tag in _UNSEEN:
            return "unseen"
        found = _ATTRIBUTE.findall(attributes[:_LONGEST_TAG])
        said = {name.lower(): unescape(double or single or bare) for name, double, single, bare in found}
        if "hidden" in said or _HIDDEN.search(said.get("style", "")):
            self.hidden = True
            return "unseen"
        return "quote" if tag == "blockquote" or _QUOTING.search(f"{said.get('class', '')} {said.get('id', '')}") else ""

    def _close_implied(self, tag: str) -> None:
        """``<p>`` ends the paragraph before it, and so on; within the nearest block only."""
        if self._open and self._open[-1][0] == tag:
            self.closes(tag)

    def _shut(self) -> str:
        tag, effect = self._open[-1]
        if effect == "quote" or tag == "pre":
            self._end_line()
        self._open.pop()
        self._counts[tag] -= 1
        self._quotes -= effect == "quote"
        self._unseen -= effect == "unseen"
        self._pre -= tag == "pre"
        return tag

    def _mark(self) -> str:
        return "> " * min(self._quotes, _MOST_MARKS)

    def _end_line(self) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._pre else " ".join(text.replace("\xa0", " ").split())
        self.lines.append(self._mark() + text)
        self._line = []

    def _end_block(self, tag: str) -> None:
        if "".join(self._line).strip():
            self._end_line()
        else:
            self._line = []
        mark = self._mark()
        if tag in _SPACED and self.lines and self.lines[-1] != mark:
            self.lines.append(mark)


def plain(html: str) -> Plain:
    """The text in some HTML, whatever it is. One pass, no steps back: a hostile text takes no longer than another.

    (``html.parser`` of Python 3.11 needs time with the square of the length where tags or comments do not end.)
    """
    reader = _Reader()
    at, end = 0, min(len(html), LARGEST)
    while at < end:
        start = html.find("<", at, end)
        if start < 0:
            break
        reader.says(_unescaped(html[at:start]))
        at = _markup(html, start, end, reader)
    reader.says(_unescaped(html[at:end]))
    return Plain(clean(reader.finished()).strip(), reader.hidden, len(html) > LARGEST)


def _markup(html: str, start: int, end: int, reader: _Reader) -> int:
    """Take what begins with ``<``, and say where it ends."""
    if html.startswith(("<!", "<?"), start):
        mark = "-->" if html.startswith("<!--", start) else ">"
        close = html.find(mark, start + 2, end)
        return close + len(mark) if close >= 0 else end
    tag = _TAG.match(html, start, end)
    if tag is None:
        close = html.find(">", start, end)
        named = html[start + 1 : start + 3].lstrip("/")[:1].isalpha()
        if not named:
            reader.says("<")
            return start + 1
        return close + 1 if close >= 0 else end
    name = tag[1].lower()
    if tag[0].startswith("</"):
        reader.closes(name)
        return tag.end()
    if name in ("script", "style", "title"):
        close = html.find(f"</{tag[1]}", tag.end(), end)
        return close if close >= 0 else end
    reader.opens(name, tag[2])
    return tag.end()


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a number of thousands of digits
        return text
