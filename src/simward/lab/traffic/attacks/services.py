"""Attacks on services that cost: calls to premium numbers, calls abroad, messages, data on a SIM that has none."""

from __future__ import annotations

import numpy as np

from simward.lab.traffic.calls import INTERNATIONAL, NATIONAL, PREMIUM, SHORT_MESSAGE, VOICE, calls_of
from simward.lab.traffic.day import Day
from simward.lab.traffic.happening import FAST, NO_DATA, SLOW, SMS_A_DAY, Act, Happening
from simward.lab.traffic.kinds import BUTTON, CAMERA, LIFT, METER, PHONE_TAC, TERMINAL, TRACKER
from simward.lab.traffic.members import HOUR_S, MINUTE_S, SECOND_US
from simward.lab.traffic.sessions import next_serials, sessions_of

MONEY = ("toll-fraud", "toll-fraud-together", "service-not-permitted", "budget-exceeded", "unusual-behaviour")


def calls_within(
    act: Act, day: Day, a_day: float, kind: int, destination: int, lasts_s: int
) -> None:
    """So many calls of each victim in a day, as far as the day lies in the act."""
    since, until = act.part(day)
    count = max(1, round(a_day * (until - since) / (24 * HOUR_S * SECOND_US)))
    for who in act.who:
        at = np.sort(since + (act.rng.random(count) * (until - since)).astype(np.int64))
        length = -1 if kind == SHORT_MESSAGE else act.rng.integers(lasts_s // 2, lasts_s * 2, count)
        calls = calls_of(day.members, np.full(count, who), at, kind, destination, length)
        day.add_calls(calls)
        act.note(at)
        if not act.happening.breaks:  # nobody knows before the operator tells
            act.shown_at = act.shown_at or int(calls["arrives_at"][0])


class PremiumCalls(Happening):
    """Hacked modules call numbers that cost extra, and somebody is paid for each minute.

    Stronger: more calls a day; 59 modules that made 17,000 in days made some hundred a day each.
    """

    id = "premium-calls"
    kinds = (LIFT, METER, CAMERA)
    expects = ("toll-fraud", "service-not-permitted")
    also = MONEY
    paces = (FAST, SLOW)
    lasts_days = 2.0

    def alter(self, act: Act, day: Day) -> None:
        """Calls of some minutes."""
        calls_within(act, day, act.strength, VOICE, PREMIUM, 4 * MINUTE_S)


class HackedModules(Happening):
    """Fifty-nine hacked modules of one model call numbers that cost extra, each as often as it may be unnoticed.

    Stronger: more calls of each a day.
    """

    id = "hacked-modules"
    kinds = (LIFT,)
    expects = ("toll-fraud-together",)
    also = MONEY
    group = "model"
    members_least = 60
    strengths = (1.0, 10.0, 100.0)
    lasts_days = 2.0
    few = 59

    def alter(self, act: Act, day: Day) -> None:
        """Calls of some minutes, of some of the model."""
        calls_within(act, day, act.strength, VOICE, PREMIUM, 4 * MINUTE_S)


class CallsAbroad(Happening):
    """A SIM in somebody's phone calls abroad."""

    id = "calls-abroad"
    kinds = (METER, TERMINAL, CAMERA)
    expects = ("service-not-permitted",)
    also = MONEY
    lasts_days = 2.0

    def alter(self, act: Act, day: Day) -> None:
        """Calls of a quarter of an hour."""
        calls_within(act, day, act.strength, VOICE, INTERNATIONAL, 15 * MINUTE_S)


class MessageFlood(Happening):
    """A device is made to send short messages to anybody: phishing by the thousand.

    Routers that were open to the internet have been used so. Stronger: more messages a day.
    """

    id = "message-flood"
    kinds = (METER, TRACKER)
    expects = ("budget-exceeded",)
    also = MONEY
    strengths = (50.0, 200.0, 2000.0)
    lasts_days = 2.0
    breaks = SMS_A_DAY

    def alter(self, act: Act, day: Day) -> None:
        """Messages."""
        calls_within(act, day, act.strength, SHORT_MESSAGE, NATIONAL, 0)


class FirstMessage(Happening):
    """A device whose use case has no messages sends one: how a remote control answers."""

    id = "first-message"
    kinds = (CAMERA, LIFT)
    expects = ("service-not-permitted",)
    also = MONEY
    strengths = (1.0, 5.0)
    lasts_days = 1.0

    def alter(self, act: Act, day: Day) -> None:
        """Messages."""
        calls_within(act, day, act.strength, SHORT_MESSAGE, INTERNATIONAL, 0)


class DataOnVoiceSim(Happening):
    """The SIM of a panic button, which only calls, is used for data in a phone."""

    id = "data-on-voice-sim"
    kinds = (BUTTON,)
    expects = ("service-not-permitted/data",)
    also = (*MONEY, "location-change", "reappeared-changed", "silent", "too-chatty", "off-schedule", "device-change")
    strengths = (2.0,)
    lasts_days = 1.0
    breaks = NO_DATA

    def alter(self, act: Act, day: Day) -> None:
        """One long session."""
        if act.begins_on(day):
            at = act.begins_at
            phone, serial = PHONE_TAC * 10**6 + act.who, next_serials(day.members, act.who)
            ends = at + HOUR_S * SECOND_US
            day.add(sessions_of(
                day.members, act.who, at, ends, up=5e6, down=5e7, every_s=600, imei=phone, serial=serial,
            ))  # fmt: skip
            act.note(at)


