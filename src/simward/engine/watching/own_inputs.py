"""The watch fold's own inputs: what its own journal brings besides the gate's, each before one sequence of the gate's.

Fits of a day and people's verdicts come in this way, so that the state is the fold of the gate's journal and of these:
how a fit was reckoned, and when it was done, does not matter for folding again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simward.engine.behaviour.renumbering import Renumbering
from simward.engine.behaviour.revision import Revision, RevisionUnreadable
from simward.engine.journal import BEHAVIOUR, Journal, Row
from simward.engine.tables import pack, unpack
from simward.errors import JournalError

if TYPE_CHECKING:
    from simward.engine.watching.fold import WatchFold

SETTLED, UNFITTED, VERDICT = "settled", "unfitted", "verdict"
"""Kinds: a day was fitted; a day could not be (it passes unjudged); a person judged what was found."""


@dataclass(frozen=True)
class OwnInput:
    """One of them. `octets` is what a fit gave (empty for the other kinds), `said` the rest of it as JSON."""

    kind: str
    said: dict[str, Any]
    octets: bytes = b""

    def to_bytes(self) -> bytes:
        """The form that is journalled."""
        return pack({"octets": np.frombuffer(self.octets, np.uint8)}, {"kind": self.kind, **self.said})

    @staticmethod
    def from_bytes(blob: bytes) -> OwnInput:
        """The reverse of `to_bytes`; JournalError where it is not of this form."""
        try:
            arrays, said = unpack(blob)
            return OwnInput(str(said.pop("kind")), said, arrays["octets"].tobytes())
        except (KeyError, ValueError) as error:
            raise JournalError(f"an input of the watch's own journal cannot be read: {error}") from error


class Awaited:
    """Own inputs that are journalled and not taken yet, by the sequence of the gate's that each comes after."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Callable[[], bytes]]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, after: int, read: Callable[[], bytes]) -> None:
        """One more, later than those before; `read` is asked for it when its turn comes."""
        self._waiting.append((after, read))

    def load(self, rows: Iterable[Row], journal: Journal) -> None:
        """Those among rows of the watch's journal, which are read again when their turn comes."""
        for row in rows:
            if row.kind == BEHAVIOUR:
                self.add(row.last, lambda last=row.last: read_own(journal, last))  # type: ignore[misc]

    def due(self, sequence: int) -> Iterator[OwnInput]:
        """Those that are to be taken before the gate's `sequence` is folded, in order; each is given once."""
        while self._waiting and self._waiting[0][0] < sequence:
            yield OwnInput.from_bytes(self._waiting.popleft()[1]())

    def room(self, first: int, most: int) -> int:
        """How many sequences from `first` on, at most `most`, may be folded before the next is due."""
        return min(most, self._waiting[0][0] - first + 1) if self._waiting else most


def read_own(journal: Journal, last: int) -> bytes:
    """The own input in the row of the watch's journal that ends with a sequence; JournalError where there is none."""
    for row in journal.rows(after=last - 1):
        if row.kind == BEHAVIOUR and row.last == last:
            return row.inputs
        break
    raise JournalError(f"the watch's journal has no input of its own after sequence {last}")


def newest_fit(watch: WatchFold, journal: Journal) -> bytes:
    """What the newest fit gave that was taken, by the numbers of today's policy; empty where there is none, or the
    journal no longer has it, or its format is another one."""
    after = int(watch.last_day.get("fit_after", 0))
    try:
        octets = OwnInput.from_bytes(read_own(journal, after)).octets if after else b""
        moved = Renumbering.between(watch.fit_names, watch.names)
        return octets if moved is None or not octets else moved.revision(Revision.read(octets)).octets()
    except (JournalError, RevisionUnreadable):
        return b""
