"""Plain tables: no frames, one line a row, cut to the width of the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_table"]


def print_table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, wrap: str = "") -> None:
    """Print rows below their headings. Only the last column, or the one that wraps, gives way when the screen is narrow.

    Args:
        console: Where to.
        columns: The headings; one that begins with ``>`` is for numbers, aligned to the right.
        rows: The cells; every one is as long as ``columns``.
        wrap: The heading of the one column whose text may take several lines.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    rows = list(rows)
    for number, column in enumerate(columns):
        heading = column.removeprefix(">")
        gives_way = heading == (wrap or columns[-1])
        table.add_column(
            heading,
            justify="right" if column.startswith(">") else "left",
            no_wrap=heading != wrap,
            overflow="fold" if heading == wrap else "ellipsis",
            min_width=None if gives_way else max((len(row[number]) for row in rows), default=0),
        )
    for row in rows:
        table.add_row(*row)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        console.out(line.rstrip(), highlight=False)
