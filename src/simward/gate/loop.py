"""The pipeline of one batch, top to bottom: receive, decode, fold, record, answer and send."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from simward.engine import events
from simward.engine.fold import Fold
from simward.engine.journal import events_row
from simward.engine.outputs import OUTPUT, RESULT
from simward.gate import commands
from simward.gate.clock import Clock
from simward.gate.commands import CommandDesk, Part
from simward.gate.disconnects import Disconnects
from simward.gate.metrics import Metrics
from simward.gate.radius import Port
from simward.gate.recorder import Recorder
from simward.gate.replies import NOT_RECORDED
from simward.wire.radius.receive import Decoded

TICK_S = 1.0
COMMANDS_MAX = RESULTS_MAX = 256
"""Commands, and effect results, in one batch; more of them wait for the next."""
CANNOT_RECORD = "the journal cannot be written now: nothing can be decided on"


class Folded(NamedTuple):
    """What came of a run of events: what is journalled of it, and what is needed to answer."""

    inputs: np.ndarray
    outputs: np.ndarray
    results: np.ndarray
    kept: np.ndarray


    def copied(self) -> Folded:
        """The same, safe from what the fold does next."""
        return Folded(*(array.copy() for array in self))


NOTHING = Folded(events.empty(0), np.zeros(0, OUTPUT), np.zeros(0, RESULT), np.zeros(0, np.bool_))


class Gate:
    """One thread that decides. Everything it works with is given to it; it opens nothing itself."""

    def __init__(
        self,
        fold: Fold,
        recorder: Recorder,
        port: Port,
        desk: CommandDesk,
        disconnects: Disconnects,
        metrics: Metrics,
        clock: Clock,
        *,
        allow_when_not_durable: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fold, self.recorder, self.port = fold, recorder, port
        self.desk, self.disconnects, self.metrics, self.clock = desk, disconnects, metrics, clock
        self._allow = allow_when_not_durable
        self._monotonic = monotonic
        self.tick_at = monotonic()

    def turn(self) -> int:
        """One batch, of whatever is there: returns how many packets came."""
        began = self._monotonic()
        if not self.recorder.retry(began):
            return self._turn_not_durable(began)
        count = self.port.receive()
        tick = began >= self.tick_at
        if not (count or tick or self.desk.waiting or self.disconnects.results):
            return 0
        now = self.clock.now()
        decoded = self.port.decode(now)
        asked = self._asked()
        first = self.fold.sequence + 1
        own = self._fold_own(asked, tick, now)
        heard = self._fold(decoded.events)
        durable = self._record(first, now, own, heard, asked, began)
        if durable:
            sent = self.port.answer(decoded, heard.results, now)
            self.port.remember(decoded, heard.results)
        else:
            sent = self._answer_undurable(decoded, heard, now)
        if asked:
            commands.answer(asked, own.outputs, own.results, durable)
        if tick:
            self.tick_at += TICK_S
            if self.tick_at <= began:  # the machine slept: one tick stands for all that were missed
                self.tick_at = began + TICK_S
        if count:
            self._count(count, sent, heard, began)
        return count

    def _asked(self) -> list[Part]:
        """The commands that wait, as events of the subscriptions that they are about."""
        state = self.fold.state
        used = state.subscriptions[: int(state.meta["subscriptions"][0])]
        return commands.parts_of(self.desk.take(COMMANDS_MAX), used)

    def _fold_own(self, asked: list[Part], tick: bool, now: int) -> Folded:
        """Fold commands, effect results and the tick, before what came from gateways."""
        if not (asked or tick or self.disconnects.results):
            return NOTHING
        results = self.disconnects.take(RESULTS_MAX)
        count = len(asked) + len(results)
        own = events.empty(count + tick)
        for position, part in enumerate(asked):
            part.write(own[position])
        for position, result in enumerate(results, start=len(asked)):
            own[position] = result
        if tick:
            own["kind"][count] = events.TICK
        own["received_at"] = own["happened_at"] = now
        return self._fold(own).copied()

    def _fold(self, inputs: np.ndarray) -> Folded:
        """Fold events to the last one, however much room for outputs the fold has at a time."""
        if not len(inputs):
            return NOTHING
        folded = self.fold.events(inputs)
        if folded.consumed == len(inputs):
            return Folded(inputs, folded.outputs, folded.results, folded.kept)
        at, parts = 0, []
        while True:
            parts.append((folded.outputs.copy(), folded.results.copy(), folded.kept.copy()))
            at += folded.consumed
            if at == len(inputs):
                break
            folded = self.fold.events(inputs[at:])
        return Folded(inputs, *(np.concatenate([part[place] for part in parts]) for place in range(3)))

    def _record(self, first: int, now: int, own: Folded, heard: Folded, asked: list[Part], began: float) -> bool:
        """One journal row of what was new in this batch; True once it is durable (or there was nothing new)."""
        inputs, outputs = heard.inputs, heard.outputs
        if np.count_nonzero(heard.kept) < len(heard.kept):
            inputs = inputs[heard.kept]
        if own is not NOTHING:
            inputs = np.concatenate([own.inputs[own.kept], inputs])
            outputs = np.concatenate([own.outputs, outputs])
        if not len(inputs):
            return self.recorder.durable
        notes: dict[str, Any] | None = {"commands": commands.notes_of(asked, first, own.kept)} if asked else None
        texts = self.fold.state.texts
        whole_ids = texts.whole_ids.among(inputs)
        row = events_row(first, now, self.fold.kernel, inputs, outputs, texts.take_new(), notes, whole_ids)
        return self.recorder.append(row, outputs, began)

    # While the journal cannot be written.

    def _turn_not_durable(self, began: float) -> int:
        """No accounting, no commands, no ticks; requests as `when_not_durable` says."""
        self.desk.refuse_waiting(CANNOT_RECORD)
        dropped = self.port.discard_accounting()
        self.metrics.add("not_durable_total", "accounting", dropped)
        count = self.port.receive(accounting=False)
        if not count:
            return dropped
        now = self.clock.now()
        decoded = self.port.decode(now)
        if self._allow and self.recorder.has_room:
            first = self.fold.sequence + 1
            heard = self._fold(decoded.events)
            self._record(first, now, NOTHING, heard, [], began)
            self.port.remember(decoded, heard.results)  # answered before it is durable: that was chosen
            sent = self.port.answer(decoded, heard.results, now)
            self._count(count, sent, heard, began)
        else:
            self.port.forget(decoded)
            self.port.refuse(decoded, NOT_RECORDED)
            self.metrics.add("not_durable_total", "refused", len(decoded.events))
        return count + dropped

    def _answer_undurable(self, decoded: Decoded, heard: Folded, now: int) -> int:
        """The batch on which the journal failed: it is folded, but nobody may rely on it yet.

        It is forgotten, not remembered: a retransmission after the trouble is decided on again, and the fold knows
        by itself that it had it before.
        """
        accounting = heard.inputs["kind"] != events.ACCESS_REQUEST
        count = int(np.count_nonzero(accounting))
        self.metrics.add("not_durable_total", "accounting", count)
        self.port.forget(decoded)
        if self._allow:
            return self.port.answer(decoded, heard.results, now, without=accounting)
        self.metrics.add("not_durable_total", "refused", len(accounting) - count)
        return self.port.refuse(decoded, NOT_RECORDED)

    def _count(self, count: int, sent: int, heard: Folded, began: float) -> None:
        """What the metrics say about a batch."""
        metrics = self.metrics
        metrics.batch_packets.add(count)
        metrics.turn_us.add(int((self._monotonic() - began) * 1e6))
        metrics.add("answers_total", "", sent)
        if len(heard.inputs):
            metrics.add_folded(heard.inputs, heard.results)
