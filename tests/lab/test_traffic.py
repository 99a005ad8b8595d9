"""The made-up fleet: the same for the same seed, in order, as large as was measured, and attacked as was asked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from simward.detectors import installed as detectors
from simward.engine import events as ev
from simward.errors import UsageError
from simward.identity import Iccid
from simward.lab.traffic import attacks, expanding
from simward.lab.traffic.day import Day
from simward.lab.traffic.expanding import Expansion, Losses, Texts
from simward.lab.traffic.happening import Happening
from simward.lab.traffic.kinds import APNS, CAMERA, KINDS, LIFT, kind
from simward.lab.traffic.members import DAY_US, GATEWAYS, make_members, unused_devices
from simward.lab.traffic.programme import HONEST_RATES, Plan, Programme

TEXTS = Texts(np.arange(1, len(APNS) + 1, dtype=np.int32), np.arange(50, 50 + len(GATEWAYS), dtype=np.int32), 60)
NOTHING_LOST = Losses(0.0, 0.0, 0.0, 0.0)
every_happening = pytest.mark.parametrize("one", attacks.installed().values(), ids=lambda one: one.id)


def played(plan: Plan) -> np.ndarray:
    """All events of a plan."""
    days = Programme(plan, TEXTS).days()
    return np.concatenate([events.copy() for day in days for events in day.slices()])


def digest(plan: Plan) -> str:
    return hashlib.sha256(played(plan).tobytes()).hexdigest()


SMALL = Plan(seed=5, subscriptions=120, days=4, times=1, warm_up_days=1, tick_s=60)


def test_the_same_seed_makes_the_same_bytes_and_another_makes_others() -> None:
    assert digest(SMALL) == digest(SMALL)
    assert digest(SMALL) != digest(Plan(seed=6, subscriptions=120, days=4, times=1, warm_up_days=1, tick_s=60))


def test_slices_cut_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digest(SMALL)
    monkeypatch.setattr(expanding, "SLICE", 97)
    assert digest(SMALL) == whole


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"), reason="it is interpreted already")
def test_interpreted_makes_the_same_bytes() -> None:
    code = "from lab.test_traffic import SMALL, digest; print(digest(SMALL))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True, cwd="tests",
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == digest(SMALL)


def test_events_arrive_in_order_and_a_gate_is_never_left_alone() -> None:
    at = played(SMALL)["received_at"]
    assert (np.diff(at) >= 0).all()
    assert np.diff(at).max() < 10 * 1_000_000, "a gate of which nothing comes for ten seconds was not there"


def test_counters_of_a_session_never_fall() -> None:
    events = played(Plan(seed=2, subscriptions=300, days=3, attacks=(), losses=NOTHING_LOST, tick_s=60))
    reports = events[np.isin(events["kind"], (ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP))]
    names = np.array([hash(one.tobytes()) for one in reports["session_id"]])
    order = np.lexsort((reports["received_at"], names))
    same = names[order][1:] == names[order][:-1]
    for column in ("uplink_octets", "downlink_octets", "duration_s"):
        assert (np.diff(reports[column][order])[same] >= 0).all()


def test_every_session_begins_once_and_nothing_is_lost_where_nothing_may_be() -> None:
    plan = Plan(seed=2, subscriptions=300, days=3, attacks=(), honest=False, losses=NOTHING_LOST, tick_s=60)
    events = played(plan)
    starts = events[events["kind"] == ev.ACCOUNTING_START]
    assert len(np.unique(starts["session_id"], axis=0)) == len(starts)
    reports = events[np.isin(events["kind"], (ev.ACCOUNTING_INTERIM, ev.ACCOUNTING_STOP))]
    begun = {one.tobytes() for one in starts["session_id"]}
    assert {one.tobytes() for one in reports["session_id"]} <= begun


def test_identities_are_valid_and_nobody_shares_one() -> None:
    rows = make_members(1, 5_000).rows
    for name in ("imsi", "iccid", "msisdn", "imei"):
        assert len(np.unique(rows[name])) == len(rows)
    assert all(Iccid(int(number)).luhn_ok for number in rows["iccid"][:200])


def test_a_unit_that_is_new_is_nobodys() -> None:
    """Else two of the honest had one IMEI, and who says so would be wrong about them."""
    members = make_members(4, 20_000)
    tac = members.rows["imei"] // 10**6
    made = unused_devices(members, tac, np.random.default_rng(4))
    assert len(np.unique(made)) == len(made) and np.array_equal(made // 10**6, tac)
    assert not np.isin(made, members.rows["imei"]).any()


def test_a_fleet_of_no_size_is_refused() -> None:
    with pytest.raises(UsageError, match="subscriptions, not 3"):
        make_members(1, 3)


@pytest.mark.parametrize(("name", "a_day"), [(CAMERA, 71e6), (LIFT, 0.3e6)])
def test_volumes_are_those_that_were_measured(name: str, a_day: float) -> None:
    """Finley and Vesselkov (2019): 2 GB and 10 MB in four weeks, up and down together."""
    members = make_members(4, 4_000)
    mine = members.rows[members.by_kind[name]]
    assert np.median(mine["up"]) == pytest.approx(a_day, rel=0.2)
    assert kind(name).up > kind(name).down


def test_there_are_twenty_kinds_of_attack_and_more() -> None:
    assert len(attacks.attacks()) >= 20
    assert sum(one.share for one in KINDS) == pytest.approx(1.0)


@every_happening
def test_a_happening_says_what_it_is(one: Happening) -> None:
    assert one.title and one.title[0].isupper()
    assert one.strengths and one.paces
    assert set(one.kinds) <= {kind.name for kind in KINDS}
    assert one.expects or one.honest, "an attack names who should say so"
    assert not one.honest or one.id in HONEST_RATES


@every_happening
def test_names_of_detectors_that_are_installed_are_right(one: Happening) -> None:
    """Others may come yet."""
    known = {found.id: found.classes for found in detectors()}
    for name in (*one.expects, *one.also):
        detector, _, class_name = name.partition("/")
        if detector in known and class_name:
            assert class_name in known[detector]


def test_every_attack_does_something_to_its_victims_and_to_nobody_before_it_begins() -> None:
    programme = Programme(Plan(seed=9, subscriptions=5_000, days=58, times=1, tick_s=60), TEXTS)
    assert not programme.skipped
    for _ in programme.days():
        pass
    for act in programme.acts:
        if len(act.who):
            assert act.began_at, f"{act.happening.id} never happened"
            assert act.began_at >= act.begins_at - DAY_US, f"{act.happening.id} happened before its time"


def test_an_unknown_attack_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="sim-moved"):
        attacks.happening("sim-mooved")


def test_what_is_muted_is_not_heard() -> None:
    members = make_members(1, 200)
    programme = Programme(Plan(seed=1, subscriptions=200, days=2, attacks=(), honest=False), TEXTS, members)
    day = programme._made(0, 1_699_920_000_000_000, np.random.default_rng(1))
    assert isinstance(day, Day)
    camera = members.by_kind[CAMERA][:1]
    middle = day.begins_at + DAY_US // 2
    day.mute(camera, middle, day.ends_at)
    mine = day.all_sessions()[day.all_sessions()["who"] == camera[0]]
    assert (mine["ends_at"] <= middle).all()


def test_what_is_split_is_reported_as_if_it_were_whole() -> None:
    """But for what is changed of it: from the moment on, not from midnight."""
    members = make_members(1, 200)
    programme = Programme(Plan(seed=1, subscriptions=200, days=2, attacks=(), honest=False), TEXTS, members)
    camera, told = members.by_kind[CAMERA][:1], []
    for times in (0, 1, 10):
        day = programme._made(0, 1_699_920_000_000_000, np.random.default_rng(1))
        middle = day.begins_at + DAY_US // 2
        if times:
            day.split(camera, middle)
            later = day.within(camera, middle, day.ends_at)
            day.sessions["up"][later] = day.sessions["up"][later] * times
        sessions = day.all_sessions()
        made = Expansion.of(sessions, ev.empty(0), day.begins_at, 1, 1, NOTHING_LOST, 60)
        events = np.concatenate([part.copy() for part in made.slices(members.rows, TEXTS, day.ends_at)])
        told.append(events[events["imsi"] == members.rows["imsi"][camera[0]]])
        assert len(sessions[sessions["who"] == camera[0]]) == (2 if times else 1)
        members.rows["serial"], members.rows["session_at"] = 0, 0
    whole, split, changed = told
    assert len(whole) > 4 and whole["received_at"].tolist() == split["received_at"].tolist()
    assert np.abs(whole["uplink_octets"] - split["uplink_octets"]).max() <= 1
    before = changed["happened_at"] <= middle
    assert np.abs(whole["uplink_octets"] - changed["uplink_octets"])[before].max() <= 1
    assert changed["uplink_octets"][-1] > 2 * whole["uplink_octets"][-1]


def test_the_generator_answers_as_json_what_it_has() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simward", "lab", "score", "--attack", "unknown-sim", "--subscriptions", "60", "--days",
         "18", "--times", "1", "--seed", "1", "--tick", "60", "--json"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    row = next(one for one in told["detectors"] if one["detector"] == "unknown-subscription")
    assert (row["recall"]["found"], row["recall"]["of"]) == (1, 1)
