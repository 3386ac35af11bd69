"""Writes ``docs/reference/model.md`` from the canonical model."""

from __future__ import annotations

from pathlib import Path

from aios_connect.model import KINDS, leaves

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "model.md"


def model_page() -> str:
    """The page of all kinds and their leaves."""
    parts = [
        "# The canonical model",
        "Written from the code by `python tests/docs/write_model.py`. A mapping names these leaves at its left; `custom.<name>` is there "
        "on every kind, of any type.",
        "\n".join(["| type | form |", "|---|---|", *(f"| {name} | {form} |" for name, form in _FORMS.items())]),
    ]
    for kind, record in KINDS.items():
        rows = [
            f"| `{name}` | {leaf.type}{f' to {leaf.to}' if leaf.to else ''} | {', '.join(f'`{code}`' for code in leaf.choices)} |"
            for name, leaf in leaves(kind).items()
        ]
        meaning = (record.__doc__ or "").strip().splitlines()[0]
        parts += [f"## {kind}", meaning, "\n".join(["| leaf | type | choices |", "|---|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


_FORMS = {
    "text": '`"Ann"`',
    "integer": "`12`",
    "boolean": "`true`, `false`",
    "decimal": '`"12500"`, `"0.5"`: text, no exponent, no trailing zeros',
    "money": '`{"amount": "12500", "currency": "EUR"}`',
    "date": '`"2026-11-21"`',
    "instant": '`"2026-11-21T07:50:35Z"`: UTC; six fractional digits when they are not zero',
    "list": '`["vip", "north"]`: texts',
    "phone": '`"+442079460958;ext=12"`: E.164',
    "email": '`"Ann@example.org"`: the domain in lower case',
    "choice": "one of the codes",
    "reference": '`"party.party:42"` or `"?name=Acme"` as read',
}


if __name__ == "__main__":
    PAGE.write_text(model_page(), encoding="utf-8")
