"""A working folder with a recording, and proposed policies tried on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from engine.recording import HOUR, METER, PHONE, Recording
from history.recorded import SEGMENT_OCTETS, archive_all, member
from simward.cli import cli
from simward.engine import events as ev
from simward.engine.sqlite_journal import SqliteJournal

OBSERVED = """\
use_case: water-meter
segment: metering
binding: {mode: first-use}
networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}
responses: {default: observe}
---
segment: metering
apn: meters.iot
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
"""
LOCKING = OBSERVED.replace("{default: observe}", "{default: observe, device-change: lock}")
REFUSING = OBSERVED.replace("{default: observe}", "{default: observe, device-change: refuse}")
DAY = 24 * HOUR


def recorded(
    folder: Path, tell: Callable[[Recording], None], policies: str = OBSERVED, *, archive: bool = True,
    segment_octets: int = SEGMENT_OCTETS,
) -> Path:  # fmt: skip
    """Write a folder in which `tell` was recorded under `policies`, four subscriptions declared."""
    (folder / "policies").mkdir(parents=True)
    (folder / "simward.toml").write_text("[gate]\n")
    (folder / "policies" / "meters.yaml").write_text(policies)
    small = {"segment_octets": segment_octets, "checkpoint_octets": 64 << 10}
    with closing(SqliteJournal.open(folder / "data" / "journal", **small)) as journal:
        recording = Recording(policies, journal)
        for number in range(4):
            recording.declare(**member(number))
        tell(recording)
    if archive:
        archive_all(folder)
    return folder


def days(recording: Recording, first: int, count: int, swapped: dict[int, int] | None = None, members: int = 4) -> None:
    """Days on which each subscription has one session; `swapped`: subscription -> from which day on in a phone."""
    for day in range(first, first + count):
        for number in range(members):
            device = PHONE + number if day >= (swapped or {}).get(number, 10**6) else METER + number
            said: dict[str, Any] = {"imsi": member(number)["imsi"], "imei": device}
            recording.session(f"S{day:02d}{number}", seconds=HOUR, address=f"10.64.0.{number + 1}", **said)
        recording.after(DAY - 4 * HOUR).event(ev.TICK, gateway=0)


def proposed(folder: Path, policies: str) -> Path:
    """A folder with one policy file."""
    path = folder / "proposed"
    path.mkdir(exist_ok=True)
    (path / "meters.yaml").write_text(policies)
    return path


def run(folder: Path, policies: str, *arguments: str) -> Result:
    """`simward backtest` of these policies."""
    words = ["--dir", str(folder), "backtest", "--policies", str(proposed(folder, policies)), *arguments]
    result = CliRunner().invoke(cli, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def tried(folder: Path, policies: str, *arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """Who would have been cut, the summary, and the exit code."""
    result = run(folder, policies, "--json", *arguments)
    *people, last = [json.loads(line) for line in result.stdout.splitlines()]
    return people, last["summary"], result.exit_code
