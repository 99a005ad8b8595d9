"""People's judgements of recorded findings, brought beside the cuts that would have been."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simward.backtest.acts import Numbering
from simward.backtest.ports import OUTCOMES, Judgement
from simward.backtest.tally import PERSON, WOULD
from simward.engine import outputs as out
from simward.engine.words import SHARD
from simward.errors import UsageError

NEAR_US = 600_000_000
"""A finding and a cut of one subscription by one detector are about the same where they overlap, or nearly (10 min)."""
INDEXES = 65_536


@dataclass(slots=True)
class _Judged:
    outcome: str
    began: int
    ended: int


class Judged:
    """Bounded by how many judgements there are. Feed it the record's outputs, then the cuts that are over."""

    def __init__(self, judgements: Iterable[Judgement]) -> None:
        self._outcomes: dict[int, str] = {}
        for one in judgements:
            if one.outcome not in OUTCOMES:
                raise UsageError(f"finding {one.finding} is judged {one.outcome!r}: one of {', '.join(OUTCOMES)}")
            shard, sequence, index = one.finding.split("/")
            if shard == SHARD:  # what the watch found cuts nobody
                self._outcomes[int(sequence) * INDEXES + int(index)] = one.outcome
        self._wanted = np.array(sorted(self._outcomes), np.int64)
        self._open: dict[int, _Judged] = {}
        self._of: dict[tuple[int, int], list[_Judged]] = {}
        self.total = len(self._outcomes)
        self.cuts: Counter[tuple[int, str]] = Counter()
        """(use case, outcome) -> cuts that would have been, and whose recorded finding was judged so."""
        self.people: dict[int, str] = {}
        """Person -> the outcome of its newest such cut."""

    def record(self, outputs: np.ndarray, numbering: Numbering) -> None:
        """Take recorded outputs: when judged findings began and ended, and whose they are."""
        if not self.total:
            return
        kinds = outputs["kind"]
        began, ended = kinds == out.FINDING_BEGAN, kinds == out.FINDING_ENDED
        names = np.where(began, outputs["sequence"] * INDEXES + outputs["index"],
                         outputs["opened_sequence"] * INDEXES + outputs["opened_index"])  # fmt: skip
        for at in np.flatnonzero((began | ended) & np.isin(names, self._wanted)).tolist():
            name, when = int(names[at]), int(outputs["at"][at])
            if began[at]:
                one = self._open[name] = _Judged(self._outcomes[name], when, 0)
                key = int(outputs["imsi"][at]), int(numbering.detector[outputs["detector"][at]])
                self._of.setdefault(key, []).append(one)
            elif name in self._open:
                self._open.pop(name).ended = when

    def deeds(self, deeds: np.ndarray, people: np.ndarray) -> None:
        """Take cuts that are over: were the findings that caused them judged?"""
        if not self.total:
            return
        assert people.dtype == PERSON
        for deed in deeds[deeds["world"] == WOULD]:
            number = int(deed["person"])
            near = self._of.get((int(people["imsi"][number]), int(deed["detector"])), [])
            at, until = int(deed["at"]), int(deed["until"])
            for one in reversed(near):
                if one.began - NEAR_US <= until and (not one.ended or one.ended + NEAR_US >= at):
                    self.cuts[int(deed["use_case"]), one.outcome] += 1
                    self.people[number] = one.outcome
                    break
