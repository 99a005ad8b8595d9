"""A file of call detail records as batches, in constant memory: CSV with a header or JSON lines, also compressed.

A line that cannot be read costs that line: it is handed on with its number and the reason.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from simward.errors import UsageError
from simward.wire.cdr.columns import FINE, REASONS, Columns
from simward.wire.cdr.template import CSV, Template

BATCH_ROWS = 65_536
BLOCK_OCTETS = 4 << 20
LINE_OCTETS_MAX = 1 << 20
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
NO_OBJECT, NO_CSV = "no JSON object", "no CSV: a quotation mark is missing"


@dataclass(frozen=True)
class Rejected:
    """A line that tells nothing that can be relied on."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Batch:
    """What some lines said: RECORD rows, how many lines were ignored on purpose, and which were rejected."""

    records: np.ndarray
    ignored: int
    rejected: list[Rejected]


class RecordFile:
    """One file. `octets_read` says how far it has come (of the compressed file), `lines` how many it gave.

    `oldest` and `newest` are the times (us UTC) between which a record may be.
    """

    def __init__(self, path: Path, template: Template, oldest: int, newest: int) -> None:
        self.path, self.template = path, template
        self.octets_read = self.lines = 0
        self._sha256 = hashlib.sha256()
        self._columns = Columns(template, oldest, newest)
        self._names: list[str] = []

    @property
    def digest_read(self) -> str:
        """SHA-256 of what was read; of the whole file, as it was then, once all batches were taken."""
        return self._sha256.hexdigest()

    def batches(self) -> Iterator[Batch]:
        """All of it, in order. UsageError where it is no such file, or ends before its end."""
        try:
            with open(self.path, "rb") as file:
                source: Any = _Counting(file, self)
                compression = COMPRESSIONS.get(self.path.suffix.lower())
                if compression:
                    source = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), compression)
                read = self._of_csv if self.template.format == CSV else self._of_json
                for first, lines in self._blocks(source):
                    if self.template.format == CSV and not self._names:
                        self._names = self._header(lines.pop(0))
                        first += 1
                    yield read(first, lines)
                    self.lines = first + len(lines) - 1
        except (pa.ArrowException, OSError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"{self.path} cannot be read to its end: {said}") from None

    def _blocks(self, source: Any) -> Iterator[tuple[int, list[bytes]]]:
        """(number of the first line, whole lines), at most BATCH_ROWS of them at a time."""
        rest, number = b"", 1
        while True:
            chunk = source.read(BLOCK_OCTETS)
            cut = chunk.rfind(b"\n") + 1
            if chunk and not cut:
                rest += chunk
                if len(rest) > LINE_OCTETS_MAX + BLOCK_OCTETS:
                    raise UsageError(f"{self.path} has a line of more than a megabyte")
                continue
            lines = (rest + chunk[:cut]).split(b"\n")
            if not lines[-1]:
                lines.pop()
            rest = chunk[cut:]
            for at in range(0, len(lines), BATCH_ROWS):
                part = lines[at : at + BATCH_ROWS]
                yield number, part
                number += len(part)
            if not chunk:
                return

    def _header(self, line: bytes) -> list[str]:
        names = next(csv.reader([line.decode("utf-8-sig", "replace").strip()], delimiter=self.template.delimiter), [])
        wanted = set(self.template.columns.values())
        missing = sorted(wanted - set(names))
        if missing:
            raise UsageError(
                f"{self.path} has no column {', '.join(missing)}: is template {self.template.name} of another operator?"
            )
        twice = sorted(name for name in wanted if names.count(name) > 1)
        if twice:
            raise UsageError(f"{self.path} has more than one column {', '.join(twice)}")
        return names

    def _of_csv(self, first: int, lines: list[bytes]) -> Batch:
        kept = [at for at, line in enumerate(lines) if line.strip()]
        said = [lines[at] for at in kept]
        table = self._whole(said)
        if table is None or table.num_rows != len(said):
            return self._line_by_line(first, lines)
        return self._batch(table, first, lines, kept, {})

    def _whole(self, lines: list[bytes]) -> Any:
        """Lines as a table in one go; None where one of them is not like the others."""
        wanted = list(dict.fromkeys(self.template.columns.values()))
        octets = b"\n".join(lines) + b"\n"
        if b"\r" in octets and b"\r" in octets.replace(b"\r\n", b"\n"):
            return None  # Arrow would begin another row there, and the count of rows would say nothing
        try:
            return pa_csv.read_csv(
                pa.BufferReader(octets),
                pa_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(octets) + 1),
                pa_csv.ParseOptions(delimiter=self.template.delimiter),
                pa_csv.ConvertOptions(
                    include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid:
            return None

    def _line_by_line(self, first: int, lines: list[bytes]) -> Batch:
        wrong: dict[int, str] = {}
        kept: list[int] = []
        rows: list[list[str]] = []
        for at, line in enumerate(lines):
            text = line.decode("utf-8", "replace").rstrip("\r")
            if not text.strip():
                continue
            try:
                values = next(csv.reader([text], delimiter=self.template.delimiter, strict=True))
            except csv.Error:
                wrong[at] = NO_CSV
                continue
            if len(values) != len(self._names):
                wrong[at] = f"{len(values)} values under {len(self._names)} columns"
                continue
            kept.append(at)
            rows.append(values)
        columns = {
            name: pa.array([row[self._names.index(name)] for row in rows], pa.string())
            for name in set(self.template.columns.values())
        }
        return self._batch(pa.table(columns), first, lines, kept, wrong)

    def _of_json(self, first: int, lines: list[bytes]) -> Batch:
        wrong: dict[int, str] = {}
        kept: list[int] = []
        columns: dict[str, list[str]] = {name: [] for name in self.template.columns.values()}
        wanted = [(name, name.split(".") if "." in name else None, column) for name, column in columns.items()]
        for at, line in enumerate(lines):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                wrong[at] = NO_OBJECT
                continue
            kept.append(at)
            for name, path, column in wanted:
                value = row.get(name)
                if value is None and path is not None:
                    value = _inside(row, path)
                column.append(value if isinstance(value, str) else _as_text(value))
        table = pa.table({name: _texts(values) for name, values in columns.items()})
        return self._batch(table, first, lines, kept, wrong)

    def _batch(self, table: Any, first: int, lines: list[bytes], kept: list[int], wrong: dict[int, str]) -> Batch:
        made, ignored, odd = self._columns.records(table)
        for at in np.flatnonzero((odd != FINE) & ~ignored).tolist():
            wrong[kept[at]] = REASONS[int(odd[at])]
        rejected = [
            Rejected(first + at, reason, lines[at].decode("utf-8", "replace").rstrip("\r"))
            for at, reason in sorted(wrong.items())
        ]
        return Batch(made[(odd == FINE) & ~ignored], int(np.count_nonzero(ignored)), rejected)


def _inside(row: Any, path: list[str]) -> Any:
    """What keys inside keys lead to; None where they do not."""
    for key in path:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def _as_text(value: Any) -> str:
    """What is no text, as one; empty where nothing is said."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _texts(values: list[str]) -> Any:
    try:
        return pa.array(values, pa.large_string())
    except UnicodeEncodeError:  # a lone surrogate, which JSON can write, is no text
        return pa.array([one.encode("utf-8", "replace").decode() for one in values], pa.large_string())


class _Counting:
    """A file that says how far it was read."""

    closed = False

    def __init__(self, file: BinaryIO, owner: RecordFile) -> None:
        self._file, self._owner = file, owner

    def read(self, count: int = -1) -> bytes:
        octets = self._file.read(count)
        self._owner.octets_read += len(octets)
        self._owner._sha256.update(octets)
        return octets

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
