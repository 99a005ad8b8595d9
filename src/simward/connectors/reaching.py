"""Which addresses an endpoint may be at, and a name's addresses looked up once and checked before any is called.

Whoever may write a URL could otherwise have us call what only this machine can reach: its own services, the private
network behind it, the metadata service of a cloud. What is checked here is what is connected to: no second look-up
stands in between that could say something else ("DNS rebinding").
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator

from simward.errors import PeerError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = tuple(
    map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
)
"""Clouds tell a machine's credentials here. It is nobody's receiver: allow_private does not open it."""
NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215
TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")  # RFC 2765 2.1, obsolete
PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")  # RFC 6890 2.2.2: nobody's, whatever of it a version of Python says
COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291 2.5.5.1, deprecated
SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")  # RFC 3879, deprecated


class AddressNotPermitted(PeerError):
    """An endpoint's name leads to an address that it may not be at."""


def why_not(address: Address, private: bool) -> str:
    """Why an address may not be called; empty where it may. `private`: private and loopback addresses are permitted."""
    for one in tuple(carried(address)) or (address,):
        if one in METADATA:
            return "the metadata service of a cloud"
        # ::/8 is reserved too, and ::1 stands in it: of IPv6 only what is global passes anyway.
        if one.is_multicast or one.is_unspecified or (one.version == 4 and one.is_reserved):
            return "no address of a machine"
        if private:
            continue
        if one.is_loopback:
            return "loopback"
        if one.is_link_local:
            return "link-local"
        if not one.is_global or one in (SITE_LOCAL if one.version == 6 else PROTOCOLS):
            return "private"
    return ""


def carried(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for: mapped, compatible, translated or tunnelled."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    low = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif any(address in network for network in (*NAT64, TRANSLATED)) or (address in COMPATIBLE and int(address) > 1):
        yield low
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo


async def addresses_of(host: str, port: int, private: bool) -> list[str]:
    """The addresses of a name, in the order in which to try them; each is permitted, or none is given.

    Raises AddressNotPermitted where one is not, PeerError where the name has none.
    """
    try:
        found = [str(ipaddress.ip_address(host))]
    except ValueError:
        found = await _looked_up(host, port)
    for one in found:
        if reason := why_not(ipaddress.ip_address(one.partition("%")[0]), private):
            hint = "" if private else " (allow_private permits it)"
            raise AddressNotPermitted(f"{host} is at {one}, which is not permitted: {reason}{hint}")
    return found


async def _looked_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise PeerError(f"{host} cannot be looked up: {error}") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))
