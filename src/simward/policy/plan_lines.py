"""A plan in words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simward.policy.plan import Plan

MARKS = {"added": "+", "changed": "~", "removed": "-"}


def lines_of(one: Plan) -> Iterator[str]:
    """A plan, line by line."""
    if one.empty:
        yield "Nothing would change: what is in force is what the files say."
        yield from _owned(one)
        return
    for change in one.objects:
        members = f" ({subscriptions(change.members)})" if change.members else ""
        yield f"{MARKS[change.change]} {change.kind.replace('_', ' ')} {change.name} {change.change}{members}"
        for key, old, new in change.keys:
            yield f"    {key}: {old} -> {new}"
    for key, old, new in one.settings:
        yield f"~ setting {key}: {old} -> {new}"
    if one.recompiled:
        yield "~ the same policies, compiled for the detectors of this version"
    if one.rewritten:
        yield "~ the same policies, in other documents"
    for mark, what, count in (
        ("+", "added", one.added), ("~", "changed", one.changed), ("-", "removed", one.removed),
    ):  # fmt: skip
        if count.number:
            yield f"{mark} {subscriptions(count.number)} {what}"
            yield from (f"    {example}" for example in count.examples)
            if count.number > len(count.examples):
                yield f"    ... and {count.number - len(count.examples):,} more"
    for name, (before, after) in one.members.items():
        if before != after:
            yield f"  {name or '(no use case)'}: {before:,} -> {after:,} subscriptions"
    yield from _touched(one)
    yield from _owned(one)


def _owned(one: Plan) -> Iterator[str]:
    """What stands otherwise than in the files, and why."""
    for count, what in (
        (one.left_to_api, "owned by the API (deployed), left as deployed though the files say otherwise"),
        (one.taken_back, "owned by the API so far, taken back by the files"),
    ):
        if count.number:
            yield f"= {subscriptions(count.number)} {what}"
            yield from (f"    {example}" for example in count.examples)


def subscriptions(number: int) -> str:
    """So many."""
    return f"{number:,} subscription{'s' * (number != 1)}"


def _touched(one: Plan) -> Iterator[str]:
    for number, what in (
        (one.taken_out.number, "taken out of service (suspended or retired)"),
        (one.locks_lost, "locked or quarantined ones removed, with their locks"),
        (one.bindings_lost, "bound ones removed, with their bindings"),
        (one.bindings_moved, "bindings to be settled anew"),
        (one.readdressed, "with other addresses from changed pools, from their next session on"),
    ):
        if number:
            yield f"! {number:,} {what}"
