"""How many durable decisions a second does the gate make on one core, beside FreeRADIUS that stores nothing?

Both servers run at the same time, each pinned to the same core, and take turns with the same packets (A B, B A, ...);
the load runs on the other core. FreeRADIUS accepts all, stores nothing, logs nothing, verifies and sends
Message-Authenticator. It is measured in several tunings; the yardstick is its fastest that still recognises a
retransmission (RFC 5080 2.2.2), as the gate must. The gate journals every event durably, knows its subscriptions,
binds on first use, gives static addresses and runs all detectors.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import freeradius
from benchmarks.gate import Gate
from benchmarks.load.driver import Load, Outcome, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.packets import Packets
from benchmarks.load.responder import Responder
from benchmarks.load.sessions import Traffic
from benchmarks.processes import cpu_seconds
from benchmarks.report import Bar, save

NAME = "gate_vs_freeradius"
QUESTION = "durable decisions and accounting a second on one core, beside FreeRADIUS that stores nothing"
SECRET = b"a-secret-only-for-benchmarks"
SOCKETS = 4
WINDOWS = (64, 256, 1024)


class Contestant:
    """One server with its load; keeps what each round gave."""

    def __init__(self, name: str, pid: int, load: Load) -> None:
        self.name, self.pid, self.load = name, pid, load
        self.outstanding = {"auth": 256, "accounting": 256, "mixed": 256}
        self.rounds: dict[str, list[Outcome]] = {"auth": [], "accounting": [], "mixed": []}
        self.cpu_us: dict[str, list[float]] = {"auth": [], "accounting": [], "mixed": []}

    def calibrate(self, kind: str, packets: Callable[[], list[Packets]]) -> None:
        """Find the window of outstanding requests that suits this server best."""
        rates = {}
        for window in WINDOWS:
            rates[window] = self.load.run(*packets(), outstanding=window).per_second
        self.outstanding[kind] = max(rates, key=lambda window: rates[window])

    def round(self, kind: str, packets: list[Packets]) -> None:
        """One measured round."""
        before = cpu_seconds(self.pid)
        outcome = self.load.run(*packets, outstanding=self.outstanding[kind])
        if not outcome.sound() or outcome.rejected:
            print(f"  {self.name} {kind}: unsound round {outcome}", file=sys.stderr)
        self.rounds[kind].append(outcome)
        self.cpu_us[kind].append(1e6 * (cpu_seconds(self.pid) - before) / outcome.requests)

    def median(self, kind: str) -> float:
        """Requests a second, the median of the rounds."""
        return statistics.median(one.per_second for one in self.rounds[kind])

    def figures(self) -> dict[str, object]:
        """For the JSON."""
        said: dict[str, object] = {}
        for kind, rounds in self.rounds.items():
            if rounds:
                said[kind] = {
                    "per_second": self.median(kind),
                    "per_second_by_round": [one.per_second for one in rounds],
                    "cpu_us_a_request": statistics.median(self.cpu_us[kind]),
                    "outstanding": self.outstanding[kind],
                    "latency_us": rounds[len(rounds) // 2].latency_us,
                    "requests_by_round": rounds[0].requests,
                    "lost": sum(one.lost for one in rounds),
                    "retransmitted": sum(one.retransmitted for one in rounds),
                    "rejected": sum(one.rejected for one in rounds),
                    "replies_verified": sum(one.verified_replies for one in rounds),
                    "replies_forged": sum(one.forged_replies for one in rounds),
                    "load_idle_share": statistics.median(one.idle_share for one in rounds),
                }
        return said


def generator_alone(core: int, traffic: Traffic, count: int) -> dict[str, object]:
    """What the load can make when the server only answers: it must be far above every server."""
    responder = Responder(core)
    load = Load("127.0.0.1", responder.auth_port, responder.accounting_port, SECRET, SOCKETS)
    try:
        runs = [load.run(traffic.auth(count), outstanding=512) for _ in range(3)]
        return {"per_second": max(run.per_second for run in runs), "runs": [asdict(run) for run in runs]}
    finally:
        load.close()
        responder.close()


def tried(
    core: int, traffic: Traffic, count: int, tunings: tuple[freeradius.Tuning, ...]
) -> dict[str, dict[str, float]]:
    """Each tuning of FreeRADIUS by itself, briefly."""
    rates: dict[str, dict[str, float]] = {}
    for tuning in tunings:
        server = freeradius.FreeRadius(core, SECRET, tuning)
        load = Load("127.0.0.1", server.auth_port, server.accounting_port, SECRET, SOCKETS)
        try:
            load.run(traffic.auth(count // 4), outstanding=256)
            rates[tuning.name] = {
                "auth": load.run(traffic.auth(count), outstanding=256).per_second,
                "accounting": load.run(traffic.accounting(count), outstanding=256).per_second,
            }
        finally:
            load.close()
            server.close()
    return rates


def fastest(rates: dict[str, dict[str, float]]) -> freeradius.Tuning:
    """The fastest tuning that recognises retransmissions."""
    able = [tuning for tuning in freeradius.TUNINGS if tuning.cleanup_delay > 0 and tuning.name in rates]
    return max(able, key=lambda tuning: rates[tuning.name]["auth"] + rates[tuning.name]["accounting"])


def measure(folder: Path, *, subscriptions: int, count: int, rounds: int, quick: bool) -> dict[str, object]:
    """The whole run."""
    server_core, load_core = cores()
    os.sched_setaffinity(0, {load_core})
    fleet = Fleet(subscriptions)
    traffic = Traffic(fleet, SECRET, SOCKETS, seed=1)
    alone = generator_alone(server_core, traffic, count)
    candidates = freeradius.TUNINGS[1:2] if quick else freeradius.TUNINGS
    tunings = tried(server_core, Traffic(fleet, SECRET, SOCKETS, seed=2), count, candidates)
    tuning = fastest(tunings)
    gate = Gate(server_core, SECRET, fleet, folder)
    radius = freeradius.FreeRadius(server_core, SECRET, tuning)
    ours = theirs = None
    try:
        applied = gate.apply()
        started = gate.start()
        ours = Contestant("simward", gate.pid, Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, SOCKETS))
        theirs = Contestant(
            "freeradius", radius.pid, Load("127.0.0.1", radius.auth_port, radius.accounting_port, SECRET, SOCKETS)
        )
        first = first_contact(ours, traffic)
        compete([ours, theirs], traffic, count, rounds)
    finally:
        for one in (ours, theirs):
            if one is not None:
                one.load.close()
        gate.close()
        radius.close()
    return report(ours, theirs, folder, quick=quick, figures={
        "subscriptions": subscriptions, "apply_seconds": applied, "start_seconds": started, "first_contact": first,
        "generator_alone": alone, "freeradius_tunings": tunings, "freeradius_tuning_used": tuning.name,
    })  # fmt: skip


def first_contact(ours: Contestant, traffic: Traffic) -> dict[str, object]:
    """Every subscription asks and starts for the first time: it is bound and gets its address."""
    asked, started = traffic.everyone()
    bound = ours.load.run(asked, outstanding=256)
    begun = ours.load.run(started, outstanding=256)
    traffic.scatter()
    return {"auth": asdict(bound), "accounting": asdict(begun)}


def compete(contestants: list[Contestant], traffic: Traffic, count: int, rounds: int) -> None:
    """Calibrate each, then interleave the rounds; within a round all get the same packets."""
    small = max(500, count // 4)
    for one in contestants:
        one.calibrate("auth", lambda: [traffic.auth(small)])
        one.calibrate("accounting", lambda: [traffic.accounting(small)])
        one.outstanding["mixed"] = max(one.outstanding["auth"], one.outstanding["accounting"])
    for number in range(rounds):
        order = contestants if number % 2 == 0 else contestants[::-1]
        for kind in ("auth", "accounting", "mixed"):
            packets = {
                "auth": lambda: [traffic.auth(count)],
                "accounting": lambda: [traffic.accounting(count)],
                "mixed": lambda: [traffic.auth(count // 2), traffic.accounting(count // 2)],
            }[kind]()
            for one in order:
                one.round(kind, packets)


def report(
    ours: Contestant, theirs: Contestant, folder: Path, *, quick: bool, figures: dict[str, object]
) -> dict[str, object]:
    """Ratios of medians, and the bars."""
    bars = [
        Bar("decisions, times FreeRADIUS", ours.median("auth") / theirs.median("auth"), 1.2, "x", aim=1.8),
        Bar("accounting, times FreeRADIUS", ours.median("accounting") / theirs.median("accounting"), 1.5, "x", aim=2.3),
    ]
    figures = {"simward": ours.figures(), "freeradius": theirs.figures(), **figures}
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    for one in (ours, theirs):
        rates = ", ".join(f"{kind} {one.median(kind):,.0f}/s" for kind in one.rounds)
        print(f"         {one.name}: {rates}")
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    if not freeradius.PROGRAM:
        raise SystemExit("FreeRADIUS is not installed (Debian: apt install freeradius)")
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=2_000, count=2_000, rounds=1, quick=True)
    return measure(here, subscriptions=100_000, count=100_000, rounds=7, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
