"""When what is sent again: back-off, what a status means, the circuit breaker, and lanes that go in order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simward.response import delivering as d

S = d.SECOND_US


def test_waits_double_up_to_a_minute_and_half_of_each_is_left_to_chance() -> None:
    longest = [d.retry_after(attempts, 1.0) / S for attempts in (1, 2, 3, 4, 7, 8, 9, 1000)]
    assert longest == [0.5, 1, 2, 4, 32, 60, 60, 60]
    assert d.retry_after(3, 0.0) == 1 * S


@pytest.mark.parametrize(
    ("status", "attempts", "late", "expected"),
    [
        (200, 1, False, d.DELIVERED), (204, 99, True, d.DELIVERED), (299, 1, False, d.DELIVERED),
        (None, 99, False, d.WAITING), (500, 99, False, d.WAITING), (302, 99, False, d.WAITING),
        (401, 99, False, d.WAITING), (404, 99, False, d.WAITING), (410, 99, False, d.WAITING),
        (429, 99, False, d.WAITING), (422, 7, False, d.WAITING), (422, 8, False, d.DEAD),
        (500, 1, True, d.DEAD), (None, 1, True, d.DEAD),
    ],
)  # fmt: skip
def test_what_becomes_of_a_delivery(status: int | None, attempts: int, late: bool, expected: str) -> None:
    assert d.state_after(status, attempts, 100, 100 if late else 101) == expected


def failing(breaker: d.Breaker, times: int, now: int = 0, status: int | None = None) -> None:
    """So many failures, one after the other."""
    for _ in range(times):
        breaker.failed(status, None, now, 1.0)


def test_the_breaker_opens_tries_one_and_closes() -> None:
    breaker = d.Breaker()
    failing(breaker, d.OPEN_AFTER - 1)
    assert breaker.state == d.CLOSED and breaker.room(0, 32) == 32
    failing(breaker, 1)
    assert breaker.state == d.OPEN and breaker.room(0, 32) == 0 and breaker.wakes_at(0) == 5 * S
    assert breaker.room(5 * S, 32) == 1
    breaker.sent()
    assert breaker.state == d.HALF_OPEN and breaker.room(5 * S, 32) == 0
    failing(breaker, 1, 5 * S)
    assert breaker.wakes_at(5 * S) == 15 * S, "twice as long"
    breaker.sent()
    breaker.succeeded()
    assert breaker.state == d.CLOSED and breaker.room(5 * S, 32) == 32 and breaker.failures == 0


def test_the_breaker_waits_a_minute_at_most() -> None:
    breaker = d.Breaker()
    failing(breaker, d.OPEN_AFTER)
    for _ in range(20):
        breaker.sent()
        failing(breaker, 1)
    assert breaker.wakes_at(0) == 60 * S


def test_who_answers_is_there_and_is_asked_again_soon() -> None:
    breaker = d.Breaker()
    failing(breaker, d.OPEN_AFTER, status=500)
    for _ in range(20):
        breaker.sent()
        failing(breaker, 1, status=500)
    assert breaker.wakes_at(0) == 5 * S


def test_a_probe_that_was_not_sent_after_all_leaves_it_open() -> None:
    breaker = d.Breaker()
    failing(breaker, d.OPEN_AFTER)
    breaker.sent()
    breaker.unsent()
    assert breaker.room(5 * S, 32) == 1


def test_a_success_in_between_keeps_it_closed() -> None:
    breaker = d.Breaker()
    for _ in range(100):
        failing(breaker, d.OPEN_AFTER - 1)
        breaker.succeeded()
    assert breaker.state == d.CLOSED


def test_retry_after_holds_the_endpoint_for_an_hour_at_most() -> None:
    breaker = d.Breaker()
    breaker.failed(429, 30, 0, 1.0)
    assert breaker.room(30 * S - 1, 32) == 0 and breaker.wakes_at(0) == 30 * S and breaker.room(30 * S, 32) == 32
    breaker.succeeded()  # one that was on its way before
    assert breaker.room(30 * S - 1, 32) == 0
    breaker.failed(503, 10**8, 0, 1.0)
    assert breaker.wakes_at(0) == 3600 * S
    fresh = d.Breaker()
    fresh.failed(500, 30, 0, 1.0)  # said of the one message
    assert fresh.room(0, 32) == 32


def test_gone_is_for_a_person_to_end() -> None:
    breaker = d.Breaker()
    breaker.failed(410, None, 0, 1.0)
    assert breaker.room(10**15, 32) == 0 and breaker.wakes_at(0) is None
    failing(breaker, 100)
    assert breaker.state == d.DISABLED
    breaker.succeeded()
    assert breaker.room(0, 32) == 32


def head(number: int, lane: str, next_at: int = 0) -> d.Head:
    """A delivery."""
    return d.Head(number, lane, next_at, 0, 10**12)


def test_a_lane_waits_for_its_head_and_others_go_on() -> None:
    lanes = d.Lanes(10)
    for number, lane in enumerate("aab", 1):
        lanes.offer(head(number, lane))
    assert [one.number for one in lanes.take(0, 32)] == [1, 3]
    assert lanes.away == 2 and lanes.take(0, 32) == [] and lanes.behind("a") == 2 and lanes.behind("b") == 0
    lanes.again(head(1, "a", next_at=5))
    assert lanes.take(4, 32) == [] and lanes.next_at(4) == 5
    assert [one.number for one in lanes.take(5, 32)] == [1]
    lanes.done("a", head(2, "a"))
    assert [one.number for one in lanes.take(5, 32)] == [2] and lanes.behind("a") == 0


def test_once_there_was_no_room_no_new_lane_is_taken_before_all_is_read_again() -> None:
    lanes = d.Lanes(1)
    lanes.offer(head(1, "a"))
    lanes.offer(head(2, "b"))
    lanes.take(0, 1)
    lanes.done("a", None)
    lanes.offer(head(3, "b"))
    assert lanes.overflowed and lanes.take(0, 9) == [], "2 goes before 3"
    lanes.begin([(head(2, "b"), 3)])
    assert [one.number for one in lanes.take(0, 9)] == [2] and lanes.behind("b") == 3


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_whatever_fails_every_lane_goes_in_order_and_nothing_is_left(seed: int, lane_count: int) -> None:
    """An outbox, a connector that fails at random, results that come back in any order: the law of lanes."""
    dice = random.Random(seed)
    outbox = {number: f"lane {dice.randrange(lane_count)}" for number in range(1, 40)}
    waiting = dict(outbox)
    lanes, delivered, away, now = d.Lanes(3), [], [], 0
    lanes.begin([])
    for number, lane in outbox.items():
        lanes.offer(head(number, lane))
    while waiting:
        now += 1
        if lanes.overflowed and len(lanes) < 2:
            firsts = {lane: number for number, lane in sorted(waiting.items(), reverse=True)}
            last = {lane: number for number, lane in sorted(waiting.items())}
            lanes.begin((head(number, lane), last[lane]) for lane, number in sorted(firsts.items(), key=lambda x: x[1]))
        away += lanes.take(now, dice.randrange(4))
        for one in dice.sample(away, dice.randrange(len(away) + 1)):
            away.remove(one)
            if dice.random() < 0.5:
                lanes.again(d.Head(one.number, one.lane, now + dice.randrange(5), one.attempts + 1, one.deadline_at))
                continue
            delivered.append(one.number)
            del waiting[one.number]
            following = None
            if lanes.behind(one.lane):
                following = min((number for number, lane in waiting.items() if lane == one.lane), default=None)
            lanes.done(one.lane, None if following is None else head(following, one.lane, now))
        assert now < 100_000
    for lane in set(outbox.values()):
        mine = [number for number in delivered if outbox[number] == lane]
        assert mine == sorted(mine)
    assert sorted(delivered) == list(outbox)


HOUR = 3600 * S


def test_a_clock_that_goes_back_an_hour_holds_nothing_for_an_hour() -> None:
    lanes, now = d.Lanes(10), 10 * HOUR
    lanes.offer(d.Head(1, "a", now + d.LAST_RETRY_US, 9, now + 24 * HOUR))
    assert lanes.take(now, 32) == [] and lanes.next_at(now) == now + d.LAST_RETRY_US, "it waits its minute"
    before = now - HOUR
    assert lanes.next_at(before) == before + d.LAST_RETRY_US, "it is looked for again within one"
    assert [head.number for head in lanes.take(before, 32)] == [1]


def test_a_breaker_does_not_wait_for_a_clock_that_went_back() -> None:
    breaker, now = d.Breaker(), 10 * HOUR
    failing(breaker, d.OPEN_AFTER, now)
    assert breaker.room(now, 32) == 0 and breaker.wakes_at(now) == now + d.OPEN_FIRST_US
    assert breaker.room(now - HOUR, 32) == 1 and breaker.wakes_at(now - HOUR) is None
    held = d.Breaker()
    held.failed(429, 120, now, 1.0)
    assert held.room(now, 32) == 0 and held.wakes_at(now) == now + 120 * S
    assert held.room(now - 2 * HOUR, 32) == 32 and held.wakes_at(now - 2 * HOUR) is None
