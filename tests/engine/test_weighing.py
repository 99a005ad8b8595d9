"""The channels that weigh most go into an output and come back as words and numbers; cohorts into one integer."""

from __future__ import annotations

import numpy as np
import pytest

from simward.engine.behaviour.cohort_numbers import ANY, MANY, Cohort, cohort_number, cohort_of
from simward.engine.behaviour.layouts import SHARE_OFFSET, UP_SHARE
from simward.engine.outputs import OUTPUT
from simward.engine.weighing import (
    Weight,
    new_hours,
    new_hours_text,
    put_weights,
    sentence,
    told,
    weights_of,
)

DAY = 20_712  # 2026-09-16
UP, SESSION_TIME, FAILED = 0, 3, 5


def output_with(*weights: Weight) -> np.ndarray:
    outputs = np.zeros(1, OUTPUT)
    put_weights(outputs[0], weights, DAY)
    return outputs


def test_what_is_put_in_comes_back() -> None:
    weights = [
        Weight(UP, False, 20_480, (10_240, 11_264), (9_000, 12_000), 1, 4_000),
        Weight(FAILED, True, 0, (0, 1_024), None, 300, 65_535),
        Weight(SESSION_TIME, False, 65_535, (1, 2), (0, 0), 3, 0),
    ]
    back, day = weights_of(output_with(*weights)[0])
    assert day == DAY and back[0] == weights[0] and back[2] == weights[2]
    assert back[1] == Weight(FAILED, True, 0, (0, 1_024), None, 255, 65_535)


def test_it_is_told_in_octets_seconds_and_numbers() -> None:
    (one,) = told(output_with(Weight(UP, False, 20_480, (10_240, 11_264), (9_000, 12_000), 2, 4_000))[0]) or ()
    assert one == {
        "channel": "up", "side": "more", "value": 2**20 - 1, "usual": {"low": 1023, "high": 2047},
        "peers": {"low": 441, "high": 3370}, "since": "2026-09-15", "bits": 15.6,
    }  # fmt: skip
    assert sentence(one) == (
        "octets up 1.0 MB (usually 1.0 kB to 2.0 kB, its peers 441 B to 3.4 kB; since 2026-09-15)"
    )


def test_a_share_is_told_in_thousandths_and_said_in_percent() -> None:
    halves = Weight(UP_SHARE, False, SHARE_OFFSET + 3 * 1024, (SHARE_OFFSET - 1024, SHARE_OFFSET), None, 1, 256)
    (one,) = told(output_with(halves)[0]) or []
    assert (one["value"], one["usual"]) == (889, {"low": 333, "high": 500})
    assert sentence(one).startswith("share of octets that went up 88.9 % (usually 33.3 % to 50 %; since")


@pytest.mark.parametrize("hours", [None, 0, 3, 24])
def test_new_hours_come_back_as_they_were_written(hours: int | None) -> None:
    made = np.zeros(1, OUTPUT)
    put_weights(made[0], [], 20_000, hours)
    assert new_hours(made[0]) == hours


def test_new_hours_are_said() -> None:
    assert new_hours_text(1) == "traffic in an hour of the week in which it never had any before"
    assert new_hours_text(5) == "traffic in 5 hours of the week in which it never had any before"


def test_an_output_without_any_says_nothing() -> None:
    assert told(np.zeros(1, OUTPUT)[0]) is None


def test_more_than_three_are_not_told() -> None:
    many = [Weight(channel, False, 1_024, (0, 1), None, 1, 256) for channel in range(5)]
    assert [one.channel for one in weights_of(output_with(*many)[0])[0]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("cohort", "back"),
    [
        (Cohort(2, 5, 35_000_001, 6), Cohort(ANY, 5, 35_000_001, 6)),  # a use case has one tenant
        (Cohort(2, 5, ANY, ANY), Cohort(ANY, 5, ANY, ANY)),
        (Cohort(2, ANY, ANY, ANY), Cohort(2, ANY, ANY, ANY)),
        (Cohort(0, ANY, 99_999_999, 255), Cohort(0, ANY, 99_999_999, 255)),
        (Cohort(ANY, ANY, ANY, ANY), Cohort(ANY, ANY, ANY, ANY)),
        (Cohort(0, 65_535, 0, 0), Cohort(ANY, 65_535, 0, 0)),
    ],
)
def test_a_cohort_is_one_number(cohort: Cohort, back: Cohort) -> None:
    number = cohort_number(cohort)
    assert 0 < number < 2**63 and cohort_of(number) == back and number != MANY
