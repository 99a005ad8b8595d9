"""Machine code is made anew where a detector's memory changes the rows that it walks over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

INDEXED = """
from simward.detectors import location_change
location_change.MEMORY = [*location_change.MEMORY, *{more}]

import numpy as np
from simward.engine.fold import Fold
from simward.engine.tables import DECLARED, InventoryDelta

fold = Fold.new()
lines = np.zeros(3, DECLARED)
lines["imsi"] = 1_001010000000001 + np.arange(3)
fold.inventory(InventoryDelta(lines, np.zeros(0, np.int64), [""]), 1)
print(*(int(imsi) % 10 for imsi in fold.state.subscriptions["imsi"][:3]))
"""


def test_indexes_follow_a_detector_that_remembers_more(tmp_path: Path) -> None:
    """With one cache of compiled code, first as the detectors are, then with a wider memory."""
    for more in ("[]", '[("spare", "i8", (5,))]'):
        done = subprocess.run(
            [sys.executable, "-c", INDEXED.format(more=more)],
            env={"SIMWARD_CACHE": str(tmp_path), "PATH": "", "HOME": str(tmp_path)},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["1", "2", "3"], "each row is written where it is read"
