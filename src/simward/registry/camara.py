"""Event subscriptions of CAMARA's interfaces, and the events that wait for their sinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from simward.registry import tables as t

ACTIVE, EXPIRED, DELETED = "ACTIVE", "EXPIRED", "DELETED"
QUEUE_MAX = 1000
"""Events that wait for one sink; one more is dropped, and counted."""
KEPT_US = 7 * 86_400_000_000
"""How long one that has expired is still told."""
_S, _N = t.camara_subscription.c, t.camara_notification.c
_ACTIVE_OF = sa.select(t.camara_subscription).where(
    _S.imsi == sa.bindparam("of"), _S.type == sa.bindparam("kind"), _S.status == ACTIVE
)  # fmt: skip


def add(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A new one."""
    connection.execute(sa.insert(t.camara_subscription), dict(values))


def count_of(connection: sa.Connection, owner: str) -> int:
    """How many a client has that go on."""
    mine = sa.select(sa.func.count()).where(_S.owner == owner, _S.status == ACTIVE)
    return int(connection.execute(mine).scalar_one())


def find(connection: sa.Connection, id_: str, owner: str | None, tenant: str | None) -> Any | None:
    """One that is not deleted, of this client and tenant (None: of any)."""
    return connection.execute(_mine(owner, tenant).where(_S.id == id_)).one_or_none()


def listed(connection: sa.Connection, owner: str | None, tenant: str | None, most: int) -> Sequence[Any]:
    """Those of a client, the newest first."""
    return connection.execute(_mine(owner, tenant).order_by(_S.started_at.desc(), _S.id).limit(most)).all()


def active_of(connection: sa.Connection, imsi: str, kind: str) -> Sequence[Any]:
    """Those about a subscription that want to hear of this type."""
    return connection.execute(_ACTIVE_OF, {"of": imsi, "kind": kind}).all()


def due(connection: sa.Connection, now: int, most: int) -> Sequence[Any]:
    """Those whose time is over."""
    over = sa.select(t.camara_subscription).where(_S.status == ACTIVE, _S.ends_at <= now)
    return connection.execute(over.order_by(_S.ends_at).limit(most)).all()


def orphans(connection: sa.Connection, most: int) -> Sequence[Any]:
    """Those about a subscription that the inventory has no more."""
    s = t.subscription.c
    known = sa.select(s.imsi).where(s.imsi == _S.imsi, s.state.is_not(None))
    alone = sa.select(t.camara_subscription).where(_S.status == ACTIVE, ~known.exists())
    return connection.execute(alone.limit(most)).all()


def end(connection: sa.Connection, id_: str, status: str, at: int) -> None:
    """It ends."""
    mine = sa.update(t.camara_subscription).where(_S.id == id_)
    connection.execute(mine.values(status=status, ended_at=at, ends_at=None))


def counted(connection: sa.Connection, id_: str, events: int) -> None:
    """So many events were made for it."""
    connection.execute(sa.update(t.camara_subscription).where(_S.id == id_).values(events=events))


def queue(connection: sa.Connection, id_: str, document: Mapping[str, Any], now: int) -> bool:
    """An event waits for a sink; False where its queue is full and it was dropped."""
    waiting = connection.execute(sa.select(sa.func.count()).where(_N.subscription == id_)).scalar_one()
    if waiting >= QUEUE_MAX:
        dropped = sa.update(t.camara_subscription).where(_S.id == id_)
        connection.execute(dropped.values(dropped=_S.dropped + 1))
        return False
    values = {"subscription": id_, "document": dict(document), "made_at": now, "next_at": now}
    connection.execute(sa.insert(t.camara_notification), values)
    return True


def heads(
    connection: sa.Connection, now: int, busy: Sequence[str], most: int, held: Sequence[str] = ()
) -> Sequence[Any]:
    """The first event of each subscription, where it is time for it; none that is `busy`, none of `held` clients."""
    first = sa.select(sa.func.min(_N.number)).group_by(_N.subscription)
    found = (
        sa.select(t.camara_notification, _S.sink, _S.owner, _S.credential, _S.credential_ends_at)
        .join(t.camara_subscription, _S.id == _N.subscription)
        .where(
            _N.number.in_(first), _N.next_at <= now, _N.subscription.not_in(list(busy)), _S.owner.not_in(list(held))
        )
        .order_by(_N.next_at, _N.number).limit(most)
    )  # fmt: skip
    return connection.execute(found).all()


def next_at(connection: sa.Connection) -> int | None:
    """When the next event may leave."""
    found = connection.execute(sa.select(sa.func.min(_N.next_at))).scalar()
    return None if found is None else int(found)


def again(connection: sa.Connection, number: int, attempts: int, at: int) -> None:
    """It did not arrive, and is sent again."""
    connection.execute(
        sa.update(t.camara_notification).where(_N.number == number).values(attempts=attempts, next_at=at)
    )


def done(connection: sa.Connection, number: int) -> None:
    """It arrived, or is given up."""
    connection.execute(sa.delete(t.camara_notification).where(_N.number == number))


def gone(connection: sa.Connection, id_: str, at: int) -> None:
    """Its sink is no more: nothing is sent to it any more."""
    connection.execute(sa.delete(t.camara_notification).where(_N.subscription == id_))
    connection.execute(
        sa.update(t.camara_subscription).where(_S.id == id_, _S.status == ACTIVE)
        .values(status=EXPIRED, ended_at=at, ends_at=None)
    )  # fmt: skip


def forget(connection: sa.Connection, now: int) -> None:
    """What has ended keeps no credential once nothing waits, and is gone after a week."""
    waits = sa.select(_N.number).where(_N.subscription == _S.id).exists()
    over = sa.and_(_S.ended_at.is_not(None), ~waits)
    mine = sa.update(t.camara_subscription).where(over, _S.credential.is_not(None))
    connection.execute(mine.values(credential=None))
    old = sa.or_(_S.status == DELETED, _S.ended_at < now - KEPT_US)
    connection.execute(sa.delete(t.camara_subscription).where(over, old))


def _mine(owner: str | None, tenant: str | None) -> Any:
    found = sa.select(t.camara_subscription).where(_S.status != DELETED)
    found = found if owner is None else found.where(_S.owner == owner)
    return found if tenant is None else found.where(_S.tenant == tenant)
