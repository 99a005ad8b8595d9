"""What each subscription does next: start, report twice, stop, start again; so that no request is ever a duplicate."""

from __future__ import annotations

import numpy as np

from benchmarks.load.fleet import Fleet
from benchmarks.load.packets import INTERIM, START, STOP, Packets, access_requests, accounting_requests

_CYCLE = np.array([START, INTERIM, INTERIM, STOP])
SESSIONS_EACH = 64
"""Session numbers are unique as long as a subscription starts at most this many."""


class Traffic:
    """Makes packets in random order over the fleet; remembers every session, so that numbers and steps follow on."""

    def __init__(self, fleet: Fleet, secret: bytes, sockets: int, seed: int) -> None:
        self.fleet, self.secret, self.sockets, self.seed = fleet, secret, sockets, seed
        self._random = np.random.default_rng(seed)
        self._phase = np.zeros(fleet.count, np.int64)  # position in _CYCLE of the next request
        self._sessions = np.zeros(fleet.count, np.int64)  # started so far

    def auth(self, count: int) -> Packets:
        """Access-Requests of random subscriptions, each with an authenticator of its own."""
        self.seed += 1
        return access_requests(self.fleet, self._some(count), self.secret, self.sockets, self.seed)

    def accounting(self, count: int) -> Packets:
        """The next accounting request of random subscriptions (each at most once in one call)."""
        return self._next(self._some(min(count, self.fleet.count)))

    def everyone(self) -> tuple[Packets, Packets]:
        """One Access-Request and one Start from each subscription; later, sessions stand at random steps."""
        order = self._random.permutation(self.fleet.count)
        self.seed += 1
        asked = access_requests(self.fleet, order, self.secret, self.sockets, self.seed)
        started = self._next(order)
        return asked, started

    def scatter(self) -> None:
        """Let each session that has started stand at a random step, as those of a running fleet do."""
        begun = np.flatnonzero(self._phase == 1)
        self._phase[begun] = self._random.integers(1, 4, len(begun))

    def _some(self, count: int) -> np.ndarray:
        chosen: np.ndarray
        if count <= self.fleet.count:
            chosen = self._random.permutation(self.fleet.count)[:count]
        else:
            chosen = self._random.integers(0, self.fleet.count, count)
        return chosen

    def _next(self, subscriptions: np.ndarray) -> Packets:
        phase = self._phase[subscriptions]
        self._sessions[subscriptions] += phase == 0
        session = subscriptions * SESSIONS_EACH + self._sessions[subscriptions] % SESSIONS_EACH
        self._phase[subscriptions] = (phase + 1) % 4
        return accounting_requests(
            self.fleet, subscriptions, _CYCLE[phase], session, phase, self.secret, self.sockets
        )
