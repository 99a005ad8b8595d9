"""Stories of fleets that connect: each attempt a request with its session or without, told to the watch with a tick
each second while something happens, and none in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from story import METER
from watched import CELL, WatchedFleet

from simward.engine import events as e
from simward.engine import outputs as o

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3_600.0, 86_400.0
POLICY = """
use_case: meter
binding: {mode: none}
responses: {default: observe}
"""
MODEL = 1_000_000
"""A device of the next model has a number that is so much higher."""
STORMS = ("retry-storm", "signalling-storm", "synchronised-reconnect", "authentication-failures")


class ConnectingFleet(WatchedFleet):
    """`members` meters, each in the cell, gateway and model that `at` says, known for `days` and connecting daily."""

    now: int

    def __init__(
        self, members: int = 40, days: int = 4, policy: str = POLICY, at: dict[int, dict[str, Any]] | None = None
    ) -> None:
        super().__init__(members, policy, at or spread(members))
        self.sessions = 0
        self.software = 1
        self.waiting: list[np.ndarray] = []
        for _ in range(days + 1):
            for member in range(members):
                self.connects(member, 30.0 * member)
            self.passes(30.0 * members + 60, every=30).jumps(DAY - 30.0 * members - 60)

    def event(self, kind: int, member: int = 0, second: float = 0, **more: Any) -> np.ndarray:
        """One event of a member, whose software has the version of all."""
        event = super().event(kind, member, second, **more)
        event["software"] = self.software
        return event

    def connects(self, member: int, second: float = 0, lasts: float = 20, **more: Any) -> ConnectingFleet:
        """A member asks, is let in, and ends its session again."""
        self.sessions += 1
        more.setdefault("session", f"n{self.sessions}")
        self.waiting.append(self.event(e.ACCESS_REQUEST, member, second, **more))
        self.waiting.append(self.event(e.ACCOUNTING_START, member, second + 1, **more))
        self.waiting.append(self.event(e.ACCOUNTING_STOP, member, second + 1 + lasts, **more))
        return self

    def fails(self, member: int, second: float = 0, credentials: int = 0, **more: Any) -> ConnectingFleet:
        """A member asks, and no session follows."""
        event = self.event(e.ACCESS_REQUEST, member, second, **more)
        event["credentials"] = credentials
        self.waiting.append(event)
        return self

    def passes(self, seconds: float, every: float = 1) -> ConnectingFleet:
        """Time passes with ticks, and what is waiting for it happens."""
        told, until = [], self.now + int(seconds * 1_000_000)
        for number in range(1, int(seconds / every) + 1):
            tick = e.empty(1)
            tick["kind"] = e.TICK
            tick["received_at"] = tick["happened_at"] = self.now + int(number * every * 1_000_000)
            told.append(tick)
        told += [one for one in self.waiting if int(one["received_at"][0]) <= until]
        self.waiting = [one for one in self.waiting if int(one["received_at"][0]) > until]
        self.now = until
        if told:
            self.happen(told)
        return self

    def jumps(self, seconds: float) -> ConnectingFleet:
        """Time passes in which nobody looks."""
        self.now += int(seconds * 1_000_000)
        return self.passes(1)

    def of_storms(self, *kinds: int) -> list[str]:
        """detector/class of what the detectors of storms said."""
        named = [f"{one['detector']}/{one['class']}" for one in self.told(*kinds)]
        return [one for one in named if one.partition("/")[0] in STORMS]

    @property
    def storms(self) -> list[str]:
        """What began."""
        return self.of_storms(o.FINDING_BEGAN)

    @property
    def over(self) -> list[str]:
        """What ended."""
        return self.of_storms(o.FINDING_ENDED)

    def began_after(self, since: int) -> float:
        """Seconds from a moment (us) to the beginning of the first that was found."""
        at = min(int(one["at"]) for one in self.found if int(one["kind"]) == o.FINDING_BEGAN)
        return (at - since) / 1_000_000


def spread(members: int) -> dict[int, dict[str, Any]]:
    """Members in cells of ten, at two gateways and of two models by turns."""
    return {
        one: {
            "cell": CELL + one // 10, "gateway": f"pgw{1 + one % 2}", "device": METER + MODEL * (one // 2 % 2) + one,
        }
        for one in range(members)
    }  # fmt: skip


def of_model(members: int, which: int) -> list[int]:
    """The members of one of the models."""
    return [one for one in range(members) if one // 2 % 2 == which]


def again_and_again(
    fleet: ConnectingFleet, members: Iterable[int], every: float, times: int, step: float = 0, **more: Any
) -> ConnectingFleet:
    """Each of the members connects so often, the next of them `step` seconds after the one before."""
    for place, member in enumerate(members):
        for time in range(times):
            fleet.connects(member, place * step + time * every, lasts=min(20.0, every / 2), **more)
    return fleet
