"""What call detail records add up to: calls by class of destination, messages and octets, a row for each subscription.

It reads the journal once, and keeps sums alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pyarrow as pa

from simward.engine.call_records import (
    DATA,
    DESTINATION_NAMES,
    NOT_SAID,
    PREMIUM,
    RECORD,
    SHORT_MESSAGE,
    VOICE,
    row_records,
)
from simward.engine.journal import Layout, Row

VOICE_CLASSES = {number: name or "other" for number, name in enumerate(DESTINATION_NAMES)}
"""`other`: the record does not say who was called."""
SUMS = (
    "calls", *(f"voice_{name}_s" for name in VOICE_CLASSES.values()), "premium_calls", "messages", "premium_messages",
    "data_sessions", "uplink_octets", "downlink_octets",
)  # fmt: skip
PARTS_MOST = 64
"""So many sums of rows wait at most before they become one."""
assert VOICE_CLASSES[NOT_SAID] == "other"


class UsageSums:
    """Feed it rows; `table` has what they add up to.

    `wanted` chooses among records (all, unless given). With `by_network` there is a row for each network visited.
    """

    def __init__(self, wanted: Callable[[np.ndarray], np.ndarray] | None = None, *, by_network: bool = False) -> None:
        self._wanted = wanted
        self._keys = ["imsi", "msisdn", *(["plmn"] if by_network else [])]
        self._parts: list[pa.Table] = []

    def take(self, rows: Iterable[Row], layouts: Mapping[str, Layout]) -> None:
        """Add what rows say."""
        for row in rows:
            records = row_records(row, layouts)
            if self._wanted is not None:
                records = records[self._wanted(records)]
            if len(records):
                self._parts.append(self._summed(self._columns(records)))
            if len(self._parts) >= PARTS_MOST:
                self._parts = [self.table()]

    def table(self) -> pa.Table:
        """Columns `imsi`, `msisdn` (0 where there is an IMSI), perhaps `plmn`, then SUMS, `first_at` and `last_at`."""
        if not self._parts:
            return self._summed(self._columns(np.zeros(0, RECORD)))
        return self._summed(pa.concat_tables(self._parts))

    def _columns(self, records: np.ndarray) -> pa.Table:
        kind, destination = records["kind"], records["destination"]
        seconds = np.where(kind == VOICE, np.maximum(records["duration_s"], 0), 0).astype(np.int64)
        premium = destination == PREMIUM
        made = {name: records[name] for name in self._keys}
        made["msisdn"] = np.where(records["imsi"] == 0, records["msisdn"], 0)
        made["calls"] = kind == VOICE
        made |= {f"voice_{name}_s": np.where(destination == one, seconds, 0) for one, name in VOICE_CLASSES.items()}
        made["premium_calls"], made["premium_messages"] = premium & (kind == VOICE), premium & (kind == SHORT_MESSAGE)
        made["messages"], made["data_sessions"] = kind == SHORT_MESSAGE, kind == DATA
        for name in ("uplink_octets", "downlink_octets"):
            made[name] = np.where(kind == DATA, np.maximum(records[name], 0), 0)
        made["first_at"] = made["last_at"] = records["happened_at"]
        return pa.table({name: pa.array(np.ascontiguousarray(one, np.int64)) for name, one in made.items()})

    def _summed(self, table: pa.Table) -> pa.Table:
        wanted = [*((name, "sum") for name in SUMS), ("first_at", "min"), ("last_at", "max")]
        summed = table.group_by(self._keys, use_threads=False).aggregate(wanted)
        named = {f"{name}_{how}": name for name, how in wanted}
        return summed.rename_columns([named.get(name, name) for name in summed.column_names])
