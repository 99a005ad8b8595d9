"""Findings about cohorts: what the fit of a day says that many had in common begins, goes on and ends here.

A cohort is all subscriptions that have a tenant, a use case, a model and a radio access in common, each of them given
or any. There are few of these findings a day, so this is no compiled code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simward.detectors import of_watch
from simward.detectors.detector import OBSERVE, QUIET
from simward.engine.behaviour.cohort_numbers import ANY, MANY, Cohort, cohort_number, cohort_of
from simward.engine.behaviour.layouts import LOWER
from simward.engine.outputs import FINDING_BEGAN, FINDING_ENDED, FINDING_UPDATED, OUTPUT
from simward.engine.weighing import DEVIATIONS, Weight, put_weights

if TYPE_CHECKING:
    from simward.engine.behaviour.revision import CohortFinding, Revision
    from simward.engine.watching.fold import WatchFold

DETECTOR_ID = "cohort-shift"
class Shifted(NamedTuple):
    """What the detector is given of one cohort. `members` 0: nothing is found of it any more."""

    members: int
    lower: int = 0
    rolled_up: int = 0
    open_class: int = 0


class Evidence:
    """What the detector writes."""

    now = 0


def settle_cohorts(
    fold: WatchFold, revision: Revision, rolled_up: int, sequence: int, at: int, index: int
) -> np.ndarray:
    """Begin, renew and end what is found about cohorts, as the fit of a day says; the outputs, from `index` on.

    `rolled_up` subscriptions are unusual and told as one, since they are more than the budget can have meant.
    """
    table, number = fold.state.cohort_findings, detector_number()
    if number is None:
        return np.zeros(0, OUTPUT)
    shifted = {name: (_shifted(group), group) for name, group in _by_cohort(_untold(fold, revision)).items()}
    if rolled_up:
        shifted[MANY] = (Shifted(rolled_up, rolled_up=1), [])
    outputs: list[np.ndarray] = []

    def tell(row: int, kind: int, group: Sequence[CohortFinding]) -> None:
        made = _output(fold, row, kind, sequence, at, index + len(outputs))
        if group:
            put_weights(made[0], [_weight(one, revision) for one in group], revision.day)
        outputs.append(made)

    open_rows = {int(table["cohort"][row]): row for row in np.flatnonzero(table["opened_sequence"]).tolist()}
    for name in sorted(open_rows.keys() | shifted.keys()):
        memory, group = shifted.get(name, (Shifted(0), []))
        row = open_rows.get(name)
        memory = memory._replace(open_class=0 if row is None else int(table["class"][row]))
        seen = Evidence()
        cls = int(of_watch()[number].module.judge(memory, memory, None, None, seen))
        if row is not None and cls != int(table["class"][row]):
            tell(row, FINDING_ENDED, ())
            fold.state.drop_cohort(row)
            row = None
        if cls == QUIET:
            continue
        response = _response(fold, name, number, cls)
        if row is not None:
            if int(table["now"][row]) != seen.now or int(table["response"][row]) != response:
                table["now"][row], table["response"][row] = seen.now, response
                tell(row, FINDING_UPDATED, group)
            continue
        free = np.flatnonzero(table["opened_sequence"] == 0)
        if not len(free):
            fold.state.watch_meta["findings_held"] += 1
            continue
        row = int(free[0])
        table[row] = np.zeros(1, table.dtype)[0]
        for field, value in (
            ("opened_sequence", sequence), ("opened_index", index + len(outputs)), ("cohort", name),
            ("detector", number), ("class", cls), ("now", seen.now), ("response", response),
        ):  # fmt: skip
            table[field][row] = value
        tell(row, FINDING_BEGAN, group)
    return np.concatenate(outputs) if outputs else np.zeros(0, OUTPUT)


def end_cohort(fold: WatchFold, name: int, sequence: int, at: int, index: int) -> np.ndarray:
    """End what is found about a cohort, since a person found it to be benign; the output, numbered `index`."""
    table = fold.state.cohort_findings
    rows = np.flatnonzero((table["opened_sequence"] != 0) & (table["cohort"] == name))
    if not len(rows):
        return np.zeros(0, OUTPUT)
    ended = _output(fold, int(rows[0]), FINDING_ENDED, sequence, at, index)
    fold.state.drop_cohort(int(rows[0]))
    return ended


def _untold(fold: WatchFold, revision: Revision) -> list[CohortFinding]:
    """What the fit says of cohorts, but for what began before somebody found the cohort to be benign."""
    table = fold.state.benign_cohorts
    in_force = table[table["until_day"] >= revision.day]
    said = {int(one["cohort"]): int(one["said_day"]) for one in in_force}
    return [one for one in revision.findings if one.since > said.get(cohort_number(Cohort(*one.node)), -1)]


def detector_number() -> int | None:
    """The number of the detector; None where its file was taken away."""
    return next((number for number, one in enumerate(of_watch()) if one.id == DETECTOR_ID), None)


def _by_cohort(said: Iterable[CohortFinding]) -> dict[int, list[CohortFinding]]:
    """What is said of each cohort, what is farthest from the usual first."""
    groups: dict[int, list[CohortFinding]] = {}
    for one in said:
        groups.setdefault(cohort_number(Cohort(*one.node)), []).append(one)
    for group in groups.values():
        group.sort(key=lambda one: (-abs(one.shift_q - one.expected_q) // max(1, one.chance_q), one.channel))
    return groups


def _shifted(group: Sequence[CohortFinding]) -> Shifted:
    first = group[0]
    return Shifted(max(1, round(first.members * first.share)), lower=int(first.side == LOWER))


def _response(fold: WatchFold, name: int, number: int, cls: int) -> int:
    """What policy wants: of the use case, or the strongest of any where the cohort has several."""
    one = cohort_of(name)
    if one.use_case != ANY and one.use_case < len(fold.state.case_responses):
        return int(fold.state.case_responses[one.use_case, number, cls])
    return int(fold.state.responses[number, cls]) or OBSERVE


def _output(
    fold: WatchFold, row: int, kind: int, sequence: int, at: int, index: int
) -> np.ndarray:
    finding, made = fold.state.cohort_findings[row], np.zeros(1, OUTPUT)
    output, detector = made[0], of_watch()[int(finding["detector"])]
    class_name = detector.classes[int(finding["class"]) - 1]
    for field, value in (
        ("at", at), ("sequence", sequence), ("index", index), ("kind", kind), ("row", -1),
        ("subject", finding["cohort"]), ("detector", finding["detector"]), ("class", finding["class"]),
        ("severity", detector.detector.severity_of(class_name)), ("now", finding["now"]),
        ("wanted", finding["response"]), ("response", finding["response"]),
        ("opened_sequence", finding["opened_sequence"]), ("opened_index", finding["opened_index"]),
        ("use_case", _use_case_of(fold, int(finding["cohort"]))),
    ):  # fmt: skip
        output[field] = value
    return made


def _use_case_of(fold: WatchFold, name: int) -> int:
    """Its use case, or one of its tenant: by that it is known whose it is."""
    one = cohort_of(name)
    if one.use_case != ANY:
        return one.use_case
    tenants: Any = fold.gate.state.policy.use_cases["tenant"]
    mine = np.flatnonzero(np.asarray(tenants) == one.tenant)
    return int(mine[-1]) if len(mine) else 0


def _weight(one: CohortFinding, revision: Revision) -> Weight:
    """What a typical member did on the day, against what earlier days made likely of it; no peers beside a cohort."""
    nodes = revision.memory["nodes"]
    same = np.flatnonzero((nodes == np.array(one.node)).all(axis=1))
    cohort = int(same[0]) if len(same) else 0
    centre = int(revision.arrays["peer_centre"][cohort, one.channel])
    shift = int(revision.arrays["shifts"][cohort, one.channel])
    around = DEVIATIONS * (one.chance_q or int(revision.arrays["peer_spread"][cohort, one.channel]))
    usual = max(0, centre + one.expected_q - around), max(0, centre + one.expected_q + around)
    return Weight(one.channel, one.side == LOWER, max(0, centre + shift), usual, None, one.day - one.since + 1, 0)

