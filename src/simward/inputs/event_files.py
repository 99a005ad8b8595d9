"""Files of events (CSV, JSON lines, Parquet) as batches of EVENT, in constant memory; mistakes are named exactly."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from simward.engine.texts import Texts
from simward.errors import ConfigurationError, Problem, UsageError, nearest
from simward.inputs.event_columns import IGNORED, TIMES, Table, WrongValue, all_columns, is_by_value
from simward.inputs.packed import COMPRESSIONS, Counted, unpacked

BATCH_ROWS = 65_536
TEXT_FORMS = ("digits", "imeis", "addresses", "texts", "octets", "hexadecimal")
"""Columns whose values are texts also where they look like a number or a time."""
BLOCK_OCTETS = 4 << 20
CSV_BLOCK_OCTETS = 1 << 20
"""Arrow reads up to 32 blocks ahead."""
LINE_OCTETS_MAX = 1 << 20
OPENED_MAX = 64
"""How many brackets a line may open for Arrow, which recurses without a bound, to be given it."""
OTHERS = "records of sessions that another system wrote become events with `simward convert FILE --into study`"
"""What is said of a file that is none of events: most likely somebody tries records of his own."""
SHOWN_MAX = 120
"""How much of a wrong value an error repeats."""
SUFFIXES = (".csv", ".jsonl", ".ndjson", ".json", ".parquet")


def suffix_of(path: Path) -> str:
    """What a file holds, by its name without what it is packed in: one of SUFFIXES, or something else."""
    name = path.name.lower()
    for packed in COMPRESSIONS:  # Parquet packs its own pages
        if name.removesuffix(packed).endswith(SUFFIXES[:-1]):
            name = name.removesuffix(packed)
    return Path(name).suffix


class EventFile:
    """One file of events, read by its suffix. `octets_read` says how far it has come, `rows` how many it gave."""

    def __init__(self, path: Path, texts: Texts, number: int = 0) -> None:
        self.path = path
        self.rows = 0
        self._counted: Counted | None = None
        self._reckoned = 0
        self._texts = texts
        self._requests_from = (number + 1) << 40  # names of requests that no other input gives

    @property
    def octets_read(self) -> int:
        """How far it was read, of the packed file; of Parquet, which is read by columns, by its rows."""
        return self._counted.octets_read if self._counted else self._reckoned

    def events(self) -> Iterator[np.ndarray]:
        """EVENT rows, a batch at a time, ordered by `received_at` within it.

        ConfigurationError names file, line, column and what would be right; UsageError where this is no such file.
        """
        suffix = suffix_of(self.path)
        read = self._parquet if suffix == ".parquet" else self._csv if suffix == ".csv" else self._json
        for events in read():
            self.rows += len(events)
            at = events["received_at"]
            if np.any(at[1:] < at[:-1]):
                events = events[np.argsort(at, kind="stable")]
            if len(events):
                yield events

    def _table(self, names: Sequence[str]) -> Table:
        """What reads these columns; ConfigurationError where one is not known, there twice, or missing."""
        known, problems = all_columns(), []
        if "kind" not in names and any(name not in known and name not in IGNORED for name in names):
            what = "no such column, and each row of a file of events says what happened"
            raise ConfigurationError([Problem(str(self.path), 1, "kind", what, OTHERS)])
        for name in names:
            if name not in known and name not in IGNORED:
                problems.append(Problem(str(self.path), 1, name, "no such column", nearest(name, known)))
            elif list(names).count(name) > 1:
                problems.append(Problem(str(self.path), 1, name, "there twice"))
        if not set(names) & set(TIMES):
            problems.append(Problem(str(self.path), 1, "received_at", "is missing", "when each event was received"))
        if "kind" not in names:
            problems.append(Problem(str(self.path), 1, "kind", "is missing", "what each event is"))
        if problems:
            raise ConfigurationError(problems)
        return Table(list(names), self._texts, self._requests_from)

    def _wrong(self, line: int, error: WrongValue) -> ConfigurationError:
        said = repr(error.value) if len(repr(error.value)) <= SHOWN_MAX else f"{repr(error.value)[:SHOWN_MAX]} ..."
        what = f"{said} is wrong" if error.value not in ("", None) else error.what
        instead = error.what if error.value not in ("", None) else ""
        return ConfigurationError([Problem(str(self.path), line, error.column, what, instead)])

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """What the file says, unpacked. UsageError where it cannot be read to its end."""
        with open(self.path, "rb") as file:
            self._counted = Counted(file)
            source = unpacked(self._counted, self.path)
            try:
                yield source if source is self._counted else io.BufferedReader(source)
            except OSError as error:
                raise UsageError(f"{self.path} cannot be read to its end: {_first_line(error)}") from None

    # CSV

    def _csv(self) -> Iterator[np.ndarray]:
        names = self._header()
        table = self._table(names)
        line, bad = 2, []

        def invalid(row: Any) -> str:
            bad.append((row.number, row.expected_columns, row.actual_columns))
            return "error"

        text = pa.string()
        try:
            with self._opened() as file, pa_csv.open_csv(
                file,
                pa_csv.ReadOptions(block_size=CSV_BLOCK_OCTETS, use_threads=False),
                pa_csv.ParseOptions(newlines_in_values=False, invalid_row_handler=invalid, ignore_empty_lines=False),
                pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, text), null_values=[""], strings_can_be_null=True
                ),
            ) as reader:
                for batch in reader:
                    try:
                        yield table.events(batch)
                    except WrongValue as error:
                        raise self._wrong(line + error.row, error) from None
                    line += batch.num_rows
        except pa.ArrowInvalid as error:
            if bad:
                number, expected, found = bad[0]
                what = f"{found} values under {expected} columns"
                raise ConfigurationError([Problem(str(self.path), number or line, "", what)]) from None
            raise ConfigurationError([Problem(str(self.path), line, "", f"not CSV: {_first_line(error)}")]) from None

    def _header(self) -> list[str]:
        with self._opened() as file:
            first = file.readline(LINE_OCTETS_MAX)
        self._counted = None
        try:
            names = next(csv.reader([first.decode("utf-8-sig").rstrip("\r\n")]), [])
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} is no CSV: its first line is no text") from None
        if not names:
            raise UsageError(f"{self.path} is empty: its first line should name the columns")
        return names

    # JSON lines

    def _json(self) -> Iterator[np.ndarray]:
        tables: dict[tuple[str, ...], Table] = {}
        line = 1
        with self._opened() as file:
            for block in self._blocks(file):
                read = self._read_json(block, line)
                names = tuple(read.column_names)
                if names not in tables:  # blocks may have different keys: what is missing was not reported
                    tables[names] = self._table(names)
                    if len(tables) > 64:
                        tables.pop(next(iter(tables)))
                try:
                    for start in range(0, read.num_rows, BATCH_ROWS):
                        at = start
                        yield tables[names].events(read.slice(start, BATCH_ROWS))
                except WrongValue as error:
                    raise self._wrong(self._line_of(block, line, at + error.row), error) from None
                line += block.count(b"\n")

    def _blocks(self, file: Any) -> Iterator[bytes]:
        """Whole lines, some megabytes at a time."""
        rest = b""
        while chunk := file.read(BLOCK_OCTETS):
            cut = chunk.rfind(b"\n") + 1
            if not cut and len(rest) + len(chunk) > BLOCK_OCTETS + LINE_OCTETS_MAX:
                raise UsageError(f"{self.path} has a line of more than a megabyte: write one event a line")
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
        if rest.strip():
            yield rest + b"\n"

    def _read_json(self, block: bytes, line: int) -> Any:
        options = pa_json.ReadOptions(use_threads=False, block_size=max(len(block), 1))
        try:
            if not _is_shallow(block):
                raise pa.ArrowInvalid
            texts = pa.schema([(name, pa.string()) for name, one in all_columns().items() if one.fast in TEXT_FORMS])
            found = pa_json.read_json(pa.BufferReader(block), options, pa_json.ParseOptions(explicit_schema=texts))
            return found.select([one for one in found.column_names if found[one].null_count < found.num_rows])
        except pa.ArrowInvalid:
            pass
        rows: list[dict[str, Any]] = []  # not of one type from line to line, or wrong: look at each
        for number, text in enumerate(block.splitlines()):
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except ValueError as error:
                what = f"not JSON: {error}"
                problem = Problem(str(self.path), line + number, "", what, OTHERS if line + number == 1 else "")
                raise ConfigurationError([problem]) from None
            except RecursionError:
                problem = Problem(str(self.path), line + number, "", "too deeply nested", "one value a key")
                raise ConfigurationError([problem]) from None
            if not isinstance(row, dict):
                raise ConfigurationError([Problem(str(self.path), line + number, "", "not an object", "{...} a line")])
            rows.append(row)
        names = list(dict.fromkeys(name for row in rows for name in row))
        said = {name: pa.array([_as_text(row.get(name)) for row in rows], pa.string()) for name in names}
        return pa.table(said)

    def _line_of(self, block: bytes, line: int, row: int) -> int:
        """The line of the row-th object of a block: empty lines count, and hold none."""
        for number, text in enumerate(block.splitlines()):
            row -= bool(text.strip())
            if row < 0:
                return line + number
        return line

    # Parquet

    def _parquet(self) -> Iterator[np.ndarray]:
        try:
            # What is read by value comes with its values numbered, as most files have them.
            numbered, known = [], all_columns()
            for column in pq.read_schema(self.path):
                if pa.types.is_string(column.type) and column.name in known and is_by_value(known[column.name]):
                    numbered.append(column.name)
            file = pq.ParquetFile(self.path, memory_map=False, pre_buffer=False, read_dictionary=numbered)
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{self.path} is no Parquet file: {_first_line(error)}") from None
        with file:
            if "sequence" in file.schema_arrow.names:
                raise UsageError(
                    f"{self.path} is a file of a history: `simward --dir DIR replay history` reads all of it"
                )
            table, row = self._table(file.schema_arrow.names), 1
            size = self.path.stat().st_size
            try:
                for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                    try:
                        yield table.events(batch)
                    except WrongValue as error:
                        raise self._wrong(row + error.row, error) from None
                    row += batch.num_rows
                    self._reckoned = size * (row - 1) // max(1, file.metadata.num_rows)
            except (pa.ArrowException, OSError) as error:
                raise UsageError(f"{self.path} cannot be read: {_first_line(error)}") from None


def _is_shallow(block: bytes) -> bool:
    """Is every line an object by itself that cannot be deeply nested?

    No object goes on in the next line where each begins with { and ends with }: after } there would have to be a comma.
    """
    for line in block.splitlines():
        text = line.strip()
        if text and (text[0] != 123 or text[-1] != 125 or text.count(b"{") + text.count(b"[") > OPENED_MAX):
            return False
    return True


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
