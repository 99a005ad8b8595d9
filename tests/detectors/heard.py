"""Stories of when a fleet is heard: days go by with a tick each ten seconds, and each member connects once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from watched import WatchedFleet

from simward.engine import events as e

HOUR_S, DAY_S = 3_600, 86_400
SECOND_US = 1_000_000
BEGINS_AT = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) * SECOND_US
"""Midnight of a Monday, in winter."""
TICK_EVERY_S = 10
POLICY = """
use_case: meter
binding: {mode: none}
CADENCE
responses: {default: observe}
"""
DECLARED = "cadence: {every: 24h, silent_after: 49h}"


class HeardFleet(WatchedFleet):
    """Meters that connect for five minutes each day, each at a time of its own, evenly over the day."""

    def __init__(
        self, members: int = 10, cadence: str = DECLARED, at: dict[int, dict[str, Any]] | None = None,
        hours: Sequence[float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(members, POLICY.replace("CADENCE", cadence), at)
        self.now = BEGINS_AT
        self.hours = hours or [24 * one / members for one in range(members)]
        self.serial = 0
        self.cause = 1

    def event(self, kind: int, member: int = 0, second: float = 0, **more: Any) -> np.ndarray:
        """One event, with the software version that `at` says."""
        event = super().event(kind, member, second, **more)
        event["software"] = {**self.places.get(member, {}), **more}.get("software", -1)
        return event

    def contact(self, member: int, second: float, lasts_s: float = 300, **more: Any) -> list[np.ndarray]:
        """It asks, is let in, and ends its session in good order, `second` seconds after midnight."""
        self.serial += 1
        named = {"session": f"s{member}-{self.serial}", **more}
        stop = self.event(e.ACCOUNTING_STOP, member, second + lasts_s, **named)
        stop["cause"] = self.cause
        return [
            self.event(e.ACCESS_REQUEST, member, second, **named),
            self.event(e.ACCOUNTING_START, member, second + 1, **named),
            stop,
        ]

    def ticks(self, since_s: float = 0, until_s: float = DAY_S) -> np.ndarray:
        """Of a day, or a part of it."""
        seconds = np.arange(int(since_s) + TICK_EVERY_S, int(until_s) + 1, TICK_EVERY_S)
        ticks = e.empty(len(seconds))
        ticks["kind"] = e.TICK
        ticks["received_at"] = ticks["happened_at"] = self.now + seconds * SECOND_US
        return ticks

    def lives(
        self, days: int = 1, silent: Iterable[int] = (), extra: Callable[[int], list[np.ndarray]] | None = None,
        deaf: tuple[float, float] | None = None,
    ) -> HeardFleet:  # fmt: skip
        """Days go by. `extra` gives further events of a day by its number from now on; nothing arrives in the part
        `deaf` (seconds after midnight) of each.
        """
        mute = set(silent)
        for number in range(days):
            told = [one for member in range(self.members) if member not in mute
                    for one in self.contact(member, self.hours[member] * HOUR_S)]  # fmt: skip
            told += extra(number) if extra else []
            whole = np.concatenate([self.ticks(), *told])
            if deaf:
                second = (whole["received_at"] - self.now) / SECOND_US
                whole = whole[(second < deaf[0]) | (second > deaf[1])]
            self.fold_all(whole[np.argsort(whole["received_at"], kind="stable")])
            self.now += DAY_S * SECOND_US
        return self

    def fold_all(self, events: np.ndarray) -> None:
        """Into both folds, as the process behind the gate does."""
        at = 0
        while at < len(events):
            first = self.fold.sequence + 1
            folded = self.fold.events(events[at:])
            kept = events[at : at + folded.consumed][folded.kept]
            at += folded.consumed
            for begin in range(0, len(kept), 4096):
                self.kept_as(first + begin, kept[begin : begin + 4096], np.zeros(0))

    def plans(self, member: int, days: int) -> HeardFleet:
        """A work order has a member from now on."""
        event = e.empty(1)
        event["kind"], event["imsi"] = e.COMMAND_PLAN, self.event(e.TICK, member)["imsi"]
        event["received_at"] = event["happened_at"] = self.now
        event["prefix_high"], event["prefix_low"] = self.now, self.now + days * DAY_S * SECOND_US
        event["delegated_high"], event["flags"], event["request"] = 7, e.FLAG_PLAN_DEVICE, -7
        self.fold_all(event)
        return self

    def names(self, detector: str) -> list[str]:
        """detector/class of what began of one detector."""
        return [one for one in self.began if one.partition("/")[0] == detector]
