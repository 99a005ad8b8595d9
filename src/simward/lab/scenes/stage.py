"""Where a scene is played: its victims among a population, its strength, its time, and what it has to remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.engine import events as ev
from simward.lab.population import DAY_US, PERSON, Population
from simward.lab.sightings import Day


@dataclass
class Stage:
    """One scene of a performance. Times are microseconds since 1970."""

    population: Population
    victims: np.ndarray
    """Numbers of the subscriptions that it concerns."""
    accomplices: np.ndarray
    """As many others: for attacks that take two SIMs."""
    strength: float
    begins_at: int
    ends_at: int
    """When the performance ends."""
    rng: np.random.Generator
    people: np.ndarray = field(default_factory=lambda: np.zeros(0, PERSON))
    """PERSON rows of the victims as they were when the scene began (for strangers: made up)."""
    began_at: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """When the first event of the attack on each victim arrived."""
    until: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Until when nothing is heard of each victim's own device."""
    pending: np.ndarray = field(default_factory=lambda: ev.empty(0))
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> np.ndarray:
        """The population's columns."""
        return self.population.rows

    def begins_within(self, day: Day) -> bool:
        """Is this the day on which the scene begins?"""
        return day.begins_at <= self.begins_at < day.begins_at + DAY_US

    def has_begun(self, day: Day) -> bool:
        """Is this that day, or a later one?"""
        return day.begins_at + DAY_US > self.begins_at

    def of(self, day: Day, since: int | None = None) -> np.ndarray:
        """Which events of the day are about the victims, from `since` (else the beginning of the scene) on? bool."""
        start = self.begins_at if since is None else since
        found = day.of(self.victims)
        if start > day.begins_at:
            found &= day.events["received_at"] >= start
        return found

    def some(self, which: np.ndarray, share: float) -> np.ndarray:
        """A random share of the events marked in `which`. bool."""
        found: np.ndarray = which & (self.rng.random(len(which)) < share)
        return found
