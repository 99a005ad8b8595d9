"""A file of call detail records as batches, in constant memory: CSV or JSON, also compressed.

A line that cannot be read costs that line: it is handed on with its number and the reason.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from simward.errors import UsageError
from simward.inputs.record_documents import Document
from simward.inputs.record_octets import Hashed, Plain
from simward.wire.cdr.columns import FINE, REASONS, Columns
from simward.wire.cdr.template import CSV, JSON, Template

BATCH_ROWS = 65_536
OBJECTS_MOST = 4_096
"""So many objects are there at a time: Python's collector goes through all of them again and again."""
LINE_OCTETS_MAX = 1 << 20
ROW_LINES_MOST = 20
"""Over so many lines a row of CSV may go, where its values hold ends of lines."""
NAMES_MOST = 500
NO_OBJECT, NO_CSV = "no JSON object", "no CSV: a quotation mark is missing"
TOO_LONG = "a line of more than a megabyte"
SCAN = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # as json.loads has it, without asking what comes after


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
    """One file. `lines` says how many it gave.

    `oldest` and `newest` are the times (us UTC) between which a record may be.
    """

    def __init__(self, path: Path, template: Template, oldest: int, newest: int) -> None:
        self.path, self.template, self.lines = path, template, 0
        self._columns = Columns(template, oldest, newest)
        self._names: list[str] = []
        self._header = b""
        self._open: list[bytes] = []
        """The last lines of a block, if a quotation mark that stands in them may be closed in the next one."""
        self._counted: Hashed | None = None

    @property
    def octets_read(self) -> int:
        """How far it was read, of the compressed file."""
        return self._counted.octets_read if self._counted else 0

    @property
    def digest_read(self) -> str:
        """SHA-256 of what was read; of the whole file, as it was then, once all batches were taken."""
        return self._counted.sha256.hexdigest() if self._counted else ""

    def batches(self) -> Iterator[Batch]:
        """All of it, in order. UsageError where it is no such file, or ends before its end."""
        try:
            with open(self.path, "rb") as file:
                self._counted = Hashed(file)
                source = Plain(self._counted, self.path)
                if self.template.format == CSV:
                    yield from self._of_csv_blocks(source)
                elif self.template.format == JSON and (self.template.inside or source.begins.lstrip()[:1] == b"["):
                    yield from self._of_document(source)
                else:
                    for first, lines in self._blocks(source):
                        yield self._of_json(first, lines)
                        self.lines = first + len(lines) - 1
        except (pa.ArrowException, OSError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"{self.path} cannot be read to its end: {said}") from None

    def _blocks(self, source: Plain) -> Iterator[tuple[int, list[bytes]]]:
        """(number of the first line, whole lines), at most BATCH_ROWS of them at a time.

        Of a line that is too long there is only so much that it is still too long.
        """
        rest, number = b"", 1
        while True:
            chunk = source.read()
            cut = chunk.rfind(b"\n") + 1
            if chunk and not cut:
                rest = (rest + chunk)[: LINE_OCTETS_MAX + 1]
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

    def _of_csv_blocks(self, source: Plain) -> Iterator[Batch]:
        last = 0
        for first, lines in self._blocks(source):
            last = first + len(lines) - 1
            if not self._names:
                at = next((at for at, line in enumerate(lines) if line.strip()), None)
                if at is None:
                    continue
                self._begin(lines[at])
                at += self.template.header
                first, lines = first + at, lines[at:]
            opened, self._open = self._open, []
            yield self._of_csv(first - len(opened), opened + lines)
            self.lines = last
        if self._open:
            opened, self._open = self._open, []
            yield self._line_by_line(last - len(opened) + 1, opened, goes_on=False)

    def _begin(self, line: bytes) -> None:
        """Learn the columns' names of the first line, or how many there are."""
        try:
            said = next(csv.reader([line.decode("utf-8", "replace").rstrip("\r")], delimiter=self.template.delimiter))
        except csv.Error:
            raise UsageError(f"{self.path} begins with a line that is no CSV") from None
        names = [name.strip() for name in said]
        if not self.template.header:
            names = [str(number) for number in range(1, len(said) + 1)]
        wanted = self.template.theirs
        missing = sorted(set(wanted) - set(names))
        if missing:
            raise UsageError(
                f"{self.path} has no column {', '.join(missing)}: is template {self.template.name} of another operator?"
                f" It begins with: {', '.join(names)[:NAMES_MOST]}"
            )
        twice = sorted(name for name in wanted if names.count(name) > 1)
        if twice:
            raise UsageError(f"{self.path} has more than one column {', '.join(twice)}")
        self._names, self._header = names, line if self.template.header else b""

    def _of_csv(self, first: int, lines: list[bytes]) -> Batch:
        kept = [at for at, line in enumerate(lines) if line.strip() and line != self._header]
        said = [lines[at] for at in kept]
        table = None if any(len(line) > LINE_OCTETS_MAX for line in said) else self._whole(said)
        if table is None or table.num_rows != len(said):
            return self._line_by_line(first, lines)
        return self._batch(table, range(first, first + len(lines)), lines, kept, {})

    def _whole(self, lines: list[bytes]) -> Any:
        """Lines as a table in one go; None where one of them is not like the others."""
        wanted = self.template.theirs
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

    def _line_by_line(self, first: int, lines: list[bytes], *, goes_on: bool = True) -> Batch:
        """Each line by itself, or with those that its quotation marks reach to. `goes_on`: there may be more."""
        wrong: dict[int, str] = {}
        kept: list[int] = []
        rows: list[list[str]] = []
        at = 0
        while at < len(lines):
            here, at = at, at + 1
            if not lines[here].strip() or lines[here] == self._header:
                continue
            values, reason = self._values(lines[here])
            if reason and lines[here].count(b'"') % 2:
                reach = self._reach(lines, here)
                if reach is None and goes_on:
                    self._open, lines = lines[here:], lines[:here]
                    break
                if reach:
                    (values, reason), at = self._values(b"\n".join(lines[here:reach])), reach
            if reason:
                wrong[here] = reason
                continue
            kept.append(here)
            rows.append(values)
        columns = {
            name: pa.array([row[self._names.index(name)] for row in rows], pa.string()) for name in self.template.theirs
        }
        return self._batch(pa.table(columns), range(first, first + len(lines)), lines, kept, wrong)

    def _values(self, line: bytes) -> tuple[list[str], str]:
        """The values of a line (or of several, as one), or why there are none."""
        if len(line) > LINE_OCTETS_MAX:
            return [], TOO_LONG
        text = line.decode("utf-8", "replace").rstrip("\r")
        try:
            read = list(csv.reader(text.splitlines(keepends=True), delimiter=self.template.delimiter, strict=True))
        except csv.Error as error:
            return [], TOO_LONG if "limit" in str(error) else NO_CSV
        if len(read) != 1:
            return [], NO_CSV
        right = len(read[0]) == len(self._names)
        return read[0], "" if right else f"{len(read[0])} values under {len(self._names)} columns"

    def _reach(self, lines: list[bytes], at: int) -> int | None:
        """After which line a row ends whose quotation mark was left open at `at`; 0 if it is no row, None if unknown.

        A line that is a row by itself is never part of another one: so none is swallowed.
        """
        for end in range(at + 1, at + ROW_LINES_MOST):
            if end >= len(lines):
                return None
            odd = lines[end].count(b'"') % 2
            if not odd and not self._values(lines[end])[1]:
                return 0
            if odd:
                return 0 if self._values(b"\n".join(lines[at : end + 1]))[1] else end + 1
        return 0

    def _of_json(self, first: int, lines: list[bytes]) -> Batch:
        kept: list[int] = []
        wrong: dict[int, str] = {}
        tables = [
            self._table(self._objects(lines, begin, kept, wrong)) for begin in range(0, len(lines), OBJECTS_MOST)
        ]
        table = pa.concat_tables(tables or [self._table([])])
        return self._batch(table, range(first, first + len(lines)), lines, kept, wrong)

    def _objects(self, lines: list[bytes], begin: int, kept: list[int], wrong: dict[int, str]) -> list[Any]:
        """What OBJECTS_MOST lines say; which of them say something, and what is wrong with others, is added."""
        rows: list[Any] = []
        for at, line in enumerate(lines[begin : begin + OBJECTS_MOST], begin):
            if not line.strip():
                continue
            if len(line) > LINE_OCTETS_MAX:
                wrong[at] = TOO_LONG
                continue
            row = _object(line)
            if not isinstance(row, dict):
                wrong[at] = NO_OBJECT
                continue
            kept.append(at)
            rows.append(row)
        return rows

    def _of_document(self, source: Plain) -> Iterator[Batch]:
        """As lines are, but for where they begin."""
        found = Document(str(self.path), source.read).records(self.template.inside)
        broken: UsageError | None = None
        while True:
            numbers: list[int] = []
            texts: list[bytes] = []
            rows: list[Any] = []
            try:
                for number, text, row in islice(found, BATCH_ROWS):
                    numbers.append(number)
                    texts.append(text.encode("utf-8", "replace"))
                    rows.append(row)
            except UsageError as error:
                broken = error  # what comes before that is imported
            if rows:
                kept = [at for at, row in enumerate(rows) if isinstance(row, dict)]
                wrong = {at: NO_OBJECT for at, row in enumerate(rows) if not isinstance(row, dict)}
                yield self._batch(self._table([rows[at] for at in kept]), numbers, texts, kept, wrong)
                self.lines = numbers[-1]
            elif broken is None:
                return
            if broken is not None:
                raise broken

    def _table(self, rows: list[Any]) -> Any:
        """What is wanted of objects, as texts."""
        return pa.table({name: _texts(_column(rows, name)) for name in self.template.theirs})

    def _batch(
        self, table: Any, numbers: Sequence[int], lines: list[bytes], kept: list[int], wrong: dict[int, str]
    ) -> Batch:
        made, ignored, odd = self._columns.records(table)
        for at in np.flatnonzero((odd != FINE) & ~ignored).tolist():
            wrong[kept[at]] = REASONS[int(odd[at])]
        rejected = [
            Rejected(numbers[at], reason, lines[at].decode("utf-8", "replace").rstrip("\r"))
            for at, reason in sorted(wrong.items())
        ]
        return Batch(made[(odd == FINE) & ~ignored], int(np.count_nonzero(ignored)), rejected)


def _object(line: bytes) -> Any:
    """What a line of JSON is; None if it is none. As json.loads, which first asks each line for its encoding."""
    try:
        said = line.decode("utf-8", "surrogatepass").strip()
        row, end = SCAN(said, 0)
    except (ValueError, StopIteration, RecursionError):
        return None
    return row if end == len(said) else None


def _column(rows: list[Any], name: str) -> list[str]:
    """What stands under a name in each object, or under keys inside keys where the name has dots.

    Column by column, since this is most of what an import takes.
    """
    values = [row.get(name) for row in rows]
    if "." in name:
        inside = rows
        for key in name.split("."):
            inside = [one.get(key) if type(one) is dict else None for one in inside]
        values = [deeper if one is None else one for one, deeper in zip(values, inside, strict=True)]
    return [
        one if type(one) is str else str(one) if type(one) is int else _as_text(one) for one in values
    ]  # fmt: skip


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

