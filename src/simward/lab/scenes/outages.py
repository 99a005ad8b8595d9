"""Outages that must be seen as one: a gateway or a cell falls silent, and no member of it is taken for stolen."""

from __future__ import annotations

import numpy as np

from simward.lab.fleet import LIFT_ALARM, USE_CASES
from simward.lab.population import HOUR_US
from simward.lab.scenes.scene import Attack
from simward.lab.scenes.stage import Stage
from simward.lab.scripts import Act
from simward.lab.sightings import Day


class GatewaySilent(Attack):
    """A gateway stops reporting.

    Nothing comes from it for hours: one finding, and none about its members. Subtler: a shorter silence.
    """

    id = "gateway-silent"
    use_cases = USE_CASES
    everybody = True
    catches = ("gateway-silent",)
    also = ("gateway-restarted",)
    one_finding = True
    live = False
    lasts_h = 8.0

    def acts(self, strength: float) -> tuple[Act, ...]:
        """None: it is silence."""
        return ()

    def alter(self, stage: Stage, day: Day) -> None:
        """Nothing is heard from pgw2."""
        at = day.events["received_at"]
        ends = stage.begins_at + int(self.lasts_h * stage.strength * HOUR_US)
        gateway = stage.population.gateways[1]
        day.drop((day.events["gateway"] == gateway) & (at >= stage.begins_at) & (at < ends))
        stage.began_at = np.full(len(stage.victims), stage.begins_at, np.int64)


class CellSilent(Attack):
    """A cell falls silent.

    Twelve lifts below one mast are not heard of for two days: one finding, and nothing is stolen.
    """

    id = "cell-silent"
    use_cases = (LIFT_ALARM,)
    catches = ("cell-silent",)
    also = ("subscription-silent",)
    one_finding = True
    live = False
    lasts_h = 60.0

    def prepare(self, stage: Stage) -> None:
        """All below one mast."""
        for name in ("site", "sector", "network"):
            stage.rows[name][stage.victims] = stage.rows[name][stage.victims[0]]

    def acts(self, strength: float) -> tuple[Act, ...]:
        """None: it is silence."""
        return ()

    def alter(self, stage: Stage, day: Day) -> None:
        """Nothing is heard from there."""
        at = day.events["received_at"]
        ends = stage.begins_at + int(self.lasts_h * stage.strength * HOUR_US)
        day.drop(stage.of(day) & (at < ends))
        stage.began_at = np.full(len(stage.victims), stage.begins_at, np.int64)
