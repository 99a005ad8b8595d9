"""The watch fold takes an input of its own: a day that was fitted is settled, or a person's verdict widens something.

docs/decisions/0048 says why the day is judged at once, and not in the stream of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simward import compiled
from simward.engine.behaviour import counting, features, logarithm
from simward.engine.behaviour import layouts as lay
from simward.engine.behaviour.cohort_numbers import Cohort, cohort_number
from simward.engine.behaviour.features import finish_row
from simward.engine.behaviour.revision import Revision
from simward.engine.behaviour.settle import settle
from simward.engine.events import EVENT, TICK
from simward.engine.outputs import FINDING_BEGAN, OUTPUT
from simward.engine.watching.cohort_findings import end_cohort, settle_cohorts
from simward.engine.watching.own_inputs import SETTLED, UNFITTED, VERDICT, OwnInput
from simward.engine.watching.weighed import put_evidence

if TYPE_CHECKING:
    from simward.engine.watching.fold import WatchFold

FIRST_INDEX = 1024
"""Outputs of own inputs are numbered from here on: those of the kernel at the same sequence end far before."""
DAY_US = 86_400_000_000
AT_ONCE, MOST_OUTPUTS = 256, 30_000
"""Subscriptions judged with one call of the kernel, and of one day: their outputs have room in 15 bits."""


def finish_days(rows, day):  # type: ignore[no-untyped-def]
    """Finish the counting of every row of BEHAVIOUR that still counts a day up to `day`."""
    for at in range(len(rows)):
        row = rows[at]
        if row.day != 0 and np.int64(row.day) <= day:
            finish_row(row)


finished = compiled.entry(finish_days, [lay, logarithm, features, counting])


def finish(rows: np.ndarray, day: int) -> None:
    """`finish_days`, for whoever has a copy of the rows."""
    finished(compiled.records(rows), day)


def take_own(fold: WatchFold, one: OwnInput, sequence: int, at: int) -> np.ndarray:
    """Take an input of the watch's own, before the gate's `sequence` of `at` (us) is folded; returns the outputs."""
    fold.state.make_room(fold.subscriptions, 0)
    fold.state.watch_meta["sequence"] = sequence
    if one.kind == SETTLED:
        return settle_fitted(fold, Revision.read(one.octets), one.said, sequence, at)
    if one.kind == UNFITTED:
        finish(fold.state.behaviour[: fold.subscriptions], int(one.said["day"]))
        fold.state.watch_meta["settled_day"] = int(one.said["day"])
        fold.last_day = {"kind": UNFITTED, **one.said, "fit_after": fold.last_day.get("fit_after", 0)}
    elif one.kind == VERDICT:
        return widen(fold, one.said, sequence, at)
    return np.zeros(0, OUTPUT)


def settle_fitted(fold: WatchFold, revision: Revision, said: dict[str, Any], sequence: int, at: int) -> np.ndarray:
    """Settle the day of a fit: evidence gathers, findings begin and end, baselines learn."""
    state, day = fold.state, revision.day
    rows = state.behaviour[: fold.subscriptions]
    finish(rows, day)
    before = rows["class"].copy()
    use_cases = np.asarray(fold.gate.state.subscriptions["use_case"][: fold.subscriptions]).astype(np.int64)
    settle(rows, use_cases, day, revision.arrays)
    state.watch_meta["settled_day"], fold.fit_names = day, fold.names
    open_rows = np.flatnonzero((rows["class"] != lay.QUIET) | (before != lay.QUIET))
    outputs = judge(fold, open_rows[:MOST_OUTPUTS], sequence, at, FIRST_INDEX)
    put_evidence(outputs, rows, use_cases, revision)
    rolled_up = beyond_cap(revision.figures)
    cohorts = settle_cohorts(fold, revision, rolled_up, sequence, at, FIRST_INDEX + len(outputs))
    fold.last_day = {
        "kind": SETTLED, **said, "day": day, "figures": dict(revision.figures), "fit_after": sequence - 1,
        "began": int(np.count_nonzero(outputs["kind"] == FINDING_BEGAN)),
        "cohorts_began": int(np.count_nonzero(cohorts["kind"] == FINDING_BEGAN)), "rolled_up": rolled_up,
        "states": counted(rows),
    }  # fmt: skip
    return np.concatenate([outputs, cohorts])


def beyond_cap(figures: Mapping[str, float]) -> int:
    """How many were unusual and are not told one by one, since the day's hard cap was reached."""
    return max(0, int(figures["above"] - figures["passed"])) if figures.get("gate_is_cap") else 0


def counted(rows: np.ndarray) -> dict[str, int]:
    """How many subscriptions are in which state, and how many are unusual, of those that were ever counted."""
    known = rows[rows["features_day"] != 0]
    states = np.bincount(known["state"], minlength=len(lay.STATE_NAMES)).tolist()
    return dict(zip(lay.STATE_NAMES, states)) | {"unusual": int(np.count_nonzero(known["class"]))}


def judge(fold: WatchFold, rows: np.ndarray, sequence: int, at: int, index: int) -> np.ndarray:
    """Have the detectors of behaviour judge these rows; what they say carries no evidence yet."""
    tick = np.zeros(1, EVENT)
    tick["kind"], tick["received_at"], tick["happened_at"] = TICK, at, at
    parts = [np.zeros(0, OUTPUT)]
    tables, watch = fold.gate.state.tables(), fold.state.tables()
    for begin in range(0, len(rows), AT_ONCE):
        chosen = rows[begin : begin + AT_ONCE].astype(np.int64)
        made = fold.entries.judge_days(tables, watch, chosen, compiled.records(tick), 0, index)
        parts.append(fold.state.outputs[: int(made)].copy())
        index += int(made)
    outputs = np.concatenate(parts)
    outputs["at"], outputs["event"] = at, 0
    return outputs


def widen(fold: WatchFold, said: dict[str, Any], sequence: int, at: int) -> np.ndarray:
    """What a person found to be benign: a device, or a cohort, is allowed more until the verdict expires."""
    until, bits = int(said["until_day"]), min(int(said["bits"]), 255)
    if "cohort" in said:
        name = cohort_number(Cohort(*said["cohort"]))
        keep_benign_cohort(fold, name, until, bits, at)
        return end_cohort(fold, name, sequence, at, FIRST_INDEX) if until else np.zeros(0, OUTPUT)
    row = fold.gate.find(imsi=int(said["imsi"]))
    if row < 0:
        return np.zeros(0, OUTPUT)
    one = fold.state.behaviour
    one["benign_until"][row], one["widening"][row] = until, bits
    if one["class"][row] == lay.QUIET:
        return np.zeros(0, OUTPUT)
    one["class"][row] = lay.QUIET
    return judge(fold, np.array([row]), sequence, at, FIRST_INDEX)


def keep_benign_cohort(fold: WatchFold, name: int, until: int, bits: int, at: int) -> None:
    """Remember a cohort's verdict; where there is no room, that which expires first gives way."""
    table = fold.state.benign_cohorts
    same = np.flatnonzero(table["cohort"] == name)
    place = int(same[0]) if len(same) else int(np.argmin(table["until_day"]))
    said_day = at // DAY_US
    for field, value in (("cohort", name), ("until_day", until), ("bits", bits), ("said_day", said_day)):
        table[field][place] = value


