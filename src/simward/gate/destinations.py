"""Which of our addresses a request came to, so that its answer leaves from there: asked where a socket has them all.

A socket on a wildcard address (0.0.0.0, ::) answers from whichever address the route prefers, and a gateway that asked
another one drops the answer, since it knows answers by where they come from (RFC 2865 3). So the kernel is asked to say
where each datagram came to (IP_PKTINFO; IPV6_RECVPKTINFO of RFC 3542 6), and the same control message goes out with the
answer.
"""

from __future__ import annotations

import socket
import sys

import numpy as np

CONTROL_OCTETS = 40
"""Room for a control message with an in6_pktinfo; one with an in_pktinfo stands in its last 32 octets."""
HEADER_OCTETS = 16
"""struct cmsghdr of 64-bit Linux: length, level, kind."""
HEADER = np.dtype([("octets", "u8"), ("level", "i4"), ("kind", "i4")])

_V4, _V6 = 32, CONTROL_OCTETS
_IP_PKTINFO = 8  # linux/in.h; the socket module names it from Python 3.12 on
_INTERFACE = {_V4: slice(24, 28), _V6: slice(32, 36)}
_PAYLOAD = {_V4: slice(24, 36), _V6: slice(16, 36)}
_SAYS = {_V4: (socket.IPPROTO_IP, _IP_PKTINFO), _V6: (socket.IPPROTO_IPV6, getattr(socket, "IPV6_PKTINFO", 50))}


class Destinations:
    """For each slot of a batch the control message that says, or is to say, which address of ours is meant."""

    def __init__(self, slots: int) -> None:
        self.octets = np.zeros((slots, CONTROL_OCTETS), np.uint8)
        self._sizes: dict[socket.socket, int] = {}

    def watch(self, opened: socket.socket) -> None:
        """From now on `opened` says where datagrams came to, if it is bound to a wildcard address."""
        if not is_wildcard(opened) or not sys.platform.startswith("linux"):
            return
        if opened.family == socket.AF_INET6:
            # An IPv4 datagram on such a socket is told, and answered, as ::ffff:a.b.c.d.
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            self._sizes[opened] = _V6
        else:
            opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            self._sizes[opened] = _V4

    def size(self, opened: socket.socket) -> int:
        """How many octets (the last of a slot) a control message of this socket has; 0 where it is not watched."""
        return self._sizes.get(opened, 0)

    def forget_interface(self, size: int, start: int, end: int) -> None:
        """An answer goes where the route says, which need not be the interface that the request came by."""
        self.octets[start:end, _INTERFACE[size]] = 0

    def take(self, asked: Destinations, sources: np.ndarray) -> None:
        """Slot n is to answer what came in slot sources[n] of `asked`."""
        self.octets[: len(sources)] = asked.octets[sources]

    def put(self, size: int, slot: int, ancillary: list[tuple[int, int, bytes]]) -> None:
        """Keep what recvmsg said, as the kernel would have written it."""
        for level, kind, payload in ancillary:
            if (level, kind) == _SAYS[size]:
                header = np.array((HEADER_OCTETS + len(payload), level, kind), HEADER).tobytes()
                whole = np.frombuffer((header + payload).ljust(size, b"\0"), np.uint8)
                self.octets[slot, CONTROL_OCTETS - size :] = whole

    def ancillary(self, size: int, slot: int) -> list[tuple[int, int, bytes]]:
        """What sendmsg is to be told."""
        return [(*_SAYS[size], self.octets[slot, _PAYLOAD[size]].tobytes())] if size else []


def is_wildcard(opened: socket.socket) -> bool:
    """Is this socket bound to every address of its family?"""
    return opened.getsockname()[0] in ("0.0.0.0", "::")
