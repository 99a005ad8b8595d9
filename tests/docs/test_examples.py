"""Examples of the documentation that are marked `<!-- runs -->` run as they stand, page by page, in a real Simward."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from gate.running import READY_S, RunningGate, Served, access_request, iccid, needs_radclient, radclient, until
from simward.commands import through_control

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
EXAMPLE = re.compile(r"^<!-- runs(?:; says: (?P<says>.*?))? -->\n```(?P<language>\w+)\n(?P<text>.*?)^```", re.M | re.S)
ADDRESS = "http://127.0.0.1:8080"
"""Where the pages say that it is served: the default."""
PROBLEM = "urn:simward:problem:"
POLICY = """\
use_case: stock
binding: {mode: none}
---
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
responses: {default: observe, device-change: lock}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/16
"""
pytestmark = needs_radclient


@dataclass(frozen=True)
class Example:
    """One block."""

    language: str
    text: str
    says: str | None

    def run(self, folder: Path, url: str, scratch: Path) -> str:
        """What it prints; AssertionError where it fails, or gets a problem for an answer."""
        text = re.sub(r"\bDIR\b", str(folder), self.text.replace(ADDRESS, url))
        shell, python = ["bash", "-euo", "pipefail", "-c", text], [sys.executable, "-c", text]
        command = {"sh": shell, "python": python}[self.language]
        environment = {
            **os.environ, "SIMWARD_DIR": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        done = subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        assert PROBLEM not in done.stdout, f"{text}\n{done.stdout}"
        return done.stdout


def examples() -> dict[str, list[Example]]:
    """By page, in order."""
    found = {
        path.relative_to(DOCS).as_posix(): [
            Example(one["language"], one["text"], one["says"]) for one in EXAMPLE.finditer(path.read_text())
        ]
        for path in sorted(DOCS.rglob("*.md"))
    }
    return {name: some for name, some in found.items() if some}


@pytest.fixture(scope="module")
def simward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGate]:
    """Gate, watch and control, with a stock of SIMs of which the ninth has been heard."""
    made = Served(tmp_path_factory.mktemp("docs") / "net", fleet=9, policy=POLICY, control="127.0.0.1:0")
    inventory = made.folder / "inventory.csv"
    inventory.write_text(inventory.read_text().replace("water-meter", "stock"))
    made.start()
    try:
        assert "Access-Accept" in radclient(made.auth, "auth", access_request(9))
        until(lambda: through_control.is_running(made.folder / "data"), within_s=READY_S)
        known = f"/v1/subscriptions/{iccid(9)}"
        until(lambda: "imsi" in json.dumps(asked(made, known)), within_s=READY_S)
        yield made
    finally:
        made.stop()


def asked(made: RunningGate, path: str) -> object:
    """By the owner's socket; nothing where that is a problem."""
    from simward.errors import SimwardError

    try:
        return through_control.ask(made.folder / "data", "simward", "GET", path, within_s=20)
    except SimwardError:
        return None


@pytest.mark.parametrize("page", examples())
def test_the_examples_of_a_page_run(page: str, simward: RunningGate, tmp_path: Path) -> None:
    status = through_control.ask(simward.folder / "data", "simward", "GET", "/v1/status", within_s=20)
    for one in examples()[page]:
        printed = one.run(simward.folder, status["http"], tmp_path)
        assert one.says is None or one.says in printed, f"{one.text}\nsays {printed!r}, not {one.says!r}"


def test_every_mark_stands_above_an_example() -> None:
    """One that is not read as one would never run."""
    for path in DOCS.rglob("*.md"):
        text = path.read_text()
        assert text.count("<!-- runs") == len(EXAMPLE.findall(text)), path.name
