"""A made-up fleet of days: the daily features of subscriptions, honest and attacked, for measuring statistics alone.

Nothing of it is drawn from the detectors: a subscription has a level of its own, a week in common with its cohort,
noise that remembers yesterday and has heavy tails, bursts, absences and quiet days; some have a week of their own, some
are new.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simward.engine.behaviour.features import SHARED_LEAST
from simward.engine.behaviour.layouts import (
    BEHAVIOUR,
    CHANNELS,
    DOWN,
    FAILED,
    HOURS,
    SESSION_TIME,
    SESSIONS,
    SHARE_OFFSET,
    UP,
    UP_SHARE,
)

DAY_BEGAN = 20_000
"""Days since 1970-01-01 of its first day."""


@dataclass(frozen=True)
class Kind:
    """A cohort: how much its members' days vary (natural logarithm of octets), and how they behave otherwise."""

    daily_sd: float
    between_sd: float = 1.0
    freedom: float = 6.0  # of Student's t, of which the noise is
    memory: float = 0.3  # correlation of a day's noise with the day before
    week: float = 0.2  # how much a weekend differs, in common
    own_week: float = 0.1  # share of members with a week of their own
    sessions: float = 6.0
    quiet: float = 0.0  # share of days with nothing down
    burst: float = 0.0  # a day's chance of ten to thirty times as much down
    absent: float = 0.02


KINDS = (
    Kind(0.10, between_sd=0.4, sessions=1.2, quiet=0.3), Kind(0.15, sessions=2.0), Kind(0.2, memory=0.5),
    Kind(0.25, freedom=4.0), Kind(0.3, week=0.5, own_week=0.3), Kind(0.3, freedom=4.0, quiet=0.2, sessions=1.5),
    Kind(0.4, burst=1e-4), Kind(0.5, sessions=20.0), Kind(0.6, memory=0.5, absent=0.1),
    Kind(0.8, freedom=4.0, own_week=0.3),
)  # fmt: skip


class DayFleet:
    """A fleet whose days are made one after the other; the same seed, the same days.

    `kind_at` is the kind of each member; a kind is a use case with one model and one radio access.
    """

    def __init__(self, seed: int, members: int, kinds: tuple[Kind, ...] = KINDS, newcomers: float = 0.05) -> None:
        self.chance, self.kinds, self.members = np.random.default_rng(seed), kinds, members
        self.kind_at = np.arange(members) % len(kinds)
        draw = self.chance
        names = Kind.__dataclass_fields__
        of = {name: np.array([getattr(kind, name) for kind in kinds])[self.kind_at] for name in names}
        self.daily_sd, self.freedom, self.memory, self.week = of["daily_sd"], of["freedom"], of["memory"], of["week"]
        self.quiet, self.burst, self.absent = of["quiet"], of["burst"], of["absent"]
        self.level = 10.0 + of["between_sd"] * draw.standard_normal(members)
        self.ratio = -1.0 + 0.5 * draw.standard_normal(members)
        self.sd = self.daily_sd * np.exp(0.2 * draw.standard_normal(members) - 0.02)
        self.rate = of["sessions"] * np.exp(0.2 * draw.standard_normal(members))
        self.weekend = np.where(draw.random(members) < of["own_week"], 0.4 * draw.standard_normal(members), 0.0)
        self.begins = np.where(draw.random(members) < newcomers, draw.integers(0, 60, members), 0)
        self.noise = np.zeros((2, members))
        self.common = np.zeros((2, len(kinds)))
        self.day = DAY_BEGAN
        self.rows = np.zeros(members, BEHAVIOUR)
        self.rows["tac"], self.rows["rat"] = 35_000_000 + self.kind_at, 6
        self.use_cases = self.kind_at.astype(np.int64)
        self.tenants = np.zeros(len(kinds), np.int64)

    def _shock(self) -> np.ndarray:
        draw, n = self.chance, self.members
        chi = draw.standard_gamma(self.freedom / 2) * 2
        student = draw.standard_normal(n) * np.sqrt(self.freedom / chi) * np.sqrt((self.freedom - 2) / self.freedom)
        return np.asarray(student)

    def amounts(self) -> np.ndarray:
        """The next day's amounts (members x CHANNELS, not yet logarithms); a member that is not there has -1."""
        draw, n = self.chance, self.members
        is_weekend = (self.day + 3) % 7 >= 5
        self.common = 0.8 * self.common + 0.03 * draw.standard_normal(self.common.shape)
        shared = self._shock()
        for which in range(2):
            fresh = 0.8 * shared + 0.6 * self._shock()
            self.noise[which] = self.memory * self.noise[which] + np.sqrt(1 - self.memory**2) * fresh
        week = is_weekend * (self.weekend - self.week)
        up = self.level + week + self.common[0][self.kind_at] + self.sd * self.noise[0]
        down = self.level + self.ratio + week + self.common[1][self.kind_at] + self.sd * self.noise[1]
        down = down + np.where(draw.random(n) < self.burst, np.log(10 + 20 * draw.random(n)), 0.0)
        made = np.zeros((n, CHANNELS))
        made[:, UP], made[:, DOWN] = np.exp(up), np.exp(down)
        made[draw.random(n) < self.quiet, DOWN] = 0
        sessions = np.maximum(1, draw.poisson(self.rate * np.exp(0.5 * week + 0.3 * self.sd * shared)))
        made[:, SESSIONS] = sessions
        made[:, SESSION_TIME] = sessions * 60 * np.exp(0.3 * self.sd * shared + 0.1 * draw.standard_normal(n))
        made[:, HOURS] = np.minimum(24, 1 + draw.binomial(23, 1 - np.exp(-sessions / 24)))
        made[:, FAILED] = draw.poisson(0.02, n) + np.where(draw.random(n) < 0.002, draw.poisson(5, n), 0)
        away = (draw.random(n) < self.absent) | (self.day - DAY_BEGAN < self.begins)
        made[away] = -1
        self.day += 1
        return made

    def next(self) -> int:
        """Write the next day's features into `rows`, and its amounts into `made`; returns the day."""
        self.made = self.amounts()
        heard = self.made[:, UP] >= 0
        self.rows["features"][heard] = features_of(self.made[heard])
        self.rows["features_day"][heard] = self.day - 1
        return self.day - 1


def features_of(amounts: np.ndarray) -> np.ndarray:
    """What the fold makes of amounts: log2(1 + v) in 1/1024, and of up and down what goes up for each octet down."""
    features = np.rint(1024 * np.log2(1 + np.floor(np.maximum(amounts, 0)))).astype(np.int64)
    up, down = features[:, UP], features[:, DOWN]
    features[:, UP_SHARE] = np.where(np.minimum(up, down) < SHARED_LEAST, 0, np.maximum(SHARE_OFFSET + up - down, 1))
    return features.astype(np.uint16)
