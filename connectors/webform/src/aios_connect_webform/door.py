"""The door of a connection: who may come in, and how big, old and fast they may be. Made of the connection's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aios_connect.connectors import AuthError, ConfigError, Context, Setting

__all__ = ["SETTINGS", "Door"]

CHANNELS: Final = (
    "web_form",
    "phone_call",
    "email",
    "sms",
    "chat",
    "social_message",
    "referral",
    "booking",
    "walk_in",
    "import",
    "api",
)

SETTINGS: Final = (
    Setting("source", "Who sends: form, standard (Standard Webhooks), twilio, calendly, typeform or stripe.", default="form"),
    Setting(
        "key", "The key that senders show, or that the vendor signs with; old and new one with a blank between.", secret=True
    ),
    Setting("origins", "Web sites whose pages may send here, such as https://www.example.com; none unless named.", default=""),
    Setting("thanks", "Page that a browser is sent to after a form; a plain thank-you without one.", default=""),
    Setting("trap", "Field that people do not see: who fills it in is a machine.", default=""),
    Setting(
        "shown",
        "Field with the instant at which the form was shown (ISO 8601, or seconds or milliseconds since 1970).",
        default="",
    ),
    Setting("fastest", "Seconds in which nobody fills in the form; for shown.", default="3"),
    Setting(
        "id_field",
        "Field with the sender's own id of an enquiry: what comes with it again adds to it. With a key only.",
        default="",
    ),
    Setting("same_within", "Seconds in which the same content without an Idempotency-Key is the same enquiry.", default="600"),
    Setting("window", "Seconds that a signature may be old, or ahead of our clock; 300, for Calendly 180.", default=""),
    Setting("max_bytes", "Greatest body that is taken.", default="1000000"),
    Setting("address", "The whole address that senders use, where a proxy stands before it; Twilio signs it.", default=""),
    Setting("channel", f"How these enquiries reach you: {', '.join(CHANNELS)}; told by the source unless said.", default=""),
    Setting("inbox", "File that everything is kept in, from the project's folder; .aios/inbox/CONNECTION.db", default=""),
)


@dataclass(frozen=True, slots=True)
class Door:
    """The settings of a connection, understood.

    Attributes:
        source: Slug of who sends.
        origins: Origins of pages that may send here, as browsers spell them (RFC 6454, 6.2).
        thanks: Where a browser goes after a form.
        trap: The field that people do not see.
        shown: The field with the instant at which the form was shown.
        fastest: Seconds.
        id_field: The field with the sender's own id.
        same_within: Seconds.
        window: Seconds; 0 for what the source thinks best.
        max_bytes: Bytes.
        address: The address as senders see it.
        channel: How the enquiries reach us; empty for what the source says.
        inbox: The file.
    """

    source: str
    origins: frozenset[str]
    thanks: str
    trap: str
    shown: str
    fastest: float
    id_field: str
    same_within: float
    window: float
    max_bytes: int
    address: str
    channel: str
    inbox: Path

    @classmethod
    def of(cls, context: Context, sources: Mapping[str, object]) -> Door:
        """Read the settings.

        Raises:
            ConfigError: One of them is wrong.
        """
        told = {setting.name: setting.default or "" for setting in SETTINGS if not setting.secret} | {
            name: value.strip() for name, value in context.settings.items()
        }
        if told["source"] not in sources:
            raise ConfigError(f"source: {told['source']!r} is not known", hint=f"use {', '.join(sources)}")
        if told["channel"] and told["channel"] not in CHANNELS:
            raise ConfigError(f"channel: {told['channel']!r} is not known", hint=f"use {', '.join(CHANNELS)}")
        return cls(
            source=told["source"],
            origins=frozenset(_origin(one) for one in told["origins"].replace(",", " ").split()),
            thanks=_page("thanks", told["thanks"]),
            trap=told["trap"],
            shown=told["shown"],
            fastest=_number("fastest", told["fastest"]),
            id_field=told["id_field"],
            same_within=_number("same_within", told["same_within"]),
            window=_number("window", told["window"] or "0"),
            max_bytes=int(_number("max_bytes", told["max_bytes"])),
            address=_page("address", told["address"]),
            channel=told["channel"],
            inbox=context.folder / (told["inbox"] or f".aios/inbox/{context.connection}.db"),
        )


def keys_of(context: Context) -> list[str]:
    """The key, or the old and the new one; none if there is none."""
    try:
        return context.credentials.secret("key").split()
    except AuthError:
        return []


def _origin(text: str) -> str:
    parts = _parts(text)
    if parts is None or parts.path not in ("", "/") or parts.query:
        raise ConfigError(f"origins: {text!r} is no origin", hint="write https://www.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _page(name: str, text: str) -> str:
    if text and _parts(text) is None:
        raise ConfigError(f"{name}: {text!r} is no whole address", hint="write https://www.example.com/page")
    return text


def _parts(text: str) -> SplitResult | None:
    """The parts of a whole web address; ``None`` if it is none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    whole = parts.scheme in ("http", "https") and parts.netloc and text.isprintable() and " " not in text
    return parts if whole else None


def _number(name: str, text: str) -> float:
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        raise ConfigError(f"{name}: {text!r} is no number", hint=f'write {name} = "600"')
    return float(text)
