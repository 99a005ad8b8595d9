"""`python -m simward.gate --dir DIR`: the gate alone; `simward serve` runs the watch behind it as well."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from simward.errors import SimwardError
from simward.gate.serve import serve
from simward.settings import Settings


def main() -> int:
    """Serve the folder; the exit code is that of the error, 0 after a clean stop."""
    parser = argparse.ArgumentParser(prog="python -m simward.gate")
    parser.add_argument("--dir", type=Path, default=Path("."), help="the working folder")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        serve(Settings.load(arguments.dir), say=lambda text: print(text, flush=True))
    except SimwardError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
