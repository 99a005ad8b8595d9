"""Columns of digits -> integers, a whole column at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WIDTH = 20
"""The longest identity in digits: an ICCID."""

LENGTHS = {"imsi": (14, 15), "iccid": (18, 20), "msisdn": (5, 15)}
POWERS = 10 ** np.arange(19, dtype=np.int64)


def digits_of(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The digits of each text as u1[n, 20], and how many there are: -1 where it is not 1 to 20 plain digits."""
    # One character more than fits shows which texts were cut.
    wide = np.array(texts, dtype=f"U{WIDTH + 1}").reshape(len(texts), 1).view(np.uint32).reshape(len(texts), WIDTH + 1)
    there = wide != 0
    counts = there.sum(axis=1)
    plain = ((wide >= ord("0")) & (wide <= ord("9"))) == there
    counts[~plain.all(axis=1) | (counts == 0) | (counts > WIDTH)] = -1
    return (np.where(there, wide - ord("0"), 0)[:, :WIDTH]).astype(np.uint8), counts.astype(np.int64)


def prefixed(digits: np.ndarray, counts: np.ndarray, column: str) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of an "imsi", "iccid" or "msisdn" column as identity.py has them, and which rows are plain enough."""
    least, most = LENGTHS[column]
    plain = (counts >= least) & (counts <= most)
    skip = 0
    if column == "iccid":
        plain &= (digits[:, 0] == 8) & (digits[:, 1] == 9)
        skip = 2  # an ICCID is kept without its leading 89
    if column == "msisdn":
        plain &= digits[:, 0] != 0
    numbers = np.ones(len(digits), np.int64)
    for position in range(skip, most):
        numbers = np.where(position < counts, numbers * 10 + digits[:, position], numbers)
    return np.where(plain, numbers, 0), plain


def imei_numbers(digits: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Devices: the first 14 of 14 to 16 digits."""
    numbers = digits[:, :14].astype(np.int64) @ POWERS[13::-1]
    plain = (counts >= 14) & (counts <= 16) & (numbers != 0)
    return np.where(plain, numbers, 0), plain


def luhn_wrong(iccids: np.ndarray) -> np.ndarray:
    """Which ICCIDs of 19 or 20 digits do not end in their Luhn digit (ISO/IEC 7812-1); 18 digits carry none."""
    rest = iccids.copy()
    total = np.zeros(len(iccids), np.int64)
    length = np.zeros(len(iccids), np.int64)
    for position in range(20):
        # What is kept begins with a 1 that stands for "89": from the right, that is where the number ends.
        last = rest < 10
        ended = rest == 0
        digit = np.where(last, 0, rest % 10)
        length += ~(last | ended)
        doubled = digit * 2 - 9 * (digit > 4) if position % 2 else digit
        total += doubled
        rest = np.where(last, 0, rest // 10)
    # The two digits of the prefix, at the positions behind the kept ones.
    even = length % 2 == 0
    total += np.where(even, 9 + _doubled(8), _doubled(9) + 8)
    wrong: np.ndarray = (iccids != 0) & (length >= 17) & (total % 10 != 0)
    return wrong


def _doubled(digit: int) -> int:
    return digit * 2 - 9 if digit > 4 else digit * 2
