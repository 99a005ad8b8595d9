"""What does a gateway lose while unknown addresses flood the gate's ports as fast as one core can send?

The gateway (127.0.0.1) sends at a moderate rate and never again: what has no answer within a second is lost. The flood
comes from 127.0.0.2 to 127.0.0.9 to both ports. The two senders share one core, the gate has the other:
that which serves the disk's interrupts, since a core that a flood fills serves them late.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.gate import Gate, metric
from benchmarks.load.driver import Load, cores
from benchmarks.load.fleet import Fleet
from benchmarks.load.flooding import Flood
from benchmarks.load.paced import Kept, PacedLoad
from benchmarks.load.packets import Packets
from benchmarks.load.sessions import Traffic
from benchmarks.machine import core_of_interrupts
from benchmarks.report import Bar, save

NAME = "flood"
QUESTION = "what a gateway loses while unknown addresses flood the gate's ports"
SECRET = b"a-secret-only-for-benchmarks"
SOCKETS = 8
PER_SECOND = 1_000
"""Of requests, and as many of accounting: a gateway of a million devices that report about once in ten minutes."""
COUNTED = ("packets_total", "kernel_dropped_total", "source_filter")


class Gateway:
    """Requests and accounting side by side, each at the same rate."""

    def __init__(self, gate: Gate, traffic: Traffic) -> None:
        self._traffic = traffic
        self._loads = [PacedLoad("127.0.0.1", port, SOCKETS) for port in (gate.auth_port, gate.accounting_port)]

    def send(self, seconds: float) -> dict[str, Kept]:
        """For so long, at PER_SECOND each."""
        count = int(PER_SECOND * seconds)
        made: list[Packets] = [self._traffic.auth(count), self._traffic.accounting(count)]
        found: dict[str, Kept] = {}

        def accounting() -> None:
            found["accounting"] = self._loads[1].run(made[1], PER_SECOND)

        thread = threading.Thread(target=accounting)
        thread.start()
        found["auth"] = self._loads[0].run(made[0], PER_SECOND)
        thread.join()
        return found

    def close(self) -> None:
        """Give the sockets back."""
        for load in self._loads:
            load.close()


def measure(folder: Path, *, subscriptions: int, seconds: float, rounds: int, quick: bool) -> dict[str, object]:
    """Each round: the gateway alone, then with the flood, which begins while the gateway sends."""
    server_core, load_core = cores()
    if core_of_interrupts() == load_core:
        server_core, load_core = load_core, server_core
    os.sched_setaffinity(0, {load_core})
    fleet = Fleet(subscriptions)
    gate = Gate(server_core, SECRET, fleet, folder)
    quiet, flooded, rates = [], [], []
    try:
        gate.apply()
        gate.start()
        traffic = Traffic(fleet, SECRET, SOCKETS, seed=1)
        load = Load("127.0.0.1", gate.auth_port, gate.accounting_port, SECRET, SOCKETS)
        for packets in traffic.everyone():
            load.run(packets, outstanding=64)
        load.close()
        gateway = Gateway(gate, traffic)
        gateway.send(0.2)
        for _ in range(rounds):
            quiet.append(gateway.send(seconds))
            sender = Flood(load_core, [gate.auth_port, gate.accounting_port])
            timer = threading.Timer(0.1 * seconds, sender.start)
            timer.start()
            flooded.append(gateway.send(seconds))
            timer.join()
            sent, took = sender.stop()
            sender.close()
            rates.append(sent / took)
            time.sleep(0.2)
        counted = {name: found for name in COUNTED if (found := metric(gate, name))}
        gateway.close()
    finally:
        gate.close()
    lost = [1 - sum(one.answered for one in kept.values()) / sum(one.sent for one in kept.values()) for kept in flooded]
    figures = {
        "flood_per_second": statistics.median(rates),
        "flood_per_second_by_round": rates,
        "lost_share_by_round": lost,
        "gateway_per_second": 2 * PER_SECOND,
        "alone": [{kind: asdict(one) for kind, one in kept.items()} for kept in quiet],
        "flooded": [{kind: asdict(one) for kind, one in kept.items()} for kept in flooded],
        "gate_counted": counted,
    }
    bars = [Bar("lost by a gateway beside a flood", 100 * statistics.median(lost), 1, "%", at_most=True)]
    result = save(NAME, QUESTION, figures, bars, folder, quick=quick)
    slow = statistics.median(max(one.latency_us["p99"] for one in kept.values()) for kept in flooded)
    print(f"         flood {statistics.median(rates):,.0f} packets/s; lost {', '.join(f'{one:.3%}' for one in lost)}; "
          f"p99 {slow / 1000:.1f} ms")  # fmt: skip
    return result


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = folder or Path(tempfile.gettempdir())
    if quick:
        return measure(here, subscriptions=1_000, seconds=0.6, rounds=1, quick=True)
    return measure(here, subscriptions=100_000, seconds=10, rounds=3, quick=False)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
