"""What the watch counts, in the text form in which Prometheus reads it, made from what it last said."""

from __future__ import annotations

from typing import Any

PREFIX = "simward_watch_"

HELP = {
    "lag_events": "Inputs that the gate has journalled and the watch has not folded yet.",
    "lag_seconds": "How old the newest input is that the watch has folded, while there are newer ones.",
    "followed_sequence": "Sequence number of the last input folded.",
    "events_total": "Inputs folded since the watch began, those folded again at its start included.",
    "events_per_second": "Inputs folded a second, lately.",
    "findings_total": "Findings journalled since the watch began.",
    "findings_open": "Findings that have not ended.",
    "findings_held_total": "Times that a finding could not begin because 1024 (65000 about subscriptions) were open.",
    "groups": "Cells, gateways, networks and models in its tables.",
    "groups_full_total": "Times that a place found no room in the table of groups.",
    "sessions_forgotten_total": "Sessions no longer counted because their subscription had 16 later ones at once.",
    "durable": "1 while every finding is in its journal.",
    "snapshots_total": "Snapshots since the watch began, by result.",
    "snapshot_sequence": "Sequence number of the newest snapshot.",
    "snapshot_seconds": "How long the newest snapshot took to write.",
    "history_steps_total": "Segments that became history (archived), units removed, and attempts that failed.",
    "history_failing": "1 while a segment cannot be made history; `status` says why.",
    "uptime_seconds": "Since the watch began.",
}
LABELS = {"snapshots_total": "result", "history_steps_total": "result"}

_PLAIN = {
    "followed_sequence": "followed", "events_total": "events", "events_per_second": "events_per_second",
    "findings_total": "findings", "findings_open": "findings_open", "findings_held_total": "findings_held",
    "groups": "groups", "groups_full_total": "groups_full", "sessions_forgotten_total": "sessions_forgotten",
    "durable": "durable",
    "snapshot_sequence": "snapshot_sequence", "snapshot_seconds": "snapshot_seconds", "uptime_seconds": "uptime_s",
}  # fmt: skip


def lag_of(said: dict[str, Any], last: int, now_us: int) -> tuple[int, float]:
    """How far the watch is behind a journal that ends at `last`: in events, and in seconds where there are any."""
    events = max(0, last - int(said["followed"]))
    return events, max(0.0, (now_us - int(said["followed_at_us"])) / 1e6) if events else 0.0


def metrics_text(said: dict[str, Any], last: int, now_us: int) -> str:
    """Everything, as Prometheus reads it."""
    events, seconds = lag_of(said, last, now_us)
    values: dict[tuple[str, str], float] = {
        ("lag_events", ""): events, ("lag_seconds", ""): seconds,
        ("snapshots_total", "made"): said["snapshots_made"], ("snapshots_total", "failed"): said["snapshots_failed"],
        ("history_failing", ""): bool(said["history_failing_because"]),
    }  # fmt: skip
    values |= {("history_steps_total", one): said[f"history_{one}"] for one in ("archived", "removed", "failed")}
    values |= {(name, ""): float(said[key]) for name, key in _PLAIN.items()}
    lines: list[str] = []
    for name, about in HELP.items():
        full = PREFIX + name
        lines += [f"# HELP {full} {about}", f"# TYPE {full} {'counter' if name.endswith('_total') else 'gauge'}"]
        for (counted, label), value in values.items():
            if counted == name:
                labels = f'{{{LABELS[name]}="{label}"}}' if label else ""
                lines.append(f"{full}{labels} {value:.15g}")
    return "\n".join(lines) + "\n"
