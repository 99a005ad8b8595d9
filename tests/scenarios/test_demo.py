"""The demo from end to end: a real gate, real UDP; it passes, and it fails where an attack is only watched."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from simward.errors import PeerError
from simward.lab.demo import BEST, Plan, run
from simward.lab.gate_process import GateProcess, simward
from simward.lab.policies import OBSERVED_POLICIES
from simward.lab.scenes import best

SIZE = 60


def test_the_demo_passes(tmp_path: Path) -> None:
    """As a user runs it; what it prints names the seed, the attacks and where to look further."""
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "simward", "lab", "demo", "--seed", "5", "--subscriptions", str(SIZE), "--fast"]
    done = subprocess.run([*command, "--keep", str(folder)], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 5" in done.stdout
    assert "missed" not in done.stdout
    assert "explain" in done.stdout
    assert re.search(r"The console: http://127\.0\.0\.1:\d+/first/\S+\n", done.stdout)
    again = subprocess.run([*command, "--keep", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 2, "a folder that holds a demo is not overwritten"
    _plays_on(folder)


def _plays_on(folder: Path) -> None:
    """A gate started there again takes single scenes."""
    gate = GateProcess(folder)
    try:
        gate.wait_until_ready()
        said = simward(folder, "lab", "play", "sim-in-twin", "--seed", "1")
        assert "device-change/same-model (lock)" in said
        assert "missed" not in said
        assert "did you mean 'sim-in-twin'" in _refusal(folder, "sim-in-twim")
    finally:
        assert gate.stop() == 0


def _refusal(folder: Path, scene: str) -> str:
    with pytest.raises(PeerError, match="ended with 2") as raised:
        simward(folder, "lab", "play", scene)
    return str(raised.value)


@pytest.mark.slow
def test_the_demo_fails_where_attacks_are_only_watched(tmp_path: Path) -> None:
    said = io.StringIO()
    plan = Plan(5, SIZE, week_s=1.0, silence_s=0.1, policies=OBSERVED_POLICIES)
    report = run(plan, tmp_path / "demo", Console(file=said, width=160))
    assert not report.passed
    missed = {one.observed.script.name for one in report.scenes if one.misses}
    watched = {one.id for one in best(BEST)} - {"unknown-sim", "forged-access", "forged-accounting"}
    assert missed == watched and {"sim-in-phone", "sim-in-twin"} <= missed
    assert "attacks missed" in said.getvalue()
