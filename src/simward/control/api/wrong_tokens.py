"""How often an address may be wrong about who it is: so many times a minute, then it waits.

A token cannot be guessed (256 random bits); what is bounded here is the work and the noise of trying.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

TRIES, WINDOW_S = 10, 60
ADDRESSES_MAX = 4096
"""Where more are wrong at once, the one that was wrong first is forgotten."""
POLICY = f'"wrong-tokens";q={TRIES};w={WINDOW_S}'


class WrongTokens:
    """Counts by address; of IPv6 by /64, which is what one customer has."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Seconds until this address may try again; 0 = now."""
        since, tries = self._since.get(counted_as(address), (0.0, 0))
        left = since + WINDOW_S - self._monotonic()
        return math.ceil(left) if tries >= TRIES and left > 0 else 0

    def note(self, address: str) -> None:
        """It was wrong once more."""
        name, now = counted_as(address), self._monotonic()
        since, tries = self._since.get(name, (now, 0))
        self._since[name] = (since, tries + 1) if now < since + WINDOW_S else (now, 1)
        if len(self._since) > ADDRESSES_MAX:
            self._since.popitem(last=False)


def headers(wait_s: int) -> dict[str, str]:
    """What who has to wait is told: RFC 9110 10.2.3, and the RateLimit fields of the IETF's draft."""
    return {"Retry-After": str(wait_s), "RateLimit-Policy": POLICY, "RateLimit": f'"wrong-tokens";r=0;t={wait_s}'}


def counted_as(address: str) -> str:
    """What an address is counted as: itself, or its /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
