"""What call detail records add up to, however late and in whatever order they come."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

import numpy as np
from calling import HOME_NETWORK, CallStory

from simward.engine import call_records as c
from simward.engine.tables import DECLARED, InventoryDelta
from simward.engine.watching.call_layouts import TALLIES_EACH
from simward.engine.watching.layouts import DATA, DAY, HOUR, MONTH, SMS, VOICE, WEEK

AWAY = 1_90199


def test_counts_by_service_and_class_in_hour_day_week_and_month() -> None:
    story = CallStory().calls(c.HOME, 60).calls(c.NATIONAL, 30).calls(c.PREMIUM, 7).writes().writes(c.INTERNATIONAL)
    story.calls(c.NOT_SAID, 5, member=1)
    for period in (HOUR, DAY, WEEK, MONTH):
        assert story.used_of(VOICE, period) == 97 and story.used_of(SMS, period) == 2
        assert [story.used_of(VOICE, period, one) for one in range(5)] == [0, 60, 30, 0, 7]
        assert story.used_of(VOICE, period, c.NOT_SAID, member=1) == 5
    story.at(15, 9).calls(c.HOME, 1)
    assert [story.used_of(VOICE, period, c.HOME) for period in (HOUR, DAY, WEEK, MONTH)] == [1, 1, 61, 61]
    story.at(2, 9, month=11).calls(c.HOME, 1)
    assert [story.used_of(VOICE, period, c.HOME) for period in (HOUR, DAY, WEEK, MONTH)] == [1, 1, 1, 1]


def test_counts_by_network_and_data_of_records_by_itself() -> None:
    story = CallStory().calls(lasted=60).calls(lasted=7, network=AWAY).writes(network=AWAY)
    story.told_of(story.record(c.DATA, 0, octets=3 << 32, network=AWAY))
    assert story.used_of(VOICE, DAY, network=AWAY) == 7 and story.used_of(VOICE, DAY, network=HOME_NETWORK) == 60
    assert story.used_of(SMS, DAY, network=AWAY) == 1
    assert story.used_of(DATA, DAY, network=AWAY) == 6 << 32, "40 bits"
    assert story.used_of(DATA, HOUR, network=AWAY) == (1 << 32) - 1, "cut off"
    assert story.day == 0, "what budgets of data are held to is what accounting tells"


def test_late_records_count_where_their_period_is_not_over() -> None:
    story = CallStory().at(15, 9).calls(c.HOME, 10)
    story.calls(c.HOME, 100, ago=2 * 3600)  # of the same day
    assert [story.used_of(VOICE, period) for period in (HOUR, DAY, MONTH)] == [10, 110, 110]
    story.calls(c.HOME, 1000, ago=24 * 3600)  # of the day before
    assert [story.used_of(VOICE, period) for period in (HOUR, DAY, WEEK, MONTH)] == [10, 110, 1110, 1110]
    story.calls(c.HOME, 9999, ago=20 * 86400)  # of the month before
    assert [story.used_of(VOICE, period) for period in (HOUR, DAY, WEEK, MONTH)] == [10, 110, 1110, 1110]


def test_any_order_of_one_days_records_gives_the_same_day() -> None:
    hours = (3, 9, 1, 5, 7)
    sums = set()
    for turn in range(len(hours)):
        story = CallStory().at(15, 10)
        for hour in hours[turn:] + hours[:turn]:
            story.calls(c.HOME, hour, ago=hour * 3600)
        sums.add((story.used_of(VOICE, DAY), story.used_of(VOICE, MONTH)))
    assert sums == {(25, 25)}


def test_a_clock_that_is_ahead_does_not_end_the_day() -> None:
    story = CallStory().at(14, 23).calls(c.HOME, 10).calls(c.HOME, 5, ago=-3 * 3600)
    assert story.used_of(VOICE, DAY) == 15


def test_a_record_of_nobody_is_counted_as_that() -> None:
    story = CallStory().calls(member=77)
    assert story.watch.state.watch_meta["records_unknown"][0] == 1 and story.watch.state.watch_meta["records"][0] == 1


def test_a_telephone_number_serves_where_there_is_no_imsi() -> None:
    story = CallStory()
    lines = np.zeros(1, DECLARED)
    for name in ("imsi", "iccid"):
        lines[name] = story.fold.state.subscriptions[name][0]
    lines["msisdn"], lines["use_case"] = 1_883000000000001, 0
    story.fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), ["meter"]), story.now)
    record = story.record(c.VOICE, c.HOME, lasted=9)
    record["imsi"], record["msisdn"] = 0, 1_883000000000001
    assert story.told_of(record).used_of(VOICE, DAY) == 9


def test_more_networks_than_there_is_room_for_are_counted_together() -> None:
    story = CallStory()
    for one in range(TALLIES_EACH + 5):
        story.calls(lasted=1, network=AWAY + one)
    state = story.watch.state
    assert story.used_of(VOICE, MONTH) == TALLIES_EACH + 5
    assert state.watch_meta["tallies"][0] == TALLIES_EACH + 1 and state.watch_meta["tallies_full"][0] == 5
    story.at(2, 9, month=11).calls(lasted=1, network=1_90255)
    assert state.watch_meta["tallies"][0] == TALLIES_EACH + 1, "a month later, those of the old one give way"
    assert story.used_of(VOICE, MONTH, network=1_90255) == 1


def test_a_removed_subscription_gives_its_counters_back() -> None:
    story = CallStory().calls().writes().calls(member=1)
    delta = InventoryDelta(np.zeros(0, DECLARED), story.fold.state.subscriptions["imsi"][:1].copy(), [])
    story.watch.before_inventory(delta)
    assert story.watch.state.called["head"][0] == 0
    story.fold.inventory(delta, story.now)
    story.writes(member=1)
    assert story.watch.state.watch_meta["tallies"][0] == 3, "a free row was there"
    assert story.used_of(SMS, DAY, member=1) == 1
