"""History and journal read as one: every row from the oldest that is kept on, wherever it lies by now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simward.engine.journal import EVENTS, Journal, JournalGapError, Layout, Row, Stop, Verification, row_texts
from simward.engine.journal_reader import Chain
from simward.engine.journal_reader import verify as verify_segments
from simward.engine.sqlite_journal import SqliteJournal
from simward.errors import JournalError
from simward.history.base import NAME as BASE_NAME
from simward.history.base import Base
from simward.history.unit import Unit, history_folder, unit_folder, unit_numbers

if TYPE_CHECKING:
    from simward.history.runs import Piece

MOVED_WHILE_READING_MAX = 3


class WholeJournal:
    """The face of a Journal for reading, over the history and the journal of one working folder.

    Pyarrow is imported when history is read, and not before. A segment that becomes history while it is being read is
    read on there.
    """

    def __init__(self, data_dir: Path, journal: SqliteJournal) -> None:
        self.folder = history_folder(data_dir)
        self.journal = journal
        self._layouts: dict[str, Layout] = {}
        self._manifests: dict[str, str] = {}
        self._units: dict[int, Unit] = {}

    @staticmethod
    def open(data_dir: Path) -> WholeJournal:
        """Open both for reading, beside whoever writes."""
        return WholeJournal(data_dir, SqliteJournal.open(data_dir / "journal", writer=False))

    @property
    def first(self) -> int:
        """The oldest sequence of which everything is kept; 0 while there is nothing."""
        known = unit_numbers(self.folder)
        return known[0] if known else self.journal.first

    @property
    def last(self) -> int:
        """See Journal."""
        found = self.journal.last
        if not found and (known := unit_numbers(self.folder)):
            return self.unit(known[-1]).last
        return found

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """See Journal. Of history, those of the units read so far."""
        return {**self._layouts, **self.journal.layouts}

    @property
    def base(self) -> Base:
        """What retention kept of what it removed."""
        if not (self.folder / BASE_NAME).exists():
            return Base()
        return Base.read(self.folder)

    def unit(self, first: int) -> Unit:
        """A unit by its first sequence; its layouts and kernels are known from then on."""
        if first not in self._units:
            unit = self._units[first] = Unit.read(unit_folder(self.folder, first))
            self._layouts |= {name: unit.layout(name) for name in unit.layouts}
            self._manifests |= unit.kernels
        return self._units[first]

    def units(self, after: int = 0) -> list[Unit]:
        """The units that reach beyond `after`, in order."""
        known = unit_numbers(self.folder)
        wanted = [one for one, following in zip(known, [*known[1:], after + 2]) if following > after + 1]
        return [unit for unit in map(self.unit, wanted) if unit.last > after]

    def rows(
        self, after: int = 0, *, checked: bool = False, batches: bool = False, history_only: bool = False
    ) -> Iterator[Row]:
        """See Journal. From the start (`after` 0) what retention kept comes first, under the sequences it had.

        With `batches`, neighbouring rows of events may come as one: for folding, which makes the same of any cut. With
        `history_only`, what is still in the journal is left out.
        """


        def of_journal(wanted: int) -> Iterator[Row]:
            return iter(()) if history_only else self.journal.rows(wanted, checked=checked)

        def of_unit(unit: Unit, wanted: int) -> Iterator[Row]:
            if checked:
                _refuse_changed(unit)
            return _unit_rows(unit, wanted, batches=batches)

        return self._walk(after, of_unit, of_journal)

    def notes(self, *, history_only: bool = False) -> Iterator[Row]:
        """Rows without events and outputs: for the texts that they bring."""
        of_journal = (lambda wanted: iter(())) if history_only else None
        return self._walk(0, _unit_revisions, of_journal)

    def texts(self) -> Iterator[tuple[int, bytes]]:
        """Every text that is kept, under its number, in the order in which they came."""
        from simward.history.runs import unit_texts

        for row in self.base.rows():
            yield from row_texts(row)
        for unit in self.units():
            yield from unit_texts(unit)
        for row in self.journal.rows():
            yield from row_texts(row)

    def rows_about(self, keys: Iterable[int], since: int = 0) -> Iterator[Row]:
        """What concerns the subscriptions with these numbers (IMSI, ICCID, MSISDN), found by the index of the history.

        See about.rows_about. What is still in the journal comes whole; of units before `since` (us UTC) comes only what
        readers need to understand the rest.
        """
        wanted, decisions = frozenset(keys), set[int]()
        return self._walk(
            0, lambda unit, after: _unit_rows_about(unit, wanted, decisions, quietly=unit.at_last < since)
        )

    def rows_since(self, since: int) -> Iterator[Row]:
        """All rows; of units before `since` (us UTC) only what readers need to understand the rest."""

        def of_unit(unit: Unit, after: int) -> Iterator[Row]:
            return _unit_rows(unit, after) if unit.at_last >= since else _unit_rows_about(unit, frozenset())

        return self._walk(0, of_unit)

    def rows_decided(self) -> Iterator[Row]:
        """All rows for what was decided: of history, outputs and notes come without the events."""
        return self._walk(0, lambda unit, after: _unit_rows(unit, after, events=False))

    def runs(self, after: int = 0) -> Iterator[Piece]:
        """Everything beyond `after`, for folding: neighbouring rows of events as one run, history read ahead.

        From the start (`after` 0) what retention kept comes first, as in `rows`.
        """
        from simward.history.runs import ahead, gathered, unit_runs

        reached = after
        for piece in ahead(self._walk(after, unit_runs, lambda wanted: iter(()))):
            reached = piece.last
            yield piece
        reached = max(reached, self.base.last)
        yield from self._walk(reached, unit_runs, lambda wanted: gathered(self.journal.rows(wanted), self.layouts))

    def revisions(self) -> Iterator[Row]:
        """The rows of policy and inventory alone."""
        return (row for row in self._walk(0, _unit_revisions, self.journal.revisions) if row.kind != EVENTS)

    def follow(self, after: int = 0, *, poll_s: float = 0.05, stop: Stop | None = None) -> Iterator[Row]:
        """See Journal."""
        for row in self.rows(after):
            after = row.last
            yield row
            if stop is not None and stop():
                return
        while stop is None or not stop():
            try:
                for row in self.journal.follow(after, poll_s=poll_s, stop=stop):
                    after = row.last
                    yield row
            except JournalError:
                if not self.units(after):
                    raise
                for row in self.rows(after):
                    after = row.last
                    yield row

    def manifest(self, kernel: str) -> dict[str, Any]:
        """See Journal."""
        said = self.journal.manifest(kernel)
        if not said:
            if kernel not in self._manifests:
                self._manifests |= dict(self.base.kernels)
                self.units()
            said = json.loads(self._manifests.get(kernel, "{}"))
        return said

    def verify(self) -> Verification:
        """Compute the chain of digests again over history and journal, from the oldest that is kept on."""
        chain = Chain()
        known = unit_numbers(self.folder)
        if known:
            from simward.history.reading import check_unit

            base = self.base
            chain = Chain(base.last + 1, base.digest)
            for first in known:
                if first <= base.last:
                    continue  # it is being removed
                try:
                    said = check_unit(self.unit(first), chain)
                except JournalError as error:
                    said = str(error)
                if said:
                    return chain.wrong(chain.expected, said)
        return verify_segments(self.journal.folder, chain)

    def close(self) -> None:
        """See Journal."""
        self.journal.close()

    def append(self, row: Row) -> None:
        """Nobody appends here: JournalError."""
        raise JournalError("history is for reading")

    def register_kernel(self, kernel: str, manifest: Mapping[str, Any]) -> None:
        """Nobody registers here: JournalError."""
        raise JournalError("history is for reading")

    def register_layout(self, layout: Layout) -> None:
        """Nobody registers here: JournalError."""
        raise JournalError("history is for reading")

    def _walk(
        self, after: int, of_unit: Callable[[Unit, int], Iterator[Any]],
        of_journal: Callable[[int], Iterator[Any]] | None = None,
    ) -> Iterator[Any]:  # fmt: skip
        """Rows (or runs of them) of units, then of segments; where a segment became a unit in between, of that unit."""
        wanted, missed = after, 0
        if not after:
            base = self.base
            yield from base.rows()
            wanted = base.last
        while True:
            for unit in self.units(wanted):
                if wanted and unit.first > wanted + 1:
                    raise JournalGapError(wanted + 1, unit.first)
                try:
                    yield from (row for row in of_unit(unit, wanted) if row.last > wanted)
                except FileNotFoundError:
                    if unit.first in unit_numbers(self.folder):
                        raise
                    raise JournalGapError(max(wanted + 1, unit.first), self.first) from None  # retention was faster
                wanted = unit.last
            try:
                for row in (of_journal or self.journal.rows)(wanted):
                    wanted, missed = row.last, 0
                    yield row
                return
            except JournalError:
                missed += 1
                if missed > MOVED_WHILE_READING_MAX or not self.units(wanted):
                    raise


def _unit_rows(unit: Unit, after: int, *, batches: bool = False, events: bool = True) -> Iterator[Row]:
    from simward.history.reading import unit_rows

    return unit_rows(unit, after, batches=batches, events=events)


def _refuse_changed(unit: Unit) -> None:
    """JournalError where a unit is not as it was written, as far as its own digests can tell."""
    from simward.history.reading import check_unit

    chain = Chain(unit.first, bytes.fromhex(unit.previous))
    if said := check_unit(unit, chain):
        raise JournalError(f"sequence {chain.expected} of the history cannot be relied on: {said} (see simward verify)")


def _unit_revisions(unit: Unit, after: int) -> Iterator[Row]:
    return _unit_rows_about(unit, frozenset())


def _unit_rows_about(
    unit: Unit, keys: frozenset[int], decisions: set[int] | None = None, *, quietly: bool = False
) -> Iterator[Row]:
    from simward.history.about import rows_about
    from simward.history.index import FOR_ALL_KEY

    return rows_about(unit, keys | {FOR_ALL_KEY} if keys else keys, decisions, quietly=quietly)


def restored_from(data_dir: Path, journal: Journal) -> Journal:
    """What a start can fold from: the journal alone where it reaches back to the beginning, else history as well."""
    if isinstance(journal, SqliteJournal) and journal.first > 1:
        return WholeJournal(data_dir, journal)
    return journal
