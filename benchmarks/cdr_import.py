"""How many call detail records a second of one core's time are imported, durably: from CSV, JSON lines, compressed?"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.load.driver import cores
from benchmarks.report import Bar, save

NAME = "cdr_import"
QUESTION = "records a second of one core's time, from a file to the journal of call detail records, durable"

RUN = """
import json, re, sys, time
from contextlib import closing
from pathlib import Path
from simward.inputs.record_import import RecordImport
from simward.wire.cdr.template import Template
folder, path, template, at = sys.argv[1:]
with closing(RecordImport(Path(folder), 0)) as into:
    opened = time.perf_counter(), time.process_time()
    outcome = into.run(Path(path), Template.named(template), int(at))
    done = time.perf_counter(), time.process_time()
resident = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
print(json.dumps({
    "records": outcome.records, "duplicates": outcome.duplicates, "rejected": outcome.rejected,
    "ignored": outcome.ignored, "seconds": done[0] - opened[0], "cpu_seconds": done[1] - opened[1],
    "resident_max": resident,
}))
"""
HEADER = (
    "CallReference;RecordType;StartTime;ServedIMSI;ServedMSISDN;VisitedPLMN;CalledNumber;Duration;VolumeUplink;"
    "VolumeDownlink"
)
AT_S = 1_790_000_000
SUBSCRIPTIONS = 100_000
CALLED = ("+99912345678", "0099970001", "+999829001", "4712345678")


def records(count: int) -> Iterator[tuple[Any, ...]]:
    """A fleet's calls, messages and sessions, out of order, one line in 10,000 damaged."""
    chance = random.Random(20260926)
    for number in range(count):
        who, at = chance.randrange(SUBSCRIPTIONS), AT_S + number // 50 - chance.randrange(7_200)
        kind = ("MOC", "SMS-MO", "PDP", "PDP")[chance.randrange(4)]
        yield number, kind, at, who, CALLED[number % 4], "x" if number % 10_000 == 9_999 else chance.randrange(600)


def write_csv(path: Path, count: int) -> None:
    """As the template operator-csv has it."""
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for number, kind, at, who, called, seconds in records(count):
            when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
            file.write(f"msc1-{number:012d};{kind};{when};00101{who:010d};99950{who:06d};00101;")
            file.write(f"{'meters.iot' if kind == 'PDP' else called};{seconds};{number % 70_000};{number % 90_000}\n")


def write_json(path: Path, count: int) -> None:
    """As the template platform-json has it."""
    kinds = {"MOC": "call", "SMS-MO": "sms", "PDP": "data"}
    with path.open("w") as file:
        for number, kind, at, who, called, seconds in records(count):
            made = {
                "id": f"p-{number}", "type": kinds[kind], "started_at": datetime.fromtimestamp(at, UTC).isoformat(),
                "sim": {"imsi": f"00101{who:010d}", "msisdn": f"+99950{who:06d}"}, "network": "00101", "to": called,
                "seconds": seconds, "bytes": {"up": number % 70_000, "down": number % 90_000},
            }  # fmt: skip
            file.write(json.dumps(made) + "\n")


def imported(folder: Path, path: Path, template: str) -> dict[str, float]:
    """Import in a process of its own, pinned to one core: what came of it, and how fast."""
    at = str((AT_S + 10 * 86_400) * 1_000_000)
    command = [sys.executable, "-c", RUN, str(folder), str(path), template, at]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    lines = said["records"] + said["duplicates"] + said["rejected"] + said["ignored"]
    return {**said, "per_second": lines / said["seconds"], "per_cpu_second": lines / said["cpu_seconds"]}


def measure(folder: Path, *, count: int, quick: bool) -> dict[str, object]:
    """Each kind of file into a journal of its own; one again under another name; one more on top of what is there."""
    os.sched_setaffinity(0, {cores()[0]})
    with tempfile.TemporaryDirectory(prefix="simward-bench-", dir=folder) as place:
        work, figures = Path(place), {}
        write_csv(work / "a.csv", count)
        write_json(work / "a.jsonl", count // 2)
        with (work / "a.csv").open("rb") as plain, gzip.open(work / "a.csv.gz", "wb", compresslevel=5) as packed:
            packed.writelines(plain)
        imported(work / "compiled", work / "a.jsonl", "platform-json")  # compiled from here on
        for name, template in (("csv", "operator-csv"), ("jsonl", "platform-json"), ("csv.gz", "operator-csv")):
            figures[name] = imported(work / name, work / f"a.{name}", template)
        # The same records in a file that differs by one octet: all of them are asked for, and none is new.
        with (work / "a.csv").open("ab") as file:
            file.write(b"\n")
        figures["csv_again"] = imported(work / "csv", work / "a.csv", "operator-csv")
        figures["records"] = count
        bars = [] if quick else [
            Bar(f"import of {name}, durable", figures[name]["per_cpu_second"], 100_000, "records/s")
            for name in ("csv", "jsonl", "csv.gz")
        ]  # fmt: skip
        return save(NAME, QUESTION, figures, bars, work, quick=quick)


def main(*, quick: bool = False, folder: Path | None = None) -> dict[str, object]:
    """Answer the question."""
    count = 20_000 if quick else int(os.environ.get("SIMWARD_BENCH_RECORDS", "3000000"))
    return measure(folder or Path(tempfile.gettempdir()), count=count, quick=quick)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
