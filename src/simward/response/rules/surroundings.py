"""The surroundings of a trigger as the registry has them now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t
from simward.response.announcing import BREAKS_BINDING
from simward.response.rules.backtesting import is_about_binding
from simward.response.rules.judging import moment
from simward.response.rules.rule import Trigger

WorkOrders = Callable[[sa.Connection, str], bool]
"""Is a work order open for this IMSI?"""


def no_work_orders(connection: sa.Connection, imsi: str) -> bool:
    """Where there are none."""
    return False


class Registered:
    """For the length of one transaction."""

    def __init__(self, connection: sa.Connection, documents: Mapping[str, Any], work_orders: WorkOrders) -> None:
        self._connection, self._documents, self._work_orders = connection, documents, work_orders

    def subscription(self, imsi: str) -> Mapping[str, Any]:
        """Fields of `subscription`."""
        found = self._connection.execute(sa.select(t.subscription).where(t.subscription.c.imsi == imsi)).one_or_none()
        counted = sa.select(sa.func.count()).select_from(t.finding)
        counted = counted.where(t.finding.c.imsi == imsi, t.finding.c.ended_at.is_(None))
        facts: dict[str, Any] = {"open_findings": self._connection.execute(counted).scalar_one()}
        if found is not None:
            facts |= {"apn": found.apn, "address": found.address, "imei": found.imei, "bound": found.imei is not None}
            facts["locked"] = found.locked_at is not None and not found.confined
            facts["quarantined"] = found.locked_at is not None and found.confined
        return facts

    def finding_ended(self, finding: str) -> bool:
        """Is it over?"""
        ended = sa.select(t.finding.c.ended_at).where(t.finding.c.id == finding)
        return self._connection.execute(ended).scalar() is not None

    def incident_of(self, trigger: Trigger) -> Mapping[str, Any]:
        """Fields of `incident`."""
        number = trigger.incident
        if number is None and trigger.finding is not None:
            joined = sa.select(t.finding.c.incident).where(t.finding.c.id == trigger.finding["id"])
            number = self._connection.execute(joined).scalar()
        if number is None:
            return {}
        found = self._connection.execute(sa.select(t.incident).where(t.incident.c.number == number)).one_or_none()
        if found is None:
            return {}
        named = ("number", "state", "severity", "title", "owner", "use_case", "findings", "subscriptions",
                 "escalations", "reopened")  # fmt: skip
        return {
            **{name: getattr(found, name) for name in named},
            "acknowledged": found.acknowledged_at is not None, "opened_at": moment(found.opened_at),
        }  # fmt: skip

    def document(self, kind: str, name: str) -> Mapping[str, Any]:
        """A use case or segment, as far as conditions may ask."""
        found: Mapping[str, Any] = self._documents.get(kind, {}).get(name, {})
        return found

    def binding_is_broken(self, imsi: str) -> bool:
        """Is a finding open that says so?"""
        detectors = sorted({one.partition("/")[0] for one in BREAKS_BINDING})
        found = sa.select(t.finding.c.document).where(
            t.finding.c.imsi == imsi, t.finding.c.ended_at.is_(None), t.finding.c.detector.in_(detectors)
        )
        return any(is_about_binding(document) for document in self._connection.execute(found).scalars())

    def work_order_is_open(self, imsi: str) -> bool:
        """Is somebody sent to it?"""
        return self._work_orders(self._connection, imsi)
