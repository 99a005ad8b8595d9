"""Follows what gate and watch recorded: facts, mirrors, incidents, announcements and the cursor in one transaction.

Nothing is judged again. Killed anywhere, it goes on at its cursor: what was committed is not done twice, what was not
is done again, under the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa

from simward.control.inventory_mirror import InventoryMirror
from simward.control.pace import Pace
from simward.control.revision_mirror import RevisionMirror
from simward.engine.both_journals import BothJournals, findings_folder
from simward.engine.journal import INVENTORY, POLICY, JournalGapError, Row, row_texts
from simward.engine.sqlite_journal import SqliteJournal
from simward.engine.words import Lexicon
from simward.history.followers import note_read
from simward.history.whole import WholeJournal
from simward.logs import called
from simward.registry.cursors import CONTROL, Cursor, keep_texts, kept_texts, move_cursor, read_cursor
from simward.registry.database import Registry
from simward.registry.inventory import forget
from simward.response.facts import Fact
from simward.response.mirroring import Mirroring
from simward.response.reading import Reading

log = logging.getLogger(__name__)

STEP_ROWS, STEP_FACTS = 512, 1000
"""What one transaction takes at most, however fast it goes."""
PART_OUTPUTS = 50
"""What it takes at least: a row with more outputs comes in parts."""
NOTE_EVERY_EVENTS = 100_000


class Taker(Protocol):
    """Something that follows from facts, inside the transaction that moves the cursor."""

    def take(self, connection: sa.Connection, fact: Fact) -> None:
        """Take one fact; the same fact is never taken twice in what is committed."""


@runtime_checkable
class TakesGaps(Protocol):
    """A taker that wants to know of what it never got."""

    def gap(self, connection: sa.Connection, first: int, last: int) -> None:
        """Sequences `first` to `last` were gone before anybody followed them."""


@runtime_checkable
class AwaitsDevices(Protocol):
    """A taker that wants to know of the next sign of life of some subscriptions."""

    attaching: dict[int, str]
    """Their IMSIs and MSISDNs (numbers) -> the IMSI."""

    def begin(self, connection: sa.Connection) -> None:
        """Read from the registry whose; what it had in memory may be ahead."""


class Following:
    """One follower a working folder. `step` from one thread."""

    def __init__(
        self, data_dir: Path, registry: Registry, takers: Sequence[Taker], before: Sequence[Taker] = ()
    ) -> None:
        """Go on at the cursor. `before` take a fact while the mirrors say what was before it, `takers` after that.

        Raises JournalError and RegistryError where it cannot begin.
        """
        self.data_dir, self.registry = data_dir, registry
        self._before, self._takers = before, takers
        self._awaits = [one for one in takers if isinstance(one, AwaitsDevices)]
        self.policy: tuple[int, bytes] | None = None
        """The policy in force as of the cursor: its sequence, and as it was journalled."""
        self._whole = WholeJournal.open(data_dir)
        self._found = SqliteJournal.open(findings_folder(data_dir), writer=False)
        self.mirroring, self.inventory = Mirroring(), InventoryMirror(registry)
        self._pace = Pace(STEP_FACTS)
        self.revisions = RevisionMirror()
        self.facts = self.gaps = self._noted = 0
        self.followed_at = 0
        self._begin()

    @property
    def cursor(self) -> Cursor:
        """How far it is."""
        return self._cursor

    @property
    def lag(self) -> int:
        """How many sequences of the gate's journal it has not taken yet."""
        return max(0, self._whole.last - self._cursor.gate)

    def step(self) -> int:
        """Take some of what is new; returns how many rows that were. On an error it goes on at the cursor."""
        try:
            with closing(self._journal.more()) as more:  # type: ignore[type-var]
                return self._take(more)
        except JournalGapError as error:
            self._skip(error)
            return 1
        except Exception:
            self._begin()  # what is in memory is ahead of the registry
            raise

    def close(self) -> None:
        """Give the journals back."""
        self._whole.close()
        self._found.close()

    def _take(self, more: Iterator[Row]) -> int:
        rows: list[Row] = []
        facts: list[Fact] = []
        to = self._cursor
        for row in more:
            if row.kind in (POLICY, INVENTORY):
                if rows:
                    self._commit(rows, facts, to)
                self._take_revision(row)
                return len(rows) + 1
            rows.append(row)
            facts += self._facts(row)
            gate, watch = self._journal.told
            to = replace(self._cursor, gate=gate, watch=watch)
            if len(rows) >= STEP_ROWS or len(facts) >= self._pace.facts:
                break
        if rows:
            self._commit(rows, facts, to)
        return len(rows)

    def _take_revision(self, row: Row) -> None:
        """A revision of policy or inventory, by itself: it may be about a million subscriptions.

        The mirror of them is written in pieces before the cursor moves, each of which may be written again; told to
        others is only what is in the transaction that moves the cursor.
        """
        facts, gone = self._facts(row), []
        gate, watch = self._journal.told
        to = replace(self._cursor, gate=gate, watch=watch)
        if row.kind == POLICY:
            self.policy = (row.first, row.inputs)
            self.inventory.relabel(self._reading.lexicon)
        else:
            gone = self.inventory.take(row, self._reading.lexicon)
        self._commit([row], facts, to, gone)

    def _commit(self, rows: list[Row], facts: list[Fact], to: Cursor, gone: Sequence[str] = ()) -> None:
        """Take facts and move the cursor, in one transaction; forget who is in the inventory no more (IMSIs)."""
        with self.registry.writing() as connection, self._pace.held(len(facts)):
            for row in rows:
                keep_texts(connection, row_texts(row))
            for fact in facts:
                for taker in (*self._before, self.mirroring, *self._takers):
                    taker.take(connection, fact)
            forget(connection, gone)
            if rows[0].kind == INVENTORY:
                self.inventory.done(connection, rows[0])
            if rows[0].kind in (POLICY, INVENTORY):
                self.revisions.take(connection, rows[0])
            move_cursor(connection, to)
        self._moved(to, rows[-1].at, len(facts))

    def _facts(self, row: Row) -> list[Fact]:
        facts = []
        attaching = self._awaits[0].attaching if self._awaits else {}
        for fact in self._reading.take(row, self.mirroring.awaited, attaching):
            self.mirroring.expect(fact)
            facts.append(fact)
        return facts

    def _moved(self, to: Cursor, at: int, facts: int) -> None:
        self._cursor, self.followed_at = to, at
        self.facts += facts
        if to.gate - self._noted >= NOTE_EVERY_EVENTS:
            note_read(self.data_dir, CONTROL, to.gate)
            self._noted = to.gate

    def _begin(self) -> None:
        """From the registry: the cursor, the texts, the names of the policy in force there."""
        with self.registry.reading() as connection:
            cursor, texts = read_cursor(connection), kept_texts(connection)
            self.mirroring.begin(connection)
            for one in self._awaits:
                one.begin(connection)
        self._journal: BothJournals[Any] = BothJournals(
            self._whole, self._found, cursor.gate, cursor.watch, outputs_max=PART_OUTPUTS,
            with_verdicts=True,
        )
        lexicon = Lexicon(self._journal.manifest)
        lexicon.load(texts)
        for row in self._whole.revisions():
            if row.kind == POLICY and row.first <= cursor.gate:
                lexicon.policy(row.inputs)
                self.policy = (row.first, row.inputs)
        self.inventory.catch_up(self._whole.revisions(), cursor.gate, lexicon)
        with self.registry.writing() as connection:
            self.revisions.catch_up(connection, self._whole.revisions(), cursor.gate)
        self._reading = Reading(lexicon, _Layouts(self._journal))
        self._cursor = cursor

    def _skip(self, gap: JournalGapError) -> None:
        """Rows that it had not read are gone: it says so, and goes on with what is there."""
        first = gap.found or self._whole.first
        if not first:
            raise gap
        log.error(
            "sequences %d to %d are gone and were not followed", self._cursor.gate + 1, first - 1,
            extra=called("journal-gap", first=self._cursor.gate + 1, last=first - 1),
        )
        self.gaps += 1
        with self.registry.writing() as connection:
            for taker in self._takers:
                if isinstance(taker, TakesGaps):
                    taker.gap(connection, self._cursor.gate + 1, first - 1)
            move_cursor(connection, replace(self._cursor, gate=first - 1))
        self._begin()


class _Layouts(dict[str, Any]):
    """The layouts that the journals describe, asked for when a row names one: a newer gate may bring another."""

    def __init__(self, journal: BothJournals[Any]) -> None:
        super().__init__()
        self._journal = journal

    def get(self, key: str, default: Any = None) -> Any:
        """The layout of this id, or `default`."""
        return self._journal.layouts.get(key, default)

    def __bool__(self) -> bool:
        return True
