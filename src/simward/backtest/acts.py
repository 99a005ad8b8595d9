"""Outputs of a fold or of the record as acts: what cuts a subscription, what lets it in, what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simward.backtest.tally import ACT, CHANGED, CUT, FINDING_OVER, FOUND, LET_IN
from simward.detectors import of_gate, of_watch
from simward.detectors.detector import LOCK, QUARANTINE, REFUSE, DetectorModule
from simward.engine import outputs as out
from simward.engine.events import COMMAND_DISCONNECT, COMMAND_LOCK, COMMAND_QUARANTINE

NO_ACTS = np.zeros(0, ACT)
WATCH_FROM = 128
"""Detectors of the watch are numbered from here on."""
PERSON_NUMBER, GONE_NUMBER = 254, 255
"""In place of a detector: a person ordered it; a detector that this version does not have."""
BY_PERSON, BY_OTHER_VERSION = "person", "detector-of-another-version"
CLASSES_ROOM = 256

WHAT = np.zeros(256, np.uint8)
for _kind, _what in (
    (out.VERDICT, CUT), (out.LOCKED, CUT), (out.CONFINED, CUT), (out.DISCONNECT, CUT), (out.CHANGE, CUT),
    (out.RELEASED, LET_IN),
    (out.FINDING_BEGAN, FOUND), (out.FINDING_UPDATED, CHANGED), (out.FINDING_ENDED, FINDING_OVER),
):  # fmt: skip
    WHAT[_kind] = _what
LEVEL = np.zeros(256, np.uint8)
LEVEL[[out.LOCKED, out.DISCONNECT, out.CHANGE, out.CONFINED]] = LOCK, REFUSE, QUARANTINE, QUARANTINE
BY_COMMAND = (*range(COMMAND_LOCK, COMMAND_DISCONNECT + 1), COMMAND_QUARANTINE)
"""Kinds of events that a person or a program ordered, about one subscription."""


class Numbering:
    """How the detectors and classes of one kernel are numbered by today's; `about_one` says whose findings are about
    one subscription."""

    def __init__(self, manifest: Mapping[str, Any], detectors: Sequence[DetectorModule] | None = None) -> None:
        """`detectors`: the watch's, where the kernel is one of its own; else the gate's."""
        self.detector = np.full(256, GONE_NUMBER, np.uint8)
        self.classes = np.zeros((256, CLASSES_ROOM), np.uint8)
        self.about_one = np.zeros(256, bool)
        known, begin = (of_gate(), 0) if detectors is None else (detectors, WATCH_FROM)
        today = {one.id: (number, ("", *one.classes)) for number, one in enumerate(known, begin)}
        for number, said in enumerate(manifest.get("detectors", ())):
            self.about_one[number] = said.get("scope", "subscription") == "subscription"
            if said["id"] not in today:
                continue
            self.detector[number], names = today[said["id"]]
            for at, name in enumerate(said["classes"]):
                self.classes[number, at] = names.index(name) if name in names else 0


def reason(detector: int, class_number: int) -> str:
    """`detector/class` as policy spells it, of today's numbers."""
    if detector in (PERSON_NUMBER, GONE_NUMBER):
        return BY_PERSON if detector == PERSON_NUMBER else BY_OTHER_VERSION
    one = of_watch()[detector - WATCH_FROM] if detector >= WATCH_FROM else of_gate()[detector]
    return f"{one.id}/{one.classes[class_number - 1]}" if class_number else one.id


def acts_of(outputs: np.ndarray, numbering: Numbering, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """ACT rows of those outputs that matter here; `positions` of their events and `rows` of their subscriptions."""
    kinds = outputs["kind"]
    what = WHAT[kinds]
    finding = what >= FINDING_OVER
    wanted = (what > 0) & (rows >= 0) & (~finding | numbering.about_one[outputs["detector"]])
    wanted &= ~((kinds == out.DISCONNECT) | (kinds == out.CHANGE)) | (outputs["held"] == 0)
    if not wanted.any():
        return NO_ACTS
    chosen, kinds = outputs[wanted], kinds[wanted]
    acts = np.zeros(len(chosen), ACT)
    acts["position"], acts["row"], acts["what"] = positions[wanted], rows[wanted], what[wanted]
    acts["level"] = LEVEL[kinds]
    answered = kinds == out.VERDICT
    acts["level"][answered] = np.where(chosen["verdict"][answered] == out.REJECT, REFUSE, QUARANTINE)
    acts["detector"] = numbering.detector[chosen["detector"]]
    acts["class"] = numbering.classes[chosen["detector"], chosen["class"]]
    ordered = np.isin(chosen["event_kind"], BY_COMMAND)
    acts["detector"][ordered & (acts["what"] == CUT)] = PERSON_NUMBER
    acts["what"][(kinds == out.CHANGE) & (chosen["result"] == out.OUT_OF_QUARANTINE)] = LET_IN
    return acts
