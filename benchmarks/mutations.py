"""Does a million changed requests, and a couple of hundred thousand at a running gate, crash or fool anything?

What changes requests and what judges the outcome (hashlib alone, from the RFCs' words) is shared with the tests, which
do a fifth of it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from benchmarks.report import Bar, save
from gate.attacking import Attacker, heard_events
from gate.running import SECRET, RunningGate
from wire.judging import Judging, resident

NAME = "mutations"
QUESTION = "changed requests: is anything let in unsigned, does anything crash, does memory grow?"
SEED = 20_261_125
GROWTH_MAX_MIB = 4.0
GATE_GROWTH_MAX_MIB = 1.0
GATE_WARM_UP = 4 / 9
"""Of the packets at the gate: until then its tables of fixed size are touched for the first time, page by page."""
MIB = 1 << 20


def receiver_figures(packets: int) -> dict[str, Any]:
    """The receiver and the answerer in this process; the first twentieth warms up."""
    judging, began = Judging(SEED), time.monotonic()
    judging.judge(packets // 20)
    before = resident()
    judging.judge(packets - packets // 20)
    return {
        "packets": judging.packets,
        "signed": judging.genuine,
        "wrong": judging.wrong[:10],
        "wrong_count": len(judging.wrong),
        "growth_mib": (resident() - before) / MIB,
        "outcomes": dict(sorted(judging.seen.items())),
        "seconds": time.monotonic() - began,
        "seed": SEED,
    }


def gate_figures(folder: Path, packets: int) -> dict[str, Any]:
    """A gate in a process of its own, attacked from the address of its gateway; the first part warms up."""
    gate, began = RunningGate(folder / "net").start(), time.monotonic()
    try:
        attacker = Attacker(gate, SEED)
        attacker.attack(warm_up := int(packets * GATE_WARM_UP))
        assert gate.process is not None
        before = resident(gate.process.pid)
        attacker.attack(packets - warm_up)
        growth = resident(gate.process.pid) - before
        attacker.hear()
        counted = gate.ask("status")["packets"]
        attacker.close()
        code = gate.stop()
    finally:
        gate.close()
    return {
        "packets": attacker.sent,
        "signed": attacker.genuine,
        "accepted": counted["accepted"],
        "answers_verified": attacker.answers,
        "events_journalled": heard_events(gate.folder),
        "events_too_many": max(0, heard_events(gate.folder) - counted["accepted"]),
        "accepted_too_many": max(0, counted["accepted"] - attacker.genuine),
        "uncounted": attacker.sent - sum(counted.values()),
        "crashed": int(code != 0 or "Traceback" in gate.errors() or SECRET in gate.errors()),
        "growth_mib": growth / MIB,
        "outcomes": counted,
        "seconds": time.monotonic() - began,
    }


def bars_of(inside: dict[str, Any], running: dict[str, Any]) -> list[Bar]:
    """Much changed, nothing fooled, nothing broken."""
    none = {"bar": 0, "at_most": True}
    return [
        Bar("changed packets through the receiver", inside["packets"], 1_000_000, "packets"),
        Bar("of a million, judged otherwise than hashlib does", inside["wrong_count"], unit="packets", **none),
        Bar("the receiver grew by", inside["growth_mib"], GROWTH_MAX_MIB, "MiB", at_most=True),
        Bar("changed packets through a running gate", running["packets"], 200_000, "packets"),
        Bar("changed packets accepted unsigned", running["accepted_too_many"], unit="packets", **none),
        Bar("events of no accepted packet", running["events_too_many"], unit="events", **none),
        Bar("changed packets without an outcome", running["uncounted"], unit="packets", **none),
        Bar("crashes of the gate", running["crashed"], unit="", **none),
        Bar("the gate grew by", running["growth_mib"], GATE_GROWTH_MAX_MIB, "MiB", at_most=True),
    ]


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    here = Path(tempfile.mkdtemp(prefix="simward-mutations-", dir=folder))
    try:
        inside = receiver_figures(20_000 if quick else 1_000_000)
        running = gate_figures(here, 1_800 if quick else 360_000)
        bars = bars_of(inside, running)
        return save(NAME, QUESTION, {"receiver": inside, "gate": running}, bars, here, quick=quick)
    finally:
        shutil.rmtree(here, ignore_errors=True)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
