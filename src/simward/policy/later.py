"""What policies may already say and this version does not enforce: named here once, listed by `simward check`.

A name or a key leaves this list by itself: an installed detector with that id, or one whose knobs read that key, wins.
"""

from __future__ import annotations

from collections.abc import Iterable

from simward.detectors import installed
from simward.errors import nearest

DETECTORS = {
    "endpoint-not-permitted": "traffic to an address that the segment does not list",
}
"""Detectors of later versions: responses may name them already."""

RENAMED = {
    "usage-exceeded": "budget-exceeded", "subscription-silent": "silent", "cadence-changed": "too-chatty",
    "session-storm": "signalling-storm", "usage-unusual": "unusual-behaviour",
}  # fmt: skip
"""Names that earlier versions took for a detector of a later one -> what it is called."""

KEYS = {
    "use_case": {
        "tenant": "subscriptions of several tenants are not yet kept apart in views",
        "services.data": "usage is not yet judged",
    },
    "segment": {
        "classification": "it is kept, and nothing depends on it yet",
        "jurisdiction": "it is kept, and nothing depends on it yet",
    },
    "area": {},
    "pool": {},
    "rule": {},
}
"""Kind of document -> key -> why it has no effect yet."""

WITHOUT_EFFECT_ANYWAY = {
    "tenant": "default",
    "services.data": "unlimited", "services.sms": "unlimited", "services.voice": "unlimited",
}
"""Values that ask for nothing, so that nothing is missing."""


def nearest_detector(name: str, others: Iterable[str]) -> str:
    """What to write instead of a name that no detector has: one of `others`, or of those of a later version."""
    return f"did you mean {RENAMED[name]!r}?" if name in RENAMED else nearest(name, [*others, *DETECTORS])


def is_later(detector: str) -> bool:
    """Is it a detector that only a later version has?"""
    return detector in DETECTORS and all(one.id != detector for one in installed())


def unenforced_keys(kind: str) -> dict[str, str]:
    """The keys of a kind of document that nothing reads yet, with the reason."""
    read = {knob.path for one in installed() for knob in one.knobs}
    read |= {path for one in installed() for path, _ in one.detector.response_paths.values()}

    def is_read(key: str) -> bool:
        return any(path == key or path.startswith(f"{key}.") for path in read)

    return {key: why for key, why in KEYS[kind].items() if not is_read(key)}
