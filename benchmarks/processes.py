"""Servers under test as child processes: ports, readiness, an orderly end."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import subprocess
import time
from pathlib import Path


def free_ports(count: int) -> list[int]:
    """UDP ports that were free a moment ago."""
    opened = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in opened]
    for one in opened:
        one.close()
    return ports


def status_server(secret: bytes) -> bytes:
    """A Status-Server packet (RFC 5997 3: with Message-Authenticator)."""
    packet = bytearray(bytes([12, 1, 0, 38]) + os.urandom(16) + bytes([80, 18]) + bytes(16))
    packet[22:38] = hmac.new(secret, bytes(packet), hashlib.md5).digest()
    return bytes(packet)


def wait_until_answering(
    process: subprocess.Popen[bytes], port: int, secret: bytes, said: Path, patience: float = 60
) -> None:
    """Ask with Status-Server until the server answers."""
    end = time.monotonic() + patience
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        asking.connect(("127.0.0.1", port))
        while time.monotonic() < end:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended at once: {said.read_text(errors='replace')[-2000:]}")
            try:
                asking.send(status_server(secret))
                asking.recv(4096)
                return
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
    raise TimeoutError(f"the server does not answer: {said.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes], patience: float = 15) -> None:
    """SIGTERM, then SIGKILL."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def resident_octets(pid: int) -> int:
    """Resident memory of a process (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
