"""How the judging of behaviour stands, in a word and a sentence: what `status`, the API and the console show of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINS, WARMING, SMALL, UNHEARD, UNFITTED, CAPPED, ROLLED_UP, DRIFTING, READY, LATE = (
    "begins", "warming", "small", "unheard", "unfitted", "capped", "rolled-up", "drifting", "ready", "late",
)  # fmt: skip
STATES = {
    BEGINS: "No day is settled yet: the first is being counted.",
    WARMING: "No subscription has learnt for two days yet: nothing can be found.",
    SMALL: "Fewer than {small} were heard: too few for cohorts, so each is held against its own past and the fleet.",
    UNHEARD: "Nothing was heard on that day: it was judged by nothing, and nothing was learnt of it.",
    UNFITTED: "That day could not be fitted and passed unjudged: {because}",
    CAPPED: "More became unusual than the budget can have meant: the strongest are told one by one, the others as one.",
    ROLLED_UP: "One in ten or more changed together and are told as one: what befell one of them besides goes untold.",
    DRIFTING: "One in ten or more does for long what it did not use to: it is being learnt anew.",
    LATE: "A day that is over is not settled: {because}",
    READY: "Every day is judged.",
}
"""State -> what it says."""
SMALL_BELOW = 200
SHARE_TOLD = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_text(day: int) -> str | None:
    """A day since 1970 as a date; None for 0, there is none."""
    return f"{EPOCH + timedelta(days=day):%Y-%m-%d}" if day else None


def stands(last_day: Mapping[str, Any], fits: Mapping[str, Any]) -> dict[str, Any]:
    """`last_day` is what the watch fold keeps of the day settled last, `fits` how its fitting is doing."""
    figures = last_day.get("figures", {})
    states = last_day.get("states", {})
    state = state_of(last_day, fits)
    because = fits.get("failing_because") or last_day.get("because") or ""
    return {
        "state": state,
        "says": STATES[state].format(small=SMALL_BELOW, because=because),
        "day": day_text(int(last_day.get("day", 0))),
        "findings_a_day": last_day.get("budget") if fits["findings_a_day"] is None else fits["findings_a_day"],
        "budget_is_derived": fits["findings_a_day"] is None,
        "expected_a_day": round(float(figures.get("expected_a_day", 0)), 2),
        "began": last_day.get("began", 0),
        "cohorts_began": last_day.get("cohorts_began", 0),
        "rolled_up": last_day.get("rolled_up", 0),
        "heard": int(figures.get("heard", 0)),
        "judged": int(figures.get("judged", 0)),
        "cohorts": int(figures.get("cohorts", 0)),
        "subscriptions": dict(states),
        **{name: fits[name] for name in FITS},
    }


FITS = (
    "fitting", "fit_seconds", "fitted", "fits_failed", "unfitted", "failing_because", "verdicts", "verdicts_dropped",
    "late_records",
)  # fmt: skip
"""What is shown of the fitting as it says it itself."""


def state_of(last_day: Mapping[str, Any], fits: Mapping[str, Any]) -> str:
    """The one of STATES that matters most."""
    figures, states = last_day.get("figures", {}), last_day.get("states", {})
    known = sum(count for name, count in states.items() if name != "unusual")
    if fits.get("failing_because"):
        return LATE
    if not last_day:
        return BEGINS
    if last_day["kind"] == "unfitted":
        return UNFITTED
    if not figures.get("heard"):
        return UNHEARD
    if last_day.get("rolled_up"):
        return CAPPED
    if not figures.get("judged") and not states.get(ROLLED_UP):
        return WARMING
    for name in (ROLLED_UP, DRIFTING):
        if states.get(name, 0) * SHARE_TOLD >= max(known, 1):
            return name
    return SMALL if figures["heard"] < SMALL_BELOW else READY


HELP = {
    "behaviour_state": "1 for the state that the judging of behaviour is in.",
    "behaviour_budget_findings": "The alarm budget: statistical findings a day, as set or by the fleet.",
    "behaviour_expected_findings": "How many a day the threshold of the day settled last lets through by chance.",
    "behaviour_began_findings": "Statistical findings that began with the day settled last, by what they are about.",
    "behaviour_subscriptions": "Subscriptions by what is known of their behaviour, as of the day settled last.",
    "behaviour_cohorts": "Cohorts of the day settled last.",
    "behaviour_fits_total": "Fits of days since the watch began: done, failed attempts, and days that passed unjudged.",
    "behaviour_fit_seconds": "How long the newest fit took.",
    "behaviour_verdicts_total": "Verdicts on findings of behaviour since the watch began, by what came of them.",
    "behaviour_late_records_total": "Records of days that were settled when they came.",
}
LABELS = {
    "behaviour_state": "state", "behaviour_began_findings": "about", "behaviour_subscriptions": "state",
    "behaviour_fits_total": "result", "behaviour_verdicts_total": "result",
}  # fmt: skip


def metrics(told: Mapping[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """`stands` as numbers by name and label."""
    return {
        "behaviour_state": {(one,): float(one == told["state"]) for one in STATES},
        "behaviour_budget_findings": {} if told["findings_a_day"] is None else {(): told["findings_a_day"]},
        "behaviour_expected_findings": {(): told["expected_a_day"]},
        "behaviour_began_findings": {("subscription",): told["began"], ("cohort",): told["cohorts_began"]},
        "behaviour_subscriptions": {(name,): count for name, count in told["subscriptions"].items()},
        "behaviour_cohorts": {(): told["cohorts"]},
        "behaviour_fits_total": {
            ("fitted",): told["fitted"], ("failed",): told["fits_failed"], ("unfitted",): told["unfitted"],
        },
        "behaviour_fit_seconds": {(): told["fit_seconds"]},
        "behaviour_verdicts_total": {("taken",): told["verdicts"], ("dropped",): told["verdicts_dropped"]},
        "behaviour_late_records_total": {(): told["late_records"]},
    }  # fmt: skip
