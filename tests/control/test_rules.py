"""Rules over a gate's own fold and journal: what they do, what holds them, what people let go and take back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from benchmarks.ruled_fleet import START_AT, RuledFleet

from simward.engine.layouts import CONFINED_BY_RULE, UNLOCKED
from simward.incident_settings import ACT_WITHIN_S
from simward.registry import rules as kept
from simward.registry import tables as t
from simward.registry.work_orders import Item, Order, create
from simward.response.rules.held import approve, reject
from simward.response.rules.undoing import how_undo_stands, undo_incident, undo_rule

USE_CASE = """
use_case: meter
binding: {mode: first-use}
responses: {device-change: notify}
limits: {lock: {per_hour: 3}}
---
"""
LOCKING = """
rule: thief
on: device-change/other-model
if: finding.severity == "high" && use_case.name == "meter" && !subscription.locked
do: [{lock: {}}]
mode: live
approve_above: 4
"""
THIEF = 5_000_000
"""Another model (TAC)."""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Any]:
    opened: list[RuledFleet] = []

    def make(policy: str, members: int = 8, use_case: str = USE_CASE) -> RuledFleet:
        opened.append(RuledFleet(tmp_path, use_case + policy, members))
        opened[-1].follow()
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def stolen(fleet: RuledFleet, members: int) -> None:
    """These wake up in a device of another model."""
    fleet.comes(range(members), device=5_000_000)


def act(fleet: RuledFleet, function: Any, *asked: Any, **more: Any) -> Any:
    with fleet.registry.writing() as connection:
        return function(connection, *asked, **more)


def rules(fleet: RuledFleet) -> Any:
    with fleet.registry.reading() as connection:
        return fleet.automation.in_force(connection)


def results(fleet: RuledFleet) -> list[tuple[str, str | None]]:
    with fleet.registry.reading() as connection:
        a = t.rule_action
        return [tuple(row) for row in connection.execute(sa.select(a.c.state, a.c.result).order_by(a.c.id))]


def test_a_runaway_rule_locks_its_limit_and_undo_brings_all_back(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 8)
    one.settle()
    assert one.locked == 3
    assert one.states == {kept.DONE: 3, kept.HELD: 5}
    (incident,) = one.incidents
    assert (incident.cause, incident.severity) == ("rule/thief/held", "high")

    undone = act(one, undo_rule, "thief", START_AT, "ada", "it was the new firmware", one.now)
    assert (undone.releases, undone.locked_otherwise) == (3, 0)
    one.settle()
    assert one.locked == 0
    with one.registry.reading() as connection:
        stands = how_undo_stands(connection, undone.id)
        assert stands is not None
        assert stands.answers == {"applied": 3}
    assert one.states == {kept.DONE: 3, kept.HELD: 5}


def test_a_rule_quarantines_its_limit_and_undo_lets_all_out(fleet: Any) -> None:
    milder = LOCKING.replace("lock: {}", "quarantine: {}").replace("!subscription.locked", "!subscription.quarantined")
    one = fleet(milder, use_case=USE_CASE.replace("limits: {lock:", "limits: {quarantine:"))
    stolen(one, 5)
    one.settle()
    assert one.states == {kept.DONE: 3, kept.HELD: 2}
    assert set(one.fold.state.subscriptions["locked"].tolist()) == {UNLOCKED, CONFINED_BY_RULE}
    one.comes(range(5), device=2 * THIEF)
    one.settle()
    assert one.states == {kept.DONE: 3, kept.HELD: 4}, "who is in quarantine no longer meets the condition"
    assert act(one, reject, "thief", "ada", "a known exchange", one.now) == 4
    undone = act(one, undo_rule, "thief", START_AT, "ada", "it was the new firmware", one.now)
    assert (undone.releases, undone.locked_otherwise) == (3, 0)
    one.settle()
    assert one.locked == 0


def test_what_is_much_takes_two_people(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 8)
    one.settle()
    first = act(one, approve, rules(one), "thief", "ada", "they are stolen", one.now)
    assert (first.released, first.awaiting) == (0, 5)
    again = act(one, approve, rules(one), "thief", "ada", "they are stolen", one.now)
    assert (again.released, again.awaiting) == (0, 5)
    second = act(one, approve, rules(one), "thief", "grace", "so it is", one.now)
    assert (second.released, second.awaiting) == (5, 0)
    one.settle()
    assert one.locked == 8
    assert one.states == {kept.DONE: 8}
    assert act(one, undo_rule, "thief", START_AT, "ada", "not so", one.now).releases == 8
    one.settle()
    assert one.locked == 0


def test_what_is_little_takes_one(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 7)
    one.settle()
    assert act(one, approve, rules(one), "thief", "ada", "they are stolen", one.now).released == 4
    one.settle()
    assert one.locked == 7


def test_rejected_is_not_done(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 5)
    one.settle()
    assert act(one, reject, "thief", "ada", "a known exchange", one.now) == 2
    one.settle()
    assert one.locked == 3
    assert one.states == {kept.DONE: 3, kept.REFUSED: 2}


def test_a_rule_without_a_mode_says_what_it_would_do(fleet: Any) -> None:
    one = fleet(LOCKING.replace("mode: live\n", ""))
    stolen(one, 2)
    one.settle()
    assert one.locked == 0
    assert results(one) == [(kept.DRY_RUN, "would lock")] * 2


def test_a_paused_rule_does_so_too(fleet: Any) -> None:
    one = fleet(LOCKING)
    act(one, kept.pause_rule, "thief", one.now, "ada", "looking at it")
    stolen(one, 1)
    one.settle()
    assert results(one) == [(kept.DRY_RUN, "the rule is paused")]
    assert act(one, kept.resume_rule, "thief")
    stolen(one, 2)
    one.settle()
    assert one.locked == 1


def test_it_waits_and_is_not_done_where_the_device_comes_back(fleet: Any) -> None:
    one = fleet(LOCKING.replace("{lock: {}}", "{lock: {}, after: 10m, unless: bound-device-returns}"))
    stolen(one, 2)
    one.settle()
    assert one.states == {kept.WAITING: 2}
    one.passes(300)
    one.comes([0])
    one.settle()
    one.passes(301)
    one.settle()
    assert sorted(results(one)) == [(kept.CANCELLED, "the bound device is back"), (kept.DONE, "applied")]
    assert one.locked == 1


def test_a_change_that_is_still_to_come_keeps_it_from_being_done(fleet: Any) -> None:
    one = fleet(LOCKING.replace("{lock: {}}", "{lock: {}, after: 10m, unless: work-order}"))
    stolen(one, 2)
    one.settle()
    with one.registry.writing() as connection:
        iccid = connection.execute(sa.select(t.rule_action.c.iccid).order_by(t.rule_action.c.id)).scalars().first()
        item = Item(iccid, one.now, one.now + 3_600_000_000, "35000001000009")
        create(connection, Order("exchange", "refit", "ada", "a new modem", [item]), one.now)
        connection.execute(sa.delete(t.command).where(t.command.c.do == "plan"))  # the gate is told by others
    one.passes(601)
    one.settle()
    assert sorted(results(one)) == [(kept.CANCELLED, "a work order is open"), (kept.DONE, "applied")]
    assert one.locked == 1


def test_what_is_too_old_is_not_done(fleet: Any) -> None:
    """The control process was away: its locks would be stale."""
    one = fleet(LOCKING.replace("[{lock: {}}]", "[{lock: {}}, {open-incident: {severity: critical}}]"))
    stolen(one, 1)
    one.passes(ACT_WITHIN_S + 1)
    one.settle()
    assert one.locked == 0
    assert one.states == {kept.TOO_OLD: 1, kept.DONE: 1}
    assert [(row.severity, row.imsi) for row in one.incidents] == [("critical", "001010000000001")]


def test_the_binding_that_it_saw_or_none(fleet: Any) -> None:
    one = fleet(LOCKING.replace("{lock: {}}", "{lock: {}, after: 1m}"))
    stolen(one, 1)
    one.settle()
    with one.registry.writing() as connection:
        asked = {"id": "exchange", "do": "release", "iccid": "8900100000000000000" + "1", "actor": "ada",
                 "because": "exchanged", "asked_at": one.now}  # fmt: skip
        iccid = connection.execute(sa.select(t.rule_action.c.iccid)).scalar_one()
        connection.execute(sa.insert(t.command).values({**asked, "iccid": iccid}))
    one.fold.state.subscriptions["generation"][0] += 1  # as a release with rebind would
    one.passes(61)
    one.settle()
    assert results(one) == [(kept.REFUSED, "the gate said stale")]
    assert one.locked == 0


def test_the_rule_has_a_limit_of_its_own(fleet: Any) -> None:
    one = fleet(LOCKING + "limits: {per_hour: 2}\n")
    stolen(one, 4)
    one.settle()
    assert one.locked == 2
    assert one.states == {kept.DONE: 2, kept.HELD: 2}
    one.passes(3601)
    one.comes([5], device=5_000_000)
    one.settle()
    assert one.locked == 3


def test_whoever_it_names_is_told(fleet: Any) -> None:
    one = fleet(
        """
rule: tell
on: [binding.broken, device-change]
do: [{notify: {party: dm}}, {webhook: {endpoint: ops}}]
mode: live
"""
    )
    stolen(one, 1)
    one.settle()
    assert results(one) == [(kept.DONE, "told ops")] * 2
    with one.registry.reading() as connection:
        said = connection.execute(sa.select(t.announcement).where(t.announcement.c.type == "rule.fired")).all()
        assert len(said) == 2
        assert said[0].data["finding"]["detector"] == "device-change"
        assert connection.execute(sa.select(sa.func.count()).select_from(t.delivery)).scalar() == 2


def test_incidents_trigger_and_never_those_of_rules(fleet: Any) -> None:
    one = fleet(
        """
rule: first
on: device-change
do: [{open-incident: {}}]
mode: live
---
rule: second
on: incident.opened
if: incident.severity == "medium"
do: [{open-incident: {}}]
mode: live
"""
    )
    stolen(one, 2)
    one.settle()
    assert sorted(row.cause for row in one.incidents) == ["rule/first/001010000000001", "rule/first/001010000000002"]
    with one.registry.writing() as connection:
        number = connection.execute(
            sa.insert(t.incident).values(
                state="open", severity="medium", grouping="subscription", cause="x", title="x", opened_at=one.now,
                changed_at=one.now,
            )
        ).inserted_primary_key[0]  # fmt: skip
        told = {"id": "incident.opened:9", "type": "incident.opened", "at": one.now, "subject": "incident",
                "incident": number, "data": {"incident": {"grouping": "subscription"}}}  # fmt: skip
        connection.execute(sa.insert(t.announcement).values(told))
    one.settle()
    assert [row.cause for row in one.incidents][3:] == [f"rule/second/incident {number}"]


def test_a_persons_lock_survives_the_undo(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 2)
    one.settle()
    with one.registry.writing() as connection:
        iccid = connection.execute(sa.select(t.rule_action.c.iccid).order_by(t.rule_action.c.imsi)).scalars().first()
        asked = {"id": "mine", "do": "lock", "iccid": iccid, "actor": "ada", "because": "I know whose it is"}
        connection.execute(sa.insert(t.command).values({**asked, "asked_at": one.now}))
    one.settle()
    undone = act(one, undo_rule, "thief", START_AT, "grace", "a mistake", one.now)
    assert (undone.releases, undone.locked_otherwise) == (1, 1)
    one.settle()
    assert one.locked == 1


def test_undo_takes_what_waits_out_of_the_outbox(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 4)
    one.follow()
    undone = act(one, undo_rule, "thief", START_AT, "ada", "stop it", one.now)
    assert (undone.releases, undone.cancelled) == (0, 4)
    one.settle()
    assert one.locked == 0
    assert one.states == {kept.CANCELLED: 4}


def test_an_incident_is_undone_whatever_locked(fleet: Any) -> None:
    one = fleet("")
    one.apply(USE_CASE.replace("device-change: notify", "device-change: lock"))
    stolen(one, 2)
    one.settle()
    with one.registry.writing() as connection:
        number = connection.execute(
            sa.insert(t.incident).values(
                state="open", severity="high", grouping="subscription", cause="x", title="x", opened_at=one.now,
                changed_at=one.now,
            )
        ).inserted_primary_key[0]  # fmt: skip
        connection.execute(sa.update(t.finding).values(incident=number))
    assert one.locked == 2
    assert act(one, undo_incident, number, START_AT, "ada", "a mistake", one.now).releases == 2
    one.settle()
    assert one.locked == 0


def test_killed_anywhere_each_action_is_there_once(fleet: Any) -> None:
    """A fault in the transaction that fires, a new process, and the same rows again."""
    one = fleet(LOCKING)
    stolen(one, 4)
    take, times = one.automation.take, [0]

    def failing(connection: sa.Connection, fact: Any) -> None:
        take(connection, fact)
        times[0] += 1
        if times[0] == 3:
            raise ZeroDivisionError

    one.automation.take = failing
    with pytest.raises(ZeroDivisionError):
        one.follow()
    one.following.close()
    one.begin()
    one.settle()
    assert one.states == {kept.DONE: 3, kept.HELD: 1}
    assert one.locked == 3


def test_what_is_long_over_is_forgotten_and_what_waits_is_not(fleet: Any) -> None:
    one = fleet(LOCKING)
    stolen(one, 5)
    one.settle()
    one.passes(91 * 86_400)
    one.settle()
    assert one.states == {kept.HELD: 2}
