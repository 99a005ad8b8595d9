"""The watch is kept running, with patience; and the gate goes on when it is gone."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gate.running import RunningGate
from simward.cli import cli
from simward.gate.metrics import Metrics
from simward.gate.watching import BACKOFF_MAX_S, STEADY_S, WatchProcess
from simward.watch.report import read_status


def watch_that(code: str, metrics: Metrics) -> WatchProcess:
    """One that runs a line of Python instead."""
    return WatchProcess(Path(), metrics, [sys.executable, "-S", "-c", code])


def until_it_ends(watch: WatchProcess, now: float) -> None:
    assert watch._process is not None
    watch._process.wait(10)
    watch.each_second(now)


def test_it_is_started_again_with_patience() -> None:
    metrics, now = Metrics(), 0.0
    watch = watch_that("raise SystemExit(3)", metrics)
    pauses = []
    for _ in range(9):
        watch.each_second(now)
        assert metrics.get("watch_running") == 1
        until_it_ends(watch, now)
        assert metrics.get("watch_running") == 0
        pauses.append(watch._not_before - now)
        watch.each_second(watch._not_before - 0.1)
        assert watch._process is None, "not yet"
        now = watch._not_before
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60] and pauses[-1] == BACKOFF_MAX_S
    assert metrics.get("watch_restarts_total") == 9


def test_one_that_ran_well_is_started_again_at_once() -> None:
    watch = watch_that("raise SystemExit(3)", Metrics())
    for now in (0.0, 10.0, 20.0):
        watch.each_second(now)
        until_it_ends(watch, now + (STEADY_S if now == 20.0 else 0))
    assert watch._not_before == 20.0 + STEADY_S + 1.0


def test_one_that_cannot_be_started_is_tried_again() -> None:
    metrics = Metrics()
    watch = WatchProcess(Path(), metrics, ["/nonexistent"])
    watch.each_second(0.0)
    assert metrics.get("watch_restarts_total") == 1 and watch._not_before == 1.0


def test_it_ends_with_the_gate() -> None:
    watch = watch_that("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_DFL); time.sleep(60)", Metrics())
    watch.each_second(0.0)
    assert watch._process is not None
    process = watch._process
    watch.close()
    assert process.returncode == -signal.SIGTERM


class Served(RunningGate):
    """As people start it: with the watch behind it."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "simward", "--dir", str(self.folder), "serve"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    gate = Served(tmp_path / "net").start()
    yield gate
    gate.close()


def watch_of(gate: RunningGate, other_than: int = 0) -> int:
    """The process that watches, once it has said so."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        said = read_status(gate.folder / "data")
        if said is not None and said["pid"] != other_than and said["followed"] > 0:
            return int(said["pid"])
        time.sleep(0.1)
    raise AssertionError(f"no watch: {gate.errors()}")


def test_the_gate_does_not_notice_that_its_watch_is_killed(served: Served) -> None:
    first = watch_of(served)
    os.kill(first, signal.SIGKILL)
    before = served.ask("status")["journalled"]
    second = watch_of(served, other_than=first)
    assert second != first
    assert served.ask("status")["journalled"] > before, "it went on"
    assert served.metric("watch_restarts_total") == 1
    shown = CliRunner().invoke(cli, ["--dir", str(served.folder), "metrics"]).stdout
    assert 'simward_watch_snapshots_total{result="failed"} 0' in shown and "simward_watch_lag_events" in shown
    assert "lag_events" in CliRunner().invoke(cli, ["--dir", str(served.folder), "status"]).stdout
    assert served.stop() == 0
    assert read_status(served.folder / "data") is None
    assert not Path(f"/proc/{second}").exists()


def test_the_watch_does_not_outlive_a_gate_that_is_killed(served: Served) -> None:
    watching = watch_of(served)
    served.stop(signal.SIGKILL)
    until = time.monotonic() + 20
    while Path(f"/proc/{watching}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{watching}").exists()
