"""A replay's memory does not grow with its input: five times as much of everything takes no more."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from inputs.framing import AT_S, accounting, ethernet, ipv4, udp
from simward.cli import cli

MEASURED = """
import re, sys
from simward.cli import cli
try:
    cli(["--dir", sys.argv[1], "replay", *sys.argv[2:], "--json", "--exit-zero"])
finally:
    said = open("/proc/self/status").read()  # not ru_maxrss, which begins with what the parent had
    print(int(re.search(r"VmHWM:\\s+(\\d+)", said)[1]) // 1024)
"""
SMALL, LARGE = 80_000, 400_000
MORE_MB = 40
"""What may come on top: allocators keep some of what large buffers were."""


def resident_mb(work: Path, *inputs: Path) -> tuple[int, int]:
    """Events folded, and the most memory that the process had."""
    command = [sys.executable, "-c", MEASURED, str(work), *map(str, inputs)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return json.loads(said[-2])["summary"]["events"], json.loads(said[-1])


def write_csv(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("received_at,kind,imsi,imei,plmn,apn,session_id\n")
        for number in range(count):
            at = AT_S * 1_000_000 + number * 1000
            who = number % 3 + 1
            file.write(f"{at},accounting-interim,00101{who:010d},35000001000001,00101,meters.iot,S{who}\n")


def write_pcap(path: Path, count: int) -> None:
    frames = [ethernet(ipv4(udp(accounting(number, number)))) for number in range(250)]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1))
        for number in range(count):
            frame = frames[number % 250]
            file.write(struct.pack("<IIII", AT_S + number // 500, 0, len(frame), len(frame)) + frame)


@pytest.mark.parametrize("kind", ["csv", "pcap"])
def test_five_times_the_input_takes_no_more_memory(tmp_path: Path, kind: str) -> None:
    work = tmp_path / "work"
    assert CliRunner().invoke(cli, ["--dir", str(work), "init"]).exit_code == 0
    write = {"csv": write_csv, "pcap": write_pcap}[kind]
    found = []
    for count in (SMALL, LARGE):
        path = tmp_path / f"{count}.{kind}"
        write(path, count // (1 if kind == "csv" else 3))
        found.append(resident_mb(work, path))
        path.unlink()
    (_, small), (events, large) = found
    assert events > 0 or kind == "pcap"  # nobody there has the secret: all of it is read, and nothing proved
    assert large - small < MORE_MB, found
