"""Opening a file of records of whatever form: CSV with any separator, JSON, Parquet; compressed; with or without names.

What a file is called matters little: what it begins with says what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from simward.errors import ConfigurationError, Problem, UsageError
from simward.inputs.foreign import statements as sql
from simward.inputs.foreign.choosing import DAY, is_spoilt
from simward.inputs.foreign.mapping import Mapping
from simward.inputs.foreign.names import usual
from simward.inputs.foreign.spreadsheet import is_spreadsheet, write_csv
from simward.inputs.packed import COMPRESSIONS

SAMPLE_ROWS = 2000
"""Rows that are looked at to tell what columns hold."""
PEEKED_OCTETS = 262_144
SHOWN = 12
FOREIGN = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet: save it as CSV first", b"BZh": "packed with bzip2: unpack it first",
    b"\xfd7zX": "packed with xz: unpack it first", b"7z\xbc\xaf": "a 7-Zip archive: unpack it first",
}  # fmt: skip
JSON_DEEP_MOST = 4
LINES_LOOKED_AT = 50
SEPARATED = re.compile(r"[,;|\t]")
NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass
class Source:
    """What reads a file (SQL), and how each of its columns is taken from a row."""

    given: str
    columns: dict[str, str]
    is_csv: bool = False
    sample: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What is to be said of how it is read."""


def opened(connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, beside: Path) -> Source:
    """Find out what the file is; what has to be made of it first is written to the folder `beside`.

    UsageError where it is nothing that is read, ConfigurationError without names.
    """
    notes: list[str] = []
    readable = path
    if is_spreadsheet(path):
        readable = beside / f"{path.stem}.csv"
        sheet, *others = write_csv(path, readable)
        notes = [f"{path}: of its sheets, {sheet!r} is taken, and {len(others)} more are not"] if others else []
    begins = _begins(readable)
    file = sql.text(str(readable))
    if begins[:4] == b"PAR1":
        given = f"read_parquet({file})"
        described = connection.execute(f"DESCRIBE SELECT * FROM {given}").fetchall()
        source = Source(given, dict(_fields(connection, given, described)))
    elif begins.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        source = _json(connection, file, begins, str(path))
    else:
        source = _csv(connection, file, begins, mapping, str(path))
    source.sample, source.notes = _sample(connection, source, mapping), notes
    return source


def _fields(
    connection: duckdb.DuckDBPyConnection, given: str, described: list[Any], before: str = "", spelled: str = ""
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """The columns, and the fields inside those that have some."""
    for name, kind, *_ in described:
        taken = f"{before}{sql.name(name)}"
        if str(kind).startswith("STRUCT") and not str(kind).endswith("[]"):
            inner = connection.execute(f"DESCRIBE SELECT unnest({taken}) FROM {given}").fetchall()
            yield from _fields(connection, given, inner, f"{taken}.", f"{spelled}{name}.")
        else:
            yield f"{spelled}{name}", taken


def _begins(path: Path) -> bytes:
    compression = next((COMPRESSIONS[one.lower()] for one in path.suffixes if one.lower() in COMPRESSIONS), None)
    try:
        with pa.input_stream(str(path), compression=compression) as file:
            begins = bytes(file.read(PEEKED_OCTETS))
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    for magic, what in FOREIGN.items():
        if begins.startswith(magic):
            raise UsageError(f"{path} is {what}")
    if begins.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        raise UsageError(f"{path} is compressed, and does not say so: call it {path}.gz or {path}.zst")
    if not begins.strip():
        raise UsageError(f"{path} is empty")
    return begins


def _json(connection: duckdb.DuckDBPyConnection, file: str, begins: bytes, path: str) -> Source:
    """Objects one a line, one after another over several lines, or as one array."""
    start = begins.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"[":
        form = "array"
    else:
        try:
            json.loads(start.splitlines()[0])
            form = "newline_delimited"
        except ValueError:
            form = "unstructured"
    given = f"read_json_objects({file}, format = '{form}'"
    given += ", ignore_errors = true)" if form == "newline_delimited" else ")"
    paths: dict[str, tuple[str, ...]] = {}
    some = connection.execute(f"SELECT json FROM {given} LIMIT {SAMPLE_ROWS}").fetchall()
    objects = [json.loads(text) for (text,) in some]
    for one in objects:
        for way in _paths(one):
            paths.setdefault(".".join(way), way)
    alone = objects[0] if len(objects) == 1 and isinstance(objects[0], dict) else {}
    inside = [key for key, one in alone.items() if isinstance(one, list) and one and isinstance(one[0], dict)]
    if inside:
        raise UsageError(f"{path}: the records are inside {inside[0]!r}; take them out: jq '.{inside[0]}[]' {path}")
    taken = {
        name: f"json_extract_string(json, {sql.text('$' + ''.join(json_key(one) for one in way))})"
        for name, way in paths.items()
    }
    return Source(given, taken)


def json_key(key: str) -> str:
    """A key as JSON paths write it."""
    return '."' + key.replace('"', '\\"') + '"'


def _paths(value: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The ways to the values of an object; of lists nothing is taken."""
    for key, one in value.items() if isinstance(value, dict) else ():
        if isinstance(one, dict) and len(before) < JSON_DEEP_MOST:
            yield from _paths(one, (*before, key))
        elif not isinstance(one, (dict, list)):
            yield (*before, key)


def _csv(connection: duckdb.DuckDBPyConnection, file: str, begins: bytes, mapping: Mapping, path: str) -> Source:
    encoding = _encoding(begins)
    options = ["all_varchar = true", "null_padding = true", f"encoding = {sql.text(encoding)}"]
    if skipped := _before_names(begins.decode(encoding, "replace")):
        options.append(f"skip = {skipped}")
    if mapping.separator:
        options.append(f"delim = {sql.text(mapping.separator)}")
    shared = ", ".join(options)
    begun = f"SELECT * FROM read_csv({file}, {shared}, header = false) LIMIT 1"
    first: tuple[Any, ...] = connection.execute(begun).fetchone() or ()
    if len(first) == 1 and " " in str(first[0]).strip() and not mapping.separator:
        return _csv(connection, file, begins, replace(mapping, separator=" "), path)
    header = mapping.header
    if header is None:
        header = not is_record([str(one or "") for one in first])
    given = f"read_csv({file}, {shared}, header = {str(header).lower()}, store_rejects = true)"
    described = connection.execute(f"DESCRIBE SELECT * FROM {given}").fetchall()
    if header:
        return Source(given, {one[0]: sql.name(one[0]) for one in described}, is_csv=True)
    if not mapping.columns:
        there = ", ".join(f"{place} ({value})" for place, value in enumerate(first[:SHOWN], 1))
        more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
        instead = f"say which column is which: --column subscription=1 --column began_at=2 ...; there are {there}{more}"
        raise ConfigurationError([Problem(path, 1, "", "the first line is a record and names no columns", instead)])
    return Source(given, {str(place): sql.name(one[0]) for place, one in enumerate(described, 1)}, is_csv=True)


def _before_names(text: str) -> int:
    """Lines of titles and remarks before the line that names the columns; 0 where none does."""
    for number, line in enumerate(text.splitlines()[:LINES_LOOKED_AT]):
        fields = [one.strip(' "') for one in SEPARATED.split(line)]
        holds_values = any(NUMBER.fullmatch(one) or DAY.match(one) for one in fields if len(one) > 1)
        if sum(bool(usual(one)[0]) for one in fields) >= 2 and not holds_values:
            return number
    return 0


def _encoding(begins: bytes) -> str:
    if begins[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        begins[: max(len(begins) - 4, 4)].decode("utf-8")  # the last character may be cut
    except UnicodeDecodeError as error:
        if error.start < len(begins) - 8:
            return "latin-1"
    return "utf-8"


def is_record(first: list[str]) -> bool:
    """Does the first line hold values? Names of columns are seldom numbers or days."""
    if any(usual(one)[0] for one in first):
        return False
    return any(NUMBER.fullmatch(one) or DAY.match(one) or is_spoilt(one) for one in first if len(one) > 1)


def _sample(connection: duckdb.DuckDBPyConnection, source: Source, mapping: Mapping) -> dict[str, list[str]]:
    """Some values of each column, without those that say nothing."""
    if not source.columns:
        return {}
    chosen = ", ".join(f"trim(CAST({one} AS VARCHAR), ' ''\t')" for one in source.columns.values())
    rows = connection.execute(f"SELECT {chosen} FROM {source.given} LIMIT {SAMPLE_ROWS}").fetchall()
    values = zip(*rows) if rows else ([] for _ in source.columns)
    return {
        name: [one for one in column if one is not None and one.lower() not in mapping.absent]
        for name, column in zip(source.columns, values)
    }
