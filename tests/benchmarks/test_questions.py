"""Every benchmark runs, tiny: what it measures is looked at, how fast it was is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import ALL, ONLY_NAMED
from benchmarks.report import Bar

from benchmarks import freeradius

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"), reason="benchmarks of interpreted code say nothing"
)


PLAYED_ELSEWHERE = {"closed_loop", "kills", "backtest_month"}
"""Stories in tests/scenarios and tests/gate/test_kill.py play the same, and `backtest` a shorter month."""


@pytest.mark.parametrize("name", [one for one in ALL + ONLY_NAMED if one not in PLAYED_ELSEWHERE])
def test_it_runs(name: str, repository: Path) -> None:
    if name == "gate_vs_freeradius" and (missing := freeradius.why_not_with_sql()):
        pytest.skip(missing)
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
        cwd=repository, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{name}: ")
    assert "unsound" not in done.stderr and "only" not in done.stderr, done.stderr


def test_every_file_that_asks_a_question_can_be_run(repository: Path) -> None:
    asking = {path.stem for path in (repository / "benchmarks").glob("*.py") if "\nQUESTION = " in path.read_text()}
    assert asking == set(ALL + ONLY_NAMED)


def test_results_that_are_kept_name_no_host(repository: Path) -> None:
    for path in (repository / "benchmarks" / "results").glob("*.json"):
        result = json.loads(path.read_text())
        assert not result["quick"]
        assert os.uname().nodename not in path.read_text().split('"')
        assert {"cpu", "cores", "kernel", "disk", "python", "freeradius"} <= set(result["machine"])


@pytest.mark.parametrize(
    ("measured", "at_most", "met"), [(1.2, False, True), (1.19, False, False), (1.2, True, True), (1.21, True, False)]
)
def test_a_bar_is_met_on_the_boundary(measured: float, at_most: bool, met: bool) -> None:
    assert Bar("x", measured, 1.2, "x", at_most=at_most).met is met
