"""What subscribers are told: CloudEvents about a change of device or area, and about their subscription itself.

Facts become events in the transaction that follows them, so that each is told once; a subscription that has had as many
as it wanted, or whose time is over, says so and ends.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from simward.connectors.cloudevents import JSON, SPEC_VERSION, timestamp
from simward.control.api.scopes import FRAUD
from simward.control.camara.areas import Areas
from simward.control.camara.fraud import imei_text
from simward.logs import called
from simward.registry import camara as kept
from simward.response import facts as f

log = logging.getLogger(__name__)

PREFIX = f"org.camaraproject.{FRAUD}.v0."
IMEI_CHANGE, AREA_CHANGE = f"{PREFIX}imei-change", f"{PREFIX}area-change"
STARTED, ENDED = f"{PREFIX}subscription-started", f"{PREFIX}subscription-ended"
TYPES = (IMEI_CHANGE, AREA_CHANGE)
OUTSIDE_AREA = "outside-area"
AT_ONCE = 100
LOOK_EVERY_US = 60_000_000
BEFORE_TOKEN_ENDS_US = 30_000_000
"""A subscription ends so long before the token of its sink does: the last event needs it too."""


class Telling:
    """A Taker, and Ticking."""

    def __init__(self, installation: str, areas: Areas) -> None:
        self._source, self._areas = f"urn:simward:{installation}", areas
        self._looked_at = 0

    def take(self, connection: sa.Connection, fact: f.Fact) -> None:
        """See Taker: was it heard in another device, did it leave its area or come back?"""
        match fact:
            case f.DeviceSeen() if fact.was is not None and fact.imsi:
                for row in kept.active_of(connection, fact.imsi, IMEI_CHANGE):
                    self.changed(connection, row, fact.at, {"imei": imei_text(fact.imei)})
            case f.FindingBegan() | f.FindingEnded() if fact.document["detector"] == OUTSIDE_AREA and fact.imsi:
                area = self._areas.of(fact.use_case)
                if area is None:
                    return
                for row in kept.active_of(connection, fact.imsi, AREA_CHANGE):
                    self.changed(connection, row, fact.at, {"area": area.told})
            case _:
                return

    def tick(self, connection: sa.Connection, now: int) -> bool:
        """See Ticking: end what is over."""
        due = kept.due(connection, now, AT_ONCE)
        for row in due:
            by_token = row.credential_ends_at is not None and row.ends_at == ends_by_token(row.credential_ends_at)
            self.end(connection, row, now, "ACCESS_TOKEN_EXPIRED" if by_token else "SUBSCRIPTION_EXPIRED")
        if now - self._looked_at >= LOOK_EVERY_US or now < self._looked_at:
            self._looked_at = now
            for row in kept.orphans(connection, AT_ONCE):
                self.end(connection, row, now, "NETWORK_TERMINATED")
            kept.forget(connection, now)
        return len(due) == AT_ONCE

    def begin(self, connection: sa.Connection, row: Any, now: int) -> None:
        """A subscription was made."""
        said = {"subscriptionId": row.id, "initiationReason": "SUBSCRIPTION_CREATED"}
        self._queue(connection, row, STARTED, now, said)

    def changed(self, connection: sa.Connection, row: Any, at: int, what: Mapping[str, Any]) -> None:
        """An event of the type that it wants; the last that it wants ends it."""
        device = row.config["subscriptionDetail"]["device"]
        self._queue(connection, row, row.type, at, {"subscriptionId": row.id, "device": device, **what})
        events = row.events + 1
        kept.counted(connection, row.id, events)
        if row.events_max is not None and events >= row.events_max:
            self.end(connection, row, at, "MAX_EVENTS_REACHED")

    def end(self, connection: sa.Connection, row: Any, at: int, why: str) -> None:
        """It ends, and is told why."""
        status = kept.DELETED if why == "SUBSCRIPTION_DELETED" else kept.EXPIRED
        kept.end(connection, row.id, status, at)
        self._queue(connection, row, ENDED, at, {"subscriptionId": row.id, "terminationReason": why})

    def _queue(self, connection: sa.Connection, row: Any, kind: str, at: int, data: Mapping[str, Any]) -> None:
        document = {
            "id": str(uuid.uuid4()), "source": self._source, "type": kind, "specversion": SPEC_VERSION,
            "datacontenttype": JSON, "time": timestamp(at), "data": dict(data),
        }  # fmt: skip
        if not kept.queue(connection, row.id, document, at):
            log.warning(
                "the sink of CAMARA subscription %s takes nothing: an event was dropped", row.id,
                extra=called("camara-event-dropped", subscription=row.id),
            )


def ends_by_token(token_ends_at: int) -> int:
    """When a subscription ends whose sink's token ends then."""
    return token_ends_at - BEFORE_TOKEN_ENDS_US
