"""The composed kernel: the detectors' judgements and the fold as one compiled module, named after a hash of its
sources.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy

from simward import compiled
from simward.detectors import detector, facts, of_gate
from simward.engine import (
    addressing,
    commands,
    confining,
    departed,
    effects,
    events,
    findings,
    hashing,
    kernel,
    layouts,
    long_ids,
    lookup,
    ordered_binding,
    outputs,
    places,
    planned,
    recognising,
    remembering,
    rows,
    session_names,
    sessions,
    settle,
    strangers,
    surroundings,
    tables,
    withheld,
)

SOURCES = (
    detector,
    facts,
    events,
    outputs,
    tables,
    layouts,
    rows,
    hashing,
    lookup,
    session_names,
    long_ids,
    sessions,
    places,
    addressing,
    recognising,
    remembering,
    strangers,
    surroundings,
    findings,
    settle,
    departed,
    withheld,
    effects,
    planned,
    confining,
    ordered_binding,
    commands,
    kernel,
)
SCOPE_ROWS = {
    "subscription": "subscription_at",
    "stranger": "stranger_at",
    "gateway": "gateway_at",
    "segment": "segment_state_at",
    "device": "device_at",
}


@cache
def kernel_hash() -> str:
    """32 hex digits over every source that the fold's bytes depend on, the detectors' included (not the compiler's
    version).
    """
    detectors = [one.module for one in of_gate()]
    return compiled.sources_digest([*SOURCES, *detectors, Path(__file__)])[:32]


def manifest() -> dict[str, Any]:
    """What a reader of outputs must know about this kernel; registered with the journal under `kernel_hash`."""
    return {
        "detectors": [
            {
                "id": one.id,
                "classes": ["", *one.classes],
                "scope": one.detector.scope,
                "about_device": one.detector.about_device,
                "evidence": ["none", *(one.detector.evidence_of(name) for name in one.classes)],
            }
            for one in of_gate()
        ]
    }


def composed_text() -> str:
    """The generated module: one judging function a scope, and the fold that is given them."""
    lines = [
        Path(kernel.__file__).read_text(),
        "from simward.engine.rows import around_of, device_at, evidence_at, knobs_at, segment_state_at",
    ]
    for number, one in enumerate(of_gate()):
        lines += [f"import {one.module.__name__} as d{number}", f"judge_{number} = njit(d{number}.judge)"]
    for scope, table in SCOPE_ROWS.items():
        lines += ["", "", "@njit", f"def judge_{scope}(t, row, event):", f"    owner = {table}(t, row)"]
        if scope == "subscription":
            lines.append("    knobs = knobs_at(t, owner.use_case)")
        else:
            lines.append("    knobs = knobs_at(t, 0)")
        for number, one in enumerate(of_gate()):
            if one.detector.scope == scope:
                memory = f"owner.{one.field}" if one.memory else "owner"
                wants_more = "around" in inspect.signature(one.module.judge).parameters
                given = f"{memory}, owner, event, knobs.{one.field}, seen{', around_of(t)' if wants_more else ''}"
                lines += [
                    f"    seen = evidence_at(t, {number})",
                    "    seen.was = 0",
                    "    seen.now = 0",
                    "    seen.expected = 0",
                    f"    set_class(t, {number}, judge_{number}({given}))",
                ]
    lines += ["", "", "fold = njit(cache=True, nogil=True)(fold)", ""]
    return "\n".join(lines)


@cache
def composed() -> Callable[..., Any]:
    """The fold, compiled (from the cache folder where it was compiled before) or interpreted."""
    versions = f"{numba.__version__} {llvmlite.__version__} {numpy.__version__}"
    text = composed_text()
    digest = compiled.sources_digest([kernel_hash(), versions, text])[:24]
    fold: Callable[..., Any] = compiled.import_generated(f"simward_kernel_{digest}", text).fold
    return fold
