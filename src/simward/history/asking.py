"""Questions to history and journal in SQL (DuckDB): read-only, and locked to the files of the one history."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from simward import identity
from simward.engine import journal_files as files
from simward.engine import journal_reader as reader
from simward.engine.events import EVENT
from simward.engine.journal import row_outputs
from simward.engine.outputs import OUTPUT
from simward.engine.tables import LIFECYCLE, InventoryDelta
from simward.engine.words import FINDING_KEYS, Findings, Lexicon
from simward.errors import UsageError
from simward.history import columns
from simward.history.base import Base
from simward.history.keeping import as_segment
from simward.history.unit import Unit, events_name, outputs_name, unit_numbers
from simward.history.views import events_view, outputs_view
from simward.history.whole import WholeJournal

MEMORY = "2GB"
FINDINGS_MAX = 1_000_000
FETCH_ROWS = 4096


class Answer(NamedTuple):
    """Column names, and the rows as they come."""

    names: list[str]
    rows: Iterator[tuple[Any, ...]]


class Narrowed(NamedTuple):
    """What is asked about at all: by time (us UTC, 0 = without an end) and by subscription (IMSIs, empty = all)."""

    since: int = 0
    until: int = 0
    imsis: tuple[int, ...] = ()


class Asking:
    """Tables `events`, `outputs`, `findings`, `subscriptions`, and `raw_events`, `raw_outputs` as they are kept.

    What is still in the journal is written to a folder of its own for as long as this is open (`with_journal`). Only a
    single SELECT is let through; it can read no other file, load nothing and set nothing.
    """

    def __init__(
        self, journal: WholeJournal, closing: ExitStack, narrowed: Narrowed, *, with_journal: bool = True
    ) -> None:
        self._journal, self._narrowed = journal, narrowed
        self._connection = duckdb.connect(":memory:", config={
            "autoload_known_extensions": "false", "autoinstall_known_extensions": "false", "memory_limit": MEMORY,
            "temp_directory": "", "python_enable_replacements": "false",
        })  # fmt: skip
        closing.callback(self._connection.close)
        self.units = [unit for unit in journal.units() if self._overlaps(unit)]
        if with_journal:
            self.units += self._unsealed(closing)
        self._allow()

    def ask(self, sql: str) -> Answer:
        """The answer to one SELECT; UsageError where it is none, or DuckDB cannot make sense of it."""
        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type not in (
                duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN,
            ):
                raise UsageError("one SELECT is answered: history is for reading")
            self._make_what_is_named(sql.lower())
            result = self._connection.execute(statements[0])
            return Answer([one[0] for one in result.description or ()], self._fetched(result))
        except duckdb.Error as error:
            raise UsageError(_plainly(error)) from None

    def _fetched(self, result: Any) -> Iterator[tuple[Any, ...]]:
        try:
            while rows := result.fetchmany(FETCH_ROWS):
                yield from rows
        except duckdb.Error as error:
            raise UsageError(_plainly(error)) from None

    def _overlaps(self, unit: Unit) -> bool:
        until = self._narrowed.until or unit.at_first
        return unit.at_last >= self._narrowed.since and unit.at_first <= until

    def _unsealed(self, closing: ExitStack) -> Iterator[Unit]:
        """The segments of the journal that are no history, written as units for the time being."""
        from simward.history.writing import write_columns

        folder = Path(tempfile.mkdtemp(prefix="simward-history-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        done = set(unit_numbers(self._journal.folder))
        for first in files.segments(self._journal.journal.folder):
            if first in done or reader.tail_of(self._journal.journal.folder, first) is None:
                continue
            (folder / str(first)).mkdir()
            with as_segment(self._journal.journal.folder, first) as segment:
                unit = write_columns(folder / str(first), segment)
            if self._overlaps(unit):
                yield unit

    def _allow(self) -> None:
        execute = self._connection.execute
        paths = {"events": [], "outputs": []}  # type: dict[str, list[str]]
        for unit in self.units:
            for layout in unit.layouts:
                paths["events"] += [str(unit.path(events_name(layout)))] if unit.has(events_name(layout)) else []
                paths["outputs"] += [str(unit.path(outputs_name(layout)))] if unit.has(outputs_name(layout)) else []
        execute("SET allowed_paths = ?", [[*paths["events"], *paths["outputs"]]])
        execute("SET enable_external_access = false")
        execute("SET VARIABLE texts = ?", [self._texts()])
        for name, dtype, at in (("events", EVENT, "received_at"), ("outputs", OUTPUT, "at")):
            self._raw(name, dtype, paths[name], at)
        execute(f"CREATE VIEW events AS SELECT {events_view()} FROM raw_events")
        execute(f"CREATE VIEW outputs AS SELECT {outputs_view()} FROM raw_outputs")

    def _raw(self, name: str, dtype: Any, paths: Sequence[str], at: str) -> None:
        """The files as one table with every column of today's layout, narrowed where it costs least."""
        extra = ((columns.SEQUENCE, pa.int64()),) if name == "events" else ()
        none = columns.schema(dtype, extra).empty_table()
        self._connection.register(f"no_{name}", none)
        source = f"SELECT * FROM no_{name}"
        if paths:
            listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
            source += f" UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name = true)"
        narrowed = self._narrowed
        wanted = [f'"{at}" >= {narrowed.since}'] if narrowed.since else []
        wanted += [f'"{at}" <= {narrowed.until}'] if narrowed.until else []
        wanted += [f"imsi IN ({', '.join(map(str, narrowed.imsis))})"] if narrowed.imsis else []
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        self._connection.execute(f"CREATE VIEW raw_{name} AS SELECT * FROM ({source}){where}")

    def _texts(self) -> list[str]:
        """Every text by its number, as far as history and journal bring them."""
        found = {0: "", 1: "(more than fit)"}
        for row in self._journal.notes():
            for number, text in row.notes.get("texts", ()):
                found[int(number)] = base64.b64decode(text).decode("utf-8", "backslashreplace")
        return [found.get(number, "") for number in range(max(found) + 1)]

    def _make_what_is_named(self, sql: str) -> None:
        """Tables that cost something are made when a question names them; then nothing can be set any more."""
        if "findings" in sql:
            self._connection.register("findings", self._findings())
        if "subscriptions" in sql:
            self._connection.register("subscriptions", self._subscriptions())
        self._connection.execute("SET lock_configuration = true")

    def _findings(self) -> Any:
        merged, lexicon = Findings(), Lexicon(self._journal.manifest)
        narrowed = self._narrowed
        for row in self._journal.rows_decided():
            lexicon.take(row)
            if row.at < narrowed.since or (narrowed.until and row.at > narrowed.until):
                continue
            for _ in merged.take(row_outputs(row, self._journal.layouts), lexicon):
                if len(merged) > FINDINGS_MAX:
                    raise UsageError(f"more than {FINDINGS_MAX:,} findings: ask about less with --since and --until")
        told = [one for one in merged if not narrowed.imsis or identity_number(one["imsi"]) in narrowed.imsis]
        texts = {key: [None if one[key] is None else str(one[key]) for one in told] for key in FINDING_KEYS}
        table = {key: pa.array(values, pa.string()) for key, values in texts.items()}
        for key in ("at", "ended_at"):
            table[key] = pa.array([_moment(value) for value in texts[key]], pa.timestamp("us"))
        return pa.table(table)

    def _subscriptions(self) -> Any:
        base = Base().and_then(self._journal.revisions(), 0, 0, b"", {})
        if base.inventory is None:
            delta, rows = None, []
        else:
            delta = InventoryDelta.from_bytes(base.inventory.inputs)
            rows = delta.upserts.tolist()
        names = delta.upserts.dtype.names if delta is not None else ()
        said = [dict(zip(names or (), row)) for row in rows]
        return pa.table({
            "imsi": pa.array([identity.imsi_text(one["imsi"]) for one in said], pa.string()),
            "iccid": pa.array([identity.iccid_text(one["iccid"]) or None for one in said], pa.string()),
            "msisdn": pa.array([identity.msisdn_text(one["msisdn"]) or None for one in said], pa.string()),
            "imei": pa.array([identity.imei_text(one["imei"]) or None for one in said], pa.string()),
            "use_case": pa.array([delta.use_cases[one["use_case"]] if delta else None for one in said], pa.string()),
            "state": pa.array([LIFECYCLE[one["state"]] for one in said], pa.string()),
        })  # fmt: skip


def identity_number(imsi: str | None) -> int:
    """An IMSI in digits as the engine keeps it; 0 for none."""
    return int("1" + imsi) if imsi else 0


def _moment(value: str | None) -> Any:
    from datetime import datetime

    return None if value is None else datetime.fromisoformat(value.removesuffix("Z"))


def _plainly(error: Exception) -> str:
    """DuckDB's message without the name of its class in front."""
    first = str(error).split("\n\n")[0]
    return first.split("Error: ", 1)[-1]
