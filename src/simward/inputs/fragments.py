"""Puts IP fragments together again (RFC 791 3.2, RFC 8200 4.5), with a bound on how many, and how much, waits."""

from __future__ import annotations

from dataclasses import dataclass, field

PENDING_MAX, PENDING_OCTETS_MAX = 1024, 4 << 20
"""What waits for its other pieces, in datagrams and in octets; the oldest gives way."""
PIECES_MAX = 65
DATAGRAM_OCTETS_MAX = 65_535
WAITS_AT_MOST_US = 60_000_000
"""RFC 8200 4.5: 60 seconds after the first piece came; then its name may be that of another datagram."""
UDP, FRAGMENT_HEADER = 17, 44


@dataclass
class _Pending:
    pieces: dict[int, bytes] = field(default_factory=dict)
    octets: int = 0
    """Of all pieces together."""
    size: int = 0
    """Of the whole, once the last piece is there."""
    began: int = 0
    dropped: bool = False
    """Pieces overlapped: nothing of this datagram is taken any more (RFC 5722 4)."""


class Reassembly:
    """Fragments in, whole IP packets out. `incomplete` counts datagrams that were given up, or never became whole."""

    def __init__(self) -> None:
        self.whole = self.given_up = self.overlapping = 0
        self.pending_octets = 0
        """What all pieces that wait take; at most PENDING_OCTETS_MAX."""
        self._pending: dict[bytes, _Pending] = {}

    @property
    def incomplete(self) -> int:
        """Datagrams of which pieces are missing."""
        return self.given_up + sum(not one.dropped for one in self._pending.values())

    def take(self, packet: bytes, when: int) -> bytes | None:
        """One fragment, from its IP header on, and when it came (us); the whole packet, as if it had never been cut,
        where it is complete.
        """
        read = _read_ipv4(packet) if packet[0] >> 4 == 4 else _read_ipv6(packet)
        if read is None:
            self.given_up += 1
            return None
        key, at, more, octets = read
        pending = self._forget(key) or _Pending(began=when)
        if abs(when - pending.began) > WAITS_AT_MOST_US:
            self.given_up += not pending.dropped
            pending = _Pending(began=when)
        if at + len(octets) > DATAGRAM_OCTETS_MAX or len(pending.pieces) >= PIECES_MAX:
            self.given_up += not pending.dropped
            return None
        if not pending.dropped and pending.pieces.get(at) != octets:  # the network may deliver one twice
            self._put(pending, at, octets)
        if not more and not pending.dropped:
            pending.size = at + len(octets)
        payload = _joined(pending)
        if payload is not None:
            self.whole += 1
            return _unfragmented(packet, payload)
        self._pending[key] = pending  # the newest last: the oldest gives way
        self.pending_octets += pending.octets
        while len(self._pending) > PENDING_MAX or self.pending_octets > PENDING_OCTETS_MAX:
            self.given_up += not self._forget(next(iter(self._pending))).dropped  # type: ignore[union-attr]
        return None

    def _put(self, pending: _Pending, at: int, octets: bytes) -> None:
        """Add a piece; where it overlaps another, all of the datagram is dropped."""
        if any(at < one + len(piece) and one < at + len(octets) for one, piece in pending.pieces.items()):
            pending.pieces.clear()
            pending.octets, pending.size, pending.dropped = 0, 0, True
            self.overlapping += 1
            return
        pending.pieces[at] = octets
        pending.octets += len(octets)

    def _forget(self, key: bytes) -> _Pending | None:
        pending = self._pending.pop(key, None)
        if pending is not None:
            self.pending_octets -= pending.octets
        return pending


def _joined(pending: _Pending) -> bytes | None:
    if not pending.size:
        return None
    joined = b""
    for at in sorted(pending.pieces):
        if at != len(joined):
            return None  # a hole
        joined += pending.pieces[at]
    return joined if len(joined) == pending.size else None


def _read_ipv4(packet: bytes) -> tuple[bytes, int, bool, bytes] | None:
    header, total = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
    if header < 20 or not header < total <= len(packet):
        return None
    said = int.from_bytes(packet[6:8], "big")
    key = packet[4:6] + packet[9:10] + packet[12:20]
    return key, (said & 0x1FFF) * 8, bool(said & 0x2000), packet[header:total]


def _read_ipv6(packet: bytes) -> tuple[bytes, int, bool, bytes] | None:
    """The fragment header stands behind those that every hop reads (RFC 8200 4.5: the unfragmentable part)."""
    kind, here, end = packet[6], 40, 40 + int.from_bytes(packet[4:6], "big")
    while kind in (0, 43, 60) and here + 8 <= len(packet):
        kind, here = packet[here], here + (packet[here + 1] + 1) * 8
    if kind != FRAGMENT_HEADER or not here + 8 < end <= len(packet) or packet[here] != UDP:
        return None
    said = int.from_bytes(packet[here + 2 : here + 4], "big")
    return packet[here + 4 : here + 8] + packet[8:40], said & 0xFFF8, bool(said & 1), packet[here + 8 : end]


def _unfragmented(packet: bytes, payload: bytes) -> bytes:
    if packet[0] >> 4 == 4:
        header = bytearray(packet[:20])
        header[0], header[6:8] = 0x45, b"\0\0"
        return bytes(header) + payload
    return packet[:4] + min(len(payload), 0xFFFF).to_bytes(2, "big") + bytes([UDP]) + packet[7:40] + payload
