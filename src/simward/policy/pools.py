"""What a segment's pools hold together: one number a subscription serves every family, so the smallest pool counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple

SUBNET_BITS = 64
NUMBERS_MAX = 0xFFFFFFFE
"""A number is kept in 32 bits, and 0 says that there is none."""


class Pools(NamedTuple):
    """The numbers that may be given, and what of IPv6 belongs to the first one (in halves of 64 bits, signed)."""

    first: int = 0
    last: int = 0
    bare: bool = False
    """The numbers are no IPv4 addresses."""
    prefix_base: int = 0
    prefix_length: int = 0
    delegated_base: int = 0
    ipv6_high: int = 0
    ipv6_low: int = 0
    """Both 0: no IPv6 addresses are given."""

    @staticmethod
    def normal(segment: Mapping[str, Any]) -> Pools:
        """Those of a segment document."""
        ipv4, ipv6, single = (segment.get(key) for key in ("pool", "pool6", "address_pool6"))
        return Pools.of(ipv4, ipv6, single, segment.get("delegated_pool"), int(segment.get("delegated_length", 0)))

    @staticmethod
    def quarantine(segment: Mapping[str, Any]) -> Pools:
        """Those for quarantine."""
        ipv4, ipv6 = segment.get("quarantine_pool"), segment.get("quarantine_pool6")
        return Pools.of(ipv4, ipv6, segment.get("quarantine_address_pool6"))

    @staticmethod
    def of(
        ipv4: str | None, ipv6: str | None, single: str | None, delegated: str | None = None, delegated_length: int = 0
    ) -> Pools:
        """From CIDRs; a family without a pool is not given. `ipv6` holds prefixes, `single` IPv6 addresses."""
        first, last = address_bounds(ipv4)
        counts = [last - first + 1] if ipv4 else []
        counts += [1 << SUBNET_BITS - ipaddress.IPv6Network(ipv6).prefixlen] if ipv6 else []
        first6, last6 = address6_bounds(single)
        counts += [last6 - first6 + 1] if single else []
        counts += [1 << delegated_length - ipaddress.IPv6Network(delegated).prefixlen] if delegated else []
        if not counts:
            return Pools()
        first = first if ipv4 else 1
        last = min(first + min(counts) - 1, NUMBERS_MAX)
        return Pools(
            first, last, not ipv4, upper_bits(ipv6), SUBNET_BITS if ipv6 else 0, upper_bits(delegated),
            signed(first6 >> 64), signed(first6),
        )


def tightest(segment: Mapping[str, Any]) -> str:
    """The key of the pool of a segment that has the fewest to give, which says how many it has room for."""
    alone = {}
    for key in ("pool", "pool6", "address_pool6", "delegated_pool"):
        if key in segment:
            alone[key] = Pools.normal({name: segment[name] for name in (key, "delegated_length") if name in segment})
    return min(alone, key=lambda key: alone[key].last - alone[key].first)


def address_bounds(text: str | None) -> tuple[int, int]:
    """First and last address to give: not the network's own and not broadcast (RFC 3021: in a /31 both may)."""
    if text is None:
        return 0, 0
    network = ipaddress.IPv4Network(text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return (first + 1, last - 1) if network.prefixlen < 31 else (first, last)


def address6_bounds(text: str | None) -> tuple[int, int]:
    """First and last IPv6 address to give: not the first of all, which is any router's (RFC 4291 2.6.1), unless there
    are but two (RFC 6164 5) or one."""
    if text is None:
        return 0, 0
    network = ipaddress.IPv6Network(text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return (first + 1 if network.prefixlen < 127 else first), last


def upper_bits(text: str | None) -> int:
    """The upper 64 bits of a network's first address, as a signed number."""
    if text is None:
        return 0
    return signed(int(ipaddress.IPv6Network(text).network_address) >> 64)


def signed(number: int) -> int:
    """The lower 64 bits of a number, as a signed one."""
    half = number & (1 << 64) - 1
    return half - (1 << 64) if half >> 63 else half
