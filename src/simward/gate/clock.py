"""The gate's clock: microseconds UTC that never go backwards, whatever is done to the machine's clock."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """`now()` is max(last, wall clock): received_at orders the fold, so it may stand still but not go back."""

    def __init__(self, last: int = 0, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._wall_ns = wall_ns
        self.last = last

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        read = self._wall_ns() // 1000
        if read > self.last:
            self.last = read
        return self.last

    @property
    def behind_us(self) -> int:
        """How far the machine's clock is behind what was given out: more than 0 after it was set back."""
        return max(0, self.last - self._wall_ns() // 1000)
