"""What came of a backtest, as a page shows it: by day, by limit, by what people judged, and whom it would have cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simward.control.console.listings import Column

DAY_S = 86_400
DAYS_LEAST, DAYS_MOST = 7, 400
CUT_COLUMNS = (
    Column("Subscription"), Column("Response"), Column("Because of"), Column("First"), Column("Cuts", numeric=True),
    Column("New", numeric=True, wide=True), Column("Judged", wide=True),
)  # fmt: skip
SERIES = (
    ("would_be_new", "Would be cut, newly", "critical"), ("as_before", "Would be cut, and was", "medium"),
    ("were_and_would_not_be", "Was cut, and would not be", "3"),
)  # fmt: skip


def told(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a job, as the template takes it."""
    return {**result["summary"], "subscriptions": result["subscriptions"], "people": result["summary"]["subscriptions"]}


def chart_of(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """The data of `ui.chart`: cuts by day; None where there were none in either world."""
    days: dict[int, dict[str, int]] = {}
    for row in summary["by_day"]:
        day = int(datetime.fromisoformat(row["day"]).replace(tzinfo=UTC).timestamp())
        one = days.setdefault(day, dict.fromkeys((name for name, _, _ in SERIES), 0))
        one["would_be_new"] += row["would_be_new"]
        one["as_before"] += row["would_be"] - row["would_be_new"]
        one["were_and_would_not_be"] += row["were_and_would_not_be"]
    if not days:
        return None
    # Every day from the first to the last, so that quiet ones are seen as such.
    first = min(min(days), max(days) - DAYS_LEAST * DAY_S)
    times = range(first, max(days) + 1, DAY_S)[-DAYS_MOST:]
    nothing = dict.fromkeys((name for name, _, _ in SERIES), 0)
    return {
        "kind": "bars", "times": list(times), "step": DAY_S, "unit": "",
        "series": [
            {"label": label, "tone": tone, "values": [days.get(day, nothing)[name] for day in times]}
            for name, label, tone in SERIES
        ],
    }  # fmt: skip
