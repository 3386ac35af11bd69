"""What finds a record again: keys made of its leaves, and how far each may be trusted.

Only deterministic evidence links by itself; everything weaker is shown to a person. Free-mail domains say nothing about a
company, role mailboxes nothing about a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["compatible_names", "full_name", "keys_of", "label_of", "normal_company", "normal_text"]

_FREE_MAIL = frozenset(
    "gmail.com googlemail.com yahoo.com yahoo.co.uk hotmail.com hotmail.co.uk outlook.com live.com msn.com aol.com icloud.com me.com "
    "mac.com gmx.de gmx.net gmx.com web.de t-online.de orange.fr wanadoo.fr free.fr laposte.net libero.it proton.me protonmail.com "
    "mail.com mail.ru yandex.ru qq.com 163.com comcast.net verizon.net att.net sbcglobal.net btinternet.com".split()
)
_ROLE = frozenset(
    "info sales office contact hello admin support service team mail post help billing accounts accounting invoices jobs hr "
    "marketing reception enquiries inquiries noreply no-reply webmaster postmaster".split()
)
_SUFFIX = re.compile(
    r"\b(incorporated|inc|llc|l l c|ltd|limited|corp|corporation|company|co|gmbh|ag|kg|sarl|sas|sa|bv|nv|plc|llp|pty|srl|spa|oy|ab|as)\b"
)


def normal_text(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces."""
    plain = text.casefold()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]+", " ", plain.replace("&", " and ")).split())


def normal_company(text: str) -> str:
    """A company's name without its legal form."""
    plain = normal_text(text)
    return " ".join(_SUFFIX.sub(" ", plain).split()) or plain


def full_name(leaves: Mapping[str, Any]) -> str:
    """A person's name from its parts, or the full one as given."""
    parts = [leaves.get("names.given"), leaves.get("names.family")]
    return " ".join(part for part in parts if part) or leaves.get("names.full") or ""


def label_of(kind: str, leaves: Mapping[str, Any]) -> str:
    """What a person would call this record."""
    name = full_name(leaves) if kind in ("person", "user") else leaves.get("name")
    return name or leaves.get("emails.work") or leaves.get("emails.personal") or ""


def compatible_names(one: str, other: str) -> bool:
    """True if two names can be the same person's: equal, or one an initialled or shortened form of the other.

    A missing name is compatible with nothing: silence is no evidence.
    """
    first, second = normal_text(one).split(), normal_text(other).split()
    if not first or not second:
        return False
    if sorted(first) == sorted(second):
        return True
    same_family = first[-1] == second[-1]
    return same_family and (first[0].startswith(second[0]) or second[0].startswith(first[0]))


def keys_of(kind: str, leaves: Mapping[str, Any], extra: Iterable[str] = ()) -> dict[str, str]:
    """Keys of a record -> how much each proves.

    ``sure`` links by itself; ``name`` links when names are compatible; ``weak`` is for a person to look at.
    """
    keys: dict[str, str] = {}
    for leaf, value in leaves.items():
        if not isinstance(value, str) or not value or value.startswith("raw:"):
            continue
        if leaf.startswith("emails."):
            address = value.casefold()
            local, _, _ = address.partition("@")
            if "@" in address:
                keys[f"email:{address}"] = "weak" if kind == "person" and local in _ROLE else "sure"
        elif leaf.startswith("phones."):
            keys[f"phone:{value}"] = "name" if kind in ("person", "company") else "weak"
        elif leaf.startswith("domains.") and value.casefold() not in _FREE_MAIL:
            keys[f"domain:{value.casefold()}"] = "name"
    if kind in ("person", "user"):
        name = normal_text(full_name(leaves))
        if name:
            keys[f"name:{name}"] = "sure" if kind == "user" else "weak"
    elif kind == "company" and leaves.get("name"):
        keys[f"name:{normal_company(leaves['name'])}"] = "sure"
    elif kind == "deal" and leaves.get("name"):
        owner = leaves.get("company") or leaves.get("person") or ""
        keys[f"deal:{normal_text(leaves['name'])}|{owner}"] = "sure" if owner else "weak"
    for leaf in extra:
        if leaves.get(leaf) not in (None, ""):
            keys[f"leaf:{leaf}={leaves[leaf]}"] = "sure"
    return {key[:300]: proof for key, proof in keys.items()}
