"""What the gate recorded, held against work orders: items are done, late or wrong, and an order closes by itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.registry import work_orders as kept
from simward.response import facts as f
from simward.response.announcing import Announcement, Announcing

ANOTHER_DEVICE = ("same-model", "other-model", "not-in-pool")
"""Classes of device-change that say: this is not the device that it should be."""
NOTE_CHARACTERS_MAX = 300


class WorkOrders:
    """Takes facts after the mirrors; what it writes goes with them in one transaction."""

    def __init__(self, announcing: Announcing | None = None) -> None:
        self._announcing = announcing

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """What a fact means for the orders that are open."""
        match fact:
            case f.CommandAnswered() if (fact.command or {}).get("do") == "plan":
                self._answered(connection, fact)
            case f.Planned():
                self._planned(connection, fact)
            case f.PlanEnded() if fact.why != "cancelled":
                self._ended(connection, fact)
            case f.FindingBegan() if fact.document["detector"] == "device-change":
                if fact.document["class"] in ANOTHER_DEVICE:
                    self._another(connection, fact, str(fact.document["now"]), fact.document["id"])
            case f.Bound():
                self._elsewhere(connection, fact, fact.imei, None)

    def _answered(self, connection: sa.Connection, fact: f.CommandAnswered) -> None:
        """The gate knows of it, or will not."""
        command = fact.command or {}
        found = sa.select(t.command.c.iccid).where(t.command.c.id == str(command.get("id", "")))
        iccid = fact.iccid or connection.execute(found).scalar()
        item = kept.item_of(connection, int(command.get("order", 0)), iccid, fact.at) if iccid else None
        if item is None or item.state not in ("asked", "refused"):
            return
        if fact.answer in ("applied", "duplicate"):
            kept.change(connection, item, fact.at, state="planned", note="")
            # Whose the subscription was when the order was made, the mirror may not have known.
            alone = sa.and_(t.work_order.c.number == item.work_order, t.work_order.c["items"] == 1)
            connection.execute(sa.update(t.work_order).where(alone).values(tenant=fact.tenant))
        elif item.state == "asked":
            kept.change(connection, item, fact.at, state="refused", note=REFUSED.get(fact.answer, fact.answer))
            self._settle(connection, item.work_order, fact)

    def _planned(self, connection: sa.Connection, fact: f.Planned) -> None:
        item = kept.item_of(connection, fact.order, fact.iccid, fact.at) if fact.iccid else None
        if item is None or item.state not in kept.TO_COME:
            return
        if item.device and item.imei is not None and not fact.device:
            return  # it has moved, and the device that it is to be in is still to come
        note = changes_text(fact.changes) if not fact.device else ""
        kept.change(connection, item, fact.at, state="done", was=fact.was, now=fact.now, note=note, finding=None)
        self._settle(connection, fact.order, fact)

    def _ended(self, connection: sa.Connection, fact: f.PlanEnded) -> None:
        """Its time is over, or the subscription is gone."""
        item = kept.item_of(connection, fact.order, fact.iccid, fact.at) if fact.iccid else None
        if item is None or item.state not in kept.TO_COME:
            return
        state = "removed"
        if fact.why == "expired":
            state = "unchanged" if item.device and item.imei is None else "expired"
        kept.change(connection, item, fact.at, state=state)
        self._settle(connection, fact.order, fact)

    def _another(self, connection: sa.Connection, fact: f.FindingBegan, device: str, finding: str) -> None:
        """A device that does not belong: instead of a planned one, or planned for another subscription."""
        for item in kept.waiting_in(connection, fact.at, fact.iccid) if fact.iccid else ():
            if item.imei is not None and item.imei != device:
                text = f"Work order {item.work_order} expects device {item.imei} here; {device} came instead."
                kept.change(connection, item, fact.at, state="wrong", finding=finding, note=text)
        self._elsewhere(connection, fact, device, finding)

    def _elsewhere(self, connection: sa.Connection, fact: f.Fact, device: str, finding: str | None) -> None:
        """The right box with the wrong SIM: a device that an order expects in another subscription."""
        for item in kept.waiting_for(connection, fact.at, device):
            if item.iccid == fact.iccid:
                continue
            text = f"The wrong SIM is in the right box: work order {item.work_order} expects device {device} "
            text += f"with SIM {item.iccid}, and it came with {fact.iccid or fact.imsi}."
            kept.change(connection, item, fact.at, state="wrong", finding=finding, note=text)

    def _settle(self, connection: sa.Connection, number: int, fact: f.Fact) -> None:
        state = kept.settle(connection, number, fact.at)
        if state not in ("done", "overdue") or self._announcing is None:
            return
        order = kept.find(connection, number)
        assert order is not None
        one = Announcement(
            type=f"work_order.{state}", id=f"work_order.{state}:{number}:{fact.id}", at=fact.at,
            subject=f"work order {number}", tenant=order.tenant, cause=fact.id,
            data={"order": kept.told(connection, order)},
        )  # fmt: skip
        self._announcing.say(connection, one)


REFUSED = {
    "not-found": "There is no subscription with this ICCID in the inventory that is in force.",
    "limited": "The gate has no room for more changes of this subscription, or in all.",
    "stale": "Its time was over when the gate heard of it.",
}


def changes_text(changes: Any) -> str:
    """`area 5 → 9, ...`"""
    return ", ".join(f"{name} {one['was']} → {one['now']}" for name, one in changes.items())[:NOTE_CHARACTERS_MAX]
