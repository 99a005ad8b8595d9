"""Stories of what a subscription uses: its records one by one, on a clock that the story moves, told to the watch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from watched import WatchedFleet

from simward.engine import events as e
from simward.engine.watching.layouts import BOTH_HOUR, BOTH_WEEK, DOWN_DAY, DOWN_MONTH, UP_DAY, UP_MONTH

MB = 1_000_000
POLICY = """
use_case: meter
binding: {mode: none}
services: {data: SAID}
responses: {default: observe}
"""
BEGINS_AT = int(datetime(2026, 10, 14, 6, tzinfo=UTC).timestamp()) * MB
"""A Wednesday."""


class UsageStory(WatchedFleet):
    """Two meters whose use case says `services: {data: ...}`; it is six in the morning of 2026-10-14."""

    def __init__(self, data: str = "unlimited", members: int = 2) -> None:
        super().__init__(members, POLICY.replace("SAID", data))
        self.now = BEGINS_AT

    def at(self, day: int, hour: float, month: int = 10) -> UsageStory:
        """It is so late now; a tick tells the folds."""
        self.now = int(datetime(2026, month, day, tzinfo=UTC).timestamp()) * MB + int(hour * 3600 * MB)
        tick = e.empty(1)
        tick["kind"], tick["received_at"], tick["happened_at"] = e.TICK, self.now, self.now
        self.happen([tick])
        return self

    def says(
        self, kind: int, up: int = -1, down: int = -1, *, lasted: int = -1, session: str = "s", member: int = 0,
        ago: float = 0, stamped: bool = True, gateway: str = "pgw1",
    ) -> UsageStory:  # fmt: skip
        """A record about a session comes; what it tells happened `ago` seconds before."""
        self.now += 1_000  # no two records are one
        event = self.event(kind, member, session=session, gateway=gateway)
        event["uplink_octets"], event["downlink_octets"], event["duration_s"] = up, down, lasted
        event["happened_at"] = self.now - int(ago * MB)
        event["flags"] = e.FLAG_TIMESTAMP if stamped else 0
        self.happen([event])
        return self

    def starts(self, **more: Any) -> UsageStory:
        """A session begins."""
        return self.says(e.ACCOUNTING_START, **more)

    def interim(self, up: int, down: int = 0, **more: Any) -> UsageStory:
        """It has used so much so far."""
        return self.says(e.ACCOUNTING_INTERIM, up, down, **more)

    def stops(self, up: int, down: int = 0, **more: Any) -> UsageStory:
        """It has ended, and used so much."""
        return self.says(e.ACCOUNTING_STOP, up, down, **more)

    def restarts(self) -> UsageStory:
        """The gateway says Accounting-On."""
        self.now += 1_000
        self.happen([self.of_gateway(e.ACCOUNTING_ON)])
        return self

    def used(self, *which: int, member: int = 0) -> int:
        """What the counters say."""
        row = self.watch.state.usage[member]
        low, high = row["low"].astype(np.int64), row["high"].astype(np.int64)
        return int(sum(low[one] | high[one] << 32 for one in which))

    @property
    def day(self) -> int:
        """Octets in both directions today."""
        return self.used(UP_DAY, DOWN_DAY)

    @property
    def month(self) -> int:
        """And this month."""
        return self.used(UP_MONTH, DOWN_MONTH)

    @property
    def hour(self) -> int:
        """And this hour."""
        return self.used(BOTH_HOUR)

    @property
    def week(self) -> int:
        """And this week."""
        return self.used(BOTH_WEEK)

    @property
    def sessions(self) -> tuple[int, int]:
        """How many today, and this month."""
        row = self.watch.state.usage[0]
        return int(row["sessions_day"]), int(row["sessions_month"])
