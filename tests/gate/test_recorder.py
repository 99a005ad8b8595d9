"""Rows wait in order while the journal cannot be written, and nothing newer goes past them."""

from __future__ import annotations

import numpy as np
import pytest

from simward.engine.events import EVENT
from simward.engine.journal import MemoryJournal, Row, events_row
from simward.engine.outputs import OUTPUT
from simward.gate.clock import Clock
from simward.gate.metrics import Metrics
from simward.gate.recorder import RETRY_S, Recorder
from simward.gate.replies import REPLY_OCTETS_MAX, reply_texts

NO_OUTPUTS = np.zeros(0, OUTPUT)


def row(first: int) -> Row:
    return events_row(first, first, "kernel", np.zeros(1, EVENT), NO_OUTPUTS)


def effects(count: int) -> np.ndarray:
    return np.zeros(count, OUTPUT)


class Disk:
    """A journal that can be made full, with the recorder before it."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.durable: list[int] = []
        self.recorder = Recorder(self.journal, lambda outputs: self.durable.append(len(outputs)))


def test_a_row_is_durable_at_once() -> None:
    disk = Disk()
    assert disk.recorder.append(row(1), effects(3), 0.0)
    assert (disk.journal.last, disk.durable, disk.recorder.durable) == (1, [3], True)


def test_rows_wait_in_order_and_their_effects_with_them(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.journal.refusing = "No space left on device"
    assert not disk.recorder.append(row(1), effects(1), 10.0)
    disk.journal.refusing = ""
    assert not disk.recorder.append(row(2), effects(2), 10.1)
    assert (disk.journal.last, disk.durable) == (0, [])
    assert not disk.recorder.retry(10.0 + RETRY_S / 2)
    assert disk.recorder.retry(10.0 + RETRY_S)
    assert (disk.journal.last, disk.durable, disk.recorder.pending_octets) == (2, [1, 2], 0)
    assert "CANNOT BE WRITTEN: No space left on device" in caplog.text


def test_says_it_again_but_not_each_time(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.journal.refusing = "full"
    disk.recorder.append(row(1), NO_OUTPUTS, 10.0)
    for step in range(1, 30):
        disk.recorder.retry(10.0 + step)
    assert disk.recorder.failures == 30
    assert 2 <= caplog.text.count("CANNOT BE WRITTEN") <= 4


def test_the_clock_never_goes_back() -> None:
    wall = [5_000]
    clock = Clock(last=3, wall_ns=lambda: wall[0])
    assert clock.now() == 5
    wall[0] = 2_000
    assert (clock.now(), clock.behind_us) == (5, 3)
    wall[0] = 9_000
    assert (clock.now(), clock.behind_us) == (9, 0)


def test_every_class_of_every_detector_has_words_that_fit() -> None:
    texts = reply_texts()
    assert all(0 < len(text) <= REPLY_OCTETS_MAX for text in texts.values())
    assert (0, 0) in texts
    for word in (b"suspended", b"retired"):
        (said,) = (text for text in texts.values() if word in text)
        assert b"release" not in said, "no release helps what the inventory says"


def test_metrics_in_the_form_that_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.add("packets_total", "ok", 3)
    metrics.add("packets_total", "ok")
    metrics.set("durable", 1)
    metrics.batch_packets.add(3)
    metrics.batch_packets.add(5000)
    text = metrics.text()
    assert 'simward_gate_packets_total{reason="ok"} 4\n' in text
    assert "# TYPE simward_gate_durable gauge\nsimward_gate_durable 1\n" in text
    assert 'simward_gate_batch_packets_bucket{le="4"} 1\n' in text
    assert 'simward_gate_batch_packets_bucket{le="+Inf"} 2\nsimward_gate_batch_packets_sum 5003\n' in text
