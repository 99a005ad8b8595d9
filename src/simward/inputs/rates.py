"""How many findings there are for the days that subscriptions lived: the figures by which false alarms are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from simward.engine.events import TICK
from simward.inputs.known_ids import KnownIds

DAY_US = 86_400_000_000
GROUPS = {
    "clones": (("cloned-subscription", "copied-device"), 10_000),
    "impossible_travel": (("impossible-travel",), 10_000),
    "statistical": (("unusual-behaviour", "cohort-shift"), 1_000),
}
"""What is counted together, and for how many subscription-days its rate is told."""
WORDS = {
    "clones": "clones (cloned-subscription, copied-device)",
    "impossible_travel": "impossible travel",
    "statistical": "statistical (unusual-behaviour, cohort-shift)",
}


class SubscriptionDays:
    """Counts the days (UTC) on which each subscription sent or asked for something, added up over all."""

    def __init__(self) -> None:
        self._before, self._day, self._today = 0, -1, KnownIds()

    @property
    def count(self) -> int:
        """So far."""
        return self._before + self._today.count

    def take(self, events: np.ndarray) -> None:
        """Count the days of EVENT rows in the order of time; memory is that of one day's IMSIs."""
        imsis = events["imsi"]
        told = (events["kind"] != TICK) & (imsis != 0)
        imsis, days = imsis[told], events["received_at"][told] // DAY_US
        while len(days):
            first = int(np.searchsorted(days, days[0], side="right"))
            if days[0] != self._day:
                self._before, self._day, self._today = self.count, int(days[0]), KnownIds()
            self._today.add(imsis[:first])
            imsis, days = imsis[first:], days[first:]


def rates(found: Counter[str], subscription_days: int) -> dict[str, dict[str, Any]]:
    """For each of GROUPS: findings, and how many in so many subscription-days (None where there are no days)."""
    told = {}
    for group, (detectors, each) in GROUPS.items():
        findings = sum(count for name, count in found.items() if name.partition("/")[0] in detectors)
        rate = round(findings * each / subscription_days, 3) if subscription_days else None
        told[group] = {"findings": findings, "rate": rate, "in_subscription_days": each}
    return told


def sentences(told: dict[str, dict[str, Any]], subscription_days: int) -> Iterator[str]:
    """The same in words."""
    if not subscription_days:
        return
    yield f"{subscription_days:,} subscription-days (days on which a subscription did something). Findings in them:"
    for group, one in told.items():
        rate = f"{one['rate']:g} in {one['in_subscription_days']:,} subscription-days"
        yield f"  {WORDS[group]}: {one['findings']:,}, which is {rate}"
