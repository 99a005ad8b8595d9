"""A swap of many by file: `iccid,imei[,from,until]`, read whole, with every problem at once."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simward.commands.moments import parse_coming
from simward.engine.phrases import when
from simward.errors import ConfigurationError, IdentityError, Problem, nearest
from simward.identity import Iccid, Imei

NEEDED, COLUMNS = ("iccid", "imei"), ("iccid", "imei", "from", "until")
PROBLEMS_SHOWN = 100


def read_swap(path: Path, now: int) -> list[dict[str, Any]]:
    """The items of an order, each with its line. Raises ConfigurationError with everything that is wrong."""
    problems: list[Problem] = []
    items: list[dict[str, Any]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            columns = _header(path, next(rows, []), problems)
            for row in rows if columns else ():
                if any(field.strip() for field in row):
                    items.append(_item(path, columns, row, rows.line_num, now, problems))
    except OSError as error:
        raise ConfigurationError([Problem(str(path), 1, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Problem(str(path), 1, "", "not UTF-8", "save it as UTF-8")]) from None
    except csv.Error as error:
        problems.append(Problem(str(path), rows.line_num, "", f"not CSV: {error}"))
    if not items and not problems:
        problems.append(Problem(str(path), 1, "", "holds no line but its header", "a line a SIM"))
    if problems:
        shown = problems[:PROBLEMS_SHOWN]
        if more := len(problems) - len(shown):
            shown.append(Problem(str(path), shown[-1].line, "", f"... and {more:,} problems more"))
        raise ConfigurationError(shown)
    return items


def _header(path: Path, names: list[str], problems: list[Problem]) -> list[str]:
    """The columns; none where the rest cannot be read by them."""
    columns = [name.strip().lower() for name in names]
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        what, instead = "the columns are not divided by commas", "write it like iccid,imei"
        problems.append(Problem(str(path), 1, "", what, instead))
        return []
    for position, name in enumerate(columns):
        if name not in COLUMNS:
            what = name or f"column {position + 1}"
            problems.append(Problem(str(path), 1, what, "unknown column", nearest(name, COLUMNS)))
        elif name in columns[:position]:
            problems.append(Problem(str(path), 1, name, "is there twice"))
    for name in NEEDED:
        if name not in columns:
            problems.append(Problem(str(path), 1, name, "this column is missing", "the header needs iccid,imei"))
    return [] if problems else columns


def _item(
    path: Path, columns: list[str], row: list[str], line: int, now: int, problems: list[Problem]
) -> dict[str, Any]:
    item: dict[str, Any] = {"line": line}
    if len(row) != len(columns):
        what = f"has {len(row)} fields, the header has {len(columns)}"
        problems.append(Problem(str(path), line, "", what))
        return item
    for name, text in zip(columns, row, strict=True):
        if not text.strip():
            if name in NEEDED:
                problems.append(Problem(str(path), line, name, "is empty", EXPECTED[name]))
            continue
        try:
            item[name] = PARSERS[name](text, now)
        except (IdentityError, ValueError, OverflowError) as error:
            problems.append(Problem(str(path), line, name, f"{text.strip()[:40]!r}: {error}", EXPECTED[name]))
    return item


PARSERS: dict[str, Callable[[str, int], str]] = {
    "iccid": lambda text, now: Iccid.parse(text).text,
    "imei": lambda text, now: Imei.parse(text).text,
    "from": lambda text, now: when(parse_coming(text, now)),
    "until": lambda text, now: when(parse_coming(text, now)),
}
EXPECTED = {
    "iccid": "the digits on the card, like 8900101000000000019", "imei": "14 to 16 digits, like 35000001000001",
    "from": "2026-11-23T14:05:00Z, or empty", "until": "2026-11-23T18:00:00Z, or empty",
}  # fmt: skip
