"""A process that ends with the one that started it, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with(parent: int) -> None:
    """Ask the kernel to send SIGTERM to this process when `parent` (0 = nobody) ends; Linux only.

    Elsewhere, and where the parent ended before this was called, `is_orphan` has to be asked now and then.
    """
    if parent and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def is_orphan(parent: int) -> bool:
    """Is the process that started this one gone? Never, where `parent` is 0."""
    return parent != 0 and os.getppid() != parent
