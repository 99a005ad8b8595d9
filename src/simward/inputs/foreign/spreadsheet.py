"""The first sheet of a spreadsheet (Office Open XML, .xlsx) as CSV: data sets are published so, too."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from simward.errors import UsageError

BOOK, RELATIONS, SHARED = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
SHARED_OCTETS_MAX = 1 << 30
"""Texts that cells share are held in memory: so many octets of XML at most."""
SHEET_OCTETS_MAX = 64 << 30
COLUMNS_MAX = 16_384
"""Of Excel, too."""
PLACE = re.compile(r"([A-Z]{1,3})[0-9]+")


def is_spreadsheet(path: Path) -> bool:
    """Is it a workbook of Office Open XML (ECMA-376)?"""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as file:
        return BOOK in file.namelist()


def write_csv(path: Path, to: Path) -> list[str]:
    """Write the first sheet to a file, rows as they are; gives the names of all sheets.

    Numbers stay as they are kept: days are counted from 1899-12-30. UsageError where the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as file, to.open("w", encoding="utf-8", newline="") as out:
            names, sheet = _sheets(file)
            shared = _shared(file, path)
            if file.getinfo(sheet).file_size > SHEET_OCTETS_MAX:
                raise UsageError(f"{path} holds more than {SHEET_OCTETS_MAX >> 30} GB: save it as CSV")
            with file.open(sheet) as cells:
                csv.writer(out, lineterminator="\n").writerows(_rows(cells, shared))
            return names
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, IndexError, ValueError, OSError, EOFError) as error:
        raise UsageError(f"{path} is no spreadsheet that can be read ({error}): save it as CSV") from None


def _local(tag: str) -> str:
    """A tag without its namespace: there is a strict and a transitional one."""
    return tag.rpartition("}")[2]


def _attribute(element: ElementTree.Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if _local(key) == name), "")


def _sheets(file: zipfile.ZipFile) -> tuple[list[str], str]:
    """What the sheets are called, and where the first is."""
    book = ElementTree.fromstring(file.read(BOOK))
    sheets = [one for one in book.iter() if _local(one.tag) == "sheet"]
    targets = {one.get("Id", ""): one.get("Target", "") for one in ElementTree.fromstring(file.read(RELATIONS))}
    target = targets[next(value for key, value in sheets[0].attrib.items() if key.endswith("}id"))]
    place = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return [_attribute(one, "name") for one in sheets], place


def _shared(file: zipfile.ZipFile, path: Path) -> list[str]:
    if SHARED not in file.namelist():
        return []
    if file.getinfo(SHARED).file_size > SHARED_OCTETS_MAX:
        raise UsageError(f"{path} holds more than {SHARED_OCTETS_MAX >> 30} GB of texts: save it as CSV")
    with file.open(SHARED) as texts:
        return [_text(one) for one in _each(texts, "si")]


def _each(file: IO[bytes], wanted: str) -> Iterator[ElementTree.Element]:
    """Each element of that name, which is forgotten when the next is asked for."""
    inside: list[ElementTree.Element] = []
    for event, element in ElementTree.iterparse(file, ("start", "end")):
        if event == "start":
            inside.append(element)
            continue
        inside.pop()
        if _local(element.tag) == wanted:
            yield element
            inside[-1].clear()


def _text(element: ElementTree.Element) -> str:
    """A text, of runs of letters that look different; not how it is pronounced (`rPh`)."""
    runs = [one for one in element if _local(one.tag) in ("t", "r")]
    return "".join(part.text or "" for run in runs for part in run.iter() if _local(part.tag) == "t")


def _rows(file: IO[bytes], shared: list[str]) -> Iterator[list[str]]:
    for row in _each(file, "row"):
        values: list[str] = []
        for cell in row:
            place = PLACE.fullmatch(cell.get("r", ""))
            at = _column(place[1]) if place else len(values)
            if at >= COLUMNS_MAX:
                raise ValueError(f"a cell in column {at}")
            values.extend([""] * (at - len(values)))
            values.append(_value(cell, shared))
        if any(values):
            yield values


def _column(letters: str) -> int:
    number = 0
    for one in letters:
        number = number * 26 + ord(one) - ord("A") + 1
    return number - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "e":
        return ""
    for one in cell:
        name = _local(one.tag)
        if name == "is":
            return _text(one)
        if name == "v":
            return shared[int(one.text or "")] if kind == "s" else one.text or ""
    return ""
