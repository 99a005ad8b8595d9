"""What a segment's pools hold together: one number a subscription serves every family, so the smallest pool counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple

SUBNET_BITS = 64
NUMBERS_MAX = 0xFFFFFFFE
"""A number is kept in 32 bits, and 0 says that there is none."""


class Pools(NamedTuple):
    """The numbers that may be given, and where the prefixes of the first one lie (upper 64 bits, signed)."""

    first: int = 0
    last: int = 0
    bare: bool = False
    """The numbers are no IPv4 addresses."""
    prefix_base: int = 0
    prefix_length: int = 0
    delegated_base: int = 0

    @staticmethod
    def normal(segment: Mapping[str, Any]) -> Pools:
        """Those of a segment document."""
        ipv4, ipv6, delegated = (segment.get(key) for key in ("pool", "pool6", "delegated_pool"))
        return Pools.of(ipv4, ipv6, delegated, int(segment.get("delegated_length", 0)))

    @staticmethod
    def quarantine(segment: Mapping[str, Any]) -> Pools:
        """Those for quarantine."""
        return Pools.of(segment.get("quarantine_pool"), segment.get("quarantine_pool6"))

    @staticmethod
    def of(ipv4: str | None, ipv6: str | None, delegated: str | None = None, delegated_length: int = 0) -> Pools:
        """From CIDRs; a family without a pool is not given."""
        first, last = address_bounds(ipv4)
        counts = [last - first + 1] if ipv4 else []
        counts += [1 << SUBNET_BITS - ipaddress.IPv6Network(ipv6).prefixlen] if ipv6 else []
        counts += [1 << delegated_length - ipaddress.IPv6Network(delegated).prefixlen] if delegated else []
        if not counts:
            return Pools()
        first = first if ipv4 else 1
        last = min(first + min(counts) - 1, NUMBERS_MAX)
        return Pools(first, last, not ipv4, upper_bits(ipv6), SUBNET_BITS if ipv6 else 0, upper_bits(delegated))


def address_bounds(text: str | None) -> tuple[int, int]:
    """First and last address to give: not the network's own and not broadcast (RFC 3021: in a /31 both may)."""
    if text is None:
        return 0, 0
    network = ipaddress.IPv4Network(text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return (first + 1, last - 1) if network.prefixlen < 31 else (first, last)


def upper_bits(text: str | None) -> int:
    """The upper 64 bits of a network's first address, as a signed number."""
    if text is None:
        return 0
    upper = int(ipaddress.IPv6Network(text).network_address) >> 64
    return upper - (1 << 64) if upper >> 63 else upper
