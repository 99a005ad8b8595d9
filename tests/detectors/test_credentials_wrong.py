"""credentials-wrong: the password that a segment asks for is wrong, or is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from story import POLICY, Story

from simward.engine.events import (
    CREDENTIALS_MISSING,
    CREDENTIALS_NOT_ASKED,
    CREDENTIALS_RIGHT,
    CREDENTIALS_WRONG,
)
from simward.errors import ConfigurationError
from simward.policy.compile import compile_policy
from simward.policy.load import read_policies
from simward.settings import Settings

ASKS = POLICY.replace("apn: meters.iot", "apn: meters.iot\ncredentials: {pap: meters}")
TWO = ASKS.replace("segment: metering\nbinding", "segment: [metering, upkeep]\nbinding") + (
    "---\nsegment: upkeep\napn: upkeep.iot\n"
)
RIGHT, WRONG, MISSING = CREDENTIALS_RIGHT, CREDENTIALS_WRONG, CREDENTIALS_MISSING


def story(policy: str = ASKS) -> Story:
    return Story(policy, secrets={"meters": b"a password"})


def test_fires_for_a_wrong_one_and_refuses() -> None:
    told = story().attaches(credentials=WRONG)
    assert told.findings == ["credentials-wrong/wrong"] and told.refused
    assert told.attaches(credentials=MISSING).open == ["credentials-wrong/missing"] and told.refused
    assert told.attaches(credentials=RIGHT).open == [] and told.allowed


def test_stays_quiet_where_the_segment_asks_for_none(story: Story) -> None:
    story.attaches(credentials=CREDENTIALS_NOT_ASKED).starts().reports(duration_s=1)
    assert story.findings == []


def test_stays_quiet_in_another_segment_that_asks_for_none() -> None:
    told = story(TWO).attaches(apn="upkeep.iot")
    assert told.findings == [] and told.allowed


def test_boundary_accounting_shows_none_and_ends_nothing() -> None:
    told = story().attaches(credentials=WRONG).starts().reports(duration_s=1)
    assert told.open == ["credentials-wrong/wrong"]


@pytest.mark.parametrize("apn", ["", "elsewhere"])
def test_boundary_who_names_none_of_its_apns_has_shown_nothing(apn: str) -> None:
    """It would get the addresses of the main segment."""
    assert story().attaches(apn=apn).open[-1:] == ["credentials-wrong/missing"]


def test_boundary_history_from_before_the_segment_asked_says_nothing() -> None:
    assert story().attaches(credentials=CREDENTIALS_NOT_ASKED).findings == []


def test_policy_may_observe_until_devices_are_changed() -> None:
    told = story(ASKS.replace("binding:", "responses: {credentials-wrong: observe}\nbinding:"))
    assert told.attaches(credentials=WRONG).allowed and told.open == ["credentials-wrong/wrong"]


def test_a_secret_that_settings_do_not_have_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_policy(read_policies({"a.yaml": ASKS}), Settings(Path("/nowhere"), secrets={"metres": b"x"}))
    assert str(caught.value) == (
        "a.yaml:9: credentials: simward.toml has no [[secret]] 'meters' (did you mean 'metres'?)"
    )
