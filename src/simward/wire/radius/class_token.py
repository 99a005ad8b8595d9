"""The Class attribute (RFC 2865 5.25) that ties a session to the decision that allowed it, written and read in compiled
code.

A gateway sends Class back in every accounting record of the session. Ours names the decision: its sequence and the row
of the subscription, under a keyed hash, so that no value that we did not write is taken for one of ours. The 32 bits
that tell whether the row still is the same subscription's are masked by the same hash: nothing in a Class says who it
is about. Whoever would forge one has to guess 64 bits: the tag here, and those that the fold compares.
"""

from __future__ import annotations

import numpy as np

from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import i64, put32, u32

CLASS = 25
MAGIC = 0x53574331
"""`SWC1`."""
OCTETS = 24
"""Magic, sequence (8), row, tag, masked check."""
KEY_OCTETS = 8
ROUNDS, FINAL_ROUNDS = 2, 4
MASK = 0xFFFFFFFF


def class_key(octets: bytes) -> np.ndarray:
    """Eight octets of a key as compiled code takes them: two words, little-endian as in the reference code."""
    if len(octets) != KEY_OCTETS:
        raise ValueError(f"a key for Class has {KEY_OCTETS} octets, not {len(octets)}")
    return np.frombuffer(octets, "<u4").astype(np.int64)


@uncounted
def _rotated(value, count):  # type: ignore[no-untyped-def]
    return ((value << np.int64(count)) | (value >> np.int64(32 - count))) & np.int64(MASK)


@uncounted
def _mixed(v0, v1, v2, v3, rounds):  # type: ignore[no-untyped-def]
    for _ in range(rounds):
        v0 = (v0 + v1) & np.int64(MASK)
        v1 = _rotated(v1, 5) ^ v0
        v0 = _rotated(v0, 16)
        v2 = (v2 + v3) & np.int64(MASK)
        v3 = _rotated(v3, 8) ^ v2
        v0 = (v0 + v3) & np.int64(MASK)
        v3 = _rotated(v3, 7) ^ v0
        v2 = (v2 + v1) & np.int64(MASK)
        v1 = _rotated(v1, 13) ^ v2
        v2 = _rotated(v2, 16)
    return v0, v1, v2, v3


@uncounted
def halfsiphash(key, words, count, octets):  # type: ignore[no-untyped-def]
    """HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, 2012, and their reference code).

    Over `count` whole words of a message of `octets` octets; returns the two words of the result, first one first.
    """
    v0, v1 = np.int64(key[0]), np.int64(key[1]) ^ np.int64(0xEE)
    v2, v3 = np.int64(0x6C796765) ^ np.int64(key[0]), np.int64(0x74656462) ^ np.int64(key[1])
    for index in range(count + 1):
        word = np.int64(words[index]) if index < count else (np.int64(octets) << np.int64(24)) & np.int64(MASK)
        v3 ^= word
        v0, v1, v2, v3 = _mixed(v0, v1, v2, v3, ROUNDS)
        v0 ^= word
    v0, v1, v2, v3 = _mixed(v0, v1, v2 ^ np.int64(0xEE), v3, FINAL_ROUNDS)
    first = v1 ^ v3
    v0, v1, v2, v3 = _mixed(v0, v1 ^ np.int64(0xDD), v2, v3, FINAL_ROUNDS)
    return first, v1 ^ v3


@uncounted
def put_class(octets, at, key, token, row, check):  # type: ignore[no-untyped-def]
    """Write the attribute; returns where the next one goes."""
    high, low = (np.int64(token) >> np.int64(32)) & np.int64(MASK), np.int64(token) & np.int64(MASK)
    whose = np.int64(row) & np.int64(MASK)
    tag, mask = halfsiphash(key, (high, low, whose), 3, 12)
    octets[at], octets[at + 1] = CLASS, OCTETS + 2
    put32(octets, at + 2, np.int64(MAGIC))
    put32(octets, at + 6, high)
    put32(octets, at + 10, low)
    put32(octets, at + 14, whose)
    put32(octets, at + 18, tag)
    put32(octets, at + 22, np.int64(check) ^ mask)
    return at + OCTETS + 2


@uncounted
def read_class(octets, at, end, key, event):  # type: ignore[no-untyped-def]
    """Fill class_token, class_row and class_check of `event` from the first Class that is ours; False where none is.

    `at` is where the value of the packet's first Class begins, `end` the end of its attributes. Proxies and gateways
    may add Class attributes of their own, in any order.
    """
    place = np.int64(at) - np.int64(2)
    while place < end:
        size = np.int64(octets[place + 1])
        if octets[place] == CLASS and size == OCTETS + 2 and u32(octets, place + 2) == MAGIC:
            high, low, row = u32(octets, place + 6), u32(octets, place + 10), u32(octets, place + 14)
            tag, mask = halfsiphash(key, (high, low, row), 3, 12)
            if tag == u32(octets, place + 18):
                event.class_token, event.class_row = i64(octets, place + 6), row
                event.class_check = u32(octets, place + 22) ^ mask
                return True
        place += size
    return False
