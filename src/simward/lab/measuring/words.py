"""Figures of a measurement in words, the same in the terminal, on the page and in the documentation."""

from __future__ import annotations

from typing import Any


def share(of: dict[str, Any]) -> str:
    """A recall as JSON has it: `0.98 (49 of 50; 0.90 to 1.00)`."""
    if not of["of"]:
        return "-"
    low, high = of["recall_low"], of["recall_high"]
    return f"{of['recall']:.2f} ({of['found']:,} of {of['of']:,}; {low:.2f} to {high:.2f})"


def span(seconds: float | None) -> str:
    """`0 s`, `1.5 min`, `3 h`, `2.1 d`."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{plain(seconds / length)} {unit}"
    return f"{plain(seconds)} s"


def plain(number: float) -> str:
    """Two significant digits, without an exponent."""
    if number >= 100:
        return f"{number:,.0f}"
    if number >= 10:
        return f"{number:.0f}"
    return f"{number:.2g}" if number >= 0.001 else "0"


def precision(row: dict[str, Any]) -> str:
    """With its interval; "-" of a detector that said nothing."""
    if row["precision"] is None:
        return "-"
    return f"{row['precision']:.3f} ({row['precision_low']:.3f} to {row['precision_high']:.3f})"


def false_rate(row: dict[str, Any]) -> str:
    """In a million subscription-days, with its interval."""
    low, high = row["false_in_a_million_low"], row["false_in_a_million_high"]
    return f"{plain(row['false_in_a_million'])} ({plain(low)} to {plain(high)})"


def played(told: dict[str, Any]) -> str:
    """What was measured on."""
    plan, done = told["plan"], told["played"]
    return (
        f"{plan['subscriptions']:,} subscriptions, {plan['days']} days, {done['events']:,} events, "
        f"{done['attacks']:,} attacks, {done['honest_happenings']:,} honest happenings, seed {plan['seed']}"
    )


def strength(row: dict[str, Any]) -> str:
    """`x10 fast`."""
    return f"x{row['strength']:g} {row['pace']}".strip()
