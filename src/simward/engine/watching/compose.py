"""The composed watch kernel: its detectors' judgements and the fold as one compiled module, named after a hash of its
sources.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy

from simward import compiled
from simward.detectors import of_watch
from simward.detectors.detector import GROUP_SCOPES, DetectorModule
from simward.engine import call_records, compose, kept_rows
from simward.engine.behaviour import counting, features, logarithm
from simward.engine.behaviour import layouts as behaviour_layouts
from simward.engine.watching import (
    ahead,
    behaviour,
    cadence,
    cadence_layouts,
    call,
    call_layouts,
    causes,
    days,
    findings,
    groups,
    hearing,
    kernel,
    layouts,
    periods,
    record_fold,
    resting,
    rows,
    signal_layouts,
    signalling,
    signals,
    silences,
    storm_causes,
    storms,
    struck,
    subscription_findings,
    sweeping,
    tallies,
    tolls,
    usage,
    waves,
    witnesses,
)

SOURCES = (
    cadence_layouts, layouts, rows, ahead, witnesses, groups, causes, findings, periods, usage, cadence, silences,
    hearing, signal_layouts, struck, waves, storms, storm_causes, signals, signalling, resting, sweeping,
    subscription_findings, kernel, kept_rows,
    call_records, call_layouts, tallies, call, tolls, record_fold,
    behaviour_layouts, logarithm, features, counting, days, behaviour,
)  # fmt: skip
FUTURE = "from __future__ import annotations\n"
"""What may stand at the beginning of a module alone."""
ENTRIES = ("fold", "forget", "build_index", "fold_records", "judge_days")


SETTLING = tuple(
    Path(__file__).parents[1] / name
    for name in (
        "weighing.py", "behaviour/cohorts.py", "behaviour/cohort_numbers.py", "behaviour/learning.py",
        "behaviour/revision.py", "behaviour/scoring.py", "behaviour/settle.py", "watching/cohort_findings.py",
        "watching/own_inputs.py", "watching/settling.py", "watching/weighed.py",
    )
)  # fmt: skip
"""What the fold's own inputs do to it, which is not in the composed module."""


@cache
def kernel_hash() -> str:
    """32 hex digits over every source that the watch fold's bytes depend on; the gate's are among them."""
    return compiled.sources_digest([_composed_hash(), *SETTLING])[:32]


@cache
def _composed_hash() -> str:
    """The same over what the composed module is made of."""
    detectors = [one.module for one in of_watch()]
    return compiled.sources_digest([compose.kernel_hash(), *SOURCES, *detectors, Path(__file__)])[:32]


def manifest() -> dict[str, Any]:
    """What a reader of outputs must know about this kernel; registered with the watch's journal."""
    return {
        "detectors": [
            {
                "id": one.id,
                "classes": ["", *one.classes],
                "scope": one.detector.scope,
                "evidence": ["none", *(one.detector.evidence_of(name) for name in one.classes)],
                "about": ["none", *(one.detector.about_of(name) for name in one.classes)],
                "projects": one.detector.projects,
                "weighs": one.detector.weighs,
                "tells_last_word": one.detector.tells_last_word,
                "alone": one.detector.alone,
            }
            for one in of_watch()
        ]
    }


def composed_text() -> str:
    """The generated module: the function that judges a group, and the fold that is given it."""
    lines = [
        Path(kernel.__file__).read_text(),
        Path(record_fold.__file__).read_text().replace(FUTURE, ""),
        "from simward.engine.rows import evidence_at, set_class, settings_of",
        "from simward.engine.watching.rows import watch_knobs_at",
        "from simward.engine.watching.subscription_findings import settle_use",
    ]
    numbered = list(enumerate(of_watch()))
    judges = [(number, one) for number, one in numbered if one.detector.scope not in ("subscription", "cohort")]
    of_uses = [
        (number, one) for number, one in numbered if one.detector.scope == "subscription" or one.detector.alone
    ]
    for _, one in judges:
        assert not one.knobs or one.detector.alone, f"{one.id}: a group has no use case, so no knobs"
    others = [name for name in layouts.GIVEN if name != "use"]
    for name in others:
        lines += [
            f"from simward.engine.watching.{name} import look_at_{name}",
            f"from simward.engine.watching.rows import {name}_of",
        ]
    for number, one in (*judges, *of_uses):
        lines += [f"import {one.module.__name__} as d{number}", f"judge_{number} = njit(d{number}.judge)"]
        if one.detector.alone:
            lines += [f"judge_alone_{number} = njit(d{number}.judge_alone)"]
    lines += [
        "", "", "@njit", "def judge_group(t, w, row, event):", "    group = group_at(w, row)",
        "    kind = np.int64(group.kind)", "    knobs = settings_of(t)",
    ]  # fmt: skip
    for number, one in judges:
        lines += [f"    set_class(w, {number}, -1)", *_judged(number, one)]
    lines += ["", "", "@njit", "def may_rest(w, row):", "    kind = np.int64(group_seen(w, row).kind)"]
    for number, one in judges:
        stirs = f" and class_of(w, {number}) > 0" if one.detector.timeless else ""
        lines += [f"    if {_condition(one)}{stirs}:", "        return False"]
    lines += [
        "    return True", "", "", "@njit", "def judge_use(t, w, row, event, detector):", "    use = use_of(w)",
        "    knobs = watch_knobs_at(w, subscription_at(t, row).use_case)",
        *(line for number, one in of_uses for line in _judged_use(number, one)),
        "", "", "@njit", "def look_at_given(t, w, row, now_s, detector):",
        *(line for number, one in of_uses if one.detector.given != "use" for line in _looked_at(number, one)),
        "    return",
    ]  # fmt: skip
    for name in layouts.GIVEN:
        lines += ["", "", "@njit", f"def judge_{name}s(t, w, row, event, position, made, index):"]
        lines += [line for number, one in of_uses if one.detector.given == name for line in _settled_use(number, one)]
        lines += ["    return made, index"]
    lines += ["", "", *(f"{name} = njit(cache=True, nogil=True)({name})" for name in ENTRIES), ""]
    return "\n".join(lines)


def _judged(number: int, one: DetectorModule) -> list[str]:
    """The lines that ask one detector, where the group is of its kind."""
    memory = f"group.{one.field}" if one.memory else "group"
    return [
        f"    if {_condition(one)}:",
        f"        seen = evidence_at(w, {number})",
        "        seen.was = 0",
        "        seen.now = 0",
        "        seen.expected = 0",
        f"        set_class(w, {number}, judge_{number}({memory}, group, event, knobs, seen))",
    ]


def _condition(one: DetectorModule) -> str:
    """Which kinds of group a detector judges."""
    scope = one.detector.scope
    return "kind != 0" if scope == "group" else f"kind == {GROUP_SCOPES.index(scope) + 1}"


def _judged_use(number: int, one: DetectorModule) -> list[str]:
    """The lines that ask one detector about what a subscription uses."""
    assert one.detector.alone or not one.memory, f"{one.id}: what is remembered of a use stands in its finding"
    judge = f"judge_alone_{number}" if one.detector.alone else f"judge_{number}"
    given = "use" if one.detector.given == "use" else f"{one.detector.given}_of(w)"
    return [
        f"    if detector == {number}:",
        f"        seen = evidence_at(w, {number})",
        "        seen.was = 0",
        "        seen.now = 0",
        "        seen.expected = 0",
        "        seen.before[0] = 0",
        "        seen.before[1] = 0",
        f"        set_class(w, {number}, {judge}({given}, use, event, knobs.{one.field}, seen))",
    ]


def _looked_at(number: int, one: DetectorModule) -> list[str]:
    """The lines that fill, at a tick, the record that one detector is given."""
    return [f"    if detector == {number}:", f"        look_at_{one.detector.given}(t, w, row, now_s)"]


def _settled_use(number: int, one: DetectorModule) -> list[str]:
    """The lines that judge each of its aspects, and settle what was found."""
    return [
        f"    for aspect in range({one.detector.aspects}):",
        f"        look_at_aspect(w, row, np.int64({number}), np.int64(aspect))",
        f"        judge_use(t, w, row, event, np.int64({number}))",
        f"        made, index = settle_use(t, w, row, np.int64({number}), event, position, made, index)",
    ]


@cache
def composed() -> ModuleType:
    """The module with `fold`, `forget` and `build_index`: compiled (from the cache folder where it was compiled before)
    or interpreted.
    """
    versions = f"{numba.__version__} {llvmlite.__version__} {numpy.__version__}"
    text = composed_text()
    digest = compiled.sources_digest([_composed_hash(), versions, text])[:24]
    return compiled.import_generated(f"simward_watch_{digest}", text)
