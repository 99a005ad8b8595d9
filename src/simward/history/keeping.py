"""Keeps the journal short and the history bounded: one small step at a time, for a process that lives on.

A sealed segment becomes a unit of history and is then removed, once a snapshot covers it, every follower has read it
and it is older than `journal_keep`; earlier where the journal takes more than `journal_keep_at_most`. Units that are
older than `keep`, or more than `keep_at_most`, are removed, once every snapshot reaches beyond them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simward.engine import journal_files as files
from simward.engine import journal_reader as reader
from simward.engine.snapshot import snapshot_paths
from simward.engine.start import snapshots_folder
from simward.errors import JournalError
from simward.history import unit as units
from simward.history.base import Base
from simward.history.followers import read_up_to
from simward.history.unit import Unit
from simward.settings import HistorySettings

if TYPE_CHECKING:
    from simward.history.writing import Segment

MICROS = 1_000_000
EVERY_US = 10 * MICROS
"""How often a step looks at the folders."""


class Sealed(NamedTuple):
    """A segment that nothing is added to any more."""

    first: int
    last: int
    octets: int


class Kept(NamedTuple):
    """What one step did."""

    archived: Unit | None = None
    removed: Unit | None = None
    cut_off: tuple[str, ...] = ()
    """Followers that had not read the segment that was archived: they find it in the history only."""

    def __str__(self) -> str:
        if self.archived is not None:
            said = f"sequences {self.archived.first} to {self.archived.last} are history now"
            lost = f"; {', '.join(self.cut_off)} had not read them, and finds them there alone"
            return said + (lost if self.cut_off else "")
        if self.removed is not None:
            return f"sequences {self.removed.first} to {self.removed.last} were removed: too old, or too much history"
        return "nothing to keep"


class Keeping:
    """One working folder's. No thread and no clock: `step` is called with the time, now and then."""

    def __init__(self, data_dir: Path, settings: HistorySettings) -> None:
        self.data_dir, self.settings = data_dir, settings
        self.journal_folder = data_dir / "journal"
        self.folder = units.history_folder(data_dir)
        self._look_again_at = 0
        units.tidy(self.folder)

    def step(self, now_us: int) -> Kept | None:
        """Do at most one thing that is due: archive a segment or remove a unit; None where nothing is.

        Takes as long as one segment does (half a minute for half a gigabyte), and memory for a row group and an index.
        Raises JournalError where a segment is not what it should be (it stays), OSError where the disk refuses.
        """
        if now_us < self._look_again_at:
            return None
        kept = self._archive(now_us) or self._remove(now_us)
        if kept is None:
            self._look_again_at = now_us + EVERY_US
        return kept

    def _archive(self, now_us: int) -> Kept | None:
        sealed = sealed_segments(self.journal_folder)
        if not sealed:
            return None
        one = sealed[0]
        known = units.unit_numbers(self.folder)
        if one.first in known:  # killed between the two: finish
            unit = same_unit(self.journal_folder, self.folder, one.first)
            unlink_segment(self.journal_folder, one.first)
            return Kept(unit)
        self._refuse_overlap(one, known)
        if one.last > covered_by_snapshots(self.data_dir) or not is_at_rest(self.journal_folder, one.first):
            return None
        limit = self.settings.journal_keep_at_most_octets
        too_much = bool(limit) and sum(each.octets for each in sealed) > limit
        behind = tuple(sorted(name for name, read in read_up_to(self.data_dir).items() if read < one.last))
        if not too_much and (behind or last_at(self.journal_folder, one.first) > now_us - self._age_us()):
            return None
        return Kept(archive(self.data_dir, one.first), cut_off=behind)

    def _refuse_overlap(self, one: Sealed, known: list[int]) -> None:
        """JournalError where the history goes further than the segment's first sequence: another journal's it is."""
        newest = Unit.read(units.unit_folder(self.folder, known[-1])).last if known else Base.read(self.folder).last
        if one.first <= newest:
            path = files.segment_path(self.journal_folder, one.first)
            raise JournalError(
                f"{path} begins with sequence {one.first}, and the history in {self.folder} reaches to {newest} "
                "already: it is another journal's. Nothing was removed; move the one that is not wanted away"
            )

    def _age_us(self) -> int:
        return self.settings.journal_keep_s * MICROS

    def _remove(self, now_us: int) -> Kept | None:
        known = units.unit_numbers(self.folder)
        if not known:
            return None
        oldest = Unit.read(units.unit_folder(self.folder, known[0]))
        base = Base.read(self.folder)
        if oldest.last > base.last:
            too_old = bool(self.settings.keep_s) and oldest.at_last < now_us - self.settings.keep_s * MICROS
            limit = self.settings.keep_at_most_octets
            if not too_old and not (limit and self._octets(known) > limit):
                return None
            if oldest.last > covered_by_snapshots(self.data_dir):
                return None  # without a snapshot a start folds from the first row on: it needs this one
            self._carry_forward(base, oldest)
        units.remove_unit(self.folder, oldest.first)
        return Kept(removed=oldest)

    def _octets(self, known: list[int]) -> int:
        return sum(Unit.read(units.unit_folder(self.folder, first)).octets for first in known)

    def _carry_forward(self, base: Base, unit: Unit) -> None:
        from simward.history.about import rows_about

        digest = bytes.fromhex(unit.digest)
        base.and_then(rows_about(unit, ()), unit.last, unit.at_last, digest, unit.kernels).write(self.folder)


def sealed_segments(folder: Path) -> list[Sealed]:
    """The segments that nothing is added to any more, the oldest first.

    The newest never is one, nor the one before it while the newest has no row: the writer looks there for the last.
    """
    known = files.segments(folder)
    if len(known) > 1 and reader.tail_of(folder, known[-1]) is None:
        known = known[:-1]
    return [
        Sealed(first, following - 1, files.segment_path(folder, first).stat().st_size)
        for first, following in pairwise(known)
    ]


def same_unit(journal_folder: Path, history_folder: Path, first: int) -> Unit:
    """The unit that a segment became, proven to hold all of it: its end is the segment's, its files are as written.

    The digest of the last row chains to all before it. JournalError where the two differ (a journal that was started
    over, or an older one that was put back, beside a history that stayed) or the unit is damaged: then the segment
    may hold the only rows that there are.
    """
    path, folder = files.segment_path(journal_folder, first), units.unit_folder(history_folder, first)
    try:
        unit = Unit.read(folder)
    except JournalError as error:
        raise JournalError(f"{error}; {path} stays. Move {folder} away, and it is made again") from error
    found = reader.tail_of(journal_folder, first)
    if found != (unit.last, bytes.fromhex(unit.digest)):
        ends = f"ends with {found[0]}" if found else "has no row"
        raise JournalError(
            f"{path} and {folder} both begin with sequence {first} and do not hold the same: the segment {ends}, the "
            f"unit ends with {unit.last} of another digest. Nothing was removed; where the journal was started "
            f"over, or an older one was put back, move {history_folder} away"
        )
    damaged = unit.damaged_file()
    if damaged:
        raise JournalError(
            f"{unit.path(damaged)} is damaged, and {path} holds the same rows: it stays. Move {folder} away, and it is "
            "made again"
        )
    return unit


def covered_by_snapshots(data_dir: Path) -> int:
    """Up to which sequence every snapshot reaches: a start never needs a segment before, even if one is damaged."""
    return min((int(path.stem) for path in snapshot_paths(snapshots_folder(data_dir))), default=0)


def is_at_rest(folder: Path, first: int) -> bool:
    """Has the writer let go of a segment: is its log empty?"""
    wal = files.wal_path(files.segment_path(folder, first))
    return not wal.exists() or wal.stat().st_size == 0


def last_at(folder: Path, first: int) -> int:
    """When the last row of a segment was written, us UTC."""
    with reader.opened(folder, first) as connection:
        return int(connection.execute("SELECT at FROM rows ORDER BY first DESC LIMIT 1").fetchone()[0])


def archive(data_dir: Path, first: int) -> Unit:
    """Make a sealed segment a unit of history, and remove it when that is whole on the disk."""
    from simward.history.writing import write_unit

    folder = data_dir / "journal"
    with as_segment(folder, first) as segment:
        unit = write_unit(units.history_folder(data_dir), segment)
        found = reader.tail_of(folder, first)
    if found is None or (unit.last, bytes.fromhex(unit.digest)) != found:
        raise JournalError(f"the segment of sequence {first} grew while it was read")
    unlink_segment(folder, first)
    return unit


@contextmanager
def as_segment(folder: Path, first: int) -> Iterator[Segment]:
    """A segment's rows with what is needed to read them."""
    from simward.history.writing import Recorded, Segment

    with reader.opened(folder, first) as connection:
        previous = reader.previous_of(connection, first)
        if previous is None:
            raise JournalError(f"the segment of sequence {first} does not say what it follows")
        kernels, layouts = reader.names(connection)
        rows = (Recorded(row, notes, digest) for row, notes, digest in reader.recorded(connection))
        yield Segment(first, previous, kernels, layouts, rows)


def unlink_segment(folder: Path, first: int) -> None:
    """Remove a segment, durably. Whoever reads it goes on reading."""
    path = files.segment_path(folder, first)
    path.unlink()
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    files.sync_folder(folder)
