"""What a backtest says, as plain objects in a settled order: the summary, and one object a subscription."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from simward import identity
from simward.backtest.acts import reason
from simward.backtest.counting import DAY_US, DISCONNECT_LEVEL, HOUR_US, CutKey
from simward.backtest.ports import OUTCOMES
from simward.backtest.run import Backtest
from simward.backtest.tally import DID, WOULD
from simward.detectors.detector import LOCK, QUARANTINE, REFUSE, RESPONSE_NAMES
from simward.engine import outputs as out
from simward.engine.phrases import when
from simward.engine.tables import LIMITED_ACTIONS

CUTTING = (QUARANTINE, REFUSE, LOCK)
OPEN_LOOP = ("requests", "sessions", "uplink_octets", "downlink_octets", "findings")
PPM = 1_000_000


def day_text(day: int) -> str:
    """A day since 1970 as 2026-11-23 (UTC)."""
    return when(day * DAY_US)[:10]


def summary(run: Backtest) -> dict[str, Any]:
    """All that is counted. Nothing in it depends on when or how fast it was made."""
    cuts = run.counts.cuts
    people = run.people.rows
    would = [key for key in cuts if key.world == WOULD]
    return {
        "since": when(max(run.since, run.began_at)), "until": when(run.ended_at),
        "events": run.events, "ticks": run.ticks, "subscriptions": run.subscriptions,
        "unknown_up_to": run.unknown_up_to or None,
        "cuts": {
            "would_be": sum(cuts[key] for key in would),
            "would_be_new": sum(cuts[key] for key in would if not key.both),
            "were": sum(count for key, count in cuts.items() if key.world == DID),
            "were_and_would_not_be": sum(count for key, count in cuts.items() if key.world == DID and not key.both),
            "subscriptions": int(np.count_nonzero(people["cuts"][:, WOULD])),
            "subscriptions_new": int(np.count_nonzero(people["alone"][:, WOULD])),
        },
        "by_day": by_day(run),
        "limits": limits(run),
        "open_loop": open_loop(people),
        "judgements": judgements(run),
        "watch": run.watch, "findings": findings(run),
        "proposed_rules": run.proposed.said() if run.proposed is not None else [],
        "rules": rules(run),
    }  # fmt: skip


def use_case(run: Backtest, number: int) -> str | None:
    """The name of a use case in the proposed policies (or one that they do without, and that has members)."""
    names = run.fold.state.policy.names["use_cases"]
    return names[number] or None if number < len(names) else None


def by_day(run: Backtest) -> list[dict[str, Any]]:
    """Cuts by the day on which they began, use case, response and reason, in both worlds."""
    merged: dict[tuple[int, str, int, str], Counter[str]] = {}
    for key, count in run.counts.cuts.items():
        name = use_case(run, key.use_case) or ""
        one = merged.setdefault((key.day, name, key.level, reason(key.detector, key.class_number)), Counter())
        for column in columns_of(key):
            one[column] += count
    return [
        {
            "day": day_text(day), "use_case": name or None, "response": RESPONSE_NAMES[level], "because": because,
            "would_be": one["would_be"], "would_be_new": one["would_be_new"],
            "were": one["were"], "were_and_would_not_be": one["were_and_would_not_be"],
        }
        for (day, name, level, because), one in sorted(merged.items())
    ]  # fmt: skip


def columns_of(key: CutKey) -> list[str]:
    """What a cut counts as."""
    if key.world == WOULD:
        return ["would_be"] if key.both else ["would_be", "would_be_new"]
    return ["were"] if key.both else ["were", "were_and_would_not_be"]


def limits(run: Backtest) -> list[dict[str, Any]]:
    """Each limit: what it is, the fullest hour, and what it would have held."""
    policy = run.fold.state.policy
    said = []
    for number, row in enumerate(policy.use_cases):
        for level, action in [*zip(CUTTING, LIMITED_ACTIONS), (DISCONNECT_LEVEL, LIMITED_ACTIONS[-1])]:
            position = LIMITED_ACTIONS.index(action)
            per_hour, share = int(row["limit_per_hour"][position]), int(row["limit_share_ppm"][position])
            held = {
                out.HELD_NAMES[key.held]: one
                for key, one in sorted(run.counts.held.items()) if (key.use_case, key.level) == (number, level)
            }  # fmt: skip
            fullest = fullest_hour(run, number, level)
            if not held and ((per_hour < 0 and share < 0) or not fullest[1]):
                continue
            said.append({
                "use_case": use_case(run, number), "action": action,
                "per_hour": per_hour if per_hour >= 0 else None,
                "share_of_fleet": share / PPM if share >= 0 else None,
                "members": int(run.fold.state.limits["members"][number]),
                "fullest_hour": when(fullest[0] * HOUR_US) if fullest[1] else None, "cuts_in_it": fullest[1],
                "held": {
                    name: {"times": one.count, "days": len(one.days), "first": when(one.first), "last": when(one.last)}
                    for name, one in held.items()
                },
            })  # fmt: skip
    return said


def fullest_hour(run: Backtest, number: int, level: int) -> tuple[int, int]:
    """The hour (since 1970) in which most cuts of a use case with this response began, and how many."""
    hours = run.counts.hours.items()
    count, hour = max(((count, -key[2]) for key, count in hours if key[:2] == (number, level)), default=(0, 0))
    return -hour, count


def open_loop(people: np.ndarray) -> dict[str, int]:
    """What was recorded of subscriptions while they would have been cut, and were not."""
    said = {name: int(people[name].sum()) for name in OPEN_LOOP}
    touched = (people["requests"] > 0) | (people["sessions"] > 0) | (people["uplink_octets"] > 0)
    return {"subscriptions": int(np.count_nonzero(touched | (people["downlink_octets"] > 0))), **said}


def judgements(run: Backtest) -> dict[str, Any]:
    """How the findings behind the cuts that would have been were judged by people."""
    judged = run.judged
    named = {number: use_case(run, number) for number, _ in judged.cuts}
    return {
        "total": judged.total,
        "cuts": {outcome: sum(judged.cuts[number, outcome] for number in named) for outcome in OUTCOMES},
        "by_use_case": [
            {"use_case": named[number], **{outcome: judged.cuts[number, outcome] for outcome in OUTCOMES}}
            for number in sorted(named)
        ],
    }  # fmt: skip


def findings(run: Backtest) -> list[dict[str, Any]]:
    """What would have been found, beside what was."""
    merged: dict[tuple[str, str], Counter[int]] = {}
    for (world, number, detector, class_number), count in run.counts.found.items():
        key = use_case(run, number) or "", reason(detector, class_number)
        merged.setdefault(key, Counter())[world] += count
    return [
        {"use_case": name or None, "finding": because, "would_be": one[WOULD], "were": one[DID]}
        for (name, because), one in sorted(merged.items())
    ]


def rules(run: Backtest) -> list[dict[str, Any]]:
    """What rules would have done, as it was recorded."""
    merged: dict[tuple[str, str, bool], list[Any]] = {}
    for one in run.rules:
        merged.setdefault((one.rule, one.action, one.dry_run), []).append(one)
    return [
        {
            "rule": rule, "action": action, "dry_run": dry_run, "times": len(done),
            "subscriptions": len({one.imsi for one in done if one.imsi}),
            "first": when(min(one.at for one in done)), "last": when(max(one.at for one in done)),
        }
        for (rule, action, dry_run), done in sorted(merged.items())
    ]  # fmt: skip


def cut_people(run: Backtest) -> np.ndarray:
    """The numbers of those that would have been cut: new ones first, then in the order of their first cut."""
    people = run.people.rows
    chosen = np.flatnonzero(people["cuts"][:, WOULD])
    order = np.lexsort((people["imsi"][chosen], people["first_at"][chosen], people["alone"][chosen, WOULD] == 0))
    return chosen[order]


def subscriptions(run: Backtest, most: int | None = None) -> Iterator[dict[str, Any]]:
    """One object a subscription that would have been cut."""
    people = run.people.rows
    for number in cut_people(run)[:most].tolist():
        one = people[number]
        yield {
            "imsi": identity.imsi_text(int(one["imsi"])),
            "iccid": identity.iccid_text(int(one["iccid"])) if one["iccid"] else None,
            "use_case": use_case(run, int(one["use_case"])),
            "at": when(one["first_at"]), "sequence": int(one["first_sequence"]),
            "response": RESPONSE_NAMES[one["first_level"]],
            "because": reason(int(one["first_detector"]), int(one["first_class"])),
            "strongest": RESPONSE_NAMES[one["strongest"]],
            "cuts": int(one["cuts"][WOULD]), "new": int(one["alone"][WOULD]), "were": int(one["cuts"][DID]),
            "cut_s": int(one["cut_us"]) // 1_000_000, "judged": run.judged.people.get(number),
            "open_loop": {name: int(one[name]) for name in OPEN_LOOP},
        }  # fmt: skip
