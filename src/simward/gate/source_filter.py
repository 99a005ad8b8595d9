"""While strangers flood a port, the kernel drops what they send before it takes the room that gateways need.

A socket's buffer is shared by all who send to it: what a flood fills, a gateway's request does not get. So a classic
BPF program that knows the networks of the clients is attached to the sockets (socket(7), SO_ATTACH_FILTER), but only
for as long as a flood lasts: at all other times every packet of an unknown address is counted by the gate under its own
name, which is how a gateway that was forgotten in simward.toml is found. Whose packet it is, the gate goes on deciding.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import logging
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import NamedTuple

from simward.logs import called

log = logging.getLogger(__name__)

FLOOD_PER_SECOND = 1_000
"""More packets from unknown addresses than any misconfigured gateway sends for long."""
QUIET_S = 30
"""The program is taken away after so many seconds without a flood."""

INSTRUCTIONS_MAX = 4096
"""BPF_MAXINSNS: a longer program is refused, and such a gate goes without."""
ATTACH, DETACH, MEMINFO = 26, 27, 55  # SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_MEMINFO
_MEMINFO_FIELDS, _DROPS = 9, 8  # SK_MEMINFO_DROPS (4.12)

# linux/bpf_common.h and linux/filter.h
LOAD_WORD, LOAD_OCTET = 0x20, 0x30  # BPF_LD | BPF_ABS
AND, JUMP, RETURN = 0x54, 0x05, 0x06
IF_EQUAL, IF_GREATER, IF_AT_LEAST = 0x15, 0x25, 0x35
NETWORK_HEADER = 0xFFF00000  # SKF_NET_OFF: what is loaded from here on is the IP header, whatever the socket shows
ALL, NONE = 0xFFFFFFFF, 0
SOURCE_V4, SOURCE_V6 = 12, 8  # RFC 791 3.1, RFC 8200 3

V4_MAPPED = IPv6Network("::ffff:0:0/96")
Network = IPv4Network | IPv6Network


class Instruction(NamedTuple):
    """struct sock_filter. Jumps say how many instructions are left out."""

    code: int
    if_true: int
    if_false: int
    value: int


class _Prefix(NamedTuple):
    """The words of an address that decide, and how many bits of them."""

    words: tuple[int, ...]
    bits: int


class _Range(NamedTuple):
    """Values of one word that lead on: to a network where `below` is None, else to the next word."""

    low: int
    high: int
    below: list[_Prefix] | None


def program(networks: Iterable[Network]) -> list[Instruction]:
    """Keep whole what comes from one of the networks, drop the rest: a binary search over the source address."""
    four: list[IPv4Network] = []
    six: list[IPv6Network] = []
    for one in networks:
        if isinstance(one, IPv4Network):
            four.append(one)
        elif one.subnet_of(V4_MAPPED):  # RFC 4291 2.5.5.2: on the wire that is IPv4
            four.append(IPv4Network((int(one.network_address) & ALL, one.prefixlen - V4_MAPPED.prefixlen)))
        else:
            six.append(one)
    of_four = _decide([_prefix(one) for one in collapse_addresses(four)], 0, SOURCE_V4)
    of_six = _decide([_prefix(one) for one in collapse_addresses(six)], 0, SOURCE_V6)
    return [
        Instruction(LOAD_OCTET, 0, 0, NETWORK_HEADER),
        Instruction(AND, 0, 0, 0xF0),
        Instruction(IF_EQUAL, 0, 1, 0x40),  # version 4
        Instruction(JUMP, 0, 0, len(of_six)),
        *of_six,
        *of_four,
    ]


def encoded(instructions: Sequence[Instruction]) -> bytes:
    """As the kernel takes them."""
    return b"".join(struct.pack("=HBBI", *one) for one in instructions)


def _prefix(network: Network) -> _Prefix:
    octets = network.network_address.packed
    return _Prefix(struct.unpack(f"!{len(octets) // 4}I", octets), network.prefixlen)


def _decide(prefixes: list[_Prefix], level: int, at: int) -> list[Instruction]:
    """Look at one word of the address, and at the next where that is not enough."""
    if not prefixes:
        return [Instruction(RETURN, 0, 0, NONE)]
    ranges: dict[int, _Range] = {}
    for one in prefixes:
        left, low = one.bits - 32 * level, one.words[level]
        if left <= 32:
            ranges[low] = _Range(low, low | (ALL >> left), None)
        else:
            known = ranges.setdefault(low, _Range(low, low, []))
            assert known.below is not None  # collapsed networks do not contain each other
            known.below.append(one)
    load = Instruction(LOAD_WORD, 0, 0, NETWORK_HEADER + at + 4 * level)
    return [load, *_search([ranges[low] for low in sorted(ranges)], level, at)]


def _search(ranges: list[_Range], level: int, at: int) -> list[Instruction]:
    if len(ranges) > 1:
        middle = len(ranges) // 2
        below, above = _search(ranges[:middle], level, at), _search(ranges[middle:], level, at)
        # A conditional jump reaches 255 instructions: the far way is taken by one that reaches any.
        turn = [Instruction(IF_AT_LEAST, 0, 1, ranges[middle].low), Instruction(JUMP, 0, 0, len(below))]
        return [*turn, *below, *above]
    only = ranges[0]
    found = [Instruction(RETURN, 0, 0, ALL)] if only.below is None else _decide(only.below, level + 1, at)
    if only.low == only.high:
        return [Instruction(IF_EQUAL, 1, 0, only.low), Instruction(RETURN, 0, 0, NONE), *found]
    return [
        Instruction(IF_AT_LEAST, 0, 1, only.low),
        Instruction(IF_GREATER, 0, 1, only.high),
        Instruction(RETURN, 0, 0, NONE),
        *found,
    ]


class SourceFilter:
    """Watches how much comes from unknown addresses, and puts the program before the sockets while it is too much."""

    def __init__(self, sockets: Sequence[socket.socket], networks: Sequence[Network]) -> None:
        self._sockets = tuple(sockets)
        instructions = program(networks)
        # Without any client, everyone is a stranger: nothing needs the room, and all may be counted.
        self._program = encoded(instructions) if networks and len(instructions) <= INSTRUCTIONS_MAX else b""
        self._drops_seen = [_drops(one) for one in self._sockets]
        self._unknown = self._unknown_before = self._dropped_before = 0
        self._quiet_s = 0
        self.on = False
        self.dropped = [0] * len(self._sockets)
        """What the kernel dropped on each socket, when last looked: by the program, or for want of room."""

    def heard(self, unknown: int) -> None:
        """So many packets of unknown addresses were counted so far; called after each batch."""
        self._unknown = unknown
        if unknown - self._unknown_before > FLOOD_PER_SECOND and not self.on:
            self._attach()

    def each_second(self) -> None:
        """Count what the kernel dropped; take the program away when the flood is over."""
        self._unknown_before = self._unknown
        self.count_drops()
        dropped, self._dropped_before = sum(self.dropped) - self._dropped_before, sum(self.dropped)
        self._quiet_s = 0 if dropped > FLOOD_PER_SECOND else self._quiet_s + 1
        if self.on and self._quiet_s >= QUIET_S:
            self._detach()

    def count_drops(self) -> None:
        """Bring `dropped` up to date."""
        for place, one in enumerate(self._sockets):
            drops = _drops(one)
            self.dropped[place] += (drops - self._drops_seen[place]) & ALL  # the kernel's counter has 32 bits
            self._drops_seen[place] = drops

    def _attach(self) -> None:
        self._unknown_before = self._unknown  # not tried again within the second where it fails
        if not self._program or not sys.platform.startswith("linux"):
            return
        kept = ctypes.create_string_buffer(self._program)
        description = struct.pack("@HP", len(self._program) // 8, ctypes.addressof(kept))  # struct sock_fprog
        try:
            for one in self._sockets:
                one.setsockopt(socket.SOL_SOCKET, ATTACH, description)
        except OSError as error:
            log.warning(
                "the kernel does not take a filter of source addresses: %s", error.strerror or error,
                extra=called("source-filter-unavailable"),
            )
            self._program = b""
            self._take_away()
            return
        self.on, self._quiet_s = True, 0
        log.warning(
            "more than %d packets a second from unknown addresses: the kernel drops them now", FLOOD_PER_SECOND,
            extra=called("flood-began"),
        )  # fmt: skip

    def _detach(self) -> None:
        self._take_away()
        self.on = False
        log.warning("the flood from unknown addresses is over: they are counted again", extra=called("flood-over"))

    def _take_away(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):  # it has none
                one.setsockopt(socket.SOL_SOCKET, DETACH, 0)


def _drops(opened: socket.socket) -> int:
    """Datagrams that the kernel dropped on a socket since it was made, modulo 2**32; 0 where it does not say."""
    try:
        said = opened.getsockopt(socket.SOL_SOCKET, MEMINFO, 4 * _MEMINFO_FIELDS)
    except OSError:
        return 0
    fields = array.array("I", said)
    return fields[_DROPS] if len(fields) > _DROPS else 0
