"""Both folds, as the product runs them, over made-up events and records: every finding that began, and what it cost.

Call detail records are folded among the events at the moment at which their file comes, and days are fitted in step
with the fold, so that nothing depends on how fast the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simward.behaviour_settings import BehaviourSettings
from simward.detectors.detector import GROUP_SCOPES
from simward.engine import events as ev
from simward.engine import outputs as out
from simward.engine.call_records import RECORD
from simward.engine.fold import Fold
from simward.engine.watching import compose
from simward.engine.watching.fold import WatchFold
from simward.fitting.daily import fit_copied
from simward.fitting.day_fits import InStep
from simward.lab.traffic.expanding import PLMN_NUMBERS, Texts
from simward.lab.traffic.kinds import APNS
from simward.lab.traffic.members import BEGINS_AT, DAY_US, GATEWAYS
from simward.lab.traffic.programme import MadeDay

FOLLOWED_AT_ONCE = 8_192
FINDINGS_A_DAY = 5.0
FINDING = np.dtype(
    [
        ("at", "i8"),
        ("imsi", "i8"),  # 0 = it is about a group
        ("subject", "i8"),  # which: the key of the group (a cell, a TAC, ...)
        ("gateway", "i4"),
        ("group_kind", "u1"),  # as in engine/watching/layouts.py; 0 = not a group of the watch's
        ("detector", "u1"),  # position among all of the gate's and then the watch's
        ("class", "u1"),
        ("spare", "u1"),
    ]
)


@dataclass
class Cost:
    """What a fold took for its inputs."""

    inputs: int = 0
    """Ticks left out."""
    seconds: float = 0.0
    """With what ticks took: sweeps over the subscriptions are part of the price."""

    def took(self, inputs: int, since: float) -> None:
        """So many more, since a moment of this thread's processor time: what others do beside it is not counted."""
        self.seconds += time.thread_time() - since
        self.inputs += inputs

    @property
    def nanoseconds_each(self) -> float:
        """For each input."""
        return self.seconds / self.inputs * 1e9 if self.inputs else 0.0


@dataclass
class Heard:
    """What both folds said."""

    names: list[tuple[str, str]]
    """`(detector, class)` of `detector * 16 + class`."""
    runs: dict[str, str]
    """Detector -> gate or watch."""
    use_cases: list[str]
    """By their numbers in cohorts."""
    findings: np.ndarray = field(default_factory=lambda: np.zeros(0, FINDING))
    gate: Cost = field(default_factory=Cost)
    watch: Cost = field(default_factory=Cost)
    records: Cost = field(default_factory=Cost)
    writing_s: float = 0.0
    """For the traffic itself, not its folding."""

    def name(self, finding: Any) -> tuple[str, str]:
        """`(detector, class)`."""
        return self.names[int(finding["detector"]) * 16 + int(finding["class"])]


def without_ticks(events: np.ndarray) -> int:
    """How many are no ticks."""
    return int(np.count_nonzero(events["kind"] != ev.TICK))


class Judges:
    """The gate's fold, and the watch's behind it."""

    def __init__(self, fold: Fold, findings_a_day: float = FINDINGS_A_DAY) -> None:
        """`findings_a_day`: the alarm budget of statistical findings, for the whole fleet."""
        self.fold, self.watch = fold, WatchFold(fold)
        self._in_step = InStep(self.watch, BehaviourSettings(findings_a_day=findings_a_day), fit_copied)
        gate, watch = fold.manifest()["detectors"], compose.manifest()["detectors"]
        self._of_gate = len(gate)
        names: list[tuple[str, str]] = []
        for one in (*gate, *watch):
            classes = [(one["id"], name) for name in one["classes"][:16]]
            names += classes + [(one["id"], "")] * (16 - len(classes))
        self._of_groups = np.array([one["scope"] in ("group", *GROUP_SCOPES) for one in watch])
        runs = {one["id"]: "gate" for one in gate} | {one["id"]: "watch" for one in watch}
        self.heard = Heard(names, runs, fold.state.policy.names["use_cases"])
        self._parts = [np.zeros(0, FINDING)]
        self._records = 0
        # Compiled, or loaded, before anything is timed.
        first = ev.empty(1)
        first["kind"], first["received_at"], first["happened_at"] = ev.TICK, BEGINS_AT, BEGINS_AT
        self.events(first)
        self.heard.gate, self.heard.watch = Cost(), Cost()

    def texts(self) -> Texts:
        """The numbers under which the fold knows the texts of events."""
        intern = self.fold.state.texts.intern
        return Texts(
            np.array([intern(apn.encode()) for apn in APNS], np.int32),
            np.array([intern(name.encode()) for name in GATEWAYS], np.int32), intern(b"lab"),
        )  # fmt: skip

    def judge(self, day: MadeDay, hear: Callable[[np.ndarray], object] = lambda events: None) -> None:
        """Fold a day: its events, and before each what records had come by then. `hear` is told all events, too."""
        calls, told, began = day.calls, 0, time.thread_time()
        for events in day.slices():
            self.heard.writing_s += time.thread_time() - began
            hear(events)
            done = 0
            while told < len(calls) and calls["arrives_at"][told] <= events["received_at"][-1]:
                at = int(calls["arrives_at"][told])
                place = int(np.searchsorted(events["received_at"], at))
                self.events(events[done:place])
                due = int(np.searchsorted(calls["arrives_at"], at, side="right"))
                self.records(calls[told:due], at)
                done, told = place, due
            self.events(events[done:])
            began = time.thread_time()
        if told < len(calls):
            self.records(calls[told:], day.begins_at + DAY_US - 1)

    def events(self, events: np.ndarray) -> None:
        """Fold events in both."""
        at = 0
        while at < len(events):
            first, began = self.fold.sequence + 1, time.thread_time()
            folded = self.fold.events(events[at:])
            self.heard.gate.took(without_ticks(events[at : at + folded.consumed]), began)
            self._note(folded.outputs, 0)
            kept = events[at : at + folded.consumed]
            kept = kept if folded.kept.all() else kept[folded.kept]
            at += folded.consumed
            for place in range(0, len(kept), FOLLOWED_AT_ONCE):
                self._note(self.follow(kept[place : place + FOLLOWED_AT_ONCE], first + place), self._of_gate)

    def follow(self, kept: np.ndarray, first: int) -> np.ndarray:
        """Let the watch fold what the gate would have journalled; returns the outputs."""
        began = time.thread_time()
        told = self._in_step.events(kept, first)
        self.heard.watch.took(without_ticks(kept), began)
        return told

    def records(self, calls: np.ndarray, at: int) -> None:
        """Let the watch fold the records of calls (CALL) that came by `at` (us)."""
        rows, began = self._as_records(calls), time.thread_time()
        while len(rows):
            taken, told = self.watch.records(rows, self.fold.sequence + 1, at)
            self._note(told, self._of_gate)
            rows = rows[taken:]
            if not taken:
                break
        self.heard.records.took(len(calls), began)

    def finish(self) -> Heard:
        """Everything that was found."""
        began = time.thread_time()
        self._note(self._in_step.finish(), self._of_gate)
        self.heard.watch.took(0, began)
        self.heard.findings = np.concatenate(self._parts)
        return self.heard

    def _as_records(self, calls: np.ndarray) -> np.ndarray:
        rows = np.zeros(len(calls), RECORD)
        rows["record_id"] = self._records + 1 + np.arange(len(calls))
        self._records += len(calls)
        for name in ("happened_at", "imsi", "duration_s", "kind", "destination"):
            rows[name] = calls[name]
        rows["uplink_octets"] = rows["downlink_octets"] = -1
        rows["plmn"] = PLMN_NUMBERS[calls["network"]]
        return rows

    def _note(self, outputs: np.ndarray, detectors_before: int) -> None:
        began = outputs[outputs["kind"] == out.FINDING_BEGAN]
        if not len(began):
            return
        rows = np.zeros(len(began), FINDING)
        for name in ("at", "imsi", "subject", "gateway", "class"):
            rows[name] = began[name]
        rows["detector"] = began["detector"] + detectors_before
        if detectors_before:
            of_groups = np.flatnonzero((began["imsi"] == 0) & self._of_groups[began["detector"]])
            kinds = self.watch.state.groups["kind"]
            at = began["row"][of_groups]
            rows["group_kind"][of_groups] = np.where((at >= 0) & (at < len(kinds)), kinds[at % len(kinds)], 0)
        self._parts.append(rows)
