"""Seconds and octets out of a column of an operator's texts: in its units, with its decimal mark, or as HH:MM:SS."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from simward.wire import text

OCTETS = {
    "B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}  # fmt: skip
DURATIONS = {"s": Fraction(1), "ms": Fraction(1, 1000), "min": Fraction(60), "h": Fraction(3600)}
MARKS = (".", ",")
CLOCK = re.compile(r"([0-9]{1,6}):([0-5][0-9]):([0-5][0-9])")
NUMBERS = {mark: re.compile(rf"[0-9]{{1,17}}({re.escape(mark)}[0-9]{{0,30}})?") for mark in MARKS}


def amounts(values: Any, most: int, unit: Fraction, mark: str, *, clock: bool) -> tuple[np.ndarray, np.ndarray]:
    """Whole seconds or octets of an Arrow column of texts, -1 where none is said; and where it cannot be read.

    What is counted in `unit` comes out in ones, and a fraction counts as one more. `mark` separates a number's
    fraction. With `clock`, HH:MM:SS is read too. More than `most` cannot be meant.
    """
    offsets, octets = text.layout(values)
    made, odd = np.full(len(values), -1, np.int64), np.zeros(len(values), np.bool_)
    text.numbers(octets, offsets, made, odd)
    over = made > most * unit.denominator // unit.numerator
    if unit != 1:
        said = (made >= 0) & ~over
        made[said] = -(-made[said] * unit.numerator // unit.denominator)
    if odd.any():
        rows = np.flatnonzero(odd)
        encoded = values.take(rows).dictionary_encode()
        read = [_amount(one, unit, mark, clock) for one in encoded.dictionary.to_pylist()]
        made[rows] = np.array([min(one, most + 1) for one in read], np.int64)[np.asarray(encoded.indices)]
        odd, over = odd & (made < 0), over | (made > most)
    wrong = odd | over
    made[wrong] = -1
    return made, wrong


def _amount(value: str, unit: Fraction, mark: str, clock: bool) -> int:
    """What is no plain whole number; -1 where it is none at all."""
    found = CLOCK.fullmatch(value) if clock else None
    if found:
        hours, minutes, seconds = map(int, found.groups())
        return (hours * 60 + minutes) * 60 + seconds
    if not NUMBERS[mark].fullmatch(value):
        return -1
    exact = Decimal(value.replace(mark, ".")) * unit.numerator / unit.denominator
    return int(exact.to_integral_value(ROUND_CEILING))
