"""What a plan, and what is wrong with documents, are as JSON: the same for the command line and the API."""

from __future__ import annotations

from typing import Any

from simward.errors import Problem
from simward.policy.plan import Plan


def plan_told(made: Plan) -> dict[str, Any]:
    """A plan."""
    counts = {name: getattr(made, name) for name in ("added", "changed", "removed", "taken_out")}
    owned = {name: getattr(made, name) for name in ("left_to_api", "taken_back")}
    return {
        "empty": made.empty,
        "objects": [
            {"kind": one.kind, "name": one.name, "change": one.change, "members": one.members,
             "keys": [{"key": key, "was": old, "now": new} for key, old, new in one.keys]}
            for one in made.objects
        ],
        "settings": [{"key": key, "was": old, "now": new} for key, old, new in made.settings],
        "recompiled": made.recompiled,
        "rewritten": made.rewritten,
        "subscriptions": {name: {"number": one.number, "examples": list(one.examples)} for name, one in counts.items()},
        "owned_by_api": {name: {"number": one.number, "examples": list(one.examples)} for name, one in owned.items()},
        "locks_lost": made.locks_lost,
        "bindings_lost": made.bindings_lost,
        "bindings_moved": made.bindings_moved,
        "readdressed": made.readdressed,
        "members": {name: {"was": was, "now": now} for name, (was, now) in made.members.items()},
        "fleet": made.fleet,
        "rules_going_live": list(made.going_live),
        "needs_confirmation": list(made.needs_confirmation),
    }  # fmt: skip


def problem_told(problem: Problem) -> dict[str, Any]:
    """One thing that is wrong, or doubtful: where it stands, and what would be right."""
    return {
        "file": problem.file, "line": problem.line, "key": problem.where, "detail": problem.what,
        "instead": problem.instead,
    }  # fmt: skip
