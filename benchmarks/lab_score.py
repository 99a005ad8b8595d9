"""What do the detectors find of labelled attacks, how soon, and what do they make up, in ten million subscription-days?

A made-up fleet (`simward.lab.traffic`) lives for months through both folds, with attacks of every kind and strength
among it and what honestly happens to a fleet. `--subscriptions 500000` makes it a hundred million: hours.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import Bar, save
from simward.lab.measuring.instrument import measure as measured
from simward.lab.traffic.programme import Plan

NAME = "lab_score"
QUESTION = "recall, precision, false findings and time to detect of every detector, over labelled attacks"
MILLION = 1_000_000
KNOWN = (
    "budget-burst", "day-budget", "message-flood", "first-message", "premium-calls", "calls-abroad",
    "data-on-voice-sim", "retry-storm", "signalling-storm", "signalling-storm-of-a-cell", "synchronised-reboot",
    "authentication-failures",
)  # fmt: skip
"""Attacks on services and budgets, storms, toll fraud."""
STORMS = ("retry-storm", "signalling-storm", "signalling-storm-of-a-cell", "synchronised-reboot")
LEAK = 10.0
"""How strong a slow leak is whose time to detect has a bar: what doubles is mostly missed, and the table says so."""
STATISTICAL = ("unusual-behaviour", "cohort-shift")


def bars_of(told: dict[str, Any]) -> list[Bar]:
    """What was promised, as far as detectors for it are installed."""
    days = max(1, told["played"]["honest_subscription_days"])
    rules = [row for row in told["detectors"] if row["detector"] not in STATISTICAL]
    false = sum(row["findings"]["false"] for row in rules)
    bars = [
        Bar("false findings of rules in a million honest subscription-days", false / days * MILLION, 1.0, "findings",
            at_most=True),
        Bar("traffic made", told["played"]["events_made_a_second"], 1_000_000, "events/s"),
    ]  # fmt: skip
    statistical = [row for row in told["detectors"] if row["detector"] in STATISTICAL]
    if statistical:
        budget = told["plan"]["findings_a_day"] * told["plan"]["days"]
        spent = sum(row["findings"]["false"] for row in statistical) / budget
        bars += [
            Bar("statistical findings about the honest, of their budget", spent, 2.0, "times", at_most=True),
            Bar("and not far below it, which would waste it", spent, 0.3, "times"),
        ]
    known = [row for row in told["attacks"] if row["attack"] in KNOWN and row["by_detector"]]
    tried = sum(row["anybody"]["of"] for row in known)
    if tried:
        found = sum(row["anybody"]["found"] for row in known)
        bars.append(Bar("known threats of services, budgets, storms and toll fraud: recall", found / tried, 0.99, ""))
    for what, attacks, least, within_s in (
        ("services, budgets, toll fraud: time to detect, p95", set(KNOWN) - set(STORMS), 0.0, 2.0),
        ("storms: time to detect, p95", set(STORMS), 0.0, 60.0),
        (f"slow leak of x{LEAK:g}: time to detect, p95", {"slow-leak"}, LEAK, 259_200.0),
    ):
        slowest = [
            row["anybody"]["p95_s"] for row in told["attacks"]
            if row["attack"] in attacks and row["strength"] >= least
            and row["by_detector"] and row["anybody"]["p95_s"] is not None
        ]  # fmt: skip
        if slowest:
            bars.append(Bar(what, max(slowest), within_s, "s of event time", at_most=True))
    return [*bars, *roll_out_bars(told["groups"])]


def roll_out_bars(groups: dict[str, dict[str, list[int]]]) -> list[Bar]:
    """Every device of a model changes by a roll-out: one finding for all of them, of each roll-out that was played.

    Of an honest one, that changes nothing but a night's octets, one at most.
    """
    changed = groups.get("firmware-gone-wild", {}).get("cohort-shift", [])
    honest = groups.get("firmware-rollout", {}).get("cohort-shift", [])
    bars = []
    if changed:
        bars += [
            Bar("a roll-out that changes all devices of one model: most findings about it", max(changed), 1, "findings",
                at_most=True),
            Bar("the same, fewest", min(changed), 1, "findings"),
        ]  # fmt: skip
    if honest:
        bars.append(Bar("a roll-out after which all go on as before: most findings", max(honest), 1, "findings",
                        at_most=True))  # fmt: skip
    return bars


def measure(folder: Path, plan: Plan, *, quick: bool) -> dict[str, object]:
    """Answer the question."""
    told = measured(plan, lambda day: print(f"{NAME}: day {day} of {plan.days}", file=sys.stderr, flush=True)).told()
    making = told["played"]["processor_seconds_making"]
    told["played"]["events_made_a_second"] = told["played"]["events"] / making if making else 0.0
    return save(NAME, QUESTION, told, bars_of(told), folder, quick=quick)


def main() -> dict[str, object]:
    """With the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lab_score", description=QUESTION)
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs; writes no results")
    parser.add_argument("--subscriptions", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--times", type=int, default=8, help="each attack, strength and pace")
    parser.add_argument("--seed", type=int, default=20_261)
    parser.add_argument("--tick", type=int, default=10, help="seconds between two ticks")
    asked = parser.parse_args()
    plan = Plan(asked.seed, asked.subscriptions, asked.days, None, asked.times, group_times=2, tick_s=asked.tick)
    if asked.quick:
        plan = Plan(asked.seed, 200, 16, times=1)
    return measure(Path(tempfile.gettempdir()), plan, quick=asked.quick)


if __name__ == "__main__":
    main()
