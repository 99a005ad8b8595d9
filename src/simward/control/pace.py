"""How much what goes on behind does at a time, and how long it rests after: people and systems that ask come first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HELD_S = 0.05
"""How long one transaction should take at most: for as long every other write waits."""
FACTS_MIN = 16
SHARE_MIN = 0.2
"""Of its time that the thread behind works whoever is being served, so that it is never kept from going on."""
REST_MAX_S = 0.25
LOOK_S = 0.002


class Pace:
    """How many facts one transaction takes: fewer after one that took long, more again after one that did not."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self.facts = min(most, 4 * FACTS_MIN)

    @contextmanager
    def held(self, facts: int) -> Iterator[None]:
        """A transaction that takes so many."""
        began = self._clock()
        yield
        took_s = self._clock() - began
        if took_s > HELD_S:
            self.facts = max(FACTS_MIN, self.facts // 2)
        elif took_s < HELD_S / 3 and facts >= self.facts:
            self.facts = min(self._most, 2 * self.facts)


class GivingWay:
    """Rests while requests are being served: one process has one interpreter, and who works in it keeps the others."""

    def __init__(self, being_served: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        """`being_served` gives how many."""
        self._being_served, self._clock = being_served, clock

    def rest(self, worked_s: float, stop: threading.Event) -> None:
        """Wait until nobody is being served, but no longer than leaves it its share; or until `stop`."""
        until = self._clock() + min(REST_MAX_S, worked_s * (1 / SHARE_MIN - 1))
        while self._being_served() and self._clock() < until and not stop.wait(LOOK_S):
            pass
