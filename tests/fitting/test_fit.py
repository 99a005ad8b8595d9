"""The fit over a made-up fleet: as many findings as were asked for, roll-outs told as one, and what a revision
survives."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
from typing import Any

import numpy as np
import pytest
from benchmarks.behaviour_fleet import DAY_BEGAN, DayFleet, Kind, features_of

from simward.engine.behaviour.layouts import (
    CHANNELS,
    DOWN,
    HIGHER,
    ONE_BIT,
    READY,
    REVISION_ARRAYS,
    ROLLED_UP,
    UNUSUAL,
    UP,
    UP_SHARE,
    WARMING,
)
from simward.engine.behaviour.revision import ANY, MEMORY_ARRAYS, NO_SHIFT, RevisionUnreadable
from simward.engine.behaviour.settle import settle
from simward.fitting import Budget, Revision, fit_day
from simward.fitting.budget import AIMED_AT, NEVER

QUIET_KIND = Kind(0.2, own_week=0.0, absent=0.0)


class Watch:
    """A fleet whose days are fitted and settled one after the other."""

    def __init__(self, members: int, kinds: tuple[Kind, ...] = (QUIET_KIND,), seed: int = 1, **budget: float) -> None:
        self.fleet = DayFleet(seed, members, kinds, newcomers=0.0)
        self.budget = Budget(**({"a_day": members * 5e-6} | budget))
        self.revision: Any = None
        self.begun: list[np.ndarray] = []
        self.told: list[str] = []

    def lives(
        self, days: int = 1, times: float = 1.0, rows: slice | np.ndarray = slice(0, 0),
        channels: tuple[int, ...] = (UP, DOWN),
    ) -> Watch:  # fmt: skip
        """So many days; what `rows` send and receive is multiplied."""
        for _ in range(days):
            day = self.fleet.next()
            made = self.fleet.made[rows].copy()
            made[:, list(channels)] *= times
            self.fleet.rows["features"][rows] = features_of(made)
            was = self.fleet.rows["class"].copy()
            fleet = self.fleet
            self.revision = fit_day(
                fleet.rows.copy(), fleet.use_cases, fleet.tenants, day, self.revision, self.budget
            )
            settle(fleet.rows, fleet.use_cases, day, self.revision.arrays)
            self.begun.append(np.flatnonzero((fleet.rows["class"] == UNUSUAL) & (was != UNUSUAL)))
            self.told += [one.kind for one in self.revision.findings if one.since == day]
        return self

    def found_since(self, days: int) -> set[int]:
        """Rows in which a finding began in the last days."""
        return set(np.concatenate(self.begun[-days:]).tolist())


@pytest.fixture(scope="module")
def month() -> Watch:
    return Watch(4_000, (QUIET_KIND, Kind(0.3, own_week=0.0))).lives(28)


def copy_of(watch: Watch) -> Watch:
    """The same watch, to go another way from here."""
    return copy.deepcopy(watch)


def test_an_honest_month_stays_within_its_budget(month: Watch) -> None:
    assert sum(len(one) for one in month.begun) <= 5
    assert month.told == []
    assert (month.fleet.rows["state"] == READY).all()


def test_one_that_sends_ten_times_as_much_is_found_within_three_days(month: Watch) -> None:
    watch = copy_of(month).lives(3, times=10, rows=np.array([7, 1234, 2002]))
    assert {7, 1234, 2002} <= watch.found_since(3)


def test_a_roll_out_is_one_finding_and_no_subscription_has_one(month: Watch) -> None:
    watch = copy_of(month)
    model = np.flatnonzero(watch.fleet.kind_at == 1)
    watch.lives(4, times=3, rows=model)
    (one,) = watch.revision.findings
    assert watch.told == ["shift"]
    assert (one.node, one.since) == ((0, 1, 35_000_001, 6), DAY_BEGAN + 28)
    assert one.shift_q - one.expected_q == pytest.approx(1024 * np.log2(3), abs=150)
    assert len(watch.found_since(4)) <= 2


def test_a_shift_that_is_over_ends_its_finding_on_the_second_quiet_day(month: Watch) -> None:
    watch = copy_of(month)
    watch.lives(1, times=3, rows=np.flatnonzero(watch.fleet.kind_at == 1)).lives(1)
    assert len(watch.revision.findings) == 1
    watch.lives(1)
    assert watch.revision.findings == ()
    assert [one.node for one in watch.revision.ended] == [(0, 1, 35_000_001, 6)]


def test_a_roll_out_of_some_days_is_not_told_again_a_week_later(month: Watch) -> None:
    watch = copy_of(month)
    watch.lives(4, times=10, rows=np.flatnonzero(watch.fleet.kind_at == 1)).lives(14)
    assert watch.told == ["shift"]


def test_a_week_that_is_not_known_yet_is_learnt() -> None:
    """Sundays of a quarter: told of while nobody knows that they are usual, and not for ever."""
    watch = Watch(1_000, (QUIET_KIND, QUIET_KIND))
    everybody = np.arange(1_000)
    for _ in range(6):
        watch.lives(1, times=0.25, rows=everybody).lives(6)
    told = len(watch.told)
    for _ in range(3):
        watch.lives(1, times=0.25, rows=everybody).lives(6)
    assert len(watch.told) == told <= 3


def test_what_changes_for_good_is_learnt(month: Watch) -> None:
    watch = copy_of(month)
    model = np.flatnonzero(watch.fleet.kind_at == 1)
    watch.lives(45, times=3, rows=model)
    assert watch.told == ["shift"] and watch.revision.findings == ()


def test_a_model_that_changes_while_its_use_case_is_busy_is_a_finding_of_its_own() -> None:
    watch = Watch(1_000, (QUIET_KIND, QUIET_KIND, QUIET_KIND))
    watch.fleet.use_cases[:] = 0
    watch.lives(17).lives(2, times=2, rows=slice(None))
    assert [one.node for one in watch.revision.findings] == [(0, 0, ANY, ANY)]
    watch.lives(1, times=50, rows=np.flatnonzero(watch.fleet.kind_at == 1))
    assert (0, 0, 35_000_001, 6) in [one.node for one in watch.revision.findings]


def test_models_of_one_use_case_that_shift_together_are_one_finding(month: Watch) -> None:
    watch = Watch(1_000, (QUIET_KIND, QUIET_KIND))
    watch.fleet.use_cases[:] = 0
    watch.lives(17).lives(1, times=4, rows=slice(None))
    assert [one.node for one in watch.revision.findings] == [(0, 0, ANY, ANY)]
    assert watch.told == ["shift"]


def test_a_part_of_a_cohort_that_changes_alike_is_told_as_one(month: Watch) -> None:
    watch = copy_of(month)
    part = np.flatnonzero(watch.fleet.kind_at == 0)[:200]
    watch.lives(1, times=1000, rows=part)
    assert watch.told == ["part"]
    assert (watch.fleet.rows["state"][part] == ROLLED_UP).mean() > 0.9
    assert len(watch.found_since(1)) < 10


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_an_update_that_is_fetched_is_more_that_is_received_and_not_less_that_is_sent(
    month: Watch, share: float
) -> None:
    """Of a part of a model or of all: told once, of what moved, though the share that goes up fell in each."""
    watch = copy_of(month)
    model = np.flatnonzero(watch.fleet.kind_at == 1)
    watch.lives(2, times=10, rows=model[: int(share * len(model))], channels=(DOWN,))
    assert [(one.channel, one.side) for one in watch.revision.findings] == [(DOWN, HIGHER)]
    assert len(watch.found_since(2)) <= 2


def test_one_that_sends_three_times_as_much_and_receives_what_it_did_is_found(month: Watch) -> None:
    watch = copy_of(month)
    busy = np.flatnonzero(watch.fleet.kind_at == 0)[3:6]  # days of the first three vary far more
    watch.lives(5, times=3, rows=busy, channels=(UP,))
    assert set(busy.tolist()) <= watch.found_since(5)
    assert (watch.fleet.rows["ledger"][busy, UP_SHARE] > watch.fleet.rows["ledger"][busy, UP]).any()


def test_to_be_a_hair_on_the_side_on_which_nobody_is_says_nothing(month: Watch) -> None:
    """Of a channel whose days are all alike no deviation was ever seen, and each would be rare."""
    assert (month.revision.arrays["bits"][..., 0] == 0).all()


def test_who_follows_a_part_a_day_later_is_told_with_it(month: Watch) -> None:
    watch = copy_of(month)
    part = np.flatnonzero(watch.fleet.kind_at == 0)[:215]
    watch.lives(1, times=100, rows=part[:200]).lives(2, times=100, rows=part)
    assert watch.told == ["part"]
    assert not set(part.tolist()) & watch.found_since(3)


def test_those_a_roll_out_leaves_are_not_judged_the_more_easily() -> None:
    """Half of a fleet that is too small for cohorts changes: the threshold of the few that are none of it stays."""
    watch = Watch(300, a_day=5.0).lives(21)
    usual = int(watch.revision.arrays["keeps"][0, 3])
    watch.lives(3, times=40, rows=np.arange(150))
    figures = watch.revision.figures
    assert figures["judged"] < 150
    assert figures["asked_a_day"] == pytest.approx(AIMED_AT * 5 * figures["judged"] / 300)
    assert watch.revision.arrays["keeps"][0, 3] > 0.9 * usual
    assert len(watch.found_since(3)) <= 5


def test_a_hundred_times_as_much_is_found_in_a_fleet_of_ten() -> None:
    watch = Watch(10, (Kind(0.25),), a_day=0.5).lives(40)
    assert sum(len(one) for one in watch.begun) <= 10
    watch.lives(3, times=100, rows=np.array([3]))
    assert 3 in watch.found_since(3)


def test_a_small_fleet_that_was_regular_so_far_is_not_told_of_what_is_rare_by_a_little(month: Watch) -> None:
    """What is asked is rarer than anything that could have been counted: then evidence says itself how rare it is."""
    watch = Watch(200, seed=4, a_day=0.05).lives(9)
    assert watch.revision.arrays["thresholds"].min() >= -np.log2(AIMED_AT * 0.05 / 200) * ONE_BIT
    assert month.revision.arrays["thresholds"].min() < NEVER


def test_the_hard_cap_lets_the_strongest_begin(month: Watch) -> None:
    watch = copy_of(month)
    watch.budget = dataclasses.replace(watch.budget, hard_cap=2)
    watch.lives(2, times=200, rows=np.arange(0, 20, 2))
    assert max(len(one) for one in watch.begun[-2:]) <= 2
    assert watch.revision.figures["gate_is_cap"] == 1
    assert watch.revision.figures["above"] >= 6


def test_the_second_gate_holds_what_may_well_be_chance(month: Watch) -> None:
    watch = copy_of(month)
    watch.budget = dataclasses.replace(watch.budget, a_day=20.0)
    loose = copy_of(watch).lives(1)
    watch.budget = dataclasses.replace(watch.budget, false_share=0.05)
    watch.lives(1)
    assert len(loose.begun[-1]) >= 4
    assert len(watch.begun[-1]) <= 1
    assert watch.revision.figures["passed"] < watch.revision.figures["above"]


def test_an_attack_on_many_does_not_raise_the_threshold_for_the_next(month: Watch) -> None:
    """One in a hundred for three days; a day later the threshold is about what it was."""
    before = month.revision.arrays["keeps"][:, 3].astype(float)
    watch = copy_of(month).lives(3, times=30, rows=np.arange(0, 4_000, 100)).lives(1)
    assert (watch.revision.arrays["keeps"][:, 3] < before * 1.1).all()


def test_a_benign_cohort_is_widened(month: Watch) -> None:
    watch = copy_of(month)
    watch.budget = dataclasses.replace(watch.budget, benign={(0, 1, ANY, ANY): 40})
    watch.lives(3, times=10, rows=np.array([7, 1235]))
    assert {watch.fleet.kind_at[row] for row in watch.found_since(3)} <= {0}


def test_new_subscriptions_are_warming_and_judged_from_the_third_day() -> None:
    watch = Watch(2_000)
    watch.fleet.begins[:100] = 20
    watch.lives(22)
    assert (watch.fleet.rows["state"][:100] == WARMING).all()
    assert watch.revision.figures["warming"] == 100
    watch.lives(3, times=100, rows=np.arange(10))
    assert len(watch.found_since(3) & set(range(10))) >= 7


def test_a_revision_survives_its_octets(month: Watch) -> None:
    made = month.revision
    read = Revision.read(made.octets())
    assert (read.day, read.findings, read.ended, read.figures) == (made.day, made.findings, made.ended, made.figures)
    for name in REVISION_ARRAYS:
        assert np.array_equal(read.arrays[name], made.arrays[name]), name
    assert len(made.octets()) < 1_000_000


def as_of_format(revision: Revision, number: int) -> bytes:
    """As releases before wrote it: six channels, and in the first format nothing of when findings end."""
    with np.load(io.BytesIO(revision.octets())) as loaded:
        arrays = {name: loaded[name] for name in loaded.files if name != "keeps" or number > 1}
    for name, (_, shape) in {**REVISION_ARRAYS, **MEMORY_ARRAYS}.items():
        if name in arrays and CHANNELS in shape:
            arrays[name] = arrays[name].take(range(6), axis=shape.index(CHANNELS))
    document = json.loads(arrays["document"].tobytes()) | {"format": number}
    arrays["document"] = np.frombuffer(json.dumps(document).encode(), np.uint8)
    written = io.BytesIO()
    np.savez_compressed(written, allow_pickle=False, **arrays)
    return written.getvalue()


def test_a_revision_of_the_first_format_ends_findings_as_it_did(month: Watch) -> None:
    read = Revision.read(as_of_format(month.revision, 1))
    assert np.array_equal(read.arrays["keeps"], read.arrays["thresholds"])


def test_a_revision_with_six_channels_is_read_with_nothing_known_of_the_others(month: Watch) -> None:
    muted = np.full_like(month.revision.arrays["muted"], 0b100001_000011)
    six = dataclasses.replace(month.revision, arrays={**month.revision.arrays, "muted": muted})
    read = Revision.read(as_of_format(six, 2))
    assert set(read.arrays["muted"].tolist()) == {0b0100001_0000011}
    assert np.array_equal(read.arrays["bits"][:, :, :6], month.revision.arrays["bits"][:, :, :6])
    assert not read.arrays["bits"][:, :, 6].any() and (read.memory["history"][:, :, 6] == NO_SHIFT).all()


def test_a_fleet_goes_on_from_a_revision_with_six_channels(month: Watch) -> None:
    """The days after an upgrade: what is new has no past, and nobody is found for that."""
    watch = copy_of(month)
    watch.revision = Revision.read(as_of_format(watch.revision, 2))
    rows = watch.fleet.rows
    for name in ("centre", "scale", "weekend", "ledger", "ages"):
        rows[name][:, 6] = 0
    rows["taught"] &= 0b111111
    watch.lives(28)
    assert watch.told == [] and len(watch.found_since(28)) <= 3


def test_other_octets_are_refused_with_a_reason(month: Watch) -> None:
    whole = month.revision.octets()
    for octets in (b"", b"PK", whole[: len(whole) // 2], whole.replace(b"document", b"dokument")):
        with pytest.raises(RevisionUnreadable, match="no behaviour revision"):
            Revision.read(octets)


def test_arrays_of_another_shape_are_refused(month: Watch) -> None:
    """The fold reads them unchecked, so nothing may point beyond their end."""
    good = month.revision
    pools = np.array(good.arrays["pools"])
    pools[0] = 15
    for name, array in (("pools", pools), ("shifts", good.arrays["shifts"][:, :3]), ("keys", good.arrays["keys"][:-1])):
        bad = dataclasses.replace(good, arrays={**good.arrays, name: array})
        with pytest.raises(RevisionUnreadable):
            Revision.read(bad.octets())


def test_a_fleet_of_nobody_has_a_fit() -> None:
    fleet = DayFleet(1, 0)
    revision = fit_day(fleet.rows.copy(), fleet.use_cases, fleet.tenants, DAY_BEGAN, None, Budget(1.0))
    assert settle(fleet.rows, fleet.use_cases, DAY_BEGAN, revision.arrays) == (0, 0)


def test_a_fleet_of_one_has_a_fit() -> None:
    watch = Watch(1, a_day=1.0).lives(5)
    assert watch.fleet.rows["learnt"][0] == 5
