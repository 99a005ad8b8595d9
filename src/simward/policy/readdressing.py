"""How many subscriptions would get other addresses from changed pools."""

from __future__ import annotations

import numpy as np

from simward.engine.pools import moved_numbers, same_segments
from simward.engine.tables import PolicyTables

COLUMNS = ("prefix_base", "prefix_length", "ipv6_high", "ipv6_low", "delegated_base", "delegated_length", "bare")
"""What decides, beside the number and the first one, which addresses a number stands for."""


def readdressed(old: PolicyTables, new: PolicyTables, use_case: np.ndarray, numbers: np.ndarray) -> int:
    """Of subscriptions with these use cases (of `old`) and numbers in their main segments (0 = none yet)."""
    segment = old.use_cases["segment"][use_case]
    there = same_segments(old, new)
    count = 0
    for before in np.unique(segment[numbers != 0]).tolist():
        held = numbers[(segment == before) & (numbers != 0)].astype(np.int64)
        after = int(there[before])
        if not after:
            count += len(held)
            continue
        moved = moved_numbers(held, old, before, new, after, False)
        was, now = old.segments[before], new.segments[after]
        steps = held - int(was["pool_first"]), moved - int(now["pool_first"])
        ipv6 = any(now[name] for name in ("prefix_length", "ipv6_high", "ipv6_low", "delegated_length"))
        same = (moved != 0) & ((steps[0] == steps[1]) | (not ipv6))
        same &= (held == moved) | bool(now["bare"] and was["bare"])
        same &= all(int(was[name]) == int(now[name]) for name in COLUMNS)
        count += int(np.count_nonzero(~same))
    return count
