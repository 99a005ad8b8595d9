"""Who owns the line of a subscription: files leave alone what the API owns, also where the two cross on their way."""

from __future__ import annotations

import numpy as np

from simward.compiled import entry
from simward.engine.lookup import find_imsi
from simward.engine.rows import subscription_at
from simward.engine.state import INDEX_SOURCES, State
from simward.engine.tables import OF_API, OF_FILES, OWNED_BY_API, InventoryDelta

UNKNOWN, FILES, API = 0, 1, 2


def owners(tables, imsis, found):  # type: ignore[no-untyped-def]
    """Write into `found` (u1) who owns the line of each IMSI: UNKNOWN where there is no such subscription."""
    t = tables[0]
    for position in range(len(imsis)):
        row = find_imsi(t, imsis[position])
        if row < 0:
            found[position] = UNKNOWN
        elif np.int64(subscription_at(t, row).lifecycle) & OWNED_BY_API:
            found[position] = API
        else:
            found[position] = FILES


owners_of_rows = entry(owners, depends=INDEX_SOURCES)


def owners_of(state: State, imsis: np.ndarray) -> np.ndarray:
    """Who owns the line of each of these IMSIs (i8): u1, UNKNOWN, FILES or API."""
    found = np.zeros(len(imsis), np.uint8)
    owners_of_rows(state.tables(), np.ascontiguousarray(imsis, np.int64), found)
    return found


def of_its_owner(state: State, delta: InventoryDelta) -> InventoryDelta:
    """What of a revision may be done: files change and remove nothing that the API owns; the API adds nothing."""
    before, gone = owners_of(state, delta.upserts["imsi"]), owners_of(state, delta.removals)
    owner = delta.upserts["owner"]
    stands = ~((owner == OF_FILES) & (before == API)) & ~((owner == OF_API) & (before == UNKNOWN))
    if stands.all() and not (gone == API).any():
        return delta
    return InventoryDelta(delta.upserts[stands], delta.removals[gone != API], delta.use_cases)
