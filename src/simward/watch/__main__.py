"""`python -m simward.watch --dir DIR`: follows the gate's journal; `simward serve` starts it and keeps it running."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from simward import logs, parentage
from simward.errors import SimwardError
from simward.history.keeping import Keeping
from simward.settings import Settings
from simward.watch.archiving import due
from simward.watch.run import Signals, watch
from simward.watch.snapshots import make_snapshot

BEHIND_THE_GATE = 10
"""Niceness: an answer never waits for the watch."""


def main() -> int:
    """Watch until told to stop, or make one snapshot; the exit code is that of the error."""
    parser = argparse.ArgumentParser(prog="python -m simward.watch")
    parser.add_argument("--dir", type=Path, default=Path("."), help="the working folder")
    parser.add_argument("--once", action="store_true", help="follow to the end, make a snapshot, and end")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is no longer the parent")
    arguments = parser.parse_args()
    parentage.end_with(arguments.parent)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the supervisor to say what is read again
    os.nice(BEHIND_THE_GATE)
    os.umask(0o077)  # what it writes names subscriptions
    logs.begin("watch")
    try:
        settings = Settings.load(arguments.dir)
        logs.begin("watch", settings.log)
        if arguments.once:
            made = make_snapshot(settings.data_dir, settings.behaviour)
            what = made.path.name if made.path else "nothing new"
            print(f"sequence {made.sequence}: {what}, {made.seconds:.1f} s", flush=True)
            for kept in due(Keeping(settings.data_dir, settings.history)):
                print(kept, flush=True)
            return 0
        signals = Signals(arguments.parent)
        watch(settings, signals.stopping, signals.pause)
    except SimwardError as error:
        print(f"watch: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"watch: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
