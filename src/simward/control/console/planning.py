"""A plan in words: what would change, for whom, and what has to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simward.control.console.questions import Field
from simward.control.console.words import count

KEYS_SHOWN = 12
COUNTED = {
    "locks_lost": ("lock", "is lost", "are lost"), "bindings_lost": ("binding", "is lost", "are lost"),
    "bindings_moved": ("binding", "is learned anew", "are learned anew"),
    "readdressed": ("subscription", "gets another address", "get other addresses"),
}  # fmt: skip


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """Each thing that would change, a line."""
    if plan["empty"]:
        return ["Nothing changes: this is in force already."]
    said = [_of_object(one) for one in plan["objects"]]
    said += [f"Setting {_of_key(one)}." for one in plan["settings"]]
    for name, some in plan["subscriptions"].items():
        if some["number"]:
            said.append(f"{count(some['number'], 'subscription')} {name.replace('_', ' ')}.")
    for name, (one, is_, are) in COUNTED.items():
        if plan[name]:
            said.append(f"{count(plan[name], one)} {is_ if plan[name] == 1 else are}.")
    said += [f"Rule {name} acts from now on." for name in plan["rules_going_live"]]
    return said or ["The same policy, written or compiled otherwise: nobody is concerned."]


def _of_object(one: Mapping[str, Any]) -> str:
    keys = ", ".join(_of_key(key) for key in one["keys"][:KEYS_SHOWN])
    more = f" and {len(one['keys']) - KEYS_SHOWN} more" if len(one["keys"]) > KEYS_SHOWN else ""
    members = f", {count(one['members'], 'subscription')} of today" if one["members"] else ""
    what = f"{one['kind'].replace('_', ' ')} {one['name']} {one['change']}{members}"
    return f"{what[0].upper()}{what[1:]}" + (f": {keys}{more}." if keys and one["change"] == "changed" else ".")


def _of_key(key: Mapping[str, Any]) -> str:
    return f"{key['key']}: {key['was'] or 'unset'} → {key['now'] or 'unset'}"


def asks_first(plan: Mapping[str, Any]) -> Sequence[Field]:
    """What has to be ticked where the plan does what nobody means by accident."""
    if not plan["needs_confirmation"]:
        return ()
    return (Field("confirm", f"I mean it: {'; '.join(plan['needs_confirmation'])}", "check", required=True),)
