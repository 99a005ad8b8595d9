"""How often one may be wrong: so many times in a while, counted under a name, then it waits."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

NAMES_MAX = 16_384
"""Where more were wrong, the one that was wrong first is forgotten."""


class Attempts:
    """Counts under names: addresses, accounts. A try is counted before it is known whether it is wrong."""

    def __init__(self, most: int, within_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.most, self.within_s, self._monotonic = most, within_s, monotonic
        self._since: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def begin(self, name: str) -> int:
        """One more try; gives the seconds that it has to wait instead, 0 = it may."""
        now = self._monotonic()
        since, tries = self._since.get(name, (now, 0))
        if now >= since + self.within_s:
            since, tries = now, 0
        if tries >= self.most:
            return max(1, math.ceil(since + self.within_s - now))
        self._since[name] = (since, tries + 1)
        if len(self._since) > NAMES_MAX:
            self._since.popitem(last=False)
        return 0

    def was_right(self, name: str) -> None:
        """It was right: nothing is held against it."""
        self._since.pop(name, None)
