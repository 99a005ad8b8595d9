"""The tutorial of five minutes is true: its commands are run as written, and print what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gate.proxies import free_ports
from gate.running import until
from house.sources import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial" / "five-minutes.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOKS = re.compile(r"simward .*(findings|incidents)$")
"""These end with 1 where there is something to see."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
SET_UP = "make setup\n. .venv/bin/activate\n"


@pytest.mark.slow
def test_the_tutorial_is_true(tmp_path: Path) -> None:
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert blocks.pop(0) == ("sh", SET_UP), "this was done for whoever runs the tests"
    serving: subprocess.Popen[bytes] | None = None
    said = ""
    try:
        for kind, text in blocks:
            if kind == "text":
                _prints(said, text)
            elif text.endswith(" serve\n"):
                serving = _serve(tmp_path, text)
            else:
                said = _run(tmp_path, text)
    finally:
        if serving is not None:
            serving.terminate()
            assert serving.wait(30) == 0
    assert serving is not None


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def _run(place: Path, text: str) -> str:
    """What the commands of a block print; the second terminal's activation is the test's own environment."""
    said = ""
    for command in text.splitlines():
        if command == ". .venv/bin/activate":
            continue
        right = 1 if LOOKS.search(command) else 0
        done = _done(place, command)
        if command.endswith("incidents") and done.returncode != right:
            # The control process reads behind the gate, though sooner than a person types.
            done = until(lambda command=command: _done(place, command), lambda done: done.returncode == 1)
        assert done.returncode == right, f"{command}: {done.stdout}{done.stderr}"
        said += done.stdout
        if command.startswith("simward lab fleet"):
            _on_free_ports(place / "try" / "simward.toml")
    return said


def _done(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], cwd=place, env=_environment(), capture_output=True, text=True, timeout=120
    )


def _on_free_ports(settings: Path) -> None:
    """Others may run a gate on this machine: the one thing that is not as written."""
    text = settings.read_text()
    for port, free in zip((1812, 1813, 3799), free_ports(3)):
        text = text.replace(f':{port}"', f':{free}"')
    settings.write_text(text)


def _serve(place: Path, text: str) -> subprocess.Popen[bytes]:
    """The first terminal, once it says `ready`."""
    with open(place / "serve.log", "wb") as log:
        process = subprocess.Popen(text.split(), cwd=place, env=_environment(), stdout=log, stderr=log)
    until(lambda: b"ready" in (place / "serve.log").read_bytes() or process.poll() is not None, within_s=120)
    assert process.poll() is None, (place / "serve.log").read_text()
    return process


def _prints(said: str, text: str) -> None:
    """Every line of the page is printed, at whatever time; `...` stands for what the page leaves out."""
    for line in text.splitlines():
        pattern = MOMENT.sub("@", line)
        pattern = re.escape(pattern).replace("@", MOMENT.pattern).replace(re.escape("..."), ".*")
        assert re.search(rf"^{pattern}$", said, re.MULTILINE), f"{line!r} is not in:\n{said}"
