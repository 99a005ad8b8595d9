"""Turns at what only one may do at a time: in the order in which they were asked for, so that nobody waits for ever.

A plain lock goes to whoever is running when it is given back, which is who has just had it: while one thread writes one
transaction after the other, all others would wait until it has no more to write.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from simward.errors import RegistryError


class Turns:
    """First come, first served. A turn may not be asked for by who has one."""

    def __init__(self) -> None:
        self._noting = threading.Lock()
        self._taken = False
        self._queue: deque[threading.Lock] = deque()
        """A lock each, held until it is its turn."""

    @property
    def waiting(self) -> int:
        """How many wait for theirs."""
        return len(self._queue)

    @contextmanager
    def turn(self, within_s: float) -> Iterator[None]:
        """Wait for one's turn, and have it while inside. Raises RegistryError where it does not come."""
        self._come(within_s)
        try:
            yield
        finally:
            self._next()

    def _come(self, within_s: float) -> None:
        with self._noting:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._queue.append(mine)
        came = False
        try:
            came = mine.acquire(timeout=within_s)
        finally:
            if not came:
                self._leave(mine)
        if not came:
            raise RegistryError(f"the registry cannot be used: others have written for {within_s:g} s")

    def _leave(self, mine: threading.Lock) -> None:
        """Give up; what was given just now goes to the next."""
        with self._noting:
            if mine in self._queue:
                self._queue.remove(mine)
                return
        self._next()

    def _next(self) -> None:
        with self._noting:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._taken = False
