"""What a running watch last said of itself (`data/watch/status.json`), and its numbers as metrics."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from simward.engine.both_journals import watch_folder
from simward.observing import behaviour
from simward.observing.exposition import Family, text_of
from simward.whole_files import read_whole

STATUS_NAME = "status.json"
OVERDUE_S = 30.0
"""A status that is older than this is of a watch that hangs or was killed. (A large snapshot takes some seconds.)"""
PREFIX = "simward_watch_"

HELP = {
    "lag_events": "Inputs journalled by the gate and not folded by the watch yet; not there while no gate answers.",
    "lag_seconds": "How old the newest input is that the watch has folded, while there are newer ones.",
    "followed_sequence": "Sequence number of the last input folded.",
    "events_total": "Inputs folded since the watch began, those folded again at its start included.",
    "events_per_second": "Inputs folded a second, lately.",
    "findings_total": "Findings journalled since the watch began.",
    "findings_open": "Findings that have not ended.",
    "findings_held_total": "Times that a finding could not begin because 1024 (65000 about subscriptions) were open.",
    "groups": "Cells, gateways, networks and models in its tables.",
    "groups_full_total": "Times that a place found no room in the table of groups.",
    "visits_full_total": "First visits of a model to a network or country that found no room in the table.",
    "sessions_forgotten_total": "Sessions no longer counted because their subscription had 16 later ones at once.",
    "durable": "1 while every finding is in its journal.",
    "snapshots_total": "Snapshots since the watch began, by result.",
    "snapshot_sequence": "Sequence number of the newest snapshot.",
    "snapshot_seconds": "How long the newest snapshot took to write.",
    "history_steps_total": "Segments that became history (archived), units removed, and attempts that failed.",
    "history_failing": "1 while a segment cannot be made history; `status` says why.",
    "cdr_files_total": "Files of call detail records since the watch began, by result.",
    "cdr_lines_total": "Their lines, by what came of them.",
    "cdr_followed_sequence": "Of their journal, sequence number of the record folded last.",
    "cdr_of_nobody_total": "Records folded whose subscription is not in the inventory.",
    "cdr_missed_total": "Records that were removed, being too old, before they were folded; since the watch began.",
    "cdr_failing": "1 while a file or the journal of call detail records stands in the way; `status` says why.",
    "uptime_seconds": "Since the watch began.",
    **behaviour.HELP,
}
LABELS = {
    **dict.fromkeys(("snapshots_total", "history_steps_total", "cdr_files_total", "cdr_lines_total"), "result"),
    **behaviour.LABELS,
}
FAMILIES = tuple(
    Family(PREFIX + name, about, (LABELS[name],) if name in LABELS else ()) for name, about in HELP.items()
)

_PLAIN = {
    "followed_sequence": "followed", "events_total": "events", "events_per_second": "events_per_second",
    "findings_total": "findings", "findings_open": "findings_open", "findings_held_total": "findings_held",
    "groups": "groups", "groups_full_total": "groups_full", "sessions_forgotten_total": "sessions_forgotten",
    "visits_full_total": "visits_full",
    "durable": "durable", "cdr_followed_sequence": "cdr_followed", "cdr_of_nobody_total": "cdr_of_nobody",
    "cdr_missed_total": "cdr_missed",
    "snapshot_sequence": "snapshot_sequence", "snapshot_seconds": "snapshot_seconds", "uptime_seconds": "uptime_s",
}  # fmt: skip


def read_status(data_dir: Path) -> dict[str, Any] | None:
    """What a running watch said last; None where none is running, or it has said nothing for long."""
    said = read_whole(watch_folder(data_dir) / STATUS_NAME)
    return said if said is not None and time.time() - float(said.get("at", 0)) <= OVERDUE_S else None


def lag_of(said: dict[str, Any], last: int, now_us: int) -> tuple[int, float]:
    """How far the watch is behind a journal that ends at `last`: in events, and in seconds where there are any."""
    events = max(0, last - int(said["followed"]))
    return events, max(0.0, (now_us - int(said["followed_at_us"])) / 1e6) if events else 0.0


def metrics_text(said: dict[str, Any], last: int | None, now_us: int) -> str:
    """Everything, as Prometheus reads it; `last` None: nobody knows where the gate's journal ends."""
    values: dict[str, dict[tuple[str, ...], float]] = {
        name: {(): float(said[key])} for name, key in _PLAIN.items()
    }
    if last is not None:
        events, seconds = lag_of(said, last, now_us)
        values |= {"lag_events": {(): events}, "lag_seconds": {(): seconds}}
    values["snapshots_total"] = {("made",): said["snapshots_made"], ("failed",): said["snapshots_failed"]}
    values["history_steps_total"] = {(one,): said[f"history_{one}"] for one in ("archived", "removed", "failed")}
    values["cdr_files_total"] = {("imported",): said["cdr_files"], ("failed",): said["cdr_files_failed"]}
    values["cdr_lines_total"] = {(one,): count for one, count in said["cdr_lines"].items()}
    values["cdr_failing"] = {(): bool(said["cdr_failing_because"])}
    values["history_failing"] = {(): bool(said["history_failing_because"])}
    values |= behaviour.metrics(said["behaviour"])
    return text_of(FAMILIES, {PREFIX + name: of for name, of in values.items()})
