"""What the gate says about itself: the commands `status` and `metrics`."""

from __future__ import annotations

import os
import time
from typing import Any

from simward.engine.fold import Fold
from simward.engine.journal import Journal
from simward.engine.layouts import GATEWAYS_MAX
from simward.errors import UsageError
from simward.gate.clock import Clock
from simward.gate.control import Call
from simward.gate.disconnects import Disconnects
from simward.gate.metrics import Metrics
from simward.gate.radius import RadiusPort
from simward.gate.recorder import Recorder
from simward.gate.sockets import shown_address

GATEWAYS_AT_ONCE = 256
"""Told at once: a millisecond of the loop that answers gateways."""


class Status:
    """Reads the others; changes nothing but gauges."""

    def __init__(
        self, fold: Fold, journal: Journal, recorder: Recorder, port: RadiusPort, disconnects: Disconnects,
        metrics: Metrics, clock: Clock,
    ) -> None:
        self._fold, self._journal, self._recorder, self._port = fold, journal, recorder, port
        self._disconnects, self._metrics, self._clock = disconnects, metrics, clock
        self._since = time.monotonic()

    def facts(self) -> dict[str, Any]:
        """For people and for the console."""
        meta, recorder = self._fold.state.meta, self._recorder
        policy = self._fold.state.policy
        return {
            "pid": os.getpid(),
            "auth": shown_address(self._port.auth),
            "accounting": shown_address(self._port.accounting),
            "uptime_s": round(time.monotonic() - self._since, 1),
            "sequence": self._fold.sequence,
            "journalled": self._journal.last,
            "kernel": self._fold.kernel,
            "subscriptions": int(meta["subscriptions_live"][0]),
            "sessions": int(meta["sessions_live"][0]),
            "findings": int(meta["findings_live"][0]),
            "paused": bool(meta["paused"][0]),
            "use_cases": [name for name in policy.names["use_cases"] if name],
            "durable": recorder.durable,
            "not_durable_because": recorder.reason,
            "pending_rows": recorder.pending_rows,
            "effects_pending": self._disconnects.pending,
            "clock_behind_s": round(self._clock.behind_us / 1e6, 1),
            "journal_trouble": str(getattr(self._journal, "trouble", "")),
            "packets": {name: count for name, count in self._port.counts().items() if count},
        }

    def answer(self, call: Call) -> None:
        """The command `status`."""
        call.answer(**self.facts())

    def answer_gateways(self, call: Call) -> None:
        """The command `gateways`: what is known of each that was heard of, some rows of the table from `after` on."""
        after = call.payload.get("after", 0)
        if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= GATEWAYS_MAX:
            raise UsageError(f"after is a row, 0 to {GATEWAYS_MAX}")
        state = self._fold.state
        count = int(state.meta["gateways"][0])
        rows = [
            {"gateway": state.texts.name(int(one["gateway"])), "client": state.texts.name(int(one["client"])),
             "sessions": int(one["sessions"]), "heard_at": int(one["last_at"]), "restarted_at": int(one["epoch_at"])}
            for one in state.gateways[after : min(count, after + GATEWAYS_AT_ONCE)]
        ]  # fmt: skip
        after += len(rows)
        call.answer(gateways=rows, next=after if after < count else None)

    def answer_metrics(self, call: Call) -> None:
        """The command `metrics`: text as Prometheus reads it."""
        metrics, recorder = self._metrics, self._recorder
        for reason, count in self._port.counts().items():
            metrics.counts["packets_total", reason] = count
        source_filter = self._port.source_filter
        source_filter.count_drops()
        for name, dropped in zip(("auth", "accounting"), source_filter.dropped, strict=True):
            metrics.counts["kernel_dropped_total", name] = dropped
        for name, value in (
            ("answers_dropped_total", self._port.dropped_answers), ("durable", recorder.durable),
            ("source_filter", source_filter.on),
            ("pending_rows", recorder.pending_rows), ("journal_failures_total", recorder.failures),
            ("sequence", self._fold.sequence), ("texts", self._fold.state.texts.count),
            ("subscriptions", int(self._fold.state.meta["subscriptions_live"][0])),
            ("gateways_not_kept_total", int(self._fold.state.meta["gateways_not_kept"][0])),
            ("effects_pending", self._disconnects.pending), ("clock_behind_seconds", self._clock.behind_us / 1e6),
            ("plans", int(self._fold.state.meta["plans_live"][0])),
            ("plans_not_kept_total", int(self._fold.state.meta["plans_not_kept"][0])),
            ("effects_not_kept_total", int(self._fold.state.meta["departed_dropped"][0])),
            ("session_ids_not_kept_total", int(self._fold.state.meta["ids_not_kept"][0])),
            ("addresses_withheld", int(self._fold.state.meta["withheld_open"][0])),
            ("sessions_given_up_total", int(self._fold.state.meta["departed_expired"][0])),
            ("uptime_seconds", time.monotonic() - self._since),
        ):
            metrics.set(name, float(value))
        call.answer(text=metrics.text())
