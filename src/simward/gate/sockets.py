"""UDP for whole batches: recvmmsg and sendmmsg straight into NumPy buffers, or a portable loop that does the same."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import socket
import struct
import sys
from typing import Protocol

import numpy as np

from simward.compiled import records
from simward.errors import PeerError
from simward.gate import segments
from simward.gate.destinations import CONTROL_OCTETS, Destinations

PEER_OCTETS = 28
"""Room for a sockaddr_in (16 octets) or sockaddr_in6 (28 octets) as the kernel writes it."""

RECEIVE_BUFFER_OCTETS = 16 * 1024 * 1024
SEND_BUFFER_OCTETS = 4 * 1024 * 1024
SEND_WAITS = 20
SEND_WAIT_MS = 5
"""A full send buffer is waited for so many times so long; then the rest of the batch is dropped and counted."""

_IOVEC = np.dtype([("base", "u8"), ("octets", "u8")])
_MMSGHDR = np.dtype(
    [
        ("name", "u8"),
        ("name_octets", "u4"),
        ("pad1", "u4"),
        ("iov", "u8"),
        ("iov_count", "u8"),
        ("control", "u8"),
        ("control_octets", "u8"),
        ("flags", "i4"),
        ("pad2", "u4"),
        ("octets", "u4"),
        ("pad3", "u4"),
    ]
)
"""struct mmsghdr of 64-bit Linux (glibc and musl, little-endian: the padding stands where musl pads)."""
_MMSGHDR_OCTETS = _MMSGHDR.itemsize
_SEGMENTED_FROM = 8
"""A smaller batch goes faster as it is: planning takes 3 us, and a message that is cut costs more than a plain one."""
_MSG_DONTWAIT = 0x40
_MSG_TRUNC = 0x20
"""Of what did not fit, say how long it was."""


def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux") or struct.calcsize("P") != 8 or sys.byteorder != "little":
        return None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        for name in ("recvmmsg", "sendmmsg"):
            getattr(libc, name).restype = ctypes.c_int
        libc.recvmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
    except (OSError, AttributeError):
        return None
    return libc


_LIBC = _libc()
HAVE_MMSG = _LIBC is not None


def open_udp(host: str, port: int) -> socket.socket:
    """A bound, non-blocking UDP socket with big buffers; PeerError says which address could not be had.

    SO_REUSEADDR is not set: on UDP it would let a second gate steal packets from the first.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PeerError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    try:
        opened.setblocking(False)
        for option, forced, octets in (
            (socket.SO_RCVBUF, 33, RECEIVE_BUFFER_OCTETS),  # SO_RCVBUFFORCE: beyond rmem_max where we may
            (socket.SO_SNDBUF, 32, SEND_BUFFER_OCTETS),  # SO_SNDBUFFORCE
        ):
            try:
                opened.setsockopt(socket.SOL_SOCKET, forced if HAVE_MMSG else option, octets)
            except OSError:
                opened.setsockopt(socket.SOL_SOCKET, option, octets)
        opened.bind(address)
    except OSError as error:
        opened.close()
        raise PeerError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return opened


def shown_address(opened: socket.socket) -> str:
    """The bound address as host:port, for people."""
    name = opened.getsockname()
    return f"[{name[0]}]:{name[1]}" if opened.family == socket.AF_INET6 else f"{name[0]}:{name[1]}"


def peer_octets(address: tuple[str, int] | tuple[str, int, int, int]) -> bytes:
    """A socket address as the kernel's sockaddr, zero padded to PEER_OCTETS."""
    if ":" in address[0]:
        scope = address[3] if len(address) > 3 else 0
        packed = socket.inet_pton(socket.AF_INET6, address[0].split("%")[0])
        flow = address[2] if len(address) > 3 else 0
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(address[1]), flow, packed, scope)
    packed = socket.inet_pton(socket.AF_INET, address[0])
    return struct.pack("=HH4s20x", socket.AF_INET, socket.htons(address[1]), packed)


def peer_address(octets: bytes) -> tuple[str, int] | tuple[str, int, int, int]:
    """The reverse of `peer_octets`."""
    family, port = struct.unpack_from("=HH", octets)
    if family == socket.AF_INET6:
        flow, packed, scope = struct.unpack_from("=I16sI", octets, 4)
        return socket.inet_ntop(socket.AF_INET6, packed), socket.ntohs(port), flow, scope
    return socket.inet_ntop(socket.AF_INET, octets[4:8]), socket.ntohs(port)


class ReceivesBatches(Protocol):
    """Fills slots of the arrays it was made with. Of what is longer than a slot, the length is longer than the slot."""

    def receive(self, opened: socket.socket, start: int, end: int) -> int:
        """Receive what is there into slots from `start` on, up to `end`; returns how many. Never waits."""
        ...


class SendsBatches(Protocol):
    """Sends slots of the arrays it was made with, each to the peer beside it."""

    dropped: int

    def send(self, opened: socket.socket, start: int, end: int) -> int:
        """Send the packets in slots from `start` up to `end`; returns how many the kernel took."""
        ...


class MmsgReceiver:
    """recvmmsg into `octets[slot]`, `lengths[slot]` and `peers[slot]` (sockaddr as the kernel writes it)."""

    def __init__(
        self, octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
    ) -> None:
        assert _LIBC is not None and octets.flags.c_contiguous and peers.flags.c_contiguous
        self._recvmmsg = _LIBC.recvmmsg
        self._octets, self._lengths, self._peers, self._destinations = octets, lengths, peers, destinations
        self._headers, self._iovecs = _headers(octets, peers)
        self._address = self._headers.ctypes.data
        self._sizes = self._headers["octets"]
        self._name_sizes = self._headers["name_octets"]

    def receive(self, opened: socket.socket, start: int, end: int) -> int:
        """See ReceivesBatches."""
        if end <= start:
            return 0
        at = self._address + start * _MMSGHDR_OCTETS
        told = _point_at(self._destinations, opened, self._headers, start, end)
        # errno is not looked at: EAGAIN is "nothing there", and an ICMP error of an earlier answer is nobody's packet.
        count: int = self._recvmmsg(opened.fileno(), at, end - start, _MSG_DONTWAIT | _MSG_TRUNC, None)
        if count <= 0:
            return 0
        end = start + count
        self._lengths[start:end] = self._sizes[start:end]
        self._name_sizes[start:end] = PEER_OCTETS  # the kernel wrote how much it used
        if told and self._destinations is not None:
            self._destinations.forget_interface(told, start, end)
        return count


class MmsgSender:
    """sendmmsg from `octets[slot]`, `lengths[slot]` to `peers[slot]`."""

    def __init__(
        self, octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
    ) -> None:
        assert _LIBC is not None and octets.flags.c_contiguous and peers.flags.c_contiguous
        self._sendmmsg = _LIBC.sendmmsg
        self._octets, self._lengths, self._peers, self._destinations = octets, lengths, peers, destinations
        self._headers, self._iovecs = _headers(octets, peers)
        self._iov_octets = self._iovecs["octets"]
        self._address = self._headers.ctypes.data
        self.dropped = 0

    def send(self, opened: socket.socket, start: int, end: int) -> int:
        """See SendsBatches. The size of a peer stays PEER_OCTETS: the kernel takes what its family needs."""
        self._iov_octets[start:end] = self._lengths[start:end]
        _point_at(self._destinations, opened, self._headers, start, end)
        sent: int = self._sendmmsg(opened.fileno(), self._address + start * _MMSGHDR_OCTETS, end - start, _MSG_DONTWAIT)
        return sent if sent == end - start else self._send_all(opened, start + max(sent, 0), end) + max(sent, 0)

    def _send_all(self, opened: socket.socket, at: int, end: int) -> int:
        """The rest of a batch that the kernel did not take at once."""
        sent, waits, number = 0, 0, opened.fileno()
        while at < end:
            taken = self._sendmmsg(number, self._address + at * _MMSGHDR_OCTETS, end - at, _MSG_DONTWAIT)
            if taken > 0:
                at += taken
                sent += taken
                continue
            if ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):
                waits += 1
                if waits > SEND_WAITS:
                    self.dropped += end - at
                    break
                _wait_writable(opened)
            elif ctypes.get_errno() != errno.EINTR:
                at += 1  # this one peer cannot be reached: the others can
                self.dropped += 1
        return sent


class SegmentSender(MmsgSender):
    """sendmmsg where answers of equal size to one peer are one message, which the kernel cuts (UDP_SEGMENT, 4.18)."""

    def __init__(
        self, octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
    ) -> None:
        super().__init__(octets, lengths, peers, destinations)
        slots = len(octets)
        self.segments = True
        """Until the network turns out not to take them."""
        self._plan = segments.new_plan(slots)
        messages, iovecs = _headers(octets, peers)
        controls = segments.new_controls(slots)
        self._messages_at = messages.ctypes.data
        places = [octets.ctypes.data, octets.strides[0], peers.ctypes.data, iovecs.ctypes.data, controls.ctypes.data]
        local = np.zeros((0, CONTROL_OCTETS), np.uint8) if destinations is None else destinations.octets
        self._messages = segments.Headers(
            records(messages), records(iovecs), controls, np.array(places, np.int64), local.view(np.int32)
        )
        self._peer_words = peers.view(np.int32)
        self._plan_slots(0, 0, 0)  # compiled now, not when the first answers wait

    def send(self, opened: socket.socket, start: int, end: int) -> int:
        """See SendsBatches."""
        if end - start < _SEGMENTED_FROM or not self.segments:
            return super().send(opened, start, end)
        told = 0 if self._destinations is None else self._destinations.size(opened)
        count = self._plan_slots(told, start, end)
        taken: int = self._sendmmsg(opened.fileno(), self._messages_at, count, _MSG_DONTWAIT)
        return end - start if taken == count else self._send_messages(opened, max(taken, 0), count)

    def _plan_slots(self, told: int, start: int, end: int) -> int:
        planned: int = segments.plan_batch(
            self._lengths, self._peer_words, told, start, end, self._plan, self._messages
        )
        return planned

    def _send_messages(self, opened: socket.socket, at: int, count: int) -> int:
        """The rest of a batch that the kernel did not take at once: the messages from `at` on."""
        counts, waits = self._plan.counts[:count], 0
        sent = int(counts[:at].sum())
        while at < count:
            taken = self._sendmmsg(opened.fileno(), self._messages_at + at * _MMSGHDR_OCTETS, count - at, _MSG_DONTWAIT)
            error = ctypes.get_errno()
            if taken > 0:
                sent += int(counts[at : at + taken].sum())
                at += taken
            elif error in (errno.EAGAIN, errno.ENOBUFS):
                waits += 1
                if waits > SEND_WAITS:
                    self.dropped += int(counts[at:].sum())
                    break
                _wait_writable(opened)
            elif error != errno.EINTR:
                sent += self._send_uncut(opened, at, error)
                at += 1
        return sent

    def _send_uncut(self, opened: socket.socket, message: int, error: int) -> int:
        """One message, as datagrams: where they are taken and segments were refused, nothing is cut from now on.

        EIO: the device cannot do checksums (udp_send_skb); EINVAL: no segments here, or a path too narrow for them.
        """
        begin, count = int(self._plan.begins[message]), int(self._plan.counts[message])
        slots = self._plan.order[begin : begin + count].tolist()
        sent = sum(MmsgSender.send(self, opened, slot, slot + 1) for slot in slots)
        if sent == count > 1 and error in (errno.EIO, errno.EINVAL, errno.EOPNOTSUPP):
            self.segments = False
        return sent


class PortableReceiver:
    """The same with recvmsg_into, one call a packet."""

    def __init__(
        self, octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
    ) -> None:
        self._views = [memoryview(row) for row in octets]
        self._lengths, self._peers, self._destinations = lengths, peers, destinations

    def receive(self, opened: socket.socket, start: int, end: int) -> int:
        """See ReceivesBatches."""
        slot, told = start, 0 if self._destinations is None else self._destinations.size(opened)
        while slot < end:
            try:
                count, ancillary, flags, address = opened.recvmsg_into([self._views[slot]], told)
            except InterruptedError:
                continue
            except OSError:
                break  # nothing there, or the ICMP error of an earlier answer
            self._lengths[slot] = count + bool(flags & socket.MSG_TRUNC)
            self._peers[slot] = np.frombuffer(peer_octets(address), np.uint8)
            if told and self._destinations is not None:
                self._destinations.put(told, slot, ancillary)
                self._destinations.forget_interface(told, slot, slot + 1)
            slot += 1
        return slot - start


class PortableSender:
    """The same with sendto, one call a packet."""

    def __init__(
        self, octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
    ) -> None:
        self._octets, self._lengths, self._peers = octets, lengths, peers
        self._destinations = destinations or Destinations(0)
        self.dropped = 0

    def send(self, opened: socket.socket, start: int, end: int) -> int:
        """See SendsBatches."""
        sent, waits, told = 0, 0, self._destinations.size(opened)
        for slot in range(start, end):
            ancillary = self._destinations.ancillary(told, slot)
            packet = self._octets[slot, : self._lengths[slot]].tobytes()
            address = peer_address(self._peers[slot].tobytes())
            while True:
                try:
                    opened.sendmsg([packet], ancillary, 0, address)
                    sent += 1
                except InterruptedError:
                    continue
                except BlockingIOError:
                    waits += 1
                    if waits <= SEND_WAITS:
                        _wait_writable(opened)
                        continue
                    self.dropped += 1
                except OSError:
                    self.dropped += 1
                break
        return sent


def batch_receiver(
    octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
) -> ReceivesBatches:
    """The fastest receiver that this machine has (SIMWARD_PORTABLE_SOCKETS=1: the portable one).

    `destinations` is filled slot by slot from the sockets that it watches.
    """
    return (MmsgReceiver if _use_mmsg() else PortableReceiver)(octets, lengths, peers, destinations)


def batch_sender(
    octets: np.ndarray, lengths: np.ndarray, peers: np.ndarray, destinations: Destinations | None = None
) -> SendsBatches:
    """The fastest sender that this machine has; a slot leaves from its address in `destinations`, if there are some."""
    if not _use_mmsg():
        return PortableSender(octets, lengths, peers, destinations)
    return (SegmentSender if have_segments() else MmsgSender)(octets, lengths, peers, destinations)


def have_segments() -> bool:
    """Does this kernel know UDP_SEGMENT?"""
    if not HAVE_MMSG:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.setsockopt(segments.LEVEL_UDP, segments.UDP_SEGMENT, 0)
        except OSError:
            return False
    return True


def _use_mmsg() -> bool:
    return HAVE_MMSG and os.environ.get("SIMWARD_PORTABLE_SOCKETS", "0") in ("", "0")


def _headers(octets: np.ndarray, peers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One mmsghdr and one iovec a slot, made once: they point into the arrays, which must live as long."""
    assert octets.dtype == np.uint8 and peers.dtype == np.uint8 and peers.shape[1] == PEER_OCTETS
    slots = np.arange(len(octets), dtype=np.uint64)
    iovecs = np.zeros(len(octets), _IOVEC)
    iovecs["base"] = np.uint64(octets.ctypes.data) + slots * np.uint64(octets.strides[0])
    iovecs["octets"] = octets.shape[1]
    headers = np.zeros(len(octets), _MMSGHDR)
    headers["name"] = np.uint64(peers.ctypes.data) + slots * np.uint64(PEER_OCTETS)
    headers["name_octets"] = PEER_OCTETS
    headers["iov"] = np.uint64(iovecs.ctypes.data) + slots * np.uint64(_IOVEC.itemsize)
    headers["iov_count"] = 1
    return headers, iovecs


def _wait_writable(opened: socket.socket) -> None:
    waiter = select.poll()
    waiter.register(opened, select.POLLOUT)
    waiter.poll(SEND_WAIT_MS)


def _point_at(
    destinations: Destinations | None, opened: socket.socket, headers: np.ndarray, start: int, end: int
) -> int:
    """Have these headers' control messages be those of `destinations`; how many octets each has, 0 = there are none."""
    if destinations is None:
        return 0
    size, rows = destinations.size(opened), headers[start:end]
    first = destinations.octets.ctypes.data + (start + 1) * CONTROL_OCTETS - size
    rows["control"] = np.arange(len(rows), dtype=np.uint64) * np.uint64(CONTROL_OCTETS) + np.uint64(first)
    rows["control_octets"] = size  # before each call: the kernel wrote how much it used
    return size
