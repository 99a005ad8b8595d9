"""Which cohort a subscription is in, by its use case, model and radio access."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit
def key_of(row, use_case):  # type: ignore[no-untyped-def]
    """layouts.cohort_key, of a row of BEHAVIOUR."""
    return (np.int64(use_case) << np.int64(40)) | (np.int64(row.tac) << np.int64(8)) | np.int64(row.rat)


def mixed_16(key):  # type: ignore[no-untyped-def]
    """16 bits of a key (or of an array of keys), above 0, by which a row notices that it has another than before."""
    mixed = ((key ^ (key >> 23) ^ (key >> 40)) & 0x7FFFFFFF) * 0x9E3779B1
    return 1 + (mixed >> 17) % 65_535


key_16 = njit(mixed_16)


@njit
def position_of(keys, key):  # type: ignore[no-untyped-def]
    """Where a key is among the sorted ones, -1 = it is not there."""
    low, high = np.int64(0), np.int64(len(keys))
    while low < high:
        middle = (low + high) // np.int64(2)
        if keys[middle] < key:
            low = middle + np.int64(1)
        else:
            high = middle
    return low if low < len(keys) and keys[low] == key else np.int64(-1)
