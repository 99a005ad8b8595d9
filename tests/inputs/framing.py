"""Frames and captures written by hand, octet by octet: what the reader is held to."""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

from simward.wire.radius.dictionary import Code
from simward.wire.radius.packet import Packet

SECRET = b"a-secret-of-the-tests"
AT_S = 1_795_392_000
IPV4_KIND, IPV6_KIND = b"\x08\x00", b"\x86\xdd"


def accounting(number: int = 1, identifier: int = 1, secret: bytes = SECRET, padding: int = 0) -> bytes:
    """An Accounting-Request (Start) of one subscription; `padding` makes it long."""
    packet = Packet(Code.ACCOUNTING_REQUEST, identifier).add_all([
        ("3GPP-IMSI", f"00101{number:010d}"), ("Acct-Status-Type", "Start"), ("Acct-Session-Id", f"S{number}"),
        ("NAS-Identifier", "pgw1"), ("Called-Station-Id", "meters.iot"),
        *[("Proxy-State", b"x" * 250)] * padding,
    ])  # fmt: skip
    return packet.sign_accounting_request(secret)


def access(number: int = 1, identifier: int = 1, secret: bytes = SECRET) -> bytes:
    """An Access-Request of one subscription."""
    packet = Packet(Code.ACCESS_REQUEST, identifier, bytes([identifier]) * 16).add_all([
        ("3GPP-IMSI", f"00101{number:010d}"), ("NAS-Identifier", "pgw1"), ("Called-Station-Id", "meters.iot"),
        ("3GPP-IMEISV", "3500000100000101"),
    ])  # fmt: skip
    return packet.sign_access_request(secret)


def udp(payload: bytes, source: int = 40_000, target: int = 1813) -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload


def ipv4(payload: bytes, sender: str = "127.0.0.1", *, at: int = 0, more: bool = False, name: int = 7) -> bytes:
    """An IPv4 packet, or a fragment of one."""
    where = at // 8 | (0x2000 if more else 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), name, where, 64, 17, 0)
    return head + ipaddress.IPv4Address(sender).packed + b"\x7f\0\0\1" + payload


def ipv6(payload: bytes, sender: str = "2001:db8::1", kind: int = 17, extension: bytes = b"") -> bytes:
    """An IPv6 packet, with extension headers where some are given."""
    head = struct.pack("!IHBB", 6 << 28, len(extension) + len(payload), kind, 64)
    return head + ipaddress.IPv6Address(sender).packed + ipaddress.IPv6Address("::1").packed + extension + payload


def ethernet(packet: bytes, tags: bytes = b"") -> bytes:
    """An Ethernet frame, with VLAN tags where some are given."""
    return bytes(12) + tags + (IPV4_KIND if packet[0] >> 4 == 4 else IPV6_KIND) + packet


def pcap(path: Path, frames: list[bytes], link: int = 1, order: str = "<", nanoseconds: bool = False) -> Path:
    """A pcap file of frames a millisecond apart."""
    parts = [struct.pack(f"{order}IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 65_535, link)]
    for number, frame in enumerate(frames):
        fraction = number * 1000 * (1000 if nanoseconds else 1)
        parts.append(struct.pack(f"{order}IIII", AT_S, fraction, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))
    return path


def pcapng(
    path: Path, frames: list[bytes], link: int = 1, order: str = "<", resolution: int = 6, offset_s: int = 0
) -> Path:
    """A pcapng file of frames a millisecond apart, its times in units of 10**-resolution s from `offset_s` on."""
    option = struct.pack(f"{order}HHB3xHHqI", 9, 1, resolution, 14, 8, offset_s, 0)
    parts = [
        _block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)),
        _block(order, 1, struct.pack(f"{order}HHI", link, 0, 0) + option),
        _block(order, 5, bytes(12)),  # interface statistics: passed over
    ]
    for number, frame in enumerate(frames):
        units = max(0, (AT_S - offset_s) * 1000 + number) * 10**resolution // 1000 & 0xFFFF_FFFF_FFFF_FFFF
        head = struct.pack(f"{order}IIIII", 0, units >> 32, units & 0xFFFFFFFF, len(frame), len(frame))
        parts.append(_block(order, 6, head + frame + bytes(-len(frame) % 4)))
    path.write_bytes(b"".join(parts))
    return path


def _block(order: str, kind: int, body: bytes) -> bytes:
    size = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + size + body + size
