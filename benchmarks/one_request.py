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
    """Requests and syncs in turns within one run, so that both meet the same disk under the same load.

    The syncs are made on the core of the load. On the gate's core one may take longer, where the disk's interrupt comes
    to the other: that is measured too, and stands in no bar.
    """
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    fleet = Fleet(2_000 if quick else 10_000)
    gate = Gate(server_core, SECRET, fleet, folder)
    latency: dict[str, list[Outcome]] = {"auth": [], "accounting": []}
    appended, overwritten, beside = [], [], []
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
            os.sched_setaffinity(0, {server_core})
            beside += [probe.append() for _ in range(count // 2)]
            os.sched_setaffinity(0, {load_core})
        load.close()
        probe.close()
    finally:
        gate.close()
    syncs = {"append": appended, "overwrite": overwritten, "append_gates_core": beside}
    return report(latency, syncs, folder, quick=quick)


def report(
    latency: dict[str, list[Outcome]], syncs: dict[str, list[float]], folder: Path, *, quick: bool
) -> dict[str, object]:
    """Medians and their ratio."""
    floor = spread(syncs["append"])
    medians = {kind: statistics.median(one.latency_us["p50"] for one in runs) for kind, runs in latency.items()}
    figures = {
        "latency_us": {
            kind: {mark: statistics.median(one.latency_us[mark] for one in runs) for mark in ("p50", "p90", "p99")}
            for kind, runs in latency.items()
        },
        **{f"fdatasync_{name}_us": spread(took) for name, took in syncs.items()},
        "answered": sum(one.completed for runs in latency.values() for one in runs),
        "lost": sum(one.lost for runs in latency.values() for one in runs),
    }
    bars = [
        Bar(f"one {kind} request, times fdatasync", median / floor["p50"], 2.0, "x", at_most=True)
        for kind, median in medians.items()
    ]
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    said = ", ".join(f"{kind} {median:.0f} us" for kind, median in medians.items())
    after, in_place, beside = (statistics.median(took) for took in syncs.values())
    print(f"         {said}; fdatasync after append {after:.0f} us, in place {in_place:.0f} us, "
          f"after append on the gate's core {beside:.0f} us")  # fmt: skip
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    return measure(here, rounds=2 if quick else 20, count=20 if quick else 200, quick=quick)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
