"""A capture file (pcap or pcapng, also gzipped) as batches of RADIUS requests, in constant memory."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from simward.errors import UsageError
from simward.inputs import walking
from simward.inputs.fragments import Reassembly
from simward.inputs.frames import ACCOUNTING_PORT, AUTH_PORT, COUNTED, DYNAUTH_PORT, LINK_TYPES, RAW, REQUEST
from simward.inputs.walking import ASK, DAMAGED, FULL, MORE, SECTION
from simward.wire.radius.batch import PacketBatch

ROWS = 2048
CHUNK_OCTETS = 4 << 20
AUTH_PORTS, ACCOUNTING_PORTS, DYNAUTH_PORTS = (1812, 1645), (1813, 1646), (3799, 1700)
"""RFC 2865 3, RFC 2866 3, RFC 5176 2.1, and what was used before."""

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": (False, 1), b"\xa1\xb2\xc3\xd4": (True, 1),
    b"\x4d\x3c\xb2\xa1": (False, 1000), b"\xa1\xb2\x3c\x4d": (True, 1000),
}  # fmt: skip
"""First octets of a pcap file: is it big-endian, and nanoseconds a unit of it over a microsecond."""
PCAPNG_MAGIC, GZIP_MAGIC = b"\x0a\x0d\x0d\x0a", b"\x1f\x8b"
END_OF_OPTIONS, IF_TSRESOL, IF_TSOFFSET = 0, 9, 14


class Requests(NamedTuple):
    """A batch of requests and when each was captured (us UTC), valid until the next one."""

    batch: PacketBatch
    times: np.ndarray


def is_capture(magic: bytes) -> bool:
    """Does a file that begins so hold captured packets?"""
    return magic[:4] in PCAP_MAGICS or magic[:4] == PCAPNG_MAGIC


def port_table(
    auth: Iterable[int] = (), accounting: Iterable[int] = (), dynauth: Iterable[int] = ()
) -> np.ndarray:
    """What each UDP port is for: the usual ones, and those of a gate's own settings."""
    table = np.zeros(65_536, np.uint8)
    for ports, kind in (
        ((*DYNAUTH_PORTS, *dynauth), DYNAUTH_PORT), ((*AUTH_PORTS, *auth), AUTH_PORT),
        ((*ACCOUNTING_PORTS, *accounting), ACCOUNTING_PORT),
    ):  # fmt: skip
        table[list(ports)] = kind
    table[0] = 0
    return table


class Capture:
    """One file. `counts` says by name what its frames were; `octets_read` how far it has come."""

    def __init__(self, path: Path, ports: np.ndarray) -> None:
        self.path = path
        self.octets_read = 0
        self.damage = ""
        self._walk = walking.new_walk(ROWS, ports)
        self._batch = PacketBatch(ROWS)
        self._reassembly = Reassembly()
        self._data = np.zeros(CHUNK_OCTETS, np.uint8)
        self._end = 0
        self._big, self._over, self._link = False, 1, -1
        self._interfaces = 0

    @property
    def counts(self) -> dict[str, int]:
        """Frames by what they were (frames.COUNTED), and fragments by what became of them; only what there was."""
        found = dict(zip((*COUNTED, "without_time"), self._walk.counts.tolist()))
        pieces = self._reassembly
        found |= {"reassembled": pieces.whole, "incomplete": pieces.incomplete, "overlapping": pieces.overlapping}
        return {name: count for name, count in found.items() if count}

    def requests(self) -> Iterator[Requests]:
        """Everything that was sent to a RADIUS port, a batch at a time. UsageError where this is no capture."""
        with closing(_opened(self.path)) as file:
            walk = self._begin(file)
            while True:
                why = walk()
                if why == ASK and self._parse_block():
                    continue
                if why in (ASK, MORE) and self._fill(file):
                    continue
                yield from self._emit()
                if why != FULL:
                    break
            if why == DAMAGED:
                self.damage = f"damaged after {self._frames()} frames; what follows cannot be read"
            elif self._walk.state[0] < self._end:
                self.damage = f"cut short after {self._frames()} frames"

    def _frames(self) -> int:
        return int(self._walk.counts.sum())

    def _begin(self, file: BinaryIO) -> Callable[[], int]:
        """Read what the file begins with; what walks over the rest of it."""
        self._fill(file)
        head = self._data[: min(self._end, walking.PCAP_HEADER)].tobytes()
        if head[:4] == PCAPNG_MAGIC:
            return lambda: walking.pcapng(self._data, self._end, self._big, self._batch.arrays, self._walk)
        if head[:4] not in PCAP_MAGICS or len(head) < walking.PCAP_HEADER:
            raise UsageError(
                f"{self.path} is no capture: neither pcap nor pcapng begins like this; events are called .csv, .jsonl "
                "or .parquet, and records of sessions become events with `simward convert FILE --into study`"
            )
        self._big, self._over = PCAP_MAGICS[head[:4]]
        self._link = struct.unpack(">I" if self._big else "<I", head[20:24])[0] & 0x0FFF_FFFF
        if self._link not in LINK_TYPES:
            raise UsageError(
                f"{self.path} has frames of link type {self._link}; Ethernet, Linux cooked (v1, v2), raw IP and BSD "
                "loopback are read"
            )
        self._walk.state[0] = walking.PCAP_HEADER
        return lambda: walking.pcap(
            self._data, self._end, self._big, self._link, self._over, self._batch.arrays, self._walk
        )

    def _fill(self, file: BinaryIO) -> bool:
        """Move what is left to the front and read on behind it; False at the end of the file."""
        at = int(self._walk.state[0])
        left = self._end - at
        if at == 0 and left == len(self._data):  # one record fills all of it
            self._data = np.concatenate([self._data, np.zeros_like(self._data)])
        elif at:
            self._reassemble()
            self._data[:left] = self._data[at : self._end].copy()
            self._walk.state[0], self._end = 0, left
        try:
            count = file.readinto(self._data[self._end :].data)  # type: ignore[attr-defined]
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise UsageError(f"{self.path} cannot be read: {error}") from None
        self._end += count
        self.octets_read += count
        return bool(count)

    def _emit(self) -> Iterator[Requests]:
        self._reassemble()
        rows = int(self._walk.state[1])
        if rows:
            self._batch.count = rows
            yield Requests(self._batch, self._walk.times[:rows])
        self._walk.state[1] = 0

    def _reassemble(self) -> None:
        """Put fragments together that the walk came across, and judge what became whole."""
        walk, count = self._walk, int(self._walk.state[2])
        walk.state[2] = 0
        for at, end, link, when in walk.pieces[:count].tolist():
            here = int(walking.find_ip(self._data, at, end, link))
            whole = self._reassembly.take(self._data[here:end].tobytes(), when) if here >= 0 else None
            if whole is None:
                continue
            row, octets = int(walk.state[1]), np.frombuffer(whole, np.uint8).copy()
            found = int(walking.take_one(octets, 0, len(octets), RAW, self._batch.arrays, row, walk.ports))
            walk.counts[found] += 1
            if found == REQUEST:
                walk.times[row] = when
                walk.state[1] += 1

    def _parse_block(self) -> bool:
        """Read a section or interface block of a pcapng file; False where more of it must be read first."""
        at, data = int(self._walk.state[0]), self._data
        if data[at : at + 4].tobytes() == PCAPNG_MAGIC:
            if at + 12 > self._end:
                return False
            self._big = data[at + 8 : at + 12].tobytes() == b"\x1a\x2b\x3c\x4d"
            self._interfaces = 0
            self._walk.interfaces[:] = -1
        order = ">" if self._big else "<"
        kind, size = struct.unpack(f"{order}II", data[at : at + 8].tobytes())
        if size < 20 or size % 4 or size > walking.BLOCK_OCTETS_MAX:
            raise UsageError(f"{self.path} is damaged: a block of {size} octets after {self._frames()} frames")
        if at + size > self._end:
            return False
        if kind != SECTION:
            self._interface(data[at + 8 : at + size - 4].tobytes(), order)
        self._walk.state[0] = at + size
        return True

    def _interface(self, body: bytes, order: str) -> None:
        if self._interfaces >= walking.INTERFACES_MAX:
            raise UsageError(f"{self.path} has more than {walking.INTERFACES_MAX} interfaces in one section")
        link = struct.unpack_from(f"{order}H", body)[0]  # frames of a link that is not known are counted as no IP
        times, over, shift, offset = 1, 1, 0, 0
        for code, value in _options(body[8:], order):
            if code == IF_TSRESOL and value:
                exponent = value[0] & 0x7F
                if value[0] & 0x80:
                    shift = min(exponent, 43)
                else:
                    times, over = 10 ** max(0, 6 - exponent), 10 ** min(max(0, exponent - 6), 12)
            elif code == IF_TSOFFSET and len(value) == 8:
                offset = struct.unpack(f"{order}q", value)[0] * 1_000_000
                offset = max(-walking.TIMES_BELOW, min(offset, walking.TIMES_BELOW))  # beyond, no packet has a time
        self._walk.interfaces[self._interfaces] = (link, times, over, shift, offset)
        self._interfaces += 1


def _options(octets: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(octets):
        code, size = struct.unpack_from(f"{order}HH", octets, at)
        if code == END_OF_OPTIONS:
            return
        yield code, octets[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def _opened(path: Path) -> BinaryIO:
    with open(path, "rb") as file:
        magic = file.read(2)
    if magic == GZIP_MAGIC:
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return open(path, "rb", buffering=0)
