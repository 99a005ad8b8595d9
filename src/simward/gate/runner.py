"""The gate's life between `ready` and stop: wait, hear commands and gateways, turn; drain when told to stop."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from simward.errors import PeerError
from simward.gate.control import CommandSocket
from simward.gate.loop import Gate
from simward.gate.poller import Poller

log = logging.getLogger(__name__)

DRAIN_S = 3.0
"""How long a stopping gate goes on answering what is in its buffers, and trying to make durable what waits."""
RETRY_POLL_S = 0.1


class Runner:
    """Owns the poller and the order of things in one round."""

    def __init__(self, gate: Gate, poller: Poller, control: CommandSocket, each_second: Callable[[float], None],
                 step: Callable[[], bool]) -> None:
        """`each_second(now)` is the housekeeping; `step()` does a piece of long work and says whether more is to do."""
        self._gate, self._poller, self._control = gate, poller, control
        self._each_second, self._step = each_second, step
        self._stopping, self._second_at = False, 0.0
        self._wake_read, self._wake_write = os.pipe()
        poller.watch(self._wake_read)

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT end `run`; a second one ends the process as usual."""
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def stop(self) -> None:
        """End `run`; may be called from another thread."""
        self._stopping = True
        os.write(self._wake_write, b"\0")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        signal.signal(number, signal.SIG_DFL)

    def run(self) -> None:
        """Until told to stop, then drain."""
        self._gate.tick_at = self._second_at = time.monotonic()
        busy = False
        while not self._stopping:
            busy = self._round(busy)
        self._drain()

    def _round(self, busy: bool) -> bool:
        gate = self._gate
        seconds = 0.0 if busy else self._patience()
        for number, _ in self._poller.wait(seconds):
            if number in gate.port.numbers:
                continue  # a turn empties both sockets anyway
            now = time.monotonic()
            if number in gate.disconnects.numbers:
                gate.disconnects.receive(now)
            elif self._control.owns(number):
                for call in self._control.ready(number, now):
                    gate.desk.hear(call)
            elif number == self._wake_read:
                os.read(number, 512)
        now = time.monotonic()
        gate.disconnects.expire(now)
        gate.turn()
        if now >= self._second_at:  # not by the gate's tick, which waits for the journal
            self._second_at = now + 1.0
            self._each_second(time.monotonic())
        busy = self._step()
        self._control.flush()
        return busy

    def _patience(self) -> float:
        """How long nothing needs to be done if nothing comes."""
        gate, now = self._gate, time.monotonic()
        if not gate.recorder.durable:  # results and commands wait for the journal too
            return RETRY_POLL_S
        if gate.disconnects.results or gate.desk.waiting:
            return 0.0
        return max(0.0, min(gate.tick_at, gate.disconnects.due_at) - now)

    def _drain(self) -> None:
        """Answer what had come before the stop; what cannot be made durable is not acknowledged."""
        gate, deadline = self._gate, time.monotonic() + DRAIN_S
        while time.monotonic() < deadline:
            if not gate.turn() and gate.recorder.durable:
                break
            if not gate.recorder.durable:
                time.sleep(RETRY_POLL_S)
        gate.desk.refuse_waiting("the gate is stopping")
        if not gate.recorder.durable:
            waiting, why = gate.recorder.pending_rows, gate.recorder.reason
            raise PeerError(f"stopped with {waiting} rows that the journal would not take: {why}")
