"""When an announcement is taken to an endpoint: in order a lane, again later where it failed, not while it is down.

Pure: time (us UTC) and chance are passed in. What a status means follows Standard Webhooks 1.0, "Delivery success and
failure"; the decision is docs/decisions/0028.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

SECOND_US = 1_000_000
FIRST_RETRY_US = SECOND_US // 2
LAST_RETRY_US = 60 * SECOND_US
RETRY_AFTER_MAX_S = 3600
REJECTED = frozenset((400, 405, 411, 413, 414, 415, 422, 431))
"""The receiver says that this one message is wrong: asking for ever would keep those behind it for nothing."""
ATTEMPTS_WHERE_REJECTED = 8
THROTTLES = frozenset((429, 502, 503, 504))
"""Said of the receiver, not of the message: a Retry-After beside these holds the endpoint."""
GONE = 410

OPEN_AFTER = 16
"""Failures one after the other, whatever their lanes, before an endpoint counts as down."""
OPEN_FIRST_US, OPEN_LAST_US = 5 * SECOND_US, 60 * SECOND_US
"""How long it is left alone: twice as long each time that nobody answers; who answers, however wrongly, is there."""

CLOSED, OPEN, HALF_OPEN, DISABLED = "closed", "open", "half-open", "gone"

DELIVERED, WAITING, DEAD = "delivered", "waiting", "dead"


def retry_after(attempts: int, chance: float) -> int:
    """How long to wait after so many attempts (at least 1), us: doubling, with half of it left to `chance` (0 to 1).

    0.5 s, 1 s, 2 s, ... up to a minute, each between a half and the whole of that. Whether an endpoint is there at all
    is the breaker's question.
    """
    whole = min(FIRST_RETRY_US << min(attempts - 1, 30), LAST_RETRY_US)
    return int(whole * (0.5 + 0.5 * chance))


def state_after(status: int | None, attempts: int, at: int, deadline_at: int) -> str:
    """What becomes of a delivery by its latest attempt (the `attempts`-th), made at `at`."""
    if status is not None and 200 <= status <= 299:
        return DELIVERED
    if at >= deadline_at or (status in REJECTED and attempts >= ATTEMPTS_WHERE_REJECTED):
        return DEAD
    return WAITING


def counts(status: int | None, probing: bool) -> bool:
    """Is an attempt held against its delivery? Not where it only tried whether an endpoint is back, and it is not.

    That a message is rejected is held against it also then: where nothing else waits it could never die.
    """
    return not probing or status in REJECTED or (status is not None and 200 <= status <= 299)


def is_ahead(moment: int, now: int, longest: int) -> bool:
    """Is a moment still to come that was at most `longest` ahead when it was set? Further ahead than that it was set
    before the clock went back, and is not waited for: that could be hours."""
    return now < moment <= now + longest


class Breaker:
    """Knows when an endpoint is down, so that nobody waits for it in vain.

    closed: all is well. open: nothing is sent until `opens_at`. half-open: one delivery is on its way to see. gone: it
    answered 410, and nothing is sent until a person says otherwise.
    """

    def __init__(self) -> None:
        self.state = CLOSED
        self.failures = 0
        """One after the other."""
        self.opens_at = 0
        """Where it is open: when it is tried again."""
        self.held_until = 0
        """Retry-After: the receiver asked us to wait so long."""
        self._open_us = 0

    def room(self, now: int, limit: int) -> int:
        """How many more may be sent now, where `limit` would be free."""
        if is_ahead(self.held_until, now, RETRY_AFTER_MAX_S * SECOND_US):
            return 0
        if self.state == CLOSED:
            return limit
        if self.state == OPEN and not is_ahead(self.opens_at, now, OPEN_LAST_US):
            return min(limit, 1)
        return 0

    def wakes_at(self, now: int) -> int | None:
        """When it lets something through by itself; None where it does now, or never will."""
        held = self.held_until if is_ahead(self.held_until, now, RETRY_AFTER_MAX_S * SECOND_US) else 0
        opens = self.opens_at if self.state == OPEN and is_ahead(self.opens_at, now, OPEN_LAST_US) else 0
        return max(held, opens) or None

    def sent(self) -> None:
        """Something is on its way."""
        if self.state == OPEN:
            self.state = HALF_OPEN

    def unsent(self) -> None:
        """What was to be sent to see was not to be sent after all."""
        if self.state == HALF_OPEN:
            self.state = OPEN

    def succeeded(self) -> None:
        """It took one."""
        self.state, self.failures, self._open_us = CLOSED, 0, 0

    def failed(self, status: int | None, retry_after_s: int | None, now: int, chance: float) -> None:
        """It did not."""
        self.failures += 1
        if status == GONE:
            self.state = DISABLED
            return
        if self.state == DISABLED:
            return
        if status in THROTTLES and retry_after_s:
            asked = min(retry_after_s, RETRY_AFTER_MAX_S) * SECOND_US
            self.held_until = max(self.held_until, now + asked)
        if self.state == HALF_OPEN or (self.state == CLOSED and self.failures >= OPEN_AFTER):
            longest = OPEN_LAST_US if status is None else OPEN_FIRST_US
            self._open_us = min(max(self._open_us * 2, OPEN_FIRST_US), longest)
            self.state = OPEN
            self.opens_at = now + int(self._open_us * (0.5 + 0.5 * chance))


@dataclass(slots=True)
class Head:
    """The first delivery of a lane."""

    number: int
    lane: str
    next_at: int
    attempts: int
    deadline_at: int


class Lanes:
    """The lanes of one endpoint: each has a head that waits or is on its way; those behind it are in the outbox.

    Bounded by how many lanes there are at once, not by how much waits: `lanes_max` are held, the rest is come back to.
    """

    def __init__(self, lanes_max: int) -> None:
        self._max = lanes_max
        self._heads: dict[str, Head] = {}
        self._behind: dict[str, int] = {}
        """The highest number that is known to wait behind the head of a lane."""
        self._due: list[tuple[int, int, str]] = []
        self._away: set[str] = set()
        self.overflowed = False
        """Were there lanes for which there was no room? Then `begin` is to be called when there is."""

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def away(self) -> int:
        """How many are on their way."""
        return len(self._away)

    def offer(self, head: Head, last: int = 0) -> None:
        """One more delivery (and those behind it, up to the number `last`), in the order of numbers."""
        if head.lane in self._heads:
            self._behind[head.lane] = max(self._behind.get(head.lane, 0), head.number, last)
        elif self.overflowed or len(self._heads) >= self._max:
            self.overflowed = True  # from here on no new lane: an earlier delivery of it may be among those passed over
        else:
            self._set(head)
            if last > head.number:
                self._behind[head.lane] = last

    def begin(self, heads: Iterable[tuple[Head, int]]) -> None:
        """All anew, from the outbox: (head, the last number of its lane). What is on its way stays so."""
        self._heads = {lane: self._heads[lane] for lane in self._away}
        self._behind, self._due, self.overflowed = {}, [], False
        for head, last in heads:
            self.offer(head, last)

    def take(self, now: int, limit: int) -> list[Head]:
        """Up to `limit` heads whose time has come, the longest due first; they are on their way from now on."""
        taken: list[Head] = []
        while self._due and len(taken) < limit and not is_ahead(self._due[0][0], now, LAST_RETRY_US):
            _, number, lane = heapq.heappop(self._due)
            head = self._heads.get(lane)
            if head is not None and head.number == number and lane not in self._away:
                self._away.add(lane)
                taken.append(head)
        return taken

    def next_at(self, now: int) -> int | None:
        """When the next is due, or is to be looked for again at the latest; None where nothing waits."""
        return min(self._due[0][0], now + LAST_RETRY_US) if self._due else None

    def behind(self, lane: str) -> int:
        """The highest number that waits behind the head of a lane; 0 = none."""
        return self._behind.get(lane, 0)

    def again(self, head: Head) -> None:
        """It came back undelivered: its lane waits for its next time."""
        self._away.discard(head.lane)
        self._set(head)

    def done(self, lane: str, following: Head | None) -> None:
        """The head of a lane is delivered or dead: the `following` one is the head now."""
        self._away.discard(lane)
        self._heads.pop(lane, None)
        last = self._behind.pop(lane, 0)
        if following is not None:
            self.offer(following, last)

    def _set(self, head: Head) -> None:
        self._heads[head.lane] = head
        heapq.heappush(self._due, (head.next_at, head.number, head.lane))
