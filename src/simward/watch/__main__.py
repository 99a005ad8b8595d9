"""`python -m simward.watch --dir DIR`: makes a snapshot, once or again and again; the gate starts it by itself."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from simward.errors import SimwardError
from simward.history.keeping import Keeping
from simward.settings import Settings
from simward.watch.follow import make_snapshot

BEHIND_THE_GATE = 10
"""Niceness: an answer never waits for a snapshot."""


def main() -> int:
    """Make snapshots; the exit code says whether the last one could be made."""
    parser = argparse.ArgumentParser(prog="python -m simward.watch")
    parser.add_argument("--dir", type=Path, default=Path("."), help="the working folder")
    parser.add_argument("--once", action="store_true", help="make one snapshot and end")
    parser.add_argument("--every", type=float, default=300.0, help="seconds between two snapshots")
    arguments = parser.parse_args()
    os.nice(BEHIND_THE_GATE)
    try:
        while True:
            settings = Settings.load(arguments.dir)
            made = make_snapshot(settings.data_dir)
            what = made.path.name if made.path else "nothing new"
            print(f"sequence {made.sequence}: {what}, {made.seconds:.1f} s", flush=True)
            keep_history(settings)
            if arguments.once:
                return 0
            time.sleep(arguments.every)
    except SimwardError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"no snapshot: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 0


def keep_history(settings: Settings) -> None:
    """Make sealed segments history, and remove what is too old, until nothing is due."""
    keeping = Keeping(settings.data_dir, settings.history)
    while (kept := keeping.step(time.time_ns() // 1000)) is not None:
        print(kept, flush=True)


if __name__ == "__main__":
    sys.exit(main())
