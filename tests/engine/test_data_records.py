"""Data that call detail records alone tell of: used, judged and learnt by them; where accounting tells, by that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

from calling import CallStory
from using import UsageStory

from simward.engine import call_records as c
from simward.engine import outputs as o
from simward.engine.behaviour.counting import octets_down, octets_up
from simward.engine.watching.layouts import ACCOUNTED, RECORDED
from simward.engine.watching.service_use import UNUSED, USED, of_use_cases

HOUR_S, DAY_S = 3_600, 86_400
DATA_BIT = 1


class DataStory(CallStory):
    """Two meters whose use case says `services: {data: ...}`; no gateway tells of them."""

    def __init__(self, data: str = "2 MB/day") -> None:
        UsageStory.__init__(self, data)

    def had(self, octets: int, **more: float) -> DataStory:
        """A record tells of a session with so many octets each way."""
        self.told_of(self.record(c.DATA, c.NOT_SAID, octets=octets, **more))  # type: ignore[arg-type]
        return self

    @property
    def services(self) -> int:
        return int(self.watch.state.usage[0]["services"])

    @property
    def day_counted(self) -> tuple[int, int, int]:
        """Octets up and down, and sessions, of the day that its behaviour is being counted on."""
        row = self.watch.state.behaviour[0]
        return int(octets_up(row)), int(octets_down(row)), int(row["sessions"])


def test_a_budget_is_passed_by_records_and_ends_with_the_day() -> None:
    story = DataStory()
    story.at(14, 12)
    story.had(900_000)
    assert story.began == []
    story.had(200_000, ago=HOUR_S)
    (told,) = story.told(o.FINDING_BEGAN)
    assert (told["detector"], told["class"], told["now"], told["expected"]) == (
        "budget-exceeded", "day", "2.2 MB", "2.0 MB",
    )  # fmt: skip
    story.at(14, 23.9)
    assert story.ended == []
    story.at(15, 0.1)
    assert story.ended == ["budget-exceeded/day"]


def test_a_session_is_one_of_a_service_that_the_use_case_does_not_have() -> None:
    story = DataStory("none")
    story.at(14, 12)
    story.had(100)
    assert story.began == ["service-not-permitted/data"]


def test_what_both_tell_of_is_judged_as_accounting_tells() -> None:
    story = DataStory()
    story.starts().at(14, 12).interim(500_000, lasted=6 * HOUR_S)
    story.had(5_000_000)
    assert story.began == [] and story.services == DATA_BIT | ACCOUNTED | RECORDED
    story.at(14, 13).interim(2_500_000, lasted=7 * HOUR_S)
    assert story.began == ["budget-exceeded/day"]


def test_accounting_that_begins_after_records_is_what_counts_from_then_on() -> None:
    story = DataStory()
    story.at(14, 12)
    story.had(800_000)
    assert story.services == DATA_BIT | RECORDED
    story.starts().at(14, 13).interim(100_000, lasted=HOUR_S)
    story.had(900_000)
    assert story.began == [] and story.services == DATA_BIT | ACCOUNTED | RECORDED


def test_a_day_of_behaviour_is_counted_by_records() -> None:
    story = DataStory("unlimited")
    story.at(14, 12)
    story.had(1_000, lasted=600, ago=HOUR_S).had(500, lasted=600)
    row = story.watch.state.behaviour[0]
    assert story.day_counted == (1_500, 1_500, 2)
    assert (int(row["session_s"]), int(row["hours"])) == (600, 1 << 11 | 1 << 12), "none of it is of the future"


@pytest.mark.parametrize(("ago", "late"), [(HOUR_S, 0), (3 * DAY_S, 1)])
def test_a_record_of_a_day_that_is_settled_is_late(ago: float, late: int) -> None:
    story = DataStory("unlimited")
    story.at(14, 12)
    story.had(1_000).had(1_000, ago=ago)
    assert int(story.watch.state.watch_meta["counted_late"][0]) == late


def test_behaviour_is_counted_once_where_both_tell() -> None:
    story = DataStory("unlimited")
    story.starts().at(14, 12).interim(500_000, lasted=6 * HOUR_S)
    story.had(5_000_000)
    assert story.day_counted[0] == 500_000


def test_a_service_that_records_alone_tell_of_is_used() -> None:
    story = DataStory("unlimited")
    story.at(14, 12)
    story.had(1_000)
    (data,) = [one for one in of_use_cases(story.fold, story.watch.state, 30 * DAY_S) if one.service == "data"]
    assert (data.ever, data.lately, data.verdict) == (1, 1, USED)
    story.at(20, 12, month=12)
    (data,) = [one for one in of_use_cases(story.fold, story.watch.state, 30 * DAY_S) if one.service == "data"]
    assert data.verdict == UNUSED
