"""A measurement as tables for the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table

from simward.lab.measuring import words

UNBROKEN = ("detector", "attack", "strength", "p50", "p95")
"""Columns that are read as words, however narrow the terminal: the figures beside them go on in a second line."""


def show(told: dict[str, Any], console: Console) -> None:
    """Detectors, then attacks. `told`: Result.told()."""
    console.print(_detectors(told))
    console.print(_attacks(told))
    done = told["played"]
    whole_s, making_s = done["processor_seconds"], done["processor_seconds_making"]
    took = f"{whole_s:.0f} s of a core, {making_s:.0f} of them for the traffic"
    console.print(
        f"gate {words.plain(done['gate_nanoseconds_an_event'])} ns, watch "
        f"{words.plain(done['watch_nanoseconds_an_event'])} ns an event, ticks included (one each "
        f"{told['plan']['tick_s']} s); {took}"
    )
    for name, why in told["skipped"].items():
        console.print(f"not played, or not as often as asked: {name}: {why}")


def _detectors(told: dict[str, Any]) -> Table:
    table = _table(words.played(told))
    for header in ("detector", "recall", "precision", "false in a million", "p50", "p95", "runs in"):
        justify: JustifyMethod = "left" if header in ("detector", "runs in") else "right"
        table.add_column(header, justify=justify, overflow="fold", no_wrap=header in UNBROKEN)
    for row in told["detectors"]:
        recall = row["recall"]
        style = "red" if row["findings"]["false"] else "dim" if not recall["of"] else ""
        table.add_row(
            row["detector"], words.share(recall), words.precision(row), words.false_rate(row),
            words.span(recall["p50_s"]), words.span(recall["p95_s"]), row["runs"], style=style,
        )  # fmt: skip
    return table


def _attacks(told: dict[str, Any]) -> Table:
    table = _table("attacks (and what is honest and should be told), at each strength")
    for header in ("attack", "strength", "caught by any", "p50", "p95", "by those that should say so"):
        justify: JustifyMethod = "right" if header.startswith("p") else "left"
        table.add_column(header, justify=justify, overflow="fold", no_wrap=header in UNBROKEN)
    for row in told["attacks"]:
        by = [f"{name} {one['found']}/{one['of']}" for name, one in row["by_detector"].items()]
        by += [f"{name}: not installed" for name in row["awaited"]]
        anybody = row["anybody"]
        awaited, missed = row["awaited"] and not row["by_detector"], anybody["found"] < anybody["of"]
        style = "dim" if awaited else "yellow" if missed else ""
        table.add_row(
            row["attack"], words.strength(row), words.share(anybody), words.span(anybody["p50_s"]),
            words.span(anybody["p95_s"]), ", ".join(by), style=style,
        )  # fmt: skip
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold", expand=False)
