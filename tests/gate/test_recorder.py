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


class Watches:
    """A clock of the gate's over a wall clock and a monotonic one that the test moves."""

    def __init__(self, last: int) -> None:
        self.wall_us, self.elapsed_us = 5, 0
        self.clock = Clock(last, wall_ns=lambda: self.wall_us * 1000, monotonic_ns=lambda: self.elapsed_us * 1000)

    def after(self, microseconds: int) -> int:
        self.wall_us, self.elapsed_us = self.wall_us + microseconds, self.elapsed_us + microseconds
        return self.clock.now()


def test_the_clock_never_goes_back() -> None:
    watches = Watches(last=3)
    assert watches.clock.now() == watches.clock.now() == 5
    watches.wall_us = 2
    assert 5 < watches.clock.now() <= 6 and 3 <= watches.clock.behind_us <= 4
    watches.wall_us = 9
    assert (watches.clock.now(), watches.clock.behind_us) == (9, 0)


def test_a_clock_that_was_ahead_goes_on_at_half_speed_until_it_is_met() -> None:
    hour = 3_600_000_000
    watches = Watches(last=5 + hour)
    before = watches.clock.now()
    assert abs(watches.after(hour) - before - hour // 2) <= 1
    assert abs(watches.clock.behind_us - hour // 2) <= 2
    assert watches.after(hour + 10) == watches.wall_us and watches.clock.behind_us == 0


def test_every_call_is_later_while_the_clock_is_behind() -> None:
    watches = Watches(last=5_000_000)
    said = [watches.clock.now() for _ in range(5)]
    assert said == sorted(set(said))


def test_a_clock_that_is_behind_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    watches = Watches(last=100_000_000)
    for second in range(3 * 600):
        watches.clock.each_second(float(second))
    assert caplog.text.count("the machine's clock is 100 s behind") == 3
    watches.after(300_000_000)
    watches.clock.each_second(3 * 600.0)
    watches.clock.each_second(3 * 600.0 + 1)
    assert caplog.text.count("has caught up with the journal") == 1


def test_what_ntp_does_each_day_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    Watches(last=900_000).clock.each_second(1.0)
    assert not caplog.text


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
