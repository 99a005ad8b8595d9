"""Coverage-guided fuzzing of what strangers can send and operators can write: `python -m fuzz TARGET [SECONDS]`.

`make fuzz` runs every target for a while. An input that breaks a promise is written to the target's folder under
`.fuzz/`, beside the inputs that reached something new; a run begins with those.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

TARGETS = ("receiver", "dynauth", "policy")
COMPILED = {"receiver": ("wire.asking", "wire.corpus", "wire.mutating")}
"""Imported before anything is instrumented, since numba compiles nothing that is. Machine code has no coverage: the
receiver is led by the plain Python that it is held against."""


def main() -> int:
    """0 = nothing was found, or atheris is not there, which is said; libFuzzer itself ends where it finds something."""
    name, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    if name not in TARGETS:
        print(f"fuzz: no target is called {name}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    try:
        import atheris
    except ImportError:
        print(f"fuzz: {name} skipped: atheris is not installed (it has no wheel for every Python)", file=sys.stderr)
        return 0
    for module in COMPILED.get(name, ()):
        importlib.import_module(module)
    with atheris.instrument_imports(include=["simward", "wire.oracle"]):
        target = importlib.import_module(f"fuzz.{name}")
    folder = Path(".fuzz") / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number:04d}").write_bytes(seed)
    arguments = [
        sys.argv[0], f"-max_total_time={seconds}", f"-artifact_prefix={folder}/found-", f"-max_len={target.OCTETS_MAX}",
        "-print_final_stats=1", "-verbosity=0", "-seed=20261125", str(folder),
    ]
    atheris.Setup(arguments, target.check)
    print(f"fuzz: {name} for {seconds} s ...", flush=True)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
