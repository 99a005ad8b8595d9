"""The measurement itself: a programme's days through both folds, and the figures that come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from simward.errors import UsageError
from simward.lab.measuring.judges import FINDINGS_A_DAY, Judges
from simward.lab.measuring.knowable import Knowable
from simward.lab.measuring.owner import new_fold
from simward.lab.measuring.result import Result, attack_rows, detector_rows, findings_about_groups
from simward.lab.measuring.verdicts import held_against
from simward.lab.traffic.happening import Act
from simward.lab.traffic.members import DAY_US, make_members
from simward.lab.traffic.programme import Plan, Programme

Progress = Callable[[int], object]
"""Told how many days are over."""


def measure(
    plan: Plan, progress: Progress = lambda day: None, findings_a_day: float = FINDINGS_A_DAY
) -> Result:
    """Play a plan and judge what both folds say of it, under an alarm budget of statistical findings.

    Raises UsageError where attacks were asked for, and this fleet and its days have room for none of them.
    """
    members = make_members(plan.seed, plan.subscriptions)
    judges = Judges(new_fold(members), findings_a_day)
    texts = judges.texts()
    programme = Programme(plan, texts, members)
    _must_play(plan, programme)
    knowable = Knowable(programme.acts)
    began, began_cpu, folding_s = time.perf_counter(), time.thread_time(), 0.0
    for day in programme.days():
        before = time.thread_time()
        knowable.begin(day.begins_at, day.calls)
        judges.judge(day, knowable.hear)
        folding_s += time.thread_time() - before
        progress(day.number + 1)
    took, took_cpu = time.perf_counter() - began, time.thread_time() - began_cpu
    heard = judges.finish()
    verdicts = held_against(heard, programme.acts, members, texts)
    honest_days = plan.subscriptions * plan.days - attacked_days(programme.acts)
    said = {"tick_s": plan.tick_s, "losses": asdict(plan.losses)}
    return Result(
        plan={"seed": plan.seed, "subscriptions": plan.subscriptions, "days": plan.days, "times": plan.times,
              "group_times": plan.group_times, "warm_up_days": plan.warm_up_days,
              "findings_a_day": findings_a_day, **said},
        played={
            "subscription_days": plan.subscriptions * plan.days, "honest_subscription_days": honest_days,
            "events": heard.gate.inputs, "journalled": heard.watch.inputs, "records": heard.records.inputs,
            "attacks": sum(not act.happening.honest for act in programme.acts if act.began_at),
            "honest_happenings": sum(act.happening.honest for act in programme.acts if act.began_at),
            "seconds": took, "processor_seconds": took_cpu,
            "processor_seconds_making": took_cpu - folding_s + heard.writing_s,
            "gate_nanoseconds_an_event": heard.gate.nanoseconds_each,
            "watch_nanoseconds_an_event": heard.watch.nanoseconds_each,
        },
        detectors=detector_rows(verdicts, heard, honest_days), attacks=attack_rows(verdicts.said, heard.runs),
        groups=findings_about_groups(verdicts.said), skipped=programme.skipped, examples=verdicts.examples,
    )  # fmt: skip


def _must_play(plan: Plan, programme: Programme) -> None:
    """A measurement of attacks that cannot be played would look like one that found nothing."""
    if plan.attacks and not {act.happening.id for act in programme.acts} & set(plan.attacks):
        reasons = "; ".join(f"{name}: {programme.skipped.get(name, 'no room')}" for name in plan.attacks)
        raise UsageError(f"{plan.subscriptions:,} subscriptions, {plan.days} days: nothing to play ({reasons})")


def attacked_days(acts: Sequence[Act]) -> int:
    """Subscription-days within attacks: on them a finding may be beside the point without being false."""
    attacked = (one for one in acts if not one.happening.honest and one.began_at)
    return int(sum(len(one.imsis) * (one.ends_at - one.began_at) / DAY_US for one in attacked))
