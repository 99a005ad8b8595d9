"""One integer hash for every table, the same compiled and interpreted."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit
def mix(value):  # type: ignore[no-untyped-def]
    """Spread a non-negative int64 over 62 bits; products stay below 2**63, so that interpreted code agrees."""
    low = np.int64(value) & np.int64(0x7FFFFFFF)
    high = (np.int64(value) >> np.int64(31)) & np.int64(0x7FFFFFFF)
    mixed = low * np.int64(1540483477) + high * np.int64(1103515245)
    mixed = mixed ^ (mixed >> np.int64(29))
    mixed = ((mixed & np.int64(0x7FFFFFFF)) * np.int64(1597334677)) ^ (mixed >> np.int64(31))
    return (mixed ^ (mixed >> np.int64(27))) & np.int64(0x3FFFFFFFFFFFFFFF)
