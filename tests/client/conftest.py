"""Lets these tests tell the stories of a fleet whose gate journals."""

from __future__ import annotations

import sys
from pathlib import Path

for place in ("watch", "detectors", "gate"):
    sys.path.insert(0, str(Path(__file__).parents[1] / place))
sys.path.insert(0, str(Path(__file__).parents[2]))
