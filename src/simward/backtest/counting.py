"""What is counted of a backtest: cuts, what limits held and what was found, by use case, day and reason; no more."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from simward.backtest.acts import Numbering
from simward.backtest.tally import DEED, WOULD
from simward.engine import outputs as out

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
DISCONNECT_LEVEL = 6
"""In place of a response: a Disconnect, which has a limit of its own."""
WAITING_MAX = 65_536


class CutKey(NamedTuple):
    """What cuts are counted by; `both` says that the subscription was cut in the other world as well."""

    world: int
    both: int
    level: int
    detector: int
    class_number: int
    use_case: int
    day: int


class HeldKey(NamedTuple):
    """What a limit held is counted by: which limit (outputs.HELD_*), and what it held."""

    use_case: int
    held: int
    level: int


class Held:
    """How often, the first and the last time (us UTC), and on which days."""

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self.count = 0
        self.days: Counter[int] = Counter()


class Counts:
    """Bounded by use cases, days and reasons, never by events."""

    def __init__(self) -> None:
        self.cuts: Counter[CutKey] = Counter()
        self.hours: Counter[tuple[int, int, int]] = Counter()
        """(use case, level, hour since 1970) -> cuts that would have begun in it."""
        self.held: dict[HeldKey, Held] = {}
        self.found: Counter[tuple[int, int, int, int]] = Counter()
        """(world, use case, detector, class) -> findings that began."""
        self._deeds: list[np.ndarray] = []
        self._found: list[np.ndarray] = []
        self._waiting = 0

    def deeds(self, deeds: np.ndarray) -> None:
        """Add cuts that are over."""
        self._deeds.append(deeds.copy())
        self._waiting += len(deeds)
        if self._waiting >= WAITING_MAX:
            self.settle()

    def settle(self) -> None:
        """Count what waits."""
        deeds, found = np.concatenate([np.zeros(0, DEED), *self._deeds]), self._found
        self._deeds, self._found, self._waiting = [], [], 0
        names, counts = np.unique(np.concatenate([np.zeros(0, np.int64), *found]), return_counts=True)
        for name, count in zip(names.tolist(), counts.tolist()):
            self.found[name >> 32, name >> 16 & 0xFFFF, name >> 8 & 255, name & 255] += count
        columns = [deeds[name].astype(np.int64) for name in ("world", "both", "level", "detector", "class", "use_case")]
        for key, count in _counted(*columns, deeds["at"] // DAY_US):
            self.cuts[CutKey(*key)] += count
        would = deeds["world"] == WOULD
        hours = [deeds[name][would].astype(np.int64) for name in ("use_case", "level")]
        for (use_case, level, hour), count in _counted(*hours, deeds["at"][would] // HOUR_US):
            self.hours[use_case, level, hour] += count

    def outputs(self, world: int, outputs: np.ndarray, numbering: Numbering, use_cases: np.ndarray) -> None:
        """Add what was found, and (in the world that would be) what limits held. `use_cases`: of each output."""
        began = np.flatnonzero(outputs["kind"] == out.FINDING_BEGAN)
        if len(began):
            numbers, classes = outputs["detector"][began], outputs["class"][began]
            place = np.int64(world) << 32 | use_cases[began].astype(np.int64) << 16
            place |= numbering.detector[numbers].astype(np.int64) << 8 | numbering.classes[numbers, classes]
            self._found.append(place)
            self._waiting += len(began)
            if self._waiting >= WAITING_MAX:
                self.settle()
        if world == WOULD and outputs["held"].any():
            self._hold(outputs, use_cases)

    def _hold(self, outputs: np.ndarray, use_cases: np.ndarray) -> None:
        kinds, held = outputs["kind"], outputs["held"]
        disconnects = kinds == out.DISCONNECT
        told = (kinds == out.FINDING_BEGAN) | (kinds == out.FINDING_UPDATED) | disconnects
        chosen = np.flatnonzero(told & (held > 0))
        level = np.where(disconnects, DISCONNECT_LEVEL, outputs["wanted"])[chosen].astype(np.int64)
        at = outputs["at"][chosen]
        names = use_cases[chosen].astype(np.int64) << 40 | held[chosen].astype(np.int64) << 32 | level << 24
        names |= at // DAY_US
        found, first, counts = np.unique(names, return_index=True, return_counts=True)
        _, last = np.unique(names[::-1], return_index=True)  # outputs are in the order of time
        said = zip(found.tolist(), counts.tolist(), at[first].tolist(), at[::-1][last].tolist())
        for name, count, began, ended in said:
            one = self.held.setdefault(HeldKey(name >> 40, name >> 32 & 255, name >> 24 & 255), Held(began))
            one.count += count
            one.last = ended
            one.days[name & 0xFFFFFF] += count


def _counted(*columns: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
    """How often each combination of values stands beside each other."""
    if not len(columns[0]):
        return []
    found, counts = np.unique(np.column_stack(columns), axis=0, return_counts=True)
    return [(tuple(key), count) for key, count in zip(found.tolist(), counts.tolist())]
