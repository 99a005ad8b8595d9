"""The watch's state: its tables, their growth and their bytes. The index of groups is derived, never saved."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from simward.compiled import INTERPRETED, records
from simward.detectors import of_watch
from simward.detectors.detector import MAX_CLASSES, NOTIFY, OBSERVE, DetectorModule
from simward.engine.behaviour.layouts import BEHAVIOUR
from simward.engine.call_records import RECORD
from simward.engine.events import empty as empty_events
from simward.engine.layouts import DETECTOR_FACTS, SEEN
from simward.engine.outputs import OUTPUT
from simward.engine.rows import MAPPED
from simward.engine.snapshot import convert
from simward.engine.state import BATCH_MAX, index_size, interpreted
from simward.engine.tables import PolicyTables, watch_knobs_dtype
from simward.engine.watching.cadence_layouts import CADENCE, RHYTHM, VISIT, VISITS_ROOM
from simward.engine.watching.call_layouts import CALL, CALLED, TALLY
from simward.engine.watching.findings import ABOUT_SUBSCRIPTION, SIGNALLED, TOGETHER
from simward.engine.watching.layouts import (
    BEHAVED,
    BENIGN_COHORT,
    BENIGN_COHORTS_MAX,
    COHORT_FINDING,
    COHORT_FINDINGS_MAX,
    COUNTED,
    FINDINGS_MAX,
    GROUP,
    GROUPS_MAX,
    LOOK_AHEAD,
    PACE,
    SUBSCRIPTION_FINDING,
    SUBSCRIPTION_FINDINGS_MAX,
    USAGE,
    USE,
    WATCH_FINDING,
    WATCH_META,
    WATCH_TABLES,
    WATCHED,
)
from simward.engine.watching.signal_layouts import SIGNALLING, SIGNALS

OUTPUTS_ROOM = 2 * BATCH_MAX
GROUPS_AN_EVENT = 6
LAYOUTS = {
    "watch_meta": WATCH_META, "watched": WATCHED, "groups": GROUP, "watch_findings": WATCH_FINDING, "usage": USAGE,
    "counted": COUNTED, "about": SUBSCRIPTION_FINDING, "called": CALLED, "tallies": TALLY, "rhythms": RHYTHM,
    "visits": VISIT, "signals": SIGNALS, "behaviour": BEHAVIOUR, "cohort_findings": COHORT_FINDING,
    "benign_cohorts": BENIGN_COHORT,
}  # fmt: skip
EACH = ("watched", "usage", "called", "rhythms", "signals", "behaviour")
"""Tables with a row for each that the gate's table of subscriptions has."""
USED = {
    "watch_meta": "", "watched": "", "groups": "groups", "watch_findings": "findings", "usage": "",
    "counted": "counted", "about": "about", "called": "", "tallies": "tallies", "rhythms": "", "visits": "",
    "signals": "", "behaviour": "", "cohort_findings": "", "benign_cohorts": "",
}  # fmt: skip
"""Table -> the counter in WATCH_META that says how many of its rows are in use; "" = all."""


SCOPES = {"group": TOGETHER, "subscription": ABOUT_SUBSCRIPTION, "cohort": ABOUT_SUBSCRIPTION}


def detector_facts() -> np.ndarray:
    """What the kernel must know about each detector of the watch, by number."""
    facts = np.zeros(max(1, len(of_watch())), DETECTOR_FACTS)
    for number, one in enumerate(of_watch()):
        for position, name in enumerate(one.classes, start=1):
            facts["severity"][number, position] = one.detector.severity_of(name)
        scope = one.detector.scope
        if scope == "group":
            facts["scope"][number] = TOGETHER if one.detector.given == "use" else SIGNALLED
        else:
            facts["scope"][number] = SCOPES.get(scope, 0)
    return facts


class WatchState:
    """All that the watch fold keeps. `watched` has at least as many rows as the gate has subscriptions."""

    def __init__(self) -> None:
        self.watch_meta = np.zeros(1, WATCH_META)
        self.watched = np.zeros(1024, WATCHED)
        self.groups = np.zeros(1024, GROUP)
        self.watch_findings = np.zeros(FINDINGS_MAX, WATCH_FINDING)
        self.usage = np.zeros(1024, USAGE)
        self.counted = np.zeros(1024, COUNTED)
        self.behaviour = np.zeros(1024, BEHAVIOUR)
        self.cohort_findings = np.zeros(COHORT_FINDINGS_MAX, COHORT_FINDING)
        self.benign_cohorts = np.zeros(BENIGN_COHORTS_MAX, BENIGN_COHORT)
        self.behaved = np.zeros(1, BEHAVED)
        self.about = np.zeros(SUBSCRIPTION_FINDINGS_MAX, SUBSCRIPTION_FINDING)
        self.called = np.zeros(1024, CALLED)
        self.tallies = np.zeros(1024, TALLY)
        self.call = np.zeros(1, CALL)
        self.records = np.zeros(1, RECORD)
        self.unsaid = empty_events(1)
        self.rhythms = np.zeros(1024, RHYTHM)
        self.visits = np.zeros(VISITS_ROOM, VISIT)
        self.cadence = np.zeros(1, CADENCE)
        self.signals = np.zeros(1024, SIGNALS)
        self.signalling = np.zeros(1, SIGNALLING)
        self.rows_ahead = np.zeros(LOOK_AHEAD, np.int32)
        self.pace, self.group_kept = np.zeros(1, PACE), np.zeros(1, GROUP)
        self.row_rests, self.group_rests = np.zeros(1024, np.uint32), np.zeros(1024, np.uint32)
        self.use = np.zeros(1, USE)
        self.knobs = np.zeros(1, watch_knobs_dtype())
        self.case_responses = np.full((1, max(1, len(of_watch())), MAX_CLASSES), OBSERVE, np.uint8)
        self.group_index = np.zeros(4096, np.int32)
        self.detectors = detector_facts()
        self.responses = np.full((max(1, len(of_watch())), MAX_CLASSES), OBSERVE, np.uint8)
        self.evidence = np.zeros(max(1, len(of_watch())), SEEN)
        self.classes = np.zeros(max(1, len(of_watch())), np.int64)
        self.outputs = np.zeros(OUTPUTS_ROOM, OUTPUT)
        self._tables: Any = None

    def make_room(self, subscriptions: int, events: int, records: int = 0) -> bool:
        """See to it that `events` events and `records` records cannot run out of rows; True where the
        index of groups must be made anew."""
        for name in EACH:
            if subscriptions > len(getattr(self, name)):
                self._grow(name, subscriptions + subscriptions // 4)
        wanted = int(self.watch_meta["counted"][0]) + events
        if wanted > len(self.counted):
            self._grow("counted", wanted + wanted // 4)
        wanted = int(self.watch_meta["tallies"][0]) + records
        if wanted > len(self.tallies):
            self._grow("tallies", wanted + wanted // 4)
        wanted = min(GROUPS_MAX, int(self.watch_meta["groups"][0]) + GROUPS_AN_EVENT * events + records)
        if wanted > len(self.groups):
            self._grow("groups", min(GROUPS_MAX, wanted + wanted // 2))
        if len(self.group_index) < index_size(len(self.groups), 4096):
            self.group_index = np.zeros(index_size(len(self.groups), 4096), np.int32)
            self._tables = None
            return True
        return False

    def wake(self) -> None:
        """Nobody rests: something was changed from outside, as a revision or a removal changes it."""
        self.pace["rows_rest_s"] = 0
        self.pace["sweep_wakes"] = self.pace["silences_wake"] = 1
        self.group_rests[:] = 0

    def _grow(self, name: str, wanted: int) -> None:
        table = getattr(self, name)
        grown = np.zeros(max(wanted, len(table)), table.dtype)
        grown[: len(table)] = table
        setattr(self, name, grown)
        self._tables = None

    def tables(self) -> Any:
        """Where everything is, as the kernel takes it; made anew only after something moved."""
        if self._tables is None:
            self._make_room_to_rest()
            t = np.zeros(1, WATCH_TABLES)
            for name in WATCH_TABLES.names or ():
                array = getattr(self, name, None)
                if array is not None:
                    t[name] = array.ctypes.data
                    if INTERPRETED:
                        MAPPED[array.ctypes.data] = interpreted(array)
            t["group_mask"], t["outputs_room"] = len(self.group_index) - 1, len(self.outputs)
            t["detector_count"] = len(of_watch())
            self._tables = records(t)
        return self._tables

    def _make_room_to_rest(self) -> None:
        """A place for each row of both tables; whoever has a new one does not rest."""
        if len(self.row_rests) != len(self.watched) or len(self.group_rests) != len(self.groups):
            self.row_rests, self.group_rests = (
                np.zeros(len(self.watched), np.uint32), np.zeros(len(self.groups), np.uint32)
            )  # fmt: skip
            self.pace["rows_rest_s"] = 0

    def judges(self) -> tuple[DetectorModule, ...]:
        """The detectors by number."""
        return of_watch()

    def drop_finding(self, row: int) -> None:
        """Take a finding off its group's chain and free its row, where its detector is gone or it was never told."""
        findings, meta = self.watch_findings, self.watch_meta
        self.wake()
        group = int(findings["group"][row])
        chain, at = self.groups["finding_head"], group
        while int(chain[at]) != row + 1:
            chain, at = findings["next"], int(chain[at]) - 1
        chain[at] = findings["next"][row]
        self.groups["lasting"][group] = self.groups["stopped"][group] = self.groups["told"][group] = 0
        for one in self.judges() if int(self.groups["finding_head"][group]) == 0 else ():
            if one.memory:
                self.groups[one.field][group : group + 1].view(np.uint8)[:] = 0
        findings[row : row + 1].view(np.uint8)[:] = 0
        findings["next"][row] = meta["finding_free"][0]
        meta["finding_free"] = row + 1
        meta["findings_live"] -= 1

    def drop_about(self, row: int) -> None:
        """The same of a finding about a subscription."""
        findings, meta = self.about, self.watch_meta
        chain, at = self.usage["finding_head"], int(findings["subscription"][row]) - 1
        while int(chain[at]) != row + 1:
            chain, at = findings["next"], int(chain[at]) - 1
        chain[at] = findings["next"][row]
        findings[row : row + 1].view(np.uint8)[:] = 0
        findings["next"][row] = meta["about_free"][0]
        meta["about_free"] = row + 1
        meta["about_live"] -= 1

    def drop_cohort(self, row: int) -> None:
        """The same of a finding about a cohort."""
        self.cohort_findings[row : row + 1].view(np.uint8)[:] = 0

    def take_policy(self, tables: PolicyTables) -> None:
        """What each use case asks of the watch, as far as it was compiled for detectors that are here.

        A group has members of many use cases: the strongest response that any of them gives. At most notify.
        """
        then, count = tables.names.get("watch_detectors", []), max(1, len(tables.use_cases))
        said = np.full((count, *self.responses.shape), OBSERVE, np.uint8)
        for number, one in enumerate(of_watch()):
            if one.id in then and len(tables.watch_responses) == count:
                theirs = tables.watch_responses[:, then.index(one.id), :MAX_CLASSES]
                said[:, number, : theirs.shape[1]] = np.clip(theirs, OBSERVE, NOTIFY)
        self.case_responses, self.responses = said, np.ascontiguousarray(said.max(axis=0))
        knobs = convert(tables.watch_knobs, watch_knobs_dtype())
        self.knobs = knobs if len(knobs) == count else np.zeros(count, watch_knobs_dtype())
        self.moved()

    def moved(self) -> None:
        """Some array was replaced: what `tables` gave before must not be used again."""
        self._tables = None
        self.wake()

    def saved(self, subscriptions: int) -> dict[str, np.ndarray]:
        """The used rows of every table, without a copy; of `watched` those of the gate's `subscriptions`."""
        arrays = {}
        for name, counter in USED.items():
            table = getattr(self, name)
            used = int(self.watch_meta[counter][0]) if counter else len(table)
            arrays[name] = table[: subscriptions if name in EACH else used]
        return arrays

    def digest(self, subscriptions: int) -> str:
        """BLAKE2b over the used rows: equal digests mean equal states."""
        digest = hashlib.blake2b(digest_size=16)
        for name, array in self.saved(subscriptions).items():
            digest.update(f"{name} {len(array)} ".encode())
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        for array in (self.responses, self.case_responses, self.knobs):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
