"""What a scene declares: its documentation, whom it concerns, what must be found or may not be, and its events."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from simward.detectors import installed as detectors
from simward.lab.fleet import USE_CASES, WATER_METER
from simward.lab.population import DAY_US, HOUR_US
from simward.lab.scenes.enacting import enacted
from simward.lab.scenes.stage import Stage
from simward.lab.scripts import ACCOMPLICE, Act, Script, Wanted
from simward.lab.sightings import Day

ATTACK, HONEST = "attack", "honest"


class Scene:
    """A named part of a performance. Its docstring is its documentation; the first line is its title.

    `before` and `alter` are called once a day, for every scene in turn: before the honest events of the day are made
    (to change what people are), and after (to change, drop or add events).
    """

    id = ""
    kind = HONEST
    use_cases: tuple[str, ...] = USE_CASES
    """Whose members it concerns."""
    on_the_way = False
    """It happens to packets after they were sent, so it comes after whatever changes what they say."""
    everybody = False
    """It concerns all of them, not a few."""
    lasts_h = 0.0
    """How long, at full strength; 0: to the end, or not said."""
    silences: int | None = None
    """The gateway (position in population.GATEWAYS) of which nothing is heard meanwhile."""

    @property
    def doc(self) -> str:
        """Its documentation."""
        return (type(self).__doc__ or "").strip()

    @property
    def title(self) -> str:
        """One line."""
        return self.doc.splitlines()[0].rstrip(".")

    def ends_at(self, stage: Stage) -> int:
        """When it is over, us."""
        return stage.begins_at + int(self.lasts_h * stage.strength * HOUR_US) if self.lasts_h else stage.ends_at

    def fits(self, stage: Stage) -> bool:
        """Are there enough whom it concerns, for anybody to see it?"""
        return len(stage.victims) > 0 or len(stage.people) > 0

    def prepare(self, stage: Stage) -> None:
        """Before the first day: put the victims where the scene needs them."""

    def before(self, stage: Stage, begins_at: int) -> None:
        """Before the events of the day that begins then are made."""

    def alter(self, stage: Stage, day: Day) -> None:
        """Change the events of a day."""


class Attack(Scene):
    """Something that must be caught. `strength`: 1 is blunt, lower is subtler.

    Over RADIUS the acts of full strength are played, and `wanted`, `disconnect` and `did` say what must come of it.
    """

    kind = ATTACK
    use_cases: tuple[str, ...] = (WATER_METER,)
    catches: tuple[str, ...] = ()
    """Any of these must be found about each victim: `detector` or `detector/class`."""
    also: tuple[str, ...] = ()
    """May be found about the victims too."""
    mutes = True
    """Nothing is heard of the victim's own device from the first act to the last; then it goes on as before."""
    keeps = False
    """The attacker keeps the SIM: the victim's own device is not heard of again."""
    one_finding = False
    """A whole gateway or cell is the victim: one finding says it all, while it lasts."""
    stranger = ""
    """"unknown": a SIM of no inventory; "suspended": the one that the inventory suspends; "no-data": one whose use case
    has no data."""
    live = True
    """Can be played over RADIUS, in seconds."""
    live_acts = 99
    """So many of its acts are played over RADIUS: what comes after the first answer to it only repeats it."""
    radius_only = False
    rank = 0
    """The demo shows those of the lowest rank; 0 = never shown."""
    wanted: tuple[Wanted, ...] = ()
    disconnect = ""
    gateway = "pgw1"
    did = ""

    @abstractmethod
    def acts(self, strength: float) -> tuple[Act, ...]:
        """What is sent, in order."""

    @property
    def takes_two(self) -> bool:
        """Does it take an accomplice's SIM?"""
        return any(act.sim == ACCOMPLICE for act in self.acts(1.0))

    @property
    def is_installed(self) -> bool:
        """Is there a detector that could catch it? Forged packets need none."""
        if self.radius_only:
            return True
        known = {one.id: one.classes for one in detectors()}
        for name in self.catches:
            detector, _, cls = name.partition("/")
            if detector in known and (not cls or cls in known[detector]):
                return True
        return False

    def script(self) -> Script:
        """It, as it is played over RADIUS."""
        return Script(
            self.id, self.title, self.stranger or self.use_cases[0], self.acts(1.0)[: self.live_acts], self.wanted,
            self.disconnect, self.gateway, self.did,
        )  # fmt: skip

    def alter(self, stage: Stage, day: Day) -> None:
        """Put the acts among the events of the day, and silence what cannot be heard meanwhile."""
        if not stage.has_begun(day):
            return
        if stage.begins_within(day):
            if not self.stranger:
                stage.people = stage.rows[stage.victims].copy()
            stage.pending = enacted(stage, self.acts(stage.strength))
            last = int(stage.pending["received_at"].max(initial=stage.begins_at))
            stage.until = np.full(len(stage.people), stage.ends_at if self.keeps else last + 1, np.int64)
        if self.mutes and not self.stranger:
            self.mute(stage, day)
        now = stage.pending["received_at"] < day.begins_at + DAY_US
        day.add(stage.pending[now])
        stage.pending = stage.pending[~now]

    def mute(self, stage: Stage, day: Day) -> None:
        """Drop the events of the victims' (and accomplices') own devices while somebody else has the SIM."""
        began = np.zeros(len(stage.population), np.int64)
        until = np.zeros(len(stage.population), np.int64)
        for whose in (stage.victims, stage.accomplices):
            began[whose] = stage.began_at[: len(whose)]
            until[whose] = stage.until[: len(whose)]
        at = day.events["received_at"]
        day.drop((day.who >= 0) & (at >= began[day.who]) & (at < until[day.who]))


class Oddity(Scene):
    """Something honest at which no detector may claim a theft or a move. `strength`: 1 is the whole oddity."""

    kind = HONEST
    informs: tuple[str, ...] = ()
    """What may be found, since it is true and claims no theft: `detector` or `detector/class`."""
    live = True
    """Can be played over RADIUS: it does not live on hours or days between packets."""
