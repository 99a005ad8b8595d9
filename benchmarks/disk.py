"""What one sync of this disk costs: the floor under every durable answer."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

BLOCK = b"\x5a" * 4096
LOG_OCTETS = 8 << 20


class SyncProbe:
    """A file on the disk in question; each call is one write of 4 KiB and one fdatasync, timed in microseconds."""

    def __init__(self, folder: Path) -> None:
        self._number, path = tempfile.mkstemp(prefix="simward-bench-sync-", dir=folder)
        os.unlink(path)
        for _ in range(LOG_OCTETS // len(BLOCK)):
            os.write(self._number, BLOCK)
        os.fsync(self._number)
        self._at = 0

    def append(self) -> float:
        """Grow the file: the sync must write the new size, too."""
        os.lseek(self._number, 0, os.SEEK_END)
        before = time.perf_counter_ns()
        os.write(self._number, BLOCK)
        os.fdatasync(self._number)
        return (time.perf_counter_ns() - before) / 1000

    def overwrite(self) -> float:
        """Overwrite in place, one block after the other, as a preallocated log does."""
        self._at = (self._at + len(BLOCK)) % LOG_OCTETS
        before = time.perf_counter_ns()
        os.pwrite(self._number, BLOCK, self._at)
        os.fdatasync(self._number)
        return (time.perf_counter_ns() - before) / 1000

    def close(self) -> None:
        """Give the file back (it has no name)."""
        os.close(self._number)


def spread(microseconds: list[float]) -> dict[str, float]:
    """Median and tails."""
    ordered = sorted(microseconds)
    if not ordered:
        return {}
    return {
        "p50": statistics.median(ordered),
        "p90": ordered[int(0.9 * (len(ordered) - 1))],
        "p99": ordered[int(0.99 * (len(ordered) - 1))],
        "mean": statistics.fmean(ordered),
        "count": float(len(ordered)),
    }
