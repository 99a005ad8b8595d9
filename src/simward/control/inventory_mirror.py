"""Mirrors the inventory: a revision may hold a million lines, so it is written in pieces that may be written again.

Each piece is a transaction, so that others write between them. Killed anywhere, the revision is mirrored again from its
beginning: it comes to the same, and only then the cursor moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from simward import identity
from simward.engine.journal import INVENTORY, Row
from simward.engine.tables import LIFECYCLE, OF_API, InventoryDelta
from simward.engine.words import Lexicon
from simward.registry import inventory as kept
from simward.registry.cursors import Cursor, move_cursor, read_cursor
from simward.registry.database import Registry

CURSOR = "inventory"
PIECE = 1000
"""Lines a transaction: others wait for as long as one takes."""


class InventoryMirror:
    """Writes the mirror of subscriptions; from the thread that follows."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def catch_up(self, revisions: Iterable[Row], to: int, lexicon: Lexicon) -> None:
        """Mirror the revisions up to `to` that were followed before the inventory was mirrored at all."""
        with self._registry.reading() as connection:
            done = read_cursor(connection, CURSOR).gate
        late = False
        for row in revisions:
            if row.kind == INVENTORY and done < row.first <= to:
                gone = self.take(row, lexicon)
                with self._registry.writing() as connection:
                    kept.forget(connection, gone)
                    self.done(connection, row)
                late = True
        if late:
            self.relabel(lexicon)

    def take(self, row: Row, lexicon: Lexicon) -> list[str]:
        """Mirror what a revision adds and changes; gives the IMSIs that it removes, for whoever moves the cursor."""
        delta = InventoryDelta.from_bytes(row.inputs)
        of = [_labels(lexicon, name) for name in delta.use_cases]
        for start in range(0, len(delta.upserts), PIECE):
            lines = list(_lines(delta.upserts[start : start + PIECE], of, row.first, row.at))
            with self._registry.writing() as connection:
                kept.note_declared(connection, lines)
        return [identity.imsi_text(imsi) for imsi in delta.removals.tolist()]

    def relabel(self, lexicon: Lexicon) -> None:
        """A policy is in force: say of the members of each use case whose they are, where that has changed."""
        for name in lexicon.use_cases:
            labels = _labels(lexicon, name)
            changed = PIECE
            while changed == PIECE:
                with self._registry.writing() as connection:
                    changed = kept.relabel(connection, name, labels["tenant"], labels["segment"], PIECE)

    @staticmethod
    def done(connection: Any, row: Row) -> None:
        """It is mirrored up to this revision."""
        move_cursor(connection, Cursor(gate=row.last), CURSOR)


def _labels(lexicon: Lexicon, use_case: str) -> dict[str, Any]:
    number = lexicon.use_case_number(use_case)
    return {
        "use_case": use_case, "tenant": lexicon.tenant_of(number), "segment": lexicon.segment_of(number) or None
    }  # fmt: skip


def _lines(
    declared: np.ndarray, of: list[dict[str, Any]], sequence: int, at: int
) -> Iterator[dict[str, Any]]:
    columns = [declared[name].tolist() for name in ("imsi", "iccid", "msisdn", "imei", "use_case", "state", "owner")]
    for imsi, iccid, msisdn, imei, use_case, state, owner in zip(*columns, strict=True):
        yield {
            "imsi": identity.imsi_text(imsi), "iccid": identity.iccid_text(iccid),
            "msisdn": identity.msisdn_text(msisdn) or None, "declared_imei": identity.imei_text(imei) or None,
            "state": LIFECYCLE[state], "owner": "api" if owner == OF_API else "files", "as_of_seq": sequence,
            "number_since": at, **of[use_case],
        }  # fmt: skip
