"""The gate's clock: microseconds UTC that never go backwards, whatever is done to the machine's clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from simward.logs import called

log = logging.getLogger(__name__)

LOUD_FROM_US = 1_000_000
"""A clock that is further behind than this is said to be; less is what every correction by NTP does."""
SAY_AGAIN_S = 600.0
SLOWED_BY = 2


class Clock:
    """`now()` is the wall clock, or, while that is behind what was given out, a clock at half speed.

    received_at orders the fold, so it must not go back. It does not stand still either, or nothing would expire and no
    hour of a limit would pass until real time has caught up, which takes a year after a clock that was a year ahead.
    Real time gains on a clock at half speed, so that the two meet again by themselves.
    """

    def __init__(
        self, last: int = 0, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] | None = None
    ) -> None:
        """`last`: the newest time that is in the journal, us."""
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns or time.monotonic_ns
        self._advanced_ns = self._monotonic_ns()
        self._said_at = float("-inf")
        self._behind = False
        self.last = last

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        read, elapsed = self._wall_ns() // 1000, self._monotonic_ns()
        if read >= self.last:
            self.last = read
        else:
            self.last += max(1, (elapsed - self._advanced_ns) // (1000 * SLOWED_BY))
        self._advanced_ns = elapsed
        return self.last

    @property
    def behind_us(self) -> int:
        """How far the machine's clock is behind what was given out: more than 0 after it was set back."""
        return max(0, self.last - self._wall_ns() // 1000)

    def each_second(self, now_s: float) -> None:
        """Say so while the machine's clock is behind, and once it no longer is."""
        behind_us = self.behind_us
        if behind_us >= LOUD_FROM_US and now_s - self._said_at >= SAY_AGAIN_S:
            self._said_at, self._behind = now_s, True
            log.warning(
                "the machine's clock is %.0f s behind the newest time in the journal: time passes at half speed until "
                "it has caught up (docs/how-to/clock.md)", behind_us / 1e6,
                extra=called("clock-behind"),
            )  # fmt: skip
        elif self._behind and behind_us == 0:
            self._said_at, self._behind = float("-inf"), False
            log.info("the machine's clock has caught up with the journal", extra=called("clock-caught-up"))
