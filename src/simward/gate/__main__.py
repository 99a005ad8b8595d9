"""`python -m simward.gate --dir DIR`: the gate alone; `simward serve` runs watch and control beside it."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from simward import logs, parentage
from simward.errors import SimwardError
from simward.gate.serve import serve
from simward.settings import Settings


def main() -> int:
    """Serve the folder; the exit code is that of the error, 0 after a clean stop."""
    parser = argparse.ArgumentParser(prog="python -m simward.gate")
    parser.add_argument("--dir", type=Path, default=Path("."), help="the working folder")
    parser.add_argument("--parent", type=int, default=0, help="stop when this process is no longer the parent")
    arguments = parser.parse_args()
    parentage.end_with(arguments.parent)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the supervisor to say what is read again
    logs.begin("gate")
    try:
        settings = Settings.load(arguments.dir)
        logs.begin("gate", settings.log)
        serve(settings, say=lambda text: print(text, flush=True), parent=arguments.parent)
    except SimwardError as error:
        print("simward:", "\n         ".join(str(error).splitlines()), file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print("simward:", error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
