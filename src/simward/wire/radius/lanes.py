"""MD5 of eight messages at a time: what takes one step of one message takes eight in a vector register.

Each step of MD5 waits for the one before, so that one message leaves most of a processor idle. LLVM does not find the
vectors in a loop over messages by itself; they are written out here, in its own language, for every processor that it
knows (it splits them where registers are shorter). Only compiled; interpreted, messages are hashed one by one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simward.compiled import INTERPRETED
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.md5 import BLOCK, SCRATCH_OCTETS, SCRATCH_WORDS, SINES
from simward.wire.radius.octets import copy

LANES = 8
LANES_FROM = LANES + 1 if INTERPRETED else 3
"""So many messages must wait for lanes to pay."""

IDLE = -1
_TURNS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_ORDERS = ((1, 0), (5, 1), (3, 5), (7, 0))
"""RFC 1321 3.4: round r takes word (factor * step + first) mod 16."""


def _mixed(builder: Any, turn: int, b: Any, c: Any, d: Any, ones: Any) -> Any:
    """F, G, H and I of RFC 1321 3.4."""
    if turn == 0:
        return builder.xor(d, builder.and_(b, builder.xor(c, d)))
    if turn == 1:
        return builder.xor(c, builder.and_(d, builder.xor(b, c)))
    if turn == 2:
        return builder.xor(b, builder.xor(c, d))
    return builder.xor(c, builder.or_(b, builder.xor(d, ones)))


@intrinsic
def _compress_lanes(typing_context, words, states, live):  # type: ignore[no-untyped-def]
    """One block of each lane: words u4[16, LANES], states u4[4, LANES], live u4[LANES] (ones; 0 = lane is done)."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector = ir.VectorType(ir.IntType(32), LANES)

        def many(number: int) -> Any:
            return ir.Constant(vector, [number] * LANES)

        places = [
            builder.bitcast(context.make_array(kind)(context, builder, value).data, vector.as_pointer())
            for kind, value in zip(signature.args, values, strict=True)
        ]

        def at(array: int, row: int) -> Any:
            return builder.gep(places[array], [ir.Constant(ir.IntType(64), row)])

        message = [builder.load(at(0, word), align=4) for word in range(16)]
        before = [builder.load(at(1, word), align=4) for word in range(4)]
        alive = builder.load(at(2, 0), align=4)
        a, b, c, d = before
        for step in range(64):
            turn = step // 16
            factor, first = _ORDERS[turn]
            total = builder.add(builder.add(a, builder.add(message[(factor * step + first) % 16],
                                                           many(int(SINES[step])))),
                                _mixed(builder, turn, b, c, d, many(0xFFFFFFFF)))  # fmt: skip
            left = _TURNS[turn][step % 4]
            turned = builder.or_(builder.shl(total, many(left)), builder.lshr(total, many(32 - left)))
            a, b, c, d = d, builder.add(b, turned), b, c
        for word, (old, new) in enumerate(zip(before, (a, b, c, d), strict=True)):
            builder.store(builder.add(old, builder.and_(new, alive)), at(1, word), align=4)
        return context.get_dummy_value()

    return types.void(words, states, live), generate


class Lanes(NamedTuple):
    """Room for LANES messages and what becomes of them."""

    messages: np.ndarray  # u1[LANES * SCRATCH_OCTETS]
    octets: np.ndarray  # i8[LANES]: how long each is; IDLE = none, the state stays
    before: np.ndarray  # i8[LANES]: octets hashed earlier
    blocks: np.ndarray  # i8[LANES]
    words: np.ndarray  # u4[16, LANES]: the block at hand
    states: np.ndarray  # u4[4, LANES]
    live: np.ndarray  # u4[LANES]


def new_lanes() -> Lanes:
    """All idle."""
    messages = np.zeros(LANES * SCRATCH_WORDS, np.uint32).view(np.uint8)
    octets, before, blocks = np.zeros((3, LANES), np.int64)
    octets[:] = IDLE
    words, states, live = np.zeros((16, LANES), np.uint32), np.zeros((4, LANES), np.uint32), np.zeros(LANES, np.uint32)
    return Lanes(messages, octets, before, blocks, words, states, live)


@uncounted
def open_lane(lanes, lane, state, before):  # type: ignore[no-untyped-def]
    """Begin an empty message, after `before` octets that made `state`."""
    for word in range(4):
        lanes.states[word, lane] = state[word]
    lanes.octets[lane], lanes.before[lane] = 0, before


@uncounted
def add_octets(lanes, lane, octets, at, count):  # type: ignore[no-untyped-def]
    """Append to the message of a lane."""
    copy(lanes.messages, np.int64(lane) * SCRATCH_OCTETS + lanes.octets[lane], octets, at, count)
    lanes.octets[lane] += count


@uncounted
def blank_digest(lanes, lane, at):  # type: ignore[no-untyped-def]
    """Sixteen zeros where the digest is to stand."""
    start = np.uint64(np.int64(lane) * SCRATCH_OCTETS + at)
    for index in range(np.uint64(16)):
        lanes.messages[start + index] = 0


@uncounted
def turn_outward(lanes, lane, outer, before):  # type: ignore[no-untyped-def]
    """RFC 2104 2: the digest of the inner hash becomes the message of the outer one."""
    words = lanes.messages.view(np.uint32)
    for word in range(4):
        words[np.int64(lane) * SCRATCH_WORDS + word] = lanes.states[word, lane]
    open_lane(lanes, lane, outer, before)
    lanes.octets[lane] = 16


@uncounted
def take_digest(lanes, lane, state):  # type: ignore[no-untyped-def]
    """The digest of a lane into state[0:4]."""
    for word in range(4):
        state[word] = lanes.states[word, lane]


@uncounted
def _pad(lanes, lane):  # type: ignore[no-untyped-def]
    """RFC 1321 3.1, 3.2; returns how many blocks there are."""
    at, length = np.int64(lane) * SCRATCH_OCTETS, lanes.octets[lane]
    if length == IDLE:
        return np.int64(0)
    blocks = (length + 9 + BLOCK - 1) >> 6
    end = at + blocks * BLOCK
    lanes.messages[at + length] = 0x80
    for place in range(np.uint64(at + length + 1), np.uint64(end)):
        lanes.messages[place] = 0
    words = lanes.messages.view(np.uint32)
    words[(end >> 2) - 2] = np.uint32((length + lanes.before[lane]) << 3)
    return blocks


@uncounted
def run_lanes(lanes):  # type: ignore[no-untyped-def]
    """Hash every message into its state; then all lanes are idle."""
    longest = np.int64(0)
    for lane in range(LANES):
        lanes.blocks[lane] = _pad(lanes, lane)
        lanes.octets[lane] = IDLE
        longest = max(longest, lanes.blocks[lane])
    words = lanes.messages.view(np.uint32)
    for block in range(longest):
        for lane in range(LANES):
            lanes.live[lane] = np.uint32(0xFFFFFFFF) if block < lanes.blocks[lane] else np.uint32(0)
            start = np.uint64(lane * SCRATCH_WORDS + block * 16)
            for word in range(np.uint64(16)):
                lanes.words[word, lane] = words[start + word]
        _compress_lanes(lanes.words, lanes.states, lanes.live)
