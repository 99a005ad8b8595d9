"""A batch of datagrams in arrays: what the gate's sockets fill, the receiver reads, and the answerer writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

ROOM = 4096
"""Octets of a row: the longest RADIUS packet (RFC 2865 3)."""
ADDRESS_OCTETS = 28
"""Room for a raw sockaddr_in (16 octets used) or sockaddr_in6 (28)."""
IPV4_OCTETS, IPV6_OCTETS = 16, 28

AUTH, ACCOUNTING = 0, 1
"""Which socket a packet came in by (port_kind)."""


class PacketArrays(NamedTuple):
    """The arrays of a batch as compiled code takes them; octets and addresses are flat."""

    octets: np.ndarray
    lengths: np.ndarray
    addresses: np.ndarray
    address_lengths: np.ndarray
    port_kind: np.ndarray


class PacketBatch:
    """Room for `capacity` datagrams, allocated once. Rows 0..count-1 are in use."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.octets = np.zeros((capacity, ROOM), np.uint8)
        self.lengths = np.zeros(capacity, np.int32)
        self.addresses = np.zeros((capacity, ADDRESS_OCTETS), np.uint8)
        self.address_lengths = np.zeros(capacity, np.int32)
        self.port_kind = np.zeros(capacity, np.uint8)
        self.sources = np.zeros(capacity, np.int32)
        """Of answers: the row of the request in its batch."""
        self.arrays = PacketArrays(
            self.octets.reshape(-1), self.lengths, self.addresses.reshape(-1), self.address_lengths, self.port_kind
        )

    def clear(self) -> None:
        """Forget all rows."""
        self.count = 0

    def add(self, datagram: bytes, address: bytes, port_kind: int = AUTH) -> int:
        """Append one datagram from a raw socket address; returns its row. For tests and portable loops."""
        row = self.count
        self.lengths[row] = len(datagram)  # the whole of it, as a socket says, also where it does not fit
        datagram = datagram[:ROOM]
        self.octets[row, : len(datagram)] = np.frombuffer(datagram, np.uint8)
        self.addresses[row] = np.frombuffer(address.ljust(ADDRESS_OCTETS, b"\0"), np.uint8)
        self.address_lengths[row] = len(address)
        self.port_kind[row] = port_kind
        self.count = row + 1
        return row

    def datagrams(self) -> Iterable[bytes]:
        """The rows in use, as bytes."""
        for row in range(self.count):
            yield self.octets[row, : self.lengths[row]].tobytes()
