"""Stories of behaviour: a fleet of two models over weeks, in which some change; each day is fitted in line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "watch"))

import numpy as np
from behaving import IMSI, a_fleet, days_of

from simward.behaviour_settings import BehaviourSettings
from simward.engine import outputs as o
from simward.engine.watching.behind import Behind
from simward.engine.words import Lexicon, finding
from simward.fitting.daily import fit_copied
from simward.fitting.day_fits import InStep

MEMBERS, USUAL_DAYS = 440, 12


class Weeks:
    """USUAL_DAYS are as usual; after them `changed` says how many times as much by (day, member), days from 0 on."""

    def __init__(self, changed: Mapping[tuple[int, int], float], more_days: int = 3, budget: float = 0.02) -> None:
        self.behind = a_fleet(MEMBERS)
        later = {(USUAL_DAYS + day, member): factor for (day, member), factor in changed.items()}
        events = days_of(MEMBERS, USUAL_DAYS + more_days, later)
        step = InStep(self.behind.watch, BehaviourSettings(findings_a_day=budget), fit_copied)
        self.outputs = step.events(events, self.behind.gate.sequence + 1)

    def told(self, *kinds: int) -> list[dict[str, Any]]:
        """What was found, in words."""
        return words_of(self.behind, self.outputs[np.isin(self.outputs["kind"], kinds)])

    def began(self, detector: str) -> list[dict[str, Any]]:
        """What one detector found."""
        return [one for one in self.told(o.FINDING_BEGAN) if one["detector"] == detector]

    def of(self, member: int) -> list[dict[str, Any]]:
        """What was found of one member."""
        return [one for one in self.told(o.FINDING_BEGAN) if one["imsi"] and int(f"1{one['imsi']}") == IMSI + member]


def words_of(behind: Behind, outputs: np.ndarray) -> list[dict[str, Any]]:
    """Outputs of the watch as findings."""
    lexicon = Lexicon(lambda kernel: behind.watch.manifest())
    lexicon.policy(behind.gate.state.policy.to_bytes())
    return [finding(one, lexicon) for one in outputs]
