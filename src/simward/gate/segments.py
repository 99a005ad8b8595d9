"""Which answers of a batch travel as one message: Linux cuts it into datagrams of equal size (UDP_SEGMENT), compiled.

A message through the kernel costs far more than the datagrams it is cut into. Answers to one peer keep their order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simward.compiled import entry, records
from simward.wire.radius import compiling, octets
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import mix

SEGMENTS_MAX = 64
"""Datagrams that one message may be cut into (UDP_MAX_SEGMENTS in linux/udp.h; 128 since 6.9)."""
MESSAGE_OCTETS_MAX = 65_000
"""Below what UDP's length field can say, headers included, over IPv4 and IPv6."""
SEGMENT_OCTETS_MAX = 1_232
"""A longer datagram goes alone: it may need fragments, which segments must not (RFC 8200 5: 1280, less headers)."""

_PEERS, _TRIES = 256, 4
"""As many as the upper eight of the 32 bits of a hash can say."""
_PEER_WORDS = 7

_LOCAL_WORDS = 10
CONTROL = np.dtype(
    [
        ("local", "i4", (_LOCAL_WORDS,)),
        ("octets", "u8"), ("level", "i4"), ("kind", "i4"), ("segment", "u2"), ("pad", "u2", (3,)),
    ]
)
"""Which address of ours it is to leave from (destinations.py), then struct cmsghdr with the size of a segment."""
LEVEL_UDP, UDP_SEGMENT, CONTROL_OCTETS_USED, CUT_OCTETS = 17, 103, 18, 24
_CONTROL_OCTETS = CONTROL.itemsize


class Plan(NamedTuple):
    """Messages of a batch: message m has counts[m] slots, the slots of the first message first in `order`."""

    order: np.ndarray  # i4 a slot
    message_of: np.ndarray  # i4 a slot
    counts: np.ndarray  # i4 a message
    begins: np.ndarray  # i4 a message
    first: np.ndarray  # i4 a message: its first slot
    octets: np.ndarray  # i4 a message
    closed: np.ndarray  # u1 a message
    newest: np.ndarray  # i4: by a hash of the peer, its newest message


class Headers(NamedTuple):
    """What sendmmsg reads, a row a message (an iovec a slot), and where the things lie that it points to."""

    messages: np.ndarray
    iovecs: np.ndarray
    controls: np.ndarray
    places: np.ndarray  # i8: of the octets, of a row's worth of them, of the peers, of iovecs, of controls
    local: np.ndarray  # i4 a slot and word: destinations.py; no rows where no socket has a wildcard address


def new_plan(slots: int) -> Plan:
    """Room for the plan of a batch of `slots` packets."""
    order, message_of, counts, begins, first, octets = np.zeros((6, slots), np.int32)
    closed, newest = np.zeros(slots, np.uint8), np.zeros(_PEERS, np.int32)
    return Plan(order, message_of, counts, begins, first, octets, closed, newest)


@uncounted
def _place_of(plan, slot, peers, local, local_words):  # type: ignore[no-untyped-def]
    """Where the newest message to the peer of `slot` stands, or is to stand: after some tries, another's gives way.

    A peer that asked two of our addresses counts as two.
    """
    name = np.int64(0)
    for word in (0, 1, 2, 5):  # port and IPv4 address, or port and both ends of an IPv6 address
        name = mix(name, np.int64(peers[slot, word]))
    for tried in range(_TRIES):
        place = ((name >> np.int64(24)) + tried) & np.int64(_PEERS - 1)
        message = plan.newest[place]
        if message < 0:
            return place
        same = True
        for word in range(_PEER_WORDS):
            same &= peers[slot, word] == peers[plan.first[message], word]
        for word in range(_LOCAL_WORDS - local_words, _LOCAL_WORDS):
            same &= local[slot, word] == local[plan.first[message], word]
        if same:
            return place
    plan.newest[name >> np.int64(24)] = -1
    return name >> np.int64(24)


@uncounted
def _joins(plan, message, slot, lengths):  # type: ignore[no-untyped-def]
    """May this slot be the next datagram of the message? It is no longer than the first, and none was shorter yet."""
    if message < 0 or plan.closed[message] or plan.counts[message] >= SEGMENTS_MAX:
        return False
    if plan.octets[message] + lengths[slot] > MESSAGE_OCTETS_MAX:
        return False
    return 0 < lengths[slot] <= lengths[plan.first[message]]


@uncounted
def group_slots(lengths, peers, local, local_words, start, end, plan):  # type: ignore[no-untyped-def]
    """Fill `plan` for slots from `start` up to `end`; returns how many messages there are.

    Of `local` the last `local_words` of a slot count (0 where the socket has an address of its own).

    A peer has one open message at a time, and messages stand in the order in which they began: so what goes to one peer
    goes in order.
    """
    for place in range(_PEERS):
        plan.newest[place] = -1
    made = np.int64(0)
    for slot in range(start, end):
        at = _place_of(plan, slot, peers, local, local_words)
        message = np.int64(plan.newest[at])
        if not _joins(plan, message, slot, lengths):
            message = made
            made += 1
            plan.newest[at], plan.first[message] = message, slot
            plan.counts[message], plan.octets[message] = 0, 0
            plan.closed[message] = lengths[slot] > SEGMENT_OCTETS_MAX or lengths[slot] == 0
        elif lengths[slot] < lengths[plan.first[message]]:
            plan.closed[message] = True
        plan.message_of[slot] = message
        plan.counts[message] += 1
        plan.octets[message] += lengths[slot]
    begin = np.int64(0)
    for opened in range(made):
        plan.begins[opened] = begin
        begin += np.int64(plan.counts[opened])
        plan.counts[opened] = 0
    for slot in range(start, end):
        message = np.int64(plan.message_of[slot])
        plan.order[plan.begins[message] + plan.counts[message]] = slot
        plan.counts[message] += 1
    return made


@uncounted
def plan_messages(lengths, peers, local_octets, start, end, plan, headers):  # type: ignore[no-untyped-def]
    """Group slots and write what sendmmsg reads for them; returns how many messages there are."""
    local_words = local_octets >> 2
    made = group_slots(lengths, peers, headers.local, local_words, start, end, plan)
    first_octet, row, peer, iovec, control = headers.places
    for message in range(made):
        begin, count, first = plan.begins[message], plan.counts[message], plan.first[message]
        header = headers.messages[message]
        header.name = peer + np.int64(first) * np.int64(4 * _PEER_WORDS)
        header.iov, header.iov_count = iovec + np.int64(begin) * np.int64(16), count
        for word in range(_LOCAL_WORDS - local_words, _LOCAL_WORDS):
            headers.controls[message].local[word] = headers.local[first, word]
        told = local_octets + (CUT_OCTETS if count > 1 else 0)
        begins = np.int64(message) * _CONTROL_OCTETS + np.int64(4) * (_LOCAL_WORDS - local_words)
        header.control = control + begins if told > 0 else np.int64(0)
        header.control_octets = told
        headers.controls[message].segment = lengths[first]
        for place in range(begin, begin + count):
            slot = np.int64(plan.order[place])
            headers.iovecs[place].base = first_octet + slot * row
            headers.iovecs[place].octets = lengths[slot]
    return made


plan_batch = entry(plan_messages, depends=[compiling, octets])


def new_controls(slots: int) -> np.ndarray:
    """One control message a message, saying that it is to be cut; the size of a segment is still to be filled in."""
    controls = np.zeros(slots, CONTROL)
    controls["octets"], controls["level"], controls["kind"] = CONTROL_OCTETS_USED, LEVEL_UDP, UDP_SEGMENT
    return records(controls)  # type: ignore[no-any-return]
