"""From a captured frame to the RADIUS request in it: link layer, IP and UDP, compiled. Nothing is trusted.

Requests go into a PacketBatch with the address that they came from; everything else is counted by what it was.
"""

from __future__ import annotations

import numpy as np

from simward.wire.radius.batch import ADDRESS_OCTETS, IPV4_OCTETS, IPV6_OCTETS, ROOM
from simward.wire.radius.compiling import uncounted
from simward.wire.radius.octets import copy, u16

# Link types (https://www.tcpdump.org/linktypes.html).
NULL, ETHERNET, RAW_BSD, RAW_OPENBSD, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2 = (
    0, 1, 12, 14, 101, 108, 113, 228, 229, 276,
)  # fmt: skip
LINK_TYPES = (NULL, ETHERNET, RAW_BSD, RAW_OPENBSD, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2)

# What a frame turned out to be; the position in COUNTED.
REQUEST, RESPONSE, DYNAUTH, FRAGMENT, CUT_SHORT, NOT_IP, NOT_UDP, OTHER_PORT, MALFORMED = range(9)
COUNTED = (
    "request", "response", "dynamic_authorization", "fragment", "cut_short", "not_ip", "not_udp", "other_port",
    "malformed",
)  # fmt: skip

OTHER, AUTH_PORT, ACCOUNTING_PORT, DYNAUTH_PORT = 0, 1, 2, 3
"""What a UDP port is for, in a table of 65,536."""

ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
VLAN_TAGS_MAX = 4
UDP, FRAGMENT_HEADER = 17, 44
HEADERS_MAX = 8
"""IPv6 extension headers that are followed."""
MORE_FRAGMENTS, OFFSET_BITS = 0x2000, 0x1FFF


@uncounted
def _network_at(data, at, end, link):  # type: ignore[no-untyped-def]
    """Where the IP header begins, or minus the outcome where there is none."""
    if link in (RAW, RAW_BSD, RAW_OPENBSD, IPV4, IPV6):
        return np.int64(at)
    if link in (NULL, LOOP):
        return np.int64(at + 4)
    if link == ETHERNET:
        kind_at = np.int64(at + 12)
    elif link == LINUX_SLL:
        kind_at = np.int64(at + 14)
    elif link != LINUX_SLL2:
        return np.int64(-NOT_IP)
    else:  # LINUX_SLL2 says the protocol first, in a header of 20 octets
        if at + 20 > end:
            return np.int64(-CUT_SHORT)
        kind = u16(data, at)
        if kind == ETHERTYPE_IPV4 or kind == ETHERTYPE_IPV6:
            return np.int64(at + 20)
        kind_at = np.int64(at + 18)
        if not _is_vlan(kind):
            return np.int64(-NOT_IP)
        kind_at = np.int64(at + 22)  # behind the tag
    for _ in range(VLAN_TAGS_MAX + 1):
        if kind_at + 2 > end:
            return np.int64(-CUT_SHORT)
        kind = u16(data, kind_at)
        if kind == ETHERTYPE_IPV4 or kind == ETHERTYPE_IPV6:
            return kind_at + 2
        if not _is_vlan(kind):
            return np.int64(-NOT_IP)
        kind_at += 4
    return np.int64(-NOT_IP)


@uncounted
def _is_vlan(kind):  # type: ignore[no-untyped-def]
    """IEEE 802.1Q, 802.1ad, and what went before it."""
    return kind == 0x8100 or kind == 0x88A8 or kind == 0x9100


@uncounted
def _udp_in_ipv6(data, at, end):  # type: ignore[no-untyped-def]
    """Where the UDP header begins behind extension headers; minus the outcome where there is none."""
    kind, here = np.int64(data[at + 6]), np.int64(at + 40)
    for _ in range(HEADERS_MAX):
        if kind == UDP:
            return here
        if kind == FRAGMENT_HEADER:
            return np.int64(-FRAGMENT)
        if kind != 0 and kind != 43 and kind != 60 and kind != 51:
            return np.int64(-NOT_UDP)
        if here + 8 > end:
            return np.int64(-CUT_SHORT)
        size = (np.int64(data[here + 1]) + 2) * 4 if kind == 51 else (np.int64(data[here + 1]) + 1) * 8
        kind = np.int64(data[here])
        here += size
    return np.int64(-MALFORMED)


@uncounted
def _udp_in_ipv4(data, at, end):  # type: ignore[no-untyped-def]
    """As _udp_in_ipv6."""
    size = (np.int64(data[at]) & 15) * 4
    if size < 20:
        return np.int64(-MALFORMED)
    if data[at + 9] != UDP:
        return np.int64(-NOT_UDP)
    if u16(data, at + 6) & (MORE_FRAGMENTS | OFFSET_BITS):
        return np.int64(-FRAGMENT)
    return np.int64(at + size)


@uncounted
def take_frame(data, at, end, link, packets, row, ports):  # type: ignore[no-untyped-def]
    """Judge the frame in data[at:end]; a request goes into `row` of the batch. Returns what it was.

    FRAGMENT: whoever calls puts the pieces together and gives the whole as a RAW frame.
    """
    here = _network_at(data, at, end, link)
    if here < 0:
        return -here
    if here + 20 > end:
        return np.int64(CUT_SHORT)
    version = np.int64(data[here]) >> 4
    if version == 4:
        udp = _udp_in_ipv4(data, here, end)
    elif version == 6:
        if here + 40 > end:
            return np.int64(CUT_SHORT)
        udp = _udp_in_ipv6(data, here, end)
    else:
        return np.int64(NOT_IP)
    if udp <= 0:
        return -udp
    if udp + 8 > end:
        return np.int64(CUT_SHORT)
    return _take_udp(data, here, udp, end, version, packets, row, ports)


@uncounted
def _take_udp(data, network, udp, end, version, packets, row, ports):  # type: ignore[no-untyped-def]
    source, target, size = ports[u16(data, udp)], ports[u16(data, udp + 2)], u16(data, udp + 4) - 8
    if source == OTHER and target == OTHER:
        return np.int64(OTHER_PORT)
    if source == DYNAUTH_PORT or target == DYNAUTH_PORT:
        return np.int64(DYNAUTH)
    if size < 1:
        return np.int64(MALFORMED)
    if udp + 8 + size > end:
        return np.int64(CUT_SHORT)
    code = data[udp + 8]
    if 40 <= code <= 45:
        return np.int64(DYNAUTH)
    if target == OTHER or code == 2 or code == 3 or code == 5 or code == 11:
        return np.int64(RESPONSE)
    base, octets = np.int64(row) * ROOM, packets.octets
    copy(octets, base, data, udp + 8, min(size, np.int64(ROOM)))
    packets.lengths[row] = size
    packets.port_kind[row] = 1 if target == ACCOUNTING_PORT else 0
    place, addresses = np.int64(row) * ADDRESS_OCTETS, packets.addresses
    for octet in range(ADDRESS_OCTETS):
        addresses[place + octet] = 0
    copy(addresses, place + 2, data, udp, 2)  # as a sockaddr has them: the port, then the address
    if version == 4:
        copy(addresses, place + 4, data, network + 12, 4)
        packets.address_lengths[row] = IPV4_OCTETS
    else:
        copy(addresses, place + 8, data, network + 8, 16)
        packets.address_lengths[row] = IPV6_OCTETS
    return np.int64(REQUEST)


@uncounted
def ip_octets(data, at, end, link):  # type: ignore[no-untyped-def]
    """Where the IP packet of a frame begins; below 0 where there is none. For fragments, which are seldom."""
    return _network_at(data, at, end, link)
