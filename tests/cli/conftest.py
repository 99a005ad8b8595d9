"""Lets these tests tell the stories of a fleet with rules, which a benchmark measures, and of one that journals."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for place in (TESTS.parent, TESTS, TESTS / "watch", TESTS / "detectors", TESTS / "gate"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
