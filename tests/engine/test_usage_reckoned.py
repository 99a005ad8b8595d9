"""What is counted as used, against a ledger that is kept in another way: by calendar, in fractions, of all that came.

The ledger knows of a session only what a person would write down: when a record says that it happened, and what it
says.
It has a page for each hour, day, week and month there ever was, where the watch has one counter for the newest of each.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from calling import CallStory
from hypothesis import given, settings
from hypothesis import strategies as st
from using import MB, UsageStory

from simward.engine import call_records as c
from simward.engine import events as e
from simward.engine.watching.layouts import DOWN_DAY, DOWN_MONTH, UP_DAY, UP_MONTH
from simward.engine.watching.service_use import of_subscription
from simward.engine.watching.usage import KEPT_OVER_S

BEGINS = datetime(2026, 10, 30, 6, tzinfo=UTC)
"""A Friday: a month and a week end within three days."""
FULL = 1 << 32
LATE_MOST_S = 5 * 3_600


@dataclass(frozen=True)
class Told:
    """A record: what it says, and when it comes."""

    session: int
    kind: int
    happened: datetime
    comes: datetime
    up: int
    down: int
    lasted_s: int


def pages(moment: datetime) -> tuple[str, str, str, str]:
    """Of the hour, day, week and month that a moment is in."""
    return f"{moment:%Y-%m-%d %H}", f"{moment:%Y-%m-%d}", "{} week {}".format(*moment.isocalendar()), f"{moment:%Y-%m}"


class Ledger:
    """Each session's last entry, and what was used by page."""

    def __init__(self) -> None:
        self.last: dict[int, Told] = {}
        self.octets: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
        self.sessions: Counter[str] = Counter()
        self.newest = BEGINS

    def enter(self, told: Told) -> None:
        self.newest = max(self.newest, told.happened)
        last = self.last.get(told.session)
        if last is None:
            for page in pages(self.newest):
                self.sessions[page] += 1
            began = told.happened - timedelta(seconds=max(told.lasted_s, 0))
            last = Told(told.session, 0, began, began, 0, 0, -1)
        elif told.kind == e.ACCOUNTING_START or told.lasted_s <= last.lasted_s:
            return
        for way in ("up", "down"):
            was, now = getattr(last, way), getattr(told, way)
            wrapped = now < was and was >= FULL // 2
            self.write(way, now - was + FULL * wrapped if now >= was or wrapped else now, last.happened, told.happened)
        self.last[told.session] = told

    def write(self, way: str, octets: int, since: datetime, until: datetime) -> None:
        """Evenly over the time, hour by hour."""
        at, second = since, timedelta(seconds=1)
        while at < until:
            end = min(at.replace(minute=0, second=0) + timedelta(hours=1), until)
            for page in pages(at):
                self.octets[way, page] += Fraction(octets * ((end - at) // second), (until - since) // second)
            at = end


@st.composite
def sessions(draw: st.DrawFn, number: int) -> list[Told]:
    """One session as its gateway tells it: records are lost, come twice and late, counters begin anew or wrap."""
    at = began = BEGINS + timedelta(seconds=draw(st.integers(0, 60 * 3_600)))
    wraps = draw(st.booleans())
    up = down = 0
    said = [Told(number, e.ACCOUNTING_START, at, at, -1, -1, -1)]
    for _ in range(draw(st.integers(1, 8))):
        at += timedelta(seconds=draw(st.integers(60, 10 * 3_600)))
        anew = not wraps and draw(st.integers(0, 5)) == 0
        up = draw(st.integers(0, FULL // 2 - 1 if wraps else 10**6)) + (0 if anew else up)
        down = draw(st.integers(0, 10**6)) + (0 if anew else down)
        lasted_s = int((at - began).total_seconds())
        said.append(Told(number, e.ACCOUNTING_INTERIM, at, at, up % FULL if wraps else up, down, lasted_s))
    ends = draw(st.booleans())
    if ends:
        said[-1] = replace(said[-1], kind=e.ACCOUNTING_STOP)
    come = []
    for told in said:
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2]))):
            late_s = draw(st.one_of(st.just(0), st.integers(0, KEPT_OVER_S if ends else LATE_MOST_S)))
            come.append(replace(told, comes=told.happened + timedelta(seconds=late_s)))
    return come


@settings(max_examples=150, deadline=None)
@given(told=st.tuples(sessions(0), sessions(1), sessions(2)))
def test_counters_agree_with_a_ledger(told: tuple[list[Told], ...]) -> None:
    come = sorted((one for many in told for one in many), key=lambda one: one.comes)
    story, ledger = UsageStory(members=1), Ledger()
    for count, one in enumerate(come, 1):
        story.now = int(one.comes.timestamp()) * MB + count * 1_000
        ago = one.comes - one.happened
        story.says(
            one.kind, one.up, one.down, lasted=one.lasted_s, session=f"s{one.session}",
            ago=ago.total_seconds() + (story.now % MB + 1_000) / MB,
        )  # fmt: skip
        ledger.enter(one)
        hour, day, week, month = pages(ledger.newest)
        counted = {
            ("up", day): story.used(UP_DAY), ("down", day): story.used(DOWN_DAY), ("up", month): story.used(UP_MONTH),
            ("down", month): story.used(DOWN_MONTH),
        }  # fmt: skip
        for key, octets in counted.items():
            assert 0 <= ledger.octets[key] - octets <= count, (key, one)
        for page, octets in ((hour, story.hour), (week, story.week)):
            assert 0 <= ledger.octets["up", page] + ledger.octets["down", page] - octets <= 2 * count, (page, one)
        assert story.sessions == (ledger.sessions[day], ledger.sessions[month])


NETWORKS = {1_00101: "00101", 1_90199: "90199", 0: ""}
CALLS = st.tuples(
    st.sampled_from([c.VOICE, c.SHORT_MESSAGE, c.DATA]), st.sampled_from(range(5)), st.sampled_from(list(NETWORKS)),
    st.integers(0, 4 * 86_400), st.integers(0, 6 * 86_400), st.integers(0, 7_200),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(CALLS, max_size=25))
def test_what_is_said_of_calls_agrees_with_a_ledger(drawn: list[tuple[int, ...]]) -> None:
    """Records of four days about a month's end, up to six days late, in any order and several at a time."""
    story, newest = CallStory(members=1), BEGINS
    told = []
    for kind, destination, network, after_s, late_s, amount in drawn:
        happened = BEGINS + timedelta(seconds=after_s)
        told.append((happened + timedelta(seconds=late_s), happened, kind, destination, network, amount))
    for comes, happened, kind, destination, network, amount in sorted(told):
        newest = max(newest, comes)
        story.now = int(comes.timestamp()) * MB
        made = story.record(
            kind, destination, lasted=amount, network=network, octets=amount, ago=(comes - happened).total_seconds()
        )
        story.told_of(made)
    story.at(newest.day, newest.hour + newest.minute / 60 + newest.second / 3600, month=newest.month)
    said = of_subscription(story.watch.state, 0)
    for name, page in zip(("day", "month"), pages(newest)[1::2], strict=True):
        mine = [one for one in told if pages(one[1])[1 if name == "day" else 3] == page]
        calls = [one for one in mine if one[2] == c.VOICE]
        seconds = {known or "other": sum(one[5] for one in calls if one[3] == number)
                   for number, known in enumerate(c.DESTINATION_NAMES)}  # fmt: skip
        assert said[name]["voice_s"] == seconds
        assert said[name]["messages"] == sum(one[2] == c.SHORT_MESSAGE for one in mine)
        for network, spoken in NETWORKS.items():
            there = [one for one in mine if one[4] == network]
            found = said[name]["networks"].get(spoken, {"voice_s": 0, "messages": 0, "octets": 0})
            assert found["voice_s"] == sum(one[5] for one in there if one[2] == c.VOICE)
            assert found["messages"] == sum(one[2] == c.SHORT_MESSAGE for one in there)
            assert found["octets"] == sum(2 * one[5] for one in there if one[2] == c.DATA)
