"""MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) over prepared buffers, compiled: RADIUS needs both in every packet.

MD5 is what the protocol prescribes; nothing here argues for it. Hashing in compiled code saves two calls into Python a
packet. A `Scratch` is reused: the message is copied to its front, and padded and hashed there, with no allocation.
Interpreted (NUMBA_DISABLE_JIT=1) hashlib does the work; the tests hold both to hashlib.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from typing import Any

import numpy as np

from simward import compiled
from simward.compiled import INTERPRETED
from simward.wire.radius import compiling
from simward.wire.radius.compiling import uncounted

BLOCK = 64
SCRATCH_OCTETS = 8192
SCRATCH_WORDS = SCRATCH_OCTETS // 4

SINES = np.array([int(abs(math.sin(step + 1)) * 2**32) for step in range(64)], np.uint32)
"""RFC 1321 3.4: T[i] = floor(2**32 * |sin(i)|)."""

F1, F2, F3, F4 = np.array([7, 12, 17, 22], np.uint32)
G1, G2, G3, G4 = np.array([5, 9, 14, 20], np.uint32)
H1, H2, H3, H4 = np.array([4, 11, 16, 23], np.uint32)
I1, I2, I3, I4 = np.array([6, 10, 15, 21], np.uint32)
"""How far each step turns; scalars of one type, since numba compiles a callee anew for every literal."""

FRESH, AFTER_KEY, DIGEST_OCTETS = np.array([0, 64, 16])

INITIAL = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], np.uint32)

HMAC_KEY = np.dtype(
    [("inner", "u4", (4,)), ("outer", "u4", (4,)), ("key", "u1", (BLOCK,)), ("spare", "u1", (32,))], align=True
)
"""A secret made ready: MD5's state after the inner and after the outer padded key, and the key of one block itself."""


def new_scratch() -> np.ndarray:
    """A buffer for one message and its padding, as octets; `words` below is the same memory as 32-bit words."""
    return np.zeros(SCRATCH_WORDS, np.uint32).view(np.uint8)


@uncounted
def _step(a, mixed, b, word, constant, turn):  # type: ignore[no-untyped-def]
    total = np.uint32(np.uint32(a + mixed) + np.uint32(word + np.uint32(constant)))
    turned = np.uint32(np.uint32(total << turn) | np.uint32(total >> np.uint32(np.uint32(32) - turn)))
    return np.uint32(turned + b)


@uncounted
def _f(a, b, c, d, word, constant, turn):  # type: ignore[no-untyped-def]
    return _step(a, np.uint32(d ^ np.uint32(b & np.uint32(c ^ d))), b, word, constant, turn)


@uncounted
def _g(a, b, c, d, word, constant, turn):  # type: ignore[no-untyped-def]
    # (b & d) | (c & ~d) as a sum: the two halves share no bit, and `a` gets the early half first.
    return _step(np.uint32(a + np.uint32(c & ~d)), np.uint32(b & d), b, word, constant, turn)


@uncounted
def _h(a, b, c, d, word, constant, turn):  # type: ignore[no-untyped-def]
    return _step(a, np.uint32(b ^ np.uint32(c ^ d)), b, word, constant, turn)


@uncounted
def _i(a, b, c, d, word, constant, turn):  # type: ignore[no-untyped-def]
    return _step(a, np.uint32(c ^ np.uint32(b | np.uint32(~d))), b, word, constant, turn)


@uncounted
def compress(words, blocks, state):  # type: ignore[no-untyped-def]
    """Run `blocks` blocks of `words` into `state` (RFC 1321 3.4; four steps a turn, so that no register moves)."""
    for block in range(blocks):
        at = block * 16
        a, b, c, d = state[0], state[1], state[2], state[3]
        for i in range(0, 16, 4):
            a = _f(a, b, c, d, words[at + i], SINES[i], F1)
            d = _f(d, a, b, c, words[at + i + 1], SINES[i + 1], F2)
            c = _f(c, d, a, b, words[at + i + 2], SINES[i + 2], F3)
            b = _f(b, c, d, a, words[at + i + 3], SINES[i + 3], F4)
        for i in range(16, 32, 4):
            a = _g(a, b, c, d, words[at + ((5 * i + 1) & 15)], SINES[i], G1)
            d = _g(d, a, b, c, words[at + ((5 * i + 6) & 15)], SINES[i + 1], G2)
            c = _g(c, d, a, b, words[at + ((5 * i + 11) & 15)], SINES[i + 2], G3)
            b = _g(b, c, d, a, words[at + ((5 * i) & 15)], SINES[i + 3], G4)
        for i in range(32, 48, 4):
            a = _h(a, b, c, d, words[at + ((3 * i + 5) & 15)], SINES[i], H1)
            d = _h(d, a, b, c, words[at + ((3 * i + 8) & 15)], SINES[i + 1], H2)
            c = _h(c, d, a, b, words[at + ((3 * i + 11) & 15)], SINES[i + 2], H3)
            b = _h(b, c, d, a, words[at + ((3 * i + 14) & 15)], SINES[i + 3], H4)
        for i in range(48, 64, 4):
            a = _i(a, b, c, d, words[at + ((7 * i) & 15)], SINES[i], I1)
            d = _i(d, a, b, c, words[at + ((7 * i + 7) & 15)], SINES[i + 1], I2)
            c = _i(c, d, a, b, words[at + ((7 * i + 14) & 15)], SINES[i + 2], I3)
            b = _i(b, c, d, a, words[at + ((7 * i + 5) & 15)], SINES[i + 3], I4)
        state[0] = np.uint32(state[0] + a)
        state[1] = np.uint32(state[1] + b)
        state[2] = np.uint32(state[2] + c)
        state[3] = np.uint32(state[3] + d)


@uncounted
def finish(scratch, length, before, state):  # type: ignore[no-untyped-def]
    """Pad the `length` octets in `scratch` (after `before` octets hashed earlier) and hash them into `state`."""
    blocks = (length + 9 + 63) >> 6
    end = blocks << 6
    scratch[length] = 0x80
    for at in range(length + 1, end):
        scratch[at] = 0
    words = scratch.view(np.uint32)
    words[(end >> 2) - 2] = np.uint32((length + before) << 3)
    compress(words, blocks, state)


@uncounted
def _md5_compiled(scratch, length, state):  # type: ignore[no-untyped-def]
    for at in range(4):
        state[at] = INITIAL[at]
    finish(scratch, length, FRESH, state)


@uncounted
def _hmac_compiled(scratch, length, key, state):  # type: ignore[no-untyped-def]
    for at in range(4):
        state[at] = key.inner[at]
    finish(scratch, length, AFTER_KEY, state)
    words = scratch.view(np.uint32)
    for at in range(4):
        words[at] = state[at]
        state[at] = key.outer[at]
    finish(scratch, DIGEST_OCTETS, AFTER_KEY, state)


def _md5_interpreted(scratch: Any, length: int, state: Any) -> None:
    state[:] = np.frombuffer(hashlib.md5(scratch[:length].tobytes()).digest(), np.uint32)


def _hmac_interpreted(scratch: Any, length: int, key: Any, state: Any) -> None:
    state[:] = np.frombuffer(hmac.digest(key.key.tobytes(), scratch[:length].tobytes(), "md5"), np.uint32)


md5: Any = _md5_interpreted if INTERPRETED else _md5_compiled
"""md5(scratch, length, state): the digest of scratch[:length] into state (four little-endian words). Spoils scratch."""

hmac_md5: Any = _hmac_interpreted if INTERPRETED else _hmac_compiled
"""hmac_md5(scratch, length, key, state): likewise under an HMAC_KEY record."""


_compress = compiled.entry(compress, depends=[compiling])


def hmac_key(secret: bytes) -> np.ndarray:
    """One HMAC_KEY row for a secret (RFC 2104 2: a key longer than a block is hashed first)."""
    row = np.zeros(1, HMAC_KEY)
    block = (hashlib.md5(secret).digest() if len(secret) > BLOCK else secret).ljust(BLOCK, b"\0")
    row["key"][0] = np.frombuffer(block, np.uint8)
    if not INTERPRETED:
        for name, pad in (("inner", 0x36), ("outer", 0x5C)):
            state = INITIAL.copy()
            _compress(np.frombuffer(bytes(octet ^ pad for octet in block), np.uint32).copy(), 1, state)
            row[name][0] = state
    return row
