"""Attacks that show in how much is sent, and when: surges, leaks, exfiltration at night, beacons, drift, a firmware."""

from __future__ import annotations

import numpy as np

from simward.lab.traffic.day import Day
from simward.lab.traffic.happening import DATA_A_DAY, DATA_AN_HOUR, FAST, SLOW, Act, Happening
from simward.lab.traffic.kinds import CAMERA, CAR, KINDS, LIFT, METER, TERMINAL, TRACKER
from simward.lab.traffic.members import DAY_US, HOUR_S, MINUTE_S, SECOND_US
from simward.lab.traffic.sessions import next_serials, sessions_of

STEADY = (METER, CAMERA, LIFT, TERMINAL)
UNUSUAL = ("unusual-behaviour",)


def multiplied(act: Act, day: Day, up: float, down: float) -> None:
    """So many times as much as it would have been, of every session of the day that lies in the act, and while it
    does."""
    since, until = act.part(day)
    for moment in (since, until):
        day.split(act.who, moment)
    places = day.of(act.who)
    begins, ends = day.sessions["begins_at"][places], day.sessions["ends_at"][places]
    inside = places[(ends > since) & (begins < until)]
    if not len(inside):
        return
    rows = day.sessions
    lasts = np.maximum(1, rows["ends_at"][inside] - rows["begins_at"][inside])
    overlap = np.minimum(rows["ends_at"][inside], until) - np.maximum(rows["begins_at"][inside], since)
    share = overlap / lasts
    rows["up"][inside] = rows["up"][inside] * (1 + (up - 1) * share)
    rows["down"][inside] = rows["down"][inside] * (1 + (down - 1) * share)
    act.note(np.maximum(rows["begins_at"][inside], since))


def extra_session(act: Act, day: Day, at: np.ndarray, lasts_s: float, up: np.ndarray, down: np.ndarray) -> None:
    """One more session of each victim, in its own device and cell."""
    row = sessions_of(
        day.members, act.who, at, at + int(lasts_s * SECOND_US), up=up, down=down, every_s=15 * MINUTE_S,
        serial=next_serials(day.members, act.who), salt=1,
    )  # fmt: skip
    day.add(row)
    act.note(at)


class DataSurge(Happening):
    """A device sends many times what it usually sends, for days.

    It takes part in a flood, or carries somebody's data. Slow: the surge grows over its whole time.
    """

    id = "data-surge"
    kinds = STEADY
    expects = UNUSUAL
    also = ("budget-exceeded",)
    paces = (FAST, SLOW)
    lasts_days = 3.0

    def alter(self, act: Act, day: Day) -> None:
        """More of everything."""
        grown = min(1.0, act.days_in(day) / self.lasts(act.pace)) if act.pace == SLOW else 1.0
        factor = float(act.strength**grown)
        multiplied(act, day, factor, factor)


class SlowLeak(Happening):
    """A device leaks: each day it sends more upwards than it used to, the same every day, for three weeks."""

    id = "slow-leak"
    kinds = STEADY
    expects = UNUSUAL
    also = ("budget-exceeded",)
    strengths = (1.5, 2.0, 10.0)
    lasts_days = 21.0

    def alter(self, act: Act, day: Day) -> None:
        """More upwards, a little down."""
        multiplied(act, day, act.strength, 1.0 + 0.02 * act.strength)


class NightExfiltration(Happening):
    """Data is carried out at night, in sessions of their own between two and four.

    Stronger: a larger multiple of the day's usual octets in each.
    """

    id = "night-exfiltration"
    kinds = (TERMINAL, CAR, TRACKER, METER)
    expects = UNUSUAL
    also = ("off-schedule", "budget-exceeded", "too-chatty")
    lasts_days = 5.0

    def alter(self, act: Act, day: Day) -> None:
        """One session a night."""
        at = day.begins_at + np.int64((2 + act.rng.random()) * HOUR_S * SECOND_US)
        if act.begins_at <= at < act.ends_at:
            rows = day.members.rows[act.who]
            extra_session(act, day, np.full(len(act.who), at), 0.7 * HOUR_S, rows["up"] * act.strength, rows["down"])


class BudgetBurst(Happening):
    """More is sent within one hour than the owner declared for it.

    Stronger: a larger multiple of what the owner allows in an hour.
    """

    id = "budget-burst"
    kinds = (METER, TERMINAL)
    expects = ("budget-exceeded/burst",)
    also = ("budget-exceeded", "unusual-behaviour", "off-schedule", "too-chatty")
    lasts_days = 0.25
    breaks = DATA_AN_HOUR

    def alter(self, act: Act, day: Day) -> None:
        """One session, within one hour of the clock."""
        if act.begins_on(day):
            hour = HOUR_S * SECOND_US
            at = np.full(len(act.who), act.begins_at // hour * hour + 2 * MINUTE_S * SECOND_US)
            allowed = np.array([one.data_an_hour for one in KINDS])[day.members.rows["kind"][act.who]]
            extra_session(act, day, at, 40 * MINUTE_S, allowed * act.strength, allowed * 0.05)


class DayBudget(Happening):
    """More is sent in a day than the owner declared for it, steadily over its sessions.

    Stronger: a larger multiple of what the owner allows in a day.
    """

    id = "day-budget"
    kinds = (METER, TERMINAL, LIFT, CAMERA)
    expects = ("budget-exceeded/day",)
    also = ("budget-exceeded", "unusual-behaviour")
    lasts_days = 2.0
    breaks = DATA_A_DAY

    def alter(self, act: Act, day: Day) -> None:
        """All of it, whatever is usual."""
        allowed = np.array([one.data_a_day for one in KINDS])[day.members.rows["kind"][act.who]]
        usual = np.maximum(1.0, day.members.rows["up"][act.who] + day.members.rows["down"][act.who])
        factor = float((allowed / usual).max() * act.strength)
        multiplied(act, day, factor, factor)


class Beaconing(Happening):
    """Malware calls home: small sessions at a steady beat, all day.

    Stronger: more of them, that many a day.
    """

    id = "beaconing"
    kinds = (METER, TERMINAL, TRACKER, CAR)
    expects = ("too-chatty",)
    also = ("unusual-behaviour", "signalling-storm", "off-schedule")
    strengths = (6.0, 24.0, 144.0)
    lasts_days = 4.0

    def alter(self, act: Act, day: Day) -> None:
        """Sessions of a few seconds, each of some hundred octets."""
        since, until = act.part(day)
        every_us = int(DAY_US / act.strength)
        phase = act.memory.setdefault("phase", int(act.rng.integers(0, every_us)))
        at = np.arange(day.begins_at + phase, day.ends_at, every_us)
        at = at[(at >= since) & (at < until)]
        for who in act.who:
            whom = np.full(len(at), who)
            day.members.rows["serial"][who] += len(at)
            serial = day.members.rows["serial"][who] - np.arange(len(at))
            day.add(sessions_of(day.members, whom, at, at + 8 * SECOND_US, up=420, down=180, serial=serial, salt=2))
        act.note(at)


class OffSchedule(Happening):
    """A device is used at hours at which it never was.

    Somebody uses it in its owner's absence. Stronger: so many sessions, between 23 and 4.
    """

    id = "off-schedule-use"
    kinds = (TERMINAL,)
    expects = ("off-schedule",)
    also = ("unusual-behaviour", "too-chatty")
    strengths = (1.0, 4.0, 10.0)
    lasts_days = 3.0

    def alter(self, act: Act, day: Day) -> None:
        """Sessions like any other, at the wrong time."""
        for _ in range(int(act.strength)):
            at = day.begins_at + int(act.rng.random() * 4 * HOUR_S * SECOND_US)
            if act.begins_at <= at < act.ends_at:
                rows = day.members.rows[act.who]
                extra_session(act, day, np.full(len(act.who), at), 60.0, rows["up"] / 5, rows["down"] / 5)


class GradualDrift(Happening):
    """A device's use grows by a little every day, so that no day differs much from the one before.

    Stronger: that many times as much after a month.
    """

    id = "gradual-drift"
    kinds = STEADY
    expects = UNUSUAL
    also = ("budget-exceeded",)
    lasts_days = 30.0

    def alter(self, act: Act, day: Day) -> None:
        """Exponential growth."""
        factor = float(act.strength ** min(1.0, act.days_in(day) / self.lasts_days))
        multiplied(act, day, factor, factor)


class FirmwareGoneWild(Happening):
    """After a roll-out every device of a model sends many times what it used to.

    One cause, so one finding: about the cohort, not about each device.
    """

    id = "firmware-gone-wild"
    from_midnight = True
    kinds = (TERMINAL,)
    expects = ("cohort-shift",)
    also = ("unusual-behaviour", "device-change/software", "too-chatty", "budget-exceeded")
    group = "model"
    members_least = 200
    lasts_days = 4.0

    def before(self, act: Act, day: Day) -> None:
        """Another software version."""
        if act.begins_on(day):
            day.members.rows["software"][act.who] += 1

    def alter(self, act: Act, day: Day) -> None:
        """More of everything."""
        multiplied(act, day, act.strength, act.strength)
