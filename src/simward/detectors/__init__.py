"""The detectors: one file each, found by being in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from simward.detectors.detector import GROUP_SCOPES, MAX_CLASSES, SCOPES, Detector, DetectorModule

NOT_DETECTORS = {"detector", "facts"}


@cache
def installed() -> tuple[DetectorModule, ...]:
    """Every detector, sorted by id; the position in this tuple is its number in outputs and tables."""
    found = []
    for info in pkgutil.iter_modules(__path__):
        if info.name in NOT_DETECTORS:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        detector: Detector = module.DETECTOR
        assert detector.id == info.name.replace("_", "-"), f"{info.name}.py declares {detector.id}"
        scopes = SCOPES if detector.runs == "gate" else (*GROUP_SCOPES, "group", "subscription", "cohort")
        assert detector.scope in scopes, f"{detector.id}: unknown scope {detector.scope}"
        assert len(module.CLASSES) < MAX_CLASSES, f"{detector.id}: too many classes"
        found.append(
            DetectorModule(
                detector, tuple(module.CLASSES), tuple(module.MEMORY), tuple(module.KNOBS), module, module.__doc__ or ""
            )
        )
    return tuple(sorted(found, key=lambda one: one.id))


def of_gate() -> tuple[DetectorModule, ...]:
    """The detectors that judge in-line."""
    return tuple(one for one in installed() if one.detector.runs == "gate")


def of_watch() -> tuple[DetectorModule, ...]:
    """The detectors that judge behind the gate."""
    return tuple(one for one in installed() if one.detector.runs == "watch")
