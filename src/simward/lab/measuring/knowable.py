"""When the records that arrived first showed that what was declared of a victim was passed, reckoned apart from folds.

A budget is not broken before the record that breaks it, and a record that the network lost tells nobody anything. So
the time to detect of an attack on services or budgets is counted from the first record on arrival of which anybody who
added up the records could know. What accounting tells is how far counters have come since the record before, spread
evenly over the time between the two and summed by UTC hours and days of when it happened; a record can break the budget
of the period that it is of (docs/decisions/0041-what-counts-as-used.md says what a budget means: what no record told
before a period was over is never told of it). Of messages each record is one. The limits are those of kinds.py, which
owner.py declares; nothing of a fold, a detector or a compiled policy is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simward.engine import events as ev
from simward.lab.traffic.calls import SHORT_MESSAGE
from simward.lab.traffic.happening import DATA_A_DAY, DATA_AN_HOUR, NO_DATA, SMS_A_DAY, Act
from simward.lab.traffic.kinds import KINDS
from simward.lab.traffic.members import DAY_S, DAY_US, HOUR_S, SECOND_US

FOLLOWED_BEFORE_US = 2 * DAY_US
"""So long before an act its victim's counters are followed: the first record within it is told from one before it."""
ACCOUNTING = (ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP)
PERIODS_S = {DATA_AN_HOUR: HOUR_S, DATA_A_DAY: DAY_S, SMS_A_DAY: DAY_S}


@dataclass
class Reckoning:
    """What the records of one victim add up to."""

    act: Act
    allowed: float
    """Octets or messages of a period."""
    sums: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Of each period, by its number since 1970."""
    sessions: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Of each: octets that it had counted, and when (s)."""

    def hear(self, record: np.void) -> None:
        """An accounting record (EVENT) arrives."""
        breaks = self.act.happening.breaks
        if breaks == NO_DATA:
            return self._knows(int(record["received_at"]))
        at_s, name = int(record["happened_at"]) // SECOND_US, bytes(record["session_id"])
        octets = max(0, int(record["uplink_octets"])) + max(0, int(record["downlink_octets"]))
        before, since_s = self.sessions.get(name, (0, at_s - max(0, int(record["duration_s"]))))
        if octets < before or at_s < since_s:  # it came late: a newer one has told of it
            return None
        self.sessions[name] = octets, at_s
        self._spread(octets - before, since_s, at_s, PERIODS_S[breaks])
        return self._judge(at_s // PERIODS_S[breaks], int(record["received_at"]))

    def hear_message(self, call: np.void) -> None:
        """The record of a short message (CALL) arrives."""
        day = int(call["happened_at"]) // (PERIODS_S[SMS_A_DAY] * SECOND_US)
        self.sums[day] += 1
        self._judge(day, int(call["arrives_at"]))

    def _spread(self, octets: int, since_s: int, at_s: int, period_s: int) -> None:
        for period in range(since_s // period_s, at_s // period_s + 1):
            within_s = min(at_s, (period + 1) * period_s) - max(since_s, period * period_s)
            self.sums[period] += octets * within_s / (at_s - since_s) if at_s > since_s else octets

    def _judge(self, period: int, arrived_at: int) -> None:
        if self.sums[period] > self.allowed:
            self._knows(arrived_at)

    def _knows(self, arrived_at: int) -> None:
        act = self.act
        if not act.shown_at and act.began_at and arrived_at >= act.began_at:
            act.shown_at = arrived_at


class Knowable:
    """All acts that pass what was declared, and the records of their victims."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self._waiting = sorted((act for act in acts if act.happening.breaks), key=lambda act: act.begins_at)
        self._followed: dict[int, Reckoning] = {}

    def begin(self, begins_at: int, calls: np.ndarray) -> None:
        """A day begins (us), whose records of calls (CALL, in order of arrival) are these."""
        while self._waiting and self._waiting[0].begins_at < begins_at + DAY_US + FOLLOWED_BEFORE_US:
            act = self._waiting.pop(0)
            kind = KINDS[int(act.members.rows["kind"][act.who[0]])]
            self._followed[int(act.imsis[0])] = Reckoning(act, float(getattr(kind, act.happening.breaks, 0.0)))
        for imsi, one in list(self._followed.items()):
            if one.act.shown_at or one.act.ends_at < begins_at - DAY_US:
                del self._followed[imsi]
        for call in calls[np.isin(calls["imsi"], list(self._followed))] if self._followed else ():
            one = self._followed[int(call["imsi"])]
            if call["kind"] == SHORT_MESSAGE and one.act.happening.breaks == SMS_A_DAY:
                one.hear_message(call)

    def hear(self, events: np.ndarray) -> None:
        """EVENT rows arrive."""
        if not self._followed:
            return
        mine = np.flatnonzero(np.isin(events["imsi"], list(self._followed)))
        for record in events[mine]:
            one = self._followed[int(record["imsi"])]
            if int(record["kind"]) in ACCOUNTING and one.act.happening.breaks != SMS_A_DAY:
                one.hear(record)
