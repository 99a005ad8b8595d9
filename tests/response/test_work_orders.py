"""Work orders from the order to its end: made, sent, carried out in the fold, recorded, and held against the order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from detectors.story import METER, OTHER_METER, PHONE, POLICY, START_AT, Story
from simward.engine import events as e
from simward.engine.journal import POLICY as POLICY_ROW
from simward.engine.journal import Row, events_row
from simward.errors import ConfigurationError, RefusedError
from simward.gate.planning import planned_of
from simward.identity import Iccid, iccid_text, imei_text
from simward.incident_settings import IncidentSettings
from simward.registry import audit
from simward.registry import tables as t
from simward.registry import work_orders as kept
from simward.registry.database import Registry
from simward.response import ordering
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.incidents import Incidents
from simward.response.mirroring import Mirroring
from simward.response.ordering import Wanted
from simward.response.reading import Reading
from simward.response.work_orders import WorkOrders

HOUR = 3_600_000_000
SPARE = 35111111000001
LOCKING = POLICY.replace("binding:", "responses: {device-change: lock}\nrelease_when: bound-device-returns\nbinding:")


class Followed(Story):
    """A fleet whose every event is recorded, read again, and taken by the mirrors and the work orders."""

    def __init__(self, registry: Registry, policy: str = LOCKING) -> None:
        self.registry = registry
        self.notes: dict[str, Any] | None = None
        super().__init__(policy)
        self._reading = Reading(_lexicon(), {})
        blob = self.fold.state.policy.to_bytes()
        list(self._reading.take(Row(1, 1, POLICY_ROW, self.now, self.fold.kernel, blob, b"")))
        announcing = Announcing((), lambda: self.now)
        incidents = Incidents(announcing, IncidentSettings(), lambda: self.now)
        self._takers = (Auditing(), Mirroring(), WorkOrders(announcing), incidents, announcing)

    def fold_in(self, event: np.ndarray) -> Followed:
        first = self.fold.sequence + 1
        folded = self.fold.events(event)
        outputs = folded.outputs.view(np.ndarray).copy()
        self.outputs += list(outputs)
        self.last, self.kept = folded.results.view(np.ndarray).copy()[0], bool(folded.kept[0])
        if self.kept:
            notes = {"commands": {str(first): self.notes}} if self.notes else None
            texts = self.fold.state.texts.take_new()
            row = events_row(first, self.now, self.fold.kernel, event, outputs, texts, notes)
            with self.registry.writing() as connection:
                for fact in self._reading.take(row):
                    for taker in self._takers:
                        taker.take(connection, fact)
        return self

    def orders(self, *wanted: Wanted, kind: str = "plan") -> int:
        """Make an order, and have the gate told of it."""
        order = kept.Order(kind, "a title", "ada", "the old ones are worn out", [one.item for one in wanted])
        with self.registry.writing() as connection:
            ordering.check(connection, wanted, "swap.csv", self.now)
            number = ordering.make(connection, order, self.now)
        self.sends()
        return number

    def cancels(self, number: int) -> int:
        with self.registry.writing() as connection:
            count = ordering.cancel(connection, number, "ada", "another day", self.now)
        self.sends()
        return count

    def sends(self) -> None:
        """What the outbox does: each command to the gate, and its answer."""
        with self.registry.reading() as connection:
            asked = sa.select(t.command).where(t.command.c.result.is_(None)).order_by(t.command.c.id)
            rows = connection.execute(asked).all()
        for row in rows:
            planned = planned_of(row.arguments, row.do)
            assert planned is not None
            filled = e.empty(1)[0]
            planned.write(filled)
            fields = {name: filled[name] for name in ("imei", "flags", "prefix_high", "prefix_low", "delegated_high")}
            self.notes = {"do": row.do, "actor": row.actor, "because": row.because, "id": row.id,
                          "order": str(planned.order)}  # fmt: skip
            member = Iccid.parse(row.iccid).number - Iccid.parse(iccid(0)).number
            self.says(e.COMMAND_PLAN if row.do == "plan" else e.COMMAND_UNPLAN, member=member, **fields)
            self.notes = None
            with self.registry.writing() as connection:
                done = sa.update(t.command).where(t.command.c.id == row.id)
                connection.execute(done.values(result="applied", attempts=1))

    def state(self, number: int) -> str:
        with self.registry.reading() as connection:
            found = kept.find(connection, number)
            assert found is not None
            return str(found.state)

    def items(self, number: int) -> list[Any]:
        with self.registry.reading() as connection:
            return kept.items_of(connection, number)

    def said(self) -> list[str]:
        """What was announced of work orders."""
        with self.registry.reading() as connection:
            types = connection.execute(sa.select(t.announcement.c.type).order_by(t.announcement.c.number)).scalars()
            return [one for one in types if one.startswith("work_order")]


def _lexicon() -> Any:
    from simward.engine.compose import manifest
    from simward.engine.words import Lexicon

    return Lexicon(lambda kernel: manifest())


def iccid(member: int) -> str:
    return iccid_text(1_00_1000000000000001 + member)


def to(device: int | None, member: int = 0, *, hours: float = 24, place: bool = False, line: int = 0) -> Wanted:
    """An item from the beginning of the story on."""
    imei = imei_text(device) if device else None
    until = START_AT + int(hours * HOUR)
    return Wanted(kept.Item(iccid(member), START_AT, until, imei, place=place), line or member + 1)


@pytest.fixture
def fleet(registry: Registry) -> Followed:
    return Followed(registry)


def test_an_order_is_done_when_the_planned_device_comes(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    number = fleet.orders(to(SPARE))
    assert (fleet.state(number), fleet.items(number)[0].state) == ("open", "planned")
    fleet.attaches(device=SPARE)
    (item,) = fleet.items(number)
    assert (fleet.state(number), item.state, item.was, item.now) == (
        "done", "done", imei_text(METER), imei_text(SPARE),
    )  # fmt: skip
    assert fleet.said() == ["work_order.done"]
    assert fleet.findings == []


def test_a_swap_closes_with_its_last_item(fleet: Followed) -> None:
    fleet.attaches(device=METER).attaches(device=OTHER_METER, member=1)
    number = fleet.orders(to(SPARE), to(SPARE + 1, 1), kind="swap")
    fleet.attaches(device=SPARE)
    assert fleet.state(number) == "open"
    fleet.attaches(device=SPARE + 1, member=1)
    assert fleet.state(number) == "done"


def test_the_wrong_device_is_told_with_the_order(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    number = fleet.orders(to(SPARE))
    fleet.attaches(device=PHONE)
    (item,) = fleet.items(number)
    assert item.state == "wrong"
    assert item.note == (
        f"Work order {number} expects device {imei_text(SPARE)} here; {imei_text(PHONE)} came instead."
    )
    with fleet.registry.reading() as connection:
        assert kept.remarks(connection, [item.finding]) == {item.finding: item.note}
        assert connection.execute(sa.select(t.finding.c.detector).where(t.finding.c.id == item.finding)).scalar()
    fleet.attaches(device=SPARE)
    assert (fleet.state(number), fleet.items(number)[0].finding) == ("done", None)


@pytest.mark.parametrize("bound_before", [True, False])
def test_the_wrong_sim_in_the_right_box_is_told_as_that(fleet: Followed, bound_before: bool) -> None:
    """With a finding where that SIM belongs elsewhere; and also where it was new, and bound itself to the box."""
    fleet.attaches(device=METER)
    if bound_before:
        fleet.attaches(device=OTHER_METER, member=1)
    number = fleet.orders(to(SPARE))
    fleet.attaches(device=SPARE, member=1)
    (item,) = fleet.items(number)
    assert (item.state, item.finding is not None) == ("wrong", bound_before)
    assert item.note == (
        f"The wrong SIM is in the right box: work order {number} expects device {imei_text(SPARE)} "
        f"with SIM {iccid(0)}, and it came with {iccid(1)}."
    )
    with fleet.registry.reading() as connection:
        titles = connection.execute(sa.select(t.incident.c.title)).scalars().all()
    assert titles == ([item.note] if bound_before else [])


def test_what_nobody_carried_out_is_overdue(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    number = fleet.orders(to(SPARE, hours=2), to(SPARE + 1, 1, hours=50))
    fleet.after(hours=3)
    assert [one.state for one in fleet.items(number)] == ["expired", "planned"]
    assert fleet.state(number) == "overdue"
    fleet.attaches(device=SPARE + 1, member=1)
    assert fleet.state(number) == "overdue"
    with fleet.registry.reading() as connection:
        order = kept.find(connection, number)
        assert order is not None and order.closed_at is not None
    assert fleet.said() == ["work_order.overdue"]


def test_a_refit_is_done_with_those_that_had_no_part_in_it(fleet: Followed) -> None:
    fleet.attaches(device=METER).attaches(device=OTHER_METER, member=1)
    number = fleet.orders(to(None, place=True, hours=2), to(None, 1, place=True, hours=2), kind="refit")
    fleet.attaches(device=SPARE).attaches(device=OTHER_METER, member=1)
    assert fleet.state(number) == "open"
    fleet.after(hours=3)
    assert [one.state for one in fleet.items(number)] == ["done", "unchanged"]
    assert fleet.state(number) == "done"


def test_one_that_is_cancelled_expects_nothing_any_more(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    number = fleet.orders(to(SPARE))
    assert fleet.cancels(number) == 1
    fleet.attaches(device=SPARE)
    assert fleet.findings == ["device-change/other-model"]
    assert (fleet.state(number), fleet.items(number)[0].state) == ("cancelled", "cancelled")
    with pytest.raises(RefusedError, match="cancelled already"):
        fleet.cancels(number)
    with pytest.raises(ordering.NoSuchOrder, match="no work order 99"):
        fleet.cancels(99)


def test_a_command_whose_answer_was_lost_is_not_sent_again_after_its_withdrawal(fleet: Followed) -> None:
    number = fleet.orders(to(SPARE))
    with fleet.registry.writing() as connection:
        connection.execute(sa.update(t.command).values(result=None, attempts=1, next_at=fleet.now + HOUR))
    fleet.cancels(number)
    with fleet.registry.reading() as connection:
        found = connection.execute(sa.select(t.command.c.do, t.command.c.result).order_by(t.command.c.id)).all()
    assert [tuple(one) for one in found] == [("plan", kept.WITHDRAWN), ("unplan", "applied")]


def test_a_sim_that_the_gate_does_not_know_is_refused_in_words(fleet: Followed) -> None:
    number = fleet.orders(to(SPARE, 77))
    (item,) = fleet.items(number)
    assert (item.state, fleet.state(number)) == ("refused", "refused")
    assert "no subscription with this ICCID" in item.note


def test_what_the_journal_says_of_orders_before_a_new_registry_is_not_about_these(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    number = fleet.orders(to(SPARE))
    with fleet.registry.writing() as connection:
        connection.execute(sa.update(t.work_order).values(created_at=START_AT + 90 * 24 * HOUR))
    fleet.attaches(device=SPARE)
    assert fleet.state(number) == "open"


def test_making_carrying_out_and_cancelling_are_audited(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    fleet.orders(to(SPARE))
    fleet.attaches(device=SPARE)
    fleet.cancels(fleet.orders(to(METER)))
    with fleet.registry.reading() as connection:
        found = [(one.what, one.object) for one in audit.entries(connection)]
        assert audit.walk(connection).wrong == 0
    named = [one for one in found if one[0].startswith(("work-order", "command.plan", "bind"))]
    assert named == [
        ("bind", ""), ("work-order.create", "work order 1"), ("command.plan", ""),
        ("work-order.planned", "work order 1"), ("bind", ""), ("work-order.create", "work order 2"),
        ("command.plan", ""), ("work-order.cancel", "work order 2"), ("work-order.cancelled", "work order 2"),
    ]  # fmt: skip


def problems(fleet: Followed, *wanted: Wanted) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        fleet.orders(*wanted)
    return [f"{one.line} {one.where}: {one.what}" for one in caught.value.problems]


def test_everything_that_is_wrong_is_said_at_once(fleet: Followed) -> None:
    fleet.now = START_AT + 3 * HOUR
    said = problems(
        fleet, to(SPARE, line=2), to(SPARE, 1, line=3), to(SPARE + 1, line=4), to(PHONE, 2, hours=2, line=5),
        to(METER, 3, hours=-1, line=6), to(None, 4, hours=24 * 400, line=7),
    )  # fmt: skip
    assert [one.partition(":")[0] for one in said] == ["3 imei", "4 iccid", "5 until", "6 until", "7 until"]
    assert said[0] == f"3 imei: device {imei_text(SPARE)} is to get another SIM in line 2 already"
    with fleet.registry.reading() as connection:
        assert kept.listed(connection, kept.STATES) == []


def test_a_second_order_about_the_same_sim_or_device_says_which_is_first(fleet: Followed) -> None:
    number = fleet.orders(to(SPARE))
    assert problems(fleet, to(PHONE, line=2), to(SPARE, 1, line=3)) == [
        f"2 iccid: work order {number} plans a change of SIM {iccid(0)} at that time already",
        f"3 imei: work order {number} plans a change of device {imei_text(SPARE)} (with SIM {iccid(0)}) at that time "
        "already",
    ]


def test_boundary_an_order_that_is_over_is_in_nobodys_way(fleet: Followed) -> None:
    fleet.attaches(device=METER)
    fleet.orders(to(SPARE))
    fleet.attaches(device=SPARE)
    assert fleet.state(fleet.orders(to(METER))) == "open"


def test_boundary_more_than_the_gate_keeps(fleet: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "PLANS_MAX", 2)
    fleet.orders(to(SPARE), to(SPARE + 1, 1))
    assert "there would be more than 2" in problems(fleet, to(METER, 2))[0]
