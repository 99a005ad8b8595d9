"""An honest year: every oddity of the scenes at the rate at which fleets meet with it, all mixed into one programme.

The rates are not measured at any operator (nobody publishes them); they are set higher than what operations people call
normal, so that a figure from here errs on the side of too many false findings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simward.lab import scenes
from simward.lab.performance import BEGINS_AT, Played
from simward.lab.population import DAY_US, HOUR_US, Population
from simward.lab.scenes.stage import Stage


@dataclass(frozen=True)
class Always:
    """An oddity that is there every day: among `share` of the members, at `strength`."""

    scene: str
    share: float
    strength: float


@dataclass(frozen=True)
class NowAndThen:
    """An oddity that comes every so many days: to `share` of the members (or to `members` of them) each time."""

    scene: str
    every_days: float
    share: float = 0.0
    members: int = 0
    lasts_days: float = 1.0
    strength: float = 1.0


ALWAYS = (
    Always("duplicates", 1.0, 0.01),  # 0.6 % of all packets
    Always("reordering", 1.0, 0.01),  # 0.5 % late, up to eight minutes
    Always("lost-stops", 1.0, 0.01),  # 0.8 %
    Always("lost-starts", 1.0, 0.005),
    Always("lost-interims", 1.0, 0.01),
    Always("imei-not-in-accounting", 0.2, 1.0),
    Always("imeisv-digits", 0.02, 1.0),
    Always("cell-missing", 1.0, 0.01),
    Always("cell-missing", 0.01, 1.0),
    Always("clock-jumps", 0.02, 0.5),
    Always("rat-fallback", 0.3, 0.2),
    Always("two-apns", 0.2, 1.0),
    Always("ipv6-attach", 0.1, 1.0),
    Always("neighbour-flapping", 0.05, 0.6),
    Always("border-flapping", 0.03, 1.0),
    Always("roaming-by-road", 0.1, 1.0),
)
NOW_AND_THEN = (
    NowAndThen("firmware-rollout", 45, share=1.0),
    NowAndThen("gateway-restart", 30, share=1.0),
    NowAndThen("session-names-again", 40, share=1.0),
    NowAndThen("gateway-failover", 50, share=1.0, lasts_days=2),
    NowAndThen("cell-outage", 2, members=8),
    NowAndThen("announced-refit", 1, share=0.0001),
    NowAndThen("battery-silence", 1, share=0.001, lasts_days=5),
    NowAndThen("clock-jumps", 20, share=0.5),  # a gateway's clock, for a day
)


def honest_weather(population: Population, days: int, rng: np.random.Generator) -> list[Played]:
    """The stages of all oddities for so many days. Members of those that come every day are drawn once."""
    played = []
    for always in ALWAYS:
        members = _drawn(population, always.scene, always.share, 0, rng)
        played.append(_staged(population, always.scene, members, BEGINS_AT, days, always.strength, rng, float(days)))
    for one in NOW_AND_THEN:
        at = one.every_days * rng.random()
        while at < days - 1:
            members = _drawn(population, one.scene, one.share, one.members, rng)
            begins_at = BEGINS_AT + int(at) * DAY_US + int((1 + 8 * rng.random()) * HOUR_US)
            played.append(_staged(population, one.scene, members, begins_at, days, one.strength, rng, one.lasts_days))
            at += one.every_days
    return [one for one in played if len(one.stage.victims)]


def _drawn(population: Population, scene: str, share: float, count: int, rng: np.random.Generator) -> np.ndarray:
    members = population.members(scenes.scene(scene).use_cases)
    if share == 1.0:
        return members
    wanted = min(len(members), count) if count else rng.binomial(len(members), share)
    drawn: np.ndarray = rng.choice(members, wanted, replace=False)
    return np.sort(drawn)


def _staged(
    population: Population, scene: str, members: np.ndarray, begins_at: int, days: int, strength: float,
    rng: np.random.Generator, lasts_days: float,
) -> Played:  # fmt: skip
    stage = Stage(population, members, members[:0], strength, begins_at, BEGINS_AT + days * DAY_US, rng)
    return Played(scenes.scene(scene), stage, begins_at, begins_at + int(lasts_days * DAY_US))
