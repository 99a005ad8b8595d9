"""Outages that must be seen as one: a gateway or a cell falls silent, and no member of it is taken for stolen."""

from __future__ import annotations

import numpy as np

from simward.lab.fleet import CAMERA, LIFT_ALARM, USE_CASES
from simward.lab.scenes.scene import Attack
from simward.lab.scenes.stage import Stage
from simward.lab.scripts import Act
from simward.lab.sightings import Day

INTERIMS_A_DAY, WORDS_A_DAY = 3, 48
"""What is always on reports three times a day or more, and so much of it there must be. Of words that come by chance
the longest pause of a week is five or six times the mean: three times that is told within the eight hours."""
VICTIMS_LEAST = 8


class GatewaySilent(Attack):
    """A gateway stops reporting.

    Nothing comes from it for eight hours: one finding, and none about its members. It is told after some twenty times
    the pause that is usual at that hour, so it takes a gateway that says fifty words or more in a day, all hours alike:
    some 150 subscriptions of this fleet. Subtler: a shorter silence.
    """

    id = "gateway-silent"
    use_cases = USE_CASES
    everybody = True
    catches = ("gateway-silent",)
    also = ("cell-silent/gateway",)
    silences = 1
    one_finding = True
    live = False
    lasts_h = 8.0

    def acts(self, strength: float) -> tuple[Act, ...]:
        """None: it is silence."""
        return ()

    def fits(self, stage: Stage) -> bool:
        """Does the gateway say enough, at night too, for its silence to mean something?"""
        rows = stage.rows
        always_on = stage.population.members((LIFT_ALARM, CAMERA))
        return int((rows["gateway"][always_on] == self.silences).sum()) * INTERIMS_A_DAY >= WORDS_A_DAY

    def alter(self, stage: Stage, day: Day) -> None:
        """Nothing is heard from pgw2, whoever speaks through it."""
        day.hush(stage.population.gateways[self.silences], stage.begins_at, self.ends_at(stage))
        stage.began_at = np.full(len(stage.victims), stage.begins_at, np.int64)


class CellSilent(Attack):
    """A cell falls silent.

    Twelve lifts below one mast are not heard of for two days: one finding, and nothing is stolen.
    """

    id = "cell-silent"
    use_cases = (LIFT_ALARM,)
    catches = ("cell-silent",)
    also = ("silent",)
    one_finding = True
    live = False
    lasts_h = 60.0

    def prepare(self, stage: Stage) -> None:
        """All below one mast."""
        for name in ("site", "sector", "network"):
            stage.rows[name][stage.victims] = stage.rows[name][stage.victims[0]]

    def fits(self, stage: Stage) -> bool:
        """Five must fall silent, and some are seen by a neighbouring cell."""
        return len(stage.victims) >= VICTIMS_LEAST

    def acts(self, strength: float) -> tuple[Act, ...]:
        """None: it is silence."""
        return ()

    def alter(self, stage: Stage, day: Day) -> None:
        """Nothing is heard from there."""
        at = day.events["received_at"]
        day.drop(stage.of(day) & (at < self.ends_at(stage)))
        stage.began_at = np.full(len(stage.victims), stage.begins_at, np.int64)
