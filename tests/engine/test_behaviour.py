"""A subscription's day against its own past, in whole numbers: features, evidence, findings, and what the baseline
learns."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simward.compiled import records
from simward.engine.behaviour.features import finish_day
from simward.engine.behaviour.layouts import (
    BEHAVIOUR,
    CENTRE_OFFSET,
    CHANNELS,
    DRIFTING,
    HIGHER,
    LOWER,
    MATURITIES,
    ONE_BIT,
    QUIET,
    READY,
    REVISION_ARRAYS,
    ROLLED_UP,
    SCORE_BINS,
    SHARE_OFFSET,
    UNUSUAL,
    UP,
    UP_SHARE,
    WARMING,
    Q,
    cohort_key,
)
from simward.engine.behaviour.logarithm import log2_q10
from simward.engine.behaviour.scoring import (
    BEYOND_KNEE_OF_TEN,
    KEPT,
    KNEE,
    OF,
    OFF_LEAST,
    PAID,
    SCALE_LEAST,
    added,
    bin_of,
    in_full,
)
from simward.engine.behaviour.settle import settle

DAY = 20_000
USUAL = [10 * Q, 9 * Q, 2 * Q, 7 * Q, 2 * Q, 0, SHARE_OFFSET + Q]


def arrays_of(*, threshold: int = 16, per_scale: float = 2.0, muted: int = 0) -> dict[str, np.ndarray]:
    """A revision of one cohort: each scale that a channel is off says so many bits."""
    sizes = {"keys": 1, "cohorts": 1, "pools": 1}
    arrays = {
        name: np.zeros([sizes.get(size, size) if isinstance(size, str) else size for size in shape], dtype)
        for name, (dtype, shape) in REVISION_ARRAYS.items()
    }
    arrays["keys"][0] = cohort_key(3, 35_000_000, 6)
    arrays["muted"][0] = muted
    arrays["peer_centre"][0] = USUAL
    arrays["peer_spread"][:], arrays["peer_scale"][:] = 2 * Q, Q // 4
    scales = np.sqrt((2.0 ** (np.arange(SCORE_BINS) * 96 / 1024) - 1) / 256)
    arrays["bits"][:] = np.rint(np.minimum(scales * per_scale, 40) * ONE_BIT)
    arrays["thresholds"][:] = arrays["keeps"][:] = threshold * ONE_BIT
    return arrays


class Subscription:
    """One row of BEHAVIOUR, and its days."""

    def __init__(self, **fields: int) -> None:
        self.rows, self.day = np.zeros(1, BEHAVIOUR), DAY
        self.rows["tac"], self.rows["rat"] = 35_000_000, 6
        self.arrays = arrays_of()

    def __getitem__(self, name: str) -> int:
        return int(self.rows[name][0])

    def lives(self, days: int = 1, *, up: float = 0.0, absent: bool = False) -> Subscription:
        """So many days as usual, but for `up` octaves more that are sent."""
        for _ in range(days):
            if not absent:
                self.rows["features"][0] = USUAL
                self.rows["features"][0, UP] = USUAL[UP] + round(up * Q)
                self.rows["features_day"] = self.day
            settle(self.rows, np.array([3]), self.day, self.arrays)
            self.day += 1
        return self

    @property
    def centre(self) -> float:
        """Octaves sent on a usual day, as it has learnt."""
        return (int(self.rows["centre"][0, UP]) - CENTRE_OFFSET) / Q


@pytest.mark.parametrize("value", [0, 1, 2, 3, 100, 4095, 4096, 123_456_789, (1 << 48) - 1, (1 << 62) - 1])
def test_logarithms_are_right_to_two_thousandths_of_an_octave(value: int) -> None:
    assert int(log2_q10(value)) == pytest.approx(1024 * math.log2(1 + value), abs=2)


def test_a_day_becomes_features_and_counting_begins_anew() -> None:
    rows = np.zeros(1, BEHAVIOUR)
    rows["day"], rows["up_low"], rows["up_high"], rows["sessions"], rows["hours"] = 20_005, 7, 1, 3, 0b1011
    finish_day(records(rows), 0)
    row = rows[0]
    assert row["features"].tolist() == [32 * Q, 0, 2 * Q, 0, 2 * Q, 0, 0]
    assert (row["features_day"], row["day"], row["up_high"], row["hours"], row["new_hours"]) == (20_005, 0, 0, 0, 3)


def test_a_share_that_is_far_from_that_of_its_peers_is_a_trait_and_no_finding() -> None:
    """Of peers who are all alike, too: nobody grows into the share of others."""
    one = Subscription()
    one.arrays["peer_spread"][:], one.arrays["peer_scale"][:] = Q // 16, Q // 16
    for _ in range(30):
        one.rows["features"][0] = USUAL
        one.rows["features"][0, UP_SHARE] = USUAL[UP_SHARE] - 4 * Q
        one.rows["features_day"] = one.day
        settle(one.rows, np.array([3]), one.day, one.arrays)
        one.day += 1
        assert one["total"] == 0
    assert int(one.rows["centre"][0, UP_SHARE]) - CENTRE_OFFSET == USUAL[UP_SHARE] - 4 * Q


@pytest.mark.parametrize("octaves", [-6, 6])
def test_who_is_far_from_peers_that_are_far_apart_is_known_from_the_first_day(octaves: int) -> None:
    """Each is regular in its own way: what the peers' days vary by says nothing of how far apart they are."""
    one = Subscription()
    one.arrays["peer_spread"][:], one.arrays["peer_scale"][:] = 3 * Q, SCALE_LEAST
    for _ in range(10):
        one.lives(up=octaves)
        assert one["class"] == QUIET
    assert one.centre == pytest.approx(10 + octaves, abs=0.05)


@pytest.mark.parametrize(("goes", "found"), [(0.0, False), (-1.0, False), (-2.0, False), (2.0, True), (-4.0, True)])
def test_who_does_as_always_or_as_its_cohort_does_is_not_unusual(goes: float, found: bool) -> None:
    """All of its cohort send two octaves less on a day; one does not, goes half the way, or farther than either."""
    one = Subscription().lives(20)
    one.arrays["shifts"][0, UP] = -2 * Q
    one.arrays["bits"][:] *= 2
    one.lives(up=goes)
    assert (int(one["total"]) > 0) == found


def test_hours_of_the_week_are_new_once() -> None:
    rows = np.zeros(1, BEHAVIOUR)
    told = []
    # 20,001 and 20,008 are the same day of the week
    for day, hours in ((20_001, 0b1), (20_002, 0b1), (20_008, 0b1011), (20_009, 0b1)):
        rows["day"], rows["hours"] = day, hours
        finish_day(records(rows), 0)
        told.append(int(rows["new_hours"][0]))
    assert told == [1, 1, 2, 0]


@pytest.mark.parametrize(
    ("up", "down", "share"),
    [(1_023, 1_023, 16 * Q), (4_095, 1_023, 18 * Q), (1_023, 4_095, 14 * Q), (254, 99_999, 0), (99_999, 200, 0)],
)
def test_what_goes_up_for_each_octet_down_is_said_where_there_is_enough_of_both(up: int, down: int, share: int) -> None:
    rows = np.zeros(1, BEHAVIOUR)
    rows["day"], rows["up_low"], rows["down_low"] = 20_001, up, down
    finish_day(records(rows), 0)
    assert rows["features"][0, UP_SHARE] == share


def test_fires_when_a_day_is_far_from_all_before() -> None:
    one = Subscription().lives(20)
    assert (one["class"], one["state"], one["total"]) == (QUIET, READY, 0)
    one.lives(up=7)
    assert (one["class"], one["since"], one.rows["weighs"][0].tolist()) == (UNUSUAL, one.day - 1, [UP + 1, 0, 0])


def test_stays_quiet_over_what_varies_as_usual() -> None:
    one = Subscription()
    for day in range(60):
        one.lives(up=(-0.3, 0.1, 0.25)[day % 3])
        assert one["class"] == QUIET


def test_nothing_is_found_before_two_days_are_learnt() -> None:
    one = Subscription().lives(1)
    assert one["state"] == WARMING
    one.lives(up=10)
    assert one["class"] == QUIET


def test_a_slow_leak_gathers_over_days() -> None:
    """No day of it alone would cross; the third in a row does."""
    one = Subscription().lives(20)
    began = one.day
    while one["class"] == QUIET and one.day < began + 10:
        one.lives(up=0.75)
    assert one.day - began == 3
    assert one.rows["ages"][0, UP] == 3


def test_stands_on_the_threshold() -> None:
    one = Subscription().lives(20)
    exact = Subscription().lives(20).lives(up=1.5)["total"]
    one.arrays["thresholds"][:] = exact
    assert one.lives(up=1.5)["class"] == QUIET
    two = Subscription().lives(20)
    two.arrays["thresholds"][:] = exact - 1
    assert two.lives(up=1.5)["class"] == UNUSUAL


def test_ends_when_the_evidence_has_faded() -> None:
    one = Subscription().lives(20).lives(up=7)
    one.lives(12)
    assert (one["class"], one["state"]) == (QUIET, READY)


def test_a_day_whose_gates_let_nothing_pass_ends_nothing() -> None:
    """Else what goes on would be told anew on each day after such a one."""
    one = Subscription().lives(20).lives(up=7)
    since = one["since"]
    one.arrays["thresholds"][:] = 65_536
    one.lives(3, up=7)
    assert (one["class"], one["since"]) == (UNUSUAL, since)


def test_a_spike_is_cut_and_what_comes_again_counts_in_full() -> None:
    """Of seventeen bits a table says fourteen: twelve, and two fifths of the rest."""
    cut, whole = 14 * ONE_BIT, 17 * ONE_BIT
    assert (cut - KNEE) * 10 == (whole - KNEE) * BEYOND_KNEE_OF_TEN
    spike = added(0, HIGHER, cut)
    assert spike == cut - PAID
    assert added(spike, HIGHER, cut) == spike * KEPT // OF + whole - PAID
    assert added(spike, LOWER, cut) == -(cut - spike * KEPT // OF - PAID)
    assert [in_full(bits) for bits in (0, KNEE, KNEE + 4, 10_000)] == [0, KNEE, KNEE + 10, 10_000]


def test_what_is_off_by_a_little_says_nothing_however_regular_it_is() -> None:
    squared = SCALE_LEAST * SCALE_LEAST
    assert [bin_of(off, squared) for off in (0, OFF_LEAST - 1, 1 - OFF_LEAST)] == [0, 0, 0]
    assert bin_of(OFF_LEAST, squared) == bin_of(-OFF_LEAST, squared) > 0


def test_evidence_fades_while_it_is_away_and_nothing_is_learnt() -> None:
    one = Subscription().lives(20).lives(up=7)
    learnt, total = one["learnt"], one["total"]
    one.lives(3, absent=True)
    assert one["learnt"] == learnt
    assert 0 < one["total"] < total


def test_an_attack_teaches_next_to_nothing() -> None:
    one = Subscription().lives(30)
    before = one.centre
    one.lives(3, up=7)
    assert one.centre - before < 0.2


def test_what_lasts_for_two_weeks_is_learnt_anew_and_says_so() -> None:
    one = Subscription().lives(30).lives(15, up=3)
    assert one["state"] == DRIFTING
    one.lives(30, up=3)
    assert one["class"] == QUIET
    assert one.centre == pytest.approx(13, abs=0.2)


def test_a_benign_verdict_widens_until_its_day_and_is_learnt() -> None:
    one = Subscription().lives(30)
    one.rows["benign_until"], one.rows["widening"] = one.day + 5, 60
    one.lives(6, up=3)
    assert one["class"] == QUIET
    assert one.centre > 12


def test_what_is_told_as_one_with_others_is_no_finding_of_its_own() -> None:
    one = Subscription().lives(20)
    one.arrays["muted"][0] = 1 << UP
    one.lives(up=7)
    assert (one["class"], one["state"]) == (QUIET, ROLLED_UP)
    one.arrays["muted"][0] = 0
    one.lives(up=7)
    assert one["class"] == QUIET


def test_the_shift_of_a_cohort_is_nobodys_finding_and_nobody_learns_it() -> None:
    one = Subscription().lives(20)
    one.arrays["shifts"][0, UP] = 3 * Q
    one.lives(5, up=3)
    assert (one["class"], one["total"]) == (QUIET, 0)
    assert one.centre == pytest.approx(10, abs=0.05)


def test_weekends_of_its_own_are_learnt() -> None:
    one = Subscription()
    for _ in range(10 * 7):
        one.lives(up=2.0 if (one.day + 3) % 7 >= 5 else 0.0)
    assert one.rows["weekend"][0, UP] / Q == pytest.approx(2, abs=0.6)
    assert one["class"] == QUIET


def test_another_device_model_begins_anew() -> None:
    one = Subscription().lives(20)
    one.rows["tac"] = 35_000_001
    one.lives(up=7)
    assert (one["learnt"], one["class"]) == (1, QUIET)


def test_an_empty_channel_that_usually_is_not_says_nothing() -> None:
    """A day without octets is for `silent`; it must not bring the centre down either."""
    one = Subscription().lives(20).lives(4, up=-10)
    assert one["total"] == 0
    assert one.centre == pytest.approx(10, abs=0.05)


def test_a_day_is_settled_once() -> None:
    one = Subscription().lives(5)
    before = one.rows.tobytes()
    assert settle(one.rows, np.array([3]), one.day - 1, one.arrays) == (0, 0)
    assert one.rows.tobytes() == before


def test_a_subscription_of_an_unknown_key_is_in_the_fleets_cohort() -> None:
    one = Subscription()
    one.arrays["keys"] = np.zeros(0, np.int64)
    one.arrays["cohorts"], one.arrays["muted"] = np.zeros(0, np.uint16), np.zeros(0, np.uint16)
    assert one.lives(3)["learnt"] == 3


def played() -> str:
    """A digest of a hundred subscriptions that live for three weeks."""
    chance = np.random.default_rng(5)
    rows, arrays = np.zeros(100, BEHAVIOUR), arrays_of()
    rows["tac"], rows["rat"] = 35_000_000 + chance.integers(0, 2, 100), 6
    assert arrays["bits"].shape == (1, MATURITIES, CHANNELS, 2, SCORE_BINS)
    for day in range(DAY, DAY + 21):
        heard = chance.random(100) < 0.9
        rows["features"][heard] = chance.integers(0, 20_000, (int(heard.sum()), CHANNELS))
        rows["features_day"][heard] = day
        settle(rows, np.full(100, 3), day, arrays)
    return hashlib.sha256(rows.tobytes()).hexdigest()


def test_compiled_equals_interpreted() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); from engine.test_behaviour import played; print(played())"
    run = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parents[1])],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == played()
