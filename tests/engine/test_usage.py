"""What is counted as used, whatever becomes of the counters and records on their way."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from datetime import UTC, datetime, timedelta

from using import UsageStory

from simward.engine.watching import layouts
from simward.engine.watching.layouts import COUNTED_EACH, DOWN_DAY, MONTH, UP_DAY, WEEK
from simward.engine.watching.periods import period_begins_s, period_ends_s


def test_counts_up_and_down_by_hour_day_week_and_month() -> None:
    story = UsageStory().starts().at(14, 6.25).interim(300, 100, lasted=900).at(14, 7.5).interim(700, 200, lasted=5_400)
    assert (story.used(UP_DAY), story.used(DOWN_DAY), story.month, story.week) == (700, 200, 900, 900)
    assert story.hour == 200, "0.5 of 1.25 hours were in this one"
    story.at(15, 7.5).interim(1_700, 200, lasted=91_800)
    assert story.day == 312, "7.5 of 24 hours"
    assert story.month == 1_900 and story.sessions == (0, 1)


def test_a_lost_interim_is_made_up_for_by_the_next() -> None:
    story = UsageStory().starts().at(14, 7).interim(100, lasted=3_600)
    assert story.at(14, 9).interim(300, lasted=10_800).day == 300


def test_records_that_come_twice_or_late_add_nothing() -> None:
    story = UsageStory().starts().at(14, 7).interim(100, 10, lasted=3_600).at(14, 8).interim(200, 20, lasted=7_200)
    story.interim(200, 20, lasted=7_200).interim(100, 10, lasted=3_600, ago=3_600).starts(ago=7_200)
    story.stops(250, 25, lasted=7_300).stops(250, 25, lasted=7_300).interim(200, 20, lasted=7_200, ago=100)
    assert story.day == 275 and story.sessions == (1, 1)
    # Without Event-Timestamp what is late looks as if it happened now: Acct-Session-Time tells it apart.
    story = UsageStory().starts().at(14, 8).interim(200, lasted=7_200, stamped=False)
    assert story.interim(100, lasted=3_600, stamped=False).interim(210, lasted=7_300, stamped=False).day == 210


def test_a_record_from_before_the_counters_fell_adds_nothing() -> None:
    for stamped in (True, False):
        story = UsageStory().starts().at(14, 7).interim((1 << 32) - 100, 10, lasted=3_600)
        story.at(14, 8).interim(50, 20, lasted=7_200)
        story.interim((1 << 32) - 300, 5, lasted=3_000, ago=4_200, stamped=stamped)
        assert story.at(14, 9).interim(60, 30, lasted=10_800).day == (1 << 32) + 60 + 30, "wrapped"
        story = UsageStory().starts().at(14, 7).interim(1_000, 500, lasted=3_600)
        story.at(14, 8).interim(30, 20, lasted=7_200).interim(900, 400, lasted=3_000, ago=4_200, stamped=stamped)
        assert story.at(14, 9).interim(40, 25, lasted=10_800).day == 1_565, "begun anew"
    story = UsageStory().starts().at(14, 7).interim((1 << 32) - 100, 10).at(14, 8).interim(50, 20)
    assert story.interim((1 << 32) - 300, 5, ago=4_200).day == (1 << 32) + 70, "by its Event-Timestamp alone"


def test_a_record_before_its_start_is_counted_once() -> None:
    story = UsageStory().at(14, 7).interim(100, lasted=1_800).starts(ago=1_800).at(14, 8).interim(150, lasted=5_400)
    assert story.day == 150 and story.sessions == (1, 1)


def test_counters_that_begin_anew_are_counted_on() -> None:
    story = UsageStory().starts().at(14, 7).interim(1_000, 500, lasted=3_600).at(14, 8).interim(30, 20, lasted=7_200)
    assert story.day == 1_550
    assert story.at(14, 9).interim(40, 25, lasted=10_800).day == 1_565
    # And where its time begins anew with them, the Event-Timestamp says that it is no late record.
    assert story.at(14, 10).interim(7, 3, lasted=60).day == 1_575


def test_a_record_that_was_held_back_adds_nothing_though_the_clock_of_its_gateway_is_wrong() -> None:
    """A session of weeks, at a gateway five hours ahead (so that receipt is believed), then at one an hour ahead."""
    for ahead_h in (5, 1):
        story = UsageStory().at(14, 3).interim(1_000_000, lasted=900_000)
        story.at(14, 9).interim(1_000_200, lasted=921_600, ago=-ahead_h * 3_600)
        held_s = 2 * 3_600 + 1_800
        story.at(14, 9.5).interim(1_000_100, lasted=921_600 - held_s + 1_800, ago=held_s - 3_600 * ahead_h)
        assert story.at(14, 12).interim(1_000_300, lasted=932_400).month == 300 + 1_000_000


def test_32_bits_without_gigawords_wrap_and_more_than_32_bits_do_not() -> None:
    story = UsageStory().starts().at(14, 7).interim((1 << 32) - 100, 10, lasted=3_600)
    assert story.at(14, 8).interim(50, 20, lasted=7_200).day == (1 << 32) + 50 + 20
    story = UsageStory().starts().at(14, 7).interim((1 << 32) - 100, 0, lasted=3_600)
    assert story.at(14, 8).interim((1 << 32) + 50, 0, lasted=7_200).day == (1 << 32) + 50
    story = UsageStory().starts().at(14, 7).interim(1 << 40, 1 << 40, lasted=3_600)
    assert story.day == 1 << 41 and story.month == 1 << 41
    story.at(14, 8).interim((1 << 62) - 1, lasted=7_200)
    assert story.used(UP_DAY) == (1 << 48) - 1, "cut off, not wrapped"


def test_sessions_at_once_are_counted_each_by_itself() -> None:
    story = UsageStory().starts(session="a").starts(session="b").at(14, 7)
    story.interim(100, session="a", lasted=3_600).interim(1_000, session="b", lasted=3_600).at(14, 8)
    story.interim(200, session="a", lasted=7_200).stops(1_500, session="b", lasted=7_200)
    assert story.day == 1_700 and story.sessions == (2, 2)
    story.starts(session="a", gateway="pgw2").at(14, 9).interim(40, session="a", gateway="pgw2", lasted=3_600)
    assert story.day == 1_740, "another gateway's session of that name is another session"


def test_a_stop_after_accounting_on_counts_what_is_new_in_it() -> None:
    story = UsageStory().starts().at(14, 7).interim(100, lasted=3_600).restarts().stops(130, lasted=3_700)
    assert story.day == 130
    story.starts(session="next").at(14, 8).interim(50, session="next", lasted=3_600)
    assert story.day == 180 and story.sessions == (2, 2)


def test_a_name_that_is_given_again_names_another_session() -> None:
    story = UsageStory().starts().at(14, 7).stops(100, lasted=3_600).at(14, 8).starts().at(14, 9)
    story.interim(30, lasted=3_600)
    assert story.day == 130 and story.sessions == (2, 2)


def test_a_session_that_was_not_seen_to_begin_is_spread_over_its_time() -> None:
    assert UsageStory().at(14, 12).interim(100_000, lasted=10 * 86_400).day == 5_000, "half of ten days"
    assert UsageStory().at(14, 12).interim(100_000).day == 0, "nothing says since when"
    story = UsageStory().at(14, 12).interim(100_000).at(14, 13).interim(100_500)
    assert story.day == 500


def test_a_long_session_without_interims_is_spread_over_its_days() -> None:
    story = UsageStory().at(30, 0).starts().at(4, 12, month=11).stops(110_000, lasted=5 * 86_400 + 43_200)
    assert (story.day, story.month) == (10_000, 70_000)


def test_only_so_many_sessions_are_kept_and_their_rows_are_used_again() -> None:
    story = UsageStory()
    for number in range(3 * COUNTED_EACH):
        story.starts(session=f"n{number}")
    assert story.watch.state.watch_meta["counted"][0] == COUNTED_EACH
    assert story.watch.state.watch_meta["counted_away"][0] == 2 * COUNTED_EACH
    story = UsageStory()
    for hour in range(7, 20):
        story.at(14, hour).starts(session=f"h{hour}").stops(9, session=f"h{hour}", lasted=1)
    assert story.watch.state.watch_meta["counted"][0] <= 3 and story.day == 13 * 9
    assert story.watch.state.watch_meta["counted_away"][0] == 0


def test_weeks_begin_on_mondays_and_months_on_their_first_day() -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    while moment.year < 2101:
        at_s = int(moment.timestamp())
        midnight = moment.replace(hour=0, minute=0, second=0)
        monday = midnight - timedelta(days=moment.weekday())
        assert period_begins_s(WEEK, at_s) == int(monday.timestamp())
        began = period_begins_s(MONTH, at_s)
        assert began == int(midnight.replace(day=1).timestamp())
        year, month = (moment.year, moment.month + 1) if moment.month < 12 else (moment.year + 1, 1)
        assert period_ends_s(MONTH, began) == int(datetime(year, month, 1, tzinfo=UTC).timestamp())
        moment += timedelta(days=9, hours=7, minutes=11)


def test_takes_little_of_a_subscription_s_room() -> None:
    """What it uses, and one session: with what else the watch keeps far below the 400 octets that it may have."""
    assert layouts.USAGE.itemsize == 56 and layouts.COUNTED.itemsize == 32
    assert layouts.USAGE.itemsize + layouts.COUNTED.itemsize + layouts.WATCHED.itemsize <= 144 + 8
