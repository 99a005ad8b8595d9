"""subscription-locked: a subscription that is locked, in quarantine, suspended or retired asks to connect."""

from __future__ import annotations

import pytest
from story import POLICY, Story

from simward.engine import events as e
from simward.engine import outputs as o


def test_fires_after_a_person_locked_it(story: Story) -> None:
    story.attaches().says(e.COMMAND_LOCK)
    assert story.attaches().refused
    assert story.findings == ["subscription-locked/locked"]


def test_fires_after_a_person_put_it_into_quarantine_and_lets_it_in() -> None:
    story = Story(POLICY + "quarantine_pool: 10.127.0.0/24\n")
    assert story.says(e.COMMAND_QUARANTINE).attaches().verdict == "quarantine"
    assert story.findings == ["subscription-locked/quarantined"]


def test_boundary_a_lock_stands_above_a_quarantine(story: Story) -> None:
    story.says(e.COMMAND_QUARANTINE).says(e.COMMAND_LOCK)
    assert story.attaches().refused and story.findings == ["subscription-locked/locked"]


@pytest.mark.parametrize(("state", "name"), [(2, "suspended"), (3, "retired")])
def test_fires_for_what_the_inventory_took_out_of_service(state: int, name: str) -> None:
    story = Story(states={0: state})
    assert story.attaches().refused
    assert story.findings == [f"subscription-locked/{name}"]


def test_stays_quiet_when_nobody_locked_it(story: Story) -> None:
    story.attaches(member=0).says(e.COMMAND_LOCK, member=1).attaches(member=0)
    assert story.findings == []


def test_boundary_a_lock_cuts_what_is_up(story: Story) -> None:
    story.attaches().starts("s1").says(e.COMMAND_LOCK)
    assert len(story.disconnects) == 1


def test_boundary_a_persons_lock_stands_above_the_returning_device() -> None:
    story = Story(POLICY.replace("binding:", "release_when: bound-device-returns\nbinding:"))
    story.attaches().says(e.COMMAND_LOCK)
    assert story.attaches().refused


def test_boundary_a_stale_command_does_nothing(story: Story) -> None:
    story.attaches()
    story.says(e.COMMAND_LOCK, argument=int(story.row().generation) - 1)
    assert int(story.of(o.COMMAND_ANSWER)[0]["result"]) == o.STALE
    assert story.attaches().allowed


def test_boundary_the_same_command_twice_is_one(story: Story) -> None:
    story.attaches().says(e.COMMAND_LOCK, request=77).says(e.COMMAND_LOCK, request=77)
    assert not story.kept
    assert len(story.of(o.COMMAND_ANSWER)) == 1
