"""Honest oddities of a network that loses, doubles and reorders packets."""

from __future__ import annotations

import numpy as np

from simward.engine import events as ev
from simward.lab.population import MINUTE_US, SECOND_US
from simward.lab.scenes.scene import Oddity
from simward.lab.scenes.stage import Stage
from simward.lab.sightings import Day


class Reordering(Oddity):
    """Packets overtake one another.

    Reports arrive late by up to eight minutes, after what came later. Stronger: more of them.
    """

    id = "reordering"
    on_the_way = True

    def alter(self, stage: Stage, day: Day) -> None:
        """Delay some accounting records."""
        late = stage.some(stage.of(day) & (day.events["kind"] != ev.ACCESS_REQUEST), 0.5 * stage.strength)
        day.events["received_at"][late] += (stage.rng.random(int(late.sum())) * 8 * MINUTE_US).astype(np.int64)


class Duplicates(Oddity):
    """Packets arrive twice.

    A lost answer makes the gateway send again, seconds later, and some networks double datagrams. Stronger: more.
    """

    id = "duplicates"
    on_the_way = True

    def alter(self, stage: Stage, day: Day) -> None:
        """The same once more, within seconds."""
        twice = day.events[stage.some(stage.of(day), 0.6 * stage.strength)]
        twice["received_at"] += (stage.rng.random(len(twice)) * 5 * SECOND_US).astype(np.int64)
        day.add(twice)


class _Lost(Oddity):
    """Records of one kind do not arrive."""

    on_the_way = True
    KIND = 0

    def alter(self, stage: Stage, day: Day) -> None:
        """Drop some of them."""
        day.drop(stage.some(stage.of(day) & (day.events["kind"] == self.KIND), 0.8 * stage.strength))


class LostStops(_Lost):
    """Stops are lost.

    The session ended, and nobody said so: the next one begins beside it. Stronger: more of them.
    """

    id = "lost-stops"
    KIND = ev.ACCOUNTING_STOP


class LostStarts(_Lost):
    """Starts are lost.

    A session's first report is an interim or its Stop. Stronger: more of them.
    """

    id = "lost-starts"
    KIND = ev.ACCOUNTING_START


class LostInterims(_Lost):
    """Interims are lost.

    Handovers go unseen: the next report is from further away. Stronger: more of them.
    """

    id = "lost-interims"
    KIND = ev.ACCOUNTING_INTERIM
