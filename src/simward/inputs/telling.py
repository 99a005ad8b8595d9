"""What a fold's outputs say, told once each as findings in words: those of the gate and those of the watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from simward.engine.fold import Fold
from simward.engine.outputs import FINDING_BEGAN, FINDING_ENDED, FINDING_UPDATED, VERDICT
from simward.engine.words import Findings, Lexicon

HELD_MAX = 20_000
"""Findings that are held so as to be told once, whole and in order; past it those that have ended are told first."""
INDEX_BITS = 16
IS_TOLD = np.isin(np.arange(256), (FINDING_BEGAN, FINDING_UPDATED, FINDING_ENDED, VERDICT))
"""By kind of output: is it of a finding, or said with one?"""

Tell = Callable[[dict[str, Any]], None]


class Telling:
    """The findings of one or more folds. `tell` gets each once: when it is over, or at last.

    `told_max`: so many findings of each fold are put into words, and the rest only counted (0: all).
    """

    def __init__(self, tell: Tell, told_max: int = 0) -> None:
        self.found: Counter[str] = Counter()
        """detector/class -> how many began."""
        self.outputs = 0
        self._tell, self._told_max = tell, told_max
        self._findings = Findings()
        self._told: dict[str, np.ndarray] = {}

    def take(self, outputs: np.ndarray, lexicon: Lexicon, fold: Fold) -> None:
        """Add what was decided; the texts of `fold` are what its numbers mean."""
        self.outputs += len(outputs)
        outputs = outputs[IS_TOLD[outputs["kind"]]]
        if not len(outputs):
            return
        lexicon.learn(fold.state.texts.name, fold.state.texts.count)
        began = outputs[outputs["kind"] == FINDING_BEGAN]
        classes, counts = np.unique(began[["detector", "class"]], return_counts=True)
        for (detector, number), count in zip(classes.tolist(), counts.tolist()):
            self.found[lexicon.reason(detector, number)] += count
        for _ in self._findings.take(self._to_be_told(outputs, lexicon.shard) if self._told_max else outputs, lexicon):
            pass
        if len(self._findings) > HELD_MAX:
            for one in self._findings.take_ended():
                self._tell(one)

    def finish(self) -> None:
        """Tell the findings that are still held."""
        for one in sorted(self._findings, key=lambda one: str(one["at"])):
            self._tell(one)
        self._findings = Findings()

    def _to_be_told(self, outputs: np.ndarray, shard: str) -> np.ndarray:
        """Without the rows of findings that are only counted."""
        began = outputs["kind"] == FINDING_BEGAN
        names = np.where(began, outputs["sequence"], outputs["opened_sequence"]) << INDEX_BITS
        names |= np.where(began, outputs["index"], outputs["opened_index"])
        told = self._told.get(shard, np.zeros(0, np.int64))
        room = max(0, self._told_max - len(told))
        self._told[shard] = told = np.concatenate([told, names[began][:room]])
        return outputs[np.isin(names, told) | (outputs["kind"] == VERDICT)]
