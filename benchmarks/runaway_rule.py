"""A rule that would lock a fleet: its limit holds, one incident says so, people approve, undo brings all back.

The gate's own fold, journal and command desk, and the registry in SQLite with every transaction durable, in one process
on a manual clock: counts are exact; the durations are of this machine's work without the waiting that the rates impose.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Bar, save
from benchmarks.ruled_fleet import START_AT, RuledFleet
from simward.registry import rules as kept
from simward.response.rules.held import approve
from simward.response.rules.undoing import undo_rule

NAME = "runaway_rule"
QUESTION = "What does a rule do that would lock every subscription of a fleet, and can it be undone?"
FLEET, QUICK_FLEET = 10_000, 500
LIMIT = 100
POLICY = f"""
use_case: meter
binding: {{mode: first-use}}
responses: {{device-change: notify}}
limits: {{lock: {{per_hour: {LIMIT}}}}}
---
rule: runaway
on: device-change
if: finding.severity == "high"
do: [{{lock: {{}}}}]
mode: live
"""


def main() -> int:
    """0 = every bar met."""
    quick = "--quick" in sys.argv
    members = QUICK_FLEET if quick else FLEET
    with tempfile.TemporaryDirectory(prefix="simward-bench-") as place:
        fleet = RuledFleet(Path(place), POLICY, members)
        fleet.follow()
        figures, bars = _run(fleet, members)
        fleet.close()
        save(NAME, QUESTION, figures, bars, Path(place), quick=quick)
    return 0 if all(bar.met for bar in bars) else 1


def _run(fleet: RuledFleet, members: int) -> tuple[dict[str, object], list[Bar]]:
    took: dict[str, float] = {}
    fleet.comes(range(members), device=5_000_000)
    took["fired and answered"] = _timed(fleet.settle)
    limited, states, incidents = fleet.locked, fleet.states, len(fleet.incidents)

    _undo(fleet)
    took["limit undone"] = _timed(fleet.settle)
    after_first = fleet.locked

    for who in ("ada", "grace"):
        with fleet.registry.writing() as connection:
            approve(connection, fleet.automation.in_force(connection), "runaway", who, "looked at them", fleet.now)
    began = fleet.now
    took["approved by two"] = _timed(fleet.settle)
    approved, approved_in_s = fleet.locked, (fleet.now - began) / 1e6

    releases = _undo(fleet)
    began = fleet.now
    took["all undone"] = _timed(fleet.settle)
    undone_in_s = (fleet.now - began) / 1e6
    over = f"runaway rule over {members:,}:"
    bars = [
        Bar(f"{over} locked beyond the limit", abs(limited - LIMIT), 0, "", at_most=True),
        Bar(f"{over} not held of the rest", members - LIMIT - states.get(kept.HELD, 0), 0, "", at_most=True),
        Bar(f"{over} incidents besides one", abs(incidents - 1), 0, "", at_most=True),
        Bar(f"{over} still locked after undo", after_first, 0, "", at_most=True),
        Bar(f"{over} not locked after two approved", members - LIMIT - approved, 0, "", at_most=True),
        Bar(f"{over} still locked after undo of all", fleet.locked, 0, "", at_most=True),
    ]
    figures: dict[str, object] = {
        "members": members, "limit_per_hour": LIMIT, "locked": limited, "states": states, "incidents": incidents,
        "locked_after_approval": approved, "approval_takes_s_at_its_rate": approved_in_s, "releases": releases,
        "undo_takes_s_at_its_rate": undone_in_s, "work_s": took,
    }  # fmt: skip
    return figures, bars


def _undo(fleet: RuledFleet) -> int:
    with fleet.registry.writing() as connection:
        return undo_rule(connection, "runaway", START_AT, "ada", "it was the new firmware", fleet.now).releases


def _timed(function: object) -> float:
    began = time.perf_counter()
    assert callable(function)
    function()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
