"""`inventory.csv` -> arrays: a million lines in seconds, every problem at once, and one line found again for people."""

from __future__ import annotations

import contextlib
import csv
import gc
import io
import mmap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from simward.engine.tables import DECLARED, LIFECYCLE
from simward.errors import ConfigurationError, IdentityError, Problem, nearest
from simward.identity import Eid, Iccid, Imei, Imsi, Msisdn, iccid_text, imei_text, imsi_text, msisdn_text
from simward.policy.columns import digits_of, imei_numbers, luhn_wrong, prefixed
from simward.policy.load import Policy, listed
from simward.policy.pools import Pools, tightest

NEEDED = ("iccid", "imsi", "use_case")
COLUMNS = (
    *NEEDED, "msisdn", "imei", "latitude", "longitude", "label", "eid", "form_factor", "state", "installed_at",
)  # fmt: skip
PROBLEMS_SHOWN = 100
WARNINGS_SHOWN = 5
CHUNK = 50_000

Progress = Callable[[int, int], None]
"""Called with octets read and octets in all."""


@dataclass(frozen=True)
class Inventory:
    """The inventory as the gate decides by it; `lines[n]` is the line of `declared[n]`."""

    path: Path
    declared: np.ndarray
    """DECLARED; `use_case` points into `use_cases`."""
    use_cases: tuple[str, ...]
    lines: np.ndarray
    warnings: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.declared)

    def members(self, use_case: str) -> np.ndarray:
        """The rows of a use case."""
        rows: np.ndarray = self.declared[self.declared["use_case"] == self.use_cases.index(use_case)]
        return rows


def read_inventory(path: Path, policy: Policy, progress: Progress | None = None) -> Inventory:
    """Read an inventory whose use cases a policy declares, and warn where the two do not fit together."""
    inventory = load_inventory(path, policy.of("use_case"), progress)
    return replace(inventory, warnings=(*inventory.warnings, *_misfits(policy, inventory)))


def _misfits(policy: Policy, inventory: Inventory) -> Iterator[Problem]:
    """Members that a use case cannot do for what it says."""
    asking: dict[str, int] = {}
    for name, one in policy.of("use_case").items():
        members = inventory.members(name)
        without = int((members["imei"] == 0).sum())
        if one.get("binding.mode") == "declared" and without:
            what = f"{without:,} of {len(members):,} subscriptions have no imei in the inventory, so nothing binds them"
            yield one.problem("binding.mode", what, warning=True)
        for segment in listed(one.value.get("segment")):
            asking[segment] = asking.get(segment, 0) + len(members)
    for name, one in policy.of("segment").items():
        pools = Pools.normal(one.value)
        room = pools.last - pools.first + 1
        if pools.first and asking.get(name, 0) > room:
            what = f"{room:,} addresses for {asking[name]:,} subscriptions: the last ones will be refused"
            yield one.problem(tightest(one.value), what, "a larger pool", warning=True)


def load_inventory(path: Path, use_cases: Iterable[str] | None, progress: Progress | None = None) -> Inventory:
    """Read an inventory; `use_cases` are the names that policies declare (None: not known, so none is wrong).

    Raises ConfigurationError, with all of it.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as octets:
            told = (lambda: progress(min(octets.tell(), size), size)) if progress is not None else _untold
            found = _read(octets, path, use_cases, told)
        if progress is not None:
            progress(size, size)
        return found
    except OSError as error:
        instead = "its header is: iccid,imsi,use_case" if isinstance(error, FileNotFoundError) else ""
        raise ConfigurationError([Problem(str(path), 1, "", f"cannot be read: {error.strerror}", instead)]) from None


def parse_inventory(octets: bytes, name: str, policy: Policy | Iterable[str]) -> Inventory:
    """The inventory in these octets, called `name` in what is wrong with it; see `read_inventory`.

    Where only the names of use cases are known, it is held against those.
    """
    if not isinstance(policy, Policy):
        return _read(io.BytesIO(octets), Path(name), policy, _untold)
    inventory = _read(io.BytesIO(octets), Path(name), policy.of("use_case"), _untold)
    return replace(inventory, warnings=(*inventory.warnings, *_misfits(policy, inventory)))


def _untold() -> None:
    """Nobody waits to be told how far it is."""


def _read(octets: BinaryIO, path: Path, use_cases: Iterable[str] | None, told: Callable[[], None]) -> Inventory:
    reading = _Reading(path, tuple(sorted(use_cases or ())), any_use_case=use_cases is None)
    text = io.TextIOWrapper(octets, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, strict=True)
    try:
        with _collector_paused():
            if reading.header(rows):
                for chunk, lines in _chunks(rows):
                    reading.chunk(chunk, lines)
                    told()
    except csv.Error as error:
        reading.wrong(rows.line_num, "", f"not CSV: {error}")
    except UnicodeDecodeError:
        reading.wrong(rows.line_num + 1, "", "not UTF-8 from about this line on", "save it as UTF-8")
    return reading.inventory()


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Millions of short-lived lists without a cycle among them: looking for cycles takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _chunks(rows: Any) -> Iterator[tuple[list[list[str]], np.ndarray]]:
    """Rows by the ten thousand, with the line that each ends in (a quoted field may hold line ends)."""
    while True:
        before = rows.line_num
        chunk = list(islice(rows, CHUNK))
        if not chunk:
            return
        if rows.line_num - before == len(chunk):
            yield chunk, np.arange(before + 1, rows.line_num + 1)
            continue
        ends = before + np.cumsum([1 + sum(field.count("\n") for field in row) for row in chunk])
        yield chunk, ends


class _Reading:
    """One inventory being read, column by column within chunks; what is wrong is kept, and bounded."""

    def __init__(self, path: Path, use_cases: tuple[str, ...], *, any_use_case: bool = False) -> None:
        self.path = path
        self.any_use_case = any_use_case
        self.use_cases = use_cases
        self.columns: list[str] = []
        self.parts: list[np.ndarray] = []
        self.line_parts: list[np.ndarray] = []
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.warned: dict[str, list[Problem]] = {}
        self.warned_counts: dict[str, int] = {}

    def wrong(self, line: int, column: str, what: str, instead: str = "") -> None:
        """Note a problem; past the first hundred they are only counted."""
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(Problem(str(self.path), int(line), column, what, instead))

    def warn(self, kind: str, line: int, column: str, what: str) -> None:
        """Note a warning; of each kind a few are kept and the rest counted."""
        self.warned_counts[kind] = self.warned_counts.get(kind, 0) + 1
        kept = self.warned.setdefault(kind, [])
        if len(kept) < WARNINGS_SHOWN:
            kept.append(Problem(str(self.path), int(line), column, what, warning=True))

    def header(self, rows: Any) -> bool:
        """Read the first line; False where the rest cannot be read by it."""
        names: list[str] = next(rows, [])
        self.columns = [name.strip().lower() for name in names]
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            self.wrong(1, "", "the columns are not divided by commas", "write it like iccid,imsi,use_case")
            return False
        for position, name in enumerate(self.columns):
            if name not in COLUMNS:
                self.wrong(1, name or f"column {position + 1}", "unknown column", nearest(name, COLUMNS))
            elif name in self.columns[:position]:
                self.wrong(1, name, "is there twice")
        for name in NEEDED:
            if name not in self.columns:
                self.wrong(1, name, "this column is missing", "the header needs iccid,imsi,use_case")
        return not self.problems

    def chunk(self, rows: list[list[str]], lines: np.ndarray) -> None:
        """Read some rows into DECLARED."""
        width = len(self.columns)
        if set(map(len, rows)) != {width}:
            keep = []
            for position, row in enumerate(rows):
                if len(row) == width:
                    keep.append(position)
                elif row:
                    self.wrong(lines[position], "", f"has {len(row)} fields, the header has {width}")
            rows, lines = [rows[position] for position in keep], lines[keep]
            if not rows:
                return
        columns = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
        part = np.zeros(len(rows), DECLARED)
        part["imsi"] = self._identities(columns, "imsi", lines, needed=True)
        part["iccid"] = self._identities(columns, "iccid", lines, needed=True)
        part["msisdn"] = self._identities(columns, "msisdn", lines)
        part["imei"] = self._identities(columns, "imei", lines)
        if not self.any_use_case:
            part["use_case"] = self._words(columns["use_case"], "use_case", self.use_cases, lines)
        if "state" in columns:
            part["state"] = np.maximum(self._words(columns["state"], "state", ("", *LIFECYCLE), lines) - 1, 0)
        for column, limit in (("latitude", 90), ("longitude", 180)):
            if column in columns:
                self._degrees(columns[column], column, limit, lines)
        for column, parse in (("eid", Eid.parse), ("installed_at", datetime.fromisoformat)):
            if column in columns:
                self._each(columns[column], column, parse, lines)
        self._luhn(part["iccid"], lines)
        self.parts.append(part)
        self.line_parts.append(lines.astype(np.int64))

    def _identities(
        self, columns: dict[str, tuple[str, ...]], column: str, lines: np.ndarray, *, needed: bool = False
    ) -> np.ndarray:
        """The numbers of a column: whole columns of plain digits at once, whatever else one by one."""
        if column not in columns:
            return np.zeros(len(lines), np.int64)
        texts = columns[column]
        digits, counts = digits_of(texts)
        if column == "imei":
            numbers, plain = imei_numbers(digits, counts)
        else:
            numbers, plain = prefixed(digits, counts, column)
        parse = PARSERS[column]
        for position in np.flatnonzero(~plain):
            text = texts[position].strip()
            if not text:
                if needed:
                    self.wrong(lines[position], column, "is empty")
                continue
            try:
                numbers[position] = parse(text)
            except IdentityError as error:
                self.wrong(lines[position], column, f"{text[:40]!r}: {error}")
        return numbers

    def _words(self, texts: tuple[str, ...], column: str, known: tuple[str, ...], lines: np.ndarray) -> np.ndarray:
        """The position of each word among the known ones; there are few different words in a column of many."""
        numbers: dict[str, int] = {}
        for text in set(texts):
            word = text.strip()
            numbers[text] = known.index(word) if word in known else -1
        found = np.fromiter(map(numbers.__getitem__, texts), np.int64, len(texts))
        for position in np.flatnonzero(found < 0):
            word = texts[position].strip()
            what = f"no {column.replace('_', ' ')} {word!r}" if word else "is empty"
            self.wrong(lines[position], column, what, nearest(word, filter(None, known)))
        return np.maximum(found, 0)

    def _degrees(self, texts: tuple[str, ...], column: str, limit: int, lines: np.ndarray) -> None:
        try:
            if (np.abs(np.array([text or "0" for text in texts], np.float64)) <= limit).all():
                return
        except ValueError:
            pass  # some of them are no numbers: say which

        def parse(text: str) -> None:
            if not abs(float(text)) <= limit:
                raise ValueError

        self._each(texts, column, parse, lines)

    def _each(self, texts: tuple[str, ...], column: str, parse: Callable[[str], Any], lines: np.ndarray) -> None:
        """Check what is kept for people; a column that is mostly empty costs nearly nothing."""
        for position, text in enumerate(texts):
            if not text:
                continue
            try:
                parse(text)
            except ValueError as error:
                what = str(error) if isinstance(error, IdentityError) else EXPECTED[column]
                self.wrong(lines[position], column, f"{text[:40]!r}: {what}")

    def _luhn(self, iccids: np.ndarray, lines: np.ndarray) -> None:
        for position in np.flatnonzero(luhn_wrong(iccids)):
            text = iccid_text(int(iccids[position]))
            self.warn("luhn", lines[position], "iccid", f"{text}: the last digit is not the check digit of the others")

    def inventory(self) -> Inventory:
        """All of it, compared across lines; raises ConfigurationError where anything was wrong."""
        declared = np.concatenate(self.parts) if self.parts else np.zeros(0, DECLARED)
        lines = np.concatenate(self.line_parts) if self.line_parts else np.zeros(0, np.int64)
        self._repetitions(declared, lines)
        warnings = self._warnings()
        if self.problems:
            problems = sorted(self.problems, key=lambda problem: problem.line)
            more = self.problem_count - len(problems)
            if more:
                problems.append(Problem(str(self.path), problems[-1].line, "", f"... and {more:,} problems more"))
            raise ConfigurationError(problems)
        return Inventory(self.path, declared, self.use_cases, lines, warnings)

    def _repetitions(self, declared: np.ndarray, lines: np.ndarray) -> None:
        """An IMSI stands once; an ICCID may carry several IMSIs, and only they may share MSISDN and IMEI."""
        for first, again in _repeated(declared["imsi"]):
            text = imsi_text(int(declared["imsi"][again]))
            self.wrong(lines[again], "imsi", f"{text} is there twice, first in line {lines[first]}")
        for first, again in _repeated(declared["iccid"]):
            if declared["use_case"][first] != declared["use_case"][again]:
                what = f"is of another use case in line {lines[first]}"
                self.wrong(lines[again], "use_case", f"ICCID {iccid_text(int(declared['iccid'][again]))} {what}")
        for first, again in _repeated(declared["msisdn"]):
            if declared["iccid"][first] != declared["iccid"][again]:
                text = msisdn_text(int(declared["msisdn"][again]))
                self.wrong(lines[again], "msisdn", f"{text} is there twice, first in line {lines[first]}")
        for first, again in _repeated(declared["imei"]):
            if declared["iccid"][first] != declared["iccid"][again]:
                text = imei_text(int(declared["imei"][again]))
                what = f"{text} is declared twice, first in line {lines[first]}"
                self.warn("imei", lines[again], "imei", what)

    def _warnings(self) -> tuple[Problem, ...]:
        found = []
        for kind, kept in self.warned.items():
            more = self.warned_counts[kind] - len(kept)
            found += kept
            if more:
                last = kept[-1]
                found.append(Problem(last.file, last.line, last.where, f"... and {more:,} more", warning=True))
        return tuple(found)


def _repeated(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """(first row, later row) for each value other than 0 that comes again, in the order of the later rows."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    again = np.flatnonzero((ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)) + 1
    if not len(again):
        return
    firsts = order[np.searchsorted(ordered, ordered[again])]
    laters = order[again]
    for position in np.argsort(laters, kind="stable"):
        yield int(firsts[position]), int(laters[position])


PARSERS: dict[str, Callable[[str], int]] = {
    "imsi": lambda text: Imsi.parse(text).number,
    "iccid": lambda text: Iccid.parse(text).number,
    "msisdn": lambda text: Msisdn.parse(text).number,
    "imei": lambda text: Imei.parse(text).number,
}
EXPECTED = {
    "latitude": "degrees from -90 to 90", "longitude": "degrees from -180 to 180",
    "installed_at": "a date or time like 2026-02-28T12:00:00Z",
}  # fmt: skip


def lookup(path: Path, *, iccid: int = 0, imsi: int = 0) -> dict[str, str] | None:
    """The line of a subscription with every column, for people; None where there is none (or no inventory).

    The file is searched for the digits, not loaded. Identities written with separators are found by reading it through.
    """
    wanted, column = (iccid_text(iccid), "iccid") if iccid else (imsi_text(imsi), "imsi")
    if not wanted or not path.is_file() or path.stat().st_size == 0:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
        header = octets[: octets.find(b"\n") + 1]
        names = [name.strip().lower() for name in _fields(header.decode("utf-8-sig", "replace"))]
        at = octets.find(wanted.encode())
        while at >= 0:
            start, end = octets.rfind(b"\n", 0, at) + 1, octets.find(b"\n", at)
            fields = _fields(octets[start : end if end >= 0 else len(octets)].decode("utf-8", "replace"))
            line = dict(zip(names, fields, strict=False))
            if line.get(column) == wanted:
                return line
            at = octets.find(wanted.encode(), at + 1)
    return _read_through(path, column, iccid or imsi)


def _fields(line: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")]), [])


def _read_through(path: Path, column: str, number: int) -> dict[str, str] | None:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            text = (row.get(column) or "").strip()
            if text.isdigit():
                continue
            try:
                if text and PARSERS[column](text) == number:
                    return {key: value or "" for key, value in row.items() if key}
            except IdentityError:
                continue
    return None
