"""How much one caller may ask: so many requests a minute, so that none of them takes the control plane from the others.

Every answer says how much is left, as the IETF's draft has it (draft-ietf-httpapi-ratelimit-headers-10, 3 and 4).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from simward.control.api.principals import Principal
from simward.control.api.problems import Problem

REQUESTS, WINDOW_S = 60_000, 60
"""Far more than one core serves for all: what is bounded is a client that has gone wild."""
CALLERS_MAX = 4096
NAME = "requests"
Header = tuple[bytes, bytes]


class Rates:
    """Counts by caller. One who came by the owner's socket is not counted."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: OrderedDict[str, list[float]] = OrderedDict()

    def count(self, principal: Principal | None) -> list[Header]:
        """One more request; gives what its answer says of it. Raises Problem (429) where it is one too many."""
        if principal is None or principal.local:
            return []
        now = self._monotonic()
        window = self._since.get(key_of(principal))
        if window is None or now >= window[0] + WINDOW_S:
            window = self._since[key_of(principal)] = [now, 0]
            self._since.move_to_end(key_of(principal))
            if len(self._since) > CALLERS_MAX:
                self._since.popitem(last=False)
        window[1] += 1
        reset_s = max(1, math.ceil(window[0] + WINDOW_S - now))
        said = headers(max(0, REQUESTS - int(window[1])), reset_s)
        if window[1] > REQUESTS:
            detail = f"{REQUESTS:,} requests in {WINDOW_S} s are served to one caller; go on in {reset_s} s."
            raise Problem(
                429, "too-many-requests", "Too many requests", detail,
                headers={"Retry-After": str(reset_s), **{name.decode(): value.decode() for name, value in said}},
            )  # fmt: skip
        return said


def key_of(principal: Principal) -> str:
    """Whose requests are counted together."""
    return principal.token or principal.name


def headers(left: int, reset_s: int) -> list[Header]:
    """The two fields."""
    return [
        (b"ratelimit-policy", f'"{NAME}";q={REQUESTS};w={WINDOW_S}'.encode()),
        (b"ratelimit", f'"{NAME}";r={left};t={reset_s}'.encode()),
    ]
