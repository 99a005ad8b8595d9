"""Records of sessions (CSV, JSON lines, Parquet, also compressed) as a file of events, however many they are.

Sorting what does not fit into memory is a database's work: DuckDB does it, in a folder of its own beside the result.
"""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from simward import identity
from simward.errors import ConfigurationError, IdentityError, Problem, SimwardError, UsageError
from simward.inputs.foreign import doubts, times
from simward.inputs.foreign import statements as sql
from simward.inputs.foreign.choosing import NOT_USED, choose
from simward.inputs.foreign.mapping import Mapping
from simward.inputs.foreign.source import opened

MEMORY = "1GB"
THREADS = 2
ROW_GROUP_ROWS = 65_536
USE_CASE = "imported"
SELDOM_OCTETS, SELDOM_S = 100, 86_400
"""Where half of the rows moved fewer octets, or lasted longer, another unit is meant, most likely."""
BROKEN = "not as many values as there are columns"
AGAIN = "; `doubt: false` in a mapping takes them all the same"
TECHNOLOGIES = {
    "4g": "eutran", "ltea": "eutran", "lteadvanced": "eutran", "eutran": "eutran", "gprs": "geran", "edge": "geran",
    "hspa": "utran", "hsdpa": "utran", "hspa+": "utran", "wcdma": "utran", "5gnr": "nr", "5gsa": "nr", "nrsa": "nr",
    "5gnsa": "eutran", "nsa": "eutran", "lte+": "eutran", "endc": "eutran", "catm": "lte-m", "catnb1": "nb-iot",
    "nb1": "nb-iot",
}  # fmt: skip
"""What people call technologies besides the names of ours."""


@dataclass
class Converted:
    """What came of it."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """File -> ours -> theirs."""
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    """File -> ours -> the unit that it was read in."""
    unused: dict[str, list[str]] = field(default_factory=dict)
    """File -> columns that nothing was taken from."""
    rows: int = 0
    repeated: int = 0
    """Rows that say the same as another."""
    rejected: dict[str, int] = field(default_factory=dict)
    doubted_cells: int = 0
    """Cells whose coordinates cannot be right (doubts.py)."""
    far_rows: int = 0
    """Rows whose place cannot be right."""
    continued_rows: int = 0
    """Rows that go on with what others began, and cannot be where these began."""
    idle_rows: int = 0
    """Rows that moved nothing for long, which show neither place nor device."""
    unread: dict[str, int] = field(default_factory=dict)
    """Values that could not be read, where the row was kept without them: column -> how many."""
    notes: list[str] = field(default_factory=list)
    """What else is to be said of the columns."""
    subscriptions: int = 0
    devices: int = 0
    sessions_an_hour: int = 0
    """What a subscription seldom begins more of (statements.PACE)."""
    shared_devices: int = 0
    """Devices that too many subscriptions name (statements.SHARED_BY): models, or no device at all."""
    subscription_days: int = 0
    """Days (UTC) on which a subscription began something, added up over subscriptions."""
    events: int = 0
    began_at: int = 0
    ended_at: int = 0


class OutOfRoomError(SimwardError):
    """Disk or memory do not suffice for what is to be converted."""


class Conversion:
    """One run: `take` each file, then `write` the events, and what else is wanted."""

    def __init__(self, mapping: Mapping, beside: Path) -> None:
        self._mapping, self.made = mapping, Converted()
        self._unsaid: set[str] = set()
        self._folder = tempfile.TemporaryDirectory(prefix=".simward-", dir=beside)
        self._connection = duckdb.connect(
            str(Path(self._folder.name) / "records.duckdb"),
            config={"memory_limit": MEMORY, "threads": THREADS, "temp_directory": self._folder.name},
        )
        self._connection.execute(f"SET TimeZone = {sql.text(mapping.zone)}")
        names = ", ".join([
            "line BIGINT DEFAULT nextval('line')", *(f"{one} VARCHAR" for one in sql.COLUMN_NAMES),
            *(f"{one} BIGINT" for one in sql.NUMBER_NAMES),
        ])  # fmt: skip
        self._connection.execute(f"CREATE SEQUENCE line; CREATE TABLE said ({names})")
        self._connection.execute("CREATE TABLE broken (line BIGINT, csv_line VARCHAR)")

    def close(self) -> None:
        """Forget everything that was not written."""
        self._connection.close()
        self._folder.cleanup()

    def take(self, path: Path) -> None:
        """Read one file. ConfigurationError where its columns do not fit, UsageError where it cannot be read."""
        try:
            source = opened(self._connection, path, self._mapping, Path(self._folder.name))
            chosen = choose(source.sample, self._mapping, str(path))
            used = {ours: theirs for ours, theirs in chosen.columns.items() if ours not in NOT_USED}
            written = {ours: _together(ours, [source.columns[one] for one in many]) for ours, many in used.items()}
            moments = times.moments(self._connection, source, written, self._mapping, str(path))
            records = sql.taken(written, source.given, self._mapping, chosen.units, moments)
            into = ", ".join((*sql.COLUMN_NAMES, *sql.NUMBER_NAMES))
            self._connection.execute(f"INSERT INTO said ({into}) {records}")
            if source.is_csv:
                self._broken()
        except duckdb.Error as error:
            raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
        self.made.columns[str(path)] = {ours: " + ".join(many) for ours, many in used.items()}
        self.made.units[str(path)] = {ours: unit for ours, unit in chosen.units.items() if ours in used}
        named = {one for many in used.values() for one in many}
        self.made.unused[str(path)] = [one for one in source.columns if one not in named]
        self._unsaid |= chosen.unsaid
        self.made.notes += [*source.notes, *(f"{path}: {one}" for one in chosen.notes)]

    def write(self, events: Path, rejected: Path, told: Callable[[str], None] = lambda step: None) -> Converted:
        """Write the events (Parquet), and the rows that tell nothing with the reason (CSV), if there are any.

        OutOfRoomError where disk or memory do not suffice.
        """
        try:
            return self._write(events, rejected, told)
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise OutOfRoomError(f"{events} cannot be written: {str(error).splitlines()[0]}") from None

    def _write(self, events: Path, rejected: Path, told: Callable[[str], None]) -> Converted:
        steps: Sequence[tuple[str, str]] = (
            ("rows that are there twice", sql.REPEATED), ("records", sql.RECORDS),
            ("cells of the same number", sql.FAR_APART), ("subscriptions", sql.SUBSCRIPTIONS),
            ("devices", f"{sql.DEVICES}; {sql.NO_DEVICES}"), ("places", sql.CELLS), ("sessions", sql.PARTS),
        )  # fmt: skip
        self._said = self._one("SELECT count(*) FROM said")
        for step, statement in steps:
            told(step)
            self._connection.execute(statement)
        told("places that cannot be right")
        self._doubt()
        self._technologies()
        self._count()
        told("events in the order of time")
        part = events.with_name(f".{events.name}.part")
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS}"
        self._connection.execute(f"COPY ({sql.events()}) TO {sql.text(str(part))} ({options})")
        os.replace(part, events)
        self.made.events = self._one(f"SELECT count(*) FROM read_parquet({sql.text(str(events))})")
        if self.made.rejected:
            columns = f"r.line AS row, r.wrong AS reason, {', '.join(f's.{one}' for one in sql.COLUMN_NAMES)}"
            chosen = f"SELECT {columns} FROM record r JOIN said s USING (line) WHERE wrong IS NOT NULL"
            broken_lines = f"SELECT line AS row, {sql.text(BROKEN)} AS reason, csv_line AS text FROM broken"
            chosen += f" UNION ALL BY NAME {broken_lines}"
            chosen = f"SELECT * FROM ({chosen}) ORDER BY row"
            self._connection.execute(f"COPY ({chosen}) TO {sql.text(str(rejected))} (HEADER)")
        return self.made

    def write_inventory(self, path: Path) -> list[str]:
        """Write a line for each subscription, labelled with what the records call it; returns the use cases named."""
        use_cases: dict[str, None] = {}
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["iccid", "imsi", "use_case", "label"])
            for numbers, imsis, names, labels in self._subscribers():
                for number, imsi, use_case, label in zip(_iccids(numbers), imsis, names, labels):
                    use_cases[use_case] = None
                    lines.writerow([number, imsi, use_case, label])
        return list(use_cases)

    def write_cells(self, path: Path) -> int:
        """Write where cells are (`cells.csv`), if the records say so; returns of how many."""
        placed = self._connection.execute(sql.PLACED).fetchall()
        if placed:
            with path.open("w", encoding="utf-8", newline="") as file:
                lines = csv.writer(file, lineterminator="\n")
                lines.writerow(["plmn", "cell", "latitude", "longitude"])
                lines.writerows(placed)
        return len(placed)

    def _subscribers(self) -> Iterator[tuple[np.ndarray, list[str], list[str], list[str]]]:
        found = self._connection.execute("SELECT number, imsi, use_case, subscription FROM subscriber ORDER BY number")
        while batch := found.fetchmany(65_536):
            numbers, imsis, use_cases, labels = zip(*batch)
            yield np.array(numbers, np.int64), list(imsis), [_as_name(one) for one in use_cases], list(labels)

    def _broken(self) -> None:
        """Keep lines of a CSV file that are unlike the others."""
        self._connection.execute("INSERT INTO broken SELECT DISTINCT line, csv_line FROM reject_errors")
        for table in ("reject_errors", "reject_scans"):
            self._connection.execute(f"DROP TABLE {table}")

    def _doubt(self) -> None:
        """Leave out coordinates, and places of single rows, that cannot be right."""
        run, made, one = self._connection.execute, self.made, self._one
        days = f"SELECT DISTINCT subscription, begun // {86_400 * sql.MICROS} FROM part"
        made.subscription_days = one(f"SELECT count(*) FROM ({days})")
        if not self._mapping.doubt:
            return
        made.idle_rows = one(f"SELECT count(*) FROM part WHERE {doubts.IDLE}")
        run(f"UPDATE part SET cell = NULL, device = NULL WHERE {doubts.IDLE}")
        subscriptions, several = one("SELECT count(*) FROM subscriber"), one(doubts.IN_TWO_DEVICES)
        if several > doubts.SHARED_SHARE * subscriptions and several >= doubts.ACCUSED_LEAST:
            run("UPDATE part SET device = NULL")
            run("DELETE FROM device")
            made.notes.append(
                f"no devices are taken: {several} subscriptions are in two at the same time, so what is called a "
                f"subscription is a customer with several SIMs{AGAIN}"
            )
        run(doubts.WAYS)
        run("CREATE TABLE doubted (cell VARCHAR, area VARCHAR)")
        for chosen in (*(doubts.doubted_cells(share) for share in doubts.SHARES), doubts.LONELY_CELLS):
            run(f"INSERT INTO doubted {chosen}")
            known, made.doubted_cells = made.doubted_cells, one("SELECT count(*) FROM doubted")
            if made.doubted_cells > known:
                run(doubts.UNPLACED)
                run(doubts.WAYS)
        made.continued_rows = one(f"SELECT count(*) FROM ({doubts.CONTINUED})")
        if made.continued_rows:
            run(f"UPDATE part SET cell = NULL WHERE line IN ({doubts.CONTINUED})")
            run(doubts.WAYS)
        run(f"CREATE TABLE far AS {doubts.FAR_ROWS}")
        made.far_rows = one("SELECT count(*) FROM far")
        if made.far_rows:
            run("UPDATE part SET cell = NULL WHERE line IN (SELECT line FROM far)")
            run(doubts.WAYS)
        accused: Any = run(doubts.ACCUSED).fetchone()
        if accused[0] > doubts.ACCUSED_SHARE * made.subscription_days and accused[1] >= doubts.ACCUSED_LEAST:
            run("UPDATE place SET latitude = NULL, longitude = NULL")
            made.notes.append(
                f"no coordinates are taken: {accused[1]} subscriptions would have been faster than anything travels, "
                f"so coordinates or times are not what they seem{AGAIN}"
            )

    def _technologies(self) -> None:
        found = self._connection.execute("SELECT DISTINCT rat FROM record WHERE rat IS NOT NULL LIMIT 1000").fetchall()
        self._connection.execute("CREATE TABLE technology (rat VARCHAR, number INTEGER)")
        # TS 29.061 numbers technologies from 1 (UTRAN) to 10 (NR) and on; people write 2, 3, 4, 5 for generations.
        generations = {rat for (rat,) in found if rat.isdigit()} <= {"2", "3", "4", "5"}
        for (rat,) in found:
            number = _technology(f"{rat}g" if generations and rat.isdigit() else rat)
            if number:
                self._connection.execute("INSERT INTO technology VALUES (?, ?)", [rat, number])

    def _count(self) -> None:
        made, one = self.made, self._one
        made.rows = self._said
        made.repeated = self._said - one("SELECT count(*) FROM record")
        made.rejected = dict(
            self._connection.execute(
                "SELECT wrong, count(*) FROM record WHERE wrong IS NOT NULL GROUP BY wrong ORDER BY wrong"
            ).fetchall()
        )
        if broken := one("SELECT count(*) FROM broken"):
            made.rows += broken
            made.rejected[BROKEN] = broken
        if made.rows == made.repeated + sum(made.rejected.values()):
            why = "; ".join(f"{reason}: {count}" for reason, count in made.rejected.items()) or "there are no rows"
            raise ConfigurationError([Problem(next(iter(made.columns), ""), 1, "", f"no row can be used ({why})")])
        made.subscriptions = one("SELECT count(*) FROM subscriber")
        made.devices = one("SELECT count(*) FROM device WHERE kind <> 'none'")
        made.sessions_an_hour = one(sql.PACE)
        made.shared_devices = one("SELECT count(*) FROM device WHERE kind = 'model'")
        made.began_at, made.ended_at = one("SELECT min(begun) FROM part"), one("SELECT max(until) FROM part")
        self._ask_for_units()
        both = "FROM record JOIN said USING (line)"
        unread = {
            "rat": "FROM record WHERE rat IS NOT NULL AND rat NOT IN (SELECT rat FROM technology)",
            "network": f"FROM record WHERE NOT {sql.NETWORK}",
            "duration": f"{both} WHERE said.duration IS NOT NULL AND record.lasted_s IS NULL",
            "uplink": f"{both} WHERE said.uplink IS NOT NULL AND record.up IS NULL",
            "downlink": f"{both} WHERE said.downlink IS NOT NULL AND record.down IS NULL",
            "address": f"FROM record WHERE NOT contains(address, ':') AND NOT {sql.IPV4}",
        }
        counts = {column: one(f"SELECT count(*) {rest}") for column, rest in unread.items()}
        counts = {"device": one("SELECT sum(rows) FROM device WHERE kind = 'none'"), **counts}
        made.unread = {column: count for column, count in counts.items() if count}

    def _ask_for_units(self) -> None:
        """Say where a unit that nothing names cannot be the one that is meant."""
        moved = "coalesce(up, 0) + coalesce(down, 0)"
        octets, lasted = self._connection.execute(
            f"SELECT median({moved}) FILTER ({moved} > 0), median(lasted_s) FILTER (ended_at_us IS NULL) FROM record"
        ).fetchall()[0]
        if self._unsaid & {"uplink", "downlink", "octets"} and octets is not None and octets < SELDOM_OCTETS:
            self.made.notes.append(f"half of the rows moved less than {SELDOM_OCTETS} B: if it is MB, say --octets MB")
        if "duration" in self._unsaid and lasted is not None and lasted > SELDOM_S:
            self.made.notes.append("half of the durations are longer than a day: if they are ms, a mapping says so")

    def _one(self, statement: str) -> int:
        found: Any = self._connection.execute(statement).fetchone()
        return int(found[0] or 0)


def _together(ours: str, taken: list[str]) -> str:
    """Several columns as one text: digits of a network side by side, a date and a time of day apart."""
    if len(taken) == 1:
        return taken[0]
    return f"concat_ws({sql.text('' if ours == 'network' else ' ')}, {', '.join(taken)})"


def _technology(rat: str) -> int:
    plain = re.sub(r"[-_ /()]", "", rat.lower())
    if plain.isdigit():
        return int(plain) if 0 < int(plain[:4]) < 100 else 0
    # Also `LTE B20`, `WCDMA2100`, `GSM900`, `4G LTE`: what is not known is shortened until it is.
    for known in (plain, re.sub(r"(b?[0-9]{1,4})?(mhz)?$", "", plain), plain[:2] if plain[:1].isdigit() else ""):
        try:
            return identity.rat_number(TECHNOLOGIES.get(known, known))
        except IdentityError:
            continue
    return 0


def _iccids(numbers: np.ndarray) -> list[str]:
    """Made-up ICCIDs of the numbers, with their check digits (ITU-T E.118)."""
    bodies = 890_100_100_000_000_000 + numbers
    digits = bodies[:, None] // 10 ** np.arange(17, -1, -1, dtype=np.int64) % 10
    doubled = digits[:, ::-1] * np.where(np.arange(18) % 2 == 0, 2, 1)
    check = -(doubled // 10 + doubled % 10).sum(axis=1) % 10
    return [f"{body}{last}" for body, last in zip(bodies.tolist(), check.tolist())]


def _as_name(use_case: str | None) -> str:
    """A use case's name as policy takes it."""
    plain = "".join(one if one.isalnum() and one.isascii() else "-" for one in (use_case or "").lower()).strip("-")
    return plain[:40] or USE_CASE
