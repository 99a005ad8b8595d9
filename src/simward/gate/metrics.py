"""What the gate counts, and the text form in which Prometheus reads it."""

from __future__ import annotations

import numpy as np
from numba import njit

from simward import compiled
from simward.engine import events, outputs
from simward.engine.events import ACCESS_REQUEST, KIND_NAMES
from simward.engine.outputs import VERDICT_NAMES
from simward.observing.exposition import Family, Histogram, text_of

PREFIX = "simward_gate_"
BATCH_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
LATENCY_BOUNDS_US = (100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 1_000_000)

HELP = {
    "packets_total": "Packets received, by what became of them.",
    "kernel_dropped_total": "Datagrams that the kernel dropped, by socket: its buffer was full, or see source_filter.",
    "source_filter": "1 while the kernel drops what comes from unknown addresses, because they flood.",
    "decisions_total": "Access-Requests decided, by verdict.",
    "answers_total": "Answers sent.",
    "answers_dropped_total": "Answers that the network would not take.",
    "batch_packets": "Packets in a batch.",
    "turn_seconds": "Time from a batch's arrival to its answers, by batch.",
    "events_total": "Events folded, by kind of input.",
    "retransmissions_total": "Requests that were answered as before.",
    "not_durable_total": "Packets not acknowledged because the journal could not be written, by what became of them.",
    "durable": "1 while everything decided is in the journal.",
    "pending_rows": "Rows that wait for the journal.",
    "journal_failures_total": "Attempts to write the journal that failed.",
    "sequence": "Sequence number of the newest event.",
    "texts": "Names kept (APNs, gateways); at 65536 further ones are not kept.",
    "gateways_not_kept_total": "Events of gateways beyond the 4096 that are kept: their restarts go unnoticed.",
    "subscriptions": "Subscriptions in the inventory.",
    "effects_total": "Disconnect- and CoA-Requests, by what the gateway said.",
    "effect_answers_dropped_total": "Datagrams that were no answer to a request of ours, by reason.",
    "effects_pending": "Disconnect- and CoA-Requests without an answer yet.",
    "effects_dropped_total": "Disconnect- and CoA-Requests not sent because too many were waiting.",
    "plans": "Changes that work orders announced and that may still happen.",
    "plans_not_kept_total": "Announced changes for which there was no room: 65535 in all, 4 a subscription.",
    "effects_not_kept_total": "Disconnect-Requests for removed subscriptions that a restart would not send again.",
    "session_ids_not_kept_total": "Records with a long Acct-Session-Id of which only a part was known.",
    "addresses_withheld": "Addresses that no subscription has, and a session may still hold.",
    "sessions_given_up_total": "Sessions of removed subscriptions taken for over without a proof: addresses are free.",
    "commands_total": "Commands taken from the command socket.",
    "clock_behind_seconds": "How far the machine's clock is behind received_at; time passes at half speed.",
    "uptime_seconds": "Since the gate was ready.",
}


LABELS = {
    "packets_total": "reason", "decisions_total": "verdict", "events_total": "kind", "not_durable_total": "packet",
    "kernel_dropped_total": "socket", "effects_total": "result", "effect_answers_dropped_total": "reason",
}  # fmt: skip
HISTOGRAMS = ("batch_packets", "turn_seconds")
FAMILIES = tuple(
    Family(PREFIX + name, about, (LABELS[name],) if name in LABELS else (), name in HISTOGRAMS)
    for name, about in HELP.items()
)


@njit
def count_folded(inputs, results, kinds, verdicts, repeated):  # type: ignore[no-untyped-def]
    """Add up what was folded: events by kind, Access-Requests by verdict, retransmissions."""
    for row in range(len(inputs)):
        kind = inputs[row].kind
        kinds[kind] += 1
        if kind == ACCESS_REQUEST:
            verdicts[results[row].verdict] += 1
        if results[row].duplicate:
            repeated[0] += 1


_count_folded = compiled.settled_entry(count_folded, depends=[events, outputs])


class Metrics:
    """The gate's counters. `counts` is keyed by metric name and the value of its one label ("" = no label)."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], float] = {}
        self._kinds, self._verdicts = np.zeros(256, np.int64), np.zeros(256, np.int64)
        self._repeated = np.zeros(1, np.int64)
        self.batch_packets = Histogram(BATCH_BOUNDS)
        self.turn_us = Histogram(LATENCY_BOUNDS_US, 1e-6)

    def add(self, name: str, label: str = "", count: int = 1) -> None:
        """Count."""
        key = (name, label)
        self.counts[key] = self.counts.get(key, 0) + count

    def add_folded(self, inputs: np.ndarray, results: np.ndarray) -> None:
        """Count a batch that was folded: EVENT rows, and the RESULT of each."""
        inputs, results = compiled.records(inputs), compiled.records(results)
        _count_folded(inputs, results, self._kinds, self._verdicts, self._repeated)

    def set(self, name: str, value: float) -> None:
        """State a gauge."""
        self.counts[name, ""] = value

    def get(self, name: str, label: str = "") -> float:
        """What has been counted."""
        self._name_folded()
        return self.counts.get((name, label), 0)

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        self._name_folded()
        values: dict[str, dict[tuple[str, ...], float | Histogram]] = {one.name: {} for one in FAMILIES}
        for (name, label), value in self.counts.items():
            values[PREFIX + name][(label,) if name in LABELS else ()] = value
        values[PREFIX + "batch_packets"][()], values[PREFIX + "turn_seconds"][()] = self.batch_packets, self.turn_us
        return text_of(FAMILIES, values)

    def _name_folded(self) -> None:
        """Put what compiled code has counted under its names."""
        other = 0
        for kind in np.flatnonzero(self._kinds).tolist():
            if kind in KIND_NAMES:
                self.counts["events_total", KIND_NAMES[kind]] = int(self._kinds[kind])
            else:
                other += int(self._kinds[kind])
        if other:
            self.counts["events_total", "other"] = other
        for verdict in np.flatnonzero(self._verdicts).tolist():
            self.counts["decisions_total", VERDICT_NAMES[verdict]] = int(self._verdicts[verdict])
        if len(self._kinds.nonzero()[0]):
            self.counts["retransmissions_total", ""] = int(self._repeated[0])
