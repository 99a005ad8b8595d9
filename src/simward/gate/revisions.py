"""Revisions on their way from the command line to the gate: pieces in a folder, applied one between two batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from simward.engine.apply import Revision, revision_row
from simward.engine.fold import Fold
from simward.engine.outputs import OUTPUT, sent_disconnects
from simward.engine.revision_checks import checked_inventory, checked_policy
from simward.engine.tables import InventoryDelta, PolicyTables
from simward.errors import ConfigurationError, UsageError
from simward.gate.commands import past_control
from simward.gate.control import Call
from simward.gate.in_force import InForce
from simward.gate.recorder import Recorder
from simward.revising.pieces import read_revision

KINDS: dict[str, Callable[[bytes], Revision]] = {
    "policy": lambda octets: checked_policy(PolicyTables.from_bytes(octets)),
    "inventory": lambda octets: checked_inventory(InventoryDelta.from_bytes(octets)),
}


def read_piece(path: Path) -> Revision:
    """One piece, checked: UsageError where it is none, or where it would have compiled code look beyond a table."""
    try:
        return KINDS[path.stem.partition("-")[2]](path.read_bytes())
    except UsageError:
        raise
    except Exception as error:  # NumPy reads the header of an array as Python, so other octets can raise anything
        raise UsageError(f"{type(error).__name__}: {error}") from error


class Applying:
    """At most one revision under way; each `step` folds and records one piece of it."""

    def __init__(
        self, fold: Fold, recorder: Recorder, now: Callable[[], int], monotonic: Callable[[], float],
        in_force: InForce | None = None,
    ) -> None:
        """`in_force` is told of each policy: before, when it may still refuse it, and after."""
        self._fold, self._recorder, self._now, self._monotonic = fold, recorder, now, monotonic
        self._in_force = in_force
        self._pieces: Iterator[Path] | None = None
        self._call: Call | None = None
        self._note: dict[str, str] = {}
        self._first = self._cut = 0

    def begin(self, call: Call) -> None:
        """The command `apply`: answered when the last piece is durable."""
        if self._pieces is not None:
            raise UsageError("another revision is being applied")
        if not self._recorder.durable:
            raise UsageError("the journal cannot be written now")
        name = call.payload.get("revision")
        if not isinstance(name, str) or not name:
            raise UsageError("revision: the folder that holds it")
        paths, note = read_revision(Path(name))
        self._note = note | past_control(call.payload, note)
        self._pieces, self._call, self._first, self._cut = iter(paths), call, self._fold.sequence + 1, 0

    def step(self) -> bool:
        """Apply one piece; True while there may be more to do."""
        if self._pieces is None or self._call is None:
            return False
        if not self._recorder.durable:
            return False  # the loop tries the journal again, and then this goes on
        path = next(self._pieces, None)
        if path is None:
            self._end()
            return False
        try:
            piece = read_piece(path)
        except UsageError as error:
            return self._give_up(f"{path.name} is not taken: {error}; what came before it is applied")
        told = self._in_force if isinstance(piece, PolicyTables) else None
        if told is not None and isinstance(piece, PolicyTables):
            try:
                told.check(piece)
            except ConfigurationError as error:
                return self._give_up(f"{error}; the gate goes on as before")
        row = revision_row(self._fold, piece, self._now())
        notes = {**row.notes, "commands": {str(row.first): self._note}}
        outputs = np.frombuffer(row.outputs, OUTPUT)
        self._cut += len(sent_disconnects(outputs))
        self._recorder.append(replace(row, notes=notes), outputs, self._monotonic())
        if told is not None:
            told.take()
        return True

    def _give_up(self, why: str) -> bool:
        assert self._call is not None
        self._call.refuse(why)
        self._pieces = self._call = None
        return False

    def _end(self) -> None:
        assert self._call is not None
        meta = self._fold.state.meta
        self._call.answer(
            first=self._first, last=self._fold.sequence, subscriptions=int(meta["subscriptions_live"][0]),
            disconnects=self._cut,
        )
        self._pieces = self._call = None
