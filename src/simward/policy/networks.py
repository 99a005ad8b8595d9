"""The address pools that a segment may name: each reads a CIDR, or raises QuantityError with what is wrong with it."""

from __future__ import annotations

import ipaddress
import re

from simward.quantities import QuantityError


def ipv4_network(text: str) -> str:
    """A pool of IPv4 addresses, at most a /8."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise QuantityError(f"{text!r} is not a CIDR", "write it like 10.64.0.0/16") from None
    if network.version != 4:
        raise QuantityError(f"{text!r} is IPv6", "IPv6 has keys of its own: pool6, address_pool6, delegated_pool")
    if "/" not in text:
        raise QuantityError(f"{text!r} has no prefix length", f"write it like {network}")
    if str(network).partition("/")[0] != text.partition("/")[0].strip():
        raise QuantityError(f"{text!r} has bits behind its prefix", f"did you mean {str(network)!r}?")
    if network.prefixlen < 8:
        raise QuantityError(f"{text!r} is larger than any pool", "at most a /8")
    return str(network)


def _network6(text: str, like: str) -> ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise QuantityError(f"{text!r} is not a CIDR", f"write it like {like}") from None
    if isinstance(network, ipaddress.IPv4Network):
        raise QuantityError(f"{text!r} is IPv4", f"write it like {like}")
    if "/" not in text:
        raise QuantityError(f"{text!r} has no prefix length", f"write it like {like}")
    if int(network.network_address) != int(ipaddress.IPv6Address(text.partition("/")[0].strip())):
        raise QuantityError(f"{text!r} has bits behind its prefix", f"did you mean {str(network)!r}?")
    return network


def ipv6_prefixes(text: str) -> str:
    """A pool of prefixes: no longer than a /64, as a bearer gets a prefix of its own (RFC 6459 5.2: a /64)."""
    network = _network6(text, "2001:db8:6400::/40")
    if not 16 <= network.prefixlen <= 64:
        raise QuantityError(f"{text!r} is no pool of prefixes", "from a /16 to a /64; addresses are in address_pool6")
    return str(network)


def ipv6_addresses(text: str) -> str:
    """A pool of single addresses, all of one subnet (RFC 4291 2.5.4: a /64), so that only their lower half differs."""
    network = _network6(text, "2001:db8:aa00::/112")
    if network.prefixlen < 64:
        raise QuantityError(f"{text!r} is no pool of addresses", "from a /64 to a /128; prefixes are in pool6")
    return str(network)


def delegated_length(text: str) -> int:
    """How long each prefix of a pool to delegate is: at most a /64, which is all that events keep of one."""
    if not re.fullmatch(r"/?\d{1,3}", text) or not 16 <= int(text.lstrip("/")) <= 64:
        raise QuantityError(f"{text!r} is not the length of a delegated prefix", "from 16 to 64, like 56")
    return int(text.lstrip("/"))
