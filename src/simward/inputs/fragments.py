"""Puts IP fragments together again (RFC 791 3.2, RFC 8200 4.5), with a bound on how many wait."""

from __future__ import annotations

from dataclasses import dataclass, field

PENDING_MAX = 1024
DATAGRAM_OCTETS_MAX = 65_535
UDP, FRAGMENT_HEADER = 17, 44


@dataclass
class _Pending:
    pieces: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    """Of the whole, once the last piece is there."""


class Reassembly:
    """Fragments in, whole IP packets out. `incomplete` counts datagrams that were given up, or never became whole."""

    def __init__(self) -> None:
        self.whole = self.given_up = 0
        self._pending: dict[bytes, _Pending] = {}

    @property
    def incomplete(self) -> int:
        """Datagrams of which pieces are missing."""
        return self.given_up + len(self._pending)

    def take(self, packet: bytes) -> bytes | None:
        """One fragment, from its IP header on; the whole packet, as if it had never been cut, where it is complete."""
        read = _read_ipv4(packet) if packet[0] >> 4 == 4 else _read_ipv6(packet)
        if read is None:
            self.given_up += 1
            return None
        key, at, more, octets = read
        pending = self._pending.pop(key, None) or _Pending()
        if at + len(octets) > DATAGRAM_OCTETS_MAX or len(pending.pieces) > 64:
            self.given_up += 1
            return None
        self._pending[key] = pending  # the newest last: the oldest gives way
        pending.pieces[at] = octets
        if not more:
            pending.size = at + len(octets)
        payload = _joined(pending)
        if payload is not None:
            del self._pending[key]
            self.whole += 1
            return _unfragmented(packet, payload)
        if len(self._pending) > PENDING_MAX:
            del self._pending[next(iter(self._pending))]
            self.given_up += 1
        return None


def _joined(pending: _Pending) -> bytes | None:
    if not pending.size:
        return None
    joined = b""
    for at in sorted(pending.pieces):
        if at != len(joined):
            return None  # a hole, or pieces that overlap, which honest senders do not make (RFC 5722)
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
