"""The order of things in the gate's life, with nothing behind it but a journal that will not take anything."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

from simward.gate.poller import Poller
from simward.gate.runner import RETRY_POLL_S, Runner


class Unrecorded:
    """A gate whose journal cannot be written: it turns, and no tick passes."""

    def __init__(self) -> None:
        self.turns, self.tick_at = 0, 0.0
        self.port = SimpleNamespace(numbers=())
        self.recorder = SimpleNamespace(durable=False)
        self.desk = SimpleNamespace(waiting=[], refuse_waiting=lambda why: None)
        self.disconnects = SimpleNamespace(numbers=(), results=[], due_at=0.0, expire=lambda now: None)

    def turn(self) -> int:
        """Count it; once told to stop, the journal can be written again."""
        self.turns += 1
        return 0


def test_a_gate_that_cannot_record_waits_for_its_journal_without_using_up_a_core() -> None:
    gate: Any = Unrecorded()
    seconds: list[float] = []
    control: Any = SimpleNamespace(owns=lambda number: False, ready=lambda number, now: (), flush=lambda: None)
    runner = Runner(gate, Poller(), control, seconds.append, lambda: False)
    lasts = 1.6

    def stop() -> None:
        gate.recorder.durable = True
        runner.stop()

    timer = threading.Timer(lasts, stop)
    began = time.monotonic()
    timer.start()
    runner.run()
    took = time.monotonic() - began
    assert gate.turns <= took / RETRY_POLL_S + 3
    assert 1 <= len(seconds) <= took + 1, "housekeeping goes on, once a second"
