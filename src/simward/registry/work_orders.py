"""Work orders as they are kept: what is meant to change, how far it has come, and the commands that tell the gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from simward.engine.phrases import when
from simward.registry import tables as t
from simward.registry.tables import DEFAULT_TENANT

STATES = ("open", "done", "overdue", "refused", "cancelled")
ITEM_STATES = (
    "asked", "planned", "wrong", "done", "unchanged", "expired", "refused", "removed", "cancelled",
)  # fmt: skip
"""asked: the gate has not answered yet; planned: it knows; wrong: something else came, the planned one may still come;
unchanged: a refit that this one had no part in; removed: from the inventory."""
TO_COME = ("asked", "planned", "wrong")
OF_SEVERAL = ""
"""The tenant of an order about subscriptions of several: nobody who is bound to one sees it."""
ITEMS_MAX = 10_000
"""Of one order."""
COMMAND = "work-{order}-{position}"
WITHDRAWN = "withdrawn"
"""The result of a command that was cancelled before the gate answered it."""


@dataclass(frozen=True)
class Item:
    """One subscription of an order that is to be made. Times are us UTC; `imei` None = any device."""

    iccid: str
    begins_at: int
    ends_at: int
    imei: str | None = None
    device: bool = True
    place: bool = False


@dataclass(frozen=True)
class Order:
    """An order that is to be made."""

    kind: str
    title: str
    by: str
    because: str
    items: Sequence[Item]
    source: str = ""
    tenant: str = DEFAULT_TENANT


def create(connection: sa.Connection, order: Order, at: int) -> int:
    """Write an order with its items, and a command to the gate each; gives its number."""
    begins, ends = min(one.begins_at for one in order.items), max(one.ends_at for one in order.items)
    made = connection.execute(
        sa.insert(t.work_order).values(
            kind=order.kind, title=order.title, created_at=at, created_by=order.by, because=order.because,
            begins_at=begins, ends_at=ends, source=order.source, items=len(order.items), tenant=order.tenant,
        )
    )  # fmt: skip
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    items, commands = [], []
    for position, one in enumerate(order.items, start=1):
        items.append({
            "work_order": number, "position": position, "iccid": one.iccid, "imei": one.imei, "device": one.device,
            "place": one.place, "begins_at": one.begins_at, "ends_at": one.ends_at, "changed_at": at,
        })  # fmt: skip
        arguments = {
            "order": number, "device": one.device, "place": one.place, "begins_at": one.begins_at,
            "ends_at": one.ends_at, **({"imei": one.imei} if one.imei else {}),
        }  # fmt: skip
        name = COMMAND.format(order=number, position=position)
        commands.append(_command(name, "plan", one.iccid, order.by, order.because, number, arguments, at))
    connection.execute(sa.insert(t.work_item), items)
    connection.execute(sa.insert(t.command), commands)
    return number


def is_open(connection: sa.Connection, imsi: str) -> bool:
    """Is a change of this subscription still to come by some order?"""
    iccid = sa.select(t.subscription.c.iccid).where(t.subscription.c.imsi == imsi).scalar_subquery()
    asked = sa.select(t.work_item.c.position).where(
        t.work_item.c.iccid == iccid, t.work_item.c.state.in_(TO_COME)
    )
    return connection.execute(asked.limit(1)).first() is not None


def cancel(connection: sa.Connection, number: int, by: str, because: str, at: int) -> int:
    """Take back what of an order is still to come; gives how many items that are."""
    mine = (t.work_item.c.work_order == number) & t.work_item.c.state.in_(TO_COME)
    items = connection.execute(sa.select(t.work_item).where(mine).order_by(t.work_item.c.position)).all()
    names = [COMMAND.format(order=number, position=one.position) for one in items]
    for some in _some(names):  # one whose answer was lost must not be sent again after its withdrawal
        open_ones = sa.update(t.command).where(t.command.c.id.in_(some), t.command.c.result.is_(None))
        connection.execute(open_ones.values(result=WITHDRAWN, answered_at=at))
    commands = [
        _command(f"{name}-cancel", "unplan", one.iccid, by, because, number, {"order": number}, at)
        for name, one in zip(names, items, strict=True)
    ]
    if commands:
        connection.execute(sa.insert(t.command), commands)
    connection.execute(sa.update(t.work_item).where(mine).values(state="cancelled", changed_at=at))
    closed = sa.update(t.work_order).where(t.work_order.c.number == number)
    connection.execute(closed.values(state="cancelled", closed_at=at))
    return len(items)


def _command(
    name: str, do: str, iccid: str, by: str, because: str, order: int, arguments: dict[str, Any], at: int
) -> dict[str, Any]:
    return {
        "id": name, "do": do, "iccid": iccid, "actor": by, "because": because, "cause": f"work order {order}",
        "asked_at": at, "arguments": arguments,
    }  # fmt: skip


def _some(names: Sequence[str], at_once: int = 500) -> Iterable[Sequence[str]]:
    return (names[at : at + at_once] for at in range(0, len(names), at_once))


def find(connection: sa.Connection, number: int) -> Any | None:
    """An order, or None."""
    return connection.execute(sa.select(t.work_order).where(t.work_order.c.number == number)).one_or_none()


def listed(
    connection: sa.Connection, states: Sequence[str], limit: int = 100, *, tenant: str | None = None,
    before: int | None = None,
) -> list[Any]:  # fmt: skip
    """Orders in these states, the newest first, below the number `before`; with `tenant`, its own alone."""
    c = t.work_order.c
    found = sa.select(t.work_order).where(c.state.in_(states))
    found = found if tenant is None else found.where(c.tenant == tenant)
    found = found if before is None else found.where(c.number < before)
    return list(connection.execute(found.order_by(c.number.desc()).limit(limit)).all())


def items_of(connection: sa.Connection, number: int) -> list[Any]:
    """The items of an order, in its order."""
    found = sa.select(t.work_item).where(t.work_item.c.work_order == number)
    return list(connection.execute(found.order_by(t.work_item.c.position)).all())


def counts_of(connection: sa.Connection, number: int) -> dict[str, int]:
    """How many items of an order are in each state."""
    found = sa.select(t.work_item.c.state, sa.func.count()).where(t.work_item.c.work_order == number)
    counts = {str(state): int(count) for state, count in connection.execute(found.group_by(t.work_item.c.state))}
    return {state: counts[state] for state in ITEM_STATES if state in counts}


def kept_by_gate(connection: sa.Connection, at: int) -> int:
    """How many items of all orders the gate has a row for: one that is done keeps it until its time is over."""
    c = t.work_item.c
    found = sa.select(sa.func.count()).select_from(t.work_item).where(c.state.in_((*TO_COME, "done")), c.ends_at > at)
    return int(connection.execute(found).scalar_one())


def change(connection: sa.Connection, item: Any, at: int, **values: Any) -> None:
    """Change an item."""
    mine = (t.work_item.c.work_order == item.work_order) & (t.work_item.c.position == item.position)
    connection.execute(sa.update(t.work_item).where(mine).values(changed_at=at, **values))


def settle(connection: sa.Connection, number: int, at: int) -> str | None:
    """Close an order whose items are all settled; gives its new state, None where that did not change.

    Overdue is told as soon as the time of one item is over; what is still to come may come all the same.
    """
    order = find(connection, number)
    if order is None or order.state not in ("open", "overdue"):
        return None
    counts = counts_of(connection, number)
    state = order.state
    waiting = sum(counts.get(one, 0) for one in TO_COME)
    if counts.get("expired"):
        state = "overdue"
    elif not waiting:
        state = "refused" if counts.get("refused") else "done"
    if state == order.state and (waiting or order.closed_at is not None):
        return None
    values = {"state": state, "closed_at": None if waiting else at}
    connection.execute(sa.update(t.work_order).where(t.work_order.c.number == number).values(values))
    return str(state) if state != order.state else None


def item_of(connection: sa.Connection, number: int, iccid: str, at: int) -> Any | None:
    """The item of an order for a subscription; None where there is none that was made before `at`.

    A registry that was made anew counts from 1 again: what the journal says of orders before it is not about these.
    """
    joined = t.work_item.join(t.work_order, t.work_order.c.number == t.work_item.c.work_order)
    found = sa.select(t.work_item).select_from(joined).where(
        t.work_item.c.work_order == number, t.work_item.c.iccid == iccid, t.work_order.c.created_at <= at,
    )  # fmt: skip
    return connection.execute(found.order_by(t.work_item.c.position).limit(1)).one_or_none()


def _waiting(column: sa.Column[Any]) -> sa.Select[Any]:
    c = t.work_item.c
    now = (c.begins_at <= sa.bindparam("at")) & (c.ends_at >= sa.bindparam("at"))
    found = sa.select(t.work_item).where(c.state.in_(TO_COME), c.device, now, column == sa.bindparam("name"))
    return found.order_by(c.work_order, c.position).limit(16)


# Asked for every new binding, and every finding of another device: making a statement takes longer than running it.
_WAITING_IN = _waiting(t.work_item.c.iccid)
_WAITING_FOR = _waiting(t.work_item.c.imei)


def waiting_in(connection: sa.Connection, at: int, iccid: str) -> list[Any]:
    """Items whose time it is, that wait for a device in a subscription."""
    return list(connection.execute(_WAITING_IN, {"at": at, "name": iccid}).all())


def waiting_for(connection: sa.Connection, at: int, imei: str) -> list[Any]:
    """Items whose time it is, that wait for this device."""
    return list(connection.execute(_WAITING_FOR, {"at": at, "name": imei}).all())


_REMARKS = sa.select(t.work_item.c.finding, t.work_item.c.note).where(
    t.work_item.c.finding.in_(sa.bindparam("findings", expanding=True))
)


def remarks(connection: sa.Connection, findings: Sequence[str]) -> dict[str, str]:
    """What work orders say to findings, by their id."""
    said: dict[str, str] = {}
    for some in _some(list(findings)):
        found = connection.execute(_REMARKS, {"findings": list(some)})
        said.update({str(one.finding): str(one.note) for one in found})
    return said


def about(connection: sa.Connection, iccid: str, limit: int = 20) -> list[Any]:
    """The items of a subscription, the newest first, each with its order's title."""
    joined = t.work_item.join(t.work_order, t.work_order.c.number == t.work_item.c.work_order)
    found = sa.select(t.work_item, t.work_order.c.title).select_from(joined).where(t.work_item.c.iccid == iccid)
    return list(connection.execute(found.order_by(t.work_item.c.work_order.desc()).limit(limit)).all())


def told(connection: sa.Connection, order: Any) -> dict[str, Any]:
    """An order as JSON."""
    return {
        "number": order.number, "tenant": order.tenant, "kind": order.kind, "title": order.title, "state": order.state,
        "created_at": when(order.created_at), "created_by": order.created_by, "because": order.because,
        "from": when(order.begins_at), "until": when(order.ends_at), "source": order.source or None,
        "closed_at": when(order.closed_at) if order.closed_at else None, "items": order.items,
        "counts": counts_of(connection, order.number),
    }  # fmt: skip


def item_told(item: Any) -> dict[str, Any]:
    """An item as JSON."""
    return {
        "iccid": item.iccid, "imei": item.imei, "device": bool(item.device), "place": bool(item.place),
        "from": when(item.begins_at), "until": when(item.ends_at), "state": item.state,
        "changed_at": when(item.changed_at), "was": item.was, "now": item.now, "finding": item.finding,
        "note": item.note or None,
    }  # fmt: skip
