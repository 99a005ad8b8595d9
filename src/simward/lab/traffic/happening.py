"""What happens to members besides their days: its label, whom it befalls, how strongly, and what should be said of it.

A happening knows nothing of detectors but names: `expects` are those that should say so, whether or not they are
installed yet, `also` those that are right if they do. What it does to a day follows from `strength` alone, a multiple
of what is usual for the victim or of what its owner declared, never of what a detector waits for.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.lab.traffic.day import Day
from simward.lab.traffic.kinds import BUTTON, KINDS
from simward.lab.traffic.members import DAY_US, Members

EVERY_KIND = tuple(one.name for one in KINDS if one.name != BUTTON)
FAST, SLOW = "fast", "slow"
DATA_AN_HOUR, DATA_A_DAY, SMS_A_DAY, NO_DATA = "data_an_hour", "data_a_day", "sms_allowed", "no data"
"""What an owner declares of a kind that a happening may pass: fields of kinds.Kind, and a service that it has not."""


@dataclass
class Act:
    """A happening once: to whom, when (us), how strongly."""

    happening: Happening
    members: Members
    who: np.ndarray
    begins_at: int
    ends_at: int
    strength: float
    pace: str
    rng: np.random.Generator
    number: int = 0
    """Of all acts of a programme."""
    imsis: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Whom findings about it name: its victims, and strangers that it brings."""
    memory: dict[str, Any] = field(default_factory=dict)
    began_at: int = 0
    """When its first act happened, us; 0 = not yet."""
    shown_at: int = 0
    """When that arrived by which anybody could know, where this is later: the record that passes a budget."""

    def __post_init__(self) -> None:
        self.imsis = self.members.rows["imsi"][self.who]

    def begins_on(self, day: Day) -> bool:
        """Is this its first day?"""
        return day.begins_at <= self.begins_at < day.ends_at

    def ends_on(self, day: Day) -> bool:
        """Is this its last day?"""
        return day.begins_at < self.ends_at <= day.ends_at

    def touches(self, day: Day) -> bool:
        """Does any of it lie in the day?"""
        return self.begins_at < day.ends_at and self.ends_at > day.begins_at

    def part(self, day: Day) -> tuple[int, int]:
        """What of it lies in the day, us."""
        return max(self.begins_at, day.begins_at), min(self.ends_at, day.ends_at)

    def days_in(self, day: Day) -> float:
        """For how long it has lasted at the end of the day."""
        return (min(self.ends_at, day.ends_at) - self.begins_at) / DAY_US

    def note(self, at: Any) -> None:
        """Something of it happens at these times (us)."""
        first = int(np.min(at)) if np.size(at) else 0
        if first and (not self.began_at or first < self.began_at):
            self.began_at = first


class Happening(ABC):
    """One kind of happening. Its docstring says what it is; the first line is its title."""

    id = ""
    honest = False
    """Nothing is wrong with it: findings about it inform, and others are false."""
    kinds: tuple[str, ...] = EVERY_KIND
    """Whom it befalls."""
    expects: tuple[str, ...] = ()
    """`detector` or `detector/class`: each should say so."""
    also: tuple[str, ...] = ()
    """These are right if they say so."""
    strengths: tuple[float, ...] = (2.0, 10.0, 100.0)
    paces: tuple[str, ...] = ("",)
    lasts_days = 3.0
    breaks = ""
    """Which of the declared limits it passes (DATA_AN_HOUR, ...): when that can be known is reckoned from the records
    that arrive (measuring/knowable.py); "" = none."""
    group = ""
    """Its victims are all those who have this in common ("cell", "model", "gateway", "kind"), and one finding about
    that says it all; "" = it befalls one member at a time."""
    from_midnight = False
    """It begins with a day."""
    echoes_days = 3.0
    """For so long after its end findings may still tell of it."""
    few = 0
    """Of a group, it befalls so many; 0 = all."""
    members_least = 0
    """Of a group, for anybody to see it."""

    @property
    def doc(self) -> str:
        """What it is."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @property
    def title(self) -> str:
        """One line."""
        return self.doc.splitlines()[0].rstrip(".")

    def names(self, detector: str, class_name: str) -> bool:
        """Is a detector right that finds this class of it?"""
        wanted = (*self.expects, *self.also)
        return detector in wanted or f"{detector}/{class_name}" in wanted

    def lasts(self, pace: str) -> float:
        """How many days."""
        return self.lasts_days * (5.0 if pace == SLOW else 1.0)

    def before(self, act: Act, day: Day) -> None:  # noqa: B027 - most change nobody
        """Before the honest sessions of the day are made: change what members are."""

    @abstractmethod
    def alter(self, act: Act, day: Day) -> None:
        """Change the day's sessions and calls."""
