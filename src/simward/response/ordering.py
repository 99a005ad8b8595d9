"""Work orders as people ask for them: checked whole, with every problem at once, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.engine.layouts import PLANS_MAX
from simward.engine.phrases import short_when
from simward.errors import ConfigurationError, Problem, RefusedError
from simward.registry import tables as t
from simward.registry import work_orders as kept
from simward.registry.audit import Deed, note

LONGEST_US = 366 * 86_400 * 1_000_000
"""A change that is expected at any time is none that is expected: a year is the longest."""
PROBLEMS_SHOWN = 100


@dataclass(frozen=True)
class Wanted:
    """An item as somebody asked for it; `line` says where it stands in `source`."""

    item: kept.Item
    line: int


def make(connection: sa.Connection, order: kept.Order, at: int) -> int:
    """Write a checked order, its commands and its entry in the audit, in the transaction of `connection`."""
    number = kept.create(connection, order, at)
    after = {"kind": order.kind, "title": order.title, "items": len(order.items), "source": order.source}
    note(connection, Deed(
        at=at, actor=order.by, what="work-order.create", object=f"work order {number}", why=order.because, after=after,
        tenant=order.tenant,
    ))  # fmt: skip
    return number


def cancel(connection: sa.Connection, number: int, by: str, because: str, at: int) -> int:
    """Take an order back; gives how many items were still to come. RefusedError where it is over already."""
    order = kept.find(connection, number)
    if order is None:
        raise NoSuchOrder(f"there is no work order {number}")
    if order.closed_at is not None:
        raise RefusedError(f"work order {number} is {order.state} already")
    count = kept.cancel(connection, number, by, because, at)
    before, after = {"state": order.state}, {"state": "cancelled", "items": count}
    note(connection, Deed(
        at=at, actor=by, what="work-order.cancel", object=f"work order {number}", why=because, tenant=order.tenant,
        before=before, after=after,
    ))  # fmt: skip
    return count


class NoSuchOrder(RefusedError):
    """There is no order with this number."""


def check(connection: sa.Connection, wanted: Sequence[Wanted], source: str, at: int) -> None:
    """Raises ConfigurationError with everything that is wrong, by line, and what would be right."""
    problems = [*_whole(connection, wanted, source, at), *_items(wanted, source, at)]
    if len(wanted) <= kept.ITEMS_MAX:
        problems += _others(connection, wanted, source)
    if problems:
        problems.sort(key=lambda one: one.line)
        more = len(problems) - PROBLEMS_SHOWN
        shown = problems[:PROBLEMS_SHOWN]
        if more > 0:
            shown.append(Problem(source, shown[-1].line, "", f"... and {more:,} problems more"))
        raise ConfigurationError(shown)


def _whole(connection: sa.Connection, wanted: Sequence[Wanted], source: str, at: int) -> Iterator[Problem]:
    if not wanted:
        yield Problem(source, 1, "", "names no subscription", "an order is about at least one")
    elif len(wanted) > kept.ITEMS_MAX:
        yield Problem(source, wanted[-1].line, "", f"{len(wanted):,} items", f"at most {kept.ITEMS_MAX:,} an order")
    elif (waiting := kept.kept_by_gate(connection, at)) + len(wanted) > PLANS_MAX:
        what = f"{waiting:,} changes are planned already, with these there would be more than {PLANS_MAX:,}"
        yield Problem(source, wanted[0].line, "", what, "wait for orders to be done, or cancel some")


def _items(wanted: Sequence[Wanted], source: str, at: int) -> Iterator[Problem]:
    """What an item says by itself, and against the others of this order."""
    iccids: dict[str, int] = {}
    imeis: dict[str, int] = {}
    for one in wanted:
        item, line = one.item, one.line
        if (first := iccids.setdefault(item.iccid, line)) != line:
            yield Problem(source, line, "iccid", f"{item.iccid} stands in line {first} already", "one line a SIM")
        if item.imei is not None and (first := imeis.setdefault(item.imei, line)) != line:
            what = f"device {item.imei} is to get another SIM in line {first} already"
            yield Problem(source, line, "imei", what, "one SIM a device")
        if item.ends_at <= item.begins_at:
            what = f"{short_when(item.ends_at)} is not after {short_when(item.begins_at)}"
            yield Problem(source, line, "until", what, "until comes after from")
        elif item.ends_at <= at:
            yield Problem(source, line, "until", f"{short_when(item.ends_at)} is over", "a time to come")
        elif item.ends_at - item.begins_at > LONGEST_US:
            yield Problem(source, line, "until", "more than a year after from", "the days on which it is expected")


def _others(connection: sa.Connection, wanted: Sequence[Wanted], source: str) -> Iterator[Problem]:
    """Other orders that are open about the same subscriptions or devices at the same time."""
    c = t.work_item.c
    lines = {one.item.iccid: one for one in wanted}
    devices = {one.item.imei: one for one in wanted if one.item.imei}
    for column, asked in ((c.iccid, lines), (c.imei, devices)):
        for names in _some(list(asked)):
            found = sa.select(t.work_item).where(c.state.in_(kept.TO_COME), column.in_(names))
            for row in connection.execute(found):
                one = asked[row.iccid if column is c.iccid else row.imei]
                apart = row.ends_at < one.item.begins_at or one.item.ends_at < row.begins_at
                if apart or (column is c.imei and row.iccid == one.item.iccid):
                    continue
                about = f"SIM {row.iccid}" if column is c.iccid else f"device {row.imei} (with SIM {row.iccid})"
                what = f"work order {row.work_order} plans a change of {about} at that time already"
                yield Problem(source, one.line, str(column.name), what, f"cancel work order {row.work_order} first")


def _some(names: list[Any], at_once: int = 500) -> Iterator[list[Any]]:
    return (names[at : at + at_once] for at in range(0, len(names), at_once))


def devices_of(connection: sa.Connection, iccids: Sequence[str]) -> dict[str, str]:
    """Which device each subscription is bound to now, as far as anything was recorded of it."""
    found: dict[str, str] = {}
    for names in _some(list(iccids)):
        asked = sa.select(t.subscription.c.iccid, t.subscription.c.imei).where(t.subscription.c.iccid.in_(names))
        found.update({str(one.iccid): str(one.imei) for one in connection.execute(asked) if one.imei})
    return found
