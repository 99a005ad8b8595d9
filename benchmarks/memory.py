"""How many octets does a subscription take with everything counted, and how soon is a gate of a million up again?"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.gate import Gate
from benchmarks.load.driver import Load, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.sessions import Traffic
from benchmarks.processes import resident_octets
from benchmarks.report import Bar, save

NAME = "memory"
QUESTION = "octets a subscription, everything counted, and the time to start again"
SECRET = b"a-secret-only-for-benchmarks"
OUTSTANDING = 512


def measure(folder: Path, *, subscriptions: int, tail: int, quick: bool) -> dict[str, object]:
    """Fill a gate over its sockets, weigh it, start it again: after a stop, and after a kill."""
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    fleet = Fleet(subscriptions)
    gate = Gate(server_core, SECRET, fleet, folder)
    traffic = Traffic(fleet, SECRET, 4, seed=1)
    figures: dict[str, object] = {"subscriptions": subscriptions}
    try:
        figures["apply_seconds"] = gate.apply()
        figures["first_start_seconds"] = gate.start()
        figures["resident_before_traffic"] = resident_octets(gate.pid)
        load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, 4)
        answered = [load.run(packets, outstanding=OUTSTANDING) for packets in traffic.everyone()]
        figures["answered"] = sum(one.accepted for one in answered)
        resident = resident_octets(gate.pid)
        figures["resident_with_all_sessions"] = resident
        figures["snapshot_seconds"] = gate.snapshot()
        figures["stop_seconds"] = stopped(gate)
        # As an operator starts it: on whatever cores there are.
        figures["start_after_stop_seconds"] = orderly = gate.start(cores=(server_core, load_core))
        figures["resident_after_start"] = resident_octets(gate.pid)
        load.run(traffic.accounting(tail), outstanding=OUTSTANDING)
        gate.kill()
        figures["tail_events"] = tail
        figures["start_after_kill_seconds"] = killed = gate.start(cores=(server_core, load_core))
        load.close()
        figures["folder_octets"] = folder_octets(gate.folder / "data")
    finally:
        gate.close()
    if figures["answered"] != 2 * subscriptions:
        print(f"  only {figures['answered']} of {2 * subscriptions} requests were accepted", file=sys.stderr)
    bars = [
        Bar("octets a subscription, session live", resident / subscriptions, 600, "octets", at_most=True, aim=400),
        Bar("start with a million, snapshot and tail", max(orderly, killed), 5.0, "s", at_most=True, aim=2),
    ]
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def stopped(gate: Gate) -> float:
    """Stop it; how long that took (seconds)."""
    before = time.monotonic()
    gate.stop()
    return time.monotonic() - before


def folder_octets(folder: Path) -> dict[str, int]:
    """What lies on the disk, by kind of file."""
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            kind = path.suffix or path.name
            sizes[kind] = sizes.get(kind, 0) + path.stat().st_size
    return sizes


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=2_000, tail=1_000, quick=True)
    return measure(here, subscriptions=1_000_000, tail=200_000, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
