"""Which ids (of records, subscriptions) are known: a set of integers in one array, filled a batch at a time."""

from __future__ import annotations

import numpy as np

from simward import compiled
from simward.engine import hashing, rows
from simward.engine.hashing import mix
from simward.engine.rows import prefetch_of

ROOM_LEAST, AHEAD = 1 << 16, 16
fetch_place = prefetch_of(np.dtype("i8"))


def add_all(table, begin, ids, fresh):  # type: ignore[no-untyped-def]
    """Put ids (none of them 0) into a table that has room and begins at an address, and say of each whether it was not
    there.
    """
    mask = np.int64(len(table) - 1)
    for row in range(len(ids)):
        if row + AHEAD < len(ids):
            fetch_place(begin, mix(np.int64(ids[row + AHEAD])) & mask)
        wanted = np.int64(ids[row])
        at = mix(wanted) & mask
        while table[at] != 0 and table[at] != wanted:
            at = (at + np.int64(1)) & mask
        fresh[row] = table[at] == 0
        table[at] = wanted


_add = compiled.entry(add_all, depends=[hashing, rows])


class KnownIds:
    """16 to 32 octets an id."""

    def __init__(self) -> None:
        self._table = np.zeros(ROOM_LEAST, np.int64)
        self.count = 0

    def add(self, ids: np.ndarray) -> np.ndarray:
        """Know ids from now on; which of them were not known, and not before in `ids`."""
        self._make_room(self.count + len(ids))
        fresh = np.zeros(len(ids), np.bool_)
        _add(self._table, self._table.ctypes.data, np.ascontiguousarray(ids), fresh)
        self.count += int(np.count_nonzero(fresh))
        return fresh

    def _make_room(self, count: int) -> None:
        """At most half of the table is used, so that the next free place is near."""
        if 2 * count <= len(self._table):
            return
        known = self._table[self._table != 0]
        self._table = np.zeros(max(ROOM_LEAST, 1 << (2 * count - 1).bit_length()), np.int64)
        _add(self._table, self._table.ctypes.data, known, np.zeros(len(known), np.bool_))
