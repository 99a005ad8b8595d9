"""How long does one durable answer take when nothing else is asked, beside one fdatasync of the same disk?"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.disk import SyncProbe, spread
from benchmarks.gate import Gate
from benchmarks.load.driver import Load, Outcome, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.sessions import Traffic
from benchmarks.report import Bar, save

NAME = "one_request"
QUESTION = "latency of one durable answer at a time, beside one fdatasync"
SECRET = b"a-secret-only-for-benchmarks"


def measure(folder: Path, *, rounds: int, count: int, quick: bool) -> dict[str, object]:
    """Requests and syncs in turns, so that both meet the same disk."""
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    fleet = Fleet(2_000 if quick else 10_000)
    gate = Gate(server_core, SECRET, fleet, folder)
    latency: dict[str, list[Outcome]] = {"auth": [], "accounting": []}
    appended, overwritten = [], []
    try:
        gate.apply()
        gate.start()
        probe = SyncProbe(gate.folder)
        load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, sockets=1)
        traffic = Traffic(fleet, SECRET, 1, seed=1)
        for packets in traffic.everyone():
            load.run(packets, outstanding=64)
        for _ in range(rounds):
            appended += [probe.append() for _ in range(count // 2)]
            latency["auth"].append(load.run(traffic.auth(count), outstanding=1))
            overwritten += [probe.overwrite() for _ in range(count // 2)]
            latency["accounting"].append(load.run(traffic.accounting(count), outstanding=1))
        load.close()
        probe.close()
    finally:
        gate.close()
    return report(latency, appended, overwritten, folder, quick=quick)


def report(
    latency: dict[str, list[Outcome]], appended: list[float], overwritten: list[float], folder: Path, *, quick: bool
) -> dict[str, object]:
    """Medians and their ratio."""
    floor = spread(appended)
    medians = {kind: statistics.median(one.latency_us["p50"] for one in runs) for kind, runs in latency.items()}
    figures = {
        "latency_us": {
            kind: {mark: statistics.median(one.latency_us[mark] for one in runs) for mark in ("p50", "p90", "p99")}
            for kind, runs in latency.items()
        },
        "fdatasync_append_us": floor,
        "fdatasync_overwrite_us": spread(overwritten),
        "answered": sum(one.completed for runs in latency.values() for one in runs),
        "lost": sum(one.lost for runs in latency.values() for one in runs),
    }
    bars = [
        Bar(f"one {kind} request, times fdatasync", median / floor["p50"], 2.0, "x", at_most=True)
        for kind, median in medians.items()
    ]
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    said = ", ".join(f"{kind} {median:.0f} us" for kind, median in medians.items())
    print(f"         {said}; fdatasync after append {floor['p50']:.0f} us, "
          f"in place {spread(overwritten)['p50']:.0f} us")  # fmt: skip
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    return measure(here, rounds=2 if quick else 20, count=20 if quick else 200, quick=quick)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
