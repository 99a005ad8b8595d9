"""Scenes: found by folder, documented, and scored as events on a small fleet."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from simward.errors import UsageError
from simward.lab import scenes
from simward.lab.demo import BEST
from simward.lab.fleet import USE_CASES, make_fleet
from simward.lab.performance import FINDING, Performance, Programme, perform
from simward.lab.scenes.scene import ATTACK, HONEST, Attack, Oddity, Scene
from simward.lab.score import BACKGROUND, NOT_INSTALLED, TOO_SMALL, named, score
from simward.lab.scoring import Plan, chosen, score_events

every_scene = pytest.mark.parametrize("scene", scenes.installed().values(), ids=lambda scene: scene.id)

ATTACKS = {
    "sim-in-phone", "sim-in-twin", "imei-withheld", "unknown-sim", "wrong-apn", "foreign-network", "copied-imei",
    "forged-access", "forged-accounting", "sim-in-phone-and-back", "copied-device", "cloned-subscription",
    "cloned-abroad", "model-mismatch", "not-in-pool", "location-change", "outside-area", "impossible-travel",
    "impossible-country", "reappeared-changed", "gateway-silent", "cell-silent", "credentials-wrong",
}  # fmt: skip
ODDITIES = {
    "firmware-rollout", "gateway-restart", "gateway-failover", "cell-outage", "announced-refit", "roaming-by-road",
    "border-flapping", "neighbour-flapping", "rat-fallback", "clock-jumps", "reordering", "duplicates", "lost-stops",
    "lost-starts", "lost-interims", "battery-silence", "two-apns", "ipv6-attach", "session-names-again",
    "imei-not-in-accounting", "imeisv-digits", "cell-missing",
}  # fmt: skip


def test_every_attack_and_every_oddity_that_was_promised_is_there() -> None:
    assert {one.id for one in scenes.attacks()} >= ATTACKS
    assert {one.id for one in scenes.oddities()} >= ODDITIES


@every_scene
def test_a_scene_says_what_it_is(scene: Scene) -> None:
    assert scene.kind in (ATTACK, HONEST)
    assert len(scene.doc.splitlines()) >= 3, "a title, an empty line, and what happens"
    assert set(scene.use_cases) <= set(USE_CASES)
    if isinstance(scene, Attack):
        assert scene.radius_only or scene.catches
        assert not scene.live or scene.did


@every_scene
def test_a_live_attack_says_what_must_come_of_each_packet(scene: Scene) -> None:
    if isinstance(scene, Attack) and scene.live:
        script = scene.script()
        assert script.acts and all(act.answer or act.sim == "accomplice" for act in script.acts)
        assert script.findings or scene.radius_only


def test_the_best_are_ranked_without_ties() -> None:
    ranks = [one.rank for one in scenes.attacks() if one.rank]
    assert len(set(ranks)) == len(ranks)


def test_the_demo_shows_what_it_promises() -> None:
    assert [one.id for one in scenes.best(BEST)] == [
        "sim-in-phone", "sim-in-twin", "imei-withheld", "unknown-sim", "wrong-apn", "foreign-network", "forged-access",
        "copied-device", "cloned-subscription", "impossible-travel",
    ]  # fmt: skip


def test_an_unknown_scene_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="sim-in-phone"):
        chosen(["sim-in-fone"])


def test_everything_at_once_on_a_small_fleet() -> None:
    """The bar of the lab: nothing of full strength is missed, nothing honest is found."""
    result = score_events(Plan(subscriptions=600, days=32, seed=7))
    wrong = {one.scene: one for one in result.scenes if one.failed}
    assert not wrong
    ready = [one for one in result.scenes if one.kind == ATTACK and not one.note]
    assert len(ready) >= 11 and all(one.caught for one in ready)
    assert all(one.events_to_detection for one in ready if one.victims > 1 and one.victims < 12)


def test_the_same_seed_gives_the_same_score() -> None:
    plan = Plan(("sim-in-twin", "duplicates"), 60, 6, 3)
    assert score_events(plan) == score_events(plan)


def test_a_subtle_attack_may_be_missed_without_failing() -> None:
    result = score_events(Plan(("sim-in-twin",), 60, 6, 3, strength=0.0))
    line = result.scenes[0]
    assert line.strength == 0.0 and line.caught + line.missed == line.victims


def test_an_attack_that_is_not_seen_fails() -> None:
    result = score_events(Plan(("sim-in-phone",), 60, 6, 3))
    line = result.scenes[0]
    line.caught, line.missed = 0, line.victims
    assert line.failed and not result.passed


def played(plan: Plan) -> Performance:
    """What comes of some scenes together."""
    fleet, pairs = make_fleet(plan.seed, plan.subscriptions), [(one, 1.0) for one in chosen(plan.names)]
    return perform(fleet, pairs, days=plan.days, seed=plan.seed)


def performed(name: str, finding: str) -> Performance:
    """A performance of one scene in which one finding about a victim was made up."""
    done = perform(make_fleet(1, 60), [(scenes.scene(name), 1.0)], days=4, seed=1)
    row = np.zeros(1, FINDING)
    number = done.names.index(finding)
    row["detector"], row["class"] = number // 16, number % 16
    stage = done.played[0].stage
    row["imsi"], row["at"], row["gateway"] = stage.people["imsi"][0], stage.begins_at, stage.population.gateways[0]
    done.findings = np.concatenate([done.findings, row])
    return done


def test_a_finding_about_an_honest_oddity_is_false() -> None:
    line = score(performed("lost-stops", "device-change/other-model"), 1, 4).scenes[0]
    assert line.false == 1 and line.failed


def test_a_finding_of_the_wrong_detector_is_false() -> None:
    line = score(performed("wrong-apn", "network-not-permitted/plmn"), 1, 4).scenes[0]
    assert line.false == 1 and line.caught == line.victims


def test_a_finding_about_somebody_else_is_false() -> None:
    done = performed("wrong-apn", "device-change/other-model")
    done.findings["imsi"][-1] = 1
    others = score(done, 1, 4).scenes[-1]
    assert others.scene == BACKGROUND and others.false == 1 and others.failed


def test_outages_are_one_finding_each() -> None:
    result = score_events(Plan(("gateway-silent", "cell-silent"), subscriptions=300, days=9, seed=3))
    assert result.passed, result.told()
    gateway, cell, _ = result.scenes
    assert (gateway.caught, gateway.found["gateway-silent/stopped"], cell.found) == (1, 1, {"cell-silent/cell": 1})


def test_an_outage_in_a_fleet_that_hardly_says_anything_is_not_played() -> None:
    result = score_events(Plan(("gateway-silent",), subscriptions=60, days=6, seed=3))
    assert result.scenes[0].note == TOO_SMALL and result.passed


def test_nothing_arrives_from_a_silent_gateway_whichever_scene_sends_it() -> None:
    """Second sessions, attackers and a failover may not break the silence that is to be heard."""
    done = played(Plan(("gateway-silent", "gateway-failover", "two-apns", "cloned-subscription"), 200, 8, 3))
    outage = next(one for one in done.played if one.scene.id == "gateway-silent")
    gateway, ends_at = outage.stage.population.gateways[1], outage.scene.ends_at(outage.stage)
    for events in Programme(outage.stage.population, done.played, 8, outage.stage.rng).events():
        meanwhile = (events["received_at"] >= outage.stage.begins_at) & (events["received_at"] < ends_at)
        assert not (meanwhile & (events["gateway"] == gateway)).any()


def test_an_outage_that_no_scene_has_is_false() -> None:
    done = performed("lost-stops", "gateway-silent/stopped")
    done.findings["imsi"][-1] = 0
    others = score(done, 1, 4).scenes[-1]
    assert others.found == {"gateway-silent/stopped": 1} and others.failed


def test_an_outage_that_a_scene_has_is_true_while_it_lasts() -> None:
    done = performed("gateway-failover", "gateway-silent/stopped")
    done.findings["imsi"][-1] = 0
    assert score(done, 1, 4).scenes[-1].false == 0
    done.findings["at"][-1] = done.played[0].scene.ends_at(done.played[0].stage)
    assert score(done, 1, 4).scenes[-1].false == 1


def test_what_no_installed_detector_could_see_does_not_fail() -> None:
    class Unseen(Attack):
        """Nothing sees it.

        There is no such detector.
        """

        id = "unseen"
        catches = ("no-such-detector",)

        def acts(self, strength: float) -> tuple[()]:
            return ()

    line = score(perform(make_fleet(1, 60), [(Unseen(), 1.0)], days=2, seed=1), 1, 2).scenes[0]
    assert line.note == NOT_INSTALLED and not line.failed


def test_names_match_by_detector_or_by_class() -> None:
    assert named("device-change/software", ("device-change",))
    assert named("device-change/software", ("device-change/software",))
    assert not named("device-change/software", ("device-change/other-model",))


def test_the_command_prints_json_and_the_seed() -> None:
    command = [sys.executable, "-m", "simward", "lab", "score", "--scene", "sim-in-phone", "--scene", "reordering"]
    done = subprocess.run(
        [*command, "--subscriptions", "60", "--days", "4", "--seed", "5", "--json"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seed"] == 5 and told["passed"]
    assert [one["scene"] for one in told["scenes"]] == ["sim-in-phone", "reordering", BACKGROUND]


def test_an_honest_scene_is_no_attack() -> None:
    assert all(isinstance(one, Oddity) for one in scenes.oddities())
