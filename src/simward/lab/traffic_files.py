"""A made-up fleet's traffic as files: what its owner declares, events or captured RADIUS, call records, and the truth.

`events/` (Parquet) and `calls.csv` (as the shipped template operator-csv reads it) are what the product imports;
`radius.pcap` holds real packets, signed with the secrets of the folder's simward.toml; `truth.jsonl` says what happened
to whom, for whoever judges something else by it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simward.engine import events as ev
from simward.errors import UsageError
from simward.identity import cell_text, imsi_text, msisdn_text, plmn_text, rat_text
from simward.lab.captured import Captured
from simward.lab.measuring.owner import write_owner
from simward.lab.traffic.calls import HOME, INTERNATIONAL, NATIONAL, PREMIUM, VOICE
from simward.lab.traffic.expanding import PLMN_NUMBERS, Texts
from simward.lab.traffic.happening import Act
from simward.lab.traffic.kinds import APNS
from simward.lab.traffic.members import BEGINS_AT, DAY_S, DAY_US, GATEWAYS, SECOND_US, Members, make_members
from simward.lab.traffic.programme import MadeDay, Plan, Programme
from simward.settings import Settings

TEXTS = Texts(np.arange(len(APNS), dtype=np.int32), np.arange(len(GATEWAYS), dtype=np.int32), 0)
"""Here texts are numbered by their places."""
CLIENT = "lab"
NUMBERS = (
    "received_at", "happened_at", "uplink_octets", "downlink_octets", "request", "duration_s", "area", "software",
)  # fmt: skip
CALLED = {HOME: "99970001234", NATIONAL: "999555123", INTERNATIONAL: "4670000123", PREMIUM: "99982912345"}
"""A number of each class, as the template's beginnings have them."""
CALL_COLUMNS = (
    "CallReference", "RecordType", "StartTime", "ServedIMSI", "ServedMSISDN", "VisitedPLMN", "CalledNumber", "Duration",
    "VolumeUplink", "VolumeDownlink",
)  # fmt: skip


def weeks_later(days: int, ends_s: float) -> int:
    """By how much to move so many days, us, so that they are over by then (s since 1970): whole weeks, since what is
    usual depends on the day of the week. UsageError where they would begin before 1970."""
    later_us = int((ends_s - days * DAY_S) * SECOND_US - BEGINS_AT) // (7 * DAY_US) * 7 * DAY_US
    if BEGINS_AT + later_us < 0:
        by = datetime.fromtimestamp(ends_s, UTC)
        raise UsageError(f"{days} days that are over by {by:%Y-%m-%d} begin before 1970")
    return later_us


def write_traffic(
    folder: Path, plan: Plan, *, radius: bool, later_us: int, progress: Callable[[int], object]
) -> dict[str, int]:
    """Write everything into an empty folder, moved by `later_us`; returns how many events (or packets), calls and
    happenings.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; choose an empty folder")
    members = make_members(plan.seed, plan.subscriptions)
    write_owner(folder, members)
    programme = Programme(plan, TEXTS, members)
    counts = {"events": 0, "calls": 0, "happenings": 0}
    captured = Captured(folder / "radius.pcap", Settings.load(folder), members) if radius else None
    if captured is None:
        (folder / "events").mkdir()
    with (folder / "calls.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(CALL_COLUMNS)
        try:
            for day in programme.days():
                if captured is not None:
                    counts["events"] += sum(captured.take(events) for events in _moved(day, later_us))
                else:
                    path = folder / "events" / f"day-{day.number:03}.parquet"
                    counts["events"] += _write_events(path, _moved(day, later_us))
                day.calls["happened_at"] += later_us
                writer.writerows(_call_lines(day.calls, members, counts["calls"]))
                counts["calls"] += len(day.calls)
                progress(day.number + 1)
        finally:
            if captured is not None:
                captured.close()
    with (folder / "truth.jsonl").open("w") as truth:
        counts["happenings"] = _write_truth(truth, programme.acts, later_us)
    return counts


def as_table(events: np.ndarray) -> pa.Table:
    """EVENT rows with the columns of an import (docs/reference/events.md); ticks and commands are left out."""
    rows = events[np.isin(events["kind"], (ev.ACCESS_REQUEST, ev.ACCOUNTING_START, ev.ACCOUNTING_INTERIM,
                                           ev.ACCOUNTING_STOP))]  # fmt: skip
    made: dict[str, Any] = {name: pa.array(np.ascontiguousarray(rows[name])) for name in NUMBERS}
    for name in ("uplink_octets", "downlink_octets", "duration_s", "software"):
        made[name] = pc.if_else(pc.less(made[name], 0), pa.scalar(None, made[name].type), made[name])
    for name in ("imsi", "msisdn"):  # prefix-1
        digits = pc.utf8_slice_codeunits(pc.cast(pa.array(np.ascontiguousarray(rows[name])), pa.string()), 1)
        made[name] = pc.if_else(pa.array(rows[name] == 0), None, digits)
    imei = pc.utf8_lpad(pc.cast(pa.array(np.ascontiguousarray(rows["imei"])), pa.string()), 14, "0")
    made["imei"] = pc.if_else(pa.array(rows["imei"] == 0), None, imei)
    made["kind"] = _named(rows["kind"], lambda number: ev.KIND_NAMES[number])
    made["plmn"] = _named(rows["plmn"], plmn_text)
    made["cell"] = _named(rows["cell"], cell_text)
    made["rat"] = _named(rows["rat"], rat_text)
    made["apn"] = _named(rows["apn"], lambda number: APNS[number])
    made["gateway"] = _named(rows["gateway"], lambda number: GATEWAYS[number])
    made["client"] = pa.array([CLIENT] * len(rows))
    names = np.ascontiguousarray(rows["session_id"][:, :16]).view("S16")[:, 0].astype("U16")
    made["session_id"] = pc.if_else(pa.array(rows["session_id_octets"] == 0), None, pa.array(names))
    made["terminate_cause"] = pc.if_else(pa.array(rows["cause"] == 0), None, pa.array(rows["cause"].astype(str)))
    credentials = _named(rows["credentials"], lambda number: ev.CREDENTIALS_NAMES[number])
    made["credentials"] = pc.if_else(pa.array(rows["credentials"] == 0), None, credentials)
    made["flags"] = pa.array(["event-timestamp"] * len(rows))
    return pa.table(made)


def _named(numbers: np.ndarray, text: Callable[[int], str]) -> Any:
    """A text for each number; of a kind that has few different ones."""
    different, of = np.unique(numbers, return_inverse=True)
    words = pa.array([text(int(number)) for number in different], pa.string())
    return pc.take(words, pa.array(of))


def _moved(day: MadeDay, later_us: int) -> Iterator[np.ndarray]:
    for events in day.slices():
        for name in ("received_at", "happened_at"):
            events[name] += later_us
        yield events


def _write_events(path: Path, slices: Iterable[np.ndarray]) -> int:
    count, writer = 0, None
    try:
        for events in slices:
            table = as_table(events)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
            count += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count


def _call_lines(calls: np.ndarray, members: Members, first: int) -> Iterator[tuple[object, ...]]:
    for number, call in enumerate(calls, first + 1):
        at = datetime.fromtimestamp(int(call["happened_at"]) // 1_000_000, UTC)
        voice = call["kind"] == VOICE
        yield (
            f"{number:012}", "MOC" if voice else "SMS-MO", f"{at:%Y-%m-%d %H:%M:%S}", imsi_text(int(call["imsi"])),
            msisdn_text(int(members.rows["msisdn"][call["who"]])), plmn_text(int(PLMN_NUMBERS[call["network"]])),
            CALLED[int(call["destination"])], int(call["duration_s"]) if voice else "", "", "",
        )  # fmt: skip


def _write_truth(file: TextIO, acts: list[Act], later_us: int) -> int:
    count = 0
    for act in acts:
        if act.began_at:
            count += 1
            said = {
                "happening": act.happening.id, "honest": act.happening.honest, "strength": act.strength,
                "pace": act.pace, "began_at": act.began_at + later_us, "ends_at": act.ends_at + later_us,
                "imsi": [imsi_text(int(imsi)) for imsi in act.imsis], "group": act.happening.group,
                "expects": act.happening.expects, "also": act.happening.also,
            }  # fmt: skip
            file.write(json.dumps(said) + "\n")
    return count
