"""Goes from record to record of a pcap or pcapng capture in memory, compiled, and hands each frame to `take_frame`.

pcap: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html; pcapng: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simward import compiled
from simward.inputs import frames
from simward.inputs.frames import CUT_SHORT, FRAGMENT, REQUEST, take_frame
from simward.wire.radius import batch, compiling, octets
from simward.wire.radius.compiling import uncounted

PCAP_HEADER, RECORD_HEADER = 24, 16
FRAME_OCTETS_MAX = 262_144
"""What tcpdump and Wireshark take as the longest: more is damage."""
BLOCK_OCTETS_MAX = 16 << 20
PIECES_MAX = 64
TIMES_BELOW = 10**18
"""us UTC; what an interface with odd units or an odd offset makes of a packet's time may be beyond."""
BATCH_SPAN_US = 2_000_000
"""A batch is decoded at one time; what tells retransmissions from new requests looks back thirty seconds."""

MORE, FULL, DAMAGED, ASK = 0, 1, 2, 3
"""Why walking stopped: no whole record is left; the batch is full; this is no record; a block for parse_block."""

SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 6
INTERFACES_MAX = 256
LINK, TIMES, OVER, SHIFT, OFFSET_US = range(5)
"""Columns of an interface: link type; microseconds = units * TIMES // OVER, or units >> SHIFT seconds; an offset."""


class Walk(NamedTuple):
    """Where walking is, and what it fills."""

    state: np.ndarray  # i8[4]: position, rows, pieces, time of the newest packet of the batch before
    times: np.ndarray  # i8 a row: us UTC
    pieces: np.ndarray  # i8[PIECES_MAX, 4]: fragments: where from, where to, link type, us UTC
    counts: np.ndarray  # i8, by frames.COUNTED, and one more: packets without a time, or none of this age of the world
    ports: np.ndarray  # u1[65536]
    interfaces: np.ndarray  # i8[INTERFACES_MAX, 5]


UNTIMED = len(frames.COUNTED)


@uncounted
def _u32(data, at, big):  # type: ignore[no-untyped-def]
    if big:
        return _u16(data, at, big) << 16 | _u16(data, at + 2, big)
    return _u16(data, at + 2, big) << 16 | _u16(data, at, big)


@uncounted
def _u16(data, at, big):  # type: ignore[no-untyped-def]
    if big:
        return np.int64(data[at]) << 8 | np.int64(data[at + 1])
    return np.int64(data[at + 1]) << 8 | np.int64(data[at])


@uncounted
def _take(data, at, kept, whole, link, when, packets, walk):  # type: ignore[no-untyped-def]
    """One frame of `kept` octets, of which there were `whole` on the wire."""
    row = walk.state[1]
    found = take_frame(data, at, at + kept, link, packets, row, walk.ports)
    if found == FRAGMENT:
        if kept < whole:
            found = np.int64(CUT_SHORT)
        else:
            piece = walk.state[2]
            walk.pieces[piece, 0], walk.pieces[piece, 1] = at, at + kept
            walk.pieces[piece, 2], walk.pieces[piece, 3] = link, when
            walk.state[2] += 1
    elif found == REQUEST:
        walk.times[row] = when
        walk.state[1] += 1
    walk.counts[found] += 1


@uncounted
def _has_room(walk, when):  # type: ignore[no-untyped-def]
    """May a packet of that time go into this batch?"""
    rows = walk.state[1]
    if rows >= len(walk.times) - PIECES_MAX or walk.state[2] >= PIECES_MAX:
        return False
    return rows == 0 or abs(when - walk.times[0]) < BATCH_SPAN_US


@uncounted
def walk_pcap(data, end, big, link, over, packets, walk):  # type: ignore[no-untyped-def]
    """Walk over pcap records; `over` is 1 where times are in us, 1000 in ns. Returns why it stopped."""
    while True:
        at = walk.state[0]
        if at + RECORD_HEADER > end:
            return np.int64(MORE)
        kept, whole = _u32(data, at + 8, big), _u32(data, at + 12, big)
        if kept > FRAME_OCTETS_MAX:
            return np.int64(DAMAGED)
        if at + RECORD_HEADER + kept > end:
            return np.int64(MORE)
        when = _u32(data, at, big) * np.int64(1_000_000) + _u32(data, at + 4, big) // over
        if not _has_room(walk, when):
            return np.int64(FULL)
        _take(data, at + RECORD_HEADER, kept, whole, link, when, packets, walk)
        walk.state[0] = at + RECORD_HEADER + kept


@uncounted
def _time(interface, high, low):  # type: ignore[no-untyped-def]
    """us UTC; -1 where that is no time."""
    units = high << np.int64(32) | low
    when = _micros(interface, units)
    if when < 0:
        return np.int64(-1)
    when += interface[OFFSET_US]
    return when if 0 <= when < TIMES_BELOW else np.int64(-1)


@uncounted
def _micros(interface, units):  # type: ignore[no-untyped-def]
    """Before the offset; -1 where it is too much for eight octets."""
    if units < 0:
        return np.int64(-1)
    if interface[SHIFT] > 0:
        if units >> interface[SHIFT] >= TIMES_BELOW // 1_000_000:
            return np.int64(-1)
        part = (units & ((np.int64(1) << interface[SHIFT]) - 1)) * np.int64(1_000_000) >> interface[SHIFT]
        return (units >> interface[SHIFT]) * np.int64(1_000_000) + part
    if units // interface[OVER] > TIMES_BELOW // interface[TIMES]:  # one of the two is 1
        return np.int64(-1)
    return units * interface[TIMES] // interface[OVER]


@uncounted
def walk_pcapng(data, end, big, packets, walk):  # type: ignore[no-untyped-def]
    """Walk over pcapng blocks. Sections and interfaces are for parse_block (ASK): there are few. As walk_pcap."""
    while True:
        at = walk.state[0]
        if at + 12 > end:
            return np.int64(MORE)
        kind = _u32(data, at, big)
        if kind == SECTION or kind == INTERFACE:
            return np.int64(ASK)
        size = _u32(data, at + 4, big)
        if size < 12 or size % 4 or size > BLOCK_OCTETS_MAX:
            return np.int64(DAMAGED)
        if at + size > end:
            return np.int64(MORE)
        if kind == ENHANCED_PACKET or kind == OLD_PACKET:
            if size < 32:
                return np.int64(DAMAGED)
            number = _u32(data, at + 8, big) if kind == ENHANCED_PACKET else _u16(data, at + 8, big)
            kept, whole = _u32(data, at + 20, big), _u32(data, at + 24, big)
            if number >= INTERFACES_MAX or walk.interfaces[number, LINK] < 0 or kept > size - 32:
                return np.int64(DAMAGED)
            interface = walk.interfaces[number]
            when = _time(interface, _u32(data, at + 12, big), _u32(data, at + 16, big))
            if when < 0:
                walk.counts[UNTIMED] += 1
                walk.state[0] = at + size
                continue
            if not _has_room(walk, when):
                return np.int64(FULL)
            _take(data, at + 28, kept, whole, interface[LINK], when, packets, walk)
        elif kind == SIMPLE_PACKET:
            walk.counts[UNTIMED] += 1  # it has no time, and what has no time cannot be put in order
        walk.state[0] = at + size


_SOURCES = (batch, compiling, frames, octets)
take_one = compiled.entry(take_frame, depends=_SOURCES)
find_ip = compiled.entry(frames.ip_octets, depends=_SOURCES)
pcap = compiled.entry(walk_pcap, depends=_SOURCES)
pcapng = compiled.entry(walk_pcapng, depends=_SOURCES)


def new_walk(rows: int, ports: np.ndarray) -> Walk:
    """Room for a batch of so many rows."""
    interfaces = np.full((INTERFACES_MAX, 5), -1, np.int64)
    return Walk(
        np.zeros(4, np.int64), np.zeros(rows, np.int64), np.zeros((PIECES_MAX, 4), np.int64),
        np.zeros(UNTIMED + 1, np.int64), ports, interfaces,
    )  # fmt: skip
