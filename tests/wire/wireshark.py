"""Wireshark's decoder, which nobody here wrote, over datagrams that were never on a network."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

from wire.asking import SECRET

LINK_IPV4 = 228


def capture(path: Path, datagrams: list[tuple[int, int, bytes]]) -> None:
    """A pcap file with UDP datagrams (source port, destination port, payload) over IPv4."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, LINK_IPV4)]
    for source, destination, payload in datagrams:
        udp = struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
        parts.append(struct.pack("<IIII", 0, 0, len(ip + udp), len(ip + udp)) + ip + udp)
    path.write_bytes(b"".join(parts))


def decoded(
    tshark: str, path: Path, datagrams: list[tuple[int, int, bytes]], secret: bytes = SECRET
) -> list[dict[str, Any]]:
    """What tshark says of each datagram; the secret lets it check authenticators."""
    capture(path, datagrams)
    said = _ask(tshark, path, secret, "-T", "json", "--no-duplicate-keys", "-J", "radius")
    return [one["_source"]["layers"]["radius"] for one in json.loads(said)]


def complaints(tshark: str, path: Path, secret: bytes = SECRET) -> str:
    """What tshark finds malformed or remarkable in a capture; empty where all is well."""
    return _ask(tshark, path, secret, "-Y", "_ws.malformed || _ws.expert", "-V")


def _ask(tshark: str, path: Path, secret: bytes, *words: str) -> str:
    settings = ("-o", f"radius.shared_secret:{secret.decode()}", "-o", "radius.validate_authenticator:TRUE")
    command = [tshark, "-r", str(path), *words, *settings]
    return subprocess.run(command, capture_output=True, check=True, timeout=60, text=True).stdout


def flat(tree: Any) -> dict[str, str]:
    """All leaves of a decoded tree by field name."""
    found: dict[str, str] = {}
    if isinstance(tree, dict):
        for name, value in tree.items():
            if isinstance(value, str):
                found[name] = value
            else:
                found |= flat(value)
    elif isinstance(tree, list):
        for value in tree:
            found |= flat(value)
    return found
