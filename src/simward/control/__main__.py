"""`python -m simward.control --dir DIR`: the control plane; `simward serve` starts it and keeps it running."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from simward import logs, parentage
from simward.errors import SimwardError
from simward.settings import Settings

BEHIND_THE_GATE = 5
"""Niceness: an answer to a gateway never waits for one to a person; a person does not wait for the watch."""
SWITCH_S = 0.001
"""A request passes between threads several times, and each time waits as long for one that works (Python: 5 ms)."""


async def serve(settings: Settings, parent: int) -> None:
    """The control plane of a folder until it is told to stop, or its parent is gone."""
    from simward.control.alone import alone
    from simward.control.assembling import assemble
    from simward.control.run import until_told
    from simward.registry.database import url_of
    from simward.registry.sole import sole_user

    with alone(settings.data_dir), sole_user(url_of(settings)) as sole:
        await assemble(settings, sole).run(await until_told(parent))


def main() -> int:
    """Serve until told to stop; the exit code is that of the error."""
    parser = argparse.ArgumentParser(prog="python -m simward.control")
    parser.add_argument("--dir", type=Path, default=Path("."), help="the working folder")
    parser.add_argument("--parent", type=int, default=0, help="end when this process is no longer the parent")
    arguments = parser.parse_args()
    parentage.end_with(arguments.parent)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the supervisor to say what is read again
    os.nice(BEHIND_THE_GATE)
    sys.setswitchinterval(SWITCH_S)
    os.umask(0o077)  # what it writes names subscriptions
    logs.begin("control")
    try:
        settings = Settings.load(arguments.dir)
        logs.begin("control", settings.log)
        asyncio.run(serve(settings, arguments.parent))
    except SimwardError as error:
        print(f"control: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"control: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
