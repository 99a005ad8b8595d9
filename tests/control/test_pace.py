"""What goes on behind keeps its transactions short, and rests while somebody is being served."""

from __future__ import annotations

import threading

from simward.control import pace
from simward.control.pace import GivingWay, Pace


class Clock:
    """Told the time by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(one: Pace, clock: Clock, seconds: float, facts: int | None = None) -> int:
    """A transaction of so many facts (None: all that it may have) that took so long; how many the next may have."""
    with one.held(one.facts if facts is None else facts):
        clock.now += seconds
    return one.facts


def test_fewer_after_one_that_took_long_and_more_after_short_ones() -> None:
    clock = Clock()
    one = Pace(1000, clock)
    grown = [taken(one, clock, 0.01) for _ in range(6)]
    assert grown == [128, 256, 512, 1000, 1000, 1000]
    shrunk = [taken(one, clock, 0.2) for _ in range(8)]
    assert shrunk == [500, 250, 125, 62, 31, 16, 16, 16]


def test_what_took_about_as_long_as_it_may_stays_as_it_is() -> None:
    clock = Clock()
    one = Pace(1000, clock)
    assert taken(one, clock, 0.04) == taken(one, clock, pace.HELD_S * 0.9) == one.facts


def test_a_short_one_that_had_little_to_take_says_nothing() -> None:
    clock = Clock()
    one = Pace(1000, clock)
    before = one.facts
    assert taken(one, clock, 0.001, facts=1) == before


class Waits(threading.Event):
    """Lets the clock go on instead of waiting."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0.0
        return self.is_set()


def test_it_rests_until_nobody_is_being_served() -> None:
    clock = Clock()
    GivingWay(lambda: clock.now < 0.01, clock).rest(0.05, Waits(clock))
    assert 0.01 <= clock.now < 0.015


def test_where_nobody_is_served_it_goes_on_at_once() -> None:
    clock = Clock()
    GivingWay(lambda: 0, clock).rest(10.0, Waits(clock))
    assert clock.now == 0


def test_it_always_keeps_its_share() -> None:
    clock = Clock()
    GivingWay(lambda: 100, clock).rest(0.01, Waits(clock))
    assert 0.039 < clock.now < 0.045  # worked 10 ms of 50: a fifth
    clock.now = 0.0
    GivingWay(lambda: 100, clock).rest(60.0, Waits(clock))
    assert clock.now < 1.1 * pace.REST_MAX_S
