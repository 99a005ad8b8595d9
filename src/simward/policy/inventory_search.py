"""Finds lines of an inventory by the words in them: a label, an EID, which nothing but the file knows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

AT_ONCE_OCTETS = 1 << 22
"""What is read at once: the file is gone through, not loaded."""
LINES_MOST = 1000
"""Lines that hold the words somewhere, and are looked at for where; a word that more of them hold names nothing."""


def lines_with(path: Path, words: str, columns: Sequence[str], limit: int) -> list[dict[str, str]]:
    """The first lines, `limit` at most, of which one of these columns holds `words`, in upper or lower case; by column.

    Empty where there is no such file, or no such line.
    """
    found: dict[str, dict[str, str]] = {}
    # As it was typed, and as it is mostly written: to fold the case of a file of a million lines takes seconds.
    for spelled in dict.fromkeys((words, words.lower(), words.upper(), words.capitalize(), words.title())):
        for line in _with(path, spelled):
            if any(words.casefold() in line.get(name, "").casefold() for name in columns):
                found.setdefault(line.get("imsi", ""), line)
            if len(found) >= limit:
                return list(found.values())
    return list(found.values())


def _with(path: Path, words: str) -> Iterator[dict[str, str]]:
    """Lines that hold just these words, by column."""
    wanted, left = words.encode(), LINES_MOST
    try:
        with path.open("rb") as file:
            names = [name.strip().lower() for name in _fields(file.readline().decode("utf-8-sig", "replace"))]
            while octets := file.read(AT_ONCE_OCTETS):
                octets += file.readline()
                at = octets.find(wanted)
                while at >= 0 and left:
                    start, end = octets.rfind(b"\n", 0, at) + 1, octets.find(b"\n", at)
                    end = end if end >= 0 else len(octets)
                    yield dict(zip(names, _fields(octets[start:end].decode("utf-8", "replace")), strict=False))
                    left -= 1
                    at = octets.find(wanted, end)
                if not left:
                    return
    except OSError:
        return


def _fields(line: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")]), [])
