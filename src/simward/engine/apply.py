"""Revisions as journal rows: what the gate does between batches, and the command line where no gate is running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from simward.engine.fold import Fold
from simward.engine.journal import INVENTORY, POLICY, Journal, Row, events_row
from simward.engine.ownership import of_its_owner
from simward.engine.tables import DECLARED, OWNED_BY_API, STATE_BITS, InventoryDelta, PolicyTables

Revision = PolicyTables | InventoryDelta


def revision_row(fold: Fold, revision: Revision, at: int) -> Row:
    """Fold a revision and return the row that records it: to be appended before anything later is.

    What it says of a subscription whose line somebody else owns is neither folded nor recorded.
    """
    first = fold.sequence + 1
    if isinstance(revision, InventoryDelta):
        revision = of_its_owner(fold.state, revision)
    if isinstance(revision, PolicyTables):
        kind, outputs = POLICY, fold.policy(revision, at)
    else:
        kind, outputs = INVENTORY, fold.inventory(revision, at)
    bare = events_row(first, at, fold.kernel, outputs[:0], outputs, fold.state.texts.take_new())
    return Row(first, 1, kind, at, fold.kernel, revision.to_bytes(), bare.outputs, bare.notes)


def apply_offline(fold: Fold, journal: Journal, revisions: Iterable[Revision], at: int) -> Iterator[Revision]:
    """Append revisions straight to the journal (the caller holds its writer lock); yields each once it is durable."""
    for revision in revisions:
        journal.append(revision_row(fold, revision, at))
        yield revision


def declared(fold: Fold) -> tuple[np.ndarray, list[str]]:
    """The inventory as the fold holds it: DECLARED rows, and the use-case names that they point into."""
    table = fold.state.subscriptions[: int(fold.state.meta["subscriptions"][0])]
    used = table[np.asarray(table["imsi"]) != 0]
    lines = np.zeros(len(used), DECLARED)
    for name, column in (
        ("imsi", "imsi"), ("iccid", "iccid"), ("msisdn", "msisdn"), ("imei", "declared_imei"),
        ("use_case", "use_case"), ("state", "lifecycle"),
    ):
        lines[name] = used[column]
    lines["owner"] = (lines["state"] & OWNED_BY_API) != 0
    lines["state"] &= STATE_BITS
    return lines, list(fold.state.policy.names["use_cases"])
