"""Numbers out of columns of text, compiled: digits, IPv4 addresses, ISO 8601 times. What is not plain is left alone.

A column of text is one run of octets and the offsets where each value begins (Arrow's layout). Each reader marks what
it could not read in `odd`: those few values are read again one by one, with a message that says what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simward import compiled
from simward.wire.radius import compiling
from simward.wire.radius.compiling import uncounted

DIGITS_MAX = 18
MICROS = 1_000_000


@uncounted
def _digit(octets, at):  # type: ignore[no-untyped-def]
    return np.int64(octets[at]) - np.int64(48)


@uncounted
def number_at(octets, start, end):  # type: ignore[no-untyped-def]
    """The decimal number in octets[start:end]; -1 where it is none, or has more than 18 digits."""
    if end <= start or end - start > DIGITS_MAX:
        return np.int64(-1)
    value = np.int64(0)
    for at in range(start, end):
        digit = _digit(octets, at)
        if digit < 0 or digit > 9:
            return np.int64(-1)
        value = value * np.int64(10) + digit
    return value


@uncounted
def read_digits(octets, offsets, least, most, made, odd):  # type: ignore[no-untyped-def]
    """Digits as prefix-1 decimals; an empty value is left as it is. A '+' in front is passed over."""
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if start == end:
            continue
        if octets[start] == 43:  # '+'
            start += 1
        value = number_at(octets, start, end)
        if value < 0 or end - start < least or end - start > most:
            odd[row] = True
            continue
        place = np.int64(1)
        for _ in range(end - start):
            place *= np.int64(10)
        made[row] = place + value


@uncounted
def read_numbers(octets, offsets, made, odd):  # type: ignore[no-untyped-def]
    """Whole numbers of at most 18 digits; an empty value is left as it is. A '+' in front is passed over."""
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if start == end:
            continue
        value = number_at(octets, start + 1 if octets[start] == 43 else start, end)
        if value < 0:
            odd[row] = True
        else:
            made[row] = value


@uncounted
def read_imei(octets, offsets, made, software, odd):  # type: ignore[no-untyped-def]
    """14, 15 or 16 digits: the first 14, and the last two of 16 as the software version."""
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if start == end:
            continue
        value = number_at(octets, start, start + 14) if 14 <= end - start <= 16 else np.int64(-1)
        rest = number_at(octets, start + 14, end) if end - start > 14 else np.int64(0)
        if value <= 0 or rest < 0:
            odd[row] = True
            continue
        made[row] = value
        if end - start == 16:
            software[row] = rest


@uncounted
def read_addresses(octets, offsets, made, odd):  # type: ignore[no-untyped-def]
    """Dotted IPv4 addresses in host order."""
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if start == end:
            continue
        value, parts, at = np.int64(0), 0, start
        while at <= end and parts < 4:
            stop = at
            while stop < end and octets[stop] != 46:  # '.'
                stop += 1
            number = number_at(octets, at, stop) if stop - at <= 3 else np.int64(-1)
            if number < 0 or number > 255:
                break
            value = value << np.int64(8) | number
            parts += 1
            at = stop + 1
        if parts == 4 and at == end + 1:
            made[row] = value
        else:
            odd[row] = True


@uncounted
def _days(year, month, day):  # type: ignore[no-untyped-def]
    """Days since 1970-01-01 in the proleptic Gregorian calendar."""
    if month <= 2:
        year -= np.int64(1)
    era = year // 400
    of_era = year - era * 400
    from_march = month - 3 if month > 2 else month + 9
    of_year = (153 * from_march + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@uncounted
def _month_days(year, month):  # type: ignore[no-untyped-def]
    if month == 2:
        return np.int64(29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28)
    return np.int64(30 if month == 4 or month == 6 or month == 9 or month == 11 else 31)


@uncounted
def read_times(octets, offsets, made, odd):  # type: ignore[no-untyped-def]
    """2026-11-23T14:05:00[.ffffff][Z], or whole microseconds since 1970 (14 digits and more); the rest is odd."""
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if start == end:
            continue
        size = end - start
        whole = number_at(octets, start, end) if 14 <= size <= 17 else np.int64(-1)
        if whole >= 0:
            made[row] = whole
            continue
        if octets[end - 1] == 90:  # 'Z'
            end -= 1
            size -= 1
        odd[row] = True
        if size < 19 or (size > 19 and (octets[start + 19] != 46 or size > 26 or size == 20)):
            continue
        year, month = number_at(octets, start, start + 4), number_at(octets, start + 5, start + 7)
        day, hour = number_at(octets, start + 8, start + 10), number_at(octets, start + 11, start + 13)
        minute, second = number_at(octets, start + 14, start + 16), number_at(octets, start + 17, start + 19)
        marks = octets[start + 4] == 45 and octets[start + 7] == 45 and octets[start + 13] == 58
        marks = marks and octets[start + 16] == 58 and (octets[start + 10] == 84 or octets[start + 10] == 32)
        if not marks or year < 1970 or month < 1 or month > 12 or second < 0:
            continue
        if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second > 59:
            continue
        if day < 1 or day > _month_days(year, month):
            continue
        micros = np.int64(0)
        if size > 19:
            micros = number_at(octets, start + 20, end)
            for _ in range(26 - size):
                micros *= 10
        if micros < 0:
            continue
        made[row] = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 * MICROS + second * MICROS + micros
        odd[row] = False


@uncounted
def read_octets(octets, offsets, made, sizes, odd):  # type: ignore[no-untyped-def]
    """Text as it is, into rows of a fixed width."""
    room = np.int64(made.shape[1])
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if end - start > room:
            odd[row] = True
            continue
        for at in range(end - start):
            made[row, at] = octets[start + at]
        sizes[row] = end - start


digits = compiled.entry(read_digits, depends=[compiling])
numbers = compiled.entry(read_numbers, depends=[compiling])
imeis = compiled.entry(read_imei, depends=[compiling])
addresses = compiled.entry(read_addresses, depends=[compiling])
times = compiled.entry(read_times, depends=[compiling])
octets_of = compiled.entry(read_octets, depends=[compiling])


def layout(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and octets of an Arrow column of text; a null is as empty."""
    _, offsets, octets = values.buffers()
    starts = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
    return starts, np.frombuffer(octets, np.uint8) if octets is not None and octets.size else np.zeros(1, np.uint8)
