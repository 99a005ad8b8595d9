"""The same program in two processes, one with the compiler and one without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def compiled_and_interpreted(program: str) -> list[str]:
    """What each prints; `program` may import the modules of this folder. A warning about numbers ends it."""
    begin = f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return [
        subprocess.run(
            [sys.executable, "-W", "error::RuntimeWarning", "-c", begin + program],
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled}, capture_output=True, text=True, check=True, timeout=300,
        ).stdout
        for disabled in ("0", "1")
    ]  # fmt: skip
