"""Numbers and digits out of raw octets, compiled. Everything is explicit int64, so that interpreted gives the same."""

from __future__ import annotations

import numpy as np

from simward.wire.radius.compiling import uncounted

NO_DIGIT = 15
DIGITS_MAX = 15
"""The longest identity that is kept as a prefix-1 decimal from the network (IMSI and E.164 numbers)."""


@uncounted
def u16(octets, at):  # type: ignore[no-untyped-def]
    """Two octets, network order."""
    return np.int64(octets[at]) << np.int64(8) | np.int64(octets[at + 1])


@uncounted
def u32(octets, at):  # type: ignore[no-untyped-def]
    """Four octets, network order."""
    return u16(octets, at) << np.int64(16) | u16(octets, at + 2)


@uncounted
def i64(octets, at):  # type: ignore[no-untyped-def]
    """Eight octets, network order, as a signed number."""
    return u32(octets, at) << np.int64(32) | u32(octets, at + 4)


@uncounted
def put16(octets, at, value):  # type: ignore[no-untyped-def]
    """Write two octets, network order."""
    octets[at] = np.uint8((value >> 8) & 0xFF)
    octets[at + 1] = np.uint8(value & 0xFF)


@uncounted
def put32(octets, at, value):  # type: ignore[no-untyped-def]
    """Write four octets, network order."""
    put16(octets, at, (value >> 16) & 0xFFFF)
    put16(octets, at + 2, value & 0xFFFF)


@uncounted
def copy(target, at, source, start, count):  # type: ignore[no-untyped-def]
    """Copy octets between arrays. Unsigned places, as a place that might be negative keeps the loop from vectors."""
    to, here = np.uint64(at), np.uint64(start)
    for index in range(np.uint64(count)):
        target[to + index] = source[here + index]


@uncounted
def mix(value, word):  # type: ignore[no-untyped-def]
    """One step of a hash over 32-bit words; stays below 2**32, and never overflows int64 on the way."""
    value = ((value ^ word) * np.int64(0x5BD1E995)) & np.int64(0xFFFFFFFF)
    return value ^ (value >> np.int64(15))


@uncounted
def hash63(octets, start, count):  # type: ignore[no-untyped-def]
    """A positive, nonzero 63-bit number that names the octets (not a secret; told apart in full where it matters)."""
    low, high = np.int64(0x811C9DC5), np.int64(0x2545F491) ^ np.int64(count)
    for at in range(start, start + count):
        octet = np.int64(octets[at])
        low = mix(low, octet)
        high = mix(high, octet + np.int64(0x9E37))
    return join63(low, high)


@uncounted
def join63(low, high):  # type: ignore[no-untyped-def]
    """Two 32-bit numbers as one positive, nonzero 63-bit number."""
    joined = (high << np.int64(31)) ^ low
    joined &= np.int64(0x7FFFFFFFFFFFFFFF)
    return joined if joined != 0 else np.int64(1)


@uncounted
def decimal(octets, start, count):  # type: ignore[no-untyped-def]
    """ASCII digits as a prefix-1 decimal; 0 where there are none, more than 15, or anything else among them."""
    if count <= 0 or count > DIGITS_MAX:
        return np.int64(0)
    value = np.int64(1)
    for at in range(start, start + count):
        digit = np.int64(octets[at]) - np.int64(48)
        if digit < 0 or digit > 9:
            return np.int64(0)
        value = value * np.int64(10) + digit
    return value


@uncounted
def trimmed(octets, start, count):  # type: ignore[no-untyped-def]
    """`count` without the NUL octets that some gateways end texts with."""
    while count > 0 and octets[start + count - 1] == 0:
        count -= 1
    return count


@uncounted
def nibble(octets, start, index):  # type: ignore[no-untyped-def]
    """Digit `index` of a TBCD string: the low half of an octet comes first (TS 29.002 17.7.8)."""
    octet = np.int64(octets[start + (index >> 1)])
    return (octet >> np.int64(4)) if index & 1 else (octet & np.int64(15))


@uncounted
def tbcd_digits(octets, start, count):  # type: ignore[no-untyped-def]
    """How many digits a TBCD string has before its filler (F); -1 where anything else is in it."""
    digits = 2 * count
    while digits > 0 and nibble(octets, start, digits - 1) == NO_DIGIT:
        digits -= 1
    for index in range(digits):
        if nibble(octets, start, index) > 9:
            return np.int64(-1)
    return np.int64(digits)


@uncounted
def all_ascii_digits(octets, start, count):  # type: ignore[no-untyped-def]
    """Are these octets the text of a number?"""
    for at in range(start, start + count):
        if octets[at] < 48 or octets[at] > 57:
            return False
    return True
