"""`usage`: which services each use case needs, by who uses them; and what one subscription has used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simward.commands.folder import Folder
from simward.commands.printing import json_line, table
from simward.errors import UsageError

if TYPE_CHECKING:
    from simward.engine.fold import Fold
    from simward.engine.watching.state import WatchState


@click.command()
@click.argument("subscription", required=False)
@click.option("--unused-for", "days", type=click.IntRange(1, 3650), default=90, show_default=True, metavar="DAYS",
              help="A service that nobody used for so long is not needed.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a service, or one of the subscription.")
@click.pass_obj
def usage(folder: Folder, subscription: str | None, days: int, as_json: bool) -> None:
    """Say which services nobody uses, and what one subscription has used.

    What nobody uses can be taken off the SIMs of a use case. Of each use case and service (data, voice, sms): what its
    policy says, how many members have ever used it and how many lately, and, where none or few have, what taking it off
    would rule out. Calls and messages are known from imported call detail records alone.

    With SUBSCRIPTION (IMSI, ICCID or MSISDN) what that one has used today and this month: octets, messages, seconds of
    calls by class of destination, and each visited network; and what its baseline has learnt is usual of it, from how
    many days (new, warming, ready, rolled-up, drifting: docs/explanation/behaviour.md).

    Read from the newest snapshot of the watch (`status` says when it was made).
    """
    gate, state = _restored(folder)
    if subscription is not None:
        _of_one(gate, state, subscription, as_json)
        return
    from simward.engine.watching.service_use import of_use_cases
    from simward.observing.services import DAY_S

    found = list(of_use_cases(gate, state, days * DAY_S))
    if as_json:
        for one in found:
            json_line(one.as_json())
        return
    rows = [
        (one.use_case, one.service, one.said, one.members, one.ever, one.lately, _day(one.last_used_s), one.verdict,
         one.risk)
        for one in found
    ]  # fmt: skip
    table(("use case", "service", "policy", "members", "ever", f"{days} days", "last", "verdict", "risk"), rows)


def _of_one(gate: Fold, state: WatchState, subscription: str, as_json: bool) -> None:
    from simward.engine.story import Subject
    from simward.engine.watching.baselines import baseline_of
    from simward.engine.watching.service_use import of_subscription

    subject, count = Subject.parse(subscription), int(gate.state.meta["subscriptions"][0])
    rows = [
        row for row, one in enumerate(gate.state.subscriptions[:count])
        if one["imsi"] and (
            int(one["imsi"]) in subject.imsis or int(one["iccid"]) == subject.iccid
            or int(one["msisdn"]) in subject.msisdns
        )
    ]  # fmt: skip
    if not rows:
        raise UsageError(f"no subscription in the inventory is {subscription}")
    said = {**of_subscription(state, rows[0]), "behaviour": baseline_of(state, rows[0])}
    if as_json:
        json_line(said)
        return
    facts: list[tuple[str, Any, Any]] = [
        (name.replace("_", " "), said["day"][name], said["month"][name])
        for name in ("uplink_octets", "downlink_octets", "sessions", "messages")
    ]
    for name in said["month"]["voice_s"]:
        facts.append((f"calls, {name} (s)", said["day"]["voice_s"][name], said["month"]["voice_s"][name]))
    for network, month in said["month"]["networks"].items():
        day = said["day"]["networks"].get(network, {})
        facts += [(f"{network or 'no network'}: {name}", day.get(name, 0), month[name]) for name in month]
    table(("", "today", "this month"), facts)
    _say_baseline(said["behaviour"])


def _say_baseline(one: dict[str, Any]) -> None:
    """How well it is known, and what is usual of it."""
    from simward.engine.weighing import LABELS, range_text

    days = "1 day" if one["learnt_days"] == 1 else f"{one['learnt_days']} days"
    click.echo(f"\nBehaviour: {one['state']}, {days} learnt, traffic in {one['hours_of_week']} of the week's 168 hours")
    if one["unusual_since"]:
        click.echo(f"Unusual since {one['unusual_since']}, by {one['evidence_bits']:g} bits of evidence")
    if one["benign_until"]:
        click.echo(f"Found to be benign: more is allowed until {one['benign_until']}")
    if one["usual"]:
        facts = [(LABELS[name], range_text(name, ends)) for name, ends in one["usual"].items()]
        table(("usually, on a day", ""), facts)


def _restored(folder: Folder) -> tuple[Fold, WatchState]:
    """Both states as the newest snapshot has them."""
    from simward.engine.snapshot import newest_snapshot
    from simward.engine.start import from_snapshot, room_to_grow, snapshots_folder
    from simward.engine.watching.behind import watch_state_of

    folder.must_be_one()
    snapshot = newest_snapshot(snapshots_folder(folder.data), room=room_to_grow)
    state = watch_state_of(snapshot) if snapshot is not None else None
    if snapshot is None or state is None:
        raise UsageError("there is no snapshot of the watch yet: it makes one within five minutes")
    gate = from_snapshot(snapshot)
    state.take_policy(gate.state.policy)
    return gate, state


def _day(at_s: int) -> str:
    from simward.engine.phrases import when

    return when(at_s * 1_000_000)[:10] if at_s else "never"
