"""One process is kept running, with patience."""

from __future__ import annotations

import signal
import sys
import time

from gate.running import until
from simward.supervisor.child import STEADY_S, Child, Patience

PATIENCE = Patience(1.0, 60.0)
WAITS = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_DFL); time.sleep(60)"


def child_that(code: str, *, heard: bool = False) -> Child:
    """One that runs a line of Python."""
    return Child("watch", [sys.executable, "-S", "-c", code], PATIENCE, heard=heard)


def until_it_ends(child: Child, now: float) -> None:
    until(lambda: child.step(now))
    assert child.pid is None


def test_it_is_started_again_with_patience() -> None:
    child, now, pauses = child_that("raise SystemExit(3)"), 0.0, []
    for _ in range(9):
        assert child.step(now) and child.pid is not None
        until_it_ends(child, now)
        pauses.append(child.not_before - now)
        assert not child.step(child.not_before - 0.1) and child.pid is None, "not yet"
        now = child.not_before
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert child.restarts == 9 and child.code == 3 and child.last_end == "exit code 3"


def test_one_that_ran_well_waits_only_as_after_the_first_end() -> None:
    child = child_that("raise SystemExit(3)")
    for now in (0.0, 10.0, 20.0):
        child.step(now)
        until_it_ends(child, now + (STEADY_S if now == 20.0 else 0))
    assert child.not_before == 20.0 + STEADY_S + 1.0


def test_one_that_cannot_be_started_is_tried_again() -> None:
    child = Child("watch", ["/nonexistent"], PATIENCE)
    child.step(0.0)
    assert child.pid is None and child.restarts == 1 and child.not_before == 1.0


def test_one_that_is_told_to_stop_is_not_started_again() -> None:
    child = child_that(WAITS)
    child.step(0.0)
    assert not child.has_ended()
    child.tell(signal.SIGTERM)
    until(child.has_ended)
    assert child.code == -signal.SIGTERM and child.restarts == 0


def test_one_that_does_not_stop_is_killed() -> None:
    child = child_that("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    child.step(0.0)
    child.close()
    assert child.code == -signal.SIGKILL and child.has_ended()


def test_what_it_says_is_passed_on_in_whole_lines_also_after_its_end() -> None:
    code = "import sys; sys.stdout.write('one\\ntw'); sys.stdout.flush(); print('o'); print('end')"
    child = child_that(code, heard=True)
    child.step(0.0)
    until_it_ends(child, 0.0)
    assert child.lines() == ["one", "two", "end"] and child.lines() == []
    child.close()


def test_one_that_is_renewed_starts_at_once_and_counts_no_end() -> None:
    child = child_that("import time; time.sleep(60)")
    child.step(0.0)
    first = child.pid
    child.renew(10.0)
    while child.pid == first:
        child.step(1.0)
        time.sleep(0.01)
    assert child.pid is not None and child.restarts == 0 and child.last_end == ""
    child.close()


def test_one_that_does_not_stop_to_be_renewed_is_killed() -> None:
    child = child_that("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); "
                       "time.sleep(60)", heard=True)  # fmt: skip
    child.step(0.0)
    while not child.lines():
        time.sleep(0.01)
    first = child.pid
    child.renew(10.0)
    assert not child.step(9.0) and child.pid == first
    while child.pid == first:
        child.step(10.0)
        time.sleep(0.01)
    assert child.pid is not None and child.restarts == 0
    child.close()
