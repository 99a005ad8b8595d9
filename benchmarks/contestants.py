"""Servers that take turns on one core with the same kinds of packets, and what each round of each gave."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

from benchmarks.freeradius import FreeRadius, Tuning
from benchmarks.load.driver import Load, Outcome
from benchmarks.load.packets import Packets
from benchmarks.postgres import Postgres
from benchmarks.processes import cpu_seconds

WINDOWS = (64, 256, 1024)
KINDS = ("auth", "accounting", "mixed")


class Contestant:
    """One server with its load; keeps what each round gave."""

    def __init__(self, name: str, pids: Callable[[], list[int]], load: Load, kinds: tuple[str, ...] = KINDS) -> None:
        """`pids` are the processes whose work counts; `kinds` are the rounds in which it takes part."""
        self.name, self.pids, self.load, self.kinds = name, pids, load, kinds
        self.outstanding = dict.fromkeys(KINDS, 256)
        self.rounds: dict[str, list[Outcome]] = {kind: [] for kind in KINDS}
        self.cpu_us: dict[str, list[float]] = {kind: [] for kind in KINDS}

    def calibrate(self, kind: str, packets: Callable[[], list[Packets]]) -> None:
        """Find the window of outstanding requests that suits this server best."""
        if kind not in self.kinds:
            return
        rates = {}
        for window in WINDOWS:
            rates[window] = self.load.run(*packets(), outstanding=window).per_second
        self.outstanding[kind] = max(rates, key=lambda window: rates[window])

    def round(self, kind: str, packets: list[Packets]) -> None:
        """One measured round."""
        before = self._cpu_seconds()
        outcome = self.load.run(*packets, outstanding=self.outstanding[kind])
        if not outcome.sound() or outcome.rejected:
            print(f"  {self.name} {kind}: unsound round {outcome}", file=sys.stderr)
        self.rounds[kind].append(outcome)
        self.cpu_us[kind].append(1e6 * (self._cpu_seconds() - before) / outcome.requests)

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

    def said(self) -> str:
        """One line for people."""
        rates = ", ".join(f"{kind} {self.median(kind):,.0f}/s" for kind in self.kinds if self.rounds[kind])
        return f"{self.name}: {rates}"

    def _cpu_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in self.pids())


def tried(
    core: int, secret: bytes, sockets: int, tunings: tuple[Tuning, ...], packets: Callable[[], list[Packets]],
    store: Postgres | None = None,
) -> dict[str, dict[str, float]]:
    """Each tuning of FreeRADIUS by itself, briefly, once warm. `packets` gives requests, then accounting."""
    rates: dict[str, dict[str, float]] = {}
    for tuning in tunings:
        server = FreeRadius(core, secret, tuning, store)
        load = Load("127.0.0.1", server.auth_port, server.accounting_port, secret, sockets)
        try:
            for one in packets():
                load.run(one, outstanding=256)
            asked, accounted = (load.run(one, outstanding=256) for one in packets())
            rates[tuning.name] = {"auth": asked.per_second, "accounting": accounted.per_second}
        finally:
            load.close()
            server.close()
    return rates


def fastest(tunings: tuple[Tuning, ...], rates: dict[str, dict[str, float]]) -> Tuning:
    """The one that is best at both kinds together, of those that recognise retransmissions as the gate must."""
    able = [tuning for tuning in tunings if tuning.cleanup_delay > 0 and tuning.name in rates]
    best = {kind: max(rates[tuning.name][kind] for tuning in able) for kind in ("auth", "accounting")}
    return max(able, key=lambda tuning: sum(rates[tuning.name][kind] / best[kind] for kind in best))
