"""How many honest subscription-days does it take until a detector of identity, place or silence says what is not so?

A fleet of six use cases lives for months through the fold, with every honest oddity of the lab mixed in at the rates of
`simward.lab.weather`. Whatever claims a theft or a move is false, since there was none, and so is an outage that no
oddity had. Beside it, every attack of the lab is played at full strength and must be caught. `--list FILE` writes every
false finding.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.report import Bar, save
from simward.identity import imsi_text
from simward.lab.fleet import USE_CASES, make_fleet
from simward.lab.performance import Performance, Programme, folded, new_fold
from simward.lab.population import Population
from simward.lab.score import INFORMATION, explained, named
from simward.lab.scoring import Plan, score_events
from simward.lab.weather import honest_weather

NAME = "false_alarms"
QUESTION = "false findings of identity and place in a million honest subscription-days"
LISTED = 200
"""So many false findings stand in the results; `--list` writes all of them."""
MILLION = 1_000_000
ATTACKED = Plan(subscriptions=2_000, days=40, seed=1)


def described(done: Performance, finding: np.ndarray, use_case_of: dict[int, str]) -> dict[str, object]:
    """One finding for whoever looks for its cause; all identities are made up."""
    imsi = int(finding["imsi"])
    return {
        "at_us": int(finding["at"]), "imsi": imsi_text(imsi), "use_case": use_case_of.get(imsi, ""),
        "finding": done.name(finding), "was": int(finding["was"]), "now": int(finding["now"]),
        "expected": int(finding["expected"]), "sequence": int(finding["sequence"]),
    }  # fmt: skip


def measure(folder: Path, *, subscriptions: int, days: int, listed: Path | None, quick: bool) -> dict[str, object]:
    """The honest months, then the attacks."""
    fleet, rng = make_fleet(1, subscriptions), np.random.default_rng([1, subscriptions, days])
    fold = new_fold(fleet)
    population = Population.of(fleet, fold.state.texts.intern, rng)
    programme = Programme(population, honest_weather(population, days, rng), days, rng)
    before = time.perf_counter()
    done = folded(fold, programme)
    took = time.perf_counter() - before
    names = np.array([done.name(one) for one in done.findings], object)
    is_false = np.array(
        [
            not named(name, INFORMATION) and not explained(programme.played, name, one)
            for name, one in zip(names, done.findings, strict=True)
        ],
        bool,
    )
    use_case_of = {int(row["imsi"]): USE_CASES[row["use_case"]] for row in population.rows}
    false = [described(done, one, use_case_of) for one in done.findings[is_false]]
    if listed is not None:
        listed.write_text("".join(json.dumps(one) + "\n" for one in false))
    attacked = score_events(Plan(subscriptions=100, days=24, seed=1) if quick else ATTACKED)
    attacks = [one for one in attacked.scenes if one.kind == "attack" and not one.note]
    figures = {
        "subscriptions": subscriptions,
        "days": days,
        "subscription_days": done.subscription_days,
        "events": done.events,
        "retransmissions": done.events - done.kept,
        "oddities_on_stage": len(programme.played),
        "false_by_class": dict(Counter(names[is_false])),
        "false_by_use_case": dict(Counter(str(one["use_case"]) for one in false)),
        "information_by_class": dict(Counter(names[~is_false])),
        "false_findings": false[:LISTED],
        "attacks_caught": sum(one.missed == 0 for one in attacks),
        "attacks_missed": [one.scene for one in attacks if one.missed],
        "attacks_without_a_detector": [one.scene for one in attacked.scenes if one.note],
        "events_to_detection": {one.scene: one.events_to_detection for one in attacks},
        "seconds": took,
        "seconds_in_fold": done.fold_s,
        "kernel": fold.kernel,
    }
    rate = len(false) / done.subscription_days * MILLION
    bars = [
        Bar("false findings in a million honest subscription-days", rate, 1.0, "findings", at_most=True, aim=0.0),
        Bar("attacks of full strength that were missed", len(attacks) - sum(one.missed == 0 for one in attacks), 0,
            "scenes", at_most=True),
    ]  # fmt: skip
    return save(NAME, QUESTION, figures, bars, folder, quick=quick)


def main() -> dict[str, object]:
    """Answer the question."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.false_alarms", description=QUESTION)
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs; writes no results")
    parser.add_argument("--subscriptions", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--list", dest="listed", type=Path, metavar="FILE", help="every false finding, as JSON lines")
    asked = parser.parse_args()
    subscriptions, days = (100, 16) if asked.quick else (asked.subscriptions, asked.days)
    here = Path(tempfile.gettempdir())
    return measure(here, subscriptions=subscriptions, days=days, listed=asked.listed, quick=asked.quick)


if __name__ == "__main__":
    main()
