"""It fires where one does what it never did, stays quiet where all do as they do, and stands on the boundary."""

from __future__ import annotations

import pytest
from behaving_story import MEMBERS, Weeks

THIEF, LEAKING = 7, 12


@pytest.fixture(scope="module")
def weeks() -> Weeks:
    """One sends two hundred times as much on three days."""
    return Weeks({(day, THIEF): 200.0 for day in (0, 1, 2)}, more_days=4)


def test_fires_when_one_sends_what_it_never_sent(weeks: Weeks) -> None:
    (found,) = weeks.of(THIEF)
    assert (found["detector"], found["class"], found["scope"]) == ("unusual-behaviour", "sudden", "subscription")
    first = found["channels"][0]
    assert first["channel"] in ("up", "down") and first["side"] == "more"
    assert first["value"] > 10 * first["usual"]["high"] and first["value"] > 10 * first["peers"]["high"]
    assert first["usual"]["low"] < first["usual"]["high"]
    assert float(found["now"].split()[0]) > float(found["expected"].split()[0])


def test_stays_quiet_where_days_vary_as_they_do(weeks: Weeks) -> None:
    others = [one for one in weeks.began("unusual-behaviour") if one not in weeks.of(THIEF)]
    assert len(others) <= 1, "one finding in fifty days was asked for"


def test_stands_on_the_boundary_of_what_is_usual() -> None:
    assert Weeks({(0, THIEF): 1.3}).of(THIEF) == []


def test_evidence_says_since_when(weeks: Weeks) -> None:
    (found,) = weeks.of(THIEF)
    assert found["channels"][0]["since"] == "2026-09-16"
    assert MEMBERS > 400
