"""How the judging of behaviour stands has a name and a sentence, whatever there is to say."""

from __future__ import annotations

from typing import Any

import pytest

from simward.observing.behaviour import HELP, LABELS, STATES, metrics, stands

FITS = {
    "findings_a_day": 5.0, "fitting": False, "fit_seconds": 0.5, "fitted": 3, "fits_failed": 0, "unfitted": 0,
    "failing_because": "", "verdicts": 0, "verdicts_dropped": 0, "late_records": 2,
}  # fmt: skip


def a_day(**more: Any) -> dict[str, Any]:
    """A settled day of a thousand."""
    states = {"new": 0, "warming": 10, "ready": 985, "rolled-up": 0, "drifting": 5, "unusual": 2}
    figures = {"heard": 950, "judged": 940, "cohorts": 3, "expected_a_day": 4.8}
    return {
        "kind": "settled", "day": 20_712, "figures": figures, "states": states, "began": 2, "cohorts_began": 1, **more
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "last_day", "fits"),
    [
        ("begins", {}, {}),
        ("ready", a_day(), {}),
        ("late", a_day(), {"failing_because": "MemoryError"}),
        ("unfitted", {"kind": "unfitted", "day": 20_712, "because": "MemoryError"}, {}),
        ("unheard", a_day(figures={"heard": 0, "judged": 0}), {}),
        ("warming", a_day(figures={"heard": 900, "judged": 0}), {}),
        ("small", a_day(figures={"heard": 90, "judged": 80}), {}),
        ("capped", a_day(rolled_up=70), {}),
        ("rolled-up", a_day(figures={"heard": 300, "judged": 33}, states={"ready": 10, "rolled-up": 290}), {}),
        ("rolled-up", a_day(figures={"heard": 300, "judged": 0}, states={"rolled-up": 300}), {}),
        ("ready", a_day(figures={"heard": 205, "judged": 190}, states={"ready": 190, "rolled-up": 15}), {}),
        ("drifting", a_day(states={"ready": 800, "drifting": 150, "unusual": 151}), {}),
    ],
)
def test_what_matters_most_is_said(state: str, last_day: dict[str, Any], fits: dict[str, Any]) -> None:
    told = stands(last_day, {**FITS, **fits})
    assert told["state"] == state and told["says"] and "{" not in told["says"]
    assert metrics(told)["behaviour_state"] == {(one,): float(one == state) for one in STATES}


def test_the_budget_and_what_of_it_is_in_use_are_told() -> None:
    told = stands(a_day(), FITS)
    assert (told["findings_a_day"], told["expected_a_day"], told["began"], told["cohorts_began"]) == (5.0, 4.8, 2, 1)
    assert told["day"] == "2026-09-16" and told["subscriptions"]["ready"] == 985


def test_a_budget_that_is_not_set_is_that_of_the_last_day() -> None:
    told = stands(a_day(budget=0.25), {**FITS, "findings_a_day": None})
    assert told["findings_a_day"] == 0.25 and told["budget_is_derived"]
    assert not stands(a_day(), FITS)["budget_is_derived"]
    unsettled = stands({}, {**FITS, "findings_a_day": None})
    assert unsettled["findings_a_day"] is None and metrics(unsettled)["behaviour_budget_findings"] == {}


def test_every_metric_has_its_words_and_labels() -> None:
    told = metrics(stands(a_day(), FITS))
    assert told.keys() == HELP.keys() and LABELS.keys() <= HELP.keys()
    assert all(len(of) == (name in LABELS) for name, samples in told.items() for of in samples)
