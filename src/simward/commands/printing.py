"""What commands write: one JSON object a line, or a table that is rich on a terminal and plain elsewhere."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

MARKS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def on_terminal() -> bool:
    """Does a person look at standard output right now?"""
    return sys.stdout.isatty()


def json_line(value: Mapping[str, Any]) -> None:
    """One object on one line, at once: a reader behind a pipe waits for it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) + "\n")
    sys.stdout.flush()


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], *, mark: int | None = None) -> None:
    """Rows under headers; `mark` is the column whose word colours its row on a terminal."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = _widths(headers, texts)
    if fits(headers, texts):
        _rich_table(headers, texts, mark)
        return
    for row in [list(headers), *texts]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def stream(columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[Any]]) -> None:
    """Rows as they come, under headers of a fixed width: for lists that may be longer than memory."""
    click.echo(_aligned([name for name, _ in columns], columns))
    for row in rows:
        click.echo(_aligned(row, columns))


def _aligned(row: Sequence[Any], columns: Sequence[tuple[str, int]]) -> str:
    return "  ".join(str(cell or "").ljust(width) for cell, (_, width) in zip(row, columns)).rstrip()


def fits(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> bool:
    """Is standard output a terminal that is wide enough for this table? Folded cells help nobody."""
    if not on_terminal():
        return False
    return sum(_widths(headers, rows)) + 2 * len(headers) <= shutil.get_terminal_size().columns


def _widths(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[int]:
    texts = [headers, *rows]
    return [max(len(str(row[at] or "")) for row in texts) for at in range(len(headers))]


def _rich_table(headers: Sequence[str], rows: list[list[str]], mark: int | None) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        made.add_column(header, overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell) for cell in row), style=MARKS.get(row[mark], "") if mark is not None else "")
    Console().print(made)
