"""Attacks that show in what is not heard: one device, a cell, a model."""

from __future__ import annotations

from simward.lab.traffic.day import Day
from simward.lab.traffic.happening import Act, Happening
from simward.lab.traffic.kinds import CAMERA, LIFT, METER
from simward.lab.traffic.members import SECOND_US


class SilenceAlone(Happening):
    """One device is not heard of any more: destroyed, jammed, or its SIM cut off.

    Stronger: for longer, that many days.
    """

    id = "silence-alone"
    kinds = (METER, CAMERA, LIFT)
    expects = ("silent",)
    also = ("unusual-behaviour", "cell-silent")
    strengths = (4.0, 8.0)

    def lasts(self, pace: str) -> float:
        """At most so many days; the strength says how many."""
        return max(self.strengths)

    def alter(self, act: Act, day: Day) -> None:
        """Nothing."""
        until = min(act.ends_at, act.begins_at + int(act.strength * 86_400) * SECOND_US)
        since, ends = act.part(day)
        if since < until:
            day.mute(act.who, since, min(ends, until))
            act.note(act.begins_at)


class SilenceOfCell(Happening):
    """A cell is jammed or cut off: nothing of what is always on there is heard."""

    id = "silence-of-a-cell"
    kinds: tuple[str, ...] = (CAMERA, LIFT)
    expects = ("cell-silent",)
    also = ("silent", "unusual-behaviour", "cohort-shift")
    group = "cell"
    members_least = 10
    strengths = (2.0,)
    lasts_days = 2.0

    def alter(self, act: Act, day: Day) -> None:
        """Nothing."""
        day.mute(act.who, *act.part(day))
        act.note(act.begins_at)


class SilenceOfModel(SilenceOfCell):
    """All devices of one model fall silent within minutes: a firmware that an attacker has bricked."""

    id = "silence-of-a-model"
    kinds = (CAMERA,)
    group = "model"
    members_least = 20
