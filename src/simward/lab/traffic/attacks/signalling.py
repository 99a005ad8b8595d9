"""Attacks on the network itself, meant or not: storms of requests and sessions, all at once, without back-off."""

from __future__ import annotations

import numpy as np

from simward.engine.events import CREDENTIALS_WRONG
from simward.lab.traffic.chance import beyond_chance_at
from simward.lab.traffic.day import Day
from simward.lab.traffic.habits import VISITS
from simward.lab.traffic.happening import EVERY_KIND, FAST, SLOW, Act, Happening
from simward.lab.traffic.kinds import ATTEMPTS_AN_HOUR, KINDS, METER, TERMINAL
from simward.lab.traffic.members import DAY_US, HOUR_S, MINUTE_S, SECOND_US
from simward.lab.traffic.sessions import NO_RECORDS_LOST, ONLY_TRIES, next_serials, sessions_of

INNOCENT_TIMES = 2
"""Where its power comes back a device connects, and perhaps once more."""
SESSIONS_A_DAY = np.array([{TERMINAL: VISITS}.get(one.name, 1.0) for one in KINDS])
"""Usual ones of each kind that a cell's storm befalls; see habits.py."""
STORMS = ("signalling-storm", "retry-storm", "too-chatty", "unusual-behaviour", "synchronised-reconnect")


class RetryStorm(Happening):
    """A device whose requests come to nothing asks again at once, and again, without a back-off.

    Stronger: more requests a minute, from eight times of what its owner allows. Slow: for five times as long.
    """

    id = "retry-storm"
    kinds = EVERY_KIND
    expects = ("retry-storm",)
    also = (*STORMS, "authentication-failures", "silent")
    paces = (FAST, SLOW)
    strengths = (4.0, 12.0, 60.0)
    lasts_days = 0.04

    def alter(self, act: Act, day: Day) -> None:
        """Requests alone."""
        if not act.begins_on(day):
            return
        minutes = (act.ends_at - act.begins_at) / (MINUTE_S * SECOND_US)  # over midnight, too
        every_s = max(1, round(MINUTE_S / act.strength))
        tries = max(2, int(minutes * MINUTE_S / every_s))
        at = act.begins_at + tries * every_s * SECOND_US
        day.add(sessions_of(day.members, act.who, at, at, flags=ONLY_TRIES, tries=tries, retry_s=every_s))
        act.note(act.begins_at)
        act.shown_at = act.begins_at + ATTEMPTS_AN_HOUR * every_s * SECOND_US


class SignallingStorm(Happening):
    """A device begins and ends sessions all the time: each costs the network as much as a day's data.

    Stronger: more of them, as a multiple of what its owner allows in an hour.
    """

    id = "signalling-storm"
    kinds = EVERY_KIND
    expects = ("signalling-storm",)
    also = (*STORMS, "off-schedule")
    strengths = (2.0, 10.0, 20.0)
    lasts_days = 0.125

    def alter(self, act: Act, day: Day) -> None:
        """Short sessions one after another."""
        since, until = act.part(day)
        every_us = int(HOUR_S * SECOND_US / (ATTEMPTS_AN_HOUR * act.strength))
        at = np.arange(since, until, every_us)
        act.shown_at = act.begins_at + ATTEMPTS_AN_HOUR * every_us
        for who in act.who:
            day.members.rows["serial"][who] += len(at)
            serial = day.members.rows["serial"][who] - np.arange(len(at))
            lasts = min(every_us // 2, 20 * SECOND_US)
            whom = np.full(len(at), who)
            day.add(sessions_of(day.members, whom, at, at + lasts, up=300, down=200, serial=serial, salt=4))
        act.note(at)


class SynchronisedReboot(Happening):
    """All devices of one model restart and attach within the same minute, again and again.

    A firmware's watchdog, or an attacker who has them all. Stronger: more often in the hour.
    """

    id = "synchronised-reboot"
    kinds = (TERMINAL, METER)
    expects = ("synchronised-reconnect",)
    also = (*STORMS, "authentication-failures", "off-schedule", "cohort-shift")
    group = "model"
    members_least = 100
    strengths = (2.0, 10.0, 60.0)
    lasts_days = 0.042

    def alter(self, act: Act, day: Day) -> None:
        """Attached within seconds, as Beta(3, 4) over ten (see kinds.py)."""
        since, until = act.part(day)
        every_us = int(HOUR_S * SECOND_US / act.strength)
        lasts = min(every_us // 2, 20 * SECOND_US)
        for wave in range(since, until, every_us):
            at = wave + (act.rng.beta(3, 4, len(act.who)) * 10 * SECOND_US).astype(np.int64)
            serial = next_serials(day.members, act.who)
            day.add(sessions_of(day.members, act.who, at, at + lasts, up=300, down=200, serial=serial, salt=5))
            act.note(at)


class SignallingStormOfCell(Happening):
    """Everything in one cell begins and ends sessions all the time: interference, or a false base station.

    Stronger: more often in the hour, from eight times. That each connects once, and perhaps once more, is what devices
    do whose cell had no power for a while. What each does beyond that is what shows it, from when it is more than
    chance could bring among so many of their kinds (chance.py).
    """

    id = "signalling-storm-of-a-cell"
    kinds = (METER, TERMINAL)
    expects = ("signalling-storm",)
    also = (*STORMS, "off-schedule")
    group = "cell"
    members_least = 10
    lasts_days = 0.083

    def alter(self, act: Act, day: Day) -> None:
        """Short sessions, not in step."""
        since, until = act.part(day)
        every_us = max(10 * SECOND_US, int(HOUR_S * SECOND_US / (4 * act.strength)))
        rounds: list[np.ndarray] = act.memory.setdefault("rounds", [])
        for at in range(since, until, every_us):
            begins = at + (act.rng.random(len(act.who)) * every_us * 0.4).astype(np.int64)
            serial = next_serials(day.members, act.who)
            ends = begins + min(every_us // 2, 20 * SECOND_US)
            day.add(sessions_of(
                day.members, act.who, begins, ends, up=300, down=200, serial=serial, leans=-1.0, salt=6,
            ))  # fmt: skip
            act.note(begins)
            rounds.append(begins)
        if not act.shown_at and len(rounds) > INNOCENT_TIMES:
            usual = float(SESSIONS_A_DAY[day.members.rows["kind"][act.who]].sum()) / DAY_US
            act.shown_at = beyond_chance_at(np.concatenate(rounds[INNOCENT_TIMES:]), act.begins_at, usual)


class AuthenticationFailures(Happening):
    """Many devices of one model are told a wrong password, or an attacker tries one on all of them.

    Stronger: more tries of each.
    """

    id = "authentication-failures"
    kinds = (METER,)
    expects = ("authentication-failures",)
    also = ("credentials-wrong", *STORMS)
    group = "model"
    members_least = 50
    strengths = (2.0, 10.0)
    lasts_days = 0.25
    few = 60

    def alter(self, act: Act, day: Day) -> None:
        """Requests with wrong ones."""
        if not act.begins_on(day):
            return
        some = act.who
        at = act.begins_at + (act.rng.random(len(some)) * 10 * MINUTE_S * SECOND_US).astype(np.int64)
        tries = int(act.strength)
        ends = at + tries * 20 * SECOND_US
        day.add(sessions_of(day.members, some, ends, ends, flags=ONLY_TRIES | NO_RECORDS_LOST, tries=tries, retry_s=20,
                            credentials=CREDENTIALS_WRONG))  # fmt: skip
        act.note(at)


