"""Takes verdicts on findings of behaviour: looked up in the watch's journal, they become inputs of its fold."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from simward.engine import verdict_files
from simward.engine.behaviour.cohort_numbers import MANY, cohort_of
from simward.engine.journal import FINDINGS, Journal, row_outputs
from simward.engine.verdict_files import Verdict
from simward.engine.watching.fold import WatchFold
from simward.engine.watching.own_inputs import VERDICT, OwnInput
from simward.logs import called

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
DAY_S = 86_400
COHORT_BITS, BITS_LEAST, BITS_MOST = 20, 16, 255
"""A cohort is allowed so many bits more; a device sixteen and twice the evidence against it: what it goes on doing adds
up over days, until it is what it is known for."""
DETECTORS = ("unusual-behaviour", "cohort-shift")


class Verdicts:
    """`next` gives one at a time; `done` once it is journalled."""

    def __init__(self, data_dir: Path, watch: WatchFold, own: Journal, benign_for_s: int) -> None:
        self._data_dir, self._watch, self._own, self._benign_for_s = data_dir, watch, own, benign_for_s
        self._looked_at = float("-inf")
        self._waiting: tuple[Path, Verdict] | None = None
        self.taken = self.dropped = 0

    def next(self, now: float) -> OwnInput | None:
        """One that is to be journalled now: it counts from the day that is being followed. `now` (s, any clock):
        looked for once a second."""
        if self._waiting is None and now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            for path, verdict in verdict_files.waiting(self._data_dir):
                if verdict is not None and self._input(verdict) is not None:
                    self._waiting = path, verdict
                    break
                self.dropped += 1
                log.warning(
                    "the verdict %s is about no finding of behaviour that is known", path.name,
                    extra=called("verdict-dropped"),
                )
                path.unlink(missing_ok=True)
        return None if self._waiting is None else self._input(self._waiting[1])

    def done(self) -> None:
        """It is durable: the file has done its duty."""
        if self._waiting is not None:
            self._waiting[0].unlink(missing_ok=True)
        self._waiting = None
        self.taken, self._looked_at = self.taken + 1, float("-inf")

    def _input(self, verdict: Verdict) -> OwnInput | None:
        output = finding_output(self._own, *verdict.place)
        if output is None or not can_be_judged(output):
            return None
        for_s = self._benign_for_s if verdict.for_s is None else verdict.for_s
        today = self._watch.now // 1_000_000 // DAY_S
        said: dict[str, Any] = {
            "finding": verdict.finding, "because": verdict.because, "by": verdict.by,
            "until_day": today + -(-for_s // DAY_S) if for_s else 0,
        }  # fmt: skip
        if output["imsi"]:
            bits = min(BITS_LEAST + -(-2 * int(output["now"]) // 256), BITS_MOST)
            return OwnInput(VERDICT, {**said, "imsi": int(output["imsi"]), "bits": bits if for_s else 0})
        bits = COHORT_BITS if for_s else 0
        return OwnInput(VERDICT, {**said, "cohort": list(cohort_of(int(output["subject"]))), "bits": bits})


def finding_output(own: Journal, sequence: int, index: int) -> np.ndarray | None:
    """The output with which a finding of behaviour began, in the watch's journal; None where it is none of these."""
    for row in own.rows(after=sequence - 1):
        if row.first > sequence or row.kind != FINDINGS:
            return None
        outputs = row_outputs(row, own.layouts)
        found = outputs[(outputs["sequence"] == sequence) & (outputs["index"] == index)]
        names = [one["id"] for one in own.manifest(row.kernel).get("detectors", ())]
        if not len(found) or names[int(found[0]["detector"])] not in DETECTORS:
            return None
        one: np.ndarray = found[0]
        return one
    return None


def can_be_judged(output: np.ndarray) -> bool:
    """Is it about one subscription or one cohort? Those that are told as one, since they are many, are neither."""
    return bool(output["imsi"]) or int(output["subject"]) != MANY
