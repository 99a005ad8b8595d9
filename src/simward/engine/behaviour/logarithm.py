"""log2(1 + v) in 1/1024 for whole numbers, by a table that was made from whole numbers: the same on every machine."""

from __future__ import annotations

import numpy as np
from numba import njit

INDEX_BITS = 11
"""Bits after the leading one that are looked up: what they leave out is less than 1/1024 of an octave."""


def _log2_q10(mantissa: int, bits: int) -> int:
    """Round(1024 * log2(mantissa / 2**bits)) by repeated squaring, exactly enough: 16 binary digits are found first."""
    value, found = mantissa << 64 >> bits, 0
    for _ in range(16):
        value = value * value >> 64
        found <<= 1
        if value >> 65:
            value >>= 1
            found |= 1
    return (found + 32) >> 6


TABLE = np.array([_log2_q10((1 << INDEX_BITS) + at, INDEX_BITS) for at in range(1 << INDEX_BITS)], np.int64)


@njit
def log2_q10(value):  # type: ignore[no-untyped-def]
    """1024 * log2(1 + value), to less than two units; value is at least 0 and below 2**62."""
    grown = np.int64(value) + np.int64(1)
    octave, step = np.int64(0), np.int64(32)
    left = grown
    while step > 0:
        if left >> step != 0:
            left >>= step
            octave += step
        step //= np.int64(2)
    if octave > INDEX_BITS:
        index = grown >> (octave - np.int64(INDEX_BITS))
    else:
        index = grown << (np.int64(INDEX_BITS) - octave)
    return (octave << np.int64(10)) + TABLE[index - (np.int64(1) << np.int64(INDEX_BITS))]
