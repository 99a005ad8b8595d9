"""A measurement as one HTML page with charts: style and pictures stand in it, nothing is fetched from anywhere.

The style is the console's own sheet, so that both look alike, in light and in dark.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import simward
from simward.lab.measuring import words

SHEET = Path(simward.__file__).parent / "control" / "console" / "static" / "console.css"
TEMPLATE = "page.html"
WIDTH, LABEL, ROW, BAR = 860, 250, 22, 10
RATE_LEAST, RATE_MOST = 0.01, 10_000.0
TIME_LEAST, TIME_MOST = 1.0, 30 * 86_400.0


def page(told: dict[str, Any]) -> str:
    """The page. `told`: Result.told()."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(words=words)
    return environment.get_template(TEMPLATE).render(
        told=told, sheet=SHEET.read_text(), recall=recall_chart(told), made_up=false_chart(told), time=time_chart(told),
        width=WIDTH, label=LABEL, row=ROW, bar=BAR,
    )  # fmt: skip


def recall_chart(told: dict[str, Any]) -> dict[str, Any]:
    """A bar for each attack and strength, with the interval as a line."""
    rows = []
    for row in told["attacks"]:
        anybody = row["anybody"]
        rows.append({
            "label": f"{row['attack']} {words.strength(row)}", "from": 0.0, "to": anybody["recall"],
            "low": anybody["recall_low"], "high": anybody["recall_high"], "said": words.share(anybody),
            "tone": "chart-5" if row["awaited"] and not row["by_detector"] else "chart-0",
        })  # fmt: skip
    return {"rows": rows, "marks": [(place, f"{place:g}") for place in (0.0, 0.25, 0.5, 0.75, 1.0)]}


def false_chart(told: dict[str, Any]) -> dict[str, Any]:
    """A dot for each detector that ever spoke, with the interval as a line; logarithmic."""
    rows = []
    for row in told["detectors"]:
        low, high = row["false_in_a_million_low"], row["false_in_a_million_high"]
        rows.append({
            "label": row["detector"], "from": 0.0, "to": _on(row["false_in_a_million"], RATE_LEAST, RATE_MOST),
            "low": _on(low, RATE_LEAST, RATE_MOST), "high": _on(high, RATE_LEAST, RATE_MOST),
            "said": words.false_rate(row), "tone": "chart-2" if row["findings"]["false"] else "chart-3",
        })  # fmt: skip
    marks = [(_on(10.0**power, RATE_LEAST, RATE_MOST), f"{10.0**power:g}") for power in range(-2, 5)]
    return {"rows": rows, "marks": marks}


def time_chart(told: dict[str, Any]) -> dict[str, Any]:
    """From the median to the 95th percentile of each detector that found anything; logarithmic."""
    rows = []
    for row in told["detectors"]:
        recall = row["recall"]
        if recall["found"]:
            p50, p95 = (_on(recall[name], TIME_LEAST, TIME_MOST) for name in ("p50_s", "p95_s"))
            rows.append({
                "label": row["detector"], "from": p50, "to": max(p95, p50 + 0.004), "low": p50, "high": p95,
                "said": f"{words.span(recall['p50_s'])} to {words.span(recall['p95_s'])}", "tone": "chart-1",
            })  # fmt: skip
    moments_s = (1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 864_000.0)
    marks = [(_on(at, TIME_LEAST, TIME_MOST), words.span(at)) for at in moments_s]
    return {"rows": rows, "marks": marks}


def _on(value: float, least: float, most: float) -> float:
    """Where a value lies on a logarithmic axis, 0 to 1."""
    held = min(max(value, least), most)
    return math.log(held / least) / math.log(most / least)
