"""Limits count members, hold what passes them, and never hold what a person orders."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors"))

import numpy as np
from story import METER, PHONE, POLICY, Story

from simward.engine import events as e
from simward.engine import outputs as o
from simward.engine.layouts import GATEWAYS_MAX

LOCKING = POLICY.replace("binding:", "responses: {device-change: lock}\nlimits: {LIMITS}\nRULE\nbinding:")


def limited(limits: str, rule: str = "release_when: never") -> Story:
    story = Story(LOCKING.replace("LIMITS", limits).replace("RULE", rule))
    for member in range(4):
        story.attaches(member=member, device=METER + 10 * member)
    return story


def test_past_the_limit_a_lock_is_held_and_the_finding_says_so() -> None:
    story = limited("lock: {per_hour: 1}")
    assert story.attaches(member=0, device=PHONE).refused
    assert story.attaches(member=1, device=PHONE).allowed
    assert [int(one["held"]) for one in story.of(o.FINDING_BEGAN)] == [0, o.HELD_RATE]


def test_one_thief_with_a_bag_of_devices_takes_one_unit() -> None:
    story = limited("lock: {per_hour: 2}")
    for number in range(5):
        story.attaches(member=0, device=PHONE + number)
    assert story.attaches(member=1, device=PHONE).refused
    assert bool(story.row(1).locked)


def test_a_flapping_sim_takes_one_unit_an_hour() -> None:
    story = limited("lock: {per_hour: 2}", "release_when: bound-device-returns")
    for _ in range(4):
        story.attaches(member=0, device=PHONE).attaches(member=0, device=METER)
    assert story.attaches(member=1, device=PHONE).refused


def test_the_hour_slides() -> None:
    story = limited("lock: {per_hour: 1}")
    story.attaches(member=0, device=PHONE)
    story.after(hours=0.9)
    assert story.attaches(member=1, device=PHONE).allowed
    story.after(hours=0.2)
    assert story.attaches(member=1, device=PHONE).refused, "a held response is asked again while the condition lasts"


def test_never_cut_and_pause_hold_what_began_before() -> None:
    story = limited("lock: {per_hour: 9}")
    refusing = Story(POLICY.replace("binding:", "responses: {apn-not-permitted: refuse}\nbinding:"))
    assert refusing.attaches(apn="internet").refused
    refusing.says(e.COMMAND_PAUSE)
    assert refusing.attaches(apn="internet").allowed
    refusing.says(e.COMMAND_RESUME)
    assert refusing.attaches(apn="internet").refused
    never = Story(LOCKING.replace("LIMITS", "lock: {per_hour: 9}").replace("RULE", "criticality: never-cut"))
    assert never.attaches().attaches(device=PHONE).allowed
    assert story.findings == []


def test_a_held_disconnect_is_sent_when_there_is_room_again() -> None:
    story = limited("disconnect: {per_hour: 1}")
    story.starts("a", member=0).starts("b", member=1, device=METER + 10)
    story.reports("a", member=0, device=PHONE, duration_s=1)
    story.reports("b", member=1, device=PHONE, duration_s=1).reports("b", member=1, device=PHONE, duration_s=2)
    assert len(story.disconnects) == 1 and len(story.of(o.DISCONNECT)) == 2
    story.after(hours=1.1)
    story.reports("b", member=1, device=PHONE, duration_s=3)
    assert len(story.disconnects) == 2


def test_a_person_is_not_limited() -> None:
    story = limited("disconnect: {per_hour: 1}")
    for member in range(3):
        story.starts(f"s{member}", member=member, device=METER + 10 * member).says(e.COMMAND_DISCONNECT, member=member)
    assert len(story.disconnects) == 3


def test_a_strangers_session_is_cut_once() -> None:
    story = Story()
    story.starts("x", member=99).reports("x", member=99, duration_s=5)
    assert len(story.disconnects) == 1


def test_gateways_beyond_those_kept_are_counted_and_decided_for() -> None:
    story = Story(POLICY)
    story.attaches(member=0)
    state, kept = story.fold.state, int(story.fold.state.meta["gateways"][0])
    batch = e.empty(GATEWAYS_MAX - kept + 5)
    batch["kind"], batch["received_at"] = e.ACCOUNTING_ON, story.now
    batch["gateway"] = 1000 + np.arange(len(batch))
    batch["request"] = 1 + np.arange(len(batch))
    for part in np.array_split(batch, 2):
        assert story.fold.events(part).consumed == len(part)
    assert int(state.meta["gateways"][0]) == GATEWAYS_MAX and int(state.meta["gateways_not_kept"][0]) == 5
    assert story.fold.events(batch[:9]).consumed == 9
    assert int(state.meta["gateways_not_kept"][0]) == 5, "those that are known stay known"
    assert story.attaches(member=1).allowed
